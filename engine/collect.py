"""The collector: events of a source -> records of the log, and the ticks that follow them (semantics.md 1.8).

A record goes to the partition of its subscriber; a tick goes to every partition at its place of the order.
`Collector` is the embedded run's, with one source; the role of the Kafka deployment is in `collector.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from engine.event import Event
from engine.ports import Log
from engine.ticks import TickMaker

VALUE_AT_MOST = 900_000
"""Bytes of a record in the log: brokers refuse messages of 1 MB, and one that can't be written stops all."""


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a subscriber key (32 hex digits)."""
    return int(key[:8], 16) % partitions


def spread(event: Event, partitions: int) -> list[tuple[int, bytes]]:
    """Return an event as (partition, value) pairs: its subscriber's, or all for one that is about nobody."""
    value = orjson.dumps(event.fields)
    if event.key:
        return [(partition_of(event.key, partitions), value)]
    return [(partition, value) for partition in range(partitions)]


class Collector:
    """Writes one source to the log; `disorder` µs is what its watermark allows for."""

    def __init__(self, log: Log, disorder: int = 0) -> None:
        self.log = log
        self.ticks = TickMaker(disorder)
        self.taken = 0
        """Records written, ticks aside."""

    async def add(self, events: Iterable[Event]) -> None:
        """Append events in order, each with the tick that follows it."""
        partitions = self.log.partitions
        batch: list[tuple[int, bytes]] = []
        for event in events:
            self.taken += bool(event.key)
            batch += spread(event, partitions)
            follows = self.ticks.after(event)
            if follows is not None:
                batch += spread(follows, partitions)
        await self.log.append(batch)

    async def close(self) -> None:
        """End the source: one tick 1 µs after its newest record, so that what is due fires."""
        if self.ticks.greatest < 0:
            return
        closing = orjson.dumps({"kind": "tick", "t": self.ticks.greatest + 1})
        await self.log.append([(partition, closing) for partition in range(self.log.partitions)])
