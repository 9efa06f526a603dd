"""A small city for tests: cells on a plain around 30° N 120° E, distances given in metres."""

from __future__ import annotations

from engine.cells import METRES_OF_DEGREE, Cell
from engine.language.loader import Loaded, load_texts
from tests.unit.language.texts import POLICY

LAT, LON = 30.0, 120.0
EAST = METRES_OF_DEGREE * 0.8660254037844386
"""Metres of a degree of longitude at 30° N."""

RULE = """
rule: r
title: A rule
owner: team
status: draft
valid: 2026-09-01 to 2026-09-30
when: {enters: hall}
who: {}
except: {}
offer: {product: pack, send: [{channel: manual, task: call}]}
limits: {priority: 5, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
goal: {converts_when: {happens: product.bought}, within: 1d}
"""
HOUSE = {
    "policy.yaml": POLICY,
    "catalog/fields.yaml": "tier: {values: [gold, vip]}\n",
    "catalog/products.yaml": "pack: {name: 包, price: 20 yuan, reply: KT1}\n",
    "catalog/numbers.yaml": "hotline: [10086]\n",
    "r.yaml": RULE,
}


def at(east: float, north: float) -> tuple[float, float]:
    """Return the latitude and longitude so many metres from the middle of the city."""
    return LAT + north / METRES_OF_DEGREE, LON + east / EAST


def cell(name: str, east: float, north: float, reach: float = 200, **others: float) -> Cell:
    """Return a cell so many metres from the middle."""
    return Cell(name, *at(east, north), reach, **others)  # type: ignore[arg-type]


def table(*rows: str, head: str = "cell,lat,lon,range_m") -> str:
    """Write a table; a row is `NAME EAST NORTH RANGE [OTHERS]`, in metres."""
    lines = [head]
    for row in rows:
        name, east, north, reach, *others = row.split()
        lat, lon = at(float(east), float(north))
        lines.append(",".join([f"460-00-1-{name}", f"{lat:.6f}", f"{lon:.6f}", reach, *others]))
    return "\n".join(lines) + "\n"


def ring(*corners: tuple[float, float]) -> list[list[float]]:
    """Return a closed ring as GeoJSON has it; corners are metres east and north."""
    points = [at(*corner) for corner in corners]
    return [[lon, lat] for lat, lon in [*points, points[0]]]


def square(side: float, east: float = 0, north: float = 0) -> list[list[float]]:
    """Return the ring of a square around a position."""
    h = side / 2
    return ring((east - h, north - h), (east + h, north - h), (east + h, north + h), (east - h, north + h))


def load(places: str, cells: str, **areas: str) -> Loaded:
    """Load a set with these places, this table and these areas (`name=GeoJSON`)."""
    return load_texts(texts(places, cells, **areas))


def texts(places: str, cells: str = "", **areas: str) -> dict[str, str]:
    """Return the files of a set."""
    files = {**HOUSE, "catalog/places.yaml": places}
    if cells:
        files["catalog/cells.csv"] = cells
    return files | {f"catalog/areas/{name}.geojson": text for name, text in areas.items()}


def cells_of(loaded: Loaded, place: str = "hall") -> list[str]:
    """Return the last numbers of a place's cells; problems fail the test and are shown."""
    assert loaded.ruleset is not None, "\n".join(map(str, loaded.problems))
    return [name.rpartition("-")[2] for name in loaded.ruleset.catalog.places[place].cells]
