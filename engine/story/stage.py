"""The plainest scene in which a pattern matches, for every pattern, nested to any depth.

Parts of a composite are played one after the other, with pauses; where a window leaves no room for that,
closer together. None stands for what can't be staged: a place without cells, more records than anybody may
have, lines that no value passes, or parts that would hear each other's records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

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
    Sequence,
    StaysIn,
    Total,
)
from engine.language.moments import normal
from engine.language.testing import FieldValue, Step
from engine.story.hearing import Where, counts, makes, reopened, stirred, touches, where_before
from engine.story.props import Props, Trouble
from engine.story.scene import PAUSE, SECOND, Scene, pause, whole
from engine.story.values import candidates, fits, shift

MOST_SIGHTINGS: Final = 5_000
MOST_AMOUNTS: Final = HOT - 1
"""Records that a total is made of, at most."""


@dataclass(frozen=True, slots=True)
class Stage(Props):
    """Plays scenes."""

    # -- the plainest scene --------------------------------------------------------------------------

    def typical(self, pattern: Pattern) -> Scene | None:
        """Return a scene that matches once, at 0; None if there is none that is sure to."""
        if isinstance(pattern, Enters | StaysIn) and pattern.resident is not None:
            self.trouble(Trouble("resident", pattern))
            return None
        match pattern:
            case Happens():
                step = self.record(pattern.event, pattern.where, pattern.unless)
                return None if step is None else Scene((step,))
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
                # a complaint stops all offers: plain is what can be offered
                able = sorted(pattern.parts, key=lambda part: getattr(part, "event", "") == "complaint")
                found = (self.one_of(pattern, part, self.typical(part)) for part in able)
                return next((scene for scene in found if scene is not None), None)

    def left_out(self, pattern: Pattern) -> Iterator[tuple[Pattern, Trouble]]:
        """Yield the parts of every `any_of` inside that can't be staged, though the others can, and why."""
        match pattern:
            case AnyOf(parts=parts):
                for part in parts:
                    if self.one_of(pattern, part, self.typical(part)) is None:
                        yield part, self.last_trouble()
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
        if isinstance(pattern, AllOf):
            return [self.typical(part) for part in pattern.parts]
        return [self.following(pattern.steps[:number], part) for number, part in enumerate(pattern.steps)]

    def following(self, before: Many[Pattern], part: Pattern) -> Scene | None:
        """Return a plain scene of `part` for somebody for whom all of `before` has matched."""
        place = self._inside_after(before)
        if isinstance(part, Leaves) and place is not None and place in part.members:
            seen = min(PAUSE, whole(self.policy.lapse // 2)) // 2 // SECOND * SECOND
            if seen:
                return Scene((Step(-seen, "sees", place), Step(0, "leaves", place)))
        if isinstance(part, After):
            first = self.following(before, part.first)
            return None if first is None else self.waited(part, first)
        return self.typical(part)

    def _inside_after(self, before: Many[Pattern]) -> str | None:
        """Return the place where these parts leave a subscriber, as far as that is plain to see."""
        for part in reversed(_one_by_one(before)):
            if isinstance(part, Enters | StaysIn):
                return self.place_of(part.members)
            if not isinstance(part, Happens | Count | Total) or any(
                test.field == "place" for test in part.where
            ):
                return None
        return None

    # -- places --------------------------------------------------------------------------------------

    def home(self, pattern: Enters | Leaves | StaysIn) -> str | None:
        """Return the place at which a pattern about places is played."""
        place = self.place_of(pattern.members)
        if place is None:
            self.trouble(Trouble("cells", pattern, place=pattern.place))
        return place

    def _enters(self, pattern: Enters) -> Scene | None:
        if pattern.confirm:
            return self.stay(StaysIn(pattern.place, pattern.members, pattern.confirm))
        place = self.home(pattern)
        return None if place is None else Scene((Step(0, "enters", place),))

    def visit_left(self, pattern: Leaves, after: int) -> Scene | None:
        """Return a visit that is left at 0, `after` µs after the only sighting inside."""
        place = self.home(pattern)
        if place is None or after < SECOND:
            return None
        return Scene((Step(-after, "enters", place), Step(0, "leaves", place)))

    def stay(self, pattern: StaysIn, until: int = 0) -> Scene | None:
        """Return a visit of the full length, seen often enough up to `until` to be known to last."""
        place = self.home(pattern)
        seen = None if place is None else self.sightings(place, -pattern.duration, until)
        if place is None or seen is None:
            return None
        return Scene((Step(-pattern.duration, "enters", place), *seen))

    def sightings(self, place: str, start: int, until: int) -> tuple[Step, ...] | None:
        """Return what keeps a subscriber known to be inside from `start` to `until`; None if too many."""
        if until - start <= self.policy.lapse:
            return ()
        every = whole(self.policy.lapse // 2)
        times = (until - start - SECOND) // every if every else MOST_SIGHTINGS + 1
        if times > MOST_SIGHTINGS:
            self.trouble(Trouble("many", amount=times))
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
        if pattern.at_least >= HOT:
            self.trouble(Trouble("many", pattern, amount=pattern.at_least))
        elif number > 1 and gap == 0:
            self.trouble(Trouble("room", pattern, amount=pattern.within))
        elif step is not None:
            every = gap if number > 1 else 0
            return Scene((replace(step, at=-(number - 1) * gap, times=number, every=every),))
        return None

    def summed(self, pattern: Total, short: bool = False) -> Scene | None:
        """Return records that reach the mark at 0, or just miss it: two, else one, else as few as will do."""
        goal = shift(pattern.type, pattern.at_least, -1) if short else pattern.at_least
        own = [test for test in pattern.where if test.field == pattern.field]
        for number in (2, 1, *range(3, MOST_AMOUNTS + 1)):
            share = _share(pattern, number)
            last = _plain(goal - (number - 1) * share)
            if last <= 0 or (number > 1 and not share):
                continue
            if fits(last, own) and (number == 1 or fits(share, own)):
                return self._amounts(pattern, share, number, last)
        fitting = [
            each for each in candidates(own) if isinstance(each, int | float) and each and fits(each, own)
        ]
        for each in fitting:
            number = ceil(pattern.at_least / each) - short
            if 0 < number <= MOST_AMOUNTS:
                return self._amounts(pattern, each, number, each)
        many = Trouble("many", pattern, amount=MOST_AMOUNTS + 1)
        self.trouble(many if fitting else Trouble("value", pattern, event=pattern.event, field=pattern.field))
        return None

    def _amounts(self, pattern: Total, share: int | float, number: int, last: int | float) -> Scene | None:
        """Return `number` records, of `share` each but for the last one."""
        gap = pause(pattern.within, max(number, 2))
        if gap == 0:
            self.trouble(Trouble("room", pattern, amount=pattern.within))
            return None
        steps = [self.amount(pattern, value) for value in ([share] if number > 1 else []) + [last]]
        if steps[0] is None or steps[-1] is None:
            return None
        if number == 1:
            return Scene((steps[0],))
        every = gap if number > 2 else 0
        first = replace(steps[0], at=-(number - 1) * gap, times=number - 1, every=every)
        return Scene((first, steps[-1]))

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
        if gap == 0:
            self.trouble(Trouble("room", parts[-1], amount=window))
        if gap == 0 or len(known) < len(parts) or any(scene.also for scene in known):
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
        return Scene(steps, all(scene.hit for scene in known))

    def _apart(self, parts: Many[Pattern], placed: Many[Scene]) -> bool:
        """Say whether no part is brought about, broken or moved by what happens for another.

        With a part that never matches the whole never does, whatever its records mean to the others.
        """
        missing = [i for i, scene in enumerate(placed) if not scene.hit]
        everything = [step for scene in placed for step in scene.steps]
        for i, (part, scene) in enumerate(zip(parts, placed, strict=True)):
            if missing and i not in missing:
                continue
            for j, other in enumerate(placed):
                for step in other.steps if i != j else ():
                    heard = makes(part, step, self.catalog, self._where(everything, step))
                    if heard or self._spoils(part, scene, step):
                        self.trouble(Trouble("hears", part, parts[j]))
                        return False
                if i != j and self._seen_otherwise(part, scene, everything):
                    self.trouble(Trouble("hears", part, parts[j]))
                    return False
        return True

    def _where(self, steps: Many[Step], step: Step) -> Where:
        return where_before(steps, step, self.catalog, self.policy.lapse)

    def heard(self, part: Pattern, scene: Scene) -> bool:
        """Say whether a part that is not played may come about all the same."""
        return any(makes(part, step, self.catalog, self._where(scene.steps, step)) for step in scene.steps)

    def _seen_otherwise(self, part: Pattern, scene: Scene, everything: Many[Step]) -> bool:
        """Say whether a scene's own steps mean something else where they come after what else happens."""
        for step in scene.steps:
            alone, among = self._where(scene.steps, step), self._where(everything, step)
            if stirred(part, step, self.catalog, alone) != stirred(part, step, self.catalog, among):
                return True
            if reopened(part, step, self.catalog, alone) != reopened(part, step, self.catalog, among):
                return True
        return False

    def waited(self, pattern: After, first: Scene, against: Scene | None = None, at: int = 0) -> Scene | None:
        """Play `first`, then wait; `against` is a scene of the `no:`, moved to `at`.

        The whole matches at 0 unless `first` misses or `against` hits after it and up to 0.
        """
        opening = first.moved(-pattern.wait - first.at)
        steps = opening.steps
        cancel = against.moved(at - against.at) if against is not None else None
        if first.also or (cancel is not None and cancel.also):
            return None
        if self._overheard(pattern, opening, cancel):
            self.trouble(Trouble("hears", pattern.no, pattern.first))
            return None
        hit = first.hit
        if cancel is not None:
            hit = hit and not (cancel.hit and -pattern.wait < cancel.at <= 0)
            steps = (*steps, *cancel.steps)
        return Scene(steps, hit)

    def _overheard(self, pattern: After, opening: Scene, cancel: Scene | None) -> bool:
        """Say whether what is waited after and what cancels it would hear each other's records."""
        no, first, catalog = pattern.no, pattern.first, self.catalog
        everything = [*opening.steps, *(cancel.steps if cancel is not None else ())]
        for step in opening.steps:
            # what comes before the wait does not count
            before = _end(step) < opening.at and _is_entry(no)
            over = before or (_end(step) <= opening.at and _mere_records(no))
            listens = not over and (cancel is not None or not _answers_at_once(no))
            if listens and makes(no, step, catalog, self._where(everything, step)):
                return True
            if cancel is not None and self._spoils(no, cancel, step):
                return True
        if cancel is None:
            return False
        for step in cancel.steps:
            if makes(first, step, catalog, self._where(everything, step)) and not _alone(
                first, step, opening
            ):
                return True
            if self._spoils(first, opening, step):
                return True
        return self._seen_otherwise(first, opening, everything) or self._seen_otherwise(
            no, cancel, everything
        )

    def _spoils(self, pattern: Pattern, scene: Scene, step: Step) -> bool:
        """Say whether a step of another part may change what a pattern makes of its own scene."""
        if _end(step) < scene.start:
            # what it changes for the scene's own steps is asked of them
            return _remembers(pattern, step, self.catalog)
        return step.at <= max(scene.at, scene.end) and touches(pattern, step, self.catalog)

    def one_of(self, pattern: AnyOf, part: Pattern, scene: Scene | None) -> Scene | None:
        """Play one part; None if another would match by it at another moment."""
        if scene is None:
            return None
        for other in pattern.parts:
            for step in scene.steps if other is not part else ():
                same_moment = scene.hit and step.at == scene.at and _answers_at_once(other)
                heard = makes(other, step, self.catalog, self._where(scene.steps, step))
                if heard and not (same_moment and not _mere_part(other)):
                    self.trouble(Trouble("hears", other, part))
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


def _share(pattern: Total, number: int) -> int | float:
    """Return what each of `number` records but the last adds, in whole units; 0: there is no such."""
    mark = pattern.at_least
    if number == 1 or (number == 2 and mark != int(mark)):
        return 0
    unit = 1024 if pattern.type == "bytes" else 1 if mark == int(mark) and mark >= number else 0.01
    return _plain(mark / number // unit * unit)


def _plain(value: float) -> int | float:
    """Return a number without the dust of floats."""
    value = round(value, 6)
    return int(value) if value == int(value) else value


def _one_by_one(parts: Many[Pattern]) -> list[Pattern]:
    """Return the parts with sequences taken apart, in the order in which they happen."""
    found: list[Pattern] = []
    for part in parts:
        if isinstance(part, Sequence):
            found += _one_by_one(part.steps)
        elif isinstance(part, After):
            found += _one_by_one([part.first])
        else:
            found.append(part)
    return found


def _answers_at_once(pattern: Pattern) -> bool:
    """Say whether it matches at records only, never later by itself."""
    if isinstance(pattern, AnyOf):
        return all(_answers_at_once(part) for part in pattern.parts)
    if isinstance(pattern, Enters):
        return not pattern.confirm
    return isinstance(pattern, Happens | Leaves | Count | Total)


def _end(step: Step) -> int:
    return step.at + (step.times - 1) * step.every


def _is_entry(no: Pattern) -> bool:
    """Say whether it comes at the very sighting that enters."""
    return isinstance(no, Enters) and not no.confirm


def _mere_records(pattern: Pattern) -> bool:
    """Say whether single records bring it about, whatever came before them."""
    if isinstance(pattern, AnyOf):
        return all(map(_mere_records, pattern.parts))
    return isinstance(pattern, Happens)


def _remembers(pattern: Pattern, step: Step, catalog: Catalog) -> bool:
    """Say whether a record may count for the `no:` of a wait after it, and so change when that comes."""
    match pattern:
        case Sequence(steps=parts) | AnyOf(parts=parts) | AllOf(parts=parts):
            return any(_remembers(part, step, catalog) for part in parts)
        case After(first=first, no=no):
            return _remembers(first, step, catalog) or (not _mere_records(no) and counts(no, step, catalog))
        case _:
            return False


def _alone(pattern: Pattern, step: Step, scene: Scene) -> bool:
    """Say whether a record is too far from those of a count to make another one with them, or by itself."""
    return (
        isinstance(pattern, Count) and step.times < pattern.at_least and step.at - scene.end >= pattern.within
    )


def _mere_part(pattern: Pattern) -> bool:
    """Say whether it takes more than one record to match."""
    return isinstance(pattern, Count | Total)
