"""The city on the map: every cell once; polygons compiled give places their own cells and no others."""

from __future__ import annotations

from math import cos, hypot, radians

import orjson
import pytest

from connectors.city import City, CityOptions
from connectors.city.geography import Town
from connectors.city.layout import CENTRE, KM_PER_DEGREE, Layout
from connectors.city.maps import CELLS_HEAD, cells_of, places_of
from engine.language.loader import load_dir, load_texts
from engine.language.model import Catalog, Place
from tests.testdata import CHECKOUT
from tests.unit.language.texts import CATALOG, POLICY


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


def compiled(catalog: Catalog, town: Town) -> dict[str, set[str]]:
    """Write the town's map as a catalogue, its places drawn, and return the cells they come to."""
    features = places_of(town)["features"]
    assert [feature["id"] for feature in features] == list(catalog.places)
    table = [CELLS_HEAD, *cells_of(town)]
    texts = {
        **CATALOG,
        "policy.yaml": POLICY,
        "catalog/cells.csv": "".join(",".join(map(str, row)) + "\n" for row in table),
        "catalog/areas/city.geojson": orjson.dumps(places_of(town)).decode(),
        "catalog/places.yaml": "".join(
            f"{key}: {{name: {key}, area: areas/city.geojson, mode: strict}}\n" for key in catalog.places
        ),
    }
    del texts["catalog/cells/south.csv"]
    loaded = load_texts(texts)
    assert loaded.ruleset is not None, "\n".join(map(str, loaded.problems))
    assert not [problem for problem in loaded.problems if problem.code == "R702"]
    return {key: set(place.cells) for key, place in loaded.ruleset.catalog.places.items()}


@pytest.mark.parametrize(
    ("seed", "sites"),
    # with the first a cell of the stadium would lie in the campus beside it
    [(9, 20), (72, 20), (2, 8), *((seed, sites) for seed in range(3) for sites in (3, 8, 20, 60))],
)
def test_polygons_compiled_to_cells_give_the_catalogue_back(
    catalog: Catalog, start: int, seed: int, sites: int
) -> None:
    rules = load_dir(CHECKOUT / "rules").ruleset
    assert rules is not None
    for given in (catalog, rules.catalog):
        town = City(seed, 1, given, start=start, options=CityOptions(sites=sites)).town
        assert compiled(given, town) == {key: set(place.cells) for key, place in given.places.items()}


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
