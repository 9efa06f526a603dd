"""The city on the map: every cell once, places hold their own cells and no mast of others."""

from __future__ import annotations

from math import cos, hypot, radians

from connectors.city import City
from connectors.city.layout import CENTRE, KM_PER_DEGREE, Layout
from connectors.city.maps import CELLS_HEAD, cells_of, places_of
from engine.language.model import Catalog, Place


def km(latitude: float, longitude: float) -> tuple[float, float]:
    east = (longitude - CENTRE[1]) * KM_PER_DEGREE * cos(radians(CENTRE[0]))
    return east, (latitude - CENTRE[0]) * KM_PER_DEGREE


def test_each_cell_stands_once_and_within_its_place(catalog: Catalog, start: int) -> None:
    town = City(3, 1, catalog, start=start).town
    rows = list(cells_of(town))
    assert CELLS_HEAD == ("cell", "lat", "lon", "range_m")
    at = {cell: km(latitude, longitude) for cell, latitude, longitude, _ in rows}
    assert len(at) == len(rows) == len(town.grid) * 3 + sum(len(p.cells) for p in catalog.places.values())
    assert all(50 < reach < 10_000 for *_, reach in rows)
    for key, site in town.places.items():
        own = set(catalog.places[key].cells)
        inside = {cell for cell, (x, y) in at.items() if hypot(x - site.x, y - site.y) < site.radius}
        assert inside == own


def test_places_are_closed_polygons_named_by_their_keys(catalog: Catalog, start: int) -> None:
    town = City(3, 1, catalog, start=start).town
    features = places_of(town)["features"]
    assert [feature["id"] for feature in features] == list(catalog.places)
    for feature in features:
        [ring] = feature["geometry"]["coordinates"]
        site = town.places[feature["id"]]
        assert ring[0] == ring[-1]
        for longitude, latitude in ring:
            x, y = km(latitude, longitude)
            assert abs(hypot(x - site.x, y - site.y) - site.radius) < 0.001


def test_places_that_share_a_cell_touch_where_it_stands() -> None:
    both = Catalog(
        places={
            "mall": Place("mall", "mall", ("460-00-9-1", "460-00-9-2")),
            "hospital": Place("hospital", "hospital", ("460-00-9-2", "460-00-9-3")),
        }
    )
    town = City(3, 1, both, start=1_788_741_000_000_000).town
    at = {cell: km(latitude, longitude) for cell, latitude, longitude, _ in cells_of(town)}
    x, y = at["460-00-9-2"]
    for site in town.places.values():
        assert hypot(x - site.x, y - site.y) <= site.radius


def test_the_nearest_mast_is_the_nearest() -> None:
    layout = Layout(150)
    for k in range(400):
        x, y = (k * 37 % 211) / 5 - 21, (k * 61 % 199) / 5 - 20
        nearest = min(hypot(px - x, py - y) for px, py, _ in layout.points)
        px, py, _ = layout.points[layout.nearest(x, y)]
        assert hypot(px - x, py - y) == nearest
