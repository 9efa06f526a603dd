"""The small words of the language as schemas: lengths of time, limits, spans, shares, whole numbers.

A schema takes what the function of `engine.language.words` takes, and a little more: the 30th of February
fits the form of a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language.editor.scalars import Schema, text
from engine.language.lengths import FORM
from engine.language.words import FORMS, NUMBER

LENGTH: Final = rf"(?=[0-9]){FORMS['duration']}"
"""A length of time as a regular expression."""
SOME: Final = r"(?=\S*[1-9])"
"""Before a length of time or a number: it is not nothing."""
_CLOCK: Final = FORMS["clock"]


def duration(*examples: str, zero: bool = False) -> Schema:
    """Describe a length of time; nothing at all only if `zero`."""
    said = "expected a length of time, such as 30m, 48h or 7d"
    return text((f"^{'' if zero else SOME}{LENGTH}$", said), examples=examples, number=False)


def offset() -> Schema:
    """Describe the distance from the start of a case."""
    said = "expected a time after the start, such as +0m or +1h30m"
    return text((rf"^\+{LENGTH}$", said), examples=("+0m", "+30m", "+1h"), number=False)


def cap(*examples: str) -> Schema:
    """Describe a limit: so many in a length of time."""
    said = "expected a limit, such as 1 in 30d"
    return text((rf"^{SOME}[0-9]{{1,9}}\s+in\s+{SOME}{LENGTH}$", said), examples=examples, number=False)


def days(*examples: str) -> Schema:
    """Describe a span of days."""
    said = "expected a span of days, such as 2026-09-01 to 2026-09-30"
    return text((rf"^{FORMS['day']}\s+to\s+{FORMS['day']}$", said), examples=examples, number=False)


def moment(*examples: str) -> Schema:
    """Describe a local day and time."""
    said = "expected a day and time, such as 2026-09-05 10:00"
    return text((f"^{FORMS['moment']}$", said), examples=examples, number=False)


def interval(*examples: str) -> Schema:
    """Describe a span of the day."""
    said = "expected a span of the day, such as 21:00 to 09:00"
    return text((rf"^{_CLOCK}\s+to\s+{_CLOCK}$", said), examples=examples, number=False)


def share(*examples: str) -> Schema:
    """Describe a percentage."""
    return text((rf"^{NUMBER}\s*%$", "expected a share, such as 10%"), examples=examples, number=False)


def integer(low: int, high: int, examples: Iterable[int] = ()) -> Schema:
    """Describe a whole number between two bounds, both included; quoted it is one as well."""
    said = f"expected a whole number from {low} to {high:,}"
    return {
        "type": ["integer", "string"],
        "minimum": low,
        "maximum": high,
        "pattern": "^[+-]?[0-9]{1,18}$",
        "errorMessage": said,
        "examples": list(examples),
    }


def distance(*examples: str) -> Schema:
    """Describe a distance."""
    said = "expected a distance, such as 300m or 1.5km"
    return text((rf"^\s*{FORM}\s*$", said), examples=examples, number=False)


def degrees(most: int, example: float) -> Schema:
    """Describe an angle from `-most` to `most`; quoted it is one as well."""
    return {
        "type": ["number", "string"],
        "minimum": -most,
        "maximum": most,
        "pattern": r"^\s*[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?\s*$",
        "errorMessage": f"expected degrees from -{most} to {most}",
        "examples": [example],
    }


def one_or_more(value: Schema, least: int = 0) -> Schema:
    """Describe a value or a list of such."""
    several = {"title": "list", "type": "array", "items": value, "minItems": least}
    return {"anyOf": [{"title": "one", **value}, several]}
