"""Read the values of rules: durations, amounts with units, and the tests written in words.

Sentence numbers (`4.11`, `7(t)`) are those of the semantics page. Durations are
int µs, amounts exact fractions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 86_400 * SECOND  # 4.10: 1 d in caps is 86,400 s
TWO_DAYS = 48 * HOUR

_TIME_UNITS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
# 4.11: KB MB GB are powers of 1,024; money is a number of yuan, percent 0 to 100
_UNITS = {
    "": Fraction(1),
    "yuan": Fraction(1),
    "fen": Fraction(1, 100),
    "%": Fraction(1),
    "B": Fraction(1),
    "KB": Fraction(1024),
    "MB": Fraction(1024**2),
    "GB": Fraction(1024**3),
}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?)\s*(yuan|fen|%|B|KB|MB|GB|)")

Equal: TypeAlias = Callable[[str], bool]


def read_seconds(text: str) -> Fraction | None:
    """Read `48h1s` as seconds; None if it is no duration."""
    bare = text.replace(" ", "")
    if not bare or _TIME.sub("", bare):
        return None
    return sum((Fraction(n) * _TIME_UNITS[unit] for n, unit in _TIME.findall(bare)), Fraction(0))


def read_time(text: str) -> int:
    """Read `30m` as µs."""
    seconds = read_seconds(text)
    if seconds is None:
        raise ValueError(f"expected a time such as 30m, was {text!r}")
    return int(seconds * SECOND)


def read_amount(text: str) -> Fraction | None:
    """Read `58 yuan`, `5800 fen`, `20%`, `300 MB`, `30s`, `12` in the unit of records and profiles (4.11)."""
    found = _AMOUNT.fullmatch(text.strip())
    if found:
        return Fraction(found[1]) * _UNITS[found[2]]
    return read_seconds(text.strip())


def read_share(text: str) -> Fraction:
    """Read `10%` as 1/10."""
    amount = read_amount(text)
    if amount is None:
        raise ValueError(f"expected a share such as 10%, was {text!r}")
    return amount / 100


def read_cap(text: str) -> tuple[int, int]:
    """Read `2 in 30d` as (2, 30 days in µs)."""
    number, _, span = text.partition(" in ")
    return int(number), read_time(span)


def number_of(value: object) -> Fraction | None:
    """Give the exact number of a JSON value; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return Fraction(value)
    if isinstance(value, float):
        return Fraction(repr(value))
    return read_amount(value) if isinstance(value, str) else None


def text_of(value: object) -> str:
    """Write a JSON scalar as a rule would name it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def equals(value: object, text: str, as_text: bool) -> bool:
    """Say whether a known JSON value is the VALUE of a rule; of a set: whether an element is (4.7)."""
    if isinstance(value, list):
        return any(text_of(one) == text for one in value)
    if isinstance(value, bool):
        return text.lower() in (("yes", "true") if value else ("no", "false"))
    if isinstance(value, int | float) and not as_text:
        amount = read_amount(text)
        return amount is not None and number_of(value) == amount
    return text_of(value) == text  # 4.11: text compares exactly


def holds(test: Any, value: object, as_text: bool = False, equal: Equal | None = None) -> bool:
    """Say whether a test holds for a KNOWN value. `equal` replaces the comparison with one VALUE."""
    same: Equal = equal or (lambda text: equals(value, text, as_text))
    if isinstance(test, list):
        return any(same(str(one)) for one in test)
    words = str(test)
    if words.startswith("not "):
        return not same(words[4:].strip())
    if equal is None and not as_text:
        compared = _compare(words, number_of(value))
        if compared is not None:
            return compared
    return same(words)


def _compare(words: str, number: Fraction | None) -> bool | None:
    """Judge `at least A`, `at most A`, `over A`, `under A`, `A to B`; None if the words are none of these."""
    for prefix, judge in _WORDS.items():
        if words.startswith(prefix + " "):
            mark = read_amount(words[len(prefix) :])
            if mark is not None:
                return number is not None and judge(number, mark)
    low_text, middle, high_text = words.partition(" to ")
    if middle:
        low, high = read_amount(low_text), read_amount(high_text)
        if low is not None and high is not None:
            return number is not None and low <= number <= high  # 4.11: both ends
    return None


_WORDS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "at least": lambda number, mark: number >= mark,
    "at most": lambda number, mark: number <= mark,
    "over": lambda number, mark: number > mark,
    "under": lambda number, mark: number < mark,
}
