"""Times of generated cases: durations as rule text, a coarse grid, starts around DST changes and midnights.

All times are int µs UTC, all durations int µs.
"""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WINDOW = 48 * HOUR
"""No path of nested windows may be longer (semantics 3)."""

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
_SIZE = dict(_PARTS)


def micros(text: str) -> int:
    """Read an ISO time with offset as µs UTC."""
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


CHANGES: tuple[tuple[str, int], ...] = (
    ("Europe/Berlin", micros("2026-03-29T01:00:00+00:00")),
    ("Europe/Berlin", micros("2026-10-25T01:00:00+00:00")),
    ("America/New_York", micros("2026-03-08T07:00:00+00:00")),
    ("America/New_York", micros("2026-11-01T06:00:00+00:00")),
    ("Australia/Lord_Howe", micros("2026-04-04T15:00:00+00:00")),  # half an hour back
    ("Australia/Lord_Howe", micros("2026-10-03T15:30:00+00:00")),  # half an hour ahead
)
"""Zone and instant of its DST changes in 2026."""


@lru_cache(maxsize=8)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local(t: int, name: str) -> datetime:
    """Wall time of `t` in a zone."""
    return (_EPOCH + timedelta(microseconds=t)).astimezone(zone(name))


def minute_of_day(t: int, name: str) -> int:
    wall = local(t, name)
    return wall.hour * 60 + wall.minute


def clock_text(minute: int) -> str:
    """Minutes since 00:00 (any sign, wrapped at 24 h) as `HH:MM`."""
    minute %= 24 * 60
    return f"{minute // 60:02d}:{minute % 60:02d}"


def duration_text(us: int) -> str:
    """Write a duration of whole seconds the way rules do: `2d`, `90s`, `1h30m`."""
    if us <= 0 or us % SECOND:
        raise ValueError(f"expected a duration of whole seconds above 0, was {us} µs")
    if us % DAY == 0 and us > 2 * DAY:
        return f"{us // DAY}d"
    text = ""
    for letter, size in _PARTS[1:]:
        if us >= size:
            text += f"{us // size}{letter}"
            us %= size
    return text


@lru_cache(maxsize=4096)
def duration(text: str) -> int:
    """Read what `duration_text` writes, in µs."""
    return sum(int(n) * _SIZE[letter] for n, letter in re.findall(r"(\d+)([dhms])", text))


def pick_unit(rng: random.Random) -> int:
    """The grid of a case: its windows, waits and gaps are small multiples of this."""
    return rng.choice(
        (
            *(SECOND, 30 * SECOND, MINUTE, 10 * MINUTE, 10 * MINUTE, 30 * MINUTE, 30 * MINUTE),
            *(HOUR, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR),
        )
    )


def pick_start(rng: random.Random, unit: int) -> tuple[int, str]:
    """A start and a zone for which it matters: near a DST change, near a local midnight, or any minute."""
    dice = rng.random()
    if dice < 0.45:
        name, change = rng.choice(CHANGES)
        return change - rng.randrange(8) * unit, name
    name = rng.choice(ZONES)
    day = datetime(2026, 9, rng.randrange(1, 29), tzinfo=zone(name))
    if dice < 0.75:
        start = (day - _EPOCH) // timedelta(microseconds=1)
        return start - rng.randrange(6) * unit, name
    minutes = rng.choice((600, 605, 840, 1080, 1170, 1255))
    return (day - _EPOCH) // timedelta(microseconds=1) + minutes * MINUTE, name
