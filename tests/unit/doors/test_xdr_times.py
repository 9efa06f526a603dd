"""Rows whose time can't be read take that of the row before them, if their map asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.column_map import load_map, read_map
from connectors.xdr_files import Rows, rows
from tests.unit.doors.support import Desk

MAP = """map: m
source: s
separator: ","
columns: {at_least: 5}
kind: {column: 4, values: {u: loc.update, h: loc.handover, off: power.off}, otherwise: skip}
fields:
  subscriber: {column: 1}
  t: T
  t_start: {column: 3, type: time, format: epoch s, unreadable: drop}
  cell: {column: 5}
"""
BEFORE = "{column: 2, type: time, format: epoch s, unreadable: before}"
START_ELSE = f"[{BEFORE.replace('before', 'drop')}, {BEFORE.replace('column: 2', 'column: 3')}]"
T = 1_788_740_000
GUESSED = ["guessed_time", "no_trigger"]
Taken = list[tuple[str, int, int | None, list[str]]]


def read(tmp_path: Path, t: str, *lines: str) -> tuple[Taken, dict[str, int], list[str]]:
    """Return (kind, seconds from T, those of the start, flags) of rows; counts; why others are refused."""
    path = tmp_path / "m.yaml"
    path.write_text(MAP.replace("t: T", f"t: {t}"), "utf-8")
    desk = Desk()
    taker = Rows(load_map(path), desk.intake)
    found: Taken = []
    for number, line in enumerate(lines, 1):
        event = taker.take(number, line.encode(), f"rows:{number}")
        if event is not None:
            start = event.fields.get("t_start")
            seconds = event.t // 1_000_000 - T, None if start is None else start // 1_000_000 - T
            found.append((event.kind, *seconds, event.fields.get("quality", [])))
    return found, dict(desk.intake.passed), [f"{bad.reason} {bad.detail}" for bad in desk.refusals]


def test_the_time_is_that_of_the_row_before(tmp_path: Path) -> None:
    lines = (f"A,{T},{T - 5},u,c1", "A,08:31.2,08:30.9,h,c2", "A,,,u,c2", f"A,{T + 9},########,u,c1")
    found, counts, refused = read(tmp_path, BEFORE, *lines)
    assert found == [
        ("loc.update", 0, -5, []),
        ("loc.handover", 0, None, GUESSED),
        ("loc.update", 0, None, GUESSED),
        ("loc.update", 9, None, []),
    ]
    assert counts == {"damaged.t": 2}
    assert not refused


def test_a_start_that_can_be_read_is_dropped_with_the_time(tmp_path: Path) -> None:
    found, _, _ = read(tmp_path, BEFORE, f"A,{T},,u,c1", f"A,08:31.2,{T + 7},u,c2")
    assert found[1] == ("loc.update", 0, None, GUESSED)


def test_another_column_of_the_row_itself_is_better(tmp_path: Path) -> None:
    lines = f"A,{T},,u,c1", f"A,08:31.2,{T + 7},u,c2", "A,08:31.2,,u,c2"
    found, counts, _ = read(tmp_path, START_ELSE, *lines)
    assert found[1:] == [("loc.update", 7, 7, []), ("loc.update", 7, None, GUESSED)]
    assert counts["damaged.t"] == 1


def test_what_is_more_than_a_place_is_refused_and_so_is_a_first_row(tmp_path: Path) -> None:
    lines = "A,08:31.2,,u,c1", f"A,{T},,u,c1", "A,08:31.2,,off,c1", "A,,,off,c1", "A,08:31.2,,page,c1"
    found, counts, refused = read(tmp_path, BEFORE, *lines)
    assert [kind for kind, *_ in found] == ["loc.update"]
    assert refused == [
        "time t: expected a time as epoch s, was '08:31.2'",
        "time t: expected a time as epoch s, was '08:31.2'",
        "type t: expected a value, was empty",
    ]
    assert counts == {"skipped": 1}


def test_a_time_that_can_not_be_one_is_nobodys(tmp_path: Path) -> None:
    found, _, refused = read(tmp_path, BEFORE, f"A,{T},,u,c1", "A,0,,u,c1", "A,8:3,,u,c1")
    assert found == [("loc.update", 0, None, []), ("loc.update", 0, None, GUESSED)]
    assert len(refused) == 1


def test_each_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(MAP.replace("t: T", f"t: {BEFORE}"), "utf-8")
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text(f"A,{T},,u,c1\nA,8:3,,u,c2\n", "utf-8")
    second.write_text(f"A,8:3,,u,c2\nA,{T},,u,c1\n", "utf-8")
    desk = Desk()
    assert [len(list(rows(each, load_map(path), desk.intake))) for each in (first, second)] == [2, 1]


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (
            "{sum: {t_start: 1}, unreadable: before}",
            "expected unreadable only beside a column of another type",
        ),
        (BEFORE.replace("}", ", required: yes}"), "expected required or unreadable: before, was 'both'"),
        (f"[{BEFORE}, {BEFORE}]", "fields.t: expected unreadable: before only of t, in the last way to it"),
        (BEFORE.replace("before", "after"), "expected 'refuse', 'drop' or 'before'"),
    ],
)
def test_a_wrong_use_is_told(tmp_path: Path, t: str, expected: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(MAP.replace("t: T", f"t: {t}"), "utf-8")
    _, mistakes = read_map(path)
    assert [expected in str(mistake) for mistake in mistakes] == [True]


def test_only_the_time_may_be_that_of_another_row(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    own = "  lac: {column: 2, type: int, unreadable: before}\n"
    path.write_text(MAP.replace("t: T", f"t: {BEFORE}") + own, "utf-8")
    _, mistakes = read_map(path)
    assert [str(mistake) for mistake in mistakes] == [
        f"{path}:11:3: fields.lac: expected unreadable: before only of t, in the last way to it, was 'other'"
    ]


def test_a_number_that_can_not_be_read_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    own = "  lac: {column: 2, type: int, slice: 1-2, unreadable: drop}\n"
    path.write_text(MAP.replace("t: T", "t: {column: 3, type: time, format: epoch s}") + own, "utf-8")
    desk = Desk()
    taker = Rows(load_map(path), desk.intake)
    events = [taker.take(1, f"A,{lac},{T},u,c1".encode(), "rows:1") for lac in ("17", "x7", "")]
    assert [event.fields.get("lac") for event in events if event is not None] == [17, None, None]
    assert not desk.refusals
