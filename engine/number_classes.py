"""Classes of phone numbers: the lists of `catalog/numbers.yaml`, by whole numbers and by prefixes.

A record keeps a long number only as a keyed hash, of which no prefix can be told. So what a number belongs to
is looked up while it is still there, and the record carries the names of its lists in `number_class`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.language.model import Happens, Pattern, RuleSet
from engine.language.moments import parts_of
from engine.numbers import normalise

REMEMBERED: Final = 100_000
"""Numbers whose classes are kept, as they were written."""
FIELD: Final = "number_class"


class NumberClasses:
    """Finds the classes of a number. `numbers`, `prefixes`: by name of the list, normalised as in rules."""

    def __init__(
        self,
        numbers: Mapping[str, Sequence[str]],
        prefixes: Mapping[str, Sequence[str]],
        home_cc: str = "86",
    ) -> None:
        self._home_cc = home_cc
        self._whole: dict[str, list[str]] = {}
        self._prefixes: dict[int, dict[str, list[str]]] = {}
        """Length -> prefix -> names."""
        self._known: dict[str, list[str]] = {}
        for name, members in numbers.items():
            for number in members:
                self._whole.setdefault(_plus(number), []).append(name)
        for name, members in prefixes.items():
            for prefix in map(_plus, members):
                self._prefixes.setdefault(len(prefix), {}).setdefault(prefix, []).append(name)

    def __contains__(self, number: object) -> bool:
        """Say whether a whole number, normalised, stands in a list itself: a short code, mostly."""
        return number in self._whole

    def __bool__(self) -> bool:
        return bool(self._whole or self._prefixes)

    def of(self, number: str) -> list[str]:
        """Return the names of all lists that a number as written belongs to, in order; empty: none."""
        found = self._known.get(number)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[number] = self._find(_plus(normalise(number, self._home_cc)))
        return found

    def _find(self, number: str) -> list[str]:
        found = set(self._whole.get(number, ()))
        for length, prefixes in self._prefixes.items():
            found.update(prefixes.get(number[:length], ()))
        return sorted(found)

    def put(self, fields: dict[str, Any]) -> None:
        """Put the classes of a record's number into it, unless its feed has said some; for any door."""
        number = fields.get("number")
        if number.__class__ is str and FIELD not in fields:
            found = self.of(number)
            if found:
                fields[FIELD] = found

    def __call__(self, fields: dict[str, Any]) -> None:
        """The same as an edge of the intake."""
        self.put(fields)


def asked_for(rules: RuleSet, home_cc: str = "86") -> NumberClasses | None:
    """Return the classes of a rule set's catalogue if one of its rules asks for any, else None.

    Where rules and records meet without a collector between them (tests, replay, the embedded run).
    """
    rule_of = rules.rules.values()
    if not any(_asks(each.when) or _asks(each.goal.converts_when) for each in rule_of):
        return None
    return NumberClasses(rules.catalog.numbers, rules.catalog.prefixes, home_cc)


def _asks(pattern: Pattern) -> bool:
    lines = getattr(pattern, "where", ()) + (pattern.unless if isinstance(pattern, Happens) else ())
    return any(line.field == FIELD for line in lines) or any(map(_asks, parts_of(pattern)))


def _plus(number: str) -> str:
    """Write a number of another country with +: 00 and + are the same."""
    return "+" + number[2:] if number.startswith("00") and len(number) > 4 else number
