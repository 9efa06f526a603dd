"""Shapes on a flat map around a place: areas, what cells cover, and how much of one lies in the other.

The only module that knows shapely: it is imported when a set with areas is compiled, never where records are
folded. The map is an equirectangular one around the middle of the place: x = R cos(lat₀) Δlon, y = R Δlat.
Within 50 km of the middle lengths are right to 1 % up to 50° of latitude. Lengths in metres, areas in m².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from engine.cells import METRES_OF_DEGREE, Cell, CellTable, reach
from engine.language.geojson import Polygons, Ring

Floats = NDArray[np.float64]
Mode = Literal["strict", "loose"]

ARC: Final = 64
"""Straight pieces of a full circle: what is drawn lies at most 0.12 % of the radius inside."""
HALF: Final = 0.5


class Plane:
    """A flat map around a position."""

    def __init__(self, lat: float, lon: float) -> None:
        self.lat, self.lon = lat, lon
        self.east = METRES_OF_DEGREE * max(cos(radians(lat)), 0.01)
        """Metres of a degree of longitude."""

    def xy(self, lon: Floats, lat: Floats) -> Floats:
        """Return positions as rows of x, y."""
        turned = (np.asarray(lon) - self.lon + 180.0) % 360.0 - 180.0
        return np.column_stack((turned * self.east, (np.asarray(lat) - self.lat) * METRES_OF_DEGREE))

    def ring(self, ring: Ring) -> Floats:
        """Return a ring as rows of x, y, unbroken also where it crosses the antimeridian.

        An edge of more than 180° is taken the short way round.
        """
        lon, lat = np.array(ring, dtype=np.float64).T
        steps = (np.diff(lon) + 180.0) % 360.0 - 180.0
        # a step of half the world is as long both ways: taken as it is written
        steps = np.where(np.abs(np.diff(lon)) <= 180.0, np.diff(lon), steps)
        lon = np.concatenate((lon[:1], lon[0] + np.cumsum(steps)))
        middle = (lon.min() + lon.max()) / 2
        lon -= 360.0 * np.round((middle - self.lon) / 360.0)
        return np.column_stack(((lon - self.lon) * self.east, (lat - self.lat) * METRES_OF_DEGREE))


@dataclass(frozen=True, slots=True)
class Area:
    """An area on its map. `mended`: why it was not valid as written; empty if it was."""

    plane: Plane
    shape: Any
    mended: str = ""

    @property
    def square(self) -> float:
        """Its size, m²."""
        return float(self.shape.area)

    @property
    def reach(self) -> float:
        """Metres from the middle of the map to its farthest corner."""
        left, low, right, high = self.shape.bounds
        return float(np.hypot(max(abs(left), abs(right)), max(abs(low), abs(high))))

    def outline(self) -> list[list[list[tuple[float, float]]]]:
        """Return polygons of rings of (longitude, latitude), to be drawn; longitudes may pass 180."""
        plane = self.plane
        return [
            [
                [
                    (plane.lon + x / plane.east, plane.lat + y / METRES_OF_DEGREE)
                    for x, y in shapely.get_coordinates(ring)
                ]
                for ring in (part.exterior, *part.interiors)
            ]
            for part in shapely.get_parts(self.shape)
        ]


def area_of(polygons: Polygons) -> Area:
    """Lay polygons on a map of their own; a self-crossing one is mended, and nothing is left of a line."""
    first = np.array(polygons[0][0], dtype=np.float64)
    plane = Plane(float((first[:, 1].min() + first[:, 1].max()) / 2), float(first[0, 0]))
    rings = [[plane.ring(ring) for ring in polygon] for polygon in polygons]
    outer = np.concatenate([polygon[0] for polygon in rings])
    middle = (outer.min(axis=0) + outer.max(axis=0)) / 2
    lat = plane.lat + middle[1] / METRES_OF_DEGREE
    plane = Plane(float(lat), float((plane.lon + middle[0] / plane.east + 180.0) % 360.0 - 180.0))
    parts = [
        shapely.Polygon(plane.ring(polygon[0]), [plane.ring(ring) for ring in polygon[1:]])
        for polygon in polygons
    ]
    reasons = [shapely.is_valid_reason(part) for part in parts]
    bad = [reason for reason in reasons if reason != "Valid Geometry"]
    whole = shapely.union_all([shapely.make_valid(part) for part in parts])
    flat = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]
    flat += [
        inner
        for part in shapely.get_parts(whole)
        if part.geom_type == "MultiPolygon"
        for inner in shapely.get_parts(part)
    ]
    return Area(plane, shapely.MultiPolygon(flat), bad[0].split("[")[0] if bad else "")


def circle_of(lat: float, lon: float, radius: float) -> Area:
    """Return a circle on a map around its middle."""
    return Area(Plane(lat, lon), shapely.Point(0, 0).buffer(radius, quad_segs=ARC // 4))


class Sites:
    """The cells of a table as arrays, to be asked all at once."""

    def __init__(self, table: CellTable) -> None:
        self.cells: Sequence[Cell] = list(table.cells.values())
        self.lat = np.array([cell.lat for cell in self.cells])
        self.lon = np.array([cell.lon for cell in self.cells])
        self.range = np.array([cell.range_m for cell in self.cells])
        self.longest = table.longest

    def around(self, area: Area) -> NDArray[np.int64]:
        """Return the numbers of the cells that may cover some of an area, by their distance alone."""
        north, east = reach(area.plane.lat, (area.reach + self.longest) * 1.02)
        beside = np.abs((self.lon - area.plane.lon + 180.0) % 360.0 - 180.0)
        near = np.flatnonzero((np.abs(self.lat - area.plane.lat) <= north) & (beside <= east))
        spots = area.plane.xy(self.lon[near], self.lat[near])
        left, low, right, high = area.shape.bounds
        gap = np.maximum(np.maximum(left - spots[:, 0], spots[:, 0] - right), 0.0)
        rise = np.maximum(np.maximum(low - spots[:, 1], spots[:, 1] - high), 0.0)
        close: NDArray[np.int64] = near[np.hypot(gap, rise) <= self.range[near] * 1.02]
        return close


@dataclass(frozen=True, slots=True)
class Fit:
    """How one cell lies to an area. Sizes in m²."""

    cell: Cell
    covers: float
    """Of what the cell covers."""
    common: float
    """Of that, inside the area."""
    inside: bool
    """All of it."""
    site_inside: bool

    def belongs(self, mode: Mode, square: float) -> bool:
        """Tell whether the cell is one of the place; `square`: the size of the area.

        strict: all that it covers lies inside. loose: its site stands inside, or at least half of what it
        covers lies inside, or at least half of the area is covered by it.
        """
        if mode == "strict":
            return self.inside
        return self.site_inside or self.common >= HALF * min(self.covers, square)


def fits(area: Area, cells: Sequence[Cell]) -> list[Fit]:
    """Say of each cell how it lies to an area."""
    if not cells:
        return []
    shape = area.shape
    shapely.prepare(shape)
    spots = area.plane.xy(np.array([cell.lon for cell in cells]), np.array([cell.lat for cell in cells]))
    covers = coverage(spots, cells)
    common = shapely.area(shapely.intersection(covers, shape))
    inside = shapely.covers(shape, covers)
    sites = shapely.intersects_xy(shape, spots[:, 0], spots[:, 1])
    return [
        Fit(cell, float(size), float(part), bool(whole), bool(site))
        for cell, size, part, whole, site in zip(
            cells, shapely.area(covers), common, inside, sites, strict=True
        )
    ]


def within(area: Area, sites: Sites, metres: float) -> list[Cell]:
    """Return the cells whose site is at most so far from an area, in the order of the table."""
    north, east = reach(area.plane.lat, (area.reach + metres) * 1.02)
    beside = np.abs((sites.lon - area.plane.lon + 180.0) % 360.0 - 180.0)
    near = np.flatnonzero((np.abs(sites.lat - area.plane.lat) <= north) & (beside <= east))
    spots = shapely.points(area.plane.xy(sites.lon[near], sites.lat[near]))
    return [sites.cells[int(number)] for number in near[shapely.dwithin(area.shape, spots, metres)]]


def coverage(spots: Floats, cells: Sequence[Cell]) -> Any:
    """Return what cells cover: circles, or sectors from the site outward. `spots`: their x, y."""
    shapes = np.empty(len(cells), dtype=object)
    whole = np.array([cell.azimuth is None for cell in cells])
    ranges = np.array([cell.range_m for cell in cells])
    for chosen in (np.flatnonzero(whole), np.flatnonzero(~whole)):
        if not len(chosen):
            continue
        if whole[chosen[0]]:
            turns = np.broadcast_to(np.linspace(0.0, 2 * np.pi, ARC, endpoint=False), (len(chosen), ARC))
            apex = np.empty((len(chosen), 0, 2))
        else:
            middle = np.radians([cells[int(number)].azimuth or 0.0 for number in chosen])
            half = np.radians([cells[int(number)].beam / 2 for number in chosen])
            turns = middle[:, None] + half[:, None] * np.linspace(-1.0, 1.0, ARC // 2 + 1)[None, :]
            apex = spots[chosen][:, None, :]
        arc = np.stack((np.sin(turns), np.cos(turns)), axis=-1) * ranges[chosen][:, None, None]
        corners = np.concatenate((apex, arc + spots[chosen][:, None, :]), axis=1)
        closed = np.concatenate((corners, corners[:, :1, :]), axis=1)
        shapes[chosen] = shapely.polygons(closed)
    return shapes
