"""Review places on the map before a set is sent: what loads, and is perhaps not what was meant.

An engine that only loads a set does not ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace

from engine.language.catalog import GROUPS, Names
from engine.language.checks.areas import check_has_cells
from engine.language.checks.place_cells import check_far, check_known, check_size, site_problems
from engine.language.checks.place_pairs import check_pairs, check_used
from engine.language.geometry import Geography
from engine.language.model import Rule, Test
from engine.language.problems import Problem
from engine.language.report import Report
from engine.language.source import Mapping, Source


def review_places(
    names: Names, source: Source, ignore: Collection[str], rules: Iterable[Rule] | None = None
) -> list[Problem]:
    """Return the warnings about the places of a catalogue without errors. `source`: of places.yaml.

    `rules`: all rules of the set; given, places are held against each other and against these too.
    """
    geography, root = names.geography, source.root
    report = Report(replace(source, problems=()), ignore)
    if geography is None or not isinstance(root, Mapping):
        return []
    for name, place in names.catalog.places.items():
        key, body = root.entries[name]
        where = body.get("cells") if isinstance(body, Mapping) else None
        sketch = geography.sketches.get(name)
        if sketch is not None:
            if place.cells:
                check_size(report, key, sketch, place.cells)
            else:
                check_has_cells(report, key, sketch)
        if where is not None and geography.files:
            chosen = frozenset(sketch.chosen) if sketch is not None else frozenset()
            listed = [cell for cell in place.cells if cell not in chosen]
            check_known(report, where, listed, geography.table)
            check_far(report, where, listed, place.cells, geography.table)
    if rules is not None:
        check_pairs(report, root, names.catalog, root.get(GROUPS))
        check_used(report, root, names.catalog, {place for rule in rules for place in places_of(rule)})
    return [*report.problems, *_of_sites(geography, ignore)]


def places_of(rule: Rule) -> frozenset[str]:
    """Return the places that a rule names, by themselves or in a group, wherever in it."""
    return frozenset(_named(rule))


def _named(part: object) -> Iterator[str]:
    if isinstance(part, Test):
        if part.type == "place":
            yield from (str(value) for value in part.values)
        return
    if isinstance(part, tuple):
        for each in part:
            yield from _named(each)
    elif is_dataclass(part):
        members = getattr(part, "members", ())
        yield from members
        for field in fields(part):
            yield from _named(getattr(part, field.name))


def _of_sites(geography: Geography, ignore: Collection[str]) -> Iterator[Problem]:
    if "R707" in ignore:
        return
    for cell, said, hint in site_problems(geography.table):
        file = next(file for file in geography.files if cell in file.lines)
        yield file.problem(cell, "R707", said, hint, "warning")
