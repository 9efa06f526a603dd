"""Delimited xDR through column maps: made-up files, and times and maps by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.column_map import load_map
from connectors.xdr_files import rows
from connectors.xdr_time import time_reader
from engine.errors import InputError
from engine.refusals import Bad
from tests.unit.doors.support import FILES, IMSI, Desk

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


# -- rows ----------------------------------------------------------------------------------------------------


def test_rows_become_records(desk: Desk) -> None:
    first, *_ = rows(FILES / "gn-ragged.csv", load_map("gn-unicom-2015"), desk.intake)
    end = micros("2015-08-09T12:11:48.693528+08:00")
    assert (first.kind, first.t, first.cell) == ("data.session", end, "460-01-40984-17112")
    assert first.seen == micros("2015-08-09T12:11:42.253665+08:00")
    assert first.key == desk.intake.identity.of_subscriber("A50E")
    expected = {
        "lac": 40984,
        "plmn": "46001",
        "rat": "GSM",
        "apn": "3gnet",
        "duration": 6,
        "up": 990,
        "down": 1278,
        "result": "200",
        "host": "a.example.com",
        "source": "gn-unicom-2015",
    }
    assert expected.items() <= first.fields.items()
    assert "ci" not in first.fields


def test_stray_quotes_extra_columns_and_empty_ones_do_no_harm(desk: Desk) -> None:
    events = list(rows(FILES / "gn-ragged.csv", load_map("gn-unicom-2015"), desk.intake))
    assert [event.position for event in events] == [f"gn-ragged.csv:{line}" for line in (1, 2, 8, 11)]
    assert events[1].fields["host"] == "b.example.com"
    assert events[1].t == micros("2015-08-09T12:11:43.500000+08:00")
    empty = events[2]
    assert empty.cell is None
    assert not {"lac", "apn", "duration", "up", "down", "rat", "host"} & empty.fields.keys()


def test_a_line_break_in_quotes_ends_a_row_and_each_piece_is_one(desk: Desk, tmp_path: Path) -> None:
    row = (FILES / "gn-ragged.csv").read_bytes().splitlines()[0]
    path = tmp_path / "rows.txt"
    cells = row.split(b",")
    within = b",".join([*cells[:3], b'"3g\nnet"', *cells[4:]])
    last = b",".join([*cells[:18], b'"http://b.example.com/a\nb"'])
    path.write_bytes(b"\n".join([within, last, row]) + b"\n")
    events = list(rows(path, load_map("gn-unicom-2015"), desk.intake))
    assert [(event.position, event.fields["host"]) for event in events] == [
        ("rows.txt:3", "b.example.com"),
        ("rows.txt:5", "a.example.com"),
    ]
    assert [(refusal.position, refusal.reason) for refusal in desk.refusals] == [
        (f"rows.txt:{number}", "columns") for number in (1, 2, 4)
    ]


def test_bad_rows_are_refused_one_by_one(desk: Desk) -> None:
    list(rows(FILES / "gn-ragged.csv", load_map("gn-unicom-2015"), desk.intake))
    assert [(refusal.position, refusal.reason, refusal.detail) for refusal in desk.refusals] == [
        (
            "gn-ragged.csv:3",
            "time",
            "t: expected a time like %Y-%m-%d %H:%M:%S[.%f], was '08:31.2'",
        ),
        ("gn-ragged.csv:4", "columns", "columns: expected 19 or more, was 3"),
        ("gn-ragged.csv:5", "number", "up: expected a whole number of 0 or more, was '12x'"),
        ("gn-ragged.csv:6", "value", "rat: expected one of 1, 2, was '9'"),
        ("gn-ragged.csv:7", "type", "subscriber: expected a value, was empty"),
        ("gn-ragged.csv:9", "time", "t_start: expected a time not later than t, was later"),
        (
            "gn-ragged.csv:10",
            "time",
            "t: expected a time like %Y-%m-%d %H:%M:%S[.%f], was '<digits>:11:43'",
        ),
    ]
    assert {refusal.source for refusal in desk.refusals} == {"gn-unicom-2015"}


def test_the_same_row_has_the_same_id_in_every_copy(desk: Desk, tmp_path: Path) -> None:
    layout = load_map("gn-unicom-2015")
    events = list(rows(FILES / "gn-ragged.csv", layout, desk.intake))
    copy = tmp_path / "copy.csv"
    copy.write_bytes((FILES / "gn-ragged.csv").read_bytes())
    again = list(rows(copy, layout, Desk().intake))
    assert [event.id for event in again] == [event.id for event in events]
    assert events[0].id == events[3].id  # line 11 repeats line 1
    assert len({event.id for event in events}) == 3
    assert all(len(event.id or "") == 16 for event in events)


def test_kinds_hexadecimals_constants_and_value_lists(desk: Desk) -> None:
    events = list(rows(FILES / "s1mme.txt", load_map(FILES / "s1mme.yaml"), desk.intake))
    assert [(event.position, event.kind) for event in events] == [
        ("s1mme.txt:2", "loc.update"),
        ("s1mme.txt:3", "power.on"),
        ("s1mme.txt:5", "power.off"),
    ]
    update, on, off = events
    assert (update.t, update.cell) == (1_788_740_000_123_000, f"460-00-{0xA1B2C3}")
    assert update.key == desk.intake.identity.of_imsi(IMSI)
    assert update.fields["tac"] == on.fields["tac"] == 0x10DE
    assert (update.fields["rat"], update.fields["tac8"]) == ("LTE", "35925406")
    assert [event.fields["result"] for event in events] == ["success", "timeout", "success"]
    assert on.t == 1_788_740_001_000_500
    assert on.key == desk.intake.identity.of_msisdn("+8613912345678")
    assert off.fields["switch_off"] is True
    assert [(refusal.position, refusal.reason) for refusal in desk.refusals] == [
        ("s1mme.txt:6", "type"),
        ("s1mme.txt:7", "number"),
        ("s1mme.txt:8", "identity"),
        ("s1mme.txt:9", "value"),
        ("s1mme.txt:10", "columns"),
    ]
    assert not any(IMSI in refusal.raw for refusal in desk.refusals)


@pytest.mark.parametrize("separator", ["tab", "\\1", ","])
def test_separators(desk: Desk, tmp_path: Path, separator: str) -> None:
    layout = tmp_path / "small.yaml"
    layout.write_text(
        f"map: small\nsource: s\nkind: loc.sight\nseparator: '{separator}'\n"
        "columns: {at_least: 2, at_most: 2}\n"
        "fields:\n  subscriber: {column: 1}\n  t: {column: 2, type: time, format: epoch s}\n"
    )
    raw = {"tab": b"\t", "\\1": b"\x01", ",": b","}[separator]
    path = tmp_path / "rows"
    path.write_bytes(b"a" + raw + b"1788740000\nb" + raw + b"1788740001.5\n\xff" + raw + b"1788740002\n")
    events = list(rows(path, load_map(layout), desk.intake))
    assert [event.t for event in events] == [1_788_740_000_000_000, 1_788_740_001_500_000]
    assert [(refusal.position, refusal.reason) for refusal in desk.refusals] == [("rows:3", "utf8")]


# -- times ---------------------------------------------------------------------------------------------------


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_patterns_read_what_datetime_writes(moment: datetime, offset: int) -> None:
    read = time_reader("%Y-%m-%d %H:%M:%S[.%f]", offset * 60_000_000)
    expected = micros(f"{moment.isoformat()}+00:00") - offset * 60_000_000
    assert read(moment.isoformat(" ").encode()) == expected


@pytest.mark.parametrize(
    ("format", "text", "expected"),
    [
        ("%Y%m%d%H%M%S", "20150809121142", "2015-08-09T12:11:42+00:00"),
        ("%y%m%d%H%M%S", "150809121142", "2015-08-09T12:11:42+00:00"),
        ("%d/%m/%Y %H:%M:%S.%f", "09/08/2015 12:11:42.5", "2015-08-09T12:11:42.500000+00:00"),
        ("%Y-%m-%d %H:%M:%S.%f", "2015-08-09 12:11:42.123456789", "2015-08-09T12:11:42.123456+00:00"),
        ("%Y-%m-%dT%H:%M:%S", "2016-02-29T23:59:59", "2016-02-29T23:59:59+00:00"),
        ("epoch s", "1439093508", "2015-08-09T04:11:48+00:00"),
        ("epoch s", "1439093508.693528", "2015-08-09T04:11:48.693528+00:00"),
        ("epoch ms", "1439093508693", "2015-08-09T04:11:48.693000+00:00"),
        ("epoch us", "1439093508693528", "2015-08-09T04:11:48.693528+00:00"),
    ],
)
def test_time_formats(format: str, text: str, expected: str) -> None:
    assert time_reader(format, 0)(text.encode()) == micros(expected)


@pytest.mark.parametrize("format", ["%Y-%m-%d %H:%M:%S[.%f]", "epoch ms"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "08:31.0",
        "2015-02-29 00:00:00",
        "2015-01-01 24:00:00",
        "2015-01-01 00:60:00",
        "2015-01-01 00:00:60",
        "0000-01-01 00:00:00",
        "2015-01-01 00:00:00.",
        "2015-01-01 00:00:00 ",
        "２０１５-01-01 00:00:00",
        "1e9",
        "nan",
    ],
)
def test_mangled_times_are_bad(format: str, text: str) -> None:
    with pytest.raises(Bad) as caught:
        time_reader(format, 0)(text.encode())
    assert caught.value.reason == "time"


@pytest.mark.parametrize("format", ["", "%Y-%m-%d", "%Y %q", "%Y%Y%m%d%H%M%S", "%Y%y%m%d%H%M%S", "epoch"])
def test_bad_time_formats_are_told(format: str) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        time_reader(format, 0)


# -- maps ----------------------------------------------------------------------------------------------------

GOOD = """map: m
source: s
kind: loc.sight
separator: ","
columns: {at_least: 3}
fields:
  subscriber: {column: 1}
  t: {column: 2, type: time, format: epoch s}
  cell: {template: "460-00-{ci}"}
helpers:
  ci: {column: 3}
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("map: m", "map: M M"), "m.yaml:1:1: map: expected "),
        (("source: s\n", ""), "m.yaml:1:1: source: expected a value, was 'nothing'"),
        (("source: s", "source: s\nsauce: t"), "m.yaml:3:1: sauce: expected a known key, was 'sauce'"),
        (("source: s", "source: s\nsource: t"), "m.yaml:3:1: expected source once, was 'twice'"),
        (
            ("loc.sight", "loc.site"),
            "m.yaml:3:1: kind: expected a signaling or business kind, was \"'loc.site'\"",
        ),
        (("loc.sight", "tick"), "m.yaml:3:1: kind: expected a signaling or business kind"),
        (
            ("kind: loc.sight", "kind: {column: 1}"),
            "m.yaml:3:1: kind.values: expected a value, was 'nothing'",
        ),
        (('","', '",,"'), "m.yaml:4:1: separator: expected one character or one of tab"),
        (
            ("at_least: 3", "at_least: 2"),
            "m.yaml:5:1: columns: expected columns.at_least of 3 or more, was '2'",
        ),
        (
            ("at_least: 3", "at_least: 3, at_most: 2"),
            "m.yaml:5:1: columns: expected at_most of 3 or more, was '2'",
        ),
        (
            ("column: 1}", "column: 0}"),
            "m.yaml:7:16: fields.subscriber.column: expected greater than or equal to 1",
        ),
        (("column: 1}", "column: one}"), "m.yaml:7:16: fields.subscriber.column: expected a valid integer"),
        (("column: 1}", "column: 1, type: word}"), "m.yaml:7:27: fields.subscriber.type: expected 'text'"),
        (
            ("column: 1}", "column: 1, constant: x}"),
            "m.yaml:7:3: fields.subscriber: expected one of column, template, sum, constant, was",
        ),
        (
            ("column: 1}", "column: 1, otherwise: drop}"),
            "m.yaml:7:3: fields.subscriber: expected otherwise only beside values",
        ),
        (("subscriber:", "imsy:"), "m.yaml:7:3: fields.imsy: expected a field of loc.sight, was \"'imsy'\""),
        (
            ("  subscriber: {column: 1}\n", ""),
            "m.yaml:6:1: fields: expected a field imsi, msisdn or subscriber, was 'none'",
        ),
        (("format: epoch s", "format: '%Y'"), "m.yaml:8:3: fields.t: expected %Y or %y and"),
        ((", format: epoch s", ""), "m.yaml:8:3: fields.t: expected a format with type time"),
        (("type: time, format: epoch s", "type: int"), "m.yaml:8:3: fields.t: expected field t of type time"),
        (("epoch s}", "epoch s, utc_offset: +8}"), "fields.t.utc_offset: expected an offset such as +08:00"),
        (
            ("{ci}", "{xi}"),
            "m.yaml:9:3: fields.cell: expected cell of columns, sums and constants only, was '{xi}'",
        ),
        (("helpers:\n  ci", "helpers:\n  t: {column: 1}\n  ci"), "expected each name in fields or helpers"),
        (("kind: loc.sight", "kind: [loc.sight"), "m.yaml:"),
        (("kind: loc.sight", "kind: &a loc.sight\nsay: *a"), "expected no aliases, was 'an alias'"),
        ((GOOD, ""), "m.yaml:1:1: map: expected a value (and"),
        ((GOOD, "[" * 5_000), "m.yaml:1:51: expected at most 50 levels, was 'more'"),
        ((GOOD, "say: " + "[" * 200_000), "m.yaml:1:55: expected at most 50 levels, was 'more'"),
        ((GOOD, GOOD + "---\n" + GOOD), "expected one document, was 'another one'"),
        ((GOOD, "? [a]\n: b\n" + GOOD), "m.yaml:1:3: expected a text as key, was 'something else'"),
        ((GOOD, "x" * 300_000), "m.yaml: expected at most 262144 bytes"),
    ],
)
def test_mistakes_in_a_map_are_told_with_their_place(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(GOOD.replace(*change, 1))
    with pytest.raises(InputError) as caught:
        load_map(path)
    assert message in str(caught.value)


def test_an_unknown_map_is_told_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"one of the maps .*gn-unicom-2015"):
        load_map("gn-unicom-2016")


def test_a_missing_map_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a column map that can be read"):
        load_map(tmp_path / "none.yaml")
