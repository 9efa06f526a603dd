"""The plainest scene in which a pattern matches, for every pattern, nested to any depth.

Parts of a composite are played one after the other, with pauses; where a window leaves no room for that,
closer together. None stands for what can't be staged: a place without cells, more records than anybody may
have, lines that no value passes, or parts that would hear each other's records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Final

from engine.event_kinds import KINDS, FieldDef
from engine.heat import HOT
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
    Policy,
    Sequence,
    StaysIn,
    Test,
    Total,
)
from engine.language.moments import normal
from engine.language.testing import FieldValue, Step
from engine.story.hearing import makes, opens, places_at, touches
from engine.story.scene import PAUSE, SECOND, Scene, pause, whole
from engine.story.values import candidates, fits, sample, shift

MOST_SIGHTINGS: Final = 5_000
_NEVER_STAGED: Final = frozenset({"cell", "cell_prev", "quality", "phase"})
"""Fields that mean more to the engine: they move the subscriber, or keep a record from firing."""

Chosen = dict[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Stage:
    """What scenes are played with. `shown`: fields of records that the rule's texts show."""

    catalog: Catalog
    policy: Policy
    shown: frozenset[str] = frozenset()

    # -- the plainest scene --------------------------------------------------------------------------

    def typical(self, pattern: Pattern) -> Scene | None:
        """Return a scene that matches once, at 0; None if there is none that is sure to."""
        match pattern:
            case Happens():
                step = self.record(pattern.event, pattern.where, pattern.unless)
                return None if step is None else Scene((step,), closes=bool(step.place))
            case Enters():
                return self._enters(pattern)
            case Leaves():
                return self.visit_left(pattern, min(PAUSE, whole(self.policy.lapse // 2)))
            case StaysIn():
                return self.stay(pattern)
            case Count():
                return self.counted(pattern)
            case Total():
                return self.summed(pattern)
            case Sequence(steps=parts) | AllOf(parts=parts):
                played = self.in_turn(parts, self.typicals(pattern), pattern.within)
                alone = None if played is not None else the_wait(pattern)
                return played if alone is None else self.typical(alone)
            case After():
                first = self.typical(pattern.first)
                return None if first is None else self.waited(pattern, first)
            case AnyOf():
                found = (self.one_of(pattern, part, self.typical(part)) for part in pattern.parts)
                return next((scene for scene in found if scene is not None), None)

    def left_out(self, pattern: Pattern) -> Iterator[Pattern]:
        """Yield the parts of every `any_of` inside that can't be staged, though the others can."""
        match pattern:
            case AnyOf(parts=parts):
                for part in parts:
                    if self.one_of(pattern, part, self.typical(part)) is None:
                        yield part
                    else:
                        yield from self.left_out(part)
            case Sequence(steps=parts) | AllOf(parts=parts):
                for part in parts:
                    yield from self.left_out(part)
            case After():
                yield from self.left_out(pattern.first)
                yield from self.left_out(pattern.no)

    def typicals(self, pattern: Sequence | AllOf) -> list[Scene | None]:
        """Return a plain scene for each part; in a sequence who is inside already only has to leave."""
        scenes = []
        before: Pattern | None = None
        for part in pattern.parts if isinstance(pattern, AllOf) else pattern.steps:
            inside = isinstance(pattern, Sequence) and before is not None
            scenes.append(self.following(before, part) if inside and before else self.typical(part))
            before = part
        return scenes

    def following(self, before: Pattern, part: Pattern) -> Scene | None:
        """Return a plain scene of `part` for somebody for whom `before` has just matched."""
        if isinstance(part, Leaves) and isinstance(before, Enters | StaysIn):
            place = self.place_of(before.members)
            seen = min(PAUSE, whole(self.policy.lapse // 2)) // 2 // SECOND * SECOND
            if place is not None and place in part.members and seen:
                return Scene((Step(-seen, "sees", place), Step(0, "leaves", place)))
        if isinstance(part, After):
            first = self.following(before, part.first)
            return None if first is None else self.waited(part, first)
        return self.typical(part)

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
                return None
            wanted = [test for test in where if test.field == name]
            barred = [test for test in unless if test.field == name]
            if name == "place":
                fitting = self.places(wanted, barred)
            else:
                options = candidates([*wanted, *barred], known[name].values)
                fitting = [value for value in options if fits(value, wanted, barred)]
            if not fitting:
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

    def _enters(self, pattern: Enters) -> Scene | None:
        if pattern.confirm:
            return self.stay(StaysIn(pattern.place, pattern.members, pattern.confirm))
        place = self.place_of(pattern.members)
        return None if place is None else Scene((Step(0, "enters", place),), closes=True)

    def visit_left(self, pattern: Leaves, after: int) -> Scene | None:
        """Return a visit that is left at 0, `after` µs after the only sighting inside."""
        place = self.place_of(pattern.members)
        if place is None or after < SECOND:
            return None
        return Scene((Step(-after, "enters", place), Step(0, "leaves", place)))

    def stay(self, pattern: StaysIn, until: int = 0) -> Scene | None:
        """Return a visit of the full length, seen often enough up to `until` to be known to last."""
        place = self.place_of(pattern.members)
        seen = None if place is None else self.sightings(place, -pattern.duration, until)
        if place is None or seen is None:
            return None
        return Scene((Step(-pattern.duration, "enters", place), *seen), closes=True)

    def sightings(self, place: str, start: int, until: int) -> tuple[Step, ...] | None:
        """Return what keeps a subscriber known to be inside from `start` to `until`; None if too many."""
        if until - start <= self.policy.lapse:
            return ()
        every = whole(self.policy.lapse // 2)
        times = (until - start - SECOND) // every if every else MOST_SIGHTINGS + 1
        if times > MOST_SIGHTINGS:
            return None
        return (Step(start + every, "sees", place, times=times, every=every if times > 1 else 0),)

    # -- how many, how much --------------------------------------------------------------------------

    def counted(
        self, pattern: Count, number: int | None = None, given: Mapping[str, FieldValue] | None = None
    ) -> Scene | None:
        """Return `number` records (else as many as asked for), the last at 0, well inside the window."""
        number = pattern.at_least if number is None else number
        gap = pause(pattern.within, max(number, pattern.at_least))
        step = self.record(pattern.event, pattern.where, (), given)
        if step is None or pattern.at_least >= HOT or (number > 1 and gap == 0):
            return None
        steps = (replace(step, at=-(number - 1) * gap, times=number, every=gap if number > 1 else 0),)
        return Scene(steps, closes=bool(step.place))

    def summed(self, pattern: Total, short: bool = False) -> Scene | None:
        """Return two records (one, if the mark can't be halved) that reach the mark at 0, or just miss it."""
        mark = pattern.at_least
        half = mark // 2 if mark == int(mark) else 0
        if pattern.type == "bytes":
            half = half // 1024 * 1024
        goal = shift(pattern.type, mark, -1) if short else mark
        amounts = [half, goal - half] if half > 0 and goal - half > 0 else [goal]
        if pattern.type in ("bytes", "number", "duration"):
            amounts = [int(amount) if amount == int(amount) else amount for amount in amounts]
        gap = pause(pattern.within, 2)
        if gap == 0 or goal <= 0:
            return None
        steps = [self.amount(pattern, value) for value in amounts]
        if any(step is None for step in steps):
            amounts = [goal]
            steps = [self.amount(pattern, goal)]
        placed = [
            replace(step, at=-(len(steps) - 1 - n) * gap) for n, step in enumerate(steps) if step is not None
        ]
        if len(placed) != len(amounts):
            return None
        return Scene(tuple(placed), closes=bool(placed[-1].place))

    def amount(self, pattern: Total, value: int | float) -> Step | None:
        """Return a record that adds `value`, if the lines of `where` let it by."""
        own = [test for test in pattern.where if test.field == pattern.field]
        rest = [test for test in pattern.where if test.field != pattern.field]
        if not fits(value, own):
            return None
        if pattern.field == "percent" and value > 100:
            return None
        return self.record(pattern.event, rest, (), {pattern.field: value})

    # -- composites ----------------------------------------------------------------------------------

    def in_turn(
        self, parts: Many[Pattern], scenes: Many[Scene | None], window: int, first_at: int | None = None
    ) -> Scene | None:
        """Play parts one after the other, the last matching at 0; None if they would hear each other.

        `first_at`: when the first one matches, else as the pauses have it. A part that misses makes the whole
        miss.
        """
        gap = pause(window, len(parts))
        known = [scene for scene in scenes if scene is not None]
        if gap == 0 or len(known) < len(parts):
            return None
        times = [0]
        for scene in reversed(known[1:]):
            times.insert(0, times[0] + min(scene.start - scene.at, 0) - gap)
        if -times[0] >= window:  # no room for one after the other: closer together
            times = [-(len(parts) - 1 - n) * gap for n in range(len(parts))]
        if first_at is not None:
            if len(times) > 1 and first_at >= times[1]:
                return None
            times[0] = first_at
        placed = [scene.moved(time - scene.at) for scene, time in zip(known, times, strict=True)]
        if not self._apart(parts, placed):
            return None
        steps = tuple(step for scene in placed for step in scene.steps)
        closes = any(scene.closes for scene in placed)
        return Scene(steps, all(scene.hit for scene in known), closes=closes)

    def _apart(self, parts: Many[Pattern], placed: Many[Scene]) -> bool:
        """Say whether no part is brought about, broken or moved by what happens for another.

        With a part that never matches the whole never does, whatever its records mean to the others.
        """
        missing = [i for i, scene in enumerate(placed) if not scene.hit]
        for i, (part, scene) in enumerate(zip(parts, placed, strict=True)):
            if missing and i not in missing:
                continue
            for j, other in enumerate(placed):
                for step in other.steps if i != j else ():
                    if makes(part, step, self.catalog):
                        return False
                    if self._spoils(part, scene, step):
                        return False
        return True

    def waited(self, pattern: After, first: Scene, against: Scene | None = None, at: int = 0) -> Scene | None:
        """Play `first`, then wait; `against` is a scene of the `no:`, moved to `at`.

        The whole matches at 0 unless `first` misses or `against` hits after it and up to 0.
        """
        opening = first.moved(-pattern.wait - first.at)
        steps = opening.steps
        for step in steps:
            if not _answers_at_once(pattern.no) and makes(pattern.no, step, self.catalog):
                return None
        hit = first.hit
        closes = opening.closes
        if against is not None:
            cancel = against.moved(at - against.at)
            if any(makes(pattern.first, step, self.catalog) for step in cancel.steps):
                return None
            if any(self._spoils(pattern.first, opening, step) for step in cancel.steps):
                return None
            if any(makes(pattern.no, step, self.catalog) for step in steps):
                return None
            if any(self._spoils(pattern.no, cancel, step) for step in steps):
                return None
            hit = hit and not (cancel.hit and -pattern.wait < cancel.at <= 0)
            steps = (*steps, *cancel.steps)
            closes = closes or cancel.closes
        return Scene(steps, hit, closes=closes)

    def _spoils(self, pattern: Pattern, scene: Scene, step: Step) -> bool:
        """Say whether a step of another part may change what a pattern makes of its own scene."""
        if step.at + (step.times - 1) * step.every < scene.start:
            # then a visit that the scene needs new is old, unless the scene itself ends that one first
            left = any(own.verb == "leaves" and own.place == step.place for own in scene.steps)
            return opens(pattern, step, self.catalog, for_match_only=left)
        return step.at <= max(scene.at, scene.end) and touches(pattern, step, self.catalog)

    def one_of(self, pattern: AnyOf, part: Pattern, scene: Scene | None) -> Scene | None:
        """Play one part; None if another would match by it at another moment."""
        if scene is None:
            return None
        for other in pattern.parts:
            for step in scene.steps if other is not part else ():
                same_moment = scene.hit and step.at == scene.at and _answers_at_once(other)
                if makes(other, step, self.catalog) and not (same_moment and not _mere_part(other)):
                    return None
        return scene


def the_wait(pattern: Sequence | AllOf) -> After | None:
    """Return the only wait of `sequence: [A, {after: A, no: B, for: D}]`, which says no more than that.

    The A that is waited after is the first step itself, if the window leaves room for D behind it.
    """
    if isinstance(pattern, AllOf) or len(pattern.steps) != 2:
        return None
    first, wait = pattern.steps
    if isinstance(wait, After) and normal(wait.first) == normal(first) and wait.wait < pattern.within:
        return wait
    return None


def _answers_at_once(pattern: Pattern) -> bool:
    """Say whether it matches at records only, never later by itself."""
    if isinstance(pattern, AnyOf):
        return all(_answers_at_once(part) for part in pattern.parts)
    if isinstance(pattern, Enters):
        return not pattern.confirm
    return isinstance(pattern, Happens | Leaves | Count | Total)


def _mere_part(pattern: Pattern) -> bool:
    """Say whether it takes more than one record to match."""
    return isinstance(pattern, Count | Total)
