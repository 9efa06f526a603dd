"""What scenes are played with: records with values that pass their lines, places with cells.

None stands for what can't be had; why it can't is noted in `troubles`, the last one last.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import Final, Literal

from engine.event_kinds import KINDS, FieldDef
from engine.language.model import Catalog, Pattern, Policy, Test, Total
from engine.language.testing import FieldValue, Step
from engine.story.hearing import places_at
from engine.story.values import candidates, fits, sample

_NEVER_STAGED: Final = frozenset({"cell", "cell_prev", "cell_end", "quality", "phase"})
"""Fields that mean more to the engine: they move the subscriber, or keep a record from firing."""

Chosen = dict[str, FieldValue]
TroubleKind = Literal[
    "cells", "value", "field", "many", "room", "hears", "resident",  # of a scene
    "contacts", "apart", "schedule", "person", "same",  # of a line that no case decides
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something can't be staged. Which of the values are given depends on the kind."""

    kind: TroubleKind
    pattern: Pattern | None = None
    """What can't be staged."""
    other: Pattern | None = None
    """`hears`: the part whose records it would hear."""
    event: str = ""
    field: str = ""
    place: str = ""
    """`cells`: as written."""
    amount: int = 0
    """`many`, `contacts`: how many; `room`, `apart`: the window, µs."""


@dataclass(frozen=True, slots=True)
class Props:
    """The things of a stage. `shown`: fields of records that the rule's texts show."""

    catalog: Catalog
    policy: Policy
    shown: frozenset[str] = frozenset()
    troubles: list[Trouble] = field(default_factory=list, compare=False, repr=False)
    """Why what was asked for could not be had, in the order of asking."""

    def trouble(self, trouble: Trouble) -> None:
        """Note why something can't be had."""
        if trouble not in self.troubles[-1:]:
            self.troubles.append(trouble)

    def last_trouble(self) -> Trouble:
        """Return why what was asked for last could not be had."""
        return self.troubles[-1] if self.troubles else Trouble("same")

    # -- records -------------------------------------------------------------------------------------

    def record(
        self,
        event: str,
        where: Many[Test],
        unless: Many[Test] = (),
        given: Mapping[str, FieldValue] | None = None,
    ) -> Step | None:
        """Return a record at 0 that passes all lines; `given` values are taken as they are.

        `place` among them names a place with cells, or is None for a record without a cell.
        """
        spec = KINDS[event]
        known: dict[str, FieldDef] = {**spec.fields, **spec.derived}
        chosen: Chosen = {}
        for name in dict.fromkeys(test.field for test in (*where, *unless)):
            if name in _NEVER_STAGED:
                self.trouble(Trouble("field", event=event, field=name))
                return None
            wanted = [test for test in where if test.field == name]
            barred = [test for test in unless if test.field == name]
            if name == "place":
                fitting = self.places(wanted, barred)
            else:
                options = candidates([*wanted, *barred], known[name].values)
                fitting = [value for value in options if fits(value, wanted, barred)]
            if not fitting:
                self.trouble(Trouble("value", event=event, field=name))
                return None
            chosen[name] = fitting[0]
        for name in self._also(known):
            chosen.setdefault(name, sample(name, known[name].type, known[name].values))
        return self.with_fields(event, {**chosen, **(given or {})})

    def with_fields(self, event: str, chosen: Mapping[str, FieldValue]) -> Step | None:
        """Return a record with these fields; `bytes` are told as bytes received."""
        fields = {name: value for name, value in chosen.items() if value is not None and name != "place"}
        if "bytes" in fields:
            if "up" in fields or "down" in fields:
                self.trouble(Trouble("value", event=event, field="bytes"))
                return None
            fields["down"] = fields.pop("bytes")
        place = chosen.get("place")
        if place is None:
            return Step(0, "happens", "", event, fields)
        if not isinstance(place, str) or not self.catalog.places[place].cells:
            return None
        return Step(0, "happens", place, event, fields)

    def places(self, wanted: Many[Test], barred: Many[Test] = ()) -> list[FieldValue]:
        """Return the places at whose cell all lines about places hold, for cells overlap; the named first."""
        named = [str(value) for test in wanted for value in test.values]
        found: list[FieldValue] = []
        for name in dict.fromkeys((*named, *self.catalog.places)):
            if self.catalog.places[name].cells:
                held = sorted(places_at(Step(0, "sees", name), self.catalog))
                if fits(held, wanted, barred):
                    found.append(name)
        return found

    def choices(self, event: str, field: str) -> tuple[str, ...]:
        """Return the closed list of a field of a record, if it has one."""
        spec = KINDS[event]
        return {**spec.fields, **spec.derived}[field].values

    def _also(self, known: Mapping[str, FieldDef]) -> list[str]:
        """Fields that a record must have, or that the rule's texts show."""
        return [
            name
            for name, spec in known.items()
            if (spec.required or name in self.shown) and name not in _NEVER_STAGED and spec.type != "place"
        ]

    # -- places --------------------------------------------------------------------------------------

    def place_of(self, members: Many[str]) -> str | None:
        """Return the first of these places that has cells."""
        return next((name for name in members if self.catalog.places[name].cells), None)

    def other_member(self, members: Many[str], place: str) -> str | None:
        """Return another of these places, such that nobody is in both it and `place` where a case is seen."""

        def seen_at(name: str) -> frozenset[str]:
            return places_at(Step(0, "sees", name), self.catalog)

        others = (name for name in members if name != place and self.catalog.places[name].cells)
        return next(
            (each for each in others if place not in seen_at(each) and each not in seen_at(place)), None
        )

    def amount(self, pattern: Total, value: int | float) -> Step | None:
        """Return a record that adds `value`, if the lines of `where` let it by."""
        own = [test for test in pattern.where if test.field == pattern.field]
        if not fits(value, own):
            self.trouble(Trouble("value", pattern, event=pattern.event, field=pattern.field))
            return None
        return self.any_amount(pattern, value)

    def any_amount(self, pattern: Total, value: FieldValue) -> Step | None:
        """Return a record with `value`, whatever the lines of `where` say of that."""
        rest = [test for test in pattern.where if test.field != pattern.field]
        return self.record(pattern.event, rest, (), {pattern.field: value})
