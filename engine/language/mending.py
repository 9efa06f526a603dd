"""What an author meant by a value that can't be read: tried, and proposed only if it can be read.

A value is rewritten step by step: wide characters to plain ones, `more than` to `over`, `2026-9-1` to
`2026-09-01`, `3 days` to `3d`, `20 percent` to `20%`, `17-26` to `17 to 26`, `1,000` to `1000`, `9am` to
`09:00`, `weekdays` to `mon to fri`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from engine.language.suggest import plain_form
from engine.language.words import SECOND, UNIT_SECONDS, write_duration

_UNITS: Final = {
    r"days?|天|日": "d", r"hours?|hrs?|个?小时": "h", r"minutes?|mins?|分钟?": "m",
    r"seconds?|secs?|秒钟?": "s", r"percent|pct": "%", r"rmb|cny|元|块钱?": " yuan",
}  # fmt: skip
_SIZES: Final = {r"kb|k": " KB", r"mb|m": " MB", r"gb|g": " GB"}
_DAYS: Final = {
    rf"{full}s?|{full[:4]}|{full[:3]}|[周週]{number}|(?:星期|礼拜){number}": full[:3]
    for full, number in zip(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        ("一", "二", "三", "四", "五", "六", "[日天]"),
        strict=True,
    )
}
_WEEK: Final = {
    "week ?days?|work(?:ing)? ?days?|business days?|工作日|平日": "mon to fri",
    "week ?ends?|周末|週末": "sat to sun",
    "daily|every ?day|all(?: days)?|always|每天|每日": "mon to sun",
}
_DATE = re.compile(
    r"(?<![0-9])([0-9]{4})(?:[-/.:年]([0-9]{1,2})[-/.:月]([0-9]{1,2})日?|-?([0-9]{2})-?([0-9]{2})(?![0-9]))"
)
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TO: Final = "(?:-|~|to|至|到|until)"
_SIGNS: Final = {r">=|≥": "at least ", r"<=|≤": "at most ", r">": "over ", r"<": "under ", r"!=|≠": "not "}
_NO: Final = r"(?:no|not|never)\s+"
_MORE: Final = "more|greater|higher|longer|bigger"
_LESS: Final = "less|fewer|lower|shorter|smaller"
_PHRASES: Final = {
    r"not at least": "under ",
    r"not at most": "over ",
    rf"{_NO}(?:{_MORE}|over|above)(?: than)?|up to|max(?:imum)?(?: of)?|不超过|至多|最多": "at most ",
    rf"{_NO}(?:{_LESS}|under|below)(?: than)?|min(?:imum)?(?: of)?|不少于|不低于|至少|最少": "at least ",
    rf"(?:{_MORE}) than|above|exceeds|超过|大于|高于": "over ",
    rf"(?:{_LESS}) than|below|不到|小于|低于|少于": "under ",
    "exactly|equals?(?: to)?|等于": "",
}
"""How people say it -> how the language does; a longer phrase before one that is part of it."""
_BEHIND: Final = {r"or (?:more|above|over|longer)|and (?:more|above|over)|\+|(?:及|或)?以上": "at least ",
                  r"or (?:less|fewer|below|under|shorter)|(?:及|或)?以下": "at most "}  # fmt: skip


def other_words(text: str) -> bool:
    """Tell whether a text says a comparison in other words than the language does."""
    return _phrases(text) != text


def mend(text: str, reads: Callable[[str], object]) -> str:
    """Write the hint for a value that can't be read, or nothing. `reads` raises ValueError for such."""
    written = text
    for step in _STEPS:
        written = step(written)
        if written == text:
            continue
        hint = proposal(written, reads)
        if hint:
            return hint
    return ""


def proposal(written: str, reads: Callable[[str], object]) -> str:
    """Write the hint that proposes a value, or nothing if it can't be read."""
    try:
        reads(written)
    except ValueError:
        return ""
    return f"did you mean `{written}`?"


def _phrases(text: str) -> str:
    for phrase, words in _PHRASES.items():
        found = re.match(rf"(?:{phrase})\s*(?=[0-9])", text, re.IGNORECASE)
        if found is not None:
            return words + text[found.end() :]
    for phrase, words in _BEHIND.items():
        found = re.fullmatch(rf"([0-9].*?)\s*(?:{phrase})", text, re.IGNORECASE)
        if found is not None:
            return words + found[1]
    span = re.fullmatch(
        r"between\s+([0-9].*?)\s+(?:and|to)\s+([0-9].*)|from\s+([0-9].*)", text, re.IGNORECASE
    )
    return text if span is None else span[3] or f"{span[1]} to {span[2]}"


def _dates(text: str) -> str:
    return _DATE.sub(
        lambda found: f"{found[1]}-{int(found[2] or found[4]):02}-{int(found[3] or found[5]):02}", text
    )


def _one_day(text: str) -> str:
    """`2026-09-01`, where a span is wanted, to that one day."""
    return f"{text} to {text}" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else text


def _digits(text: str) -> str:
    """`1,000` to `1000`, `1e5` to `100000`, `5k yuan` to `5000 yuan`."""
    text = re.sub(r"([0-9]{1,9}) *(?:[kK](?= *(?:yuan|rmb|cny|元))|千)", r"\g<1>000", text)
    text = re.sub(r"([0-9]{1,9}) *万", r"\g<1>0000", text)
    text = re.sub(r"(?<=[0-9])[,，](?=[0-9]{3}(?![0-9]))", "", text)
    return re.sub(r"(?<![0-9.])([0-9]{1,9})[eE]([0-9])(?![0-9])", lambda e: e[1] + "0" * int(e[2]), text)


def _whole(text: str) -> str:
    """`0.5h` to `30m`, `30M` to `30m`."""

    def plain(found: re.Match[str]) -> str:
        seconds = Decimal(found[1]) * UNIT_SECONDS[found[2].lower()]
        return write_duration(int(seconds * SECOND)) if seconds == int(seconds) else found[0]

    text = re.sub(r"(?<![0-9.])([0-9]{1,6}\.[0-9]{1,6}) *([dhmsDHM])(?![a-zA-Z])", plain, text)
    return re.sub(r"(?<=[0-9])[DHMS](?![a-zA-Z])", lambda found: found[0].lower(), text)


def _clocks(text: str) -> str:
    """`9am to 6pm`, `9-18` and `0900-1800` to `09:00 to 18:00`."""

    def noon(found: re.Match[str]) -> str:
        hour = int(found[1]) % 12 + (12 if found[3] in "pP" else 0)
        return f"{hour:02}:{found[2] or '00'}"

    def plain(found: re.Match[str]) -> str:
        return f"{int(found[1]):02}:{found[2] or '00'} to {int(found[3]):02}:{found[4] or '00'}"

    text = re.sub(r"(?<![0-9:])([0-9]{1,2})(?:[:.]([0-9]{2}))? *([aApP])\.?[mM]\b\.?", noon, text)
    time_of_day = r"([0-9]{1,2})(?:[:.点]?([0-9]{2})|点)?"
    return re.sub(rf"^{time_of_day}\s*{_TO}\s*{time_of_day}$", plain, text)


def _days(text: str) -> str:
    """`Monday-Friday` and `weekdays` to `mon to fri`."""
    for words, days in _WEEK.items():
        if re.fullmatch(words, text.strip(), re.IGNORECASE):
            return days
    for words, day in _DAYS.items():
        text = re.sub(rf"(?<![a-zA-Z])(?:{words})(?![a-zA-Z])", day, text, flags=re.IGNORECASE)
    every = "|".join(_DAYS.values())
    return re.sub(rf"^({every})\s*{_TO}\s*({every})$", r"\1 to \2", text)


def _spaces(text: str) -> str:
    """`1 h 30 m` to `1h30m`, `21 : 00` to `21:00`."""
    text = re.sub(r"(?<=[0-9]) +(?=[dhms%](?:[ 0-9]|$))|(?<=[0-9][dhms]) +(?=[0-9]+ *[dhms])", "", text)
    return re.sub(r"(?<=[0-9]) *: *(?=[0-9])", ":", text)


def _units(text: str) -> str:
    return re.sub(r"[¥$](?=[0-9])([0-9.]+)", r"\1 yuan", _replace(text, _UNITS))


def _sizes(text: str) -> str:
    text = re.sub(
        r"([0-9]{1,6}) *tb?(?![a-zA-Z])", lambda n: f"{int(n[1]) << 10} GB", text, flags=re.IGNORECASE
    )
    return _replace(text, _SIZES)


def _weeks(text: str) -> str:
    return re.sub(
        r"([0-9]{1,3}) *(?:weeks?|wks?|w|周|星期)(?![a-zA-Z])", lambda found: f"{7 * int(found[1])}d", text
    )


def _replace(text: str, units: Mapping[str, str]) -> str:
    for words, unit in units.items():
        text = re.sub(rf"(?<=[0-9]) *(?:{words})(?![a-zA-Z])", unit, text, flags=re.IGNORECASE)
    return text


def ranged(text: str) -> str:
    """`17-26` to `17 to 26`."""
    if _DATE.search(text):
        return re.sub(rf"({_DAY})\s*{_TO}\s*(?={_DAY})", r"\1 to ", text)
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


_STEPS: Final = (
    plain_form, _phrases, _digits, _dates, _one_day, _spaces, _weeks, _units, _spaces, _whole, ranged,
    _sizes, _caps, _signs, _clocks, _days, _percent,
)  # fmt: skip
