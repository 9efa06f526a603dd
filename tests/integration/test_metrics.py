"""The page of a deployment at work: every metric that is declared is set, and lag comes to rest at 0."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from engine.metrics import PREFIX, Metrics
from tests.servers.deployment import Deployment, RoleProcess
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

DECLARED = Metrics(CollectorRegistry()).labels
PARTITIONS = 3
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
        return (set(DECLARED) - shown) | (HAPPENED - above)

    deployment.wait(lambda: not missing(), "every metric to be set", 120)

    # the same file once more is not read, and shows as that
    shutil.copy(landing / "done" / "events.jsonl", landing / "part.tmp")
    (landing / "part.tmp").rename(landing / "events.jsonl")
    again = f"{PREFIX}collector_files_total"
    deployment.wait(lambda: page(role)[again].get(("again",)) == 1.0, "the file to be counted", 30)

    found = page(role)
    assert found[again] == {("done",): 1.0, ("again",): 1.0}
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
