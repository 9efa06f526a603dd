"""Published rules that come late, or are followed no more: a lane stands, and the process says why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from connectors import kafka_rules
from connectors.kafka_rules import KafkaRules
from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from engine.deployment import engine
from engine.deployment.common import Common
from engine.deployment.engine import NO_RULES, EngineRole
from engine.errors import LogError
from engine.settings import Settings
from tests.servers.eventually import eventually
from tests.unit.cli.support import FILES, packed

TOPIC = "touchpoint.rules.v1"
PLACE = TopicPartition(TOPIC, 0)
SETTINGS = Settings(kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1", partitions=1)
LATE = "b" * 32
T = 1_788_740_000_000_000


class Topic:
    """A consumer of the rules: gives, one call after another, what a test put in; then it is idle."""

    def __init__(self, *given: BaseException | bytes) -> None:
        self.given = list(given)
        self.stopped = False

    async def start(self) -> None:
        """Connect."""

    def assign(self, places: list[TopicPartition]) -> None:
        """Take the partition."""

    async def seek_to_beginning(self, place: TopicPartition) -> None:
        """Go to the oldest."""

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Say that nothing was published before the role began."""
        return dict.fromkeys(places, 0)

    async def position(self, place: TopicPartition) -> int:
        """Stand at the end."""
        return 0

    async def getmany(self, place: TopicPartition, timeout_ms: int) -> Mapping[TopicPartition, list[Any]]:
        """Give the next."""
        if not self.given:
            await asyncio.Event().wait()
        given = self.given.pop(0)
        if isinstance(given, BaseException):
            raise given
        return {place: [SimpleNamespace(key=b"0", value=given, offset=0)]}

    async def stop(self) -> None:
        """Be done."""
        self.stopped = True


def published(name: str) -> bytes:
    return orjson.dumps({"hash": name, "by": "ann", "at": T, "files": {}})


def stand_in(patch: pytest.MonkeyPatch, topic: Topic) -> None:
    patch.setattr(kafka_rules, "reader", lambda *_, **__: topic)
    patch.setattr(kafka_rules, "RETRY", 0.0)


async def test_a_set_that_does_not_come_in_time_is_an_error_that_names_it_and_its_topic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "RULES_WITHIN", 0.01)
    role = EngineRole(Common(SETTINGS))
    rules = KafkaRules({}, TOPIC, b"key", "86")
    monkeypatch.setattr(role, "_rules", rules)
    with pytest.raises(LogError) as caught:
        await role._await_rules(LATE)
    said = f"rules {LATE}: expected to be published in topic {TOPIC}, was not found within 0.01 s"
    assert str(caught.value) == said
    await role._await_rules(NO_RULES.hash)
    rules._take({PLACE: [SimpleNamespace(key=b"0", value=published(LATE), offset=0)]})
    await role._await_rules(LATE)


async def test_the_lane_of_a_late_set_stands_and_readyz_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    ruleset, message = packed(tmp_path)
    late = ruleset.hash
    monkeypatch.setattr(engine, "RULES_WITHIN", 0.01)
    role = EngineRole(Common(SETTINGS))
    log, store = MemoryLog(1), MemoryStore(1)
    twins = {"log": log, "store": store, "offers": MemoryOffers(1), "optouts": MemoryOptOuts()}
    for name, twin in twins.items():
        monkeypatch.setattr(role, name, twin)
    rules = KafkaRules({}, TOPIC, b"key", "86")
    monkeypatch.setattr(role, "_rules", rules)
    await log.append([(0, orjson.dumps({"kind": "rules.switch", "t": T, "hash": late}))])
    await role.keeper.assign([0])
    try:
        said = await eventually(lambda: role.ready()["lanes"])
        assert said.startswith(f"rules {late}: expected to be published in topic {TOPIC}")
        assert (await store.open(0)).offset == 0
        rules._take({PLACE: [SimpleNamespace(key=b"0", value=message, offset=0)]})
        await eventually(lambda: role.keeper.lanes[0].offset == 1)
        await eventually(lambda: role.ready()["lanes"] == "")
        fold = role.keeper.lanes[0].fold
        assert fold is not None
        assert fold.book.hash == late
    finally:
        await role.keeper.stop()


async def test_whoever_follows_rules_outlives_an_error_of_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(KafkaConnectionError("no broker"), OSError("gone"), published(LATE))
    stand_in(monkeypatch, topic)
    shared, words = Common(SETTINGS), list[str]()
    rules = await shared.rules(words.append)
    assert await rules.wait(LATE, 10)
    await shared.close()
    assert topic.stopped
    assert words == []


async def test_an_unexpected_error_while_following_rules_is_a_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in(monkeypatch, Topic(ValueError("a bug")))
    shared, words = Common(SETTINGS), list[str]()
    assert await shared.rules(words.append) is await shared.rules(words.append)

    await eventually(lambda: words)
    assert words == ["rules died: a bug"]
    await shared.close()
