"""Where things are: ordinary sites on a grid, the catalogue's places among them, and what each place is for.

Nothing here depends on the number of subscribers. Positions (kilometres) only shape the journeys: records
carry cells, never coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import cos, hypot, pi, sin
from random import Random
from typing import Any, Final

from engine.language.model import Catalog

from .figures import STEP_KM, pick

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

_WORD: Final = re.compile(r"[a-z0-9]+")


class Site:
    """One mast, or one place of the catalogue with all its cells.

    `spots[rat][k]`: the location fields of cell k.
    """

    __slots__ = ("cells", "key", "place", "spots", "x", "y")

    def __init__(self, key: str, place: str | None, cells: tuple[str, ...], x: float, y: float) -> None:
        self.key = key
        self.place = place
        self.cells = cells
        self.x = x
        self.y = y
        self.spots: dict[str, tuple[dict[str, Any], ...]] = {
            rat: tuple(_spot(cell, rat) for cell in cells) for rat in RATS
        }


class Town:
    """All sites. `roles`: what for -> places; `edge`: ordinary site -> the place right beside it."""

    def __init__(self, catalog: Catalog, seed: int, side: int) -> None:
        self.catalog = catalog
        self.side = side
        rng = Random(f"{seed}:town")
        taken = {cell for place in catalog.places.values() for cell in place.cells}
        self.grid = tuple(
            _ordinary(row, column, side, taken) for row in range(side) for column in range(side)
        )
        self.away = Site("away", None, (), 0.0, 0.0)
        """Out of the country: no cells of ours."""
        self.places: dict[str, Site] = {}
        self.roles: dict[str, list[Site]] = {}
        self.edge: dict[str, Site] = {}
        self._beside: dict[str, Site] = {}
        for place in catalog.places.values():
            if not place.cells:
                continue
            x, y = rng.uniform(1, side - 2), rng.uniform(1, side - 2)
            site = Site(place.key, place.key, place.cells, x, y)
            self.places[place.key] = site
            self.roles.setdefault(role_of(place.key, catalog), []).append(site)
            self.edge.setdefault(self.nearest(x, y).key, site)

    def nearest(self, x: float, y: float) -> Site:
        """Name the ordinary site that serves a point; points outside are served from the rim."""
        last = self.side - 1
        row, column = min(max(round(y), 0), last), min(max(round(x), 0), last)
        return self.grid[row * self.side + column]

    def beside(self, site: Site) -> Site:
        """Name the ordinary site next to a site: where a phone flips to."""
        found = self._beside.get(site.key)
        if found is None:
            found = self.nearest(site.x, site.y)
            if found is site:
                found = self.nearest(site.x + (1.0 if site.x < self.side - 1 else -1.0), site.y)
            self._beside[site.key] = found
        return found

    def step(self, origin: Site, rng: Random) -> Site:
        """Draw another ordinary site at a measured distance of `origin`."""
        km, angle = pick(STEP_KM, rng.random()), rng.random() * 2 * pi
        return self.nearest(origin.x + km * cos(angle), origin.y + km * sin(angle))

    def way(self, start: Site, end: Site) -> list[Site]:
        """List the ordinary sites a phone is seen at on the way: one in ten kilometres, at most two."""
        if start is self.away or end is self.away:
            return []
        count = min(2, int(distance(start, end) / 10.0))
        passed = []
        for k in range(1, count + 1):
            share = k / (count + 1)
            site = self.nearest(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)
            if site is not start and site is not end:
                passed.append(site)
        return passed

    def choose(self, role: str, rng: Random) -> Site | None:
        """Draw one place for this purpose; None if the catalogue has none."""
        sites = self.roles.get(role)
        return sites[int(rng.random() * len(sites))] if sites else None


def distance(one: Site, other: Site) -> float:
    """Kilometres between two sites."""
    return hypot(one.x - other.x, one.y - other.y)


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


def _ordinary(row: int, column: int, side: int, taken: set[str]) -> Site:
    """Build the site of one grid square; 5 x 5 of them share a location area that no place uses."""
    area = 6001 + (row // 5) * 20 + column // 5
    number = row * side + column
    cells = []
    for sector in range(1, 4):
        cell = f"460-00-{area}-{number * 10 + sector}"
        while cell in taken:
            area += 1000
            cell = f"460-00-{area}-{number * 10 + sector}"
        cells.append(cell)
    return Site(f"site-{number}", None, tuple(cells), float(column), float(row))


def _spot(cell: str, rat: str) -> dict[str, Any]:
    """Write the location fields of one cell as a probe does: `lac` for 2G and 3G, `tac` for 4G and 5G."""
    spot: dict[str, Any] = {"rat": rat, "plmn": "46000"}
    parts = cell.split("-")
    if len(parts) == 4 and parts[2].isdigit():
        spot["lac" if rat in ("GSM", "UMTS") else "tac"] = int(parts[2])
    spot["cell"] = cell
    return spot
