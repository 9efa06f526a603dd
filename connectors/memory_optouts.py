"""Who wants no messages, in memory: the twin of the Redis set for the embedded run and for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class MemoryOptOuts:
    """Keyed hash -> time of the opt-out, µs."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    async def add(self, times: Mapping[str, int]) -> None:
        """Add; the later time stands."""
        for name, time in times.items():
            self._times[name] = max(time, self._times.get(name, time))

    async def release(self, times: Mapping[str, int]) -> None:
        """Remove what is not newer than the given time."""
        for name, time in times.items():
            if self._times.get(name, time + 1) <= time:
                del self._times[name]

    async def holds(self, hashes: Sequence[str]) -> list[bool]:
        """Say of each whether it is there."""
        return [name in self._times for name in hashes]
