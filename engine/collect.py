"""The collector: events of a source -> records of the log, and the ticks that follow them (semantics.md 1.8).

A record goes to the partition of its subscriber; a tick goes to every partition at its place of the order.
A message of the log is one record, or an array of records that follow each other in its partition: what a
message costs its writer, its readers and the broker is paid once for all of them.
`Collector` is the embedded run's, with one source; the role of the Kafka deployment is in `collector.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from engine.event import Event
from engine.ports import Log
from engine.ticks import TickMaker

VALUE_AT_MOST = 900_000
"""Bytes of a record in the log: brokers refuse messages of 1 MB, and one that can't be written stops all."""

ARRAY_AT_MOST = 64 << 10
"""Bytes of an array: what a message saves is saved by then, and a lane reads whole messages."""


def partition_of(key: str, partitions: int) -> int:
    """Return the partition of a subscriber key (32 hex digits)."""
    return int(key[:8], 16) % partitions


def spread(event: Event, partitions: int) -> list[tuple[int, bytes]]:
    """Return an event as (partition, value) pairs: its subscriber's, or all for one that is about nobody."""
    value = orjson.dumps(event.fields)
    if event.key:
        return [(partition_of(event.key, partitions), value)]
    return [(partition, value) for partition in range(partitions)]


def in_messages(records: Sequence[tuple[int, bytes]], most: int) -> Sequence[tuple[int, bytes]]:
    """Return (partition, JSON object) pairs as messages: up to `most` records of a partition in an array.

    Each partition keeps its order; an array has at most `ARRAY_AT_MOST` bytes. A record that stands alone is
    no array, so that `most` = 1 changes nothing.
    """
    if most == 1:
        return records
    waiting: dict[int, list[bytes]] = {}
    for partition, value in records:
        if partition in waiting:
            waiting[partition].append(value)
        else:
            waiting[partition] = [value]
    messages: list[tuple[int, bytes]] = []
    for partition, values in waiting.items():
        begin = size = 0
        for at, value in enumerate(values):
            size += len(value) + 1
            if at > begin and (at - begin == most or size >= ARRAY_AT_MOST):
                messages.append((partition, _message(values[begin:at])))
                begin, size = at, len(value) + 1
        messages.append((partition, _message(values[begin:])))
    return messages


def _message(values: list[bytes]) -> bytes:
    return values[0] if len(values) == 1 else b"[%b]" % b",".join(values)


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
