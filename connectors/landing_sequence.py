"""Rolling names: files of a landing directory that carry a number or a time, in their order, gaps told.

A pattern finds in a name either `(?P<seq>...)`, a counter, or `(?P<time>...)`, a time slot as digits
(`20260907`, `2026090708`, `202609070830`, `20260907083000`; other characters between them do not matter).
Other named groups tell series apart, such as probes that each count for themselves.

A number that is passed over is missing: told once, remembered, and closed if its file comes late. Nothing in
here keeps a file from being read; only `wait` lets the files behind a missing one wait for it a while.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

from engine.refusals import redact

SERIES_AT_MOST: Final = 100
"""Series that are remembered; beyond that the one that has been still for longest begins anew."""
RANGES_AT_MOST: Final = 50
"""Ranges of missing numbers remembered per series; the oldest go first: their files close nothing then."""
RESTART: Final = 1_000
"""A number so far behind, and not missing, is that of a counter which has begun anew."""

_NOT_DIGIT = re.compile(r"\D+")
_TIME_FORMS: Final[Mapping[int, tuple[int, ...]]] = {8: (), 10: (2,), 12: (2, 2), 14: (2, 2, 2)}


class Gap(NamedTuple):
    """What is noticed when a file is taken."""

    kind: str
    """`gap`, `closed`, `restarted`."""
    files: int
    """How many are missing, or came late."""
    expected: str
    was: str


class _Series:
    """One counter."""

    __slots__ = ("missing", "next")

    def __init__(self, next: int, missing: list[list[int]]) -> None:
        self.next = next
        """Number of the next file; goes on over the end of a counter that wraps."""
        self.missing = missing
        """Ranges [first, last] of numbers that were passed over, oldest first."""


class Sequence:
    """The numbers of the files of one directory.

    `every`: seconds of a time slot, where the pattern has `time`. `wraps`: numbers of a counter that begins
    again at 0 after its greatest; None: it does not.
    """

    def __init__(self, pattern: re.Pattern[str], *, every: int = 0, wraps: int | None = None) -> None:
        self.shown: Callable[[str], str] = redact
        """How the name of a series is written where others may read it."""
        self._pattern = pattern
        self._group = "time" if "time" in pattern.groupindex else "seq"
        self._every = every
        self._wraps = wraps
        self._series: dict[str, _Series] = {}
        self._bases: dict[str, int] = {}
        """Series that are not known yet -> the number that counts as their first, where counters wrap."""

    def look_over(self, names: Iterable[str]) -> None:
        """Take in which names are there: where a new counter that wraps begins, no single name tells."""
        if self._wraps is None:
            return
        new: dict[str, set[int]] = {}
        for name in names:
            found = self._numbered(name)
            if found is not None and found[0] not in self._series:
                new.setdefault(found[0], set()).add(found[1])
        self._bases = {series: _begin_of(numbers, self._wraps) for series, numbers in new.items()}

    def key(self, name: str) -> tuple[int, str]:
        """Return by what names are sorted: time slots first, numbers as numbers, then as text."""
        match = self._pattern.search(name)
        found = self._numbered(name)
        if match is None or found is None:
            return 0, name
        number = self._unwrapped(*found)
        begin, end = match.span(self._group)
        padded = f"{name[:begin]}{number:020d}{name[end:]}"
        return (number if self._group == "time" else 0), padded

    def is_next(self, name: str) -> bool:
        """Say whether no file before it is missing that has not been told."""
        found = self._numbered(name)
        if found is None or found[0] not in self._series:
            return True
        return self._unwrapped(*found) <= self._series[found[0]].next

    def take(self, name: str) -> Gap | None:
        """Take in that a file is read; return what is to be told."""
        found = self._numbered(name)
        if found is None:
            return None
        name_of_series, number = found[0], self._unwrapped(*found)
        series = self._series.pop(name_of_series, None)
        if series is None:
            self._bases.pop(name_of_series, None)
            while len(self._series) >= SERIES_AT_MOST:
                del self._series[next(iter(self._series))]
            self._series[name_of_series] = _Series(number + 1, [])
            return None
        self._series[name_of_series] = series  # the last to be forgotten
        if number >= series.next:
            first, series.next = series.next, number + 1
            if number == first:
                return None
            series.missing.append([first, number - 1])
            del series.missing[: max(len(series.missing) - RANGES_AT_MOST, 0)]
            return Gap("gap", number - first, self._shown(first), self._shown(number))
        if _close(series.missing, number):
            return Gap("closed", 1, self._shown(number), self._shown(number))
        if self._wraps is None and number < series.next - RESTART and self._group == "seq":
            gap = Gap("restarted", 0, self._shown(series.next), self._shown(number))
            series.next, series.missing = number + 1, []
            return gap
        return None

    def pack(self) -> list[list[Any]]:
        """Return what is known of the series as plain JSON."""
        return [[name, series.next, series.missing] for name, series in self._series.items()]

    def restore(self, packed: Iterable[Items[Any]]) -> None:
        """Go on where `pack` was called."""
        self._series = {
            name: _Series(next, [list(each) for each in missing]) for name, next, missing in packed
        }
        self._bases = {}

    @property
    def missing(self) -> int:
        """Files that are missing now, as far as that is remembered."""
        return sum(last - first + 1 for series in self._series.values() for first, last in series.missing)

    def _numbered(self, name: str) -> tuple[str, int] | None:
        """Return the series and the number of a name, as it is written; None if it has none."""
        match = self._pattern.search(name)
        if match is None:
            return None
        groups = match.groupdict()
        text = groups.pop(self._group) or ""
        series = self.shown(" ".join(value or "" for value in groups.values()))
        if self._group == "time":
            slot = _slot_of(text, self._every)
            return None if slot is None else (series, slot)
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            return None
        number = int(text)
        return None if self._wraps is not None and number >= self._wraps else (series, number)

    def _unwrapped(self, series: str, number: int) -> int:
        """Return a number as it is counted on over the end of a counter that wraps."""
        wraps = self._wraps
        if wraps is None:
            return number
        known = self._series.get(series)
        if known is None:
            base = self._bases.get(series, number)
            return base + (number - base) % wraps
        half = wraps // 2
        return known.next + (number - known.next + half) % wraps - half

    def _shown(self, number: int) -> str:
        if self._group == "time":
            return f"the slot {datetime.fromtimestamp(number * self._every, UTC):%Y-%m-%d %H:%M}"
        return redact(f"number {number if self._wraps is None else number % self._wraps}")


def _slot_of(text: str, every: int) -> int | None:
    """Return the number of a time slot, None if its text is no time."""
    digits = _NOT_DIGIT.sub("", text)
    parts = _TIME_FORMS.get(len(digits))
    if parts is None or not digits.isascii():
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    clock = [int(digits[8 + 2 * place : 10 + 2 * place]) for place in range(len(parts))]
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59 and second <= 59):
        return None
    return timegm((year, month, day, hour, minute, second)) // every


def _begin_of(numbers: set[int], wraps: int) -> int:
    """Return the number with which a run begins on a circle: the one behind the largest gap."""
    ordered = sorted(numbers)
    gaps = [(ordered[0] + wraps - ordered[-1], ordered[0])]
    gaps += [(after - before, after) for before, after in pairwise(ordered)]
    return max(gaps)[1]


def _close(missing: list[list[int]], number: int) -> bool:
    """Take a number out of ranges; False if it is in none."""
    for place, (first, last) in enumerate(missing):
        if first <= number <= last:
            left = [[first, number - 1], [number + 1, last]]
            missing[place : place + 1] = [[begin, end] for begin, end in left if begin <= end]
            return True
    return False
