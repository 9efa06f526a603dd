"""Who is hot: more than 2,000 records of a kind in 48 hours (semantics.md 3). Its patterns then fire nothing.

Nearly nobody is, so records are counted by UTC day; exact times are kept only once a kind has `WATCHED`
records in three days. Records before that count as of then (docs/decisions/0005).
"""

from __future__ import annotations

from bisect import insort
from typing import Any

from engine.event_kinds import KINDS
from engine.history import NEAR, History, read

HOT = 2000
WATCHED = 1000
DAY = 86_400_000_000
WINDOW = 2 * DAY


_NUMBER = {kind: str(number) for number, kind in enumerate(KINDS)}
"""Numbers of kinds in stored state: the order of the table, which only grows at its end."""


class Heat:
    """Counts of one subscriber's records by kind."""

    __slots__ = ("counts", "day", "times")

    def __init__(self) -> None:
        self.day = 0
        """Number of the UTC day that `counts` begins with."""
        self.counts: dict[str, list[int]] = {}
        """Number of a kind -> records of this day, the day before, the day before that."""
        self.times: dict[str, list[int]] = {}
        """Number of a kind -> its 2,001 greatest times, sorted."""

    def is_hot(self, kind: str, clock: int) -> bool:
        """Say whether `kind` has more than 2,000 records in (clock - 48 h, clock]."""
        times = self.times.get(_NUMBER[kind])
        return times is not None and len(times) > HOT and times[0] > clock - WINDOW

    def count(self, kind: str, time: int, clock: int, history: History) -> None:
        """Count one record, which `history` already holds if it keeps its kind."""
        if clock - self.day * DAY >= DAY:
            self._turn(clock // DAY)
        number = _NUMBER[kind]
        counts = self.counts.get(number)
        if counts is None:
            self.counts[number] = [1, 0, 0]
            return
        counts[0] += 1
        if counts[0] > WATCHED // 3 or self.times:
            self._watch(kind, time, counts, history)

    def _watch(self, kind: str, time: int, counts: list[int], history: History) -> None:
        number = _NUMBER[kind]
        times = self.times.get(number)
        if times is not None:
            insort(times, time)
            if len(times) > HOT + 1:
                del times[0]
        elif sum(counts) >= WATCHED:
            held = sorted(p.clock - p.late for p in read(history) if p.kind == kind)
            # location and data records are not kept for long: those that are gone count as of now
            gone = sum(counts) - len(held) if kind.startswith(NEAR) else 0
            self.times[number] = [*held, *[time] * gone][-HOT - 1 :]

    def _turn(self, day: int) -> None:
        gone = min(day - self.day, 3)
        self.day = day
        left = {kind: ([0] * gone + counts)[:3] for kind, counts in self.counts.items()}
        self.counts = {kind: counts for kind, counts in left.items() if any(counts)}
        oldest = (day - 2) * DAY
        self.times = {kind: times for kind, times in self.times.items() if times[-1] >= oldest}

    def pack(self) -> list[Any] | None:
        """Return the state as plain JSON; None if nothing was counted."""
        if not self.counts:
            return None
        return [self.day, self.counts, self.times] if self.times else [self.day, self.counts]

    def unpack(self, packed: list[Any]) -> None:
        """Restore what `pack` returned."""
        if packed:
            self.day, self.counts = packed[:2]
            self.times = packed[2] if len(packed) > 2 else {}
