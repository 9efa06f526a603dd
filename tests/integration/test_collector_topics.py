"""Doors of the collector on a real Kafka: somebody else's topic, bindings out of that of profiles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from connectors.foreign_topic import ForeignTopic
from connectors.kafka_bindings import KafkaBindings
from engine.collector import LiveCollector, Pace
from engine.errors import LogError
from engine.identity import Identity
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.unit.collector.support import KEY, World, sight


class Feed:
    """Somebody else's topic of two partitions."""

    def __init__(self, server: KafkaServer, topic: str) -> None:
        self.topic = topic
        self.options: dict[str, Any] = {"bootstrap_servers": server.bootstrap}
        self.producer = AIOKafkaProducer(**self.options)
        server.create_topics(topic, partitions=2)

    async def send(self, partition: int, *values: Any, key: bytes | None = None) -> None:
        for value in values:
            raw = value if value is None or isinstance(value, bytes) else orjson.dumps(value)
            await self.producer.send_and_wait(self.topic, raw, key=key, partition=partition)

    async def forget(self, partition: int, before: int) -> None:
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        await admin.delete_records({TopicPartition(self.topic, partition): RecordsToDelete(before)})
        await admin.close()


@pytest.fixture
async def feed(kafka_server: KafkaServer, topic_prefix: str) -> AsyncIterator[Feed]:
    """An empty topic."""
    made = Feed(kafka_server, f"{topic_prefix}.foreign")
    await made.producer.start()
    yield made
    await made.producer.stop()


async def collect(
    world: World, feed: Feed, wanted: int, batch: int = 100
) -> tuple[LiveCollector, ForeignTopic]:
    """Collect until so many records are in the log."""
    door = ForeignTopic("feed", feed.topic, feed.options)
    collector = world.collector(world.live(door), pace=Pace(records=batch))
    await collector.start()

    async def enough() -> bool:
        await collector.step()
        return len(await world.records()) >= wanted

    await eventually(enough)
    return collector, door


async def test_records_and_arrays_are_read_once_over_restarts(feed: Feed) -> None:
    world = World()
    await feed.send(0, sight(1, id="a"), [sight(2, id="b"), sight(3, id="c")], b"{broken")
    await feed.send(1, sight(4, id="d"))
    await feed.send(1, None, key=b"tombstone")
    collector, _ = await collect(world, feed, 4, batch=1)
    await collector.close()
    await feed.send(0, sight(5, id="e"))
    await feed.send(1, sight(6, id="f"))
    collector, door = await collect(world, feed, 6)
    assert await collector.step() is False
    await collector.close()
    assert sorted(record["id"] for record in await world.records()) == ["a", "b", "c", "d", "e", "f"]
    assert {record["source"] for record in await world.records()} == {feed.topic}
    [letter] = world.dead()
    assert (letter["reason"], letter["topic"]) == ("json", feed.topic)
    assert letter["position"] == f"{feed.topic}:0:2"
    assert door.position == {"offsets": {"0": 4, "1": 3}}


async def test_messages_that_are_gone_before_they_were_read_are_told(feed: Feed) -> None:
    world = World()
    await feed.send(0, sight(1, id="a"))
    collector, _ = await collect(world, feed, 1)
    await collector.close()
    await feed.send(0, sight(2, id="lost"), sight(3, id="b"))
    await feed.forget(0, 2)
    collector, door = await collect(world, feed, 2)
    await collector.close()
    assert sorted(record["id"] for record in await world.records()) == ["a", "b"]
    assert [(letter["reason"], letter["position"]) for letter in world.dead()] == [
        ("gap", f"{feed.topic}:0:1")
    ]
    assert door.counts["gaps"] == 1


async def test_a_topic_that_is_not_there_is_an_error_of_the_log(feed: Feed) -> None:
    door = ForeignTopic("feed", feed.topic + ".missing", feed.options)
    collector = World().collector(World().live(door))
    with pytest.raises(LogError, match="missing: expected to be read"):
        await collector.start()
    await collector.close()


async def test_bindings_are_read_to_the_end_and_followed(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    profiles = Feed(kafka_server, f"{topic_prefix}.profiles.v1")
    identity, keys = Identity(KEY), [f"{number:032x}" for number in range(600)]
    numbers = [f"+86139{number:08}" for number in range(600)]
    bindings = KafkaBindings(profiles.options, topic_prefix)
    await profiles.producer.start()
    for number in range(500):
        value = {"msisdn": numbers[number], "profile": {}}
        await profiles.producer.send(profiles.topic, orjson.dumps(value), key=keys[number].encode())
    await profiles.producer.flush()
    await bindings.load(identity)
    assert [identity.bound(number) for number in numbers[:500]] == keys[:500]
    await profiles.send(0, {"msisdn": numbers[0]}, key=keys[500].encode())
    await profiles.send(0, None, key=keys[1].encode())

    async def followed() -> bool:
        await bindings.poll()
        return identity.bound(numbers[1]) is None

    await eventually(followed)
    assert identity.bound(numbers[0]) == keys[500]
    await bindings.close()
    await profiles.producer.stop()
