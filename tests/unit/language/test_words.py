"""Durations, amounts, dates and limits in words."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language import words
from engine.language.model import Cap, FieldType
from engine.language.words import Unreadable

S = 1_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("30m", 1_800), ("48h1s", 172_801), ("7d", 604_800), ("1d2h3m4s", 93_784), ("0m", 0)],
)
def test_duration(text: str, seconds: int) -> None:
    assert words.duration(text) == seconds * S


@pytest.mark.parametrize(
    "text",
    ["", "30", "3 days", "1.5h", "1m1h", "-1h", "+1h", "1h 5m", "３０m", "9" * 5_000 + "s", "4000d", "1w"],
)
def test_no_duration(text: str) -> None:
    with pytest.raises(Unreadable):
        words.duration(text)


@given(st.integers(0, 3_650 * 86_400))
def test_a_written_duration_reads_back(seconds: int) -> None:
    assert words.duration(words.write_duration(seconds * S)) == seconds * S


def test_offset() -> None:
    assert words.offset("+1h59m") == 7_140 * S
    with pytest.raises(Unreadable, match="not a time after the start"):
        words.offset("1h")


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("58 yuan", "money", 58),
        ("58yuan", "money", 58),
        ("50 fen", "money", 0.5),
        ("100 fen", "money", 1),
        ("19.99 yuan", "money", 19.99),
        ("20%", "percent", 20),
        ("0.5 %", "percent", 0.5),
        ("1 KB", "bytes", 1_024),
        ("300 MB", "bytes", 314_572_800),
        ("1.5 GB", "bytes", 1_610_612_736),
        ("30s", "duration", 30),
        ("1h", "duration", 3_600),
        ("12", "number", 12),
        ("-1.5", "number", -1.5),
        ("3.0", "number", 3),
    ],
)
def test_amount(text: str, type: FieldType, value: float) -> None:
    found = words.amount(text, type)
    assert found == value
    assert isinstance(found, int) == (value == int(value))


@pytest.mark.parametrize(
    ("text", "type", "says", "hint"),
    [
        ("20", "money", "needs a unit: `yuan` or `fen`", ""),
        ("20 yaun", "money", "needs another unit", "did you mean `20 yuan`?"),
        ("20 MBB", "bytes", "`KB`, `MB` or `GB`", "did you mean `20 MB`?"),
        ("20 percent", "percent", "needs another unit: `%`", ""),
        ("101%", "percent", "not between 0% and 100%", ""),
        ("17-26", "number", "is not a number", "write `17 to 26`"),
        ("at lest 3", "number", "is not a number", "did you mean `at least 3`?"),
        ("many", "money", "is not an amount of money", ""),
        ("1e3", "number", "is not a number", ""),
        ("１２", "number", "is not a number", ""),
        ("30", "duration", "is not a length of time", "did you mean `30m`?"),
    ],
)
def test_no_amount(text: str, type: FieldType, says: str, hint: str) -> None:
    with pytest.raises(Unreadable) as caught:
        words.amount(text, type)
    assert says in caught.value.message
    assert caught.value.hint == hint


def test_amounts_between() -> None:
    assert words.amounts_between("17 to 26", "number") == (17, 26)
    assert words.amounts_between("20 yuan to 50 yuan", "money") == (20, 50)
    assert words.amounts_between("20 to 50 yuan", "money") == (20, 50)
    assert words.amounts_between("50 fen to 1 yuan", "money") == (0.5, 1)
    assert words.amounts_between("10m to 1h", "duration") == (600, 3_600)
    assert words.amounts_between("17", "number") is None
    with pytest.raises(Unreadable, match="ends before it starts"):
        words.amounts_between("26 to 17", "number")
    kinds: tuple[tuple[str, FieldType], ...]
    kinds = (("17 to 16", "number"), ("50.1 to 50 yuan", "money"), ("61s to 1m", "duration"))
    for text, type_ in kinds:
        with pytest.raises(Unreadable, match="it ends before it starts"):
            words.amounts_between(text, type_)
    assert words.amounts_between("17 to 17", "number") == (17, 17)  # both ends are in it


def test_integer_keeps_its_bounds() -> None:
    assert (words.integer("0", 0, 100), words.integer("100", 0, 100)) == (0, 100)
    for text in ("-1", "101", "5.0", "high", "", "9" * 5_000):
        with pytest.raises(Unreadable, match="from 0 to 100"):
            words.integer(text, 0, 100)


def test_share_and_yes_no() -> None:
    assert words.share("10%") == 0.1
    assert words.share("0%") == 0
    assert words.yes_no("yes") is True
    assert words.yes_no("no") is False
    with pytest.raises(Unreadable) as caught:
        words.yes_no("True")
    assert caught.value.hint == "did you mean `yes`?"


def test_days_and_moments() -> None:
    assert words.days("2026-09-01 to 2026-09-30") == (date(2026, 9, 1), date(2026, 9, 30))
    assert words.days("2028-02-29 to 2028-02-29") == (date(2028, 2, 29), date(2028, 2, 29))
    assert words.moment("2026-09-05 10:00:30") == datetime(2026, 9, 5, 10, 0, 30)  # noqa: DTZ001
    for text in (
        "2026-02-30 to 2026-03-01",
        "2026-9-1 to 2026-9-2",
        "2026-09-01",
        "1999-01-01 to 2026-01-01",
    ):
        with pytest.raises(Unreadable):
            words.days(text)
    for text in ("2026-09-05", "2026-09-05 25:00", "1999-09-05 10:00", "2100-01-01 00:00"):
        with pytest.raises(Unreadable):
            words.moment(text)


def test_times_of_day() -> None:
    assert words.interval("21:00 to 09:00") == (1_260, 540)
    assert words.interval("18:00 to 24:00") == (1_080, 1_440)
    for text in ("24:00 to 09:00", "25:00 to 09:00", "21:60 to 22:00", "21:00-09:00", "9 to 10"):
        with pytest.raises(Unreadable):
            words.interval(text)


def test_cap() -> None:
    assert words.cap("2 in 30d") == Cap(2, 30 * 86_400 * S)
    for text in ("0 in 1d", "1 in 0d", "once", "1 per 30d", "1 in 30"):
        with pytest.raises(Unreadable):
            words.cap(text)
