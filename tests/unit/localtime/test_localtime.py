"""Quiet time and validity by the wall clock, against stepping through time minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.localtime import (
    DAY,
    MINUTE,
    QUIET_CAP,
    SECOND,
    Interval,
    is_timezone,
    quiet_end,
    quiet_start,
    valid_span,
)

NIGHT: tuple[Interval, ...] = ((21 * 60, 9 * 60),)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(text: str, zone: str = "Asia/Shanghai", fold: int = 0) -> int:
    """µs UTC of a wall-clock time."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return (local.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def clock_minutes(moment: int, zone: str) -> float:
    local = (EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute + (local.second + local.microsecond / SECOND) / 60


def is_quiet(moment: int, zone: str, intervals: tuple[Interval, ...]) -> bool:
    clock = clock_minutes(moment, zone)
    return any(a <= clock < b if a < b else clock >= a or clock < b for a, b in intervals)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-09-07 12:00", "2026-09-07 12:00"),
        ("2026-09-07 20:59:59.999999", "2026-09-07 20:59:59.999999"),
        ("2026-09-07 21:00", "2026-09-08 09:00"),
        ("2026-09-08 00:00", "2026-09-08 09:00"),
        ("2026-09-08 08:59:59.999999", "2026-09-08 09:00"),
        ("2026-09-08 09:00", "2026-09-08 09:00"),
    ],
)
def test_night(now: str, end: str) -> None:
    assert quiet_end(at(now), "Asia/Shanghai", NIGHT) == at(end)


def test_intervals_are_one_union() -> None:
    touching = ((21 * 60, 9 * 60), (9 * 60, 10 * 60), (9 * 60 + 30, 11 * 60))
    assert quiet_end(at("2026-09-07 23:00"), "Asia/Shanghai", touching) == at("2026-09-08 11:00")
    assert quiet_end(at("2026-09-07 23:00"), "Asia/Shanghai", ()) == at("2026-09-07 23:00")


def test_midnight_is_no_gap() -> None:
    split = ((21 * 60, 24 * 60), (0, 9 * 60))
    assert quiet_end(at("2026-09-07 22:00"), "Asia/Shanghai", split) == at("2026-09-08 09:00")


@pytest.mark.parametrize(
    "whole", [((0, 1440),), ((600, 600),), ((0, 720), (720, 0)), ((1260, 540), (540, 1260))]
)
def test_a_whole_day_of_quiet_ends_at_the_cap(whole: tuple[Interval, ...]) -> None:
    now = at("2026-09-07 12:34:56.789")
    assert quiet_end(now, "Asia/Shanghai", whole) == now + QUIET_CAP


def test_clock_put_forward_over_the_end() -> None:
    # Berlin, 2026-03-29: 02:00 becomes 03:00, so 02:30 does not exist
    end = quiet_end(at("2026-03-29 01:00", "Europe/Berlin"), "Europe/Berlin", ((60, 150),))
    assert end == at("2026-03-29 03:00", "Europe/Berlin")
    assert end - at("2026-03-29 01:00", "Europe/Berlin") == 60 * MINUTE


def test_clock_put_forward_into_quiet_time() -> None:
    # the jump lands inside: 01:30 is free, and the first free moment after 01:59:59 is 03:15
    now = at("2026-03-29 01:59:59.999999", "Europe/Berlin")
    quiet = ((150, 195),)
    assert quiet_end(now, "Europe/Berlin", quiet) == now
    assert quiet_end(now + 1, "Europe/Berlin", quiet) == at("2026-03-29 03:15", "Europe/Berlin")


def test_the_only_free_hour_is_skipped() -> None:
    # free from 02:00 to 03:00 only, which 2026-03-29 does not have
    now = at("2026-03-28 03:00", "Europe/Berlin")
    assert quiet_end(now, "Europe/Berlin", ((180, 120),)) == at("2026-03-30 02:00", "Europe/Berlin")


def test_clock_put_back() -> None:
    # Berlin, 2026-10-25: 03:00 becomes 02:00
    quiet = ((120, 150),)
    first, second = (at("2026-10-25 02:10", "Europe/Berlin", fold) for fold in (0, 1))
    assert second - first == 60 * MINUTE
    assert quiet_end(first, "Europe/Berlin", quiet) == first + 20 * MINUTE
    assert quiet_end(second, "Europe/Berlin", quiet) == second + 20 * MINUTE
    # quiet up to the jump and again after it
    assert quiet_end(first, "Europe/Berlin", ((120, 180),)) == at("2026-10-25 03:00", "Europe/Berlin")


ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Havana",
    "UTC",
    "Asia/Kathmandu",
]
CHANGES = [  # UTC: near DST changes of the zones above, and an ordinary day
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2009, 11, 1, 2, 31, tzinfo=UTC),
    datetime(2025, 11, 2, 5, tzinfo=UTC),
    datetime(2026, 9, 7, tzinfo=UTC),
]


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    near=st.sampled_from(CHANGES),
    minutes=st.integers(-300, 300),
    micros=st.sampled_from([0, 1, MINUTE - 1]),
    intervals=st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1440)), min_size=1, max_size=3).map(
        tuple
    ),
)
def test_agrees_with_walking_minute_by_minute(
    zone: str, near: datetime, minutes: int, micros: int, intervals: tuple[Interval, ...]
) -> None:
    now = (near - EPOCH) // timedelta(microseconds=1) + minutes * MINUTE + micros
    found = quiet_end(now, zone, intervals)
    if not is_quiet(now, zone, intervals):
        assert found == now
        return
    step = now - now % MINUTE + MINUTE  # all ends and changes fall on whole minutes
    while is_quiet(step, zone, intervals) and step < now + 3 * DAY:
        step += MINUTE
    assert found == (step if step < now + 3 * DAY else now + QUIET_CAP)


@pytest.mark.parametrize(
    ("zone", "first", "last", "begin", "end"),
    [
        ("Asia/Shanghai", "2026-09-01", "2026-09-30", "2026-08-31T16:00", "2026-09-30T16:00"),
        ("UTC", "2026-01-01", "2026-12-31", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        # 00:00 skipped: the day opens at 01:00
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        # 23:30 to 00:30 skipped: the day opens at 00:30
        ("America/Toronto", "1919-03-31", "1919-03-31", "1919-03-31T04:30", "1919-04-01T04:00"),
        # 00:00 comes twice: the first
        ("America/Havana", "2025-11-02", "2025-11-02", "2025-11-02T04:00", "2025-11-03T05:00"),
        # a date that never was
        ("Pacific/Apia", "2011-12-30", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
        ("UTC", "2026-02-02", "2026-02-01", "2026-02-02T00:00", "2026-02-02T00:00"),
    ],
)
def test_valid_span(zone: str, first: str, last: str, begin: str, end: str) -> None:
    span = valid_span(date.fromisoformat(first), date.fromisoformat(last), zone)
    assert span == (at(begin, "UTC"), at(end, "UTC"))


def test_valid_to_the_end_of_time() -> None:
    begin, end = valid_span(date(2026, 1, 1), date.max, "Asia/Shanghai")
    assert begin < end


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "America/Argentina/Ushuaia"])
def test_zones(name: str) -> None:
    assert is_timezone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Asia",
        "Asia/",
        "Mars/Base",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "a\0b",
        "中国",
        "x" * 70_000,
    ],
)
def test_no_zones(name: str) -> None:
    assert not is_timezone(name)


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(ValueError, match=r"expected an IANA time zone .* was `Mars/Base`"):
        quiet_end(0, "Mars/Base", NIGHT)


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-09-07 12:00", "2026-09-07 21:00"),
        ("2026-09-07 20:59:59.999999", "2026-09-07 21:00"),
        ("2026-09-07 21:00", "2026-09-07 21:00"),
        ("2026-09-08 08:59:59", "2026-09-08 08:59:59"),
        ("2026-09-08 09:00", "2026-09-08 21:00"),
    ],
)
def test_the_next_quiet_time(now: str, start: str) -> None:
    assert quiet_start(at(now), "Asia/Shanghai", NIGHT, at("2026-09-10 00:00")) == at(start)


def test_the_next_quiet_time_is_not_looked_for_beyond_a_limit() -> None:
    noon, one = at("2026-09-07 12:00"), at("2026-09-07 13:00")
    assert quiet_start(noon, "Asia/Shanghai", NIGHT, one) == one
    assert quiet_start(noon, "Asia/Shanghai", (), one) == one


@given(
    start=st.sampled_from(["2026-10-24 00:00", "2026-03-28 12:00", "2026-10-03 15:00", "2026-04-04 15:00"]),
    minutes=st.integers(0, 3 * 1_440),
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Shanghai"]),
    begin=st.integers(0, 1_439),
    length=st.integers(1, 1_300),
)
@settings(max_examples=60, deadline=None)
def test_the_next_quiet_time_is_what_stepping_through_minutes_finds(
    start: str, minutes: int, zone: str, begin: int, length: int
) -> None:
    now = at(start, "UTC") + minutes * MINUTE
    until = now + 2 * DAY
    intervals = ((begin, (begin + length) % 1_440),)
    found = next((m for m in range(now, until, MINUTE) if is_quiet(m, zone, intervals)), until)
    assert quiet_start(now, zone, intervals, until) == found
