"""Local time: quiet hours, the end of a hold, the dates of `valid` (4.10). Times are int µs UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from .values import HOUR, SECOND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
HORIZON_DAYS = 4  # longer than any quiet time with an end

Intervals: TypeAlias = list[tuple[int, int]]


def read_intervals(value: object) -> Intervals:
    """Read `21:00 to 09:00` (or a list of such) as µs of the day."""
    lines = value if isinstance(value, list) else [value] if value else []
    ends = [str(line).partition(" to ") for line in lines]
    return [(_of_day(start), _of_day(end)) for start, _, end in ends]


def _of_day(text: str) -> int:
    hours, minutes, seconds = (*map(int, text.strip().split(":")), 0)[:3]
    return (hours * 3600 + minutes * 60 + seconds) * SECOND


def local(moment: int, zone: ZoneInfo) -> datetime:
    """Give the wall clock at a moment."""
    return (EPOCH + moment * MICRO).astimezone(zone)


def is_quiet(moment: int, zone: ZoneInfo, intervals: Intervals) -> bool:
    """4.10: quiet = the policy's and the rule's intervals together, half-open."""
    wall = local(moment, zone)
    day = (wall.hour * 3600 + wall.minute * 60 + wall.second) * SECOND + wall.microsecond
    return any(a <= day < b if a <= b else day >= a or day < b for a, b in intervals)


def is_scheduled(moment: int, zone: ZoneInfo, schedule: dict[str, Any]) -> bool:
    """Is it one of the schedule's days, and one of its hours, by the wall clock?"""
    days = schedule.get("days", "mon to sun")
    names = [name for line in ([days] if isinstance(days, str) else days) for name in _days(str(line))]
    if local(moment, zone).strftime("%a").lower() not in names:
        return False
    return "hours" not in schedule or is_quiet(moment, zone, read_intervals(schedule["hours"]))


def _days(line: str) -> list[str]:
    first, _, last = line.partition(" to ")
    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] * 2
    start = week.index(first.strip())
    return week[start : week.index((last or first).strip(), start) + 1]


def hold_end(now: int, zone: ZoneInfo, intervals: Intervals) -> int | None:
    """4.10: the first moment ≥ now outside quiet time by the wall clock; None if there is none.

    Quietness changes only where the wall clock shows an end of an interval, or jumps: try all of these.
    """
    moments = {now, *_wall_moments(now, zone, intervals), *_jumps(now, zone)}
    return min((m for m in moments if m >= now and not is_quiet(m, zone, intervals)), default=None)


def _wall_moments(now: int, zone: ZoneInfo, intervals: Intervals) -> Iterator[int]:
    first = local(now, zone).date() - timedelta(days=1)
    for offset in range(HORIZON_DAYS + 1):
        midnight = datetime.combine(first + timedelta(days=offset), time())
        for _, end in intervals:
            wall = midnight + end * MICRO
            for fold in (0, 1):
                moment = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) - EPOCH) // MICRO
                if local(moment, zone).replace(tzinfo=None) == wall:
                    yield moment


def _jumps(now: int, zone: ZoneInfo) -> Iterator[int]:
    """Yield the moments at which the zone's offset changes, to the second."""
    step = 6 * HOUR
    start = now - now % SECOND
    for left in range(start, start + HORIZON_DAYS * 24 * HOUR, step):
        low, high = left, left + step
        if local(low, zone).utcoffset() == local(high, zone).utcoffset():
            continue
        while high - low > SECOND:
            middle = (low + high) // 2 // SECOND * SECOND
            same = local(middle, zone).utcoffset() == local(low, zone).utcoffset()
            low, high = (middle, high) if same else (low, middle)
        yield high


def within_dates(now: int, zone: ZoneInfo, valid: str) -> bool:
    """4.10: from 00:00 of the first to 24:00 of the last date."""
    first, _, last = valid.partition(" to ")
    return date.fromisoformat(first.strip()) <= local(now, zone).date() <= date.fromisoformat(last.strip())
