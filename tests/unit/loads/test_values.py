"""Cells to values: by the field's type, with units, words of the list's own, closed lists."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.loads.values import OUTSIDE, reader_of, text_of, time
from engine.refusals import Bad
from tests.unit.loads.support import FIELDS, NOW

MB = 1024**2


@pytest.mark.parametrize(
    ("field", "unit", "cell", "value"),
    [
        ("age", None, "42", 42),
        ("age", None, "-1.50", -1.5),
        ("age", None, "1e3", 1000),
        ("age", None, 42, 42),
        ("age", None, 42.0, 42),
        ("age", None, Decimal("42.25"), 42.25),
        ("arpu", None, "58", 58),
        ("arpu", "fen", "5830", 58.3),
        ("arpu", "fen", 10, 0.1),
        ("arpu", "fen", "58 yuan", 58),
        ("data.month", None, "2048", 2048),
        ("data.month", "MB", "1.5", MB + MB // 2),
        ("data.month", "GB", 1, 1024 * MB),
        ("data.month", None, "300 MB", 300 * MB),
        ("data.left", None, "12.5", 12.5),
        ("data.left", "share", "0.07", 7),
        ("data.left", None, "7%", 7),
        ("away", None, "90", 90),
        ("away", "m", "1.5", 90),
        ("away", None, "1h30m", 5400),
        ("handset.mms", None, "Y", True),
        ("handset.mms", None, "否", False),
        ("handset.mms", None, False, False),
        ("handset.mms", None, 1, True),
        ("tier", None, "gold", "gold"),
        ("tier", None, "Gold", OUTSIDE),
        ("note", None, "é 中", "é 中"),
        ("note", None, 7, "7"),
        ("note", None, Decimal(7), "7"),
        ("note", None, date(2001, 2, 3), "2001-02-03"),
        ("note", None, b"x", "x"),
        ("tags", None, "a; b;;a", ["a", "b"]),
        ("tags", None, ["a", "b", None], ["a", "b"]),
        ("packs", None, "A;B", ["A", "B"]),
        ("packs", None, "A;C", OUTSIDE),
    ],
)
def test_a_cell_becomes_what_its_field_takes(field: str, unit: str | None, cell: Any, value: Any) -> None:
    read = reader_of(FIELDS[field], None, unit, None)(cell)
    assert read is value if value is OUTSIDE else (read == value and type(read) is type(value))


@pytest.mark.parametrize(
    ("field", "unit", "cell", "expected"),
    [
        ("age", None, "many", "a number"),
        ("age", None, "1,000", "a number"),
        ("age", None, "1e30", "a number"),
        ("age", None, "NaN", "a number"),
        ("age", None, float("inf"), "a number"),
        ("age", None, True, "a number"),
        ("arpu", None, "5 dollars", "an amount of money"),
        ("data.month", None, "-1", "an amount of data of 0 or more"),
        ("data.left", None, "101", "a percentage from 0 to 100"),
        ("data.left", "share", "1.01", "a percentage from 0 to 100"),
        ("handset.mms", None, "perhaps", "yes or no (true false y n 1 0 是 否)"),
        ("note", None, 4.6e14, "text or a whole number"),
        ("note", None, b"\xff", "UTF-8"),
        ("tags", None, 1.5, "text or a whole number"),
    ],
)
def test_what_is_no_value_is_refused(field: str, unit: str | None, cell: Any, expected: str) -> None:
    with pytest.raises(Bad) as caught:
        reader_of(FIELDS[field], None, unit, None)(cell)
    assert caught.value.expected == expected


def test_words_of_the_list_are_taken_for_others() -> None:
    tier = reader_of(FIELDS["tier"], {"1": "gold"}, None, None)
    assert [tier("1"), tier(1), tier("gold")] == ["gold", "gold", OUTSIDE]
    mms = reader_of(FIELDS["handset.mms"], {"J": "yes", "N": "no"}, None, None)
    assert [mms("J"), mms("N"), mms("yes")] == [True, False, OUTSIDE]
    age = reader_of(FIELDS["age"], {"old": "80"}, None, None)
    assert [age("old"), age("8"), age(8)] == [80, OUTSIDE, 8]
    packs = reader_of(FIELDS["packs"], {"x": "A"}, None, ",")
    assert [packs("x,x"), packs("x,y")] == [["A"], OUTSIDE]


def test_times_are_read_with_and_without_an_offset() -> None:
    moment = datetime.fromtimestamp(NOW // 1_000_000, UTC)
    hours = 8 * 3_600_000_000
    assert time("iso", hours)(moment.isoformat()) == NOW
    assert time("iso", hours)(moment.replace(tzinfo=None).isoformat(" ")) == NOW - hours
    assert time("iso", hours)(moment.replace(tzinfo=None)) == NOW - hours
    assert time("epoch s", 0)(NOW // 1_000_000) == NOW
    assert time("%Y-%m-%d %H:%M:%S", 0)(f"{moment:%Y-%m-%d %H:%M:%S}") == NOW
    with pytest.raises(Bad):
        time("iso", 0)("yesterday")


def test_a_truth_is_text_as_databases_write_it() -> None:
    assert [text_of(True), text_of(False)] == ["true", "false"]
