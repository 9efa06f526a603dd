"""What the places of a set came to: cells, sizes, rules, problems. One value for table, JSON and map."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.cells import Cell, CellTable
from engine.language.catalog import GROUPS
from engine.language.checks.place_cells import outside
from engine.language.geometry import Sketch
from engine.language.loader import Loaded
from engine.language.place_review import places_of
from engine.language.problems import Problem
from engine.language.source import Mapping as MappingNode
from engine.language.source import read

SUFFIXES: Final = ("places.yaml", "places.yml", ".csv", ".geojson")
"""Files that places are made of."""


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """One place. Sizes in m²; None where nothing was drawn."""

    key: str
    name: str
    by: str
    """`cells`, `area`, `circle`, or the latter with cells beside: `area and cells`."""
    mode: str | None
    cells: tuple[str, ...]
    placed: tuple[Cell, ...]
    """Those of the cells that are on the map."""
    square: float | None
    covers: float
    """Of its cells that are near, summed over cells; 0 if nothing was drawn."""
    outside: float | None
    """Share of that which lies outside of the place."""
    groups: tuple[str, ...]
    rules: tuple[str, ...] | None
    """Those without an error that use it; None: not known, for the policy or the catalogue has an error."""
    sketch: Sketch | None
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """The facts as plain data."""
        return {
            "place": self.key,
            "name": self.name,
            "drawn": self.by,
            "mode": self.mode,
            "cells": list(self.cells),
            "on_the_map": len(self.placed),
            "area_m2": None if self.square is None else round(self.square),
            "outside": None if self.outside is None else round(self.outside, 3),
            "groups": list(self.groups),
            "rules": None if self.rules is None else list(self.rules),
            "problems": len(self.problems),
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """All places of a set, in the catalogue's order, with every problem that is about places."""

    places: tuple[PlaceFacts, ...]
    table: CellTable
    problems: tuple[Problem, ...]
    complete: bool
    """All rules could be read, so that a place without one has none."""

    @property
    def unread(self) -> str:
        """Why the rules of places may not be all; empty if they are."""
        if self.complete:
            return ""
        if any(place.rules is None for place in self.places):
            return "not known, for the policy or the catalogue has an error"
        return "those without an error"

    def to_json(self) -> dict[str, Any]:
        """The facts as plain data, for `--json`."""
        errors = sum(problem.severity == "error" for problem in self.problems)
        return {
            "cells": {"known": len(self.table), "on_the_map": len(self.table.cells)},
            "all_rules_read": self.complete,
            "places": [place.to_json() for place in self.places],
            "errors": errors,
            "warnings": len(self.problems) - errors,
            "problems": [problem.to_json() for problem in self.problems],
        }


def facts_of(loaded: Loaded, path: str, text: str) -> Facts:
    """Collect the facts of a set. `path`, `text`: of its places.yaml, the path as problems name it."""
    geography, catalog = loaded.names.geography, loaded.names.catalog
    table = geography.table if geography is not None else CellTable()
    sketches: Mapping[str, Sketch] = geography.sketches if geography is not None else {}
    known = loaded.testable is not None
    users: dict[str, list[str]] = {}
    for rule in loaded.testable.rules.values() if loaded.testable is not None else ():
        for name in places_of(rule):
            users.setdefault(name, []).append(rule.name)
    problems = tuple(problem for problem in loaded.problems if about_places(problem))
    by_place = _by_place(problems, path, text)
    found = []
    for key, place in catalog.places.items():
        sketch = sketches.get(key)
        by, share, covers = "cells" if place.cells else "none", None, 0.0
        if sketch is not None:
            beside = not set(place.cells) <= set(sketch.chosen)
            by = f"{sketch.by} and cells" if beside else sketch.by
            covers, share = outside(sketch, place.cells)
        found.append(PlaceFacts(
            key, place.name, by, sketch.mode if sketch is not None else None, place.cells,
            tuple(table.cells[cell] for cell in place.cells if cell in table.cells),
            sketch.area.square if sketch is not None else None,
            covers, share if covers else None,
            tuple(name for name, members in catalog.groups.items() if key in members),
            tuple(sorted(users.get(key, ()))) if known else None, sketch, tuple(by_place.get(key, ())),
        ))  # fmt: skip
    return Facts(tuple(found), table, problems, loaded.ruleset is not None)


def about_places(problem: Problem) -> bool:
    """Tell whether a problem is one of places, cells or areas."""
    return problem.code.startswith("R7") or problem.path.endswith(SUFFIXES)


def _by_place(problems: Sequence[Problem], path: str, text: str) -> dict[str, list[Problem]]:
    """Say which place each problem of places.yaml stands in."""
    root = read(path, text).root
    if not isinstance(root, MappingNode):
        return {}
    starts = [((key.start.line + 1, key.start.column + 1), key.text) for key, _ in root]
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        at = bisect_right([start for start, _ in starts], (problem.line, problem.col)) - 1
        if problem.path == path and at >= 0 and starts[at][1] != GROUPS:
            found.setdefault(starts[at][1], []).append(problem)
    return found
