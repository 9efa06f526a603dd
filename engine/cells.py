"""Where the cells of the network are: a table, asked by name and by distance.

The table comes from the operator's planning data (`engine.language.cells_table` reads it). Places on the map
are compiled from it before anything runs; treatments that ask how far a subscriber moved take `positions`.
Angles are degrees of WGS84, lengths metres; distances are those of a sphere, 0.5 % from the ellipsoid's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from math import asin, ceil, cos, floor, radians, sin, sqrt
from typing import Final, NamedTuple

EARTH: Final = 6_371_008.8
"""Mean radius of the earth, m (IUGG)."""
METRES_OF_DEGREE: Final = EARTH * radians(1)
"""Of latitude."""
_SQUARE: Final = 0.02
"""Degrees that a square of the index is wide: about 2 km, the step between two sites of a city."""


class Cell(NamedTuple):
    """One cell: its site's position, how far it reaches, and in which direction."""

    cell: str
    lat: float
    lon: float
    range_m: float
    azimuth: float | None = None
    """The middle of the sector, clockwise from north. None: it covers a circle."""
    beam: float = 360.0
    """Width of the sector."""
    rat: str = ""
    tac: str = ""
    site: str = ""


class CellTable:
    """All cells that are known, in the order of the table; never changed."""

    def __init__(self, cells: Iterable[Cell] = (), unplaced: Iterable[str] = ()) -> None:
        self.cells: Mapping[str, Cell] = {cell.cell: cell for cell in cells}
        self.unplaced = frozenset(unplaced)
        """Cells that exist, but nobody knows where."""

    def __len__(self) -> int:
        return len(self.cells) + len(self.unplaced)

    def __contains__(self, cell: object) -> bool:
        return cell in self.cells or cell in self.unplaced

    @cached_property
    def positions(self) -> Mapping[str, tuple[float, float]]:
        """Cell -> (latitude, longitude) of its site."""
        return {cell.cell: (cell.lat, cell.lon) for cell in self.cells.values()}

    @cached_property
    def longest(self) -> float:
        """The longest range of a cell; 0 of an empty table."""
        return max((cell.range_m for cell in self.cells.values()), default=0.0)

    def near(self, lat: float, lon: float, metres: float) -> list[Cell]:
        """Return the cells whose site is at most so far away, in the order of the table."""
        found = [
            number
            for square in _squares(lat, lon, metres)
            for number in self._index.get(square, ())
            if distance(lat, lon, self._list[number].lat, self._list[number].lon) <= metres
        ]
        return [self._list[number] for number in sorted(found)]

    def ring(self, cells: Iterable[str], metres: float) -> tuple[str, ...]:
        """Return the neighbours of a place: cells not of it whose site is near a site of one of its cells.

        `cells`: of the place, those without a position have no neighbours; `metres`: how near, that distance
        included. Cells of the same site are neighbours at any distance.
        """
        inside = set(cells)
        spots = {(cell.lat, cell.lon) for name in inside if (cell := self.cells.get(name)) is not None}
        found = {cell.cell for lat, lon in spots for cell in self.near(lat, lon, metres)} - inside
        return tuple(name for name in self.cells if name in found) if found else ()

    @cached_property
    def _list(self) -> list[Cell]:
        return list(self.cells.values())

    @cached_property
    def _index(self) -> dict[tuple[int, int], list[int]]:
        index: dict[tuple[int, int], list[int]] = {}
        for number, cell in enumerate(self._list):
            index.setdefault((floor(cell.lat / _SQUARE), _column(cell.lon)), []).append(number)
        return index


def distance(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the metres between two positions, along the sphere (haversine)."""
    north, east = radians(other_lat - lat) / 2, radians(other_lon - lon) / 2
    part = sin(north) ** 2 + cos(radians(lat)) * cos(radians(other_lat)) * sin(east) ** 2
    return 2 * EARTH * asin(sqrt(min(1.0, part)))


def offset(lat: float, lon: float, other_lat: float, other_lon: float) -> tuple[float, float]:
    """Return how far another position lies to the east and to the north, m; for short ways."""
    east = (other_lon - lon + 180) % 360 - 180
    return (
        east * METRES_OF_DEGREE * cos(radians((lat + other_lat) / 2)),
        (other_lat - lat) * METRES_OF_DEGREE,
    )


def reach(lat: float, metres: float) -> tuple[float, float]:
    """Return how many degrees of latitude and of longitude hold all that is at most so far away."""
    north = metres / METRES_OF_DEGREE
    top = abs(lat) + north
    return north, 180.0 if top >= 89.9 else min(180.0, north / cos(radians(top)))


def _column(lon: float) -> int:
    return floor((lon % 360) / _SQUARE)


def _squares(lat: float, lon: float, metres: float) -> Iterator[tuple[int, int]]:
    north, east = reach(lat, metres)
    columns = round(360 / _SQUARE)
    width = min(ceil(east / _SQUARE), columns // 2 - 1)
    middle = _column(lon)
    for row in range(floor((lat - north) / _SQUARE), floor((lat + north) / _SQUARE) + 1):
        for step in range(-width, width + 1):
            yield row, (middle + step) % columns
