"""The log on Kafka, as the lanes of one process read it: one consumer, each lane its partition.

Not to be done (design/protocol.md): `getmany` without a partition (it means all), `pause` (it drops what was
fetched ahead). No callback says that partitions were lost: only the token of the store protects the data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
)
from aiokafka.structs import OffsetAndMetadata

from connectors.kafka_client import POLL_AT_LEAST
from connectors.kafka_read import lasts_of, log_errors
from connectors.kafka_start import start, started, stop
from connectors.kafka_topic_id import find_topic
from connectors.lost import lost_connections, word_of
from engine.errors import LogError
from engine.ports import LogRecord, Mark

SESSION_MS = 8_000
"""How soon a dead worker's partitions go to others; a pause of the process below it costs nothing."""
HEARTBEAT_MS = 1_500
REBALANCE_MS = 30_000
"""How long a worker may take to give up its lanes (3 s, protocol.md) and join again."""
MARK_WITHIN = 5.0
"""Seconds for a mark: it is only a help, and the client waits for a broker that does not answer for ever."""
POSITION_WITHIN = 1.0
"""Seconds: the client knows at once where it reads on, unless the partition changes hands."""

TOO_LATE = (
    "records have left the log unread, so that it stands until somebody has it built anew: "
    'docs/operations.md, "After an outage longer than the log"'
)
"""It must not jump over them by itself: there may be opt-outs among them."""


class KafkaLog:
    """The events topic. `group`: whose marks are read and written, and who shares the partitions.

    `instance`: name of this member, under which it comes back after a restart.
    """

    def __init__(
        self, options: Mapping[str, Any], topic: str, partitions: int, group: str, instance: str = ""
    ) -> None:
        self.topic = topic
        self._instance = instance or None
        self.group = group
        self._options = dict(options)
        self._partitions = partitions
        self._consumer: AIOKafkaConsumer | None = None
        self._producer: AIOKafkaProducer | None = None
        self._next: dict[int, int] = {}
        """Partition -> the offset from which the consumer goes on."""
        self._identity: str | None = None

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return self._partitions

    async def join(self, listener: ConsumerRebalanceListener) -> None:
        """Take part in the group: the listener is told which partitions are ours."""
        consumer = await self._start()
        consumer.subscribe([self.topic], listener=listener)

    async def assign(self, partitions: Sequence[int]) -> None:
        """Read some partitions without taking part in the group's sharing: tools and tests."""
        consumer = await self._start()
        consumer.assign([TopicPartition(self.topic, partition) for partition in partitions])

    def assigned(self, partitions: Iterable[int]) -> None:
        """Take note that partitions were shared out anew: to be called before any of them is read.

        The consumer then stands at their marks, behind what was read, also of those that it had before.
        """
        for partition in partitions:
            self._next.pop(partition, None)
        self._identity = None

    async def close(self) -> None:
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        producer, self._producer = self._producer, None
        try:
            if consumer is not None:
                await stop(consumer)
        finally:
            if producer is not None:
                await stop(producer)

    async def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Append (partition, value) pairs in order, each once however often a broker fails."""
        if self._producer is None:
            with log_errors(self.topic, "be written"):
                producer = AIOKafkaProducer(**self._options, enable_idempotence=True, acks="all", linger_ms=2)
                await start(producer)
                self._producer = producer
        with log_errors(self.topic, "be written"):
            sent = [
                await self._producer.send(self.topic, value, partition=partition)
                for partition, value in records
            ]
            for future in sent:
                await future

    async def fetch(self, partition: int, offset: int, limit: int, wait: float = 0) -> list[LogRecord]:
        """Return up to `limit` records from `offset` on."""
        place = TopicPartition(self.topic, partition)
        consumer = self._given()
        try:
            with lost_connections():
                if self._next.get(partition) != offset:
                    consumer.seek(place, offset)
                found = await consumer.getmany(place, timeout_ms=int(wait * 1_000), max_records=limit)
        except OffsetOutOfRangeError:
            self._next.pop(partition, None)
            self._identity = None  # it may have been made anew meanwhile
            start = await self.start(partition)
            raise LogError(
                f"topic {self.topic}, partition {partition}: "
                f"expected an offset from {start} on, was {offset}: {TOO_LATE}"
            ) from None
        except (KafkaError, OSError) as error:
            self._next.pop(partition, None)
            self._identity = None
            raise LogError(
                f"topic {self.topic}, partition {partition}: expected records, was {word_of(error)}"
            ) from error
        records = [
            LogRecord(record.offset, record.value or b"", record.timestamp * 1_000)
            for record in found.get(place, ())
            if record.offset >= offset  # fetched before the partition was shared out anew
        ]
        self._next[partition] = records[-1].offset + 1 if records else offset
        return records

    async def identity(self) -> str:
        """Return the id that Kafka gave the topic; empty from brokers older than 2.8."""
        if self._identity is None:
            with log_errors(self.topic, "be found"):
                self._identity = (await find_topic(self._options, self.topic)).id
        return self._identity

    async def start(self, partition: int) -> int:
        """Return the offset of the oldest record that is kept."""
        place = TopicPartition(self.topic, partition)
        with log_errors(self.topic, "say what it keeps"):
            return int((await self._given().beginning_offsets([place]))[place])

    async def last(self, partition: int) -> int:
        """Return the offset after the newest record: its end may be beyond, behind ends of transactions."""
        return (await self.lasts([partition]))[partition]

    async def lasts(self, partitions: Iterable[int]) -> dict[int, int]:
        """Return that of several partitions."""
        return await lasts_of(self._options, self.topic, partitions)

    async def behind(self, reached: Mapping[int, int]) -> dict[int, int]:
        """Return how far each partition goes on after the offset that was reached in it: lag.

        0 if no record is left. Until they are passed, ends of transactions count: they have offsets, too.
        """
        places = [TopicPartition(self.topic, partition) for partition in reached]
        with log_errors(self.topic, "say where it ends"):
            ends = await self._given().end_offsets(places)
            passed = {place: await self._passed(place, reached[place.partition]) for place in places}
        return {place.partition: max(ends[place] - passed[place], 0) for place in places}

    async def reached(self, partition: int) -> int | None:
        """Return the group's offset without its note, None if there never was one."""
        place = TopicPartition(self.topic, partition)
        with log_errors(self.topic, "say how far it was read"):
            async with asyncio.timeout(POSITION_WITHIN):
                found: int | None = await self._given().committed(place)
        return found

    async def _passed(self, place: TopicPartition, offset: int) -> int:
        """Return up to where there is no record after an offset that was reached, as far as is known."""
        if self._next.get(place.partition) != offset:
            return offset  # records behind it were read, and are not done yet; or nobody looked
        try:
            async with asyncio.timeout(POSITION_WITHIN):
                position: int = await self._given().position(place)
        except (IllegalStateError, TimeoutError):
            return offset  # it changes hands just now
        return max(offset, position)

    async def mark(self, partition: int, mark: Mark) -> None:
        """Commit the offset with the note as its metadata.

        It is left out while partitions change hands, and while no broker takes it.
        """
        place = TopicPartition(self.topic, partition)
        with log_errors(self.topic, "keep an offset"):
            try:
                async with asyncio.timeout(MARK_WITHIN):
                    await self._given().commit({place: OffsetAndMetadata(mark.offset, mark.note)})
            except (CommitFailedError, IllegalStateError, RebalanceInProgressError, TimeoutError):
                return

    async def marked(self, partition: int) -> Mark | None:
        """Return the group's offset and its metadata."""
        place = TopicPartition(self.topic, partition)
        with log_errors(self.topic, "say how far it was read"):
            async with started(AIOKafkaAdminClient(**self._options)) as admin:
                found = await admin.list_consumer_group_offsets(self.group, partitions=[place])
        kept = found.get(place)
        return None if kept is None or kept.offset < 0 else Mark(kept.offset, kept.metadata or "{}")

    async def _start(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._options,
            group_id=self.group,
            group_instance_id=self._instance,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            rebalance_timeout_ms=REBALANCE_MS,
            max_poll_interval_ms=POLL_AT_LEAST,
            partition_assignment_strategy=[StickyPartitionAssignor],
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=1 << 20,
        )
        with log_errors(self.topic, "be read"):
            await start(consumer)
        self._consumer = consumer
        self._next = {}
        return consumer

    def _given(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise LogError(f"topic {self.topic}: expected to be joined first, was not")
        return self._consumer
