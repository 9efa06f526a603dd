"""Pictures: what is where, how long a metre is, and which places share one."""

from __future__ import annotations

import re

import pytest

from engine.cells import METRES_OF_DEGREE, Cell
from engine.place_map.drawing import reach_mark
from engine.place_map.regions import clusters
from engine.place_map.view import box_of, frame, join

DEGREE = METRES_OF_DEGREE


@pytest.mark.parametrize("lon", [120.0, 179.995, -179.995])
def test_a_box_lies_in_the_middle_and_north_is_up(lon: float) -> None:
    box = box_of([(lon, 30.0), ((lon + 0.02 + 180) % 360 - 180, 30.01)])
    assert box is not None
    view = frame(box, 1000, 300, 700)
    x, y = view.xy(30.005, box[0] + 0.01)
    assert (x, y) == pytest.approx((500, view.height / 2))
    assert view.xy(30.01, box[0])[1] < view.xy(30.0, box[0])[1]
    east = view.xy(30.0, (box[2] + 180) % 360 - 180)[0]
    assert 500 < east < 1000
    assert view.shows(30.005, lon)
    assert not view.shows(31, lon)


def test_the_scale_is_true_and_its_length_round() -> None:
    box = box_of([(120.0, 30.0), (120.0, 30.0 + 5_000 / DEGREE)])
    assert box is not None
    view = frame(box, 800, 300, 500)
    points, label = view.bar()
    assert label == "2 km"
    assert points == pytest.approx(view.points(2_000))
    low, high = view.xy(30.0, 120.0)[1], view.xy(30.0 + 2_000 / DEGREE, 120.0)[1]
    assert low - high == pytest.approx(points)


def test_a_box_holds_what_cells_cover() -> None:
    west, south, east, north = box_of((), [Cell("a", 0, 0, DEGREE)]) or (0, 0, 0, 0)
    assert (west, south, east, north) == pytest.approx((-1, -1, 1, 1))
    sector = box_of((), [Cell("a", 0, 0, DEGREE, 0, 90)]) or (0, 0, 0, 0)
    assert sector == pytest.approx((-0.7071, 0, 0.7071, 1), abs=1e-3)
    assert box_of(()) is None
    assert join([(0, 0, 1, 1), (2, 2, 3, 3)]) == (0, 0, 3, 3)


def test_a_cell_is_drawn_as_a_circle_or_a_sector() -> None:
    box = box_of((), [Cell("a", 0, 0, 1_000)])
    assert box is not None
    view = frame(box, 1120, 1120, 1120)
    assert view.metres == pytest.approx(2)
    assert reach_mark(view, Cell("a", 0, 0, 1_000), "<a>").startswith(
        '<circle class="reach" cx="560.0" cy="560.0" r="500.0"><title>&lt;a&gt;</title>'
    )
    east = reach_mark(view, Cell("a", 0, 0, 1_000, 90, 180), "a")
    points = re.search(r'd="M(\S+) (\S+)L(\S+) (\S+)A500.0 500.0 0 0 1 (\S+) (\S+)Z"', east)
    assert points is not None
    assert [float(each) for each in points.groups()] == [560, 560, 560, 60, 560, 1060]
    assert " 1 1 " in reach_mark(view, Cell("a", 0, 0, 1_000, 90, 200), "a")


def test_places_far_from_each_other_are_regions() -> None:
    spots = [
        (30.0, 120.0),
        (31.5, 120.0),
        (30.1, 120.1),
        (30.0, 120.3),
        (0.0, 179.99),
        (0.0, -179.99),
        (30.2, 120.2),
    ]
    assert clusters(spots) == [[0, 2, 3, 6], [4, 5], [1]]
    assert clusters([]) == []
