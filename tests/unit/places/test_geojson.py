"""GeoJSON: what is an area, and where in a document something else stands."""

from __future__ import annotations

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.language import geojson
from engine.language.cells_table import read_file
from engine.language.geojson import BadArea, choose, features_of, polygons_of

RING = [[120, 30], [121, 30], [121, 31], [120, 30]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def feature(geometry: Any, **others: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": None, "geometry": geometry, **others}


def collection(*members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(members)}


def read(value: Any, name: str = "", key: str = "mall") -> geojson.Polygons:
    return polygons_of(choose(features_of(text(value)), name, key))


def said(value: Any, name: str = "", key: str = "mall") -> str:
    with pytest.raises(BadArea) as caught:
        read(value, name, key)
    return caught.value.message


@pytest.mark.parametrize("value", [POLYGON, feature(POLYGON), collection(feature(POLYGON, id="x"))])
def test_a_polygon_in_each_form(value: Any) -> None:
    assert read(value) == ((tuple((float(lon), float(lat)) for lon, lat in RING),),)


def test_several_polygons_holes_and_heights() -> None:
    hole = [[120.5, 30.1, 8], [120.6, 30.1, 8], [120.6, 30.2, 8], [120.5, 30.1, 8]]
    value = {"type": "MultiPolygon", "coordinates": [[RING, hole], [RING]]}
    assert [len(polygon) for polygon in read(value)] == [2, 1]
    assert read(value)[0][1][0] == (120.5, 30.1)


def test_a_feature_is_chosen_by_id_or_name() -> None:
    other = {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}
    both = collection(feature(other, id=7), feature(POLYGON, properties={"name": "Mall", "id": "m-1"}))
    for name in ("Mall", "m-1"):
        assert read(both, name)[0][0][0] == (120, 30)
    assert read(both, "7")[0][0][0] == (1, 1)
    assert read(both, "", "Mall")[0][0][0] == (120, 30)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ([], "expected a GeoJSON object"),
        (
            {"type": "Point", "coordinates": [1, 2]},
            ("type: expected a Polygon, MultiPolygon, Feature or FeatureCollection, was `Point`"),
        ),
        ({}, "type: expected a Polygon, MultiPolygon, Feature or FeatureCollection, was nothing"),
        ({"type": "FeatureCollection"}, "features: expected a list, was nothing"),
        (collection(3), "features[0]: expected a Feature, was `3`"),
        (collection(), "there is no feature in it"),
        (feature(None), "geometry: expected a Polygon or MultiPolygon, was nothing"),
        (
            feature({"type": "LineString", "coordinates": RING}),
            "type: expected a Polygon or MultiPolygon, was `LineString`",
        ),
        (
            collection(feature({"type": "Point"}, id="mall")),
            ("features[0].geometry: expected a Polygon or MultiPolygon, was `Point`"),
        ),
        ({**POLYGON, "coordinates": []}, "coordinates: expected a list of rings, was `[]`"),
        ({**POLYGON, "coordinates": [RING[:3]]}, "coordinates[0]: expected a ring that ends where it begins"),
        (
            {**POLYGON, "coordinates": [[RING[0], RING[1], RING[0]]]},
            ("coordinates[0]: expected at least 4 positions, the last as the first, was 3"),
        ),
        (
            {**POLYGON, "coordinates": [[RING[0], [1], *RING[2:]]]},
            "coordinates[0][1]: expected [longitude, latitude], was `[1]`",
        ),
        (
            {**POLYGON, "coordinates": [[RING[0], [True, 1], *RING[2:]]]},
            ("coordinates[0][1]: expected [longitude, latitude], was `[true,1]`"),
        ),
        (
            {**POLYGON, "coordinates": [[RING[0], ["1", 1], *RING[2:]]]},
            ('coordinates[0][1]: expected [longitude, latitude], was `["1",1]`'),
        ),
        (
            {**POLYGON, "coordinates": [[RING[0], [30, 120], *RING[2:]]]},
            (
                "coordinates[0][1]: expected a longitude from -180 to 180 and a "
                "latitude from -90 to 90, was `[30,120]`"
            ),
        ),
        (
            {**POLYGON, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}},
            ("crs: expected longitude and latitude of WGS84, was `urn:ogc:def:crs:EPSG::3857`"),
        ),
        (collection(feature(POLYGON, id="a"), feature(POLYGON, id="b")), "no feature is called `mall`"),
        (
            collection(feature(POLYGON, id="mall"), feature(POLYGON, id="mall")),
            "2 features are called `mall`",
        ),
    ],
)
def test_what_is_no_area(value: Any, wanted: str) -> None:
    assert said(value) == wanted


def test_older_files_name_wgs84() -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert read({**POLYGON, "crs": crs})


def test_json_that_is_none_has_a_place() -> None:
    with pytest.raises(BadArea) as caught:
        features_of('{"type": "Polygon",\n "coordinates": [}')
    assert (caught.value.line, caught.value.col) == (2, 18)


def test_an_area_with_too_many_positions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson, "MOST_VERTICES", 3)
    assert said(POLYGON) == "coordinates[0]: expected at most 3 positions"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(-200, 200) | st.sampled_from(["Polygon", "Feature", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "features", "geometry", "properties", "crs"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_nothing_else_is_raised(value: Any) -> None:
    with contextlib.suppress(BadArea):
        read(value)


@given(st.text(alphabet=st.sampled_from('cel,lat;"on\n\rrange_m\t0123456789.-\ufeff'), max_size=120))
def test_a_table_of_anything_is_read(rows: str) -> None:
    file = read_file("cells.csv", f"cell,lat,lon,range_m\n{rows}")
    assert len(file.problems) < 60
