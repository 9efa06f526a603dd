"""The store in memory: the twin of Redis and its commit script for the embedded run and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from engine.errors import FencedError
from engine.ports import Commit, Control, Ground


class _Partition:
    def __init__(self) -> None:
        self.token = ""
        self.offset = 0
        self.lane = b""
        self.states: dict[str, bytes] = {}
        self.wakes: dict[str, int] = {}
        self.outbox: dict[str, bytes] = {}
        self.offers_at = 0
        self.floor = 0


class MemoryStore:
    """Holds bytes only, so that nothing a lane changes in memory can leak past a commit."""

    def __init__(self, partitions: int) -> None:
        self._partitions = [_Partition() for _ in range(partitions)]

    async def open(self, partition: int) -> Control:
        """Read where a partition stands."""
        held = self._partitions[partition]
        return Control(held.token, held.offset, held.lane, dict(held.outbox), held.offers_at, held.floor)

    async def ground(self, partition: int) -> Ground:
        """Read a part of that."""
        held = self._partitions[partition]
        return Ground(held.token, held.floor, held.offset)

    async def read(self, partition: int, keys: Sequence[str]) -> list[bytes | None]:
        """Return states, None where there is none."""
        states = self._partitions[partition].states
        return [states.get(key) for key in keys]

    async def due(self, partition: int, before: int) -> list[str]:
        """Name the subscribers that wake before a time."""
        return [key for key, wake in self._partitions[partition].wakes.items() if wake < before]

    async def keys(self, partition: int) -> list[str]:
        """Name all subscribers of a partition."""
        return list(self._partitions[partition].states)

    async def clear(self, partition: int, token: str) -> None:
        """Remove every state of a partition."""
        held = self._partitions[partition]
        if token != held.token:
            raise FencedError(f"partition {partition}: expected token {token!r}, was {held.token!r}")
        held.states.clear()
        held.wakes.clear()

    async def commit(self, partition: int, commit: Commit) -> None:
        """Apply a commit whole, or refuse it."""
        held = self._partitions[partition]
        if commit.token != held.token:
            raise FencedError(f"partition {partition}: expected token {commit.token!r}, was {held.token!r}")
        for key in commit.gone:
            held.states.pop(key, None)
            held.wakes.pop(key, None)
        held.states.update(commit.states)
        held.wakes.update(commit.wakes)
        for name in commit.published:
            held.outbox.pop(name, None)
        held.outbox.update(commit.out)
        held.offset = commit.offset
        held.lane = commit.lane
        held.offers_at = commit.offers_at
        held.floor = commit.floor
        held.token = commit.next_token

    def lose(self, partition: int) -> None:
        """Lose everything of a partition: what an emptied server does."""
        self._partitions[partition] = _Partition()

    def copy(self, partition: int) -> object:
        """Return a copy of a partition as it stands: a backup, or what a replica has."""
        return deepcopy(self._partitions[partition])

    def restore(self, partition: int, copy: object) -> None:
        """Put a copy back: what a server does that lost its last writes."""
        assert isinstance(copy, _Partition)
        self._partitions[partition] = deepcopy(copy)

    def size(self) -> tuple[int, int]:
        """Return (subscribers, bytes of state): for the display and benchmarks."""
        states = [blob for held in self._partitions for blob in held.states.values()]
        return len(states), sum(map(len, states))
