"""`when` and `converts_when` to patterns: one verb per mapping, its companions, nested to any depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.language import words
from engine.language.catalog import Names
from engine.language.checks import shape
from engine.language.checks.events import event, event_fields, measure
from engine.language.checks.places import place_members
from engine.language.checks.unreachable_count import check_count
from engine.language.checks.verbs import COMPANIONS, the_verb
from engine.language.checks.windows import add_window
from engine.language.conditions import read_tests
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
from engine.language.report import Report
from engine.language.source import Mapping, Node, Scalar

BROKEN: Final = Happens("")
"""Stands for a pattern with a reported mistake; the rule around it is thrown away."""

MOST: Final = 1_000_000
"""Upper bound of `count: … at_least`; far beyond the 2,000 records at which a subscriber is hot."""


@dataclass(frozen=True, slots=True)
class PatternReader:
    """Reads the patterns of one rule. `window`: the policy's, in µs."""

    report: Report
    names: Names
    window: int

    def read(self, node: Node | None, owner: Node | None = None, spent: int = 0) -> Pattern:
        """Read one pattern. `owner`: the key that holds it; `spent`: the windows around it, summed, in µs."""
        if node is None:
            return BROKEN
        body = shape.mapping(self.report, node, "a pattern, such as `{happens: call.out}`")
        if body is None:
            return BROKEN
        verb = the_verb(self.report, body, owner or body)
        if verb is None:
            return BROKEN
        required, optional = COMPANIONS[verb]
        shape.keys(self.report, body, body.entries[verb][0], f"`{verb}`", (verb, *required), optional)
        return _READERS[verb](self, body, spent)

    def happens(self, body: Mapping, spent: int) -> Pattern:
        name = event(self.report, body.get("happens"))
        return Happens(name or "", self._where(body, name), self._where(body, name, "unless"))

    def enters(self, body: Mapping, spent: int) -> Pattern:
        length, _ = self._window(body, "confirm", spent)
        return Enters(*self._place(body.get("enters")), length, self._resident(body))

    def leaves(self, body: Mapping, spent: int) -> Pattern:
        return Leaves(*self._place(body.get("leaves")))

    def stays_in(self, body: Mapping, spent: int) -> Pattern:
        length, _ = self._window(body, "for", spent)
        return StaysIn(*self._place(body.get("stays_in")), length, self._resident(body))

    def count(self, body: Mapping, spent: int) -> Pattern:
        name = event(self.report, body.get("count"))
        at_least = shape.integer(self.report, body.get("at_least"), 1, MOST)
        check_count(self.report, body.get("at_least"), at_least)
        length, _ = self._window(body, "within", spent)
        return Count(name or "", self._where(body, name), at_least, length)

    def total(self, body: Mapping, spent: int) -> Pattern:
        found = measure(self.report, body.get("total"))
        length, _ = self._window(body, "within", spent)
        if found is None:
            return BROKEN
        name, spec = found
        node = body.get("at_least")
        mark = shape.value(
            self.report, node, "an amount", lambda text: words.amount(text, spec.type), None, code="R209"
        )
        if mark is not None and mark <= 0:
            assert node is not None
            self.report.error("R108", node, "a total crosses a mark only if the mark is over 0")
        return Total(name, spec.name, spec.type, self._where(body, name), mark or 0, length)

    def sequence(self, body: Mapping, spent: int) -> Pattern:
        length, inside = self._window(body, "within", spent)
        return Sequence(self._parts(body, "sequence", inside, least=2), length)

    def after(self, body: Mapping, spent: int) -> Pattern:
        length, inside = self._window(body, "for", spent)
        first = self.read(body.get("after"), body.entries["after"][0], inside)
        no = self.read(body.get("no"), body.entries["no"][0] if "no" in body.entries else None, inside)
        return After(first, no, length)

    def any_of(self, body: Mapping, spent: int) -> Pattern:
        return AnyOf(self._parts(body, "any_of", spent))

    def all_of(self, body: Mapping, spent: int) -> Pattern:
        length, inside = self._window(body, "within", spent)
        return AllOf(self._parts(body, "all_of", inside), length)

    def _parts(self, body: Mapping, key: str, spent: int, least: int = 1) -> tuple[Pattern, ...]:
        nodes = shape.sequence(self.report, body.get(key), "patterns", least)
        return tuple(self.read(node, None, spent) for node in nodes)

    def _window(self, body: Mapping, key: str, spent: int) -> tuple[int, int]:
        """Return the window and the sum along the path with it."""
        node = body.get(key)
        if node is None:
            return 0, spent
        length = shape.duration(self.report, node, most=self.window - spent)
        return length, add_window(self.report, node, length, spent, self.window)

    def _place(self, node: Node | None) -> tuple[str, tuple[str, ...]]:
        text = shape.text(self.report, node, "the name of a place or group of places")
        if not text:
            return "", ()
        assert isinstance(node, Scalar)
        return text, place_members(self.report, node, text, self.names)

    def _resident(self, body: Mapping) -> bool | None:
        node = body.get("resident")
        if node is None:
            return None
        return shape.value(self.report, node, "`yes` or `no`", words.yes_no, None, "R106")

    def _where(self, body: Mapping, name: str | None, key: str = "where") -> tuple[Test, ...]:
        if name is None:
            return ()
        return read_tests(self.report, body.get(key), event_fields(name), f"`{name}` has", self.names)


_READERS: Final[dict[str, Callable[[PatternReader, Mapping, int], Pattern]]] = {
    "happens": PatternReader.happens,
    "enters": PatternReader.enters,
    "leaves": PatternReader.leaves,
    "stays_in": PatternReader.stays_in,
    "count": PatternReader.count,
    "total": PatternReader.total,
    "sequence": PatternReader.sequence,
    "after": PatternReader.after,
    "any_of": PatternReader.any_of,
    "all_of": PatternReader.all_of,
}
