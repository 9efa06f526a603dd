"""Areas and cells on the map: which cells belong, and what holds at the ends of the world."""

from __future__ import annotations

from math import hypot, pi, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cells import METRES_OF_DEGREE, Cell, CellTable
from engine.language.geojson import Polygons, Ring
from engine.language.plane import Area, Sites, area_of, circle_of, fits, within
from tests.unit.places.world import LAT, LON, cell, ring, square


def rings(*found: list[list[float]]) -> Polygons:
    polygon = tuple(tuple((lon, lat) for lon, lat in each) for each in found)
    return (polygon,)


def belong(area: Area, mode: Any, *cells: Cell) -> list[str]:
    sites = Sites(CellTable(cells))
    near = [sites.cells[int(number)] for number in sites.around(area)]
    return [fit.cell.cell for fit in fits(area, near) if fit.belongs(mode, area.square)]


def test_sizes_are_true() -> None:
    assert area_of(rings(square(2_000))).square == pytest.approx(4e6, rel=2e-3)
    assert circle_of(LAT, LON, 500).square == pytest.approx(pi * 500**2, rel=2e-3)
    [full] = fits(circle_of(LAT, LON, 5_000), [cell("a", 0, 0, 300)])
    assert full.covers == pytest.approx(pi * 300**2, rel=2e-3)
    [part] = fits(circle_of(LAT, LON, 5_000), [cell("a", 0, 0, 300, azimuth=90, beam=60)])
    assert part.covers == pytest.approx(pi * 300**2 / 6, rel=2e-3)


def test_strict_takes_cells_that_lie_wholly_inside() -> None:
    area = area_of(rings(square(1_000)))
    cells = [
        cell("inside", 0, 0, 490),
        cell("over the edge", 100, 0, 410),
        cell("outside", 900, 0, 100),
        cell("looks in", 480, 0, 400, azimuth=270, beam=60),
        cell("looks out", 480, 0, 400, azimuth=90, beam=60),
    ]
    assert belong(area, "strict", *cells) == ["inside", "looks in"]


def test_loose_takes_sites_inside_and_whoever_has_half_in_common() -> None:
    area = area_of(rings(square(1_000)))
    cells = [
        cell("site inside, reaches far", 480, 0, 5_000, azimuth=90, beam=60),
        cell("half of its reach", 510, 0, 400, azimuth=270, beam=120),
        cell("less than half", 560, 0, 400),
        cell("covers half of the place", 800, 0, 1_200),
        cell("a graze", 0, 2_400, 2_000),
        cell("far", 9_000, 0, 500),
    ]
    assert belong(area, "loose", *cells) == [
        "site inside, reaches far",
        "half of its reach",
        "covers half of the place",
    ]


def test_a_hole_is_outside() -> None:
    area = area_of(rings(square(2_000), square(600)))
    assert area.square == pytest.approx(4e6 - 36e4, rel=2e-3)
    cells = [cell("in the hole", 0, 0, 200), cell("on solid ground", 700, 0, 200)]
    assert belong(area, "strict", *cells) == ["on solid ground"]
    assert belong(area, "loose", *cells) == ["on solid ground"]


def test_several_polygons_are_one_area() -> None:
    area = area_of((*rings(square(400)), *rings(square(400, 3_000))))
    assert belong(
        area, "strict", cell("a", 0, 0, 100), cell("b", 3_000, 0, 100), cell("c", 1_500, 0, 100)
    ) == ["a", "b"]


def test_a_sector_opens_where_it_looks() -> None:
    east = area_of(rings(square(400, 400)))
    looks = {
        f"{azimuth}": cell(f"{azimuth}", 0, 0, 700, azimuth=azimuth, beam=90) for azimuth in (0, 90, 180, 270)
    }
    common = {fit.cell.cell: round(fit.common / east.square, 2) for fit in fits(east, list(looks.values()))}
    assert common["90"] > 0.9
    assert common["270"] == 0
    wrapped = cell("north", 0, 0, 700, azimuth=350, beam=60)
    [fit] = fits(area_of(rings(square(400, 0, 400))), [wrapped])
    assert fit.common > 0


def at_the_antimeridian(*lons: float) -> Ring:
    lats = (-0.01, -0.01, 0.01, 0.01, -0.01)
    return tuple(zip(lons, lats, strict=True))


@pytest.mark.parametrize(
    "polygons",
    [
        ((at_the_antimeridian(179.98, -179.98, -179.98, 179.98, 179.98),),),
        (
            (at_the_antimeridian(179.98, 180, 180, 179.98, 179.98),),
            (at_the_antimeridian(-180, -179.98, -179.98, -180, -180),),
        ),
    ],
    ids=["across", "cut in two, as the standard asks"],
)
def test_an_area_over_the_antimeridian_is_whole(polygons: Polygons) -> None:
    area = area_of(polygons)
    assert sqrt(area.square) == pytest.approx(sqrt(0.04 * 0.02) * METRES_OF_DEGREE, rel=1e-3)
    sides = [
        Cell("west", 0, 179.99, 500),
        Cell("east", 0, -179.99, 500),
        Cell("on it", 0, 180, 500),
        Cell("away", 0, 179.9, 500),
    ]
    assert belong(area, "strict", *sides) == ["west", "east", "on it"]
    assert [c.cell for c in within(area, Sites(CellTable(sides)), 9_000)] == ["west", "east", "on it", "away"]


def test_an_area_that_crosses_itself_is_mended() -> None:
    bow = area_of(rings(ring((0, 0), (400, 400), (400, 0), (0, 400))))
    assert bow.mended == "Self-intersection"
    assert bow.square == pytest.approx(400 * 400 / 2, rel=2e-3)
    assert area_of(rings(square(400))).mended == ""


def test_of_a_line_nothing_is_left() -> None:
    assert area_of(rings(ring((0, 0), (400, 0), (200, 0)))).shape.is_empty


def test_what_is_near_an_area_by_its_site() -> None:
    area = area_of(rings(square(1_000)))
    cells = [cell("inside", 0, 0), cell("at 400", 900, 0), cell("at 600", 1_100, 0), cell("corner", 800, 800)]
    assert [c.cell for c in within(area, Sites(CellTable(cells)), 425)] == ["inside", "at 400", "corner"]


@given(
    st.lists(st.tuples(st.integers(-900, 900), st.integers(-900, 900), st.integers(20, 900)), max_size=30),
    st.integers(50, 1_500),
)
def test_strict_is_part_of_loose_and_grows_with_the_place(
    cells: list[tuple[int, int, int]], radius: int
) -> None:
    made = [cell(str(at), east, north, reach) for at, (east, north, reach) in enumerate(cells)]
    area, larger = circle_of(LAT, LON, radius), circle_of(LAT, LON, radius * 1.5)
    strict = set(belong(area, "strict", *made))
    assert strict <= set(belong(area, "loose", *made))
    assert strict <= set(belong(larger, "strict", *made))
    for number, (east, north, reach) in enumerate(cells):  # as geometry has it, but for the edge itself
        slack = radius - hypot(east, north) - reach
        if abs(slack) > 0.005 * (radius + reach) + 1:
            assert (str(number) in strict) is (slack > 0)


def test_nothing_is_near_in_an_empty_table() -> None:
    assert belong(area_of(rings(square(100))), "loose") == []


@pytest.mark.parametrize("lat", [0.0, 52.0, -33.0, 69.0])
def test_a_circle_of_cells_is_right_at_every_latitude(lat: float) -> None:
    area = circle_of(lat, 25.0, 2_000)
    degree = METRES_OF_DEGREE
    cells = [Cell(f"{metres}", lat + metres / degree, 25.0, 100) for metres in (1_850, 1_950)]
    assert belong(area, "strict", *cells) == ["1850"]
