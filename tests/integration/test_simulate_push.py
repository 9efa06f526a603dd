"""`simulate --kafka` on a real Kafka: every record once, in its partition, at the rate asked for."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.city import City
from connectors.city.push import TopicPush
from engine.app import MORNING, load_rules
from engine.errors import LogError
from tests.servers.deployment import PROGRAM
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.testdata import CHECKOUT


@pytest.fixture
def city() -> City:
    rules = load_rules(CHECKOUT / "rules", "86")
    return City(3, 60, rules.catalog, start=int(MORNING.timestamp()) * 1_000_000)


async def read(server: KafkaServer, topic: str) -> list[list[list[Any]]]:
    """Return per partition the messages, each as a list of records."""
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap)
    await consumer.start()
    try:
        found = []
        for number in range(3):
            place = TopicPartition(topic, number)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end = (await consumer.end_offsets([place]))[place]
            messages: list[list[Any]] = []
            while await consumer.position(place) < end:
                for message in (await consumer.getmany(place, timeout_ms=200)).get(place, ()):
                    value = orjson.loads(message.value)
                    messages.append(value if isinstance(value, list) else [value])
            found.append(messages)
        return found
    finally:
        await consumer.stop()


@pytest.mark.parametrize("batch", [1, 50])
async def test_every_record_is_there_once_and_by_its_subscriber(
    kafka_server: KafkaServer, topic_prefix: str, city: City, batch: int
) -> None:
    topic = f"{topic_prefix}feed"
    kafka_server.create_topics(topic, partitions=3)
    push = TopicPush(topic, {"bootstrap_servers": kafka_server.bootstrap}, batch=batch)
    reached = await push.push(city.events(1))
    records = list(city.events(1))
    assert (reached.records, reached.stopped) == (len(records), False)
    partitions = await read(kafka_server, topic)
    assert sum(len(messages) for messages in partitions) == reached.messages
    got = [record for messages in partitions for message in messages for record in message]
    assert sorted(map(str, got)) == sorted(map(str, records))
    assert max(len(message) for messages in partitions for message in messages) == min(batch, 50)
    people = [{r.get("imsi") or r["msisdn"] for m in messages for r in m} for messages in partitions]
    assert all(people)
    assert not people[0] & people[1] | people[1] & people[2] | people[0] & people[2]


async def test_a_rate_is_kept(kafka_server: KafkaServer, topic_prefix: str, city: City) -> None:
    topic = f"{topic_prefix}paced"
    kafka_server.create_topics(topic, partitions=3)
    told: list[int] = []
    push = TopicPush(topic, {"bootstrap_servers": kafka_server.bootstrap}, rate=200.0)
    push.told = lambda records, _seconds: told.append(records)
    reached = await push.push(iter(list(city.events(1))[:300]))
    assert reached.records == 300
    assert reached.rate < 240.0
    assert len(told) > 5
    assert told == sorted(told)


async def test_a_topic_that_is_not_there_is_named(kafka_server: KafkaServer, city: City) -> None:
    for topic, said in (("no-such-topic", "expected it to be there, is not"), ("no topic's name", "found")):
        push = TopicPush(topic, {"bootstrap_servers": kafka_server.bootstrap})
        with pytest.raises(LogError, match=f"topic {topic}: .*{said}"):
            await push.push(city.events(0.1))


async def test_ctrl_c_ends_it_cleanly(kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path) -> None:
    topic = f"{topic_prefix}stopped"
    kafka_server.create_topics(topic, partitions=3)
    arguments = ["simulate", "--seed", "3", "--subscribers", "200", "--hours", "24", "--out", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-c", PROGRAM, *arguments, "--kafka", topic, "--rate", "300/s"),
        cwd=CHECKOUT,
        env={"PYTHONPATH": str(CHECKOUT), "TOUCHPOINT_KAFKA_BOOTSTRAP": kafka_server.bootstrap},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    async def some_are_there() -> bool:
        return sum(map(len, await read(kafka_server, topic))) > 50

    try:
        await eventually(some_are_there, within=60, every=0.2)
        process.send_signal(signal.SIGINT)
        out, said = map(bytes.decode, await asyncio.wait_for(process.communicate(), 60))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 130
    assert "stopped: " in said
    assert "of 300 wanted" in said
    there = sum(map(len, await read(kafka_server, topic)))
    assert f"topic {topic}" in out
    assert f"{there:,}" in out
