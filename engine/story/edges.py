"""The scenes at the borders of a pattern: for each mark, window and line the pair just inside, just outside.

A scene knows from how it was made whether the pattern matches, and when. What can't be known for certain,
because parts of a pattern would hear each other's records, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace

from engine.heat import HOT
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
from engine.language.testing import FieldValue, Step
from engine.story.hearing import is_located
from engine.story.scene import PAUSE, SECOND, Note, NoteKind, Scene, pause, whole
from engine.story.stage import Stage, the_wait
from engine.story.values import fits, listed, near


@dataclass(frozen=True, slots=True)
class Edges:
    """Finds the scenes at the borders of patterns."""

    stage: Stage

    def of(self, pattern: Pattern, before: Many[Pattern] = ()) -> Iterator[Scene]:
        """Yield the scenes at the borders of a pattern, moment 0 being that of the match or near miss.

        `before`: what has matched for the subscriber before, if it is a step of a sequence.
        """
        match pattern:
            case Enters() | StaysIn() if pattern.resident is not None:
                return  # the person of a story has no home that is known
            case Happens():
                yield from self._happens(pattern)
            case Enters():
                yield from self._enters(pattern)
            case Leaves():
                yield from self._leaves(pattern)
            case StaysIn():
                yield from self._stays(pattern)
            case Count():
                yield from self._count(pattern)
            case Total():
                yield from self._total(pattern)
            case Sequence(steps=parts) | AllOf(parts=parts):
                yield from self._together(pattern, parts)
            case After():
                yield from self._after(pattern, before)
            case AnyOf():
                yield from self._any(pattern)

    # -- records -------------------------------------------------------------------------------------

    def _happens(self, pattern: Happens) -> Iterator[Scene]:
        for given, hit, note in self._lines(pattern.event, pattern.where, pattern.unless):
            step = self.stage.record(pattern.event, pattern.where, pattern.unless, given)
            if step is not None:
                yield Scene((step,), hit, note=note)

    def _lines(
        self, event: str, where: Many[Test], unless: Many[Test] = ()
    ) -> Iterator[tuple[dict[str, FieldValue], bool, Note]]:
        """Yield values at the edge of each line: (field -> value, whether the record passes, note)."""
        for test in where:
            wanted = [line for line in where if line.field == test.field]
            barred = [line for line in unless if line.field == test.field]
            if test.field == "place":
                others = [line for line in wanted if line is not test]
                for value in self.stage.places(others, [*barred, test])[:1]:
                    yield {test.field: value}, False, _note("fails", test, value)
                if not event.startswith("loc."):
                    yield {test.field: None}, False, _note("unknown", test, None)
                continue
            choices = self.stage.choices(event, test.field)
            inside, outside = near(wanted, test, choices, barred)
            for value in inside if _has_marks(test) else ():
                yield {test.field: value}, True, _note("passes", test, value)
            for value in outside:
                yield {test.field: value}, False, _note("fails", test, value)
            if not self._required(event, test.field):
                yield {test.field: None}, False, _note("unknown", test, None)
        for test in unless:
            wanted = [line for line in where if line.field == test.field]
            if test.field == "place":
                bars = self.stage.places([*wanted, test])[:1]
            else:
                bars = (
                    listed(test, wanted)
                    or near([*wanted, test], test, self.stage.choices(event, test.field))[0]
                )
            for value in bars[: None if len(bars) == len(test.values) else 1]:
                yield {test.field: value}, False, _note("barred", test, value)
            if not wanted and not (
                event.startswith("loc.") if test.field == "place" else self._required(event, test.field)
            ):
                yield {test.field: None}, False, _note("barred_unknown", test, None)

    def _required(self, event: str, field: str) -> bool:
        step = self.stage.record(event, (), (), {field: None})
        return step is None or field in step.fields or field in ("product", "text")

    # -- places --------------------------------------------------------------------------------------

    def _enters(self, pattern: Enters) -> Iterator[Scene]:
        if pattern.confirm:
            yield from self._stays(StaysIn(pattern.place, pattern.members, pattern.confirm))
            return
        place = self.stage.place_of(pattern.members)
        if place is not None and self.stage.policy.bridge >= PAUSE:
            steps = (Step(-PAUSE, "enters", place), Step(0, "sees", place))
            yield Scene(steps, at=-PAUSE, note=Note("seen_again"))
        other = None if place is None else self.stage.other_member(pattern.members, place)
        if place is not None and other is not None:
            steps = (Step(-PAUSE, "enters", place), Step(0, "enters", other))
            yield Scene(steps, at=-PAUSE, also=(0,), note=Note("next_member"))

    def _leaves(self, pattern: Leaves) -> Iterator[Scene]:
        place = self.stage.place_of(pattern.members)
        if place is None:
            return
        yield Scene((Step(0, "leaves", place),), False, note=Note("never_inside"))
        lapse = self.stage.policy.lapse
        for after, hit, kind in _pair(lapse, "just_seen", "lost"):
            scene = self.stage.visit_left(pattern, after)
            if scene is not None:
                yield replace(scene, hit=hit, note=Note(kind, lapse))
        other, seen = self.stage.other_member(pattern.members, place), min(PAUSE, whole(lapse // 2))
        if other is not None and seen:
            moved = (Step(-seen, "enters", place), Step(0, "enters", other))
            yield Scene(moved, False, note=Note("to_member"))
            steps = (*Scene(moved).moved(-seen).steps, Step(0, "leaves", other))
            yield Scene(steps, note=Note("left_members"))

    def _stays(self, pattern: StaysIn) -> Iterator[Scene]:
        lapse, length = self.stage.policy.lapse, pattern.duration
        full = self.stage.stay(pattern)
        place = self.stage.place_of(pattern.members)
        if full is None or place is None:
            return
        kinds: tuple[tuple[int, bool, NoteKind], ...] = (
            (-SECOND, False, "left_before"), (0, False, "left_at"), (SECOND, True, "left_after"),
        )  # fmt: skip
        for at, hit, kind in kinds:
            if full.end < at:
                steps = (*full.steps, Step(at, "leaves", place))
                yield Scene(steps, hit, note=Note(kind, length))
        if length > lapse and lapse >= 2 * SECOND:
            for last, hit, kind in _pair(lapse, "seen_at", "unseen_at"):
                start = -length
                if -last - lapse < start:
                    seen: tuple[Step, ...] | None = ()
                else:
                    seen = self.stage.sightings(place, start, -last)
                if seen is not None and start < -last:
                    steps = (Step(start, "enters", place), *seen, Step(-last, "sees", place))
                    yield Scene(steps, hit, note=Note(kind, lapse))
        first = whole(length // 2)
        if SECOND <= first <= lapse:
            steps = (
                Step(full.start - 2 * first, "enters", place),
                Step(full.start - first, "leaves", place),
                *full.steps,
            )
            yield Scene(steps, note=Note("back_again", length))
        other = self.stage.other_member(pattern.members, place)
        if other is not None and first >= SECOND:
            steps = (Step(-length, "enters", place), Step(-first, "enters", other), Step(0, "leaves", other))
            yield Scene(steps, False, note=Note("split_stay", length))

    # -- how many, how much --------------------------------------------------------------------------

    def _count(self, pattern: Count) -> Iterator[Scene]:
        number, window = pattern.at_least, pattern.within
        full = self.stage.counted(pattern)
        if full is None:
            return
        if number > 1:
            short = self.stage.counted(pattern, number - 1)
            if short is not None:
                yield replace(short, hit=False, note=Note("too_few", number, number - 1))
            yield from self._spread(pattern, full)
        gap = pause(window, number + 1)
        if gap and number + 1 < HOT:
            more = self.stage.counted(pattern, number + 1)
            if more is not None:
                gap = more.steps[0].every
                yield replace(more, at=-gap, note=Note("one_more", number))
        for given, hit, note in self._lines(pattern.event, pattern.where):
            scene = self.stage.counted(pattern, None, given)
            if scene is not None:
                yield replace(scene, hit=hit, note=note)

    def _spread(self, pattern: Count, full: Scene) -> Iterator[Scene]:
        """All but the first close to 0, the first exactly the window before it, or a second less."""
        (step,) = full.steps
        for before, hit, kind in _pair_out(pattern.within):
            rest = pattern.at_least - 1
            gap = step.every if rest > 1 else 0
            late = replace(step, at=-(rest - 1) * gap, times=rest, every=gap)
            if -before < late.at:
                first = replace(step, at=-before, times=1, every=0)
                yield Scene((first, late), hit, note=Note(kind, pattern.within))

    def _total(self, pattern: Total) -> Iterator[Scene]:
        full = self.stage.summed(pattern)
        if full is None:
            return
        short = self.stage.summed(pattern, short=True)
        if short is not None:
            yield replace(short, hit=False, note=_in_all("too_little", pattern, short))
        yield replace(full, note=_in_all("enough", pattern, full))
        if len(full.steps) > 1:
            yield from self._spread_amounts(pattern, full)
        for given, hit, note in self._lines(pattern.event, pattern.where):
            scene = self._with_amount(pattern, full, given, hit)
            if scene is not None:
                yield replace(scene, hit=hit, note=note)

    def _spread_amounts(self, pattern: Total, full: Scene) -> Iterator[Scene]:
        """The first of the records exactly the window before the last, or a second less."""
        first, last = full.steps
        rest = first.times - 1
        late = replace(first, at=first.at + first.every, times=rest, every=first.every if rest > 1 else 0)
        for before, hit, kind in _pair_out(pattern.within):
            apart = (replace(first, at=-before, times=1, every=0), *((late,) if rest else ()), last)
            yield Scene(apart, hit, note=Note(kind, pattern.within))

    def _with_amount(
        self, pattern: Total, full: Scene, given: dict[str, FieldValue], hit: bool
    ) -> Scene | None:
        """Return the scene with values in its records; with an amount in the last one alone."""
        if pattern.field in given:
            return self._own_amount(pattern, full, given[pattern.field], hit)
        others = [test for test in pattern.where if test.field != pattern.field]
        changed = [
            self.stage.record(pattern.event, others, (), {**step.fields, **given}) for step in full.steps
        ]
        steps = tuple(
            replace(new, at=old.at, times=old.times, every=old.every)
            for new, old in zip(changed, full.steps, strict=True)
            if new is not None
        )
        return replace(full, steps=steps) if len(steps) == len(changed) else None

    def _own_amount(self, pattern: Total, full: Scene, value: FieldValue, hit: bool) -> Scene | None:
        """Return the scene with an amount in its last record that a line about amounts lets by, or does not.

        Of what is not let by, all together is enough if it is counted.
        """
        first, last = full.steps[0], full.steps[-1]
        new = self.stage.any_amount(pattern, value)
        if new is None:
            return None
        new = replace(new, at=last.at)
        if not isinstance(value, int | float):
            return replace(full, steps=(*full.steps[:-1], new))
        before = _sum(pattern, full.steps[:-1])
        if before + value >= pattern.at_least:
            return replace(full, steps=(*full.steps[:-1], new))
        missing = round(pattern.at_least - value, 6)
        counts = not hit and fits(missing, [test for test in pattern.where if test.field == pattern.field])
        rest = self.stage.any_amount(pattern, missing) if counts else None
        return None if rest is None else replace(full, steps=(replace(rest, at=min(first.at, -SECOND)), new))

    # -- composites ----------------------------------------------------------------------------------

    def _together(self, pattern: Sequence | AllOf, parts: Many[Pattern]) -> Iterator[Scene]:
        """Yield the edges of the window and of the order, then those of every part among plain others."""
        stage = self.stage
        plain = stage.typicals(pattern)
        whole_scene = stage.in_turn(parts, plain, pattern.within)
        alone = the_wait(pattern)
        if whole_scene is None and alone is not None:
            yield from self._after(alone)
        if whole_scene is None or len(parts) < 2:
            return
        for before, hit, kind in _pair_out(pattern.within):
            scene = stage.in_turn(parts, plain, pattern.within, first_at=-before)
            if scene is not None:
                yield replace(scene, hit=hit, note=Note(kind, pattern.within))
        turned = stage.in_turn(parts[::-1], [stage.typical(part) for part in parts[::-1]], pattern.within)
        if turned is not None and isinstance(pattern, AllOf):
            yield replace(turned, note=Note("other_order"))
        elif turned is not None:
            yield replace(turned, hit=False, note=Note("wrong_order"))
        yield from self._lacking(pattern, parts)
        for number, part in enumerate(parts):
            earlier = parts[:number] if isinstance(pattern, Sequence) else ()
            for edge in self.of(part, earlier):
                scenes = [*plain[:number], edge, *plain[number + 1 :]]
                embedded = stage.in_turn(parts, scenes, pattern.within)
                others = [scene for scene in (*plain[:number], *plain[number + 1 :]) if scene is not None]
                if embedded is None or _was_inside_after_all(edge, others):
                    continue
                if self._ends_as_said(edge, number, len(parts)):
                    yield replace(embedded, note=edge.note)

    def _lacking(self, pattern: Sequence | AllOf, parts: Many[Pattern]) -> Iterator[Scene]:
        """Yield the scenes in which all happens but for one part; of two steps the order says as much."""
        if isinstance(pattern, Sequence) and len(parts) < 3:
            return
        for number, part in enumerate(parts):
            others = (*parts[:number], *parts[number + 1 :])
            rest = (
                replace(pattern, steps=others)
                if isinstance(pattern, Sequence)
                else replace(pattern, parts=others)
            )
            scenes = self.stage.typicals(rest)
            scene = self.stage.in_turn(others, scenes, pattern.within)
            if scene is not None and not self.stage.heard(part, scene):
                yield replace(scene, hit=False, note=Note("lacking", pattern=part))

    def _ends_as_said(self, edge: Scene, number: int, parts: int) -> bool:
        """Say whether the whole matches at 0 with this edge: not if its records go on past the others."""
        return number == parts - 1 or edge.end <= edge.at + SECOND or not edge.hit

    def _after(self, pattern: After, before: Many[Pattern] = ()) -> Iterator[Scene]:
        stage = self.stage
        first = stage.following(before, pattern.first)
        if first is None:
            return
        against = stage.following((*before, pattern.first), pattern.no)
        half = -whole(pattern.wait // 2)
        if against is not None and pattern.wait >= 2 * SECOND:
            notes: tuple[tuple[int, NoteKind], ...] = (
                (half, "cancelled"), (0, "cancelled"), (SECOND, "too_late_to_cancel"),
            )  # fmt: skip
            for at, kind in notes:
                yield from self._noted(stage.waited(pattern, first, against, at), Note(kind, pattern.wait))
            early = -pattern.wait - max(PAUSE, first.end - first.start + PAUSE)
            # only what happens at once can lie wholly before the wait
            if len(against.steps) == 1 and not against.closes:
                yield from self._noted(stage.waited(pattern, first, against, early), Note("before_wait"))
        for edge in self.of(pattern.no):
            if _was_inside_after_all(edge, [first]):
                continue
            note = Note("cancelled", pattern.wait) if edge.note.kind == "plain" else edge.note
            yield from self._noted(stage.waited(pattern, first, edge, half), note)
        for edge in self.of(pattern.first):
            if edge.end <= edge.at or not edge.hit:
                yield from self._noted(stage.waited(pattern, edge), edge.note)
        if isinstance(pattern.first, Happens) and half:
            scene = stage.waited(pattern, first)
            if scene is not None:
                again = first.moved(half)
                yield Scene(
                    (*scene.steps, *again.steps),
                    at=half + pattern.wait,
                    note=Note("wait_anew", pattern.wait),
                )

    def _noted(self, scene: Scene | None, note: Note) -> Iterator[Scene]:
        if scene is not None:
            yield replace(scene, note=note)

    def _any(self, pattern: AnyOf) -> Iterator[Scene]:
        for part in pattern.parts:
            plain = self.stage.one_of(pattern, part, self.stage.typical(part))
            if plain is not None:
                yield plain
                yield from self._once_inside(pattern, part, plain)
            for edge in self.of(part):
                scene = self.stage.one_of(pattern, part, edge)
                if scene is not None:
                    yield scene

    def _once_inside(self, pattern: AnyOf, part: Pattern, plain: Scene) -> Iterator[Scene]:
        """Yield a record at a place that enters it as well, which another part waits for: once inside."""
        (step, *more) = plain.steps
        if more or step.verb != "happens" or not step.place or step.event == "complaint":
            return
        others = [other for other in pattern.parts if other is not part]
        entered = [other for other in others if self.stage.heard(other, plain)]
        if entered and all(isinstance(other, Enters) and not other.confirm for other in entered):
            steps = (Step(-PAUSE, "enters", step.place), step)
            yield Scene(steps, at=-PAUSE, also=(0,), note=Note("once_inside"))


def _was_inside_after_all(edge: Scene, others: Many[Scene]) -> bool:
    """Say whether a subscriber not known to be inside may be seen there by what else happens."""
    nowhere = edge.note.kind in ("unknown", "barred_unknown") and edge.note.field == "place"
    if not nowhere and edge.note.kind not in ("never_inside", "unseen_at"):
        return False
    return any(is_located(step) for scene in others for step in scene.steps)


def _sum(pattern: Total, steps: Many[Step]) -> float:
    values = [
        (step.fields["down" if pattern.field == "bytes" else pattern.field], step.times) for step in steps
    ]
    return round(sum(value * times for value, times in values if isinstance(value, int | float)), 6)


def _in_all(kind: NoteKind, pattern: Total, scene: Scene) -> Note:
    return Note(kind, field=pattern.field, value=_sum(pattern, scene.steps), type=pattern.type)


def _pair(length: int, inside: NoteKind, outside: NoteKind) -> tuple[tuple[int, bool, NoteKind], ...]:
    """Return a length that still counts, and one a second longer that does not."""
    return (length, True, inside), (length + SECOND, False, outside)


def _pair_out(window: int) -> tuple[tuple[int, bool, NoteKind], ...]:
    """Return the window itself, which is outside of it, and a second less."""
    if window <= SECOND:
        return ()
    return (window, False, "window_out"), (window - SECOND, True, "window_in")


def _has_marks(test: Test) -> bool:
    """Say whether a value that passes is worth showing: a number at its mark, not a word of a list."""
    return test.type in ("number", "money", "bytes", "percent", "duration")


def _note(kind: NoteKind, test: Test, value: FieldValue) -> Note:
    return Note(kind, field=test.field, value=value, type=test.type, test=test)
