"""Tests of `where`, `unless`, `who`, `except` and `if`, compiled to closures over one value.

Unknown is never yes: a test on an unknown value, or on one of the wrong type, gives None, and None passes
nothing, `not` included (semantics.md 4.7). Sets match on any common element; an empty set is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.language.model import Test
from engine.numbers import is_open, keyed_hash
from engine.patterns.base import Moment, Predicate
from engine.patterns.counting import all_bytes

ValueTest = Callable[[Any], bool | None]
"""A value (None = unknown) -> holds, holds not, or None = can't be said."""

NUMERIC = (int, float)
"""Classes of a number: a bool is none."""


def compile_test(test: Test, key: bytes) -> ValueTest:
    """Compile one line. `key`: TOUCHPOINT_KEY, since records hold long numbers only as keyed hashes (7 t)."""
    if test.op in ("is", "not"):
        return _negated(_equal(test, key)) if test.op == "not" else _equal(test, key)
    low: Any = test.values[0]
    high: Any = test.values[-1]
    match test.op:
        case "at_least":
            return lambda value: value >= low if value.__class__ in NUMERIC else None
        case "at_most":
            return lambda value: value <= low if value.__class__ in NUMERIC else None
        case "over":
            return lambda value: value > low if value.__class__ in NUMERIC else None
        case "under":
            return lambda value: value < low if value.__class__ in NUMERIC else None
        case _:
            return lambda value: low <= value <= high if value.__class__ in NUMERIC else None


def _negated(inner: ValueTest) -> ValueTest:
    def negated(value: Any) -> bool | None:
        result = inner(value)
        return None if result is None else not result

    return negated


def _equal(test: Test, key: bytes) -> ValueTest:
    if test.type == "phone":
        wanted = frozenset(n if is_open(n) else keyed_hash(key, n) for n in map(str, test.values))
    elif test.type in ("text", "set", "place"):
        wanted = frozenset(map(str, test.values))
    else:
        return _equal_number(test)

    if test.type in ("set", "place"):

        def any_common(value: Any) -> bool | None:
            if isinstance(value, list | tuple):
                return any(_word(item) in wanted for item in value)
            word = _word(value)
            return None if word is None else word in wanted

        return any_common

    def same(value: Any) -> bool | None:
        if type(value) is str:
            return value in wanted
        word = _word(value)
        return None if word is None else word in wanted

    return same


def _equal_number(test: Test) -> ValueTest:
    allowed: tuple[type, ...] = (bool,) if test.type == "yes/no" else NUMERIC
    values = frozenset(test.values)
    return lambda value: value in values if value.__class__ in allowed else None


def _word(value: Any) -> str | None:
    """Read a value as text: whole numbers as their digits, so that 211 in a profile is `211` in a rule."""
    if isinstance(value, str):
        return value
    if value.__class__ not in NUMERIC:
        return None
    return str(int(value)) if value == int(value) else str(value)


# -- lines about the subscriber ------------------------------------------------------------------------------


class Line:
    """One compiled line of `who`, `except` or `if`."""

    __slots__ = ("field", "holds", "test")

    def __init__(self, test: Test, key: bytes) -> None:
        self.test = test
        self.field = test.field
        self.holds = compile_test(test, key)


def compile_lines(tests: Sequence[Test], key: bytes) -> tuple[Line, ...]:
    """Compile the lines of a block in written order."""
    return tuple(Line(test, key) for test in tests)


def all_hold(lines: Sequence[Line], profile: Mapping[str, Any]) -> bool:
    """Say whether every line holds for a profile; unknown is no."""
    return all(line.holds(profile.get(line.field)) for line in lines)


# -- lines about a record ------------------------------------------------------------------------------------


def compile_record(where: Sequence[Test], unless: Sequence[Test], key: bytes) -> Predicate | None:
    """Compile `where` and `unless` of a pattern into one predicate; None if there are no lines.

    A record passes if every `where` holds and no `unless` does; an unknown value rejects it in both (4.7).
    """
    wanted = [(_getter(test.field), compile_test(test, key)) for test in where]
    barred = [(_getter(test.field), compile_test(test, key)) for test in unless]
    if not wanted and not barred:
        return None

    if len(wanted) == 1 and not barred:
        get_one, holds_one = wanted[0]
        return lambda moment: holds_one(get_one(moment)) is True

    def passes(moment: Moment) -> bool:
        for get, holds in wanted:
            if not holds(get(moment)):
                return False
        return not barred or all(holds(get(moment)) is False for get, holds in barred)

    return passes


def _getter(field: str) -> Callable[[Moment], Any]:
    if field == "place":
        return lambda moment: moment.places
    if field == "bytes":
        return lambda moment: all_bytes(moment.record.fields)
    if field == "cell":
        return lambda moment: moment.record.cell
    return lambda moment: moment.record.fields.get(field)


def places_named(tests: Sequence[Test]) -> tuple[str, ...]:
    """List the places that lines `place: …` ask to be in, in their order."""
    return tuple(str(v) for test in tests if test.field == "place" and test.op == "is" for v in test.values)
