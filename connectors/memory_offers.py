"""Published decisions in memory: the twin of the offers and decisions topics."""

from __future__ import annotations

from collections.abc import Sequence


class MemoryOffers:
    """One list per partition; repeats are kept, as a topic would, and dropped by consumers."""

    def __init__(self, partitions: int) -> None:
        self._payloads: list[list[bytes]] = [[] for _ in range(partitions)]
        self._names: list[dict[str, None]] = [{} for _ in range(partitions)]

    async def publish(self, partition: int, payloads: Sequence[tuple[str, bytes]]) -> None:
        """Append (name, payload) pairs."""
        for name, payload in payloads:
            self._names[partition][name] = None
            self._payloads[partition].append(payload)

    async def names(self, partition: int) -> frozenset[str]:
        """Name everything published for a partition."""
        return frozenset(self._names[partition])

    async def read(self, partition: int, offset: int, limit: int) -> list[bytes]:
        """Return up to `limit` payloads from `offset` on."""
        return self._payloads[partition][offset : offset + limit]
