"""`touchpoint rules publish` and those who follow what it publishes, on a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from connectors.kafka_rules import KafkaRules, published_sets
from engine.cli.main import app
from engine.language.loader import load_dir
from tests.contract.inlets import read_committed
from tests.servers.kafka import KafkaServer
from tests.unit.cli.support import FILES

KEY = "a key of the tests"
PARTITIONS = 3


class Deployment:
    """A Kafka with topics of its own, and the command that publishes into it."""

    def __init__(self, kafka: KafkaServer, prefix: str, folder: Path) -> None:
        self.options: dict[str, Any] = {"bootstrap_servers": kafka.bootstrap}
        self.prefix = prefix
        self.folder = folder
        self.variables = {
            "TOUCHPOINT_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "TOUCHPOINT_TOPIC_PREFIX": prefix,
            "TOUCHPOINT_PARTITIONS": str(PARTITIONS),
            "TOUCHPOINT_KEY": KEY,
            "TOUCHPOINT_SALT": "a salt of the tests",
        }
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def hash(self) -> str:
        """Of the folder as it is now."""
        ruleset = load_dir(self.folder).ruleset
        assert ruleset is not None
        return ruleset.hash

    def call(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, ["rules", *map(str, arguments)], env=self.variables)

    def publish(self, by: str) -> Result:
        return self.call("publish", self.folder, "--by", by)

    async def switches(self, partition: int) -> list[dict[str, Any]]:
        topic = f"{self.prefix}.events.v1"
        return [
            orjson.loads(value) for value in await read_committed(self.options, topic, partition) if value
        ]

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[KafkaRules]:
        """Follow what is published while the block runs."""
        rules = KafkaRules(self.options, f"{self.prefix}.rules.v1", KEY.encode(), "86")
        await rules.start()
        following = asyncio.create_task(rules.follow())
        try:
            yield rules
        finally:
            following.cancel()
            await asyncio.wait([following])
            await rules.stop()


@pytest.fixture
def deployment(kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path) -> Deployment:
    """A Kafka without topics, and a folder of one rule."""
    return Deployment(kafka_server, topic_prefix, tmp_path / "rules")


async def test_a_set_is_in_the_topic_and_a_switch_in_every_partition(deployment: Deployment) -> None:
    result = await asyncio.to_thread(deployment.publish, " ann ")
    assert result.exit_code == 0, result.output
    first = deployment.hash
    assert f"published 1 rule, 1 of them live, as {first}" in result.stdout
    for partition in range(PARTITIONS):
        [switch] = await deployment.switches(partition)
        assert (switch["kind"], switch["hash"], switch["by"]) == ("rules.switch", first, "ann")

    async with deployment.follow() as rules:
        assert rules.book(first).hash == first
        deployment.write("team/hall-visit.yaml", FILES["team/hall-visit.yaml"].replace("gold, vip", "vip"))
        second = deployment.hash
        assert second != first
        with pytest.raises(KeyError):
            rules.book(second)
        assert not await rules.wait(second, 0.05)
        waiting = asyncio.create_task(rules.wait(second, 30))
        assert (await asyncio.to_thread(deployment.publish, "bob")).exit_code == 0
        assert await waiting
        assert rules.book(second).hash == second
        assert rules.book(first) is rules.book(first)
    assert [switch["hash"] for switch in await deployment.switches(0)] == [first, second]
    listed = await asyncio.to_thread(deployment.call, "published", "--json")
    assert [(p["hash"], p["by"]) for p in orjson.loads(listed.stdout)] == [(first, "ann"), (second, "bob")]
    lines = (await asyncio.to_thread(deployment.call, "published")).stdout.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == [first, second]


async def test_rules_with_errors_are_published_nowhere(deployment: Deployment) -> None:
    assert (await asyncio.to_thread(deployment.publish, "ann")).exit_code == 0
    first = deployment.hash
    rule = FILES["team/hall-visit.yaml"]
    deployment.write("team/hall-visit.yaml", rule.replace("gift", "gone").replace("gold", "golden"))
    result = await asyncio.to_thread(deployment.publish, "ann")
    assert result.exit_code == 2
    assert "expected rules without errors, was 2" in result.stderr
    assert "R301" in result.stderr
    assert "R208" in result.stderr
    found = await published_sets(deployment.options, f"{deployment.prefix}.rules.v1")
    assert [published.hash for published in found] == [first]
    assert [switch["hash"] for switch in await deployment.switches(1)] == [first]


async def test_a_large_list_of_cells_is_published_whole(deployment: Deployment) -> None:
    cells = [f"460-00-{number}-{number}" for number in range(100_000)]
    deployment.write("catalog/places.yaml", "hall: {name: hall, cells: hall.csv}\n")
    deployment.write("catalog/hall.csv", "cell\n" + "\n".join(cells) + "\n")
    result = await asyncio.to_thread(deployment.publish, "ann")
    assert result.exit_code == 0, result.output
    async with deployment.follow() as rules:
        assert len(rules.book(deployment.hash).catalog.places["hall"].cells) == len(cells)
    [found] = await published_sets(deployment.options, f"{deployment.prefix}.rules.v1")
    assert len(found.files["catalog/hall.csv"]) > 1_500_000


def test_of_sets_published_again_the_last_counts_and_nothing_is_listed_before(deployment: Deployment) -> None:
    missing = deployment.call("published")
    assert missing.exit_code == 2
    assert f"topic {deployment.prefix}.rules.v1: expected to exist, was not found" in missing.stderr
    assert "`touchpoint topics` makes it" in missing.stderr
    canary = deployment.call("publish", deployment.folder, "--by", "ann", "--canary", "5%")
    assert canary.exit_code == 2
    assert "none: publish one for all first" in canary.stderr
    deployment.publish("ann")
    first = deployment.hash
    deployment.write("team/hall-visit.yaml", FILES["team/hall-visit.yaml"].replace("gold, vip", "vip"))
    deployment.publish("bob")
    deployment.write("team/hall-visit.yaml", FILES["team/hall-visit.yaml"])
    deployment.publish("cid")
    found = orjson.loads(deployment.call("published", "--json").stdout)
    assert [published["by"] for published in found] == ["bob", "cid"]
    assert found[1]["hash"] == first


def test_without_a_kafka_it_says_so(deployment: Deployment) -> None:
    deployment.variables["TOUCHPOINT_KAFKA_BOOTSTRAP"] = "127.0.0.1:1"
    result = deployment.publish("ann")
    assert result.exit_code == 2
    assert "Kafka at 127.0.0.1:1: expected to answer, was:" in result.stderr
    assert "Traceback" not in result.output
    del deployment.variables["TOUCHPOINT_KAFKA_BOOTSTRAP"]
    result = deployment.publish("ann")
    assert result.exit_code == 2
    assert "TOUCHPOINT_KAFKA_BOOTSTRAP: expected" in result.stderr
