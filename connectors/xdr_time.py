"""Times of xDR files: epoch numbers and fixed patterns, read straight from bytes to µs UTC.

`datetime.strptime` costs 8 µs per time and knows no `[.f]`; a compiled pattern with a memory of days costs 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.refusals import Bad, quote

ReadTime = Callable[[bytes], int]

EPOCHS = {"epoch s": 1_000_000, "epoch ms": 1_000, "epoch us": 1}
ISO = "iso"
"""Date and time of ISO 8601 and RFC 3339, with or without an offset: 2026-09-07T08:30:00.123Z."""

_DIRECTIVES = {
    "%Y": r"(?P<Y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{2})",
    "%d": r"(?P<d>\d{2})",
    "%H": r"(?P<H>\d{2})",
    "%M": r"(?P<M>\d{2})",
    "%S": r"(?P<S>\d{2})",
    "%f": r"(?P<f>\d{1,9})",
}
_OPTIONAL_FRACTION = "[.%f]"
_SECOND = 1_000_000
_DATE = len("2026-09-07")
_DAYS_AT_MOST = 1_000
_SECONDS_AT_MOST = 20_000
_POINT = ord(".")
_EPOCH_NUMBER = re.compile(rb"[+-]?\d{1,18}(\.\d{1,9})?\Z")


def time_reader(format: str, utc_offset: int) -> ReadTime:
    """Return a function from the bytes of a column to µs UTC; it raises `Bad` with reason `time`.

    `format`: `epoch s`, `epoch ms`, `epoch us` (fractions are kept), `iso` or a pattern of
    `%Y %y %m %d %H %M %S %f`, with `[.%f]` for a fraction that may be missing. `utc_offset`: of the local
    time of the file, in µs. Raises ValueError saying what is wrong with the format.
    """
    if format in EPOCHS:
        return _epoch_reader(format, EPOCHS[format])
    if format == ISO:
        return _iso_reader(utc_offset)
    return _pattern_reader(format, utc_offset)


def quick_time(format: str, utc_offset: int, careful: ReadTime | Callable[[bytes], int | None]) -> Any:
    """Return a function that reads times as `careful` does, which it asks for all but the usual ones.

    Usual: digits alone for an epoch; for a pattern whose fraction, if any, comes last, a second that it has
    met before. The log of an hour has 3,600 of them.
    """
    if format in EPOCHS:
        unit = EPOCHS[format]

        def read_epoch(text: bytes) -> int | None:
            if text.isdigit() and len(text) <= 18:
                return int(text) * unit
            return careful(text)

        return read_epoch
    head, fraction = _split_fraction(format)
    if head is None:
        return careful
    length = len(datetime(2000, 1, 1, tzinfo=UTC).strftime(head).encode())
    must_have = fraction == ".%f"
    by_minute = head.endswith("%S")
    seconds: dict[bytes, int] = {}
    minutes: dict[bytes, int] = {}

    def read(text: bytes) -> int | None:
        second = seconds.get(text[:length])
        rest = text[length:]
        if second is None:
            second = begin(text)
        if second is None or (not rest and must_have):
            return careful(text)
        if not rest:
            return second
        digits = rest[1:]
        if fraction and rest[0] == _POINT and digits.isdigit() and len(digits) <= 9:
            return second + int(digits[:6].ljust(6, b"0"))
        return careful(text)

    def begin(text: bytes) -> int | None:
        """Find out where a new second begins; None if that is not known of its minute yet."""
        minute = minutes.get(text[: length - 2])
        digits = text[length - 2 : length]
        if minute is None:
            value = careful(text)
            if value is None or not by_minute or not text[:1].isdigit():
                return None  # with a space before it, the second begins elsewhere
            minute = minutes[text[: length - 2]] = value - value % (60 * _SECOND)
        if len(digits) != 2 or not digits.isdigit() or digits >= b"60":
            return None
        if len(seconds) >= _SECONDS_AT_MOST:
            seconds.clear()
            minutes.clear()
        second = seconds[text[:length]] = minute + int(digits) * _SECOND
        return second

    return read


def _split_fraction(format: str) -> tuple[str | None, str]:
    """Return the part of a pattern up to whole seconds, and `[.%f]`, `.%f` or nothing after it.

    None if the length of the first part is not always the same, or the fraction stands elsewhere.
    """
    for fraction in (_OPTIONAL_FRACTION, ".%f", ""):
        if format.endswith(fraction):
            head = format[: len(format) - len(fraction)]
            return (None if "%f" in head or not head.startswith("%") else head), fraction
    return None, ""


def _epoch_reader(format: str, unit: int) -> ReadTime:
    expected = f"a time as {format}"

    def read(text: bytes) -> int:
        if _EPOCH_NUMBER.match(text) is None:
            raise _bad(expected, text)
        whole, _, fraction = text.partition(b".")
        # Padded to a unit that all three forms divide: no rounding through floats.
        return int(whole) * unit + int(fraction.ljust(9, b"0") or b"0") * unit // 1_000_000_000

    return read


def _iso_reader(utc_offset: int) -> ReadTime:
    expected = "a time like 2026-09-07T08:30:00Z"
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    microsecond = timedelta(microseconds=1)

    def read(text: bytes) -> int:
        try:
            # of a date alone it is not known which moment of the day is meant
            found = datetime.fromisoformat(text.decode("ascii")) if len(text) > _DATE else None
        except ValueError:
            found = None
        if found is None:
            raise _bad(expected, text)
        if found.tzinfo is None:
            return (found.replace(tzinfo=UTC) - epoch) // microsecond - utc_offset
        return (found - epoch) // microsecond

    return read


def _pattern_reader(format: str, utc_offset: int) -> ReadTime:
    pattern = re.compile(_expression(format).encode(), re.ASCII)
    expected = f"a time like {format}"
    days: dict[bytes, int] = {}
    short_year = "%y" in format

    def read(text: bytes) -> int:
        match = pattern.match(text)
        if match is None:
            raise _bad(expected, text)
        group = match.group
        year = group("y") if short_year else group("Y")
        date = year + group("m") + group("d")
        midnight = days.get(date)
        if midnight is None:
            number = int(year)
            try:
                day = datetime(
                    number + 2000 if short_year else number, int(group("m")), int(group("d")), tzinfo=UTC
                )
            except ValueError:
                raise _bad(expected, text) from None
            if len(days) >= _DAYS_AT_MOST:
                days.clear()
            midnight = days[date] = int(day.timestamp()) * _SECOND - utc_offset
        hour, minute, second = int(group("H")), int(group("M")), int(group("S"))
        if hour > 23 or minute > 59 or second > 59:
            raise _bad(expected, text)
        fraction = group("f")
        micros = int(fraction[:6].ljust(6, b"0")) if fraction else 0
        return midnight + (hour * 3_600 + minute * 60 + second) * _SECOND + micros

    return read


def _expression(format: str) -> str:
    parts, rest, seen = [], format, set()
    while rest:
        if rest.startswith(_OPTIONAL_FRACTION):
            parts.append(rf"(?:\.{_DIRECTIVES['%f']})?")
            seen.add("%f")
            rest = rest[len(_OPTIONAL_FRACTION) :]
        elif rest[0] == "%":
            directive = rest[:2]
            if directive not in _DIRECTIVES:
                raise ValueError(f"expected only {' '.join(_DIRECTIVES)}, was {directive}")
            if directive in seen:
                raise ValueError(f"expected {directive} once, was twice")
            parts.append(_DIRECTIVES[directive])
            seen.add(directive)
            rest = rest[2:]
        else:
            parts.append(re.escape(rest[0]))
            rest = rest[1:]
    if "%f" not in seen:
        parts.append("(?P<f>)")
    needed = {"%m", "%d", "%H", "%M", "%S"}
    if not needed <= seen or ("%Y" in seen) == ("%y" in seen):
        raise ValueError(
            f"expected %Y or %y and {' '.join(sorted(needed))}, or one of {', '.join((*EPOCHS, ISO))}, "
            f"was {format}"
        )
    return "".join(parts) + r"\Z"


def _bad(expected: str, text: bytes) -> Bad:
    return Bad(expected, quote(text.decode("utf-8", "replace")) if text else "empty", "time")
