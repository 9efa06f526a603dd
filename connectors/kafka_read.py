"""Read a partition of a topic from a place to what is its end now: outside of any group, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

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
