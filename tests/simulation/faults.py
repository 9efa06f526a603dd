"""Crashes, lost replies, torn writes and pauses as values: a script that a run reads one word at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence

from connectors.memory_offers import MemoryOffers
from connectors.memory_store import MemoryStore
from engine.errors import FencedError, StoreError
from engine.ports import Commit

GO, CRASH, WAIT, LOSE, TEAR = "go on", "crash", "wait", "lose the reply", "tear"

POINTS = ("assign", "republish", "fetch", "read", "commit", "publish", "prune")
"""All points of a lane, in the order of its steps."""


class Crash(Exception):
    """The process ends here: whatever it held in memory is gone."""


class Script:
    """What happens at each point and at each write, in order; when it is used up everything goes on."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words: Iterator[str] = iter(words)
        self.met: set[tuple[str, str]] = set()
        """(point, word) that really happened."""

    @classmethod
    def random(cls, rng: random.Random, length: int, words: Sequence[str]) -> Script:
        """Write a script in which `words` come up, each as often as it stands there."""
        return cls([rng.choice(words) for _ in range(length)])

    def next(self, where: str) -> str:
        """Return what happens here."""
        word = next(self._words, GO)
        self.met.add((where, word))
        return word

    async def point(self, name: str) -> None:
        """Crash or let others run at a point of a lane."""
        word = self.next(name)
        if word == CRASH:
            raise Crash(name)
        if word == WAIT:
            await asyncio.sleep(0)


class OneCrash(Script):
    """Crashes once: at the n-th time that one point is reached."""

    def __init__(self, where: str, nth: int) -> None:
        super().__init__()
        self.where = where
        self.left = nth

    def next(self, where: str) -> str:
        """Count down."""
        self.left -= where == self.where
        word = CRASH if where == self.where and self.left == 0 else GO
        self.met.add((where, word))
        return word


class FaultyStore(MemoryStore):
    """Loses replies: the commit is done, its caller is told that it failed."""

    def __init__(self, partitions: int, script: Script) -> None:
        super().__init__(partitions)
        self.script = script
        self.refused = 0
        self.gone = 0
        """States that ended."""

    async def commit(self, partition: int, commit: Commit) -> None:
        """Commit, then perhaps lose the reply."""
        try:
            await super().commit(partition, commit)
        except FencedError:
            self.refused += 1
            raise
        self.gone += len(commit.gone)
        if self.script.next("committed") in (LOSE, CRASH):
            raise StoreError(f"partition {partition}: expected a reply to a commit, was none")


class FaultyOffers(MemoryOffers):
    """Tears writes: a part is published, then the process ends."""

    def __init__(self, partitions: int, script: Script) -> None:
        super().__init__(partitions)
        self.script = script

    async def publish(
        self, partition: int, entries: Sequence[tuple[str, bytes]], *, offset: int, known: frozenset[str]
    ) -> int | None:
        """Publish all, or a part and crash."""
        if entries and self.script.next("publishing") == TEAR:
            await super().publish(partition, entries[: len(entries) // 2], offset=offset, known=known)
            raise Crash("publishing")
        return await super().publish(partition, entries, offset=offset, known=known)
