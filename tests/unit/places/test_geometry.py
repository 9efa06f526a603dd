"""Places drawn in places.yaml: to cells, into the hash, into a published set and back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.language.folders import read_folder
from engine.language.geometry import COMPILED
from engine.language.loader import load_dir, load_texts
from engine.language.report import Report
from engine.language.source import Mapping, Source, read
from engine.places import PlaceMap
from engine.published import Published, pack, unpack
from engine.published import read as read_published
from tests.testdata import CHECKOUT
from tests.unit.cli.support import packed
from tests.unit.places.world import HOUSE, LAT, LON, cells_of, load, square, table, texts

CIRCLE = f"circle: {{lat: {LAT}, lon: {LON}, radius: 500m}}"
CELLS = table("1 0 0 100", "2 300 0 100", "3 480 0 300", "4 900 0 100", "5 5000 0 100")


def geojson(ring: list[list[float]], **others: Any) -> str:
    return orjson.dumps({"type": "Polygon", "coordinates": [ring], **others}).decode()


def said(places: str, cells: str = CELLS, **areas: str) -> list[str]:
    return [str(problem) for problem in load(places, cells, **areas).problems]


def test_a_circle_and_an_area_are_their_cells() -> None:
    assert cells_of(load(f"hall: {{name: h, {CIRCLE}}}", CELLS)) == ["1", "2", "3"]
    assert cells_of(load(f"hall: {{name: h, {CIRCLE}, mode: strict}}", CELLS)) == ["1", "2"]
    area = geojson(square(2_000))
    assert cells_of(load("hall: {name: h, area: areas/a.geojson}", CELLS, a=area)) == ["1", "2", "3", "4"]


def test_cells_beside_are_added_and_others_taken_off() -> None:
    places = f"hall: {{name: h, {CIRCLE}, cells: [460-00-1-5], without: [460-00-1-2]}}"
    assert cells_of(load(places, CELLS)) == ["5", "1", "3"]


def test_a_feature_has_the_name_of_the_place_or_is_named() -> None:
    members = [
        {"type": "Feature", "id": name, "geometry": {"type": "Polygon", "coordinates": [square(side)]}}
        for name, side in (("hall", 400), ("yard", 2_000))
    ]
    areas = {"a": orjson.dumps({"type": "FeatureCollection", "features": members}).decode()}
    assert cells_of(load("hall: {name: h, area: areas/a.geojson}", CELLS, **areas)) == ["1"]
    yard = "hall: {name: h, area: {file: areas/a.geojson, feature: yard}}"
    assert cells_of(load(yard, CELLS, **areas)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        ("hall: {name: h}", "1:1: `cells` is missing from `hall` [R102]"),
        (
            "hall: {name: h, mode: strict, cells: [460-00-1-1]}",
            ("1:17: `mode` says how cells are chosen for an `area` or a `circle`, and there is none [R108]"),
        ),
        (f"hall: {{name: h, {CIRCLE}, mode: strickt}}", "1:70: `strickt` is not allowed here [R106]"),
        (
            f"hall: {{name: h, {CIRCLE}, area: areas/a.geojson}}",
            "1:64: a place has one of `area` and `circle` [R108]",
        ),
        (
            f"hall: {{name: h, {CIRCLE}, without: [460-00-1-5]}}",
            ("1:73: warning: `460-00-1-5` is no cell of this place, so there is nothing to take off [R108]"),
        ),
        (
            ("hall: {name: h, cirkle: {lat: 30, lon: 120, radius: 500m}, mode: strict}"),
            "1:17: unknown key `cirkle` [R101]",
        ),
        (
            "hall: {name: h, circle: 500m}",
            ("1:25: expected `{lat: …, lon: …, radius: 300m}`, was `500m` [R108]"),
        ),
        (
            "hall: {name: h, circle: {lat: 30, lon: 120, radius: 500}}",
            ("1:53: `500` is not a distance; write it like `300m` or `1.5km` [R107]"),
        ),
        (
            "hall: {name: h, circle: {lat: 30, lon: 120, radius: 900km}}",
            ("1:53: expected a distance of more than 0m and at most 200km [R107]"),
        ),
        (
            "hall: {name: h, circle: {lat: 95, lon: 1e3, radius: 1km}}",
            "1:31: expected degrees from -90 to 90, was `95` [R108]",
        ),
        ("hall: {name: h, circle: {lat: 30, lon: 120}}", "1:17: `radius` is missing from `circle` [R102]"),
        ("hall: {name: h, area: areas/b.geojson}", "1:23: no file `catalog/areas/b.geojson` [R005]"),
        ("hall: {name: h, area: areas/a.json}", "1:23: no file `catalog/areas/a.json` of an area [R005]"),
        ("hall: {name: h, area: {feature: x}}", "1:17: `file` is missing from `area` [R102]"),
        ("hall: {name: h, area: [1]}", ("1:23: expected a .geojson file below catalog/, was a list [R108]")),
        (
            "hall: {name: h, area: {file: areas/a.geojson, feature: yard}}",
            "1:56: `areas/a.geojson`: no feature is called `yard` [R702]",
        ),
        (
            "hall: {name: h, area: areas/flat.geojson}",
            ("1:23: `areas/flat.geojson`: this area is flat: nothing lies inside [R702]"),
        ),
    ],
)
def test_mistakes_are_told_where_they_stand(places: str, wanted: str) -> None:
    flat = geojson([[120, 30], [121, 30], [120.5, 30], [120, 30]])
    found = said(places, CELLS, a=geojson(square(400)), flat=flat)
    assert found[0] == f"catalog/places.yaml:{wanted}"


def test_json_that_is_none_is_told_in_its_file_once() -> None:
    places = "hall: {name: h, area: areas/a.geojson}\nyard: {name: y, area: areas/a.geojson}\n"
    found = load(places, CELLS, a='{"type":\n}')
    [problem] = found.problems
    assert str(problem).startswith("catalog/areas/a.geojson:2:1: this is not valid JSON: ")
    assert problem.code == "R702"
    assert problem.source == "}"


def test_without_a_table_it_is_said_what_is_missing() -> None:
    [problem] = load_texts(texts(f"hall: {{name: h, {CIRCLE}}}")).problems
    assert str(problem) == (
        "catalog/places.yaml:1:17: there is no file `catalog/cells.csv`, which says where cells are [R005]"
    )


def test_an_empty_table_is_told_as_empty_and_not_as_missing() -> None:
    found = load(f"hall: {{name: h, {CIRCLE}}}", "\n")
    assert [str(problem) for problem in found.problems] == [
        "catalog/cells.csv:1:1: this table is empty [R701]"
    ]
    assert "`cell`, `lat`, `lon`, `range_m`" in found.problems[0].hint


def test_a_table_without_positions_is_told_as_that() -> None:
    [problem] = load(f"hall: {{name: h, {CIRCLE}}}", "cell,site\n460-00-1-1,a\n").problems
    assert str(problem) == (
        "catalog/places.yaml:1:17: `catalog/cells.csv` does not say where cells are: "
        "its first line names none of `lat`, `lon`, `range_m` [R005]"
    )


def test_an_error_of_the_table_stops_the_set_and_a_warning_does_not() -> None:
    bad = load("hall: {name: h, cells: [460-00-1-1]}", CELLS + "460-00-1-9,x,y,z\n")
    assert (bad.ruleset, bad.testable) == (None, None)
    assert [problem.path for problem in bad.problems] == ["catalog/cells.csv"]
    doubled = CELLS + CELLS.splitlines()[1] + "\n"
    assert load("hall: {name: h, cells: [460-00-1-1]}", doubled).ruleset is not None


def test_a_list_of_cells_of_that_name_stays_a_list() -> None:
    loaded = load("hall: {name: h, cells: cells.csv}", "cell\n460-00-1-7\n")
    assert cells_of(loaded) == ["7"]
    assert "catalog/cells.csv" in loaded.deciding


def test_a_table_may_be_a_list_too_and_then_it_decides() -> None:
    loaded = load("hall: {name: h, cells: cells.csv}", CELLS)
    assert cells_of(loaded) == ["1", "2", "3", "4", "5"]
    assert "catalog/cells.csv" in loaded.deciding


def test_the_hash_is_that_of_the_cells_not_of_the_table() -> None:
    place = f"hall: {{name: h, {CIRCLE}}}"
    first = load(place, CELLS)
    assert first.ruleset is not None
    same = load(place, table("5 5000 100 100", "3 480 0 300", "2 300 0 120", "1 0 0 100"))
    assert same.ruleset is not None
    assert same.ruleset.hash == first.ruleset.hash
    other = load(place, table("1 0 0 100", "2 300 0 100", "3 480 0 300", "4 490 0 100"))
    assert other.ruleset is not None
    assert other.ruleset.hash != first.ruleset.hash


def test_a_set_without_drawn_places_has_the_hash_that_it_had() -> None:
    """Of the texts alone: nothing is compiled, and a table beside changes nothing."""
    plain = texts("hall: {name: h, cells: [460-00-1-1]}")
    bare, beside = load_texts(plain), load_texts({**plain, "catalog/cells.csv": CELLS})
    assert bare.ruleset is not None
    assert beside.ruleset is not None
    assert bare.ruleset.hash == beside.ruleset.hash
    assert [*bare.deciding] == sorted(HOUSE | {"catalog/places.yaml": ""})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set with a drawn place, on disk."""
    for name, text in texts(
        "hall: {name: h, area: areas/a.geojson}\n", CELLS, a=geojson(square(2_000)), unused="{"
    ).items():
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "rules"


def test_a_published_set_holds_cells_in_place_of_the_map(folder: Path) -> None:
    ruleset, value = packed(folder)
    published = read_published(value)
    assert sorted(published.files) == sorted(
        [
            "catalog/fields.yaml",
            "catalog/numbers.yaml",
            COMPILED,
            "catalog/places.yaml",
            "catalog/products.yaml",
            "policy.yaml",
            "r.yaml",
        ]
    )
    assert published.files[COMPILED] == "area hall 460-00-1-1 460-00-1-2 460-00-1-3 460-00-1-4\n"
    assert unpack(published, "86") == ruleset == load_dir(folder).ruleset


def test_published_twice_it_is_the_same_set(folder: Path) -> None:
    ruleset, value = packed(folder)
    again = load_texts(read_published(value).files)
    assert again.ruleset == ruleset
    assert pack(Published(ruleset.hash, "ann", 0, dict(again.deciding))) == pack(
        Published(ruleset.hash, "ann", 0, read_published(value).files)
    )


def test_a_file_of_that_name_on_disk_is_not_read(folder: Path) -> None:
    (folder / COMPILED).write_text("area hall 460-00-1-5\n", encoding="utf-8")
    assert COMPILED not in read_folder(folder).texts
    assert len(cells_of(load_dir(folder))) == 4


def test_a_place_whose_cells_changed_with_the_table_has_changed() -> None:
    place = f"hall: {{name: h, {CIRCLE}}}\nyard: {{name: y, cells: [460-00-1-5]}}\n"
    before, after = (
        load(place, CELLS).ruleset,
        load(place, CELLS.replace(CELLS.splitlines()[2] + "\n", "")).ruleset,
    )
    assert before is not None
    assert after is not None
    assert PlaceMap(after.catalog).changed_since(PlaceMap(before.catalog)) == {"hall"}


def ring_of(texts: dict[str, str], metres: float, cells: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    loaded = load_texts(texts)
    geography = loaded.names.geography
    assert geography is not None
    root = read("catalog/places.yaml", texts["catalog/places.yaml"]).root
    assert isinstance(root, Mapping)
    report = Report(Source("catalog/places.yaml", "", root))
    found = geography.ring(report, root.entries["hall"][0], "hall", cells, metres)
    assert not report.problems
    return found, geography.compiled


def test_a_ring_is_around_the_area_and_the_cells_and_goes_along() -> None:
    drawn = texts(f"hall: {{name: h, {CIRCLE}, mode: strict}}", CELLS)
    mine = ("460-00-1-1", "460-00-1-2")
    assert ring_of(drawn, 350, mine)[0] == ("460-00-1-3",)
    found, compiled = ring_of(drawn, 450.5, mine)
    assert found == ("460-00-1-3", "460-00-1-4")
    assert compiled.endswith("ring hall 450.5 460-00-1-3 460-00-1-4\n")
    published = {**texts(f"hall: {{name: h, {CIRCLE}, mode: strict}}"), COMPILED: compiled}
    assert ring_of(published, 450.5, mine)[0] == found
    listed = texts("hall: {name: h, cells: [460-00-1-1]}", CELLS)
    assert ring_of(listed, 350, ("460-00-1-1",))[0] == ("460-00-1-2",)


def test_a_buffer_may_be_a_distance_and_goes_along() -> None:
    place = f"hall: {{name: h, {CIRCLE}, mode: strict, buffer: 450m}}"
    loaded = load(place, CELLS)
    assert loaded.ruleset is not None
    assert loaded.ruleset.catalog.places["hall"].buffer == ("460-00-1-3", "460-00-1-4")
    assert load_texts(loaded.deciding).ruleset == loaded.ruleset
    assert "450" in loaded.deciding[COMPILED]
    wider = load(place.replace("450m", "10km"), CELLS).ruleset
    assert wider is not None
    assert wider.catalog.places["hall"].buffer == ("460-00-1-3", "460-00-1-4", "460-00-1-5")
    assert wider.hash != loaded.ruleset.hash
    assert said(place.replace("450m", "900km")) == [
        "catalog/places.yaml:1:86: expected a distance of more than 0m and at most 200km [R107]"
    ]
    [missing] = load_texts(texts("hall: {name: h, cells: [460-00-1-1], buffer: 450m}")).problems
    assert (missing.code, missing.col) == ("R005", 46)


def test_a_ring_without_a_table_is_an_error() -> None:
    source = read("p", "hall: 1\n")
    assert isinstance(source.root, Mapping)
    report = Report(source)
    geography = load_texts(texts("hall: {name: h, cells: [460-00-1-1]}")).names.geography
    assert geography is not None
    assert geography.ring(report, source.root.entries["hall"][0], "hall", ["460-00-1-1"], 500) == ()
    assert [problem.code for problem in report.problems] == ["R005"]


def test_shapely_is_not_loaded_where_nothing_is_drawn() -> None:
    """The engine's modules and a set of lists do without: start-up and memory of every engine."""
    script = (
        "import sys; from pathlib import Path; import engine.pipeline, engine.lane, engine.collector; "
        "from engine.language.loader import load_dir; assert load_dir(Path('rules')).ruleset; "
        "print('shapely' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False False\n"
