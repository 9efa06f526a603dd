"""A source's way into the memory log: the twin of the transactional Kafka producer."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.memory_log import MemoryLog
from engine.collect import in_messages
from engine.errors import FencedError


class Checkpoints:
    """What outlives a taker of sources: checkpoints, dead letters, and who took a source over last."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.epochs: dict[str, int] = {}
        self.dead: list[bytes] = []


class MemoryInlet:
    """The way of one source into a log. `at_once`: records that a message holds at most."""

    def __init__(self, log: MemoryLog, source: str, checkpoints: Checkpoints, at_once: int = 1) -> None:
        self.log = log
        self.source = source
        self._checkpoints = checkpoints
        self._at_once = at_once
        self._epoch = 0

    @property
    def partitions(self) -> int:
        """Number of partitions of the log."""
        return self.log.partitions

    async def resume(self) -> bytes | None:
        """Take the source over."""
        self._epoch = self._checkpoints.epochs.get(self.source, 0) + 1
        self._checkpoints.epochs[self.source] = self._epoch
        return self._checkpoints.kept.get(self.source)

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        """Append records, dead letters and checkpoint."""
        if self._checkpoints.epochs.get(self.source) != self._epoch:
            raise FencedError(f"source {self.source}: expected to own it, was taken over by another")
        await self.log.append(in_messages(records, self._at_once))
        self._checkpoints.dead += dead
        if checkpoint:
            self._checkpoints.kept[self.source] = checkpoint
        else:
            self._checkpoints.kept.pop(self.source, None)

    async def close(self) -> None:
        """Leave the source to whoever takes it over."""
