"""What lines of `who`, `except`, `where`, `unless` and `if` let through, as sets that can be compared.

A line lets through a set of known values; unknown passes no line, of `except` and `unless` neither
(semantics.md 4.7), so a field that is tested at all has to be known. Three kinds of sets, each closed under
"and" and "not": numbers as spans, words as a list or all but a list, and sets of words as what they must and
must not have in common with a list. With them "contradicts" and "implies" are exact, not guessed:
`engine.audience`, which judges subscribers, is the measure of a property test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from engine.language.model import FieldSpec, FieldType, Test

ORDERED: Final = ("number", "money", "bytes", "percent", "duration")
LISTS: Final = ("set", "place")
"""Types whose values are sets themselves: a test asks for any common member."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Numbers: spans in order, without a gap or overlap between two. A bound is (number, 0 or 1).

    A bound lies just before its number (0) or just after it (1), so that `at least 5` starts at (5, 0) and
    `over 5` at (5, 1): open and closed ends compare as plain pairs.
    """

    spans: tuple[tuple[Bound, Bound], ...]

    @property
    def empty(self) -> bool:
        """Whether nothing passes."""
        return not self.spans

    def negated(self) -> Spans:
        """Return all other numbers."""
        edges = [_LEAST, *(edge for span in self.spans for edge in span), _MOST]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return Spans(tuple((low, high) for low, high in pairs if low < high))

    def both(self, other: Spans) -> Spans:
        """Return what passes both."""
        found = (
            (max(low, low2), min(high, high2)) for low, high in self.spans for low2, high2 in other.spans
        )
        return Spans(tuple((low, high) for low, high in found if low < high))

    def within(self, other: Spans) -> bool:
        """Tell whether whatever passes this passes `other`."""
        return self.both(other.negated()).empty


Bound = tuple[int | float, int]
_LEAST: Final[Bound] = (-inf, 0)
_MOST: Final[Bound] = (inf, 1)


@dataclass(frozen=True, slots=True)
class Words:
    """One word out of `words`; with `others`, one that is none of them."""

    words: frozenset[object]
    others: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing passes."""
        return not self.words and not self.others

    def negated(self) -> Words:
        """Return all other words."""
        return Words(self.words, not self.others)

    def both(self, other: Words) -> Words:
        """Return what passes both."""
        if self.others and other.others:
            return Words(self.words | other.words, True)
        if self.others:
            return Words(other.words - self.words)
        return Words(self.words - other.words if other.others else self.words & other.words)

    def within(self, other: Words) -> bool:
        """Tell whether whatever passes this passes `other`."""
        return self.both(other.negated()).empty


@dataclass(frozen=True, slots=True)
class Lists:
    """Sets of words that share a member with each of `some`, and none with `none`."""

    some: tuple[frozenset[str], ...] = ()
    none: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether nothing passes."""
        return any(wanted <= self.none for wanted in self.some)

    def both(self, other: Lists) -> Lists:
        """Return what passes both."""
        return Lists(self.some + other.some, self.none | other.none)

    def within(self, other: Lists) -> bool:
        """Tell whether whatever passes this passes `other`."""
        if self.empty:
            return True
        mine = [wanted - self.none for wanted in self.some]
        return other.none <= self.none and all(any(m <= wanted for m in mine) for wanted in other.some)


Values = Spans | Words | Lists


def passes(test: Test) -> Values:
    """Return the values for which a line holds."""
    if test.type in LISTS:
        wanted = frozenset(map(str, test.values))
        return Lists(none=wanted) if test.op == "not" else Lists((wanted,))
    if test.type not in ORDERED:
        return _words(test)
    numbers = [value for value in test.values if not isinstance(value, str)]
    low, high = numbers[0], numbers[-1]
    match test.op:
        case "is" | "not":
            found = Spans(tuple(((point, 0), (point, 1)) for point in sorted(set(numbers))))
            return found.negated() if test.op == "not" else found
        case "at_least":
            return Spans((((low, 0), _MOST),))
        case "over":
            return Spans((((low, 1), _MOST),))
        case "at_most":
            return Spans(((_LEAST, (low, 1)),))
        case "under":
            return Spans(((_LEAST, (low, 0)),))
        case "between":
            return Spans((((low, 0), (high, 1)),))


_ANY: Final = Spans(((_LEAST, _MOST),))
_FROM_0: Final = Spans((((0, 0), _MOST),))
_SHARE: Final = Spans((((0, 0), (100, 1)),))


def possible(type: FieldType, *, in_record: bool) -> Spans:
    """Return the numbers that a field of an ordered type can have: sizes and times are never below 0.

    Records are refused with any number below 0, sums of money apart; what a profile counts may be.
    """
    if type == "percent":
        return _SHARE
    below_0 = type == "money" or (type == "number" and not in_record)
    return _ANY if below_0 else _FROM_0


def fails(test: Test) -> Values:
    """Return the known values for which a line does not hold: what `except` and `unless` let through."""
    if test.type in LISTS:
        wanted = frozenset(map(str, test.values))
        return Lists((wanted,)) if test.op == "not" else Lists(none=wanted)
    found = passes(test)
    assert not isinstance(found, Lists)
    if test.type == "yes/no":
        assert isinstance(found, Words)
        return Words(frozenset({True, False}) - found.words)
    return found.negated()


def _words(test: Test) -> Words:
    values: frozenset[object]
    if test.type == "yes/no":  # there are two: `not yes` is `no`
        values = frozenset(test.values)
        return Words(frozenset({True, False}) - values if test.op == "not" else values)
    values = frozenset(map(str, test.values))
    return Words(values, test.op == "not")


def both(one: Values, other: Values) -> Values:
    """Return what passes both; both are of one field."""
    if isinstance(one, Spans) and isinstance(other, Spans):
        return one.both(other)
    if isinstance(one, Words) and isinstance(other, Words):
        return one.both(other)
    assert isinstance(one, Lists)
    assert isinstance(other, Lists)
    return one.both(other)


def within(one: Values, other: Values) -> bool:
    """Tell whether whatever passes `one` passes `other`; False for fields of different kinds."""
    if isinstance(one, Spans) and isinstance(other, Spans):
        return one.within(other)
    if isinstance(one, Words) and isinstance(other, Words):
        return one.within(other)
    return isinstance(one, Lists) and isinstance(other, Lists) and one.within(other)


def implies(one: Test, other: Test) -> bool:
    """Tell whether every value for which `one` holds is one for which `other` holds; both of one field."""
    return one.field == other.field and one.type == other.type and within(passes(one), passes(other))


def contradict(one: Test, other: Test) -> bool:
    """Tell whether no value passes both lines; both of one field."""
    return one.field == other.field and one.type == other.type and both(passes(one), passes(other)).empty


# -- blocks of lines -----------------------------------------------------------------------------------------

Audience = Mapping[str, Values]
"""Field -> what it may be; a field that is not there may be anything, unknown too."""


Closed = Mapping[str, frozenset[object]]
"""Field of subscribers -> all values there are; without those that may have any."""
OPEN: Final[Closed] = {}


def closed_fields(fields: Mapping[str, FieldSpec]) -> dict[str, frozenset[object]]:
    """Return the fields of the catalogue that have a list of values."""
    return {name: frozenset[object](spec.values) for name, spec in fields.items() if spec.values}


def audience(wanted: Iterable[Test], barred: Iterable[Test], closed: Closed = OPEN) -> dict[str, Values]:
    """Return what passes `who` and `except` (or `where` and `unless`) together, by field."""
    found: dict[str, Values] = {}
    for tests, values in ((wanted, passes), (barred, fails)):
        for test in tests:
            known = found.get(test.field)
            found[test.field] = values(test) if known is None else both(known, values(test))
    for field, known in found.items():
        if isinstance(known, Words) and known.others and field in closed:
            found[field] = known.both(Words(closed[field]))
    return found


def nobody(one: Audience) -> bool:
    """Tell whether no subscriber, or record, passes."""
    return any(values.empty for values in one.values())


def narrower(one: Audience, other: Audience) -> bool:
    """Tell whether everybody in `one` is in `other` too."""
    return nobody(one) or all(field in one and within(one[field], values) for field, values in other.items())


def apart(one: Audience, other: Audience) -> bool:
    """Tell whether nobody is in both."""
    return (
        nobody(one)
        or nobody(other)
        or any(both(values, other[field]).empty for field, values in one.items() if field in other)
    )
