"""Published offers as the dispatcher takes them from Kafka: a consumer group on the topic of offers.

Positions are committed offsets; the rest of `Progress` rides on them as metadata (`reached N passes N guard
N`). Every assignment is a new term: what was taken before it is the next owner's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalStateError, KafkaError

from connectors.kafka_client import POLL_AT_LEAST
from connectors.kafka_start import start, stop
from connectors.lost import lost_connections, word_of
from engine.errors import LogError
from engine.ports import Progress, Queued

DONE_WITHIN = 10.0
"""Seconds for keeping how far partitions have come."""
_NOTE = re.compile(r"reached (\d+) passes (\d+) guard (\d+)")


@contextmanager
def log_errors(doing: str) -> Iterator[None]:
    """Turn errors of the client into `LogError`."""
    try:
        with lost_connections():
            yield
    except (KafkaError, OSError) as error:
        raise LogError(f"kafka: {doing}: expected an answer, was {word_of(error)}") from error


class KafkaQueue:
    """Takes offers as a member of `group`. `options`: how aiokafka's clients reach the brokers."""

    def __init__(self, options: Mapping[str, Any], topic: str, group: str, instance: str = "") -> None:
        self._instance = instance or None
        self.topic = topic
        self.group = group
        self._options = dict(options)
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._terms: dict[int, int] = {}
        self._count = count(1)

    async def start(self) -> None:
        """Join the group. Raise `LogError` if no broker answers."""
        consumer = AIOKafkaConsumer(
            group_id=self.group,
            group_instance_id=self._instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=POLL_AT_LEAST,
            **self._options,
        )
        consumer.subscribe([self.topic], listener=_Listener(self))
        admin = AIOKafkaAdminClient(**self._options)
        with log_errors("start"):
            try:
                await start(consumer)
                await start(admin)
            except BaseException:
                await stop(consumer)
                raise
        self._consumer, self._admin = consumer, admin

    async def stop(self) -> None:
        """Leave the group: its other members get the partitions at once."""
        consumer, admin = self._consumer, self._admin
        self._consumer = self._admin = None
        self._terms.clear()
        try:
            if consumer is not None:
                await stop(consumer)
        finally:
            if admin is not None:
                await stop(admin)

    def terms(self) -> Mapping[int, int]:
        """Name the partitions assigned now."""
        return dict(self._terms)

    async def take(self, limit: int, wait: float = 0) -> list[Queued]:
        """Return up to `limit` offers."""
        with log_errors("take"):
            found = await self._client().getmany(timeout_ms=round(wait * 1000), max_records=limit)
        terms = self._terms
        return [
            Queued(part.partition, record.offset, record.value or b"", terms[part.partition])
            for part, records in found.items()
            if part.partition in terms
            for record in records
        ]

    async def rewind(self, partition: int, since_us: int) -> int:
        """Go back to the first offer appended at a time or later."""
        part, client = self._part(partition), self._client()
        with log_errors("rewind"):
            try:
                found = (await client.offsets_for_times({part: since_us // 1_000}))[part]
                position = await client.position(part)
                if found is not None and found.offset < position:
                    position = found.offset
                    client.seek(part, position)
            except IllegalStateError as error:  # lost since the look at the terms
                raise LogError("kafka: rewind: expected a partition of this member, was lost") from error
        return int(position)

    async def progress(self, partition: int) -> Progress:
        """Return what the group has committed."""
        part, admin = self._part(partition), self._admin
        if admin is None:
            raise LogError("kafka: progress: expected a queue that was started, was none")
        with log_errors("progress"):
            found = await admin.list_consumer_group_offsets(self.group, partitions=[part])
        kept = found.get(part)
        if kept is None or kept.offset < 0:
            return Progress()
        note = _NOTE.fullmatch(kept.metadata or "")
        reached, passes, guard = map(int, note.groups()) if note else (0, 0, 0)
        return Progress(kept.offset, max(kept.offset, reached), passes, guard)

    async def done(self, progress: Mapping[int, Progress]) -> None:
        """Commit it, of partitions that are held."""
        kept = {
            self._part(partition): (at.done, f"reached {at.reached} passes {at.passes} guard {at.guard}")
            for partition, at in progress.items()
            if partition in self._terms
        }
        if not kept:
            return
        with log_errors("done"):
            try:
                # the client waits for a broker that does not answer for ever
                async with asyncio.timeout(DONE_WITHIN):
                    await self._client().commit(kept)
            except IllegalStateError as error:  # lost since the look at the terms
                raise LogError("kafka: done: expected partitions of this member, were lost") from error

    def _client(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise LogError("kafka: expected a queue that was started, was none")
        return self._consumer

    def _part(self, partition: int) -> TopicPartition:
        return TopicPartition(self.topic, partition)

    def revoked(self) -> None:
        """Forget all partitions: whatever comes back comes as new."""
        self._terms.clear()

    def assigned(self, partitions: list[int]) -> None:
        """Begin a term of each."""
        self._terms = {partition: next(self._count) for partition in sorted(partitions)}


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes on what the group decides."""

    def __init__(self, queue: KafkaQueue) -> None:
        self.queue = queue

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Let go at once."""
        self.queue.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Take over."""
        self.queue.assigned([part.partition for part in assigned])
