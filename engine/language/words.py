"""The small words of the language: durations, amounts with units, dates, times of day, limits.

Every function takes the text as written and returns a typed value, or raises `Unreadable` with what is
wrong in words. Units of the values: durations and windows int µs, record durations seconds, money yuan,
sizes bytes, percent 0 to 100, times of day minutes since 00:00.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from engine.language.model import Cap, FieldType, Interval
from engine.language.suggest import closest, join

SECOND: Final = 1_000_000
UNIT_SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST: Final = 3_650 * 86_400 * SECOND
"""Ten years: no length of time is longer."""

_DURATION = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
NUMBER: Final = r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?"
"""How a number is written."""
_AMOUNT = re.compile(rf"({NUMBER})\s*(\S.*)?", re.DOTALL)
_RANGE = re.compile(r"(\S.*?)\s+to\s+(\S.*)", re.DOTALL)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2})(:[0-9]{2})?")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_CAP = re.compile(r"([0-9]{1,9})\s+in\s+(\S+)")
_DIGITS = re.compile(r"[0-9]+")

FORMS: Final = {
    "duration": _DURATION.pattern, "day": _DATE.pattern, "moment": _MOMENT.pattern, "clock": _CLOCK.pattern
}  # fmt: skip
"""What the small words look like, for the schemas of editors; the functions below say no to more."""
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As a schedule names them."""

UNITS: Final[dict[str, dict[str, Decimal]]] = {
    "money": {"yuan": Decimal(1), "fen": Decimal("0.01")},
    "percent": {"%": Decimal(1)},
    "bytes": {"KB": Decimal(1024), "MB": Decimal(1024**2), "GB": Decimal(1024**3)},
}
"""Field type -> unit -> its worth in the type's own unit."""
_NOUNS: Final = {"money": "an amount of money", "percent": "a percentage", "bytes": "an amount of data"}
_OTHER_UNITS: Final = ("tb", "b", "byte", "bytes", "bit", "bits")
"""No slips of those above."""


class Unreadable(ValueError):
    """A text that is not what its place wants. `message` and `hint` are for the author.

    `listing`: the hint for want of a better one, `engine.language.mending` included.
    """

    def __init__(self, message: str, hint: str = "", listing: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.listing = listing


def duration(text: str) -> int:
    """Read `30m`, `48h1s`, `7d`: days, hours, minutes, seconds in this order; int µs."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        said = f"`{text}` is not a length of time; write it like `30m`, `48h` or `7d`"
        raise Unreadable(said, f"did you mean `{text}m`?" if _DIGITS.fullmatch(text) else "")
    worth = zip(found.groups(), UNIT_SECONDS.values(), strict=True)
    length = SECOND * sum(int(count) * unit for count, unit in worth if count)
    if length > LONGEST:
        raise Unreadable(f"`{text}` is longer than ten years")
    return length


def write_duration(length: int) -> str:
    """Write µs the way an author would: `50h`, `2h30m`; whole days from three days on."""
    seconds = length // SECOND
    if seconds and seconds % 86_400 == 0 and seconds >= 3 * 86_400:
        return f"{seconds // 86_400}d"
    hours, rest = divmod(seconds, 3_600)
    pieces = [
        f"{count}{unit}" for count, unit in ((hours, "h"), (rest // 60, "m"), (rest % 60, "s")) if count
    ]
    return "".join(pieces) or "0m"


def offset(text: str) -> int:
    """Read `+1h59m`, the distance from the start of a case; int µs."""
    if not text.startswith("+"):
        raise Unreadable(f"`{text}` is not a time after the start; write it like `+0m` or `+1h30m`")
    return duration(text[1:])


def integer(text: str, low: int, high: int) -> int:
    """Read a whole number between two bounds, both included."""
    if re.fullmatch(r"[+-]?[0-9]{1,18}", text) is None or not low <= int(text) <= high:
        raise Unreadable(f"expected a whole number from {low} to {high:,}, was `{text}`")
    return int(text)


def amount(text: str, type: FieldType) -> int | float:
    """Read a number in the unit of a field type: `58 yuan`, `20%`, `300 MB`, `30s`, `12`.

    An int where it is whole, else a float.
    """
    if type == "duration":
        try:
            return duration(text) // SECOND
        except Unreadable as wrong:
            raise Unreadable(wrong.message, wrong.hint or comparison_hint(text)) from None
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise Unreadable(f"`{text}` is not {_NOUNS.get(type, 'a number')}", comparison_hint(text))
    number, unit = Decimal(found[1]), found[2] or ""
    units = UNITS.get(type)
    if units is None:
        if unit:
            second = re.fullmatch(rf"[-–~]\s*({NUMBER})", unit)
            ordered = second is not None and Decimal(second[1]) >= number
            hint = f"write `{found[1]} to {second[1]}`" if second is not None and ordered else ""
            raise Unreadable(f"`{text}` is not a number", hint or comparison_hint(text))
        return _number(number)
    if unit not in units:
        is_slip = len(unit.split()) == 1 and unit.casefold() not in _OTHER_UNITS
        near = closest(unit, units) if is_slip else None
        hint = f"did you mean `{found[1]}{'' if near == '%' else ' '}{near}`?" if near else ""
        if unit and not hint and not unit[0].isalpha():  # 1,000 yuan; 50+ yuan
            raise Unreadable(f"`{text}` is not {_NOUNS[type]}", comparison_hint(text))
        raise Unreadable(f"`{text}` needs {'another' if unit else 'a'} unit: {join(units, 'or')}", hint)
    value = _number(number * units[unit])
    if type == "percent" and not 0 <= value <= 100:
        raise Unreadable(f"`{text}` is not between 0% and 100%")
    return round(value) if type == "bytes" else value


def amounts_between(text: str, type: FieldType) -> tuple[int | float, int | float] | None:
    """Read `17 to 26` or `20 to 50 yuan`; None if the text is no range."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    high = amount(found[2], type)
    first, last = found[1], found[2]
    unit = _AMOUNT.fullmatch(last)
    if unit is not None and unit[2] and re.fullmatch(r"[+-]?[0-9.]+", first):
        if type == "duration":
            raise Unreadable(f"`{first}` needs a unit, such as `{first}{unit[2]}`")
        first, last = f"{first}{'' if unit[2] == '%' else ' '}{unit[2]}", unit[1]
    low = amount(first, type)
    if low > high:
        raise Unreadable(f"`{text}` is empty: it ends before it starts", f"write `{last} to {first}`")
    return low, high


def share(text: str) -> float:
    """Read `10%` as 0.1."""
    return float(Decimal(str(amount(text, "percent"))) / 100)


def yes_no(text: str) -> bool:
    """Read `yes` or `no`."""
    if text not in ("yes", "no"):
        meant = {"true": "yes", "y": "yes", "on": "yes", "false": "no", "n": "no", "off": "no"}.get(
            text.lower()
        )
        meant = meant or closest(text, ("yes", "no"))
        raise Unreadable(f"expected `yes` or `no`, was `{text}`", f"did you mean `{meant}`?" if meant else "")
    return text == "yes"


def day(text: str) -> date:
    """Read `2026-09-01`; nothing before 2000, since no record is."""
    try:
        if _DATE.fullmatch(text) and text >= "2000":
            return date.fromisoformat(text)
    except ValueError:  # the 30th of February
        pass
    raise Unreadable(f"`{text}` is not a date; write it like `2026-09-01`")


def days(text: str) -> tuple[date, date]:
    """Read `2026-09-01 to 2026-09-30`: first and last day, both included."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise Unreadable(f"`{text}` is not a span of days; write it like `2026-09-01 to 2026-09-30`")
    first, last = day(found[1]), day(found[2])
    if last < first:
        raise Unreadable(f"`{text}` ends before it starts", f"write `{found[2]} to {found[1]}`")
    return first, last


def days_of_week(text: str) -> tuple[int, ...]:
    """Read `mon` or `mon to fri`, which may run over the end of the week: 0 is Monday."""
    several = [word for word in re.split(r"[\s,，、;；/|&+]+", text) if word and word != "and"]
    if len(several) > 1 and set(several) <= set(DAYS):
        raise Unreadable(
            f"`{text}` is not a day of the week", f"write several as a list: `[{', '.join(several)}]`"
        )
    first, _, last = text.partition(" to ")
    ends = [_day_of_week(word.strip()) for word in ((first, last) if last else (first,))]
    start, end = ends[0], ends[-1]
    return tuple(day % 7 for day in range(start, end + 1 + (7 if end < start else 0)))


def _day_of_week(word: str) -> int:
    if word in DAYS:
        return DAYS.index(word)
    near = closest(word, DAYS) if len(word) <= len("mond") else None
    hint = f"did you mean `{near}`?" if near else ""
    raise Unreadable(f"`{word}` is not a day of the week", hint, "days are " + join(DAYS, "and"))


def moment(text: str) -> datetime:
    """Read `2026-09-05 10:00` or `2026-09-05 10:00:30`, of the years 2000 to 2099; local, without a zone."""
    try:
        if _MOMENT.fullmatch(text) and "2000" <= text < "2100":
            return datetime.fromisoformat(text)
    except ValueError:  # 25:00, or the 30th of February
        pass
    raise Unreadable(f"`{text}` is not a day and time; write it like `2026-09-05 10:00`")


def clock(text: str) -> int:
    """Read `09:00` as minutes since 00:00; `24:00` is the end of the day."""
    found = _CLOCK.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if found is None or int(found[2]) > 59 or minutes > 1_440:
        raise Unreadable(f"`{text}` is not a time of day; write it like `09:00`")
    return minutes


def interval(text: str) -> Interval:
    """Read `21:00 to 09:00`: half-open, may run over midnight."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise Unreadable(f"`{text}` is not a span of the day; write it like `21:00 to 09:00`")
    start, end = clock(found[1]), clock(found[2])
    if start == 1_440:
        raise Unreadable(f"`{text}`: a span starts at `00:00`, not at `24:00`")
    return start, end


def cap(text: str) -> Cap:
    """Read `1 in 30d`."""
    found = _CAP.fullmatch(text)
    if found is None:
        raise Unreadable(f"`{text}` is not a limit; write it like `1 in 30d`")
    if _DIGITS.fullmatch(found[2]):
        raise Unreadable(f"`{text}` is not a limit: `{found[2]}` needs a unit", f"did you mean `{text}d`?")
    window = duration(found[2])
    if int(found[1]) == 0 or window == 0:
        raise Unreadable(f"`{text}` lets nothing through", "set the rule to `paused` if it should not send")
    return Cap(int(found[1]), window)


def is_phone(text: str) -> bool:
    """Tell whether a normalised number is one: digits, of a foreign number with a `+`; at most 20."""
    return len(text) <= 21 and _DIGITS.fullmatch(text.removeprefix("+")) is not None


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def comparison_hint(text: str) -> str:
    """Catch a misspelt comparison, such as `at lest 20 yuan` or `17 ot 26`: which one was meant?"""
    glued = re.fullmatch(r"(at least|at most|over|under)([0-9].*)", text)
    if glued is not None:
        return f"did you mean `{glued[1]} {glued[2]}`?"
    words = text.split()
    for length in (2, 1):
        near = closest(" ".join(words[:length]), ("at least", "at most", "over", "under", "not"))
        if near and len(words) > length:
            return f"did you mean `{near} {' '.join(words[length:])}`?"
    for at in range(1, len(words) - 1):
        if words[0][:1].isdigit() and words[at + 1][:1].isdigit() and closest(words[at], ("to",)):
            return f"did you mean `{' '.join([*words[:at], 'to', *words[at + 1 :]])}`?"
    return ""
