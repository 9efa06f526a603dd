"""The words of column maps, one by one: what each makes of a row, and how a wrong use of it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.column_map import load_map, read_map
from connectors.xdr_files import Rows
from engine.errors import InputError
from tests.unit.doors.support import Desk

HEAD = """map: m
source: s
separator: ","
columns: {at_least: 6}
"""
FIELDS = """fields:
  subscriber: {column: 1}
  t: {column: 2, type: time, format: epoch s}
"""


def record(
    tmp_path: Path, row: str, *fields: str, helpers: str = "", head: str = "kind: call.out"
) -> dict[str, Any]:
    """Return what the log gets of a row by a map with some fields; or `refused` and why, or `skipped`."""
    path = tmp_path / "m.yaml"
    own = "".join(f"  {field}\n" for field in fields)
    path.write_text(
        f"{HEAD}{head}\n{FIELDS}{own}{f'helpers:{chr(10)}  {helpers}' if helpers else ''}", "utf-8"
    )
    desk = Desk()
    rows = Rows(load_map(path), desk.intake)
    event = rows.take(1, row.encode(), "rows:1")
    if event is not None:
        return {**event.fields, "kind": event.kind}
    if desk.refusals:
        return {"refused": desk.refusals[0].reason, "detail": desk.refusals[0].detail}
    return {"skipped": desk.intake.passed["skipped"]}


def row(third: str, fourth: str = "", fifth: str = "", sixth: str = "") -> str:
    return f"A50E,1788740000,{third},{fourth},{fifth},{sixth}"


@pytest.mark.parametrize(
    ("field", "third", "expected"),
    [
        ("result: {column: 3, slice: 1-3}", "abcdef", "abc"),
        ("result: {column: 3, slice: 3-}", "abcdef", "cdef"),
        ("result: {column: 3, slice: 5-9}", "abc", None),
        ("result: {column: 3, until: /}", "a/b/c", "a"),
        ("result: {column: 3, until: /}", "abc", "abc"),
        ("result: {column: 3, until: /}", "/abc", None),
        ("result: {column: 3, until: /, slice: 2-}", "ab/c", "b"),
        ("result: {column: 3, lower: yes, values: {a: X}, otherwise: keep}", "A", "a"),
        ("result: {column: 3, empty: [none, '-']}", "none", None),
        ("result: {column: 3, values: {'1': one}, otherwise: drop}", "2", None),
        ("duration: {column: 3, type: int, divide: 1000}", "61500", 61.5),
        ("duration: {column: 3, type: int, divide: 1000}", "60000", 60),
        ("duration: {column: 3, type: float, divide: 1000}", "250.5", 0.2505),
        ("lac: {column: 3, type: hex, slice: 6-9}", "4600010DE", 0x10DE),
        ("lac: {column: 3, type: hex, empty: ['0']}", "00000000", None),
        ("lac: {column: 3, type: hex, empty: ['0']}", "0000001A", 26),
        ("result: {column: 3, empty: ['0']}", "00", "00"),
        ("number: {column: 3, type: phone}", "10086", "10086"),
        ("number: {column: 3, type: phone}", "+44 20", "+4420"),
        ("number: {column: 3, type: phone}", "li@example.com", None),
        ("number: {column: 3, type: phone}", "*#*", None),
        ("result: {constant: yes, when: {column: 3, is: '1'}}", "1", "yes"),
        ("result: {constant: yes, when: {column: 3, is: ['1', '2']}}", " 2 ", "yes"),
        ("result: {constant: yes, when: {column: 3, is: '1'}}", "3", None),
        ("result: {column: 3, when: {column: 3, is: a}}", "a", "a"),
        ("result: [{column: 4}, {column: 3}]", "third", "third"),
        ("result: [{column: 4, values: {x: y}, otherwise: drop}, {constant: z}]", "", "z"),
    ],
)  # fmt: skip
def test_words(tmp_path: Path, field: str, third: str, expected: object) -> None:
    name = field.partition(":")[0]
    assert record(tmp_path, row(third), field).get(name) == expected


def test_the_first_way_with_a_value_counts(tmp_path: Path) -> None:
    ways = "cause: [{column: 3, empty: ['0']}, {column: 4, when: {column: 5, is: b}}, {constant: none}]"
    assert record(tmp_path, row("1", "2", "b"), ways)["cause"] == "1"
    assert record(tmp_path, row("0", "2", "b"), ways)["cause"] == "2"
    assert record(tmp_path, row("0", "2", "c"), ways)["cause"] == "none"


def test_what_is_required_is_missed_only_where_it_is_looked_for(tmp_path: Path) -> None:
    needed = "cause: [{column: 3, required: yes, when: {column: 5, is: b}}, {column: 4}]"
    assert record(tmp_path, row("", "", "b"), needed) == {
        "refused": "type",
        "detail": "cause: expected a value, was empty",
    }
    assert record(tmp_path, row("", "x", "b"), needed)["cause"] == "x"
    alone = "cause: {column: 3, required: yes, when: {column: 5, is: b}}"
    assert record(tmp_path, row("", "", "b"), alone)["refused"] == "type"
    assert "cause" not in record(tmp_path, row("", "", "c"), alone)


def test_sums_make_cells_and_ends(tmp_path: Path) -> None:
    helpers = (
        "enb: {column: 3, type: int}\n  sector: {column: 4, type: hex}\n  eci: {sum: {enb: 256, sector: 1}}"
    )
    cell = 'cell: {template: "460-00-{eci}"}'
    assert record(tmp_path, row("4660", "1f"), cell, helpers=helpers)["cell"] == f"460-00-{4660 * 256 + 31}"
    assert "cell" not in record(tmp_path, row("4660", ""), cell, helpers=helpers)
    path = tmp_path / "end.yaml"
    path.write_text(
        HEAD + "kind: call.out\nfields:\n  subscriber: {column: 1}\n"
        "  t_start: {column: 2, type: time, format: epoch s}\n"
        "  t: [{sum: {t_start: 1, ms: 1000}}, {sum: {t_start: 1}}]\nhelpers:\n  ms: {column: 3, type: int}\n"
    )
    rows = Rows(load_map(path), Desk().intake)
    for third, t in (("1500", 1_788_740_001_500_000), ("", 1_788_740_000_000_000)):
        event = rows.take(1, row(third).encode(), "rows:1")
        assert event is not None
        assert (event.t, event.seen) == (t, 1_788_740_000_000_000)


def test_templates_keep_their_text(tmp_path: Path) -> None:
    helpers = "a: {column: 3}\n  b: {column: 4}"
    both = "result: {template: '100% {a}%s{b}{a}'}"
    assert record(tmp_path, row("x", "y"), both, helpers=helpers)["result"] == "100% x%syx"
    one = "result: {template: '{a}-%d-{a}', required: yes}"
    assert record(tmp_path, row("x"), one, helpers="a: {column: 3}")["result"] == "x-%d-x"
    assert record(tmp_path, row(""), one, helpers="a: {column: 3}") == {
        "refused": "type",
        "detail": "result: expected values of a, was empty",
    }


def test_kinds_ask_further_columns(tmp_path: Path) -> None:
    head = (
        'kind:\n  column: 3\n  values: {"1": call.out, "2": {column: 4, values: {a: sms.in, b: sms.out}, '
        'otherwise: skip}, "3": {column: 4, values: {a: sms.in}}}\nfiller: F'
    )

    def told(*cells: str) -> dict[str, Any]:
        return record(tmp_path, row(*cells), head=head)

    assert told("1")["kind"] == "call.out"
    assert [told("2", text).get("kind") for text in ("a", " b ", "c", "", "ff")] == [
        "sms.in",
        "sms.out",
        None,
        None,
        None,
    ]
    assert told("2", "c") == {"skipped": 1}
    assert told("3", "b")["detail"] == "kind: expected one of a, was 'b'"
    assert told("4")["detail"] == "kind: expected one of 1, 2, 3, was '4'"
    assert told("FF")["detail"] == "kind: expected a value, was empty"


def test_fillers_are_nothing(tmp_path: Path) -> None:
    for text, expected in (("FFFF", None), (" ffFF ", None), ("F0", 0xF0)):
        found = record(tmp_path, row(text), "lac: {column: 3, type: hex}", head="kind: call.out\nfiller: F")
        assert found.get("lac") == expected


def test_damage_of_watched_columns_is_counted_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"{HEAD}kind: call.out\n{FIELDS}watch:\n  imei: {{column: 3, digits: 6}}\n")
    desk = Desk()
    rows = Rows(load_map(path), desk.intake)
    for text in ("123456", "12345", "", "12345x", " 123456 "):
        assert rows.take(1, row(text).encode(), "rows:1") is not None
    assert desk.intake.passed == {"damaged.imei": 3}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            "cell: {template: '{subscriber}'}",
            "fields.cell: expected nothing that names a person in a template",
        ),
        (
            "result: {column: 1}",
            "fields.result: expected column 1 for subscriber only, or 8 characters of it",
        ),
        ("result: {column: 1, slice: 1-9}", "expected column 1 for subscriber only"),
        ("result: {column: 1, slice: 2-}", "expected column 1 for subscriber only"),
        ("result: {column: 3, slice: 3-2}", "fields.result.slice: expected characters such as 1-5 or 6-"),
        ("result: {column: 3, slice: 0-2}", "expected characters such as 1-5 or 6-"),
        ("result: {constant: x, slice: 1-2}", "expected slice and until only beside column"),
        (
            "result: {column: 3, divide: 10}",
            "expected divide only for a column of type int, float, bytes or hex",
        ),
        ("lac: {column: 3, type: int, divide: 1}", "expected greater than or equal to 2"),
        ("lac: {sum: {}}", "expected names in sum"),
        ("lac: {sum: {lac: 1}}", "expected lac of columns and constants only, was '{lac}'"),
        (
            "lac: {sum: {result: 1}}\n  result: {column: 3}",
            "expected whole numbers and times in sum, was 'result'",
        ),
        ("lac: {sum: {none: 1}}", "expected lac of columns and constants only, was '{none}'"),
        ("result: []", "fields.result: expected "),
        ("result: {column: 3, when: {column: 4}}", "fields.result.when.is: expected a value"),
        ("result: [{column: 3}, {column: x}]", "fields.result.1.column: expected a valid integer"),
        ("result: {constant: x, values: {x: y}}", "expected values only beside column, was 'constant'"),
        ("lac: {sum: {ms: 1}, type: hex}", "fields.lac: expected type only beside column, was 'sum'"),
        ("cell: {template: '{a}', lower: yes, empty: ['0']}", "expected empty and lower only beside column"),
        ("cell: {template: '460'}", "fields.cell.template: expected a {name} at least (a text without is a"),
        (
            "cell: {template: '460-{}'}",
            "cell.template: expected braces only around a name, such as {eci}, was",
        ),
        ("cell: {template: '{{a}}'}", "expected braces only around a name, such as {eci}, was '{{a}}'"),
        ("cell: {template: '{ECI}'}", "expected braces only around a name, such as {eci}, was '{ECI}'"),
        ("lac: {constant: x, type: int}", "fields.lac.constant: expected a whole number, was 'x'"),
        ("lac: {constant: '-1', type: int}", "fields.lac.constant: expected a number of 0 or more, was '-1'"),
        ("rat: {constant: 5G}", "rat.constant: expected one of GSM, UMTS, LTE, NR, WLAN, was '5G'"),
        ("rat: [{column: 3}, {constant: 5G}]", "9:23: fields.rat.1.constant: expected one of GSM, UMTS"),
        ("rat: {column: 3, values: {'6': lte}}", "fields.rat.values.6: expected one of GSM, UMTS, LTE, NR"),
        (
            "duration: {column: 3, type: int, values: {'1': long}}",
            "duration.values.1: expected a whole number",
        ),
        ("number: {constant: nobody, type: phone}", "fields.number.constant: expected a value of type phone"),
        ("duration: {column: 3}", "expected type int, float, bytes or hex for duration, was 'type text'"),
        ("cell: {column: 3, type: hex}", "expected type text, host or phone for cell, was 'type hex'"),
        ("cell: {sum: {lac: 1}}\n  lac: {column: 3, type: int}", "text, host or phone for cell, was 'a sum'"),
        ("imsi: {column: 1, type: int}", "expected type text, host or phone for imsi, was 'type int'"),
        ("source: {column: 3, type: int}", "expected type text, host or phone for source, was 'type int'"),
        ("quality: {constant: late}", "fields.quality: expected a field of one value, was 'a list'"),
        ("t_start: {column: 3}", "fields.t_start: expected field t_start of type time"),
        ("lac: {sum: {ms: 99999999999999999}}", "fields.lac.sum.ms: expected less than or equal to"),
        ("lac: {column: 3, type: int, divide: 99999999999999999}", "fields.lac.divide: expected less than"),
        ("result: {column: 7}", "columns: expected columns.at_least of 7 or more, was '6'"),
        ("result: {column: 3, when: {column: 9, is: x}}", "expected columns.at_least of 9 or more"),
    ],
)
def test_wrong_uses_are_told(tmp_path: Path, fields: str, message: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"{HEAD}kind: call.out\n{FIELDS}  {fields}\n", "utf-8")
    with pytest.raises(InputError) as caught:
        load_map(path)
    assert message in str(caught.value)
    assert caught.value.where.startswith(f"{path}:")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ('separator: ","', 'separator: "\\n"'),
            "m.yaml:3:1: separator: expected one character or one of tab",
        ),
        (("columns", "header_lines: 1001\ncolumns"), "header_lines: expected less than or equal to 1000"),
        (("columns", "utc_offset: '+99:00'\ncolumns"), "utc_offset: expected an offset such as +08:00"),
        (("columns", "filler: ' '\ncolumns"), "filler: expected one character of ASCII, no space"),
        (
            ("fields:", "helpers:\n  id: {column: 3}\nfields:"),
            "helpers.id: expected another name for a helper",
        ),
        (
            ("fields:", "watch: {'a b': {column: 3, digits: 1}}\nfields:"),
            "watch.a b: expected String should match",
        ),
        (("  t: {", "helpers:\n  t: {"), "fields.t: expected field t of type time"),
    ],
)
def test_wrong_uses_beside_the_fields_are_told(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"{HEAD}kind: call.out\n{FIELDS}".replace(*change, 1), "utf-8")
    with pytest.raises(InputError) as caught:
        load_map(path)
    assert message in str(caught.value)


def test_what_one_of_the_kinds_takes_is_no_mistake(tmp_path: Path) -> None:
    head = 'kind: {column: 3, values: {"1": call.out, "2": data.session}}'
    found = record(tmp_path, row("1"), "phase: {constant: start}", "up: {column: 4, type: bytes}", head=head)
    assert (found["kind"], found["phase"]) == ("call.out", "start")


def test_a_helper_that_nothing_uses_gets_into_no_record(tmp_path: Path) -> None:
    for ways in ("{column: 3, when: {column: 3, is: a}}", "{column: 3}", "{constant: x}"):
        assert "spare" not in record(tmp_path, row("a"), helpers=f"spare: {ways}")


def test_eight_characters_of_an_identity_may_be_read(tmp_path: Path) -> None:
    found = record(tmp_path, row(""), "result: {column: 1, slice: 1-3}")
    assert found["result"] == "A50"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"{HEAD}kind: call\nfiller: FF\n{FIELDS}  result: {{column: x, lowr: yes}}\n", "utf-8")
    found, problems = read_map(path)
    assert found is None
    places = [problem.where.removeprefix(f"{path}:") for problem in problems]
    assert places == ["5:1: kind", "6:1: filler", "10:12: fields.result.column", "10:23: fields.result.lowr"]


def test_a_line_with_cr_in_it_is_many_rows(tmp_path: Path) -> None:
    both = f"{row('a')}\r{row('b')}"
    assert record(tmp_path, both, "result: {column: 3}") == {
        "refused": "columns",
        "detail": "columns: expected lines that end in LF or CR LF, was CR in it",
    }
