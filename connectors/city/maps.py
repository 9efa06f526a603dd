"""The city on the map: the cells table and the places as polygons, as an operator's planning data have them.

Every cell of a place lies within its polygon and no mast of others does, so that polygons compiled to cells
by position give back the places of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin, sqrt
from typing import Any, Final

from .geography import Site, Town
from .layout import degrees

CELLS_HEAD: Final = ("cell", "lat", "lon", "range_m")
_GOLDEN: Final = pi * (3.0 - sqrt(5.0))
_CORNERS: Final = 24
_LEAST_RANGE_M: Final = 80
"""Of an indoor cell."""


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
    for site in town.places.values():
        reach = max(_LEAST_RANGE_M, round(site.radius * 1000 * 1.2 / sqrt(len(site.cells))))
        for number, cell in enumerate(site.cells):
            if cell in told:
                continue
            told.add(cell)
            x, y = _shared(town, site, cell) or _within(site, number)
            yield cell, *degrees(x, y), reach


def places_of(town: Town) -> dict[str, Any]:
    """Return the places as GeoJSON (RFC 7946): one polygon each, `id` and property `place` its key."""
    features = []
    for key, site in town.places.items():
        ring = []
        for corner in range(_CORNERS + 1):
            angle = (corner % _CORNERS) * 2 * pi / _CORNERS
            latitude, longitude = degrees(
                site.x + site.radius * cos(angle), site.y + site.radius * sin(angle)
            )
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


def _within(site: Site, number: int) -> tuple[float, float]:
    """Spread the cells of a place evenly over it, well within its edge."""
    far = 0.8 * site.radius * sqrt((number + 0.5) / len(site.cells))
    return site.x + far * cos(number * _GOLDEN), site.y + far * sin(number * _GOLDEN)


def _shared(town: Town, site: Site, cell: str) -> tuple[float, float] | None:
    """Return where two places touch that share a cell."""
    for other in town.places.values():
        if other is not site and cell in other.cells:
            share = site.radius / (site.radius + other.radius)
            return site.x + (other.x - site.x) * share, site.y + (other.y - site.y) * share
    return None
