"""The city on the map: the cells table and the places as polygons, as an operator's planning data have them.

The polygon of a place is drawn around what its cells cover, and holds all that another cell covers of none:
compiled to cells with `mode: strict`, polygons give back the places of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import cos, hypot, pi, sin, sqrt
from typing import Any, Final, NamedTuple

from .geography import Site, Town
from .layout import degrees

CELLS_HEAD: Final = ("cell", "lat", "lon", "range_m")
_GOLDEN: Final = pi * (3.0 - sqrt(5.0))
_CORNERS: Final = 36
"""Of the outline of what a cell covers."""
_ROOM: Final = 1.01
"""How much wider that is drawn: a corner lies outside of the circle, and degrees are rounded."""
_TURNS: Final = 36
_LEAST_RANGE_M: Final = 80
"""Of an indoor cell."""

Point = tuple[float, float]


class _Spot(NamedTuple):
    """A cell of a place: where it stands, km, and how far it serves, metres."""

    x: float
    y: float
    reach: int


class _Drawn(NamedTuple):
    """The cells of a place, and the ring around all that they cover."""

    spots: Mapping[str, _Spot]
    ring: Sequence[Point]
    box: tuple[float, float, float, float]
    """West, south, east and north of it, km."""


def cells_of(town: Town) -> Iterator[tuple[str, float, float, int]]:
    """Yield the cells table: cell, latitude, longitude (WGS 84) and how far it serves, metres.

    The cells of a mast stand where it stands. Those of a place are spread over it; a cell of several places
    lies where the one that comes first in the catalogue has it, or between two of them.
    """
    told: set[str] = set()
    for site in town.grid:
        latitude, longitude = degrees(site.x, site.y)
        for cell in site.cells:
            if cell not in told:
                told.add(cell)
                yield cell, latitude, longitude, round(site.radius * 750)
    for cell, spot in _spread(town).items():
        yield cell, *degrees(spot.x, spot.y), spot.reach


def places_of(town: Town) -> dict[str, Any]:
    """Return the places as GeoJSON (RFC 7946): one polygon each, `id` and property `place` its key."""
    features = []
    spread = _spread(town)
    for key, site in town.places.items():
        ring = []
        for x, y in _outline([spread[cell] for cell in site.cells]):
            latitude, longitude = degrees(x, y)
            ring.append([longitude, latitude])
        features.append(
            {
                "type": "Feature",
                "id": key,
                "properties": {"id": key, "place": key, "title": town.catalog.places[key].name},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _spread(town: Town) -> dict[str, _Spot]:
    """Spread the cells of all places; those of one are turned until no place has a cell of another in it."""
    found: dict[str, _Spot] = {}
    before: list[_Drawn] = []
    for site in town.places.values():
        turns = (_drawn(town, site, found, turn * 2 * pi / _TURNS) for turn in range(_TURNS))
        fitting = (each for each in turns if not any(_mixed(each, other) for other in before))
        drawn = next(fitting, None) or _drawn(town, site, found, 0.0)
        before.append(drawn)
        found.update(drawn.spots)
    return found


def _drawn(town: Town, site: Site, found: Mapping[str, _Spot], turn: float) -> _Drawn:
    """Place the cells of a site; those of `found` stand already."""
    reach = max(_LEAST_RANGE_M, round(site.radius * 1000 * 1.2 / sqrt(len(site.cells))))
    spots = {
        cell: found.get(cell) or _Spot(*(_shared(town, site, cell) or _within(site, number, turn)), reach)
        for number, cell in enumerate(site.cells)
    }
    ring = _outline(list(spots.values()))
    east, north = [x for x, _ in ring], [y for _, y in ring]
    return _Drawn(spots, ring, (min(east), min(north), max(east), max(north)))


def _mixed(one: _Drawn, other: _Drawn) -> bool:
    """Tell whether all that a cell of one place covers lies in another that does not have it."""
    (left, low, right, high), (west, south, east, north) = one.box, other.box
    if right < west or east < left or high < south or north < low:
        return False
    return any(
        _holds(outer.ring, spot)
        for outer, inner in ((other, one), (one, other))
        for cell, spot in inner.spots.items()
        if cell not in outer.spots
    )


def _outline(spots: Sequence[_Spot]) -> list[Point]:
    """Return the convex ring around what cells cover, counterclockwise and closed, km."""
    around = sorted(
        (spot.x + far * cos(angle), spot.y + far * sin(angle))
        for spot in spots
        for far in (spot.reach / 1000 * _ROOM,)
        for angle in (corner * 2 * pi / _CORNERS for corner in range(_CORNERS))
    )
    return [*_half(around), *_half(around[::-1]), around[0]]


def _half(points: Sequence[Point]) -> list[Point]:
    """Return the convex chain to the right of sorted points, without its last."""
    chain: list[Point] = []
    for point in points:
        while len(chain) > 1 and _left_of(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain[:-1]


def _left_of(one: Point, two: Point, point: Point) -> float:
    """Return how far a point is to the left of a line, times the line's length."""
    return (two[0] - one[0]) * (point[1] - one[1]) - (two[1] - one[1]) * (point[0] - one[0])


def _holds(ring: Sequence[Point], spot: _Spot) -> bool:
    """Tell whether all that a cell covers lies in a convex ring, or almost."""
    far = spot.reach / 1000 / _ROOM
    return all(
        _left_of(one, two, (spot.x, spot.y)) >= far * hypot(two[0] - one[0], two[1] - one[1])
        for one, two in pairwise(ring)
    )


def _within(site: Site, number: int, turn: float) -> Point:
    """Spread the cells of a place evenly over it, well within its edge."""
    far = 0.8 * site.radius * sqrt((number + 0.5) / len(site.cells))
    angle = number * _GOLDEN + turn
    return site.x + far * cos(angle), site.y + far * sin(angle)


def _shared(town: Town, site: Site, cell: str) -> Point | None:
    """Return where two places touch that share a cell."""
    for other in town.places.values():
        if other is not site and cell in other.cells:
            share = site.radius / (site.radius + other.radius)
            return site.x + (other.x - site.x) * share, site.y + (other.y - site.y) * share
    return None
