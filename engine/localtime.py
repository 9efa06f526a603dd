"""The wall clock of a subscriber: quiet time and days of validity, exact over DST gaps and folds.

A time zone is taken apart into stretches of UTC with one offset each; within a stretch the wall clock is
plain arithmetic, so nothing here ever guesses about an ambiguous or missing local time. Times are int µs UTC.
Source of the offsets: the IANA time zone database through `zoneinfo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

Interval = tuple[int, int]
"""(start, end) in minutes of the day, half-open; end <= start runs over midnight (equal: the whole day)."""

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
DAY_MINUTES: Final = 1_440

QUIET_CAP: Final = 7 * DAY
"""Where the search for the end of an endless quiet time gives up: beyond every `send_within` (48 h)."""

_FIRST_DAY: Final = 3
"""1970-01-01 was a Thursday."""

_SCAN: Final = 900
"""Seconds between two looks at the offset: no zone has ever changed twice within a quarter of an hour."""


def is_timezone(name: str) -> bool:
    """Tell whether `name` is a zone of the IANA database, e.g. `Asia/Shanghai`.

    Machine-dependent files beside the database (`localtime`, `posixrules`, `right/…`) are not.
    """
    return len(name) <= 64 and _is_timezone(name)


def quiet_end(now: int, timezone: str, intervals: tuple[Interval, ...]) -> int:
    """Return the first moment >= `now` that is in none of `intervals` by the wall clock of `timezone`.

    That is `now` itself outside of quiet time. The intervals count as their union, half-open, to the
    microsecond. Where the clock is put forward over the end, quiet time ends with the jump. Where it is put
    back into an interval already left, the end of the first pass is the answer; asked during the second pass
    it is quiet time again. Intervals that cover the whole day never end: the answer is then `now` + 7 days,
    past any `send_within`. `timezone` must be one that `is_timezone` knows; raises `ValueError` if not.
    """
    spans = _union(intervals)
    if not spans:
        return now
    moment, cap = now, now + QUIET_CAP
    while moment < cap:
        for start, end, offset in _stretches(timezone, moment // DAY):
            while start <= moment < end:
                clock = (moment + offset) % DAY
                left = next((stop - clock for begin, stop in spans if begin <= clock < stop), None)
                if left is None:
                    return moment
                moment = min(moment + left, end)
    return cap


def quiet_start(now: int, timezone: str, intervals: tuple[Interval, ...], until: int) -> int:
    """Return the first moment in [`now`, `until`) that is in one of `intervals`, else `until`.

    By the wall clock of `timezone`, as `quiet_end`: also where the clock is put back into an interval, or
    forward into the midst of one.
    """
    spans = _union(intervals)
    moment = now if spans else until
    while moment < until:
        for start, end, offset in _stretches(timezone, moment // DAY):
            while start <= moment < end:
                clock = (moment + offset) % DAY
                if any(begin <= clock < stop for begin, stop in spans):
                    return min(moment, until)
                ahead = min((begin for begin, _ in spans if begin > clock), default=DAY) - clock
                moment = min(moment + ahead, end)
    return until


def is_within(moment: int, timezone: str, days: tuple[int, ...], intervals: tuple[Interval, ...]) -> bool:
    """Tell whether a moment lies on one of `days` (0 = Monday) and in one of `intervals`, by a wall clock.

    No intervals: the whole day. Half-open, to the microsecond; what of an interval lies behind midnight is of
    the next day.
    """
    offset = next(
        offset for start, end, offset in _stretches(timezone, moment // DAY) if start <= moment < end
    )
    day, clock = divmod(moment + offset, DAY)
    if (day + _FIRST_DAY) % 7 not in days:
        return False
    return not intervals or any(begin <= clock < stop for begin, stop in _union(intervals))


def daily_spans(
    start: int, end: int, timezone: str, interval: Interval, days: tuple[int, ...]
) -> Iterator[tuple[int, int]]:
    """Yield the spans of `interval` that overlap [`start`, `end`), whole and in order, µs UTC.

    One begins on each of `days` (0 = Monday) by the wall clock; over midnight it is one span. A time that the
    clock skips is taken as before the jump, of one that comes twice the first.
    """
    zone = _zone(timezone)
    first = datetime.fromtimestamp(start // SECOND, zone).toordinal() - 1
    last = datetime.fromtimestamp(end // SECOND, zone).toordinal()
    begins, stops = interval
    for number in range(first, last + 1):
        day = date.fromordinal(number)
        if day.weekday() not in days:
            continue
        follows = day if begins < stops else date.fromordinal(number + 1)
        span = _at(zone, day, begins), _at(zone, follows, stops)
        if span[0] < end and start < span[1]:
            yield span


def _at(zone: ZoneInfo, day: date, minutes: int) -> int:
    """Return when the wall clock shows so many minutes of a day, µs UTC."""
    extra, minutes = divmod(minutes, DAY_MINUTES)
    local = datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone)
    return _micros(local.astimezone(UTC)) + extra * DAY


def valid_span(first: date, last: date, timezone: str) -> tuple[int, int]:
    """Return [00:00 of `first`, 24:00 of `last`) by the wall clock of `timezone` as µs UTC.

    Where 00:00 comes twice the first one counts, where it is skipped the jump does. `last` before `first`
    gives an empty span. The 24:00 of 9999-12-31 is the last microsecond there is.
    """
    zone = _zone(timezone)
    begin = _midnight(zone, first)
    if last < first:
        return begin, begin
    if last == date.max:
        return begin, _micros(datetime.max.replace(tzinfo=UTC))
    return begin, max(begin, _midnight(zone, date.fromordinal(last.toordinal() + 1)))


@lru_cache(maxsize=1024)
def _is_timezone(name: str) -> bool:
    if name in {"localtime", "posixrules", "Factory"} or name.startswith(("posix/", "right/")):
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of the database, as in `America`
        return False
    return True


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    if not is_timezone(name):
        raise ValueError(f"expected an IANA time zone such as `Asia/Shanghai`, was `{name}`")
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def _union(intervals: tuple[Interval, ...]) -> tuple[tuple[int, int], ...]:
    """Cut the intervals at midnight, in µs of the day. They may overlap: leaving one then finds the next."""
    spans: set[tuple[int, int]] = set()
    for start, end in intervals:
        pieces = [(start, end)] if start < end else [(start, DAY_MINUTES), (0, end)]
        spans.update((begin * MINUTE, stop * MINUTE) for begin, stop in pieces if begin < stop)
    return tuple(sorted(spans))


@lru_cache(maxsize=16_384)
def _stretches(name: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """Cut the UTC day number `day` (since 1970) into (start, end, offset), all µs, of constant UTC offset."""
    zone = _zone(name)
    first, last = day * 86_400, (day + 1) * 86_400
    found: list[tuple[int, int, int]] = []
    start, offset, seen = first, _offset(zone, first), first
    while seen < last:
        ahead = seen + _SCAN
        if _offset(zone, ahead) == offset:
            seen = ahead
            continue
        seen = _change(zone, seen, ahead)
        if seen < last:  # a change at the very end belongs to the next day
            found.append((start * SECOND, seen * SECOND, offset * SECOND))
            start, offset = seen, _offset(zone, seen)
    found.append((start * SECOND, last * SECOND, offset * SECOND))
    return tuple(found)


def _offset(zone: ZoneInfo, second: int) -> int:
    """Seconds east of UTC at a second since 1970."""
    return _east(datetime.fromtimestamp(second, zone)) // SECOND


def _east(local: datetime) -> int:
    """µs east of UTC of an aware time."""
    delta = local.utcoffset()
    assert delta is not None  # a ZoneInfo always knows
    return delta // datetime.resolution


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """Return the first second in (low, high] whose offset is not that of `low`, where there is one change."""
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _midnight(zone: ZoneInfo, day: date) -> int:
    """Return the first µs at which the wall clock shows `day`."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    wall = _micros(local.replace(tzinfo=UTC))
    before, after = _east(local.replace(fold=0)), _east(local.replace(fold=1))
    if after <= before:  # an ordinary midnight or one that comes twice: fold 0 is the first
        return wall - before
    # Skipped: with the offset before the jump it would come at or after it, with the one after it before it.
    return _change(zone, (wall - after) // SECOND, (wall - before) // SECOND) * SECOND


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution
