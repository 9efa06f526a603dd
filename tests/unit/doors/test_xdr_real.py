"""The real Gn files run whole; the damaged one is quarantined row by row."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from connectors.column_map import load_map
from connectors.merge import merge
from connectors.xdr_files import rows
from tests.unit.doors.support import Desk

FOLDER = "data/xdr_gn_unicom_2015"
Find = Callable[[str], Path]


@pytest.mark.parametrize(
    ("day", "taken", "refused"),
    [("0801", 0, {"time": 1_000}), ("0809", 14_319, {}), ("0810", 2_357, {}), ("0811", 13_384, {})],
)
def test_every_row_is_taken_or_refused(testdata: Find, day: str, taken: int, refused: dict[str, int]) -> None:
    desk = Desk()
    path = testdata(FOLDER) / f"beijing_2015{day}.csv.gz"
    events = list(rows(path, load_map("gn-unicom-2015"), desk.intake))
    assert len(events) == taken
    assert desk.intake.refused == refused
    assert [refusal.position for refusal in desk.refusals] == [
        f"{path.name}:{line}" for line in range(1, len(desk.refusals) + 1)
    ]
    assert len({event.id for event in events}) == taken
    assert all(event.seen <= event.t for event in events)
    assert all(event.cell and event.cell.startswith("460-01-") for event in events)


def test_adjacent_records_are_as_disordered_as_measured(testdata: Find) -> None:
    path = testdata(FOLDER) / "beijing_20150809.csv.gz"
    times = [event.t for event in rows(path, load_map("gn-unicom-2015"), Desk().intake)]
    inverted = sum(later < earlier for earlier, later in pairwise(times))
    assert inverted / len(times) == pytest.approx(0.219, abs=0.001)


def test_all_days_merge_into_one_order(testdata: Find) -> None:
    desk = Desk()
    layout = load_map("gn-unicom-2015")
    paths = sorted(testdata(FOLDER).glob("beijing_*.csv.gz"), reverse=True)
    events = list(merge([rows(path, layout, desk.intake) for path in paths]))
    assert len(events) == 14_319 + 2_357 + 13_384
    assert [event.position.split(":")[0] for event in events[:1] + events[-1:]] == [
        "beijing_20150809.csv.gz",
        "beijing_20150811.csv.gz",
    ]
    assert desk.intake.refused == {"time": 1_000}
