"""The table asked by distance: as a search through all cells answers."""

from __future__ import annotations

import random

import pytest

from engine.cells import Cell, CellTable, distance, offset, reach
from tests.unit.places.world import cell


def test_a_degree_of_a_great_circle_is_111_km() -> None:
    assert distance(0, 0, 0, 1) == pytest.approx(111_195, abs=1)
    assert distance(89, 0, 89, 180) == pytest.approx(2 * 111_195, abs=5)
    assert distance(0, 179.5, 0, -179.5) == pytest.approx(111_195, abs=1)
    assert distance(31, 121, 31, 121) == 0


def test_an_offset_goes_the_short_way() -> None:
    assert offset(0, 179.999, 0, -179.999) == pytest.approx((222.39, 0), abs=0.1)
    assert offset(30, 120, 30.001, 120) == pytest.approx((0, 111.195), abs=0.1)


def test_degrees_that_hold_a_distance_grow_towards_the_poles() -> None:
    assert reach(0, 111_195) == pytest.approx((1, 1), abs=0.01)
    assert reach(60, 1_000)[1] > 2 * reach(0, 1_000)[1]
    assert reach(89.99, 1_000)[1] == 180


@pytest.mark.parametrize(
    ("lat", "lon"), [(30, 120), (0, 179.99), (-45, -180), (69.5, 18), (89.95, 5), (0, 0)]
)
def test_near_finds_what_a_search_through_all_finds(lat: float, lon: float) -> None:
    rng = random.Random(7)
    around = [
        Cell(
            str(number),
            max(-90, min(90, lat + rng.gauss(0, 0.2))),
            (lon + rng.gauss(0, 0.3) + 180) % 360 - 180,
            1,
        )
        for number in range(400)
    ]
    table = CellTable(around)
    for metres in (0.5, 800, 20_000, 90_000):
        wanted = [c.cell for c in around if distance(lat, lon, c.lat, c.lon) <= metres]
        assert [c.cell for c in table.near(lat, lon, metres)] == wanted


def test_the_ring_of_a_place_is_what_is_near_its_cells_and_not_of_it() -> None:
    table = CellTable(
        [
            cell("core", 0, 0),
            cell("same site", 0, 0),
            cell("near", 400, 0),
            cell("far", 0, 700),
            cell("b", 900, 0),
        ],
        ["nowhere"],
    )
    assert table.ring(["core"], 500) == ("same site", "near")
    assert table.ring(["core", "near"], 500) == ("same site", "b")
    assert table.ring(["core"], 0.0) == ("same site",)
    assert table.ring(["nowhere", "unheard of"], 500) == ()


def test_positions_are_of_cells_that_have_one() -> None:
    table = CellTable([cell("a", 0, 0)], ["b"])
    assert dict(table.positions) == {"a": (30.0, 120.0)}
    assert len(table) == 2
    assert "b" in table
    assert "c" not in table
    assert table.longest == 200
    assert CellTable().longest == 0
