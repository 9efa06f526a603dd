"""Who is hot: more than 2,000 records of a kind in 48 hours (semantics.md 3). Its patterns then fire nothing.

Nearly nobody is, so records are counted by UTC day; exact times are kept only once a kind has `WATCHED`
records in three days. Of records before that only the day is known if they are kept no more
(docs/decisions/0005).
"""

from __future__ import annotations

from array import array
from bisect import insort
from struct import Struct

from engine.event_kinds import KINDS
from engine.history import NEAR, History, read

HOT = 2000
WATCHED = 1000
DAY = 86_400_000_000
WINDOW = 2 * DAY
DAYS = 3
_FULL = 0xFFFF

_CODE = {kind: bytes((number,)) for number, kind in enumerate(KINDS)}
"""Numbers of kinds in stored state: the order of the table, which only grows at its end."""
_HEAD = Struct("<HBB")
_TIMES = Struct("<BH")
_LARGE = 0x80
"""Added to the number of kinds: counts have two bytes each, not one."""


class Heat:
    """Counts of one subscriber's records by kind."""

    __slots__ = ("codes", "counts", "day", "packed", "times", "turns")

    def __init__(self) -> None:
        self.day = 0
        """Number of the UTC day that is counted."""
        self.turns = 0
        """When it ends, µs."""
        self.codes = bytearray()
        """Numbers of the kinds that were counted."""
        self.counts = array("H")
        """For each: records of this day, the day before, the day before that."""
        self.packed: bytes | None = None
        """What `pack` returned, good until something is counted."""
        self.times: dict[str, list[int]] = {}
        """Kind -> its 2,001 greatest times, sorted."""

    def is_hot(self, kind: str, clock: int) -> bool:
        """Say whether `kind` has more than 2,000 records in (clock - 48 h, clock]."""
        times = self.times.get(kind)
        return times is not None and len(times) > HOT and times[0] > clock - WINDOW

    def count(self, kind: str, time: int, clock: int, history: History) -> None:
        """Count one record, which `history` already holds if it keeps its kind."""
        self.packed = None
        if clock >= self.turns:
            self._turn(clock // DAY)
        at = self.codes.find(_CODE[kind]) * DAYS
        if at < 0:
            self.codes += _CODE[kind]
            self.counts.extend((1, 0, 0))
            return
        today = self.counts[at]
        if today < _FULL:
            self.counts[at] = today + 1
        if today >= WATCHED // DAYS or self.times:
            self._watch(kind, time, clock, self.counts[at : at + DAYS], history)

    def _watch(self, kind: str, time: int, clock: int, counts: array[int], history: History) -> None:
        times = self.times.get(kind)
        if times is not None:
            insort(times, time)
            if len(times) > HOT + 1:
                del times[0]
        elif sum(counts) >= WATCHED:
            held = [p.clock - p.late for p in read(history) if p.kind == kind]
            # Location and data records are not kept for long, others are unless there were too many.
            if kind.startswith(NEAR) or history.skipped > clock - WINDOW:
                held += self._gone(counts, held, clock)
            self.times[kind] = sorted(held or [time])[-HOT - 1 :]

    def _gone(self, counts: array[int], held: list[int], clock: int) -> list[int]:
        """Return times for the records that were counted but are not kept: spread over their days."""
        found: list[int] = []
        for back, count in enumerate(counts):
            start = (self.day - back) * DAY
            length = min(DAY, clock - start)
            gone = count - sum(start <= time < start + DAY for time in held)
            found += [start + length * n // gone for n in range(gone)]
        return found

    def _turn(self, day: int) -> None:
        gone = min(day - self.day, DAYS)
        self.day, self.turns = day, (day + 1) * DAY
        codes, counts = bytearray(), array("H")
        for number, code in enumerate(bytes(self.codes)):
            rows = ([0] * gone + self.counts[number * DAYS : (number + 1) * DAYS].tolist())[:DAYS]
            if any(rows):
                codes.append(code)
                counts.extend(rows)
        self.codes, self.counts = codes, counts
        oldest = (day - 2) * DAY
        self.times = {kind: times for kind, times in self.times.items() if times[-1] >= oldest}

    def pack(self) -> bytes:
        """Return the state as bytes; empty if nothing was counted."""
        if self.packed is None:
            self.packed = self._pack()
        return self.packed

    def _pack(self) -> bytes:
        codes = self.codes
        if not codes:
            return b""
        small = max(self.counts) < 256
        kinds = len(codes) | (0 if small else _LARGE)
        packed = _HEAD.pack(self.day, kinds, len(self.times)) + codes
        packed += bytes(self.counts.tolist()) if small else self.counts.tobytes()
        for kind, times in self.times.items():
            packed += _TIMES.pack(_CODE[kind][0], len(times)) + array("q", times).tobytes()
        return packed

    def unpack(self, data: bytes) -> None:
        """Restore what `pack` returned."""
        if not data:
            return
        self.day, kinds, watched = _HEAD.unpack_from(data)
        self.turns = (self.day + 1) * DAY
        at = _HEAD.size
        large, kinds = kinds & _LARGE, kinds & ~_LARGE
        self.codes = bytearray(data[at : at + kinds])
        at += kinds
        if large:
            self.counts = array("H", data[at : at + 2 * DAYS * kinds])
            at += 2 * DAYS * kinds
        else:
            self.counts = array("H", tuple(data[at : at + DAYS * kinds]))
            at += DAYS * kinds
        for _ in range(watched):
            code, number = _TIMES.unpack_from(data, at)
            at += _TIMES.size
            self.times[_KINDS[code]] = array("q", data[at : at + 8 * number]).tolist()
            at += 8 * number


_KINDS = tuple(KINDS)
