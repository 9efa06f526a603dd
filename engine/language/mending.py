"""What an author meant by a value that can't be read: tried, and proposed only if it can be read.

A value is rewritten step by step: wide characters to plain ones, `2026-9-1` to `2026-09-01`, `3 days` to
`3d`, `20 percent` to `20%`, `17-26` to `17 to 26`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from engine.language.suggest import plain_form

_UNITS: Final = {
    r"days?|天|日": "d", r"hours?|hrs?|个?小时": "h", r"minutes?|mins?|分钟?": "m",
    r"seconds?|secs?|秒钟?": "s", r"percent|pct": "%", r"rmb|cny|元|块钱?": " yuan",
}  # fmt: skip
_SIZES: Final = {r"kb|k": " KB", r"mb|m": " MB", r"gb|g": " GB"}
_DATE = re.compile(r"\b([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_TO: Final = "(?:-|~|to|至|到|until)"
_SIGNS: Final = {r">=|≥": "at least ", r"<=|≤": "at most ", r">": "over ", r"<": "under ", r"!=|≠": "not "}


def mend(text: str, reads: Callable[[str], object]) -> str:
    """Write the hint for a value that can't be read, or nothing. `reads` raises ValueError for such."""
    written = text
    for step in _STEPS:
        written = step(written)
        if written == text:
            continue
        try:
            reads(written)
        except ValueError:
            continue
        return f"did you mean `{written}`?"
    return ""


def _dates(text: str) -> str:
    return _DATE.sub(lambda found: f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}", text)


def _spaces(text: str) -> str:
    """`1 h 30 m` to `1h30m`, `21 : 00` to `21:00`."""
    text = re.sub(r"(?<=[0-9]) +(?=[dhms%](?:[ 0-9]|$))|(?<=[0-9][dhms]) +(?=[0-9]+ *[dhms])", "", text)
    return re.sub(r"(?<=[0-9]) *: *(?=[0-9])", ":", text)


def _units(text: str) -> str:
    return re.sub(r"[¥$](?=[0-9])([0-9.]+)", r"\1 yuan", _replace(text, _UNITS))


def _sizes(text: str) -> str:
    return _replace(text, _SIZES)


def _replace(text: str, units: Mapping[str, str]) -> str:
    for words, unit in units.items():
        text = re.sub(rf"(?<=[0-9]) *(?:{words})(?![a-zA-Z])", unit, text, flags=re.IGNORECASE)
    return text


def _ranges(text: str) -> str:
    if _DATE.search(text):
        return re.sub(rf"({_DATE.pattern})\s*{_TO}\s*(?={_DATE.pattern})", r"\1 to ", text)
    return re.sub(rf"(?<=[0-9a-zA-Z%]) *{_TO} *(?=[0-9])", " to ", text)


def _caps(text: str) -> str:
    """`1 per 30d`, `1/30d` to `1 in 30d`; `once`, `twice`."""
    text = re.sub(r"^once\b", "1", re.sub(r"^twice\b", "2", text))
    return re.sub(
        r"^([0-9]+) *(?:x|times?|次)? *(?:per|every|each|a|in|/|within) *(?=[0-9])", r"\1 in ", text
    )


def _signs(text: str) -> str:
    for sign, word in _SIGNS.items():
        text = re.sub(rf"^(?:{sign}) *", word, text)
    return text


def _percent(text: str) -> str:
    """`5` to `5%`, and the share `0.1` to `10%`."""
    if re.fullmatch(r"0?\.[0-9]{1,4}", text):
        return f"{(Decimal(text) * 100).normalize():f}%"
    return f"{text}%"


_STEPS: Final = (plain_form, _dates, _spaces, _units, _spaces, _ranges, _sizes, _caps, _signs, _percent)
