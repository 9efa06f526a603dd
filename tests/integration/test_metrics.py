"""The page of a deployment at work: every metric that is declared is set, and lag comes to rest at 0."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from engine.metrics import PREFIX, Metrics
from tests.servers.deployment import Deployment, RoleProcess
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

DECLARED = Metrics(CollectorRegistry()).labels
PARTITIONS = 3
T = 1_788_740_000_000_000
"""A morning in September 2026, µs UTC."""
HAPPENED = {
    *("events_total", "offers_total", "suppressed_total", "dead_letters_total", "deliveries_total"),
    *(
        "optouts_total",
        "collector_rows_total",
        "collector_files_total",
        "log_appends_total",
        "redis_op_seconds_count",
    ),
    *("subscribers", "state_bytes", "lane_progress_timestamp_seconds", "rules_info", "ready"),
    *("commits_total", "event_to_offer_seconds_count"),
}
"""Metrics that are above 0 after this course, and not only shown."""
NOT_HERE = {
    f"{PREFIX}{name}"
    for name in (
        "canary_info",
        "collector_treated_total",
        "collector_damaged_total",
        "collector_pushed_total",
        "collector_pushed_waiting",
    )
}
"""Shown while a canary runs; where a feed asks for treatments; where a map watches columns; where others push
into a door."""


@pytest.fixture
def deployment(
    tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str
) -> Iterator[Deployment]:
    """An empty deployment; its processes end with the test."""
    url = redis_server.url
    made = Deployment(tmp_path, kafka_server.bootstrap, url, topic_prefix, partitions=PARTITIONS)
    yield made
    made.close()


def page(role: RoleProcess) -> dict[str, dict[tuple[str, ...], float]]:
    """Name -> values of labels -> value."""
    try:
        text = httpx.get(f"http://127.0.0.1:{role.port}/metrics").text
    except httpx.HTTPError:
        return {}
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def marks(deployment: Deployment) -> list[int]:
    """How far the engine says beside the log that it has come, by partition."""

    async def go() -> list[int]:
        admin = AIOKafkaAdminClient(**deployment.options)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(f"{deployment.prefix}.engine")
        finally:
            await admin.close()
        return [kept.offset for _, kept in sorted(found.items())]

    return asyncio.run(go())


def test_every_metric_is_set_and_an_idle_lane_has_no_lag(deployment: Deployment) -> None:
    folder = deployment.folder
    landing = folder / "landing"
    landing.mkdir()
    deployment.settings["LANDING"] = str(landing)
    deployment.command("simulate", "--out", folder / "city", "--subscribers", 60, "--hours", 24, "--seed", 5)
    deployment.command("rules", "publish", CHECKOUT / "rules", "--by", "a test")
    deployment.command("load", "profiles", folder / "city" / "profiles.jsonl")
    profile = orjson.loads((folder / "city" / "profiles.jsonl").read_bytes().splitlines()[0])
    (folder / "optouts").write_text(profile["msisdn"] + "\n", encoding="utf-8")
    deployment.command("load", "optouts", folder / "optouts")
    role = deployment.start("all")
    shutil.copy(folder / "city" / "events.jsonl", landing / "part.tmp")
    with (landing / "part.tmp").open("ab") as file:
        file.write(b"{broken\n")
    (landing / "part.tmp").rename(landing / "events.jsonl")

    def missing() -> set[str]:
        found = page(role)
        shown = {name for name in DECLARED if name in found}
        above = {name for name in HAPPENED if sum(found.get(PREFIX + name, {}).values()) > 0}
        return (set(DECLARED) - shown - NOT_HERE) | (HAPPENED - above)

    try:
        deployment.wait(lambda: not missing(), "every metric to be set", 120)
    except AssertionError as error:
        raise AssertionError(f"not set: {sorted(missing())}") from error

    # the same file once more is not read, and shows as that
    shutil.copy(landing / "done" / "events.jsonl", landing / "part.tmp")
    (landing / "part.tmp").rename(landing / "events.jsonl")
    again = f"{PREFIX}collector_files_total"
    deployment.wait(lambda: page(role)[again].get(("again", "landing")) == 1.0, "the file to be counted", 30)

    found = page(role)
    fates = {fate: count for (fate, _), count in found[again].items()}
    assert fates == {"done": 1.0, "again": 1.0, "bad": 0.0, "gap": 0.0}
    assert {source for (source,) in found[f"{PREFIX}optouts_total"]} >= {"consent.change"}
    ops = {op for (op,) in found[f"{PREFIX}redis_op_seconds_count"]}
    assert {"lane_commit", "read", "deliveries_claim", "deliveries_settle"} <= ops
    assert role.terminate()[0] == 0

    # the last entry of each partition is the end of a transaction; who reads it begins to count
    deployment.command("load", "profiles", folder / "city" / "profiles.jsonl")
    role = deployment.start("engine")
    lag = f"{PREFIX}consumer_lag_records"
    deployment.wait(lambda: list(page(role).get(lag, {}).values()) == [0.0] * PARTITIONS, "no lag", 40)
    assert set(page(role)[f"{PREFIX}consumer_lag_seconds"].values()) == {0.0}
    assert role.terminate()[0] == 0


def test_subscribers_are_those_of_the_store_also_after_a_restart(deployment: Deployment) -> None:
    city = deployment.folder / "city"
    deployment.command("topics")
    deployment.command("simulate", "--out", city, "--subscribers", 40, "--hours", 1, "--seed", 5)
    people = len((city / "profiles.jsonl").read_bytes().splitlines())
    deployment.command("load", "profiles", city / "profiles.jsonl")
    name = f"{PREFIX}subscribers"

    def told() -> None:
        role = deployment.start("engine")
        deployment.wait(lambda: sum(page(role).get(name, {}).values()) == people, f"{people} subscribers", 40)
        assert len(page(role)[name]) == PARTITIONS
        assert role.terminate()[0] == 0

    told()
    # the next has folded nothing: whom it has is in the store only
    told()


def test_lag_is_told_while_lanes_can_not_be_opened(deployment: Deployment, redis_server: RedisServer) -> None:
    folded, waiting = T + 9, 7
    role = deployment.start("engine")
    deployment.append([{"kind": "tick", "t": t} for t in range(T, folded + 1)])
    deployment.wait(lambda: set(deployment.watermarks()) == {folded}, "ticks to be folded")
    records, seconds = f"{PREFIX}consumer_lag_records", f"{PREFIX}consumer_lag_seconds"
    none, some = [0.0] * PARTITIONS, [float(waiting)] * PARTITIONS
    deployment.wait(lambda: marks(deployment) == deployment.offsets(), "marks")
    assert role.terminate()[0] == 0
    deployment.append([{"kind": "tick", "t": folded + more} for more in range(1, waiting + 1)])
    appended = time.time()
    redis_server.kill()
    blind = deployment.start("engine")
    deployment.wait(lambda: list(page(blind).get(records, {}).values()) == some, "lag", 40)

    def grown() -> bool:
        age = time.time() - appended
        return all(age - 8 < told < age + 1 for told in page(blind)[seconds].values())

    deployment.wait(lambda: grown() and time.time() - appended > 12, "age of the oldest that waits", 40)
    redis_server.restart()
    deployment.wait(lambda: set(page(blind)[seconds].values()) == {0.0}, "nothing to wait", 40)
    assert list(page(blind)[records].values()) == none
