"""Reading topics outside of any group: to what is their end now, at single places, or to follow them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from connectors.kafka_start import started
from connectors.lost import lost_connections
from engine.errors import LogError

AT_ONCE = 2_000
"""Messages per batch."""
STANDS = 20.0
"""Seconds without a message, where there is one, after which reading is given up: the client never does."""


@contextmanager
def log_errors(topic: str, doing: str) -> Iterator[None]:
    """Turn errors of the client into `LogError`."""
    try:
        with lost_connections():
            yield
    except UnknownTopicOrPartitionError as error:
        there = "to be there, is not; `touchpoint topics` makes those of a deployment"
        raise LogError(f"topic {topic}: expected it {there}") from error
    except (KafkaError, OSError, TimeoutError) as error:
        said = str(error) or type(error).__name__
        raise LogError(f"topic {topic}: expected to {doing}, was not possible: {said}") from error


def reader(options: Mapping[str, Any], **more: Any) -> AIOKafkaConsumer:
    """Make a consumer outside of any group, of committed messages, yet to be started (`kafka_start`)."""
    return AIOKafkaConsumer(
        **{
            **options,
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            **more,
        }
    )


async def partitions_of(options: Mapping[str, Any], topic: str) -> list[int]:
    """Return the partitions that a topic has; raise its KafkaError if there is no such topic."""
    async with started(AIOKafkaAdminClient(**options)) as admin:
        [found] = await admin.describe_topics([topic])
    if found["error_code"]:
        raise for_code(found["error_code"])(topic)
    return sorted(part["partition"] for part in found["partitions"])


async def read_to_end(
    options: Mapping[str, Any], topic: str, partition: int, since: int = 0
) -> AsyncIterator[Sequence[ConsumerRecord[bytes, bytes]]]:
    """Give the committed messages from offset `since` (or the oldest that is kept) on, in batches."""
    place = TopicPartition(topic, partition)
    with log_errors(topic, "be read"):
        async with started(reader(options)) as consumer:
            first, end = await _assign(consumer, place)
            consumer.seek(place, max(first, since))
            patience = _Patience()
            while (at := await consumer.position(place)) < end:
                patience.moved(at)
                found = await consumer.getmany(place, timeout_ms=200, max_records=AT_ONCE)
                if found:
                    yield [record for record in found[place] if record.offset < end]
                    patience.rest()


async def read_at(
    options: Mapping[str, Any], topic: str, places: Collection[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """Return the values of single messages, by (partition, offset); those no longer kept are left out."""
    found = await records_at(options, topic, places)
    return {place: record.value for place, record in found.items() if record.value is not None}


async def records_at(
    options: Mapping[str, Any], topic: str, places: Collection[tuple[int, int]]
) -> dict[tuple[int, int], ConsumerRecord[bytes, bytes]]:
    """Return single messages, with what stands around them, as far as they are kept."""
    found: dict[tuple[int, int], ConsumerRecord[bytes, bytes]] = {}
    with log_errors(topic, "be read"):
        async with started(reader(options)) as consumer:
            for partition in sorted({partition for partition, _ in places}):
                place = TopicPartition(topic, partition)
                first, end = await _assign(consumer, place)
                offsets = {offset for p, offset in places if p == partition and first <= offset < end}
                at, patience = -1, _Patience()
                while left := sorted(offset for offset in offsets if offset >= at):
                    if at < 0 or left[0] - at > AT_ONCE:
                        consumer.seek(place, left[0])
                    batch = await consumer.getmany(place, timeout_ms=200, max_records=AT_ONCE)
                    for record in batch.get(place, ()):
                        if record.offset in offsets:
                            found[partition, record.offset] = record
                    at = await consumer.position(place)
                    patience.moved(at)
    return found


class _Patience:
    """Raises `TimeoutError` once a reader has stood for too long."""

    def __init__(self) -> None:
        self._at = -1
        self._since = time.monotonic()

    def moved(self, at: int) -> None:
        """Take in where the reader is."""
        if at != self._at:
            self._at, self._since = at, time.monotonic()
        elif time.monotonic() - self._since > STANDS:
            raise TimeoutError(f"nothing came for {STANDS:g} s")

    def rest(self) -> None:
        """Leave out the time that whoever reads has taken with a batch."""
        self._since = time.monotonic()


async def _assign(consumer: AIOKafkaConsumer, place: TopicPartition) -> tuple[int, int]:
    """Have a consumer read one partition; return the offsets of its oldest message and after its newest."""
    consumer.assign([place])
    first = (await consumer.beginning_offsets([place]))[place]
    return first, (await consumer.end_offsets([place]))[place]


async def offset_since(options: Mapping[str, Any], topic: str, partition: int, time_us: int) -> int:
    """Return the offset of the first message appended at a time or later; the end if there is none."""
    place = TopicPartition(topic, partition)
    with log_errors(topic, "be read"):
        async with started(reader(options, isolation_level="read_uncommitted")) as consumer:
            found = (await consumer.offsets_for_times({place: time_us // 1_000}))[place]
            if found is not None:
                return int(found.offset)
            return int((await consumer.end_offsets([place]))[place])


async def end_of(options: Mapping[str, Any], topic: str, partition: int) -> int:
    """Return the offset after the newest message of a partition, also of an open transaction."""
    place = TopicPartition(topic, partition)
    with log_errors(topic, "say where it ends"):
        async with started(reader(options, isolation_level="read_uncommitted")) as consumer:
            return int((await consumer.end_offsets([place]))[place])


async def lasts_of(options: Mapping[str, Any], topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """Return the offset after the newest committed message of each partition; 0 where there is none.

    What a transaction ends with has an offset, too, so that the end of a partition may be beyond: a few
    messages before the end are read, then more, until there is one.
    """
    found: dict[int, int] = {}
    with log_errors(topic, "be read"):
        async with started(reader(options)) as consumer:
            for partition in partitions:
                place = TopicPartition(topic, partition)
                first, end = await _assign(consumer, place)
                back, last, at = 8, 0, end
                while not last and at > first:
                    at = max(first, end - back)
                    back *= 16
                    consumer.seek(place, at)
                    patience = _Patience()
                    while (position := await consumer.position(place)) < end:
                        patience.moved(position)
                        batch = await consumer.getmany(place, timeout_ms=200, max_records=AT_ONCE)
                        for record in batch.get(place, ()):
                            if record.offset < end:
                                last = record.offset + 1
                found[partition] = last
    return found
