"""R704 to R707: places, sites and cells that do not fit each other on the map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median
from typing import Final

from engine.cells import Cell, CellTable, distance
from engine.language.checks.code import Check
from engine.language.geometry import Sketch
from engine.language.lengths import write_area, write_metres
from engine.language.report import Report
from engine.language.source import Node, Scalar
from engine.language.source import Sequence as SequenceNode

_TABLE: Final = """
            # catalog/cells.csv
            cell,lat,lon,range_m
            460-00-1-1,30.2501,120.1502,400
            460-00-1-2,30.2501,120.1502,400
            460-00-2-1,30.2608,120.1403,400
            460-00-2-2,30.2608,120.1403,400
"""
CHECKS: Final = (
    Check(
        code="R704",
        meaning="a place that is smaller than what its cells cover",
        bad=f"""{_TABLE}
            460-00-3-1,30.2703,120.1601,900
            # catalog/places.yaml
            mall: {{name: 购物中心, circle: {{lat: 30.2703, lon: 120.1601, radius: 200m}}}}
            """,
        good=f"""{_TABLE}
            460-00-3-1,30.2703,120.1601,200
            # catalog/places.yaml
            mall: {{name: 购物中心, circle: {{lat: 30.2703, lon: 120.1601, radius: 200m}}}}
            """,
        advice="""
            A subscriber seen in these cells is more likely beside the place than in it: whoever passes in
            the street gets the offer. Take `mode: strict`, draw the place as wide as it can be meant, take
            off the cells that reach too far (`without`), or have rules wait (`stays_in`, `confirm`).
            """,
        level="warning",
    ),
    Check(
        code="R705",
        meaning="a cell of a place that the cells table does not have",
        bad=f"""{_TABLE}
            460-00-3-1,30.2703,120.1601,400
            # catalog/places.yaml
            mall: {{name: 购物中心, cells: [460-00-3-1, 460-00-3-11]}}
            """,
        good=f"""{_TABLE}
            460-00-3-1,30.2703,120.1601,400
            460-00-3-2,30.2703,120.1601,400
            # catalog/places.yaml
            mall: {{name: 购物中心, cells: [460-00-3-1, 460-00-3-2]}}
            """,
        advice="""
            The cell is misspelt, or switched off, or the table is old. Correct one of the two. A cell whose
            position nobody knows stands in the table with `lat` and `lon` empty.
            """,
        level="warning",
    ),
    Check(
        code="R706",
        meaning="a cell far from the other cells of its place",
        bad=f"""{_TABLE}
            460-00-3-1,30.2703,120.1601,400
            460-00-3-2,31.2703,120.1601,400
            # catalog/places.yaml
            mall: {{name: 购物中心, cells: [460-00-3-1, 460-00-3-2]}}
            """,
        good=f"""{_TABLE}
            460-00-3-1,30.2703,120.1601,400
            460-00-3-2,30.2709,120.1601,400
            """,
        advice="""
            A digit of the cell or of its position is most likely wrong: correct it in the list of the
            place, or in the cells table. If the place really has two parts, make two places and a group of
            them.
            """,
        level="warning",
    ),
    Check(
        code="R707",
        meaning="a site of the cells table that stands at two places, or twice at one",
        bad="""
            # catalog/cells.csv
            cell,lat,lon,range_m,site
            460-00-1-1,30.2501,120.1502,400,North
            460-00-1-2,30.3501,120.1502,400,North
            460-00-2-1,30.2608,120.1403,400,South
            460-00-2-2,30.2608,120.1403,400,South
            460-00-3-1,30.2703,120.1601,400,Mall
            460-00-3-2,30.2703,120.1601,400,Mall
            """,
        good="""
            # catalog/cells.csv
            cell,lat,lon,range_m,site
            460-00-1-1,30.2501,120.1502,400,North
            460-00-1-2,30.2501,120.1502,400,North
            460-00-2-1,30.2608,120.1403,400,South
            460-00-2-2,30.2608,120.1403,400,South
            460-00-3-1,30.2703,120.1601,400,Mall
            460-00-3-2,30.2703,120.1601,400,Mall
            """,
        advice="""
            The cells of one `site` stand on one mast; antennas of distributed systems may be spread over a
            building. More than 1 km apart, a position or the name of the site is wrong. Two sites of one
            radio access at the very same position are most likely one site under two names, of which one is
            old.
            """,
        level="warning",
    ),
)
FAR: Final = 20_000.0
"""Metres from the nearest other cell of the place: no place that people walk into has such a gap."""
APART: Final = 1_000.0
"""Metres between cells of one site."""
OUTSIDE: Final = 0.5
"""A place is too small if more than this share of what its cells cover lies outside."""
_NAMED: Final = 3
_SHOWN: Final = 20


def outside(sketch: Sketch, cells: Iterable[str]) -> tuple[float, float]:
    """Return what the cells of a place cover, m² summed over cells, and the share of it outside the place."""
    mine = set(cells)
    fits = [fit for fit in sketch.fits if fit.cell.cell in mine]
    covers = sum(fit.covers for fit in fits)
    common = sum(min(fit.common, fit.covers) for fit in fits)  # areas are rounded: no less than nothing
    return covers, 1 - common / covers if covers else 0.0


def check_size(report: Report, key: Scalar, sketch: Sketch, cells: Iterable[str]) -> None:
    """R704: most of what the cells cover lies outside of the place."""
    _, share = outside(sketch, cells)
    if share > OUTSIDE:
        said = (
            f"`{key.text}` is smaller than its cells: {share:.0%} of what they cover lies outside of it "
            f"({write_area(sketch.area.square)})"
        )
        hint = "who is seen here is more likely beside it: `mode: strict`, `without`, or a rule that waits"
        report.warn("R704", key, said, hint)


def check_known(report: Report, where: Node, cells: Sequence[str], table: CellTable) -> None:
    """R705: listed cells that the table does not have. `where`: the list, or the name of its file."""
    missing = [cell for cell in cells if cell not in table]
    if not missing:
        return
    names = ", ".join(f"`{cell}`" for cell in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
    said = f"the cells table does not have {names}{more}"
    report.warn("R705", _item(where, missing[0]), said, "misspelt, switched off, or newer than the table?")


def check_far(
    report: Report, where: Node, listed: Iterable[str], cells: Iterable[str], table: CellTable
) -> None:
    """R706: listed cells far from every other cell of the place."""
    placed = [table.cells[name] for name in cells if name in table.cells]
    if len(placed) < 2:
        return
    far = list(_far(placed, frozenset(listed)))
    if len(far) == len(placed) == 2:
        far = far[1:]  # of two it can't be said which is wrong
    for cell, gap in far[:_SHOWN]:
        said = f"`{cell.cell}` is {write_metres(gap)} from the nearest other cell of this place"
        report.warn("R706", _item(where, cell.cell), said, "a digit of its name or position may be wrong")


def _item(where: Node, cell: str) -> Node:
    """Return the cell in its list, or the name of the file that lists it."""
    items = where.items if isinstance(where, SequenceNode) else []
    return next((item for item in items if isinstance(item, Scalar) and item.text == cell), where)


def _far(placed: Sequence[Cell], listed: frozenset[str]) -> Iterator[tuple[Cell, float]]:
    # cells around the middle have others beside them; only those beyond it are held against all
    lat, lon = median(cell.lat for cell in placed), median(cell.lon for cell in placed)
    for cell in placed:
        if cell.cell in listed and distance(lat, lon, cell.lat, cell.lon) > FAR / 2:
            gap = min(
                distance(cell.lat, cell.lon, other.lat, other.lon) for other in placed if other is not cell
            )
            if gap > FAR:
                yield cell, gap


def site_problems(table: CellTable) -> Iterator[tuple[str, str, str]]:
    """R707: yield (cell to point at, what is wrong, hint) of sites that are odd; `_SHOWN` at most of each."""
    named = sorted((cell for cell in table.cells.values() if cell.site), key=lambda cell: cell.site)
    told = 0
    for site, cells in groupby(named, key=lambda cell: cell.site):
        first, *others = cells
        gaps = [distance(first.lat, first.lon, cell.lat, cell.lon) for cell in others]
        if gaps and max(gaps) > APART and told < _SHOWN:
            told += 1
            cell = others[gaps.index(max(gaps))]
            said = f"site `{site}` stands at two places, {write_metres(max(gaps))} apart"
            yield cell.cell, said, f"`{first.cell}` is at the other: correct a position or a name"
    spots: dict[tuple[float, float, str], dict[str, str]] = {}
    for cell in named:
        spots.setdefault((cell.lat, cell.lon, cell.rat), {}).setdefault(cell.site, cell.cell)
    for (_, _, rat), sites in sorted(_double(spots).items())[:_SHOWN]:
        first_site, second = list(sites)[:2]
        where = f" of {rat}" if rat else ""
        said = f"sites `{first_site}` and `{second}`{where} stand at the very same position"
        yield sites[second], said, "one site under two names?"


def _double(
    spots: Mapping[tuple[float, float, str], dict[str, str]],
) -> dict[tuple[float, float, str], dict[str, str]]:
    return {spot: sites for spot, sites in spots.items() if len(sites) > 1}
