"""The short ways of reading rows give what the long ones give, byte for byte: records and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import xdr_rows
from connectors.column_map import ColumnMap, load_map, map_names
from connectors.column_spec import ColumnSpec
from connectors.xdr_files import Rows
from connectors.xdr_time import quick_time
from connectors.xdr_values import Kept, column_reader, stripped
from engine.collect import spread
from engine.refusals import Bad
from tests.unit.doors.support import IMSI, Desk

FORMATS = (
    "epoch s",
    "epoch ms",
    "%Y-%m-%d %H:%M:%S[.%f]",
    "%y%m%d%H%M%S",
    "%d/%m/%Y %H:%M:%S.%f",
    "%H%M%S %Y%m%d",
)
PIECES = st.sampled_from(
    [
        b"2026-09-07 08:30:15",
        b"2026-09-07 08:30:1",
        b".5",
        b".",
        b"123456",
        b"260907083015",
        b" ",
        b"7",
        b"60",
        b"1788740000",
        b"000",
        b"07/09/2026 08:30:15",
        b"-",
        b"F",
        b"\0",
        b"\xff",
        b"083015 20260907",
        b"x",
    ]
)
TEXTS = st.lists(PIECES, max_size=3).map(b"".join)


def outcome(read: Any, cell: bytes) -> tuple[object, ...]:
    """Return what a reader makes of a text, or how it refuses it."""
    try:
        return ("value", read(cell))
    except Bad as bad:
        return ("bad", bad.expected, bad.was, bad.reason, bad.field)


@settings(max_examples=60)
@given(st.sampled_from(FORMATS), st.lists(TEXTS, max_size=12))
@example("%Y-%m-%d %H:%M:%S[.%f]", [b"2026-09-07 08:30:15.5", b"2026-09-07 08:30:60", b"2026-09-07 08:30:15"])
@example("%d/%m/%Y %H:%M:%S.%f", [b"07/09/2026 08:30:15.5", b"07/09/2026 08:30:15", b"07/09/2026 08:30:15."])
def test_times_are_read_the_same(format: str, texts: list[bytes]) -> None:
    spec = ColumnSpec(column=1, type="time", format=format)
    careful = stripped("t", spec, "+08:00", None)
    quick = quick_time(format, 8 * 3_600_000_000, careful)
    for text in [*texts, *texts]:  # what was met before is remembered
        assert outcome(quick, text) == outcome(careful, text)


@settings(max_examples=100)
@given(st.data())
def test_columns_are_read_the_same(data: st.DataObject) -> None:
    words: dict[str, Any] = {"column": 1}
    words["type"] = data.draw(
        st.sampled_from(["text", "int", "float", "bytes", "hex", "host", "phone", "time"])
    )
    if words["type"] == "time":
        words["format"] = data.draw(st.sampled_from(FORMATS))
    optional = {"empty": ("7", "F"), "slice": "2-9", "until": " ", "lower": True, "required": True}
    for name in data.draw(st.sets(st.sampled_from(sorted(optional)), max_size=2)):
        words[name] = optional[name]
    spec = ColumnSpec.model_validate(words)
    filler = data.draw(st.sampled_from([None, "F", "0"]))
    name = data.draw(st.sampled_from(["imsi", "apn"]))
    careful = stripped(name, spec, "+08:00", filler)
    quick = column_reader(name, spec, "+08:00", filler)
    for text in data.draw(st.lists(TEXTS, max_size=8)) * 2:
        assert outcome(quick, text) == outcome(careful, text)


def test_what_is_kept_is_bounded() -> None:
    kept = Kept(int, 10)
    for number in range(100):
        assert kept[b"%d" % number] == number
        assert len(kept) <= 10
    assert kept[b"0" * 70] == 0
    assert b"0" * 70 not in kept


# -- whole rows ----------------------------------------------------------------------------------------------

CELLS = st.sampled_from(
    [
        b"",
        b"0",
        b"1",
        b"2",
        b"5",
        b"6",
        b"14",
        b"32",
        b"128",
        b"132",
        IMSI.encode(),
        b"+8613912345678",
        b"359254061234567",
        b"1788740000123",
        b"1788740000",
        b"2026-09-07 08:30:15.5",
        b"260907083015",
        b"FFFF",
        b"10de",
        b"a1b2c3",
        b"12x",
        b"123456-7",
        b"46000A1B2",
        b" 7 ",
        b"http://u@Host.example/x?y",
        b"10086",
        b"zhang@example.com",
        b"\xff\xfe",
        b"\0",
        b'"',
        b"99999999999999999999",
        b"\\N",
        b"success",
        b"13912345678/TYPE=PLMN",
        b"-1",
    ]
)
SOUND = {"imsi": IMSI.encode(), "msisdn": b"8613912345678", "subscriber": b"A50E"}


def sound_cell(columns: ColumnMap, index: int) -> bytes | None:
    """Return a text that the column of a map should hold, if it is one of those a row needs."""
    for name, ways in columns.ways():
        for way in ways:
            if way.column == index + 1 and name in SOUND:
                return SOUND[name]
            if way.column == index + 1 and way.format is not None:
                written = {
                    "epoch s": b"1788740000.5",
                    "epoch ms": b"1788740000500",
                    "epoch us": b"1788740000500000",
                }
                return written.get(way.format) or (
                    b"260907083015" if way.format.startswith("%y") else b"2026-09-07 08:30:15.5"
                )
    return None


@st.composite
def some_rows(draw: st.DrawFn, columns: ColumnMap) -> list[bytes]:
    """Draw rows of a layout: mostly what the columns should hold, some of it damaged."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        width = columns.columns.at_least + draw(st.sampled_from([0, 0, 0, 0, 1, 40, -1]))
        cells = [draw(CELLS) for _ in range(max(width, 1))]
        for index in range(len(cells)):
            sound = sound_cell(columns, index)
            if sound is not None and draw(st.integers(0, 9)) > 0:
                cells[index] = sound
        found.append(columns.separator.encode().join(cells))
    return found


def told(columns: ColumnMap, lines: list[bytes]) -> tuple[list[Any], list[dict[str, str]]]:
    """Return what goes into the log and into the dead letters."""
    desk = Desk()
    taker = Rows(columns, desk.intake)
    records = []
    for number, line in enumerate(lines, 1):
        event = taker.take(number, line, f"rows:{number}")
        if event is not None:
            records.append(
                (spread(event, 16), event.key, event.t, event.seen, event.cell, event.id, event.position)
            )
    return records, [refusal.as_dict() for refusal in desk.refusals]


@pytest.mark.parametrize("name", map_names())
@settings(max_examples=25)
@given(data=st.data())
def test_rows_become_the_same_records_and_refusals(name: str, data: st.DataObject) -> None:
    columns = load_map(name)
    lines = data.draw(some_rows(columns))
    quick = told(columns, lines * 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xdr_rows, "column_reader", stripped)
        patch.setattr(xdr_rows, "kept", lambda read, *_: read)
        patch.setattr("engine.intake.Intake.unsure", lambda self, kind, sure: None)
        assert told(columns, lines * 2) == quick


def test_made_up_rows_are_mostly_taken() -> None:
    """Without this the test above might compare refusals only."""
    taken = 0
    for name in map_names():
        columns = load_map(name)
        cells = [sound_cell(columns, index) or b"" for index in range(columns.columns.at_least)]
        if not isinstance(columns.kind, str):
            cells[columns.kind.column - 1] = next(iter(columns.kind.values)).encode()
        for way in columns.fields.get("lac", ()):
            cells[(way.column or 1) - 1] = b"46000A1B2" if way.slice else b"17"
        records, refused = told(columns, [columns.separator.encode().join(cells)])
        assert not refused, (name, refused)
        taken += len(records)
    assert taken == len(map_names())
