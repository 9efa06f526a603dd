"""A Kafka that hangs: it takes what is sent, and says nothing. Pages say so in seconds; it is waited out."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors import kafka_log, kafka_read
from connectors.kafka_health import KafkaHealth
from connectors.kafka_log import MARK_WITHIN, KafkaLog
from connectors.kafka_read import STANDS, read_to_end
from engine.collect import partition_of
from engine.errors import LogError
from engine.keeper import STUCK
from engine.ports import Mark
from tests.integration.care import PARTITIONS, Care, seen
from tests.servers.deployment import Deployment
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.testdata import CHECKOUT

NOTICED_WITHIN = 15.0
"""Seconds until `/readyz` has to say it."""


def test_a_lane_that_waits_for_kafka_comes_round_long_before_it_counts_as_stuck() -> None:
    assert MARK_WITHIN + STANDS < STUCK / 2


async def test_kafka_is_asked_anew_after_it_hung(kafka_server: KafkaServer) -> None:
    health = KafkaHealth({"bootstrap_servers": kafka_server.bootstrap})
    watch = asyncio.create_task(health.watch())
    try:
        await asyncio.to_thread(kafka_server.pause)
        await eventually(lambda: "expected an answer" in health.problem, NOTICED_WITHIN)
        await asyncio.to_thread(kafka_server.resume)
        await eventually(lambda: health.problem == "", NOTICED_WITHIN)
    finally:
        kafka_server.resume()
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def test_a_broker_that_is_not_there_is_told_as_such() -> None:
    health = KafkaHealth({"bootstrap_servers": "127.0.0.1:1"})
    assert await health.look() == "Kafka: expected an answer, was KafkaConnectionError"


async def test_a_mark_is_left_out_and_reading_is_given_up(
    care: Care, kafka_server: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_read, "STANDS", 1.0)
    monkeypatch.setattr(kafka_log, "MARK_WITHIN", 1.0)
    await care.publish()
    key = care.key
    for _ in range(4):  # more than is fetched ahead
        await care.append(*(seen(0, f"460-00-1-{number:05}") for number in range(5_000)))
    topic, partition = f"{care.prefix}.events.v1", partition_of(key, PARTITIONS)
    log = KafkaLog(care.options, topic, PARTITIONS, f"{care.prefix}.marks")
    await log.assign([partition])
    try:
        reading = read_to_end(care.options, topic, partition)
        assert await anext(reading)
        await asyncio.to_thread(kafka_server.pause)
        began = time.monotonic()
        await log.mark(partition, Mark(5, "{}"))
        assert 1 <= time.monotonic() - began < 5
        # an end by an error closes the reader, too
        with pytest.raises(LogError, match="expected to be read, was not possible: nothing came for 1 s"):
            [batch async for batch in reading]
        assert time.monotonic() - began < 15
    finally:
        kafka_server.resume()
        await log.close()


def test_roles_are_not_ready_while_kafka_hangs_and_live_on(
    deployment: Deployment, kafka_server: KafkaServer
) -> None:
    deployment.command("rules", "publish", CHECKOUT / "rules", "--by", "a test")
    roles = [deployment.start("engine"), deployment.start("dispatcher")]
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both roles to be ready")
    kafka_server.pause()
    live: set[int] = set()

    def noticed() -> bool:
        live.update(role.page("livez") for role in roles)
        return all(role.page("readyz") == 503 for role in roles)

    try:
        deployment.wait(noticed, "both roles not to be ready", NOTICED_WITHIN)
    finally:
        kafka_server.resume()
    assert live == {200}
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both to be ready again", 30)
    deployment.append([{"kind": "tick", "t": 1_788_740_000_000_000}])
    deployment.wait(lambda: set(deployment.watermarks()) == {1_788_740_000_000_000}, "the tick to be folded")
