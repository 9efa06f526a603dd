"""Cells that are none: malformed, fillers, not in the table."""

from __future__ import annotations

import pytest

from engine.treatments.unknown_cells import UnknownCells
from engine.treatments.where_options import UnknownCellsOptions
from tests.unit.treatments.support import A, B, event, take


def step(*table: str) -> UnknownCells:
    return UnknownCells(UnknownCellsOptions(), table or None)


@pytest.mark.parametrize("kind", ["loc.update", "call.out", "complaint"])
@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("460-00-0-101", "filler"),
        ("460-00-65535-101", "filler"),
        ("460-00-65534-101", "filler"),
        ("460-00-4301-0", "filler"),
        ("460-00-4301-65535", "filler"),
        ("460-00-4301-00000", "filler"),
        ("460-00-268435455", "filler"),
        ("460-00-4294967295", "filler"),
        ("460-00-68719476735", "filler"),
        ("460-00-68719476736", "malformed"),
        ("460-00-65536-101", "malformed"),
        ("460-00-4301-1x", "malformed"),
        ("460-0-4301-1", "malformed"),
        ("460-00", "malformed"),
        ("460-00-1-2-3", "malformed"),
        ("460-00--1", "malformed"),
        ("٤٦٠-00-4301-1", "malformed"),
        ("460-00-4301-101\n", "malformed"),
        ("area", "malformed"),
    ],
)  # fmt: skip
def test_it_is_taken_off_and_flagged(cell: str, why: str, kind: str) -> None:
    cells = step()
    (out,) = take(cells, event(0, cell, kind))
    assert (out.cell, out.fields.get("cell"), out.fields["quality"]) == (None, None, ["unknown_cell"])
    assert cells.counts == {why: 1}


@pytest.mark.parametrize(
    "cell", [A, "460-00-268435454", "460-001-65533-65534", "460-11-68719476734", "area:12 x"]
)
def test_what_may_be_a_cell_is_left_alone(cell: str) -> None:
    cells = step()
    (out,) = take(cells, event(0, cell))
    assert (out.cell, out.fields.get("quality")) == (cell, None)
    assert not cells.counts


def test_the_table_says_what_exists() -> None:
    cells = step(A, "cell 17", "460-00-4301-0")
    out = take(
        cells, event(0, A), event(1, B), event(2, "cell 17"), event(3, "460-00-4301-0"), event(4, "area:7")
    )
    out += take(cells, event(5, B), event(6, None), event(7, "460-00-0-1"))
    assert [each.cell for each in out] == [A, None, "cell 17", "460-00-4301-0", "area:7", None, None, None]
    assert cells.counts == {"unknown": 2, "filler": 1}


def test_a_feed_of_garbage_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.treatments.unknown_cells._REMEMBERED", 10)
    cells = step()
    take(cells, *(event(0, f"x{number}") for number in range(95)))
    assert cells.counts == {"malformed": 95}
    assert len(cells._verdicts) <= 10
