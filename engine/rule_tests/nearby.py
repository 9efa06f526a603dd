"""The neighbours of what is written: the same test, number or window one step to either side.

A step is one of the smallest unit written: of `58 yuan` 1 yuan, of `9.9 yuan` 0.1 yuan, of `12h` an hour, of
`1h30m` a minute. Neighbours are written as an author would write them and read by the reader of rules, so
that no text here means anything else than in a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from engine.language import words
from engine.language.model import DAY, HOUR, MINUTE, FieldType, Interval, Test

SECOND: Final = words.SECOND
_ORDERED: Final[dict[str, str]] = {
    "at_least": "at least", "at_most": "at most", "over": "over", "under": "under"
}  # fmt: skip
_AMOUNT: Final = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(\s*\S*)")
_LENGTHS: Final[tuple[FieldType, ...]] = ("duration",)


def tests(test: Test) -> Iterator[Test]:
    """Yield the neighbours of one line of `who`, `except`, `where`, `unless` or `if`.

    A mark is moved by a step down and up, both ends of a range too, and a written list is tried without each
    of its values. Other tests have none.
    """
    if test.op in _ORDERED:
        word = _ORDERED[test.op]
        for text, value in _amounts(test.text.removeprefix(word).strip(), test.type):
            yield replace(test, values=(value,), text=f"{word} {text}")
    elif test.op == "between":
        low, high = _ends(test)
        for text, value in _amounts(low, test.type):
            if value <= test.values[1]:  # type: ignore[operator]
                yield replace(test, values=(value, test.values[1]), text=f"{text} to {high}")
        for text, value in _amounts(high, test.type):
            if test.values[0] <= value:  # type: ignore[operator]
                yield replace(test, values=(test.values[0], value), text=f"{low} to {text}")
    elif test.text.startswith("["):
        listed = test.text[1:-1].split(", ")
        if len(listed) == len(test.values) > 1:  # else the name of a list stands in it, for its many members
            for number, name in enumerate(listed):
                kept = tuple(value for at, value in enumerate(test.values) if at != number)
                yield replace(test, values=kept, text=f"{test.text} without {name}")


def marks(value: float, type: FieldType) -> Iterator[tuple[str, int | float]]:
    """Yield the neighbours of the mark of a `total`, as written and in the unit of its type."""
    for text, near in _amounts(write_amount(value, type), type):
        if near > 0:
            yield text, near


def lengths(length: int) -> Iterator[int]:
    """Yield a window or wait a step shorter and a step longer, µs; never zero."""
    step = _step(length)
    if step == length:  # of `1h` not nothing, but 59m
        step = next((unit for unit in (HOUR, MINUTE, SECOND) if unit < length), length)
    if length > step:
        yield length - step
    yield length + _step(length)


def days(listed: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield days of the week without one at the edge of a run, or with one more beside it."""
    for day in range(7):
        beside = {(day - 1) % 7 in listed, (day + 1) % 7 in listed}
        if day in listed and False in beside and len(listed) > 1:
            yield tuple(other for other in listed if other != day)
        elif day not in listed and True in beside:
            yield tuple(sorted((*listed, day)))


def intervals(interval: Interval) -> Iterator[Interval]:
    """Yield a span of the day with either end a minute earlier or later."""
    start, end = interval
    for step in (-1, 1):
        yield (start + step) % 1_440, end
    for step in (-1, 1):
        yield start, (end + step - 1) % 1_440 + 1


def write_interval(interval: Interval) -> str:
    """Write minutes of the day as `21:00 to 09:00`."""
    start, end = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in interval)
    return f"{start} to {end}"


def write_amount(value: float, type: FieldType) -> str:
    """Write a number in the unit of its type as `words.amount` reads it: `500 MB`, `58 yuan`, `30s`."""
    if type == "duration":
        return words.write_duration(round(value) * SECOND)
    number = format(Decimal(repr(value)).normalize(), "f")
    if type == "bytes":
        name, worth = next(
            (
                (unit, worth)
                for unit, worth in reversed(words.UNITS["bytes"].items())
                if value % int(worth) == 0
            ),
            ("KB", words.UNITS["bytes"]["KB"]),
        )
        return f"{format((Decimal(repr(value)) / worth).normalize(), 'f')} {name}"
    return {"money": f"{number} yuan", "percent": f"{number}%"}.get(type, number)


def _amounts(text: str, type: FieldType) -> Iterator[tuple[str, int | float]]:
    """Yield an amount a step down and a step up: as written, and its value. Amounts stay zero or more."""
    if type in _LENGTHS:
        for length in lengths(words.duration(text)):
            written = words.write_duration(length)
            yield written, words.amount(written, type)
        return
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return
    number = Decimal(found[1])
    exponent = number.as_tuple().exponent
    step = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    for moved in (number - step, number + step):
        written = f"{moved}{found[2]}"
        if moved < 0 <= number:
            continue
        try:
            yield written, words.amount(written, type)
        except words.Unreadable:  # 101%
            continue


def _ends(test: Test) -> tuple[str, str]:
    """Split `20 to 50 yuan` into its ends, each with its unit."""
    low, high = re.split(r"\s+to\s+", test.text, maxsplit=1)
    unit = _AMOUNT.fullmatch(high)
    if test.type in words.UNITS and unit is not None and re.fullmatch(r"[+-]?[0-9.]+", low):
        low += unit[2]
    return low, high


def _step(length: int) -> int:
    if length >= 3 * DAY and length % DAY == 0:  # below, days are written as hours
        return DAY
    return next((unit for unit in (HOUR, MINUTE) if length and length % unit == 0), SECOND)
