"""`touchpoint load` on a real Kafka and a real Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from redis import Redis
from typer.testing import CliRunner, Result

from connectors.redis_keys import optout_key
from engine.cli.main import app
from engine.identity import Identity
from tests.contract.inlets import create_topics, read_committed
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer

NUMBER, IMSI = "+8613912345678", "460001234567890"


class Deployment:
    """Kafka and Redis with a key of their own, and the command that loads into them."""

    def __init__(self, kafka: KafkaServer, redis: RedisServer, prefix: str) -> None:
        self.prefix = prefix
        self.options: dict[str, Any] = {"bootstrap_servers": kafka.bootstrap}
        self.redis = Redis.from_url(redis.url)
        self.identity = Identity(b"a key of the tests")
        self.variables = {
            "TOUCHPOINT_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "TOUCHPOINT_REDIS_URL": redis.url,
            "TOUCHPOINT_TOPIC_PREFIX": prefix,
            "TOUCHPOINT_PARTITIONS": "2",
            "TOUCHPOINT_KEY": "a key of the tests",
            "TOUCHPOINT_SALT": "a salt of the tests",
        }
        create_topics(kafka, prefix, 2)

    def load(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, ["load", *map(str, arguments)], env=self.variables)

    def topic(self, name: str, partition: int = 0) -> list[Any]:
        found = asyncio.run(read_committed(self.options, f"{self.prefix}.{name}.v1", partition))
        return [orjson.loads(value) for value in found if value]

    def log(self) -> list[Any]:
        return self.topic("events", 0) + self.topic("events", 1)

    def opted_out(self, name: str) -> bool:
        return bool(self.redis.hexists(optout_key(name), name))

    async def write_profile(self, key: str, profile: dict[str, Any]) -> None:
        """Write a profile as the engine does."""
        async with AIOKafkaProducer(**self.options) as producer:
            topic = f"{self.prefix}.profiles.v1"
            await producer.send_and_wait(topic, orjson.dumps(profile), key=key.encode())


@pytest.fixture
def deployment(kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str) -> Deployment:
    """An empty deployment."""
    return Deployment(kafka_server, redis_server, topic_prefix)


def test_opt_outs_are_in_the_log_and_in_the_set_and_consent_takes_them_back(
    deployment: Deployment, tmp_path: Path
) -> None:
    key, own = deployment.identity.of_imsi(IMSI), deployment.identity.of_msisdn(NUMBER)
    assert key is not None
    assert own is not None
    asyncio.run(deployment.write_profile(key, {"msisdn": NUMBER}))
    stop = tmp_path / "stop.txt"
    stop.write_text(f"{NUMBER}\n12\n13800000000\n", encoding="utf-8")
    result = deployment.load("optouts", stop)
    assert result.exit_code == 1, result.output
    assert "stop.txt:2: msisdn: expected a number" in result.stdout
    records = deployment.log()
    assert {record["subscriber_key"] for record in records} >= {key, own}
    assert len(records) == 3
    assert all(record["consent"] == {"marketing": False} for record in records)
    assert deployment.opted_out(own)
    assert [letter["position"] for letter in deployment.topic("deadletters")] == ["stop.txt:2"]

    yes = tmp_path / "yes.csv"
    yes.write_text(f"msisdn,marketing\n{NUMBER},yes\n", encoding="utf-8")
    result = deployment.load("consents", yes)
    assert result.exit_code == 0, result.output
    assert not deployment.opted_out(own)
    given = [record["subscriber_key"] for record in deployment.log() if record["consent"]["marketing"]]
    assert given == [key]
    assert [value for part in (0, 1) for value in deployment.topic("checkpoints", part)] == []


def test_profiles_are_in_the_log(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "people.jsonl"
    people = [{"imsi": f"46000{number:010}", "tier": "gold"} for number in range(5_000)]
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in people))
    result = deployment.load("profiles", path)
    assert result.exit_code == 0, result.output
    keys = {record["subscriber_key"] for record in deployment.log()}
    assert keys == {deployment.identity.of_imsi(str(line["imsi"])) for line in people}


def test_no_number_that_was_refused_is_in_its_dead_letter(deployment: Deployment, tmp_path: Path) -> None:
    stop = tmp_path / "stop_139_1234_5678.txt"
    stop.write_text("138\u00a01234\u00a05678\n139_1234_5678\n138*1234*5678\n138·1234·5678\n138–1234—5678\n")
    result = deployment.load("optouts", stop)
    letters = deployment.topic("deadletters")
    told = result.output + "".join(map(str, letters))
    assert len(letters) + len(deployment.log()) == 5
    assert len(letters) >= 2
    assert "1234" not in told
    assert "5678" not in told


def test_a_load_without_topics_says_which(deployment: Deployment, tmp_path: Path) -> None:
    deployment.variables["TOUCHPOINT_TOPIC_PREFIX"] = deployment.prefix + "x"
    (tmp_path / "people.jsonl").write_bytes(b"")
    result = deployment.load("profiles", tmp_path / "people.jsonl")
    assert result.exit_code == 2
    assert f"topic {deployment.prefix}x.profiles.v1: expected it to be there, is not" in result.stderr
    assert "`touchpoint topics` makes" in result.stderr
    (tmp_path / "map.yaml").write_text("map: m\nload: profiles\nimsi: {column: I, required: yes}\n")
    (tmp_path / "people.csv").write_text(f"I\n{IMSI}\n")
    result = deployment.load("profiles", tmp_path / "people.csv", "--map", tmp_path / "map.yaml")
    assert result.exit_code == 2
    assert f"topic {deployment.prefix}x.events.v1: expected to exist, was not found" in result.stderr
    assert "`touchpoint topics` makes" in result.stderr
