"""Where the masts stand: dense in the middle, far apart at the rim; the way to the nearest is as measured.

Measured: the nearest cell is 111 m, 492 m, 1,529 m away (p10, p50, p90; facts/signals.md). In a field of
masts with area A each, the way to the nearest is 0.40 √A in the middle of cases; so √A is drawn over the city
as a log-normal quantile with the median and spread below, growing from the centre outwards along a
sunflower's spiral, whose points have equal room all around and no direction of their own.

Kilometres east (x) and north (y) of the centre; `degrees` gives WGS 84.
"""

from __future__ import annotations

from bisect import bisect_left
from math import cos, exp, hypot, pi, radians, sin, sqrt
from statistics import NormalDist
from typing import Final

CENTRE: Final = (30.25, 120.15)
"""Latitude and longitude of the middle of the city."""
KM_PER_DEGREE: Final = 111.32
"""Of latitude; of longitude at the equator."""

_SPACING_KM: Final = 1.41
"""Median of √A."""
_SPREAD: Final = (1.05, 0.69)
"""Standard deviation of ln √A, below the median and above it."""
_NEAREST_KM: Final = 0.12
_FARTHEST_KM: Final = 7.0
"""√A is kept between these."""
_GOLDEN: Final = pi * (3.0 - sqrt(5.0))


class Layout:
    """`count` masts. `points[k]`: (x, y, √A), from the centre outwards."""

    __slots__ = ("_radii", "points", "radius")

    def __init__(self, count: int) -> None:
        normal = NormalDist()
        points: list[tuple[float, float, float]] = []
        self._radii: list[float] = []
        covered = 0.0
        for k in range(count):
            score = normal.inv_cdf((k + 0.5) / count)
            spacing = _SPACING_KM * exp(_SPREAD[score > 0.0] * score)
            spacing = min(max(spacing, _NEAREST_KM), _FARTHEST_KM)
            radius = sqrt((covered + spacing * spacing / 2) / pi)
            covered += spacing * spacing
            self._radii.append(radius)
            points.append((radius * cos(k * _GOLDEN), radius * sin(k * _GOLDEN), spacing))
        self.points = tuple(points)
        self.radius = sqrt(covered / pi)
        """Of the whole city, km."""

    def nearest(self, x: float, y: float) -> int:
        """Return the number of the mast that serves a point; points outside are served from the rim."""
        radius = hypot(x, y)
        radii, points = self._radii, self.points
        k = min(bisect_left(radii, radius), len(points) - 1)
        # no mast of another ring can be nearer than twice the room of this one
        reach = 2.0 * points[k][2] + max(0.0, radius - radii[-1])
        low, high = bisect_left(radii, radius - reach), bisect_left(radii, radius + reach)
        best, found = 1e18, k
        for number in range(low, min(high, len(points))):
            far = (points[number][0] - x) ** 2 + (points[number][1] - y) ** 2
            if far < best:
                best, found = far, number
        return found


def degrees(x: float, y: float) -> tuple[float, float]:
    """Return latitude and longitude (WGS 84, 6 decimals) of a point."""
    latitude = CENTRE[0] + y / KM_PER_DEGREE
    longitude = CENTRE[1] + x / (KM_PER_DEGREE * cos(radians(CENTRE[0])))
    return round(latitude, 6), round(longitude, 6)
