"""R708 to R710: places held against each other and against the rules. Only `touchpoint places check` asks.

A cell may lie in several places, and a place may wait for its rule: these are worth a look, not a mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Final

from engine.language.checks.code import PLACES_CHECK, Check
from engine.language.model import Catalog
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import Node, Scalar
from engine.language.source import Sequence as SequenceNode

CHECKS: Final = (
    Check(
        code="R708",
        meaning="two places that share cells",
        bad="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: [460-00-3-1, 460-00-1-2]}
            # r.yaml
            when: {any_of: [{enters: campuses}, {enters: mall}]}
            """,
        good="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: [460-00-3-1]}
            # r.yaml
            when: {any_of: [{enters: campuses}, {enters: mall}]}
            """,
        advice="""
            Who is seen in a shared cell is in both places, and both places' rules fire on one record: at
            most one of them is sent. That may be meant, where one place lies within the other. If not, take
            the cell off one of them (`without`), or draw them apart.
            """,
        level="warning",
        command=PLACES_CHECK,
    ),
    Check(
        code="R709",
        meaning="two members of a group of places that share cells",
        bad="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: [460-00-3-1, 460-00-1-2]}
            groups: {visited: [campus-north, campus-south, mall]}
            # r.yaml
            when: {enters: visited}
            """,
        good="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: [460-00-3-1]}
            groups: {visited: [campus-north, campus-south, mall]}
            # r.yaml
            when: {enters: visited}
            """,
        advice="""
            Who is seen in a shared cell enters both members at once: the message names the one that stands
            first in the group, and going on from there into the other is no entry any more. Draw members of
            a group apart.
            """,
        level="warning",
        command=PLACES_CHECK,
    ),
    Check(
        code="R710",
        meaning="a place that no rule uses",
        bad="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: cells/mall.csv}
            # r.yaml
            when: {enters: campuses}
            """,
        good="""
            # catalog/places.yaml
            mall: {name: 购物中心, cells: cells/mall.csv}
            # r.yaml
            when: {any_of: [{enters: campuses}, {enters: mall}]}
            """,
        advice="""
            No rule names it, by itself or in a group. If none is going to, delete it: each place costs a
            little at every sighting in it, and its cells have to be kept up to date.
            """,
        level="warning",
        command=PLACES_CHECK,
    ),
)


def check_pairs(report: Report, root: MappingNode, catalog: Catalog, groups: Node | None) -> None:
    """R708, R709: places that share cells; those of a group are told at the group."""
    together: set[tuple[str, str]] = set()
    for name, item, pair in _members(catalog, groups):
        if common := _common(catalog, *pair):
            together.add(pair)
            said = f"`{pair[1]}` and `{pair[0]}`, both of group `{name}`, share {_cells(common)}"
            report.warn("R709", item, said, "who is seen there is in both; the first of the group is named")
    for one, other in sorted(_sharing(catalog)):
        if (one, other) not in together and (other, one) not in together:
            said, hint = _overlap(catalog, one, other)
            report.warn("R708", root.entries[other][0], said, hint)


def check_used(report: Report, root: MappingNode, catalog: Catalog, used: Collection[str]) -> None:
    """R710: places that no rule names. `used`: those that one names, by itself or in a group."""
    for name in catalog.places:
        if name not in used:
            report.warn("R710", root.entries[name][0], f"no rule uses `{name}`", "delete it, or write one")


def _members(catalog: Catalog, groups: Node | None) -> Iterator[tuple[str, Node, tuple[str, str]]]:
    """Yield of each group its name, and of each pair of members the later one's node and both names."""
    if not isinstance(groups, MappingNode):
        return
    for key, listed in groups:
        items = listed.items if isinstance(listed, SequenceNode) else []
        nodes = {item.text: item for item in items if isinstance(item, Scalar)}
        for one, other in combinations(catalog.groups.get(key.text, ()), 2):
            if one in catalog.places and other in catalog.places:
                yield key.text, nodes.get(other, key), (one, other)


def _sharing(catalog: Catalog) -> set[tuple[str, str]]:
    order = {name: number for number, name in enumerate(catalog.places)}
    of_cell: dict[str, list[str]] = {}
    for name, place in catalog.places.items():
        for cell in set(place.cells):
            of_cell.setdefault(cell, []).append(name)
    return {
        pair for names in of_cell.values() for pair in combinations(sorted(names, key=order.__getitem__), 2)
    }


def _common(catalog: Catalog, one: str, other: str) -> frozenset[str]:
    return frozenset(catalog.places[one].cells) & frozenset(catalog.places[other].cells)


def _overlap(catalog: Catalog, one: str, other: str) -> tuple[str, str]:
    first, second = (frozenset(catalog.places[name].cells) for name in (one, other))
    common = first & second
    if first == second:
        return f"`{other}` has the same cells as `{one}`", "one of the two is not needed"
    for inner, outer, cells in ((other, one, second), (one, other, first)):
        if common == cells:
            said = f"`{inner}` lies within `{outer}`: all its cells are in both"
            return said, "if that is not meant, take them off one (`without`)"
    said = f"`{other}` and `{one}` share {_cells(common)}: of {len(second)} and {len(first)}"
    return said, "who is seen there is in both; if that is not meant, `without`"


def _cells(cells: frozenset[str]) -> str:
    if len(cells) == 1:
        return f"the cell `{next(iter(cells))}`"
    return f"{len(cells):,} cells, `{min(cells)}` among them"
