"""What the tests of the collector share: a source out of a list, a clock, and the log read back."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from engine.collector import Live, LiveCollector, Pace, Source
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake

KEY = b"key of the tests"
SECOND = 1_000_000
T = 1_788_740_000 * SECOND
"""A morning in September 2026, µs UTC."""
LATER = T + 1_000_000 * SECOND
"""A wall clock that no record is ahead of."""


def sight(seconds: float, subscriber: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a sighting so many seconds after T."""
    t = T + round(seconds * SECOND)
    record = {"kind": "loc.sight", "t": t, "imsi": f"46000{subscriber:010}", "cell": "460-00-1-1"}
    return {**record, **fields}


class Listed:
    """A source that brings records of a list; `arrived` says how many of them are there by now."""

    def __init__(self, name: str, records: Sequence[Any], arrived: int | None = None) -> None:
        self.records = list(records)
        self.arrived = len(self.records) if arrived is None else arrived
        self.name = name
        self.position: Mapping[str, Any] = {"read": 0}
        self.origin: Mapping[str, str] = {"topic": name}
        self.closed = 0
        self._intake: Intake | None = None

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        self._intake = intake
        self.position = position or {"read": 0}

    async def read(self, limit: int) -> list[Event] | None:
        assert self._intake is not None
        begin = self.position["read"]
        end = min(begin + limit, self.arrived)
        if begin == end:
            return None
        events = []
        for number in range(begin, end):
            record = self.records[number]
            raw = record if isinstance(record, bytes) else orjson.dumps(record)
            events += self._intake.read(raw, self.name, f"{self.name}:{number + 1}")
        self.position = {"read": end}
        return events

    async def committed(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        self.closed += 1


class Clock:
    """A clock that a test moves."""

    def __init__(self, wall: int = LATER) -> None:
        self.seconds = 1_000.0
        self.micros = wall

    def clock(self) -> float:
        return self.seconds

    def wall(self) -> int:
        return self.micros


class World:
    """A memory log with what outlives a collector, and collectors over it."""

    def __init__(self, partitions: int = 3, wall: int = LATER) -> None:
        self.log = MemoryLog(partitions)
        self.checkpoints = Checkpoints()
        self.clock = Clock(wall)

    def inlet(self) -> MemoryInlet:
        return MemoryInlet(self.log, "c1", self.checkpoints)

    def live(self, source: Source, kinds: str = "", disorder: float = 0, idle: float = 0) -> Live:
        return Live(source, frozenset(kinds.split()), round(disorder * SECOND), idle)

    def collector(self, *sources: Live, **options: Any) -> LiveCollector:
        given = {"pace": Pace(records=7, seconds=60), "inlet": self.inlet(), "identity": Identity(KEY)}
        options = {**given, **options}
        inlet, identity = options.pop("inlet"), options.pop("identity")
        return LiveCollector(
            inlet,
            sources,
            identity,
            wall=self.clock.wall,
            clock=self.clock.clock,
            **options,
        )

    async def partition(self, partition: int) -> list[dict[str, Any]]:
        end = self.log.end(partition)
        return [orjson.loads(record.value) for record in await self.log.fetch(partition, 0, end + 1)]

    async def records(self) -> list[dict[str, Any]]:
        """All records but ticks, partition by partition."""
        found = [await self.partition(number) for number in range(self.log.partitions)]
        return [record for records in found for record in records if record["kind"] != "tick"]

    async def ticks(self) -> list[tuple[float, list[str]]]:
        """The ticks, as (seconds after T, down); each is in every partition."""
        found = [
            [record for record in await self.partition(number) if record["kind"] == "tick"]
            for number in range(self.log.partitions)
        ]
        assert all(ticks == found[0] for ticks in found)
        return [((tick["t"] - T) / SECOND, tick.get("down", [])) for tick in found[0]]

    def dead(self) -> list[dict[str, Any]]:
        return [orjson.loads(letter) for letter in self.checkpoints.dead]


def write(path: Path, records: Sequence[Any], packed: bool = False) -> None:
    """Put a file of JSON lines into a directory as a careful writer does: whole, by rename."""
    raw = b"".join((r if isinstance(r, bytes) else orjson.dumps(r)) + b"\n" for r in records)
    growing = path.with_name(path.name + ".tmp")
    growing.write_bytes(gzip.compress(raw) if packed else raw)
    growing.rename(path)
