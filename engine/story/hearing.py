"""Who listens: would a thing that happens for one part of a pattern be heard by another part?

Cases are foreseen only where it is not, or where it does no harm, so the answer errs towards yes.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass

from engine.language.model import (
    After,
    AllOf,
    AnyOf,
    Catalog,
    Count,
    Enters,
    Happens,
    Leaves,
    Pattern,
    Sequence,
    StaysIn,
    Test,
    Total,
)
from engine.language.testing import FieldValue, Step
from engine.rule_tests.world import Map
from engine.story.scene import PAUSE
from engine.story.values import passes

Leaf = Happens | Enters | Leaves | StaysIn | Count | Total


def leaves_of(pattern: Pattern, against: bool = False) -> Iterator[tuple[Leaf, bool]]:
    """Yield every simple pattern inside, and whether it stands against a match (below a `no:`)."""
    match pattern:
        case Sequence(steps=parts) | AnyOf(parts=parts) | AllOf(parts=parts):
            for part in parts:
                yield from leaves_of(part, against)
        case After():
            yield from leaves_of(pattern.first, against)
            yield from leaves_of(pattern.no, not against)
        case _:
            yield pattern, against


@dataclass(frozen=True, slots=True)
class Where:
    """Where a subscriber was last seen before a step."""

    places: frozenset[str]
    """Every place that holds the cell; none if it is outside of all, or if there was no sighting."""
    fresh: bool
    """They are still known to be there: another sighting there goes on with the visit."""


def where_before(steps: Many[Step], step: Step, catalog: Catalog, lapse: int) -> Where:
    """Return where a subscriber was last seen before one of the steps of a scene; at first nowhere."""
    ordered = sorted(steps, key=lambda each: each.at)
    last: int | None = None
    places = frozenset[str]()
    off = False
    for each in ordered[: ordered.index(step)]:
        if is_located(each):
            end = min(each.at + (each.times - 1) * each.every, step.at)
            if last is None or end >= last:
                last, places, off = end, places_at(each, catalog), False
        off = off or each.event == "power.off"
    return Where(places, last is not None and not off and step.at - last <= lapse)


def stirred(pattern: Pattern, step: Step, catalog: Catalog, where: Where) -> frozenset[int]:
    """Return which of the simple patterns inside, by number, a step could bring about or help to."""
    leaves = enumerate(leaf for leaf, _ in leaves_of(pattern))
    return frozenset(number for number, leaf in leaves if _stirs(leaf, step, catalog, where))


def makes(pattern: Pattern, step: Step, catalog: Catalog, where: Where | None = None) -> bool:
    """Say whether a step could bring a pattern about, or help to. No `where`: they may be anywhere."""
    return any(not against and _stirs(leaf, step, catalog, where) for leaf, against in leaves_of(pattern))


def touches(pattern: Pattern, step: Step, catalog: Catalog) -> bool:
    """Say whether a step could mean anything to a pattern: bring it about, or keep it from coming."""
    return any(_hears(leaf, step, catalog) for leaf, _ in leaves_of(pattern))


def reopened(pattern: Pattern, step: Step, catalog: Catalog, where: Where) -> frozenset[int]:
    """Return which simple patterns inside, by number, a step would enter but for a visit that may go on."""
    again = places_at(step, catalog) & where.places
    return frozenset(
        number
        for number, (leaf, _) in enumerate(leaves_of(pattern))
        if isinstance(leaf, Enters | StaysIn) and step.verb != "sees" and again & set(leaf.members)
    )


def counts(pattern: Pattern, step: Step, catalog: Catalog) -> bool:
    """Say whether a step is a record that a simple pattern inside asks for."""
    leaves = (leaf for leaf, _ in leaves_of(pattern) if isinstance(leaf, Happens | Count | Total))
    return any(_hears(leaf, step, catalog) for leaf in leaves)


def is_located(step: Step) -> bool:
    """Say whether a step is a sighting: its record has a cell."""
    return step.verb in ("enters", "sees", "leaves") or bool(step.place)


def places_at(step: Step, catalog: Catalog) -> frozenset[str]:
    """Return every place that holds the cell of a step."""
    if not step.place or step.verb == "leaves":
        return frozenset()
    cell = Map(catalog).inside(step.place)
    return frozenset(name for name, place in catalog.places.items() if cell in place.cells)


def _hears(leaf: Leaf, step: Step, catalog: Catalog) -> bool:
    if step.verb == "restart":
        return False
    if isinstance(leaf, Enters | Leaves | StaysIn):
        return is_located(step) or step.event == "power.off"  # then nobody knows where they are
    return _records(leaf, step, catalog)


def _stirs(leaf: Leaf, step: Step, catalog: Catalog, where: Where | None) -> bool:
    """Say whether it may start or complete the leaf: going on being inside enters nothing."""
    if step.verb == "restart":
        return False
    match leaf:
        case Enters() | StaysIn():
            inside = places_at(step, catalog) & set(leaf.members)
            known = where.places if where is not None and where.fresh else frozenset[str]()
            if step.verb == "sees":  # goes on with a visit that some `enters` opened, unless that was left
                left = where is not None and where.fresh and not where.places & inside
                # who is seen before they leave leaves soon
                return left and bool(inside) and _dwell(leaf) < PAUSE // 2
            return bool(inside - known)
        case Leaves():
            could = where is None or bool(where.places & set(leaf.members))
            return is_located(step) and could and not places_at(step, catalog) & set(leaf.members)
        case _:
            return _records(leaf, step, catalog)


def _dwell(leaf: Enters | StaysIn) -> int:
    return leaf.duration if isinstance(leaf, StaysIn) else leaf.confirm


def _records(leaf: Happens | Count | Total, step: Step, catalog: Catalog) -> bool:
    kind = step.event if step.verb == "happens" else "loc.update"
    if kind != leaf.event:
        return False
    barred = leaf.unless if isinstance(leaf, Happens) else ()
    return not any(_fails(test, step, catalog) for test in leaf.where) and not any(
        passes(test, _value(test, step)) for test in barred if test.field != "place"
    )


def _fails(test: Test, step: Step, catalog: Catalog) -> bool:
    """Say whether a line of `where` surely keeps the step's record out."""
    if test.field in ("cell", "cell_prev", "cell_end"):
        return False  # which cells a step is at is not told here
    if test.field == "place":
        if not is_located(step):
            return False  # then it is where the subscriber happens to be
        return passes(test, sorted(places_at(step, catalog))) is not True
    return passes(test, _value(test, step)) is not True


def _value(test: Test, step: Step) -> FieldValue:
    return step.fields.get("down" if test.field == "bytes" else test.field)
