"""The lines of a `when`, each with the pattern without it and the patterns nearby.

Without its verb a pattern is not there: the step, part or `no:` that it was is gone, and where a pattern must
stand it never matches. Without `within` a window has no end; without `for`, `confirm` or `at_least` the first
moment will do. `sequence`, `any_of` and `all_of` at the top are no lines: their parts are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from engine.language.model import (
    DAY,
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
from engine.language.words import write_duration
from engine.rule_tests import nearby

Path = tuple[str | int, ...]
Near = tuple[tuple[str, Pattern], ...]
"""What the line could be instead, as written, and the whole `when` with it."""

NEVER: Final = AnyOf(())
"""A pattern without instants."""
ENDLESS: Final = 1_000 * DAY
LEAST: Final = 1e-6
"""A total that any amount reaches."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One line of a pattern: the whole `when` without it, and with it a little changed."""

    path: Path
    without: Pattern
    nearby: Near = ()


_KEYS: Final[dict[type[Pattern], str]] = {Sequence: "sequence", AnyOf: "any_of", AllOf: "all_of"}

Put = Callable[[Pattern | None], Pattern]
"""Return the whole `when` with another pattern at one place; None: with nothing there."""


def variants(when: Pattern) -> Iterator[Variant]:
    """Yield the lines of a `when`, outermost first, in written order."""
    return _variants(when, ("when",), lambda new: NEVER if new is None else new, top=True)


def place_line(when: Pattern) -> Path | None:
    """Return the line that first names a place, for which the consent to use the location is asked."""
    for found in variants(when):
        *_, section, last = ("", *found.path)
        if last in ("enters", "leaves", "stays_in") or (section in ("where", "unless") and last == "place"):
            return found.path
    return None


def tests_without(
    tests: tuple[Test, ...],
) -> Iterator[tuple[Test, tuple[Test, ...], list[tuple[str, tuple[Test, ...]]]]]:
    """Yield each test with the block without it, and the blocks with its neighbours in its place."""
    for number, test in enumerate(tests):
        before, behind = tests[:number], tests[number + 1 :]
        near = [(other.text, (*before, other, *behind)) for other in nearby.tests(test)]
        yield test, before + behind, near


def _variants(pattern: Pattern, path: Path, put: Put, top: bool = False) -> Iterator[Variant]:
    match pattern:
        case Happens():
            yield Variant((*path, "happens"), put(None))
            yield from _block(pattern.where, (*path, "where"), lambda t: put(replace(pattern, where=t)))
            yield from _block(pattern.unless, (*path, "unless"), lambda t: put(replace(pattern, unless=t)))
        case Enters():
            yield Variant((*path, "enters"), put(None))
            if pattern.confirm:
                yield _window(
                    (*path, "confirm"), pattern.confirm, 0, lambda span: put(replace(pattern, confirm=span))
                )
            yield from _resident(pattern, path, put)
        case Leaves():
            yield Variant((*path, "leaves"), put(None))
        case StaysIn():
            yield Variant((*path, "stays_in"), put(None))
            yield _window(
                (*path, "for"), pattern.duration, 0, lambda span: put(replace(pattern, duration=span))
            )
            yield from _resident(pattern, path, put)
        case Count() | Total():
            yield from _counted(pattern, path, put)
        case After():
            if not top:
                yield Variant((*path, "after"), put(None))
            yield from _absence(pattern, path, put)
        case Sequence() | AnyOf() | AllOf():
            key = _KEYS[type(pattern)]
            if not top:
                yield Variant((*path, key), put(None))
            yield from _parts(pattern, (*path, key), put)
            if not isinstance(pattern, AnyOf):
                yield _within(pattern, path, put)


def _resident(pattern: Enters | StaysIn, path: Path, put: Put) -> Iterator[Variant]:
    if pattern.resident is not None:
        yield Variant((*path, "resident"), put(replace(pattern, resident=None)))


def _counted(pattern: Count | Total, path: Path, put: Put) -> Iterator[Variant]:
    yield Variant((*path, "count" if isinstance(pattern, Count) else "total"), put(None))
    yield from _block(pattern.where, (*path, "where"), lambda t: put(replace(pattern, where=t)))
    yield _number(pattern, path, put) if isinstance(pattern, Count) else _amount(pattern, path, put)
    yield _within(pattern, path, put)


def _absence(pattern: After, path: Path, put: Put) -> Iterator[Variant]:
    yield from _variants(
        pattern.first,
        (*path, "after"),
        lambda new: put(None if new is None else replace(pattern, first=new)),
    )
    yield from _variants(
        pattern.no, (*path, "no"), lambda new: put(replace(pattern, no=NEVER if new is None else new))
    )
    near = tuple(
        (write_duration(span), put(replace(pattern, wait=span))) for span in nearby.lengths(pattern.wait)
    )
    yield Variant((*path, "for"), put(pattern.first), near)


def _parts(pattern: Sequence | AnyOf | AllOf, path: Path, put: Put) -> Iterator[Variant]:
    parts = pattern.steps if isinstance(pattern, Sequence) else pattern.parts
    for number, part in enumerate(parts):
        yield from _variants(part, (*path, number), _placed(pattern, parts, number, put))


def _placed(pattern: Sequence | AnyOf | AllOf, parts: tuple[Pattern, ...], number: int, put: Put) -> Put:
    """Put another pattern in the place of one part; without it the others remain, one alone by itself."""

    def placed(new: Pattern | None) -> Pattern:
        others = (*parts[:number], *(() if new is None else (new,)), *parts[number + 1 :])
        if len(others) < 2:
            return put(others[0] if others else None)
        if isinstance(pattern, Sequence):
            return put(replace(pattern, steps=others))
        return put(replace(pattern, parts=others))

    return placed


# -- what stands beside a verb -------------------------------------------------------------------------------


def _block(
    tests: tuple[Test, ...], path: Path, put: Callable[[tuple[Test, ...]], Pattern]
) -> Iterator[Variant]:
    for test, without, near in tests_without(tests):
        yield Variant((*path, test.field), put(without), tuple((text, put(block)) for text, block in near))


def _window(path: Path, length: int, without: int, put: Callable[[int], Pattern]) -> Variant:
    near = tuple((write_duration(span), put(span)) for span in nearby.lengths(length))
    return Variant(path, put(without), near)


def _within(pattern: Count | Total | Sequence | AllOf, path: Path, put: Put) -> Variant:
    return _window(
        (*path, "within"), pattern.within, ENDLESS, lambda span: put(replace(pattern, within=span))
    )


def _number(pattern: Count, path: Path, put: Put) -> Variant:
    """Without it the first record will do; of a first record without it there is none, but a second."""
    few = pattern.at_least
    near = [number for number in (few - 1, few + 1) if number]
    return Variant(
        (*path, "at_least"),
        put(replace(pattern, at_least=1 if few > 1 else 2)),
        tuple((str(number), put(replace(pattern, at_least=number))) for number in near),
    )


def _amount(pattern: Total, path: Path, put: Put) -> Variant:
    near = nearby.marks(pattern.at_least, pattern.type)
    return Variant(
        (*path, "at_least"),
        put(replace(pattern, at_least=LEAST)),
        tuple((text, put(replace(pattern, at_least=mark))) for text, mark in near),
    )
