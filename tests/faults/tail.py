"""Reads topics to their ends and on, in a thread of its own: what was published, and when."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka_start import started

Place = tuple[int, int]
"""(partition, offset)."""


@dataclass(frozen=True, slots=True)
class Read:
    """One message."""

    partition: int
    offset: int
    time: int
    """When it was appended, µs."""
    value: bytes
    key: str | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class _Loop(threading.Thread, ABC):
    """A thread with an event loop that runs `_go`; what it raises is raised again by `end`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run until done."""
        try:
            asyncio.run(self._go())
        except BaseException as error:
            self.error = error

    def end(self, within: float = 60) -> None:
        """Wait for the end; raise what went wrong."""
        self.join(within)
        if self.error is not None:
            raise self.error
        if self.is_alive():
            raise AssertionError(f"expected an end within {within:.0f} s, was not so")

    @abstractmethod
    async def _go(self) -> None: ...


class Tail(_Loop):
    """All messages of some topics, from the oldest on. `topics`: short names of a deployment's prefix."""

    def __init__(self, bootstrap: str, prefix: str, topics: dict[str, int]) -> None:
        """`topics`: short name -> number of partitions."""
        super().__init__()
        self._servers = bootstrap
        self._places = {
            TopicPartition(f"{prefix}.{short}.v1", partition): short
            for short, partitions in topics.items()
            for partition in range(partitions)
        }
        self.read: dict[str, list[Read]] = {short: [] for short in topics}
        self._lasts: dict[str, dict[int, int]] = {short: {} for short in topics}
        self._ending = threading.Event()
        self._at: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self.looks = 0
        """Times that the ends of all topics were asked."""

    async def _go(self) -> None:
        while not self._ending.is_set():
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._servers,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                fetch_max_bytes=64 << 20,
                max_partition_fetch_bytes=8 << 20,
            )
            try:
                async with started(consumer):
                    await self._follow(consumer)
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(0.5)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign(list(self._places))
        for place in self._places:
            consumer.seek(place, self._at.get(place, 0))
        while not self._ending.is_set():
            found = await consumer.getmany(timeout_ms=100)
            for place, messages in found.items():
                self.read[self._places[place]] += [
                    Read(
                        place.partition,
                        message.offset,
                        message.timestamp * 1_000,
                        message.value or b"",
                        message.key.decode() if message.key else None,
                        tuple(message.headers),
                    )
                    for message in messages
                ]
                self._at[place] = messages[-1].offset + 1
                self._lasts[self._places[place]][place.partition] = messages[-1].offset
            if not found:
                # a position may be past the last message: what a transaction ends with is an offset, too
                for place in self._places:
                    self._at[place] = await consumer.position(place)
                self._ends = await consumer.end_offsets(list(self._places))
                self.looks += 1

    def close(self) -> None:
        """Stop reading."""
        self._ending.set()
        if self.ident is not None:
            self.end()

    def lasts(self, short: str) -> dict[int, int]:
        """Return the offset of the last message of each partition of a topic that has one.

        The end of a partition may be beyond: what a transaction ends with has an offset, too.
        """
        return dict(self._lasts[short])

    @property
    def is_whole(self) -> bool:
        """Whether everything is read that was there at the last look."""
        return bool(self._ends) and all(self._at[place] >= end for place, end in self._ends.items())


class Feeder(_Loop):
    """Appends entries in order over `seconds`; keeps which were acknowledged."""

    def __init__(
        self, bootstrap: str, topic: str, entries: Sequence[tuple[int, bytes]], seconds: float
    ) -> None:
        """`entries`: (partition, value)."""
        super().__init__()
        self._servers, self._topic = bootstrap, topic
        self._entries, self._seconds = entries, seconds
        self.acknowledged: dict[Place, bytes] = {}
        self.failed = 0

    async def _go(self) -> None:
        loop = asyncio.get_running_loop()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._servers, enable_idempotence=True, acks="all", linger_ms=2
        )
        async with started(producer):
            began, size = loop.time(), max(len(self._entries) // 200, 1)
            for start in range(0, len(self._entries), size):
                some = self._entries[start : start + size]
                sent = [(p, v, await producer.send(self._topic, v, partition=p)) for p, v in some]
                await self._hear(sent)
                due = began + self._seconds * (start + len(some)) / len(self._entries)
                await asyncio.sleep(max(due - loop.time(), 0))

    async def _hear(self, sent: Sequence[tuple[int, bytes, Any]]) -> None:
        for partition, value, future in sent:
            try:
                told = await future
            except KafkaError:
                self.failed += 1
            else:
                self.acknowledged[partition, told.offset] = value
