"""The log in memory: the twin of Kafka for the embedded run and for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.errors import LogError
from engine.ports import LogRecord, Mark


class MemoryLog:
    """Partitions as lists. Records before a partition's `base` have been trimmed, as by retention."""

    def __init__(self, partitions: int, identity: str = "in memory") -> None:
        self._partitions: list[list[bytes]] = [[] for _ in range(partitions)]
        self._bases = [0] * partitions
        self._marks: dict[int, Mark] = {}
        self._identity = identity

    @property
    def partitions(self) -> int:
        """Number of partitions."""
        return len(self._partitions)

    async def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Append (partition, value) pairs in order."""
        for partition, value in records:
            self._partitions[partition].append(value)

    async def fetch(self, partition: int, offset: int, limit: int, wait: float = 0) -> list[LogRecord]:
        """Return up to `limit` records from `offset` on; raise `LogError` if they are trimmed."""
        if wait and offset >= self.end(partition):
            await asyncio.sleep(wait)
        base = self._bases[partition]
        if offset < base:
            raise LogError(f"partition {partition}: expected an offset from {base} on, was {offset}")
        values = self._partitions[partition][offset - base : offset - base + limit]
        return [LogRecord(offset + i, value) for i, value in enumerate(values)]

    async def identity(self) -> str:
        """Return the name it was given."""
        return self._identity

    async def start(self, partition: int) -> int:
        """Return the offset of the oldest record that is kept."""
        return self._bases[partition]

    async def last(self, partition: int) -> int:
        """Return the offset after the newest record."""
        return self.end(partition)

    async def mark(self, partition: int, mark: Mark) -> None:
        """Keep a mark."""
        self._marks[partition] = mark

    async def marked(self, partition: int) -> Mark | None:
        """Return the last mark."""
        return self._marks.get(partition)

    def end(self, partition: int) -> int:
        """Return the offset that the next record will get."""
        return self._bases[partition] + len(self._partitions[partition])

    def trim(self, partition: int, before: int) -> None:
        """Forget records before an offset: what retention does."""
        drop = min(before - self._bases[partition], len(self._partitions[partition]))
        if drop > 0:
            del self._partitions[partition][:drop]
            self._bases[partition] += drop
