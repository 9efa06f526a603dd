"""What the contract of the log does not say: partitions that come back, and where they are read from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState

from connectors.kafka_log import HEARTBEAT_MS, KafkaLog
from engine.ports import Mark
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer


class Noting(ConsumerRebalanceListener):  # type: ignore[misc]
    """Counts how often partitions were shared out."""

    def __init__(self, log: KafkaLog) -> None:
        self.log = log
        self.times = 0
        self.partitions: set[int] = set()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.partitions -= {place.partition for place in revoked}

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.partitions = {place.partition for place in assigned}
        self.log.assigned(self.partitions)
        self.times += 1


async def test_a_partition_that_stays_through_a_rebalance_is_read_on_not_from_its_mark(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.events.v1"
    await asyncio.to_thread(kafka_server.create_topics, topic, partitions=2)
    options = {"bootstrap_servers": kafka_server.bootstrap}
    log, other = (KafkaLog(options, topic, 2, f"{topic_prefix}.engine") for _ in range(2))
    mine, theirs = Noting(log), Noting(other)
    try:
        await log.join(mine)
        await eventually(lambda: mine.partitions == {0, 1}, within=30)
        for partition in (0, 1):
            await log.append([(partition, b"%d" % number) for number in range(10)])
            await log.mark(partition, Mark(2, "{}"))
            read = 0
            while read < 10:
                read += len(await log.fetch(partition, read, 100, 5))
        await other.join(theirs)
        await eventually(lambda: mine.times == 2 and len(mine.partitions) == 1, within=30)
        [kept] = mine.partitions
        await log.append([(kept, b"new")])
        found = await log.fetch(kept, 10, 100, 10)
        assert [(record.offset, record.value) for record in found] == [(10, b"new")]
    finally:
        await other.close()
        await log.close()


async def test_a_member_that_fetches_nothing_for_an_hour_keeps_its_partitions(
    kafka_server: KafkaServer, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Redis is away nobody fetches; a member that left for it would not join again."""
    topic = f"{topic_prefix}.events.v1"
    await asyncio.to_thread(kafka_server.create_topics, topic, partitions=2)
    log = KafkaLog({"bootstrap_servers": kafka_server.bootstrap}, topic, 2, f"{topic_prefix}.engine")
    mine = Noting(log)
    try:
        await log.join(mine)
        await eventually(lambda: mine.partitions == {0, 1}, within=30)
        # fetches end an hour ago by the client's clock, which looks at each heartbeat
        monkeypatch.setattr(SubscriptionState, "fetcher_idle_time", 3_600)
        await asyncio.sleep(3 * HEARTBEAT_MS / 1_000)
        assert (mine.times, mine.partitions) == (1, {0, 1})
    finally:
        await log.close()


async def test_the_end_of_a_transaction_does_not_wait_to_be_read(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.events.v1"
    await asyncio.to_thread(kafka_server.create_topics, topic, partitions=2)
    options = {"bootstrap_servers": kafka_server.bootstrap}
    log = KafkaLog(options, topic, 2, f"{topic_prefix}.engine")

    async def write(*values: bytes) -> None:
        producer = AIOKafkaProducer(**options, transactional_id=topic_prefix)
        async with producer, producer.transaction():
            for value in values:
                await producer.send(topic, value, partition=0)

    async def read_on(offset: int) -> int:
        return (await log.fetch(0, offset, 100, 10))[-1].offset + 1

    async def idles(offset: int) -> bool:
        return not await log.fetch(0, offset, 100, 0.05) and await says(offset, 0)

    async def ends_at(offset: int) -> bool:
        return await log.last(0) == offset

    async def says(offset: int, waiting: int) -> bool:
        return await log.behind({0: offset}) == {0: waiting}

    try:
        await write(b"one", b"two")
        await eventually(lambda: ends_at(2), within=10)  # the broker ends a transaction after its answer
        assert await log.last(1) == 0
        await log.assign([0, 1])
        await eventually(lambda: says(0, 3), within=10)
        assert await read_on(0) == 2
        assert await log.behind({0: 0}) == {0: 3}, "what is read and not committed waits"
        await eventually(lambda: idles(2))
        await write(b"three")
        await eventually(lambda: says(2, 2), within=10)
        assert await read_on(2) == 4
        await eventually(lambda: idles(4))
        assert await log.last(0) == 4
        # a lane that comes anew stands before the same end of a transaction
        log.assigned([0])
        assert await log.behind({0: 4}) == {0: 1}, "not known before it was looked at"
        await eventually(lambda: idles(4))
        assert await log.behind({0: 4, 1: 0}) == {0: 0, 1: 0}
    finally:
        await log.close()
