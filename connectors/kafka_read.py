"""Read a partition of a topic from a place to what is its end now: outside of any group, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from connectors.lost import is_lost
from engine.errors import LogError

AT_ONCE = 2_000
"""Messages per batch."""


@contextmanager
def log_errors(topic: str, doing: str) -> Iterator[None]:
    """Turn errors of the client into `LogError`."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        said = str(error) or type(error).__name__
        raise LogError(f"topic {topic}: expected to {doing}, was not possible: {said}") from error
    except RuntimeError as error:
        if not is_lost(error):
            raise
        raise LogError(f"topic {topic}: expected to {doing}, was not possible: lost connection") from error


async def read_to_end(
    options: Mapping[str, Any], topic: str, partition: int, since: int = 0
) -> AsyncIterator[Sequence[ConsumerRecord[bytes, bytes]]]:
    """Give the committed messages from offset `since` (or the oldest that is kept) on, in batches."""
    place = TopicPartition(topic, partition)
    with log_errors(topic, "be read"):
        consumer = AIOKafkaConsumer(
            **options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await consumer.start()
        try:
            consumer.assign([place])
            first = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            consumer.seek(place, max(first, since))
            while await consumer.position(place) < end:
                found = await consumer.getmany(place, timeout_ms=200, max_records=AT_ONCE)
                if found:
                    yield [record for record in found[place] if record.offset < end]
        finally:
            await consumer.stop()


async def read_at(
    options: Mapping[str, Any], topic: str, places: Collection[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """Return the values of single messages, by (partition, offset); those no longer kept are left out."""
    found: dict[tuple[int, int], bytes] = {}
    with log_errors(topic, "be read"):
        consumer = AIOKafkaConsumer(
            **options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        await consumer.start()
        try:
            for partition in sorted({partition for partition, _ in places}):
                place = TopicPartition(topic, partition)
                consumer.assign([place])
                first = (await consumer.beginning_offsets([place]))[place]
                end = (await consumer.end_offsets([place]))[place]
                offsets = {offset for p, offset in places if p == partition and first <= offset < end}
                at = -1
                while left := sorted(offset for offset in offsets if offset >= at):
                    if at < 0 or left[0] - at > AT_ONCE:
                        consumer.seek(place, left[0])
                    batch = await consumer.getmany(place, timeout_ms=200, max_records=AT_ONCE)
                    for record in batch.get(place, ()):
                        if record.offset in offsets and record.value is not None:
                            found[partition, record.offset] = record.value
                    at = await consumer.position(place)
        finally:
            await consumer.stop()
    return found


async def offset_since(options: Mapping[str, Any], topic: str, partition: int, time_us: int) -> int:
    """Return the offset of the first message appended at a time or later; the end if there is none."""
    place = TopicPartition(topic, partition)
    with log_errors(topic, "be read"):
        consumer = AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False)
        await consumer.start()
        try:
            found = (await consumer.offsets_for_times({place: time_us // 1_000}))[place]
            if found is not None:
                return int(found.offset)
            return int((await consumer.end_offsets([place]))[place])
        finally:
            await consumer.stop()


async def end_of(options: Mapping[str, Any], topic: str, partition: int) -> int:
    """Return the offset after the newest message of a partition."""
    place = TopicPartition(topic, partition)
    with log_errors(topic, "say where it ends"):
        consumer = AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False)
        await consumer.start()
        try:
            return int((await consumer.end_offsets([place]))[place])
        finally:
            await consumer.stop()
