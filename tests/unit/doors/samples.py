"""Small made-up files of every layout that ships, with the kinds of damage that real ones have.

    python -m tests.unit.doors.samples      # writes tests/data/xdr: the files, and what becomes of each line

Numbers in them are made up. What becomes of a line is compared with the committed golden records: read a
change of them as closely as one of the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from connectors.column_map import ColumnMap, load_map, map_names
from connectors.lines import Lines
from connectors.xdr_files import Rows
from engine.collect import spread
from tests.testdata import CHECKOUT
from tests.unit.doors.support import Desk

FOLDER = CHECKOUT / "tests" / "data" / "xdr"
IMSI, MSISDN, IMEI = "460001234567890", "8613912345678", "3592540612345678"

S1 = {
    1: "352",
    2: "0571",
    3: "5",
    5: "6",
    6: IMSI,
    7: IMEI,
    8: MSISDN,
    12: "0",
    14: "FF",
    15: "FF",
    16: "FF",
    36: "FFFFFFF",
}
S1U = {
    1: "702",
    2: "0571",
    3: "11",
    5: "6",
    6: IMSI,
    7: IMEI,
    8: MSISDN,
    16: "4318",
    17: "10596469",
    18: "CMNET",
}

ROWS: dict[str, tuple[dict[int, str], list[dict[int, str]]]] = {
    "s1-mme": (
        {**S1, 10: "1788740000123", 11: "1788740000456", 33: "10de", 34: "a1b2c3"},
        [
            {4: "01", 9: "1"},
            {4: "02", 9: "2"},
            {4: "03", 9: "4"},  # paging
            {4: "04", 9: "5", 12: "1", 14: "111"},
            {4: "05", 9: "6", 15: "1", 16: "1"},
            {4: "06", 9: "14", 36: "a1b2c4"},
            {4: "07", 9: "15", 36: "a1b2c4"},
            {4: "08", 9: "32", 15: "1"},
            {4: "09", 9: "32", 15: "FF"},
            {4: "0a", 9: "5", 6: "FFFFFFFFFFFFFFF", 34: "FFFFFFF"},
        ],
    ),
    "city-s1-mme": (
        {**S1, 10: "1788740000123", 11: "1788740000456", 16: "", 33: "10de", 34: "a1b2c3", 35: "", 36: ""},
        [
            {4: "01", 9: "1"},
            {4: "02", 9: "2", 17: "paging"},
            {4: "03", 9: "4"},  # paging
            {4: "04", 9: "5", 12: "1"},
            {4: "05", 9: "6", 16: "1"},
            {4: "06", 9: "14", 35: "10de", 36: "a1b2c4"},
        ],
    ),
    "s1-mme-hive": (
        {5: IMSI, 6: IMEI, 7: MSISDN, 9: "1788740000123456", 10: "1788740000456789", 11: "0", 22: "4318",
         23: "123456-7", 25: "\\N"},
        [
            {3: "01", 8: "5"},
            {3: "02", 8: "14", 25: "123457-12"},
            {3: "03", 8: "20"},
            {3: "04", 8: "2", 5: "\\N", 23: "\\N", 22: "\\N"},
        ],
    ),
    "s1u-http": (
        {**S1U, 20: "2026-09-07 08:53:20.1234567", 21: "2026-09-07 08:53:21.5", 23: "15", 24: "9", 34: "990",
         35: "12780", 55: "200", 59: "Www.Example.com", 60: "http://other.example.com/x?y=1"},
        [{4: "01"}, {4: "02", 59: "", 55: "0"}, {4: "03", 5: "9", 17: "0", 24: "0"}],
    ),
    "sgs": (
        {3: "6", 5: "6", 6: IMSI, 7: IMEI, 8: MSISDN, 10: "2026-09-07 08:53:20", 11: "2026-09-07 08:53:21.25",
         12: "0", 13: "0", 14: "0", 26: "4600110DE", 28: "10de", 29: "a1b2c3", 30: "10086"},
        [
            {4: "01", 9: "9", 14: "17"},
            {4: "02", 9: "8"},
            {4: "03", 9: "7", 30: "13987654321"},
            {4: "04", 9: "1"},
            {4: "05", 9: "19"},
        ],
    ),
    "a-call": (
        {1: "2026-09-07 08:53:20", 9: MSISDN, 12: "10086", 17: IMSI, 20: "4317", 21: "100", 22: "4318",
         23: "17112", 32: "normal", 41: "0", 55: "0", 59: "61500", 60: "70250"},
        [
            {2: "01", 8: "0"},
            {2: "02", 8: "1", 9: "13987654321", 12: MSISDN, 59: "60000"},
            {2: "03", 8: "3", 41: "16"},
            {2: "04", 8: "0", 60: "", 59: ""},
            {2: "05", 8: "9"},
        ],
    ),
    "a-location": (
        {1: "2026-09-07 08:53:20.5", 8: MSISDN, 9: IMSI, 11: "10DE", 12: "42D8", 13: "0", 14: "0", 16: "1"},
        [
            {2: "01", 7: "0"},
            {2: "02", 7: "1", 13: "1", 14: "15"},
            {2: "03", 7: "2"},
            {2: "04", 7: "3"},
            {2: "05", 7: "7"},
        ],
    ),
    "a-sms": (
        {1: "260907085320", 16: IMSI, 19: "10de", 20: "42d8", 22: "0", 24: "0", 26: "70", 35: "0"},
        [
            {2: "01", 8: "0", 10: MSISDN, 13: "10086"},
            {2: "02", 8: "1", 10: "1065712345", 13: MSISDN, 22: "1", 24: "38"},
            {2: "03", 8: "0", 16: "", 10: MSISDN, 13: "+852 6123 4567"},
        ],
    ),
    "mms": (
        {**S1U, 20: "1788740000.25", 21: "1788740003", 54: "0", 57: "128", 58: "13987654321/TYPE=PLMN",
         61: "li@example.com", 66: "30720"},
        [
            {4: "01", 53: "128"},
            {4: "02", 53: "132", 5: "1", 17: "17112"},
            {4: "03", 53: "130"},
            {4: "04", 53: "128", 61: "+8613800138000/TYPE=PLMN", 54: "1", 57: "227"},
        ],
    ),
    "gn-unicom-2015": (
        {1: "A50E2F67", 2: "40984", 3: "17112", 4: "3GNET", 5: "354383", 8: "2015-08-09 12:11:42.253665",
         9: "2015-08-09 12:11:48.693528", 10: "6", 11: "990", 12: "1278", 13: "2", 14: "172.25.166.191",
         15: "38575", 16: "163.177.89.181", 17: "80", 18: "200", 19: "http://a.example.com/x"},
        [{}, {13: "1", 18: "0", 19: ""}, {5: "35438"}],
    ),
}  # fmt: skip
"""Map -> columns that all rows have, and what is other in each."""


def row(columns: ColumnMap, cells: dict[int, str]) -> list[bytes]:
    """Return the columns of a row, as many as the layout has at least."""
    return [cells.get(index, "").encode() for index in range(1, columns.columns.at_least + 1)]


def lines(name: str) -> Iterator[bytes]:
    """Yield the lines of a sample with their ends: sound rows, then one for each kind of damage."""
    columns = load_map(name)
    between = columns.separator.encode()
    common, own = ROWS[name]
    for cells in own:
        yield between.join(row(columns, {**common, **cells})) + b"\n"
    first = {**common, **own[0]}
    first.update(
        {
            index: f"d{index}"
            for index in columns.id
            if index not in first or first[index] == own[0].get(index)
        }
    )
    if not isinstance(columns.kind, str):
        first[columns.kind.column] = own[0][columns.kind.column]

    def damaged(**change: bytes) -> bytes:
        cells = row(columns, first)
        for at, text in change.items():
            cells[int(at[1:]) - 1] = text
        return between.join(cells)

    def column(field: str) -> str:
        (way, *_) = columns.fields[field]
        return f"c{way.column}"

    time = column("t") if columns.fields["t"][0].column else column("t_start")
    text = column("cause") if "cause" in columns.fields else column("result")
    yield damaged() + between * 3 + b"\n"  # more columns
    yield damaged()[:40] + b"\n"  # a row cut off
    yield damaged(**{time: b"08:31.2"}) + b"\n"
    yield damaged(**{time: b""}) + b"\n"
    yield damaged(**{text: b'say "'}) + b"\n"
    yield damaged(**{text: b"a\0b"}) + b"\n"
    yield damaged(**{text: b"caf\xe9"}) + b"\n"
    yield b"\n"
    yield damaged(**{text: b"  spaced "}) + b"\r\n"
    if "imeisv" in columns.fields:
        yield damaged(**{column("imeisv"): b"354383"}) + b"\n"
    who = {
        f"c{way.column}": b""
        for field in ("imsi", "msisdn", "subscriber")
        for way in columns.fields.get(field, ())
    }
    yield damaged(**who) + b"\n"
    yield between.join(row(columns, {**common, **own[0]}))  # the first row once more; no end of line


def told(name: str, path: Path) -> Iterator[dict[str, Any]]:
    """Yield what becomes of each line of a file: `record`, `refused`, `skipped` or `blank`."""
    columns = load_map(name)
    desk = Desk()
    rows = Rows(columns, desk.intake)
    before = 0
    for number, line in Lines(path, desk.intake, source=columns.source, name=path.name):
        yield from ({"line": missed, "blank": True} for missed in range(before + 1, number))
        before = number
        event = rows.take(number, line, f"{path.name}:{number}")
        if event is not None:
            (partition, value) = spread(event, 16)[0]
            yield {"line": number, "partition": partition, "record": orjson.loads(value)}
        elif desk.refusals:
            refusal = desk.refusals.pop()
            yield {"line": number, "refused": refusal.reason, "detail": refusal.detail}
        else:
            yield {"line": number, "skipped": True}


def main() -> None:
    """Write all samples and their golden records."""
    FOLDER.mkdir(exist_ok=True)
    for name in map_names():
        path = FOLDER / f"{name}.txt"
        path.write_bytes(b"".join(lines(name)))
        golden = FOLDER / f"{name}.golden.jsonl"
        golden.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in told(name, path)))


if __name__ == "__main__":
    main()
