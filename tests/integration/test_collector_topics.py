"""Doors of the collector on a real Kafka: somebody else's topic, bindings out of that of profiles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from structlog.testing import capture_logs

from connectors.foreign_topic import LOOK_SECONDS, ForeignTopic
from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_topic_id import find_topic
from engine.collector import LiveCollector, Pace
from engine.identity import Identity
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.unit.collector.support import KEY, Listed, World, sight


class Feed:
    """Somebody else's topic of two partitions."""

    def __init__(self, server: KafkaServer, topic: str) -> None:
        self.topic = topic
        self.server = server
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

    async def grow(self, partitions: int) -> None:
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        await admin.create_partitions({self.topic: NewPartitions(partitions)})
        await admin.close()
        await self.producer.stop()
        self.producer = AIOKafkaProducer(**self.options)
        await self.producer.start()

    async def make_anew(self) -> None:
        """Delete the topic, and create it again under its name."""
        await self.producer.stop()
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        await admin.delete_topics([self.topic])
        await admin.close()

        def made() -> bool:
            try:
                self.server.create_topics(self.topic, partitions=2)
            except KafkaError:  # the old one is still being deleted
                return False
            return True

        await eventually(made)
        self.producer = AIOKafkaProducer(**self.options)
        await self.producer.start()


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
    assert door.position == {
        "topic": feed.topic,
        "id": (await find_topic(feed.options, feed.topic)).id,
        "offsets": {"0": 4, "1": 3},
    }


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


def gaps(world: World) -> list[str]:
    """The places that dead letters of gaps name."""
    assert all(letter["reason"] == "gap" for letter in world.dead())
    return sorted(letter["position"] for letter in world.dead())


async def ids(world: World) -> list[str]:
    return sorted(record["id"] for record in await world.records())


def set_back(world: World, **fields: Any) -> None:
    """Change what the checkpoint says of the feed; None removes a field."""
    checkpoint = orjson.loads(world.checkpoints.kept["c1"])
    position = {**checkpoint["sources"]["feed"], **fields}
    checkpoint["sources"]["feed"] = {name: value for name, value in position.items() if value is not None}
    world.checkpoints.kept["c1"] = orjson.dumps(checkpoint)


async def test_another_topic_is_read_from_its_beginning(feed: Feed) -> None:
    world = World()
    await feed.send(0, sight(1, id="a"), sight(2, id="b"))
    collector, _ = await collect(world, feed, 2)
    await collector.close()
    other = Feed(feed.server, f"{feed.topic}.other")
    await other.producer.start()
    await other.send(0, sight(3, id="c"), sight(4, id="d"), sight(5, id="e"))
    await other.producer.stop()
    with capture_logs() as told:
        collector, door = await collect(world, other, 5)
    await collector.close()
    assert await ids(world) == ["a", "b", "c", "d", "e"]
    assert gaps(world) == [f"{feed.topic}:0:2", f"{feed.topic}:1:0"]
    assert door.counts["gaps"] == 2
    [line] = told
    assert (line["log_level"], line["topic"]) == ("warning", other.topic)
    # once it is told it is over
    collector, door = await collect(world, other, 5)
    await collector.close()
    assert (door.counts["gaps"], len(world.dead())) == (0, 2)


@pytest.mark.parametrize("new", [1, 2, 4], ids=["shorter", "as long", "longer"])
async def test_a_topic_made_anew_is_read_from_its_beginning(feed: Feed, new: int) -> None:
    world = World()
    await feed.send(0, sight(1, id="a"), sight(2, id="b"))
    collector, _ = await collect(world, feed, 2)
    await collector.close()
    await feed.make_anew()
    await feed.send(0, *(sight(10 + number, id=f"new{number}") for number in range(new)))
    collector, _ = await collect(world, feed, 2 + new)
    await collector.close()
    assert await ids(world) == ["a", "b", *(f"new{number}" for number in range(new))]
    assert gaps(world) == [f"{feed.topic}:0:2", f"{feed.topic}:1:0"]


async def test_a_topic_made_anew_under_a_collector_is_noticed(feed: Feed) -> None:
    world, now = World(), 0.0
    await feed.send(0, sight(1, id="a"))
    door = ForeignTopic("feed", feed.topic, feed.options, clock=lambda: now)
    collector = world.collector(world.live(door), pace=Pace(rest=0.01, retry=0.01))
    stop = asyncio.Event()
    running = asyncio.create_task(collector.run(stop))

    async def has(*wanted: str) -> bool:
        return {record["id"] for record in await world.records()} == {*wanted}

    await eventually(lambda: has("a"))
    await feed.make_anew()
    await feed.send(0, sight(2, id="b"), sight(3, id="c"))
    now = LOOK_SECONDS + 1
    await eventually(lambda: has("a", "b", "c"))
    stop.set()
    await running
    assert f"{feed.topic}:0:" in gaps(world)[0]


async def test_partitions_that_come_later_are_read_too(feed: Feed) -> None:
    world, now = World(), 0.0
    door = ForeignTopic("feed", feed.topic, feed.options, clock=lambda: now)
    collector = world.collector(world.live(door))
    await collector.start()
    await feed.grow(3)
    await feed.send(2, sight(1, id="a"))
    now = LOOK_SECONDS + 1

    async def found() -> bool:
        await collector.step()
        return await ids(world) == ["a"]

    await eventually(found)
    await collector.close()
    assert door.position["offsets"] == {"0": 0, "1": 0, "2": 1}


async def test_the_checkpoint_of_an_older_version_is_taken_if_it_lies_within_the_topic(feed: Feed) -> None:
    world = World()
    await feed.send(0, sight(1, id="a"))
    collector, _ = await collect(world, feed, 1)
    await collector.close()
    await feed.send(0, sight(2, id="b"))
    set_back(world, topic=None, id=None)
    collector, _ = await collect(world, feed, 2)
    await collector.close()
    assert (await ids(world), gaps(world)) == (["a", "b"], [])
    set_back(world, topic=None, id=None, offsets={"0": 9, "1": 0})
    collector, _ = await collect(world, feed, 4)
    await collector.close()
    assert await ids(world) == ["a", "a", "b", "b"]
    assert gaps(world) == [f"{feed.topic}:0:9", f"{feed.topic}:1:0"]


async def test_a_partition_that_lost_its_end_is_read_again_and_only_that(feed: Feed) -> None:
    world = World()
    await feed.send(0, sight(1, id="a"))
    await feed.send(1, sight(2, id="b"))
    collector, _ = await collect(world, feed, 2)
    await collector.close()
    set_back(world, offsets={"0": 1, "1": 5})
    collector, _ = await collect(world, feed, 3)
    await collector.close()
    assert (await ids(world), gaps(world)) == (["a", "b", "b"], [f"{feed.topic}:1:5"])


async def test_brokers_that_know_no_ids_are_asked_for_the_end(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kafka_topic_id._Question.API_VERSION", 99)
    world = World()
    await feed.send(0, sight(1, id="a"), sight(2, id="b"))
    collector, door = await collect(world, feed, 2)
    await collector.close()
    assert door.position == {"topic": feed.topic, "id": "", "offsets": {"0": 2, "1": 0}}
    await feed.make_anew()
    await feed.send(0, sight(3, id="c"))
    collector, _ = await collect(world, feed, 3)
    await collector.close()
    assert (await ids(world), gaps(world)) == (["a", "b", "c"], [f"{feed.topic}:0:2", f"{feed.topic}:1:0"])
    # an id that comes later, with new brokers, changes nothing
    monkeypatch.undo()
    await feed.send(0, sight(4, id="d"))
    collector, door = await collect(world, feed, 4)
    await collector.close()
    assert (len(await ids(world)), len(gaps(world)), bool(door.position["id"])) == (4, 2, True)


async def test_a_topic_that_is_not_there_keeps_no_other_feed_waiting(feed: Feed) -> None:
    world = World()
    door = ForeignTopic("feed", feed.topic + ".missing", feed.options)
    collector = world.collector(world.live(door), world.live(Listed("other", [sight(1)])))
    with capture_logs() as told:
        await collector.start()
    assert [entry["problem"] for entry in told] == [
        f"topic {feed.topic}.missing: expected it to be there, is not; "
        "`touchpoint topics` makes those of a deployment"
    ]
    assert await collector.step()
    assert len(await world.records()) == 1
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
    await profiles.send(0, {"msisdn": numbers[0], "bound_at": 7}, key=keys[500].encode())
    await profiles.send(0, {"msisdn": numbers[0], "bound_at": 3}, key=keys[501].encode())
    await profiles.send(0, None, key=keys[1].encode())

    async def followed() -> bool:
        await bindings.poll()
        return identity.bound(numbers[1]) is None

    await eventually(followed)
    assert identity.bound(numbers[0]) == keys[500]
    await bindings.close()
    await profiles.producer.stop()
