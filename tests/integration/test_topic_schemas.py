"""Somebody else's topics on a real Kafka: field maps, a registry that comes and goes, poison, kills."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from connectors.field_map import load_field_map
from connectors.foreign_topic import RETRY_SECONDS, ForeignTopic
from connectors.registry_options import RegistryAccess, schemas_of
from engine.collector import LiveCollector, Pace
from engine.errors import LogError
from tests.contract.inlets import create_topics, read_committed
from tests.integration.test_collector_kills import kill_after
from tests.integration.test_collector_topics import Feed
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.servers.registry import Twin, register
from tests.testdata import CHECKOUT
from tests.unit.collector.support import Listed, World, sight
from tests.unit.topics.schemas import EVENT, avro
from tests.unit.topics.support import PROBE, probe
from tests.unit.topics.test_schemas import EVENT_MAP

KILLS, MESSAGES = 4, 3_000


@pytest.fixture
def twin() -> Iterator[Twin]:
    """A registry."""
    registry = Twin().start()
    yield registry
    registry.stop()


@pytest.fixture
async def feed(kafka_server: KafkaServer, topic_prefix: str) -> AsyncIterator[Feed]:
    """An empty topic."""
    made = Feed(kafka_server, f"{topic_prefix}.foreign")
    await made.producer.start()
    yield made
    await made.producer.stop()


def write_map(folder: Path, data: dict[str, Any]) -> str:
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return str(path)


def door_of(feed: Feed, map: str = "", registry: str = "", **more: Any) -> ForeignTopic:
    schemas = schemas_of(RegistryAccess((registry,), timeout_seconds=2)) if registry else None
    fields = load_field_map(map) if map else None
    return ForeignTopic("feed", feed.topic, feed.options, fields=fields, schemas=schemas, **more)


def event(number: int, **fields: Any) -> dict[str, Any]:
    """An event of the schema, one second after the other; its `eci` is its number."""
    at = datetime.fromtimestamp(time.time() - 20_000_000 + number, UTC)
    return {"type": "TAU", "ts": at, "header": {"imsi": f"46000{number % 50:010}"}, "eci": number, **fields}


async def collect(collector: LiveCollector, world: World, wanted: int) -> None:
    async def enough() -> bool:
        await collector.step()
        return len(await world.records()) >= wanted

    await eventually(enough)


async def cells(world: World) -> list[str]:
    return sorted(record["cell"] for record in await world.records())


async def test_nested_messages_become_records_once_over_restarts(feed: Feed, tmp_path: Path) -> None:
    world = World(wall=time.time_ns() // 1_000)
    map = write_map(tmp_path, PROBE)
    several = probe()
    several["events"] = [{**several["events"][0], "loc": {"enb": number}} for number in range(4)]
    await feed.send(0, several, b"{broken", [probe(), {"header": {}}])
    await feed.send(1, None, probe(), key=b"k")
    collector = world.collector(world.live(door_of(feed, map)), pace=Pace(records=2))
    await collector.start()
    await collect(collector, world, 6)
    await collector.close()
    await feed.send(1, probe())
    door = door_of(feed, map)
    collector = world.collector(world.live(door))
    await collector.start()
    await collect(collector, world, 7)
    assert await collector.step() is False
    await collector.close()
    records = await world.records()
    ids = Counter(record["id"] for record in records)
    topic = door.position["id"]
    assert set(ids) == {f"{topic}:0:0#{n}" for n in (1, 2, 3, 4)} | {
        f"{topic}:{at}#1" for at in ("0:2", "1:1", "1:2")
    }
    assert set(ids.values()) == {1}
    assert [(letter["position"], letter["reason"]) for letter in world.dead()] == [
        (f"{feed.topic}:0:1", "json"),
        (f"{feed.topic}:0:2#2", "type"),
    ]


async def test_while_the_registry_is_down_the_topic_waits_and_others_go_on(
    feed: Feed, twin: Twin, tmp_path: Path
) -> None:
    world, now = World(wall=time.time_ns() // 1_000), 0.0
    number = register(twin.url, "value", EVENT)
    await feed.send(0, *(avro(number, EVENT, event(n)) for n in range(10)))
    door = door_of(feed, write_map(tmp_path, EVENT_MAP), twin.url, clock=lambda: now)
    other = Listed("other", [sight(n, id=str(n)) for n in range(20)])
    collector = world.collector(world.live(door), world.live(other))
    twin.stop()
    with capture_logs() as told:
        await collector.start()

        async def waits() -> bool:
            await collector.step()
            return bool(door.trouble) and len(await world.records()) == 20

        await eventually(waits)
        for _ in range(20):
            now += RETRY_SECONDS + 1
            await collector.step()
            await asyncio.sleep(0)
        assert "schema registry: expected to be asked" in door.trouble
        assert (len(await world.records()), world.dead(), door.counts["messages"]) == (20, [], 0)
        twin.start()
        await feed.send(0, *(avro(number, EVENT, event(n)) for n in range(10, 15)))

        async def all_there() -> bool:
            nonlocal now
            now += RETRY_SECONDS + 1
            await collector.step()
            return len(await world.records()) == 35

        await eventually(all_there)
    assert door.trouble == ""
    assert [line["event"] for line in told] == ["messages wait for their schema"]
    assert sum(twin.asked.values()) == 1
    assert world.dead() == []
    assert Counter(await cells(world))["460-00-14"] == 1
    await collector.close()


async def test_no_message_stops_the_topic(feed: Feed, twin: Twin, tmp_path: Path) -> None:
    world = World(wall=time.time_ns() // 1_000)
    number = register(twin.url, "value", EVENT)
    recursive = register(
        twin.url, "bad", {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]}
    )
    prefix = b"\0" + number.to_bytes(4, "big")
    dice = random.Random(1)
    poison = [
        b"",
        b"\0",
        b"{}",
        prefix,
        prefix + b"\xff" * 900_000,
        b"\0" + recursive.to_bytes(4, "big") + b"\x02" * 900_000 + b"\0",
        b"\0\xff\xff\xff\xff",
        avro(number, EVENT, event(1)) + b"more",
        avro(number, EVENT, event(1, ts=datetime(1, 1, 1, tzinfo=UTC))),
        *(prefix + dice.randbytes(dice.randint(0, 60)) for _ in range(50)),
    ]
    await feed.send(0, *(message for each in poison for message in (each, avro(number, EVENT, event(7)))))
    door = door_of(feed, write_map(tmp_path, EVENT_MAP), twin.url)
    collector = world.collector(world.live(door))
    await collector.start()
    await collect(collector, world, len(poison))
    await collector.close()
    assert await cells(world) == ["460-00-7"] * len(poison)
    places = [letter["position"] for letter in world.dead()]
    assert places == [f"{feed.topic}:0:{2 * n}" for n in range(len(poison))]
    assert {letter["reason"] for letter in world.dead()} == {"schema", "decode", "time"}
    assert sum(twin.asked.values()) == 3


async def test_large_messages_are_read_a_few_at_a_time(feed: Feed, tmp_path: Path) -> None:
    many = probe()
    many["events"] *= 9_000
    raw = orjson.dumps(many)
    assert 600_000 < len(raw) < 1_000_000
    await feed.send(0, *[raw] * 4)
    world = World(wall=time.time_ns() // 1_000)
    door = door_of(feed, write_map(tmp_path, PROBE))
    collector = world.collector(world.live(door))
    await collector.start()
    sizes: list[int] = []

    async def enough() -> bool:
        events = await door.read(2_000)
        sizes.extend([] if events is None else [len(events)])
        return sum(sizes) == 36_000

    await eventually(enough, within=30)
    # a message is read as a whole, and then no other one
    assert sizes == [9_000] * 4
    await collector.close()


async def test_reading_before_opening_is_an_error(feed: Feed) -> None:
    with pytest.raises(LogError, match="expected to be opened first"):
        await door_of(feed).read(1)


# -- kills ---------------------------------------------------------------------------------------------------


async def launch(*arguments: str) -> Process:
    command = [sys.executable, "-m", "tests.integration.topic_process", *arguments]
    return await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdout=PIPE)


async def test_a_killed_collector_applies_every_message_once(
    kafka_server: KafkaServer, topic_prefix: str, feed: Feed, twin: Twin, tmp_path: Path
) -> None:
    create_topics(kafka_server, topic_prefix, 3)
    number = register(twin.url, "value", EVENT)
    producer: AIOKafkaProducer = feed.producer
    for n in range(MESSAGES):
        value = b"poison" if n % 500 == 7 else avro(number, EVENT, event(n))
        await producer.send(feed.topic, value, partition=n % 2)
    await producer.flush()
    map = write_map(tmp_path, EVENT_MAP)
    arguments = (kafka_server.bootstrap, topic_prefix, "3", feed.topic, map, twin.url)
    dice = random.Random(2)
    for _ in range(KILLS):
        await kill_after(await launch(*arguments), dice.randint(1, 2), dice.uniform(0, 0.03))
    options = {"bootstrap_servers": kafka_server.bootstrap}

    async def log() -> list[dict[str, Any]]:
        values = [
            v for part in range(3) for v in await read_committed(options, f"{topic_prefix}.events.v1", part)
        ]
        return [record for value in values if (record := orjson.loads(value))["kind"] != "tick"]

    assert 0 < len(await log()) < MESSAGES - 6  # the kills hit a collector that was at work
    process = await launch(*arguments)
    assert process.stdout is not None
    drained = asyncio.create_task(process.stdout.read())

    async def done() -> bool:
        return len(await log()) >= MESSAGES - 6

    await eventually(done, within=60, every=0.5)
    process.terminate()
    assert await process.wait() == 0
    await drained
    found = Counter(record["cell"] for record in await log())
    assert set(found) == {f"460-00-{n}" for n in range(MESSAGES) if n % 500 != 7}
    assert set(found.values()) == {1}
    dead = [orjson.loads(v) for v in await read_committed(options, f"{topic_prefix}.deadletters.v1")]
    assert sorted(letter["position"] for letter in dead) == sorted(
        f"{feed.topic}:{n % 2}:{n // 2}" for n in range(7, MESSAGES, 500)
    )
