"""Where things are: ordinary sites (see `layout`), the catalogue's places among them, and what each is for.

Nothing here depends on the number of subscribers. Positions (kilometres from the centre) shape the journeys
and the cells table (see `maps`); records carry cells, never coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import cos, hypot, pi, sin, sqrt
from random import Random
from typing import Any, Final

from engine.language.model import Catalog

from .figures import STEP_KM, pick
from .layout import Layout

RATS: Final = ("GSM", "UMTS", "LTE", "NR")

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "campus": ("campus", "school", "university", "college", "校", "大学", "学院"),
    "hall": ("hall", "service", "营业厅"),
    "airport": ("airport", "机场", "航站"),
    "station": ("railway", "station", "metro", "火车", "车站", "高铁", "东站", "地铁"),
    "mall": ("mall", "shop", "plaza", "market", "商圈", "商场", "购物"),
    "hospital": ("hospital", "clinic", "医院"),
    "stadium": ("stadium", "arena", "体育", "球场"),
}
"""Key words of a place's key, name and groups -> what people do there; the first that fits. Any other place
is a `sight`: somewhere to go."""

RADIUS_KM: Final[Mapping[str, float]] = {
    "campus": 0.45, "hall": 0.06, "airport": 0.9, "station": 0.3, "mall": 0.2, "hospital": 0.15,
    "stadium": 0.25, "sight": 0.2,
}  # fmt: skip
"""How far a place of a kind reaches (assumed)."""
EDGE_KM: Final = 0.3
"""Who lives this near to the edge of a place flips into it (facts/signals.md)."""
LONG_WAY_KM: Final = 22.0
_TRIES: Final = 200
_GOLDEN: Final = pi * (3.0 - sqrt(5.0))

_WORD: Final = re.compile(r"[a-z0-9]+")


class Site:
    """One mast, or one place of the catalogue with all its cells.

    `x`, `y`: km; `radius`: km that a place reaches, or of the room that a mast serves. `spots[rat][k]`: the
    location fields of cell k.
    """

    __slots__ = ("cells", "key", "place", "radius", "spots", "x", "y")

    def __init__(
        self, key: str, place: str | None, cells: tuple[str, ...], x: float, y: float, radius: float = 0.5
    ) -> None:
        self.key = key
        self.place = place
        self.cells = cells
        self.x = x
        self.y = y
        self.radius = radius
        self.spots: dict[str, tuple[dict[str, Any], ...]] = {
            rat: tuple(_spot(cell, rat) for cell in cells) for rat in RATS
        }


class Town:
    """All sites: `side` times `side` masts, and the places. `roles`: what for -> places."""

    def __init__(self, catalog: Catalog, seed: int, side: int) -> None:
        self.catalog = catalog
        self.side = side
        self.layout = Layout(side * side)
        taken = {cell for place in catalog.places.values() for cell in place.cells}
        self.grid = tuple(_ordinary(number, point, taken) for number, point in enumerate(self.layout.points))
        """Ordinary sites, from the centre outwards."""
        self.away = Site("away", None, (), 0.0, 0.0)
        """Out of the country: no cells of ours."""
        self.road = Site("road", None, (), 0.0, 0.0)
        """Between two sites: nothing is heard of the phone until it is there."""
        self.places: dict[str, Site] = {}
        self.roles: dict[str, list[Site]] = {}
        self.near: dict[str, list[Site]] = {}
        """Ordinary site -> places at whose edge some of those whom it serves live."""
        self._beside: dict[str, Site] = {}
        for place in catalog.places.values():
            if place.cells:
                self._put(place.key, place.cells, Random(f"{seed}:town:{place.key}"))

    def _put(self, key: str, cells: tuple[str, ...], rng: Random) -> None:
        """Find room for a place: where no mast stands in it, beside those that share cells with it."""
        role = role_of(key, self.catalog)
        radius = RADIUS_KM[role]
        neighbour = next((s for s in self.places.values() if not set(s.cells).isdisjoint(cells)), None)
        best, x, y = -1e9, 0.0, 0.0
        for _ in range(_TRIES):
            if neighbour is not None:
                angle, far = rng.random() * 2 * pi, (neighbour.radius + radius) * 0.97
                one = neighbour.x + far * cos(angle)
                two = neighbour.y + far * sin(angle)
            else:
                mast = self.grid[int(rng.random() * 0.8 * len(self.grid))]
                angle, far = rng.random() * 2 * pi, mast.radius * sqrt(rng.random())
                one, two = mast.x + far * cos(angle), mast.y + far * sin(angle)
            room = self._room(one, two, radius, neighbour)
            if room > best:
                best, x, y = room, one, two
            if best > 0.1 + radius / 4:
                break
        site = Site(key, key, cells, x, y, radius)
        self.places[key] = site
        self.roles.setdefault(role, []).append(site)
        for mast in self.grid:
            if distance(mast, site) < radius + EDGE_KM + 1.5 * mast.radius:
                self.near.setdefault(mast.key, []).append(site)

    def _room(self, x: float, y: float, radius: float, neighbour: Site | None) -> float:
        """Tell how far the next mast, or another place, is from the edge of a place; below 0: within it."""
        mast = self.nearest(x, y)
        room = hypot(mast.x - x, mast.y - y) - radius
        for other in self.places.values():
            if other is not neighbour:
                room = min(room, hypot(other.x - x, other.y - y) - radius - other.radius - EDGE_KM)
        return room

    def nearest(self, x: float, y: float) -> Site:
        """Name the ordinary site that serves a point; points outside are served from the rim."""
        return self.grid[self.layout.nearest(x, y)]

    def lives_beside(self, home: Site, rng: Random) -> Site | None:
        """Draw where in the room of their home's site somebody lives, and name what they flip to: the place
        at whose edge that is, or from within a place the mast outside."""
        if home.place is not None:
            return self.beside(home) if home.radius * (1.0 - sqrt(rng.random())) < EDGE_KM else None
        places = self.near.get(home.key)
        if not places:
            return None
        x, y = self.point_at(home, rng)
        for place in places:
            if abs(hypot(place.x - x, place.y - y) - place.radius) < EDGE_KM:
                return place
        return None

    def point_at(self, mast: Site, rng: Random) -> tuple[float, float]:
        """Draw a point that an ordinary site serves."""
        x, y = mast.x, mast.y
        for _ in range(16):
            far, angle = mast.radius * 1.2 * sqrt(rng.random()), rng.random() * 2 * pi
            x, y = mast.x + far * cos(angle), mast.y + far * sin(angle)
            if self.nearest(x, y) is mast:
                break
        return x, y

    def beside(self, site: Site) -> Site:
        """Name the ordinary site next to a site: where a phone flips to."""
        found = self._beside.get(site.key)
        if found is None:
            found = self.nearest(site.x, site.y)
            if found is site:
                found = min(
                    (one for one in self.grid if one is not site), key=lambda one: distance(one, site)
                )
            self._beside[site.key] = found
        return found

    def step(self, origin: Site, rng: Random) -> Site:
        """Draw another ordinary site at a measured distance of `origin`."""
        km, angle = pick(STEP_KM, rng.random()), rng.random() * 2 * pi
        x, y = origin.x + km * cos(angle), origin.y + km * sin(angle)
        if hypot(x, y) > self.layout.radius:  # there is nothing out there
            x, y = origin.x - km * cos(angle), origin.y - km * sin(angle)
        found = self.nearest(x, y)
        return self.beside(origin) if found is origin else found

    def way(self, start: Site, end: Site) -> list[Site]:
        """List the ordinary sites a phone is seen at on the way: one, if it is long."""
        if start is self.away or end is self.away:
            return []
        count = 1 if distance(start, end) > LONG_WAY_KM else 0
        passed = []
        for k in range(1, count + 1):
            share = k / (count + 1)
            site = self.nearest(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)
            if site is not start and site is not end:
                passed.append(site)
        return passed

    def choose(self, role: str, rng: Random, near: Site | None = None) -> Site | None:
        """Draw one place for this purpose, the nearer of two if `near` is given; None if there is none."""
        sites = self.roles.get(role)
        if not sites:
            return None
        found = sites[int(rng.random() * len(sites))]
        if near is not None:
            other = sites[int(rng.random() * len(sites))]
            found = min(found, other, key=lambda site: distance(site, near))
        return found


def distance(one: Site, other: Site) -> float:
    """Kilometres between two sites."""
    return hypot(one.x - other.x, one.y - other.y)


def travel_minutes(one: Site, other: Site) -> float:
    """How long the way between two sites takes: some 40 km/h, and three minutes to get going (assumed)."""
    return 3.0 + 1.5 * distance(one, other)


def role_of(key: str, catalog: Catalog) -> str:
    """Say what a place is for, by the words of its key, its name and its groups."""
    groups = [group for group, members in catalog.groups.items() if key in members]
    text = " ".join([key, catalog.places[key].name, *groups]).lower()
    words = _WORD.findall(text)
    for role, hints in ROLES.items():
        for hint in hints:
            if hint in text if not hint.isascii() else any(word.startswith(hint) for word in words):
                return role
    return "sight"


def _ordinary(number: int, point: tuple[float, float, float], taken: set[str]) -> Site:
    """Build the site of one mast; 25 neighbours share a location area that no place uses."""
    area = 6001 + number // 25
    cells = []
    for sector in range(1, 4):
        cell = f"460-00-{area}-{number * 10 + sector}"
        while cell in taken:
            area += 1000
            cell = f"460-00-{area}-{number * 10 + sector}"
        cells.append(cell)
    return Site(f"site-{number}", None, tuple(cells), *point)


def _spot(cell: str, rat: str) -> dict[str, Any]:
    """Write the location fields of one cell as a probe does: `lac` for 2G and 3G, `tac` for 4G and 5G."""
    spot: dict[str, Any] = {"rat": rat, "plmn": "46000"}
    parts = cell.split("-")
    if len(parts) == 4 and parts[2].isdigit():
        spot["lac" if rat in ("GSM", "UMTS") else "tac"] = int(parts[2])
    spot["cell"] = cell
    return spot
