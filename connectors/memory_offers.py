"""What lanes publish, in memory: the twin of the topics of offers, decisions, profiles, and of a reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from engine.ports import ELSEWHERE, LAST_WORD, OFFER, PROFILE, Progress, Queued


class MemoryOffers:
    """One list per partition; repeats are kept, as a topic would, and dropped by consumers.

    `keep_lines`: the embedded run has no use for lines and profiles, and would only grow by them.
    """

    def __init__(self, partitions: int, *, keep_lines: bool = True) -> None:
        self.keep_lines = keep_lines
        self.log = ""
        """Identity of the log that lines are made from; set it anew when that is made anew."""
        self._offers: list[list[tuple[str, bytes]]] = [[] for _ in range(partitions)]
        self._lines: list[list[tuple[str, int, bytes]]] = [[] for _ in range(partitions)]
        self._profiles: list[list[tuple[str, int, str, bytes]]] = [[] for _ in range(partitions)]

    async def publish(
        self, partition: int, entries: Sequence[tuple[str, bytes]], *, offset: int, known: frozenset[str]
    ) -> int | None:
        """Publish outbox entries."""
        end = None
        for name, payload in entries:
            if name.startswith(OFFER) and name not in known:
                self._offers[partition].append((name, payload))
                end = len(self._offers[partition])
            if not self.keep_lines:
                continue
            if name.startswith((LAST_WORD, PROFILE)):
                key = name.removeprefix(PROFILE)
                self._profiles[partition].append((self.log, offset, key, payload))
            else:
                self._lines[partition].append((self.log, offset, payload))
        return end

    async def names(self, partition: int, since: int) -> AsyncIterator[list[str]]:
        """Name the offers published from a position on."""
        yield [name for name, _ in self._offers[partition][since:]]

    async def end(self, partition: int) -> int:
        """Return the position of the next offer."""
        return len(self._offers[partition])

    async def lines(self, partition: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Give all lines."""
        yield [
            (offset if log == self.log else ELSEWHERE, payload)
            for log, offset, payload in self._lines[partition]
        ]

    async def profiles(self, partition: int) -> AsyncIterator[list[tuple[int, str, bytes]]]:
        """Give all profiles."""
        yield [
            (offset if log == self.log else ELSEWHERE, key, payload)
            for log, offset, key, payload in self._profiles[partition]
        ]

    def given_out(self, partition: int) -> list[str]:
        """Name the offers in the order in which they were published, repeats too."""
        return [name for name, _ in self._offers[partition]]

    def read(self, partition: int, offset: int, limit: int) -> list[bytes]:
        """Return up to `limit` offers from a position on."""
        return [payload for _, payload in self._offers[partition][offset : offset + limit]]


class MemoryQueue:
    """Takes offers from the twin above, in turn from each partition; `done` outlives the taker."""

    def __init__(
        self, offers: MemoryOffers, partitions: int, done: dict[int, Progress] | None = None
    ) -> None:
        self.offers = offers
        self.kept: dict[int, Progress] = done if done is not None else {}
        """Partition -> what `done` was told; hand it to the next taker to go on after a crash."""
        self._next = {partition: self._kept(partition).done for partition in range(partitions)}

    def _kept(self, partition: int) -> Progress:
        return self.kept.get(partition, Progress())

    def terms(self) -> Mapping[int, int]:
        """Name all partitions: they never go."""
        return dict.fromkeys(self._next, 0)

    async def take(self, limit: int, wait: float = 0) -> list[Queued]:
        """Return up to `limit` offers."""
        taken = self._take(limit)
        if not taken and wait:
            await asyncio.sleep(wait)
            taken = self._take(limit)
        return taken

    def _take(self, limit: int) -> list[Queued]:
        taken: list[Queued] = []
        for partition, offset in self._next.items():
            payloads = self.offers.read(partition, offset, limit - len(taken))
            taken += [Queued(partition, offset + i, payload) for i, payload in enumerate(payloads)]
            self._next[partition] = offset + len(payloads)
        return taken

    async def rewind(self, partition: int, since_us: int) -> int:
        """Take everything again: no times are kept here."""
        self._next[partition] = 0
        return 0

    async def progress(self, partition: int) -> Progress:
        """Return what was kept."""
        return self._kept(partition)

    async def done(self, progress: Mapping[int, Progress]) -> None:
        """Keep it."""
        self.kept.update(progress)
