"""A part of the world as a picture: degrees to points, north up, lengths true around the middle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, floor, log10, radians, sin
from typing import Final

from engine.cells import METRES_OF_DEGREE, Cell

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees; east may pass 180."""
Point = tuple[float, float]

_LEAST: Final = 400.0
"""Metres that a picture shows at least, however small the place."""


@dataclass(frozen=True, slots=True)
class View:
    """A picture of `width` x `height` points with a corner (x, y of the north-west) and a scale."""

    west: float
    north: float
    metres: float
    """Of a point of the picture."""
    width: float
    height: float
    east_metres: float
    """Metres of a degree of longitude, in the middle of the picture."""

    def xy(self, lat: float, lon: float) -> Point:
        """Return where a position is in the picture."""
        beside = lon - self.west
        if beside < -180 or beside > 360:
            beside %= 360
        return (
            beside * self.east_metres / self.metres,
            (self.north - lat) * METRES_OF_DEGREE / self.metres,
        )

    def shows(self, lat: float, lon: float) -> bool:
        """Tell whether a position is in the picture."""
        x, y = self.xy(lat, lon)
        return 0 <= x <= self.width and 0 <= y <= self.height

    def points(self, metres: float) -> float:
        """Return a length in points of the picture."""
        return metres / self.metres

    def bar(self) -> tuple[float, str]:
        """Return the scale bar: its points, a round length near a fifth of the width, and its label."""
        longest = self.width / 4 * self.metres
        power = 10 ** floor(log10(longest))
        length = next(step * power for step in (5, 2, 1) if step * power <= longest)
        label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
        return length / self.metres, label


def frame(box: Box, width: float, least: float, most: float) -> View:
    """Return the view of a box with a margin: so wide, and between `least` and `most` points high."""
    west, south, east, north = box
    lat = (south + north) / 2
    per_degree = METRES_OF_DEGREE * max(cos(radians(lat)), 0.01)
    wide = max((east - west) * per_degree, _LEAST) * 1.12
    high = max((north - south) * METRES_OF_DEGREE, _LEAST) * 1.12
    height = min(max(width * high / wide, least), most)
    metres = max(wide / width, high / height)
    return View(
        (west + east) / 2 - metres * width / 2 / per_degree,
        lat + metres * height / 2 / METRES_OF_DEGREE,
        metres,
        width,
        height,
        per_degree,
    )


def box_of(points: Iterable[Point], around: Iterable[Cell] = ()) -> Box | None:
    """Return the box around positions (longitude, latitude) and what cells cover; None of nothing.

    Longitudes are taken the short way from the first.
    """
    spots: list[Point] = list(points)
    for cell in around:
        north = cell.range_m / METRES_OF_DEGREE
        east = north / max(cos(radians(cell.lat)), 0.01)
        spots += [(cell.lon + x * east, cell.lat + y * north) for x, y in _corners(cell)]
    if not spots:
        return None
    first = spots[0][0]
    lons = [first + (lon - first + 180) % 360 - 180 for lon, _ in spots]
    lats = [lat for _, lat in spots]
    return min(lons), min(lats), max(lons), max(lats)


def join(boxes: Iterable[Box]) -> Box | None:
    """Return the box around boxes; None of none."""
    corners = [point for west, south, east, north in boxes for point in ((west, south), (east, north))]
    return box_of(corners)


def _corners(cell: Cell) -> list[Point]:
    if cell.azimuth is None:
        return [(-1, -1), (1, 1)]
    steps = [cell.azimuth + cell.beam * (part / 8 - 0.5) for part in range(9)]
    return [(0, 0), *((sin(radians(turn)), cos(radians(turn))) for turn in steps)]
