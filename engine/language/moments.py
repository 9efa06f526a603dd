"""When patterns match, compared: does one match at every instant of another?

What can be said without running them, from semantics.md 3: each instant of a part is one of its `any_of`; a
narrower `where` leaves instants out and makes none; `enters` and `stays_in` of a group are those of its
members, and `resident` leaves instants out, `yes` and `no` different ones. Patterns that remember (`count`,
`total`, `sequence`, `all_of`, `after`) are compared for being the same: with another `where` they would cross
their marks at other moments. Subscribers so hot that a pattern fires nothing (more than 2,000 records of a
kind in 48 h) are left aside.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache

from engine.language import logic
from engine.language.model import (
    After,
    AllOf,
    AnyOf,
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


def inside(one: Pattern, other: Pattern) -> bool:
    """Tell whether every instant of `one` is, provably, an instant of `other`."""
    if isinstance(one, AnyOf):
        return all(inside(part, other) for part in one.parts)
    if isinstance(other, AnyOf):
        return any(inside(one, part) for part in other.parts)
    match one, other:
        case Happens(), Happens():
            return one.event == other.event and logic.narrower(_lines(one), _lines(other))
        case Enters(), Enters():
            return one.confirm == other.confirm and _of_places(one, other)
        case StaysIn(), StaysIn():
            return one.duration == other.duration and _of_places(one, other)
        case _:
            return normal(one) == normal(other)


def _of_places(one: Enters | StaysIn, other: Enters | StaysIn) -> bool:
    """Tell whether every place, and everybody who is meant there, is one of the other's."""
    meant = other.resident is None or one.resident is other.resident
    return meant and set(one.members) <= set(other.members)


def normal(pattern: Pattern) -> Hashable:
    """Return a form that two patterns share if they differ in wording only.

    Not compared: how tests and groups are written, the order of members, of lines and of the parts of
    `any_of` and `all_of`.
    """
    match pattern:
        case Happens():
            return ("happens", pattern.event, _key(pattern.where, pattern.unless))
        case Enters():
            return ("enters", frozenset(pattern.members), pattern.confirm, pattern.resident)
        case Leaves():
            return ("leaves", frozenset(pattern.members))
        case StaysIn():
            return ("stays_in", frozenset(pattern.members), pattern.duration, pattern.resident)
        case Count():
            return ("count", pattern.event, _key(pattern.where), pattern.at_least, pattern.within)
        case Total():
            lines = _key(pattern.where)
            return ("total", pattern.event, pattern.field, lines, pattern.at_least, pattern.within)
        case Sequence():
            return ("sequence", tuple(map(normal, pattern.steps)), pattern.within)
        case After():
            return ("after", normal(pattern.first), normal(pattern.no), pattern.wait)
        case AnyOf():
            return ("any_of", frozenset(map(normal, pattern.parts)))
        case AllOf():
            return ("all_of", frozenset(map(normal, pattern.parts)), pattern.within)


def keys(pattern: Pattern) -> Iterator[Hashable]:
    """Yield keys such that `inside` holds only where all keys of `one` are keys of `other`."""
    match pattern:
        case AnyOf():
            for part in pattern.parts:
                yield from keys(part)
        case Happens():
            yield "happens", pattern.event
        case Enters():
            yield "enters", pattern.confirm
        case StaysIn():
            yield "stays_in", pattern.duration
        case _:
            yield normal(pattern)


def parts_of(pattern: Pattern) -> tuple[Pattern, ...]:
    """Return the patterns that stand in a pattern, as they are written."""
    match pattern:
        case Sequence():
            return pattern.steps
        case After():
            return (pattern.first, pattern.no)
        case AnyOf() | AllOf():
            return pattern.parts
        case _:
            return ()


def kinds_awaited(when: Pattern) -> frozenset[str]:
    """Return the kinds of record whose feed must have been up for a `when`: those of the `no` of an absence.

    Of places there are none: any record may show where somebody is (semantics.md 3).
    """
    return frozenset(_kinds(when.no)) if isinstance(when, After) else frozenset()


def _kinds(pattern: Pattern) -> Iterator[str]:
    if isinstance(pattern, Happens | Count | Total):
        yield pattern.event
    for part in parts_of(pattern):
        yield from _kinds(part)


@lru_cache(maxsize=4096)
def _lines(pattern: Happens) -> logic.Audience:
    return logic.audience(pattern.where, pattern.unless)


def _key(where: tuple[Test, ...], unless: tuple[Test, ...] = ()) -> Hashable:
    return frozenset(logic.audience(where, unless).items())
