"""Hours of the day as sets of minutes: does one set lie in another?"""

from __future__ import annotations

from collections.abc import Iterable

from engine.language.model import Interval, Schedule

DAY = 1_440
"""Minutes of a day by the wall clock."""


def pieces(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the spans within one day, cut at midnight, sorted, those that touch joined; none: no minute."""
    cut: list[Interval] = []
    for start, end in intervals:
        cut += [(start, end)] if start < end else [(start, DAY), (0, end)]
    found: list[Interval] = []
    for start, end in sorted(cut):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def inside(one: Iterable[Interval], other: Iterable[Interval]) -> bool:
    """Tell whether every minute of `one` is one of `other`; both as `pieces` returns them."""
    outer = list(other)
    return all(any(low <= start and end <= high for low, high in outer) for start, end in one)


def listens(schedule: Schedule | None) -> tuple[frozenset[int], list[Interval]]:
    """Return the days (0 = Monday) and the hours at which a rule listens."""
    if schedule is None:
        return frozenset(range(7)), [(0, DAY)]
    return frozenset(schedule.days), pieces(schedule.hours) if schedule.hours else [(0, DAY)]


def schedule_within(one: Schedule | None, other: Schedule | None) -> bool:
    """Tell whether a rule with the one schedule listens only when one with the other does."""
    days, hours = listens(one)
    other_days, other_hours = listens(other)
    return days <= other_days and inside(hours, other_hours)
