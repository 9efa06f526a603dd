"""Damage of real files never stops a file, and every line is accounted for: an event, a refusal, or neither.

lines of the file = applied + refused + skipped + headers + blank
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.column_map import ColumnMap, load_map, map_names
from connectors.lines import Lines
from connectors.xdr_files import Rows
from engine.errors import InputError
from engine.refusals import dead_letter
from tests.unit.doors import samples
from tests.unit.doors.support import Desk

GN = load_map("gn-unicom-2015")
SOUND = (
    b"A50E,40984,17112,3GNET,354383,220.206.165.184,220.206.184.200,2015-08-09 12:11:42.253665,"
    b"2015-08-09 12:11:48.693528,6,990,1278,2,172.25.166.191,%d,163.177.89.181,80,200,http://a.example.com/x"
)
Find = Callable[[str], Path]


def balance(path: Path, columns: ColumnMap) -> Counter[str]:
    """Read a whole file and count what became of its lines; every refusal is a dead letter with its place."""
    desk = Desk()
    rows = Rows(columns, desk.intake)
    lines = Lines(path, desk.intake, source=columns.source, name=path.name)
    counts: Counter[str] = Counter()
    try:
        for number, line in lines:
            event = rows.take(number, line, f"{path.name}:{number}")
            counts["applied"] += event is not None
    except InputError:
        counts["cut"] += 1
    counts["refused"] = len(desk.refusals)
    counts["blank"] = lines.blank
    counts += desk.intake.passed
    letters = [orjson.loads(dead_letter(refusal, "collector", 0, {})) for refusal in desk.refusals]
    places = [letter["position"] for letter in letters]
    assert len(set(places)) == len(places)
    assert all(place.startswith(f"{path.name}:") for place in places)
    assert sum(desk.intake.refused.values()) == len(letters)
    accounted = sum(counts[name] for name in ("applied", "refused", "skipped", "headers", "blank"))
    assert accounted == lines.number
    counts["lines"] = lines.number
    return counts


@pytest.mark.parametrize(
    ("day", "applied", "refused", "imei"),
    [("0801", 0, 1_000, 84), ("0809", 14_319, 0, 0), ("0810", 2_357, 0, 11), ("0811", 13_384, 0, 0)],
)
def test_each_line_of_the_real_files_is_accounted_for(
    testdata: Find, day: str, applied: int, refused: int, imei: int
) -> None:
    path = testdata("data/xdr_gn_unicom_2015") / f"beijing_2015{day}.csv.gz"
    counts = balance(path, GN)
    assert (counts["applied"], counts["refused"], counts["damaged.imei"]) == (applied, refused, imei)
    with gzip.open(path) as file:
        assert counts["lines"] == sum(1 for _ in file)


@pytest.mark.parametrize("name", map_names())
def test_samples_become_what_they_became(name: str) -> None:
    path = samples.FOLDER / f"{name}.txt"
    golden = (samples.FOLDER / f"{name}.golden.jsonl").read_bytes().splitlines()
    assert list(samples.told(name, path)) == [orjson.loads(line) for line in golden]
    assert path.read_bytes() == b"".join(samples.lines(name))


@pytest.mark.parametrize("name", map_names())
def test_samples_balance_and_name_nobody(name: str) -> None:
    counts = balance(samples.FOLDER / f"{name}.txt", load_map(name))
    assert counts["applied"] >= 5
    assert counts["refused"] >= 4
    assert counts["blank"] == 1
    told = (samples.FOLDER / f"{name}.golden.jsonl").read_text("utf-8")
    assert not [
        text for text in (samples.IMSI, samples.MSISDN, "13987654321", samples.IMEI, "li@") if text in told
    ]


DAMAGE: dict[str, tuple[bytes, bool]] = {
    "sound": (SOUND % 1, True),
    "more columns": (SOUND % 2 + b",Agent/1.0, (Linux; U),text/html,,,", True),
    "fewer columns": (SOUND[:60], False),
    "a stray quote": (SOUND % 3 + b',"Agent/1.0', True),
    "a mangled time": (SOUND.replace(b"2015-08-09 12:11:48.693528", b"08:31.2") % 4, False),
    "a short IMEI": (SOUND.replace(b"354383", b"35438") % 5, True),
    "no IMEI": (SOUND.replace(b"354383", b"") % 6, True),
    "NUL bytes": (SOUND.replace(b"3GNET", b"3G\0NET") % 7, True),
    "NUL bytes alone": (b"\0" * 300, False),
    "bad UTF-8": (SOUND.replace(b"3GNET", b"3G\xffNET") % 8, False),
    "bad UTF-8 where nothing is read": (SOUND % 9 + b",\xff\xfe", True),
    "a line of 2 MB": (SOUND % 10 + b"x" * 2_000_000, False),
    "a carriage return": (SOUND % 11 + b"\r", True),
    "carriage returns alone": (b"\r\r", False),
    "blank": (b"  \t ", False),
    "UTF-16": ("A50E,40984".encode("utf-16"), False),
    "a page of HTML": (b"<html><body>503 Service Unavailable, try again</body></html>", False),
}
UNCOUNTED = {"carriage returns alone", "blank"}


@pytest.mark.parametrize("packed", [False, True])
def test_each_kind_of_damage_costs_its_own_row_only(tmp_path: Path, packed: bool) -> None:
    data = b"\n".join(line for line, _ in DAMAGE.values())  # the last line has no end
    path = tmp_path / "gn.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    counts = balance(path, GN)
    good = sum(taken for _, taken in DAMAGE.values())
    assert counts["applied"] == good
    assert counts["blank"] == len(UNCOUNTED)
    assert counts["refused"] == len(DAMAGE) - good - len(UNCOUNTED)
    assert counts["damaged.imei"] >= 2


def test_a_gzip_file_that_is_cut_off_gives_its_rows_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "gn.csv.gz"
    whole = gzip.compress(b"".join(SOUND % number + b"\n" for number in range(5_000)))
    path.write_bytes(whole[: len(whole) // 2])
    counts = balance(path, GN)
    assert counts["cut"] == 1
    assert 500 < counts["applied"] < 5_000


LINE = st.one_of(
    st.sampled_from([line for line, _ in DAMAGE.values() if len(line) < 1_000]),
    st.binary(max_size=200).map(lambda line: line.replace(b"\n", b"")),
    st.integers(0, 230).flatmap(
        lambda cut: st.binary(max_size=3).map(
            lambda put: (SOUND % 1)[:cut] + put + (SOUND % 1)[cut + len(put) :]
        )
    ),
)


@settings(max_examples=60)
@given(st.lists(LINE, max_size=12), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_any_lines_balance(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bytes, last: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "gn.csv"
    path.write_bytes(end.join(lines) + (end if last else b""))
    counts = balance(path, GN)
    written = path.read_bytes()
    assert counts["lines"] == written.count(b"\n") + (bool(written) and not written.endswith(b"\n"))
