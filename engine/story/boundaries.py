"""All cases of a rule: its pattern, its people, its limits and its times, each with what it should give.

Every case is a `engine.language.testing.Case` that any test runner can take. What it should give is known
from how it was made: the scene says when the pattern matches, the subscriber by which line they are refused,
the calendar what comes of a match at that hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from engine.heat import HOT
from engine.language.model import (
    DAY,
    HOUR,
    MINUTE,
    After,
    AllOf,
    AnyOf,
    Count,
    Enters,
    Happens,
    Leaves,
    Message,
    Pattern,
    RuleSet,
    Sequence,
    StaysIn,
    Total,
)
from engine.language.testing import PURPOSES, Arm, Case, Expected, Step
from engine.story.calendar import Calendar, Foreseen
from engine.story.edges import Edges
from engine.story.hearing import leaves_of, makes, where_before
from engine.story.people import Given, People, Person, chosen
from engine.story.props import Trouble
from engine.story.scene import SECOND, Note, NoteKind, Scene
from engine.story.stage import Stage
from engine.text import Template

Topic = Literal["when", "who", "consent", "send", "limits", "times", "engine"]
TOPICS: Final[tuple[Topic, ...]] = ("when", "who", "consent", "send", "limits", "times", "engine")
MOST_CONTACTS: Final = 4
"""A cap of more than this many is not played out."""

_CAPS: Final = frozenset({"limits.at_most", "policy.contact", "only_one_of"})
_OFFERED: Final = frozenset({""})
_REASONS: Final[Mapping[NoteKind, frozenset[str]]] = {
    "quiet_start": frozenset({"", "send_within"}),
    "quiet_last": frozenset({"", "send_within"}),
    "waits_too_long": frozenset({"send_within"}),
    "hours_before": frozenset({"when"}),
    "hours_end": frozenset({"when"}),
    "other_day": frozenset({"when"}),
    "valid_before": frozenset({"valid"}),
    "valid_after": frozenset({"valid"}),
}
"""What may come of a case at the edge of a time; of any other an offer. Stopped by another line, it is no
test of its edge."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """A case, what it is about, and what it should give."""

    topic: Topic
    note: Note
    case: Case
    """`expect` and `because` are what is foreseen."""
    moment: int
    """µs UTC of the match, or of the near miss."""
    matches: tuple[int, ...]
    """µs UTC of all times at which the pattern is complete; none for a near miss."""
    message: Message | None = None
    """The message its subscriber gets, if any."""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The cases of one rule, or why there are none."""

    cases: tuple[Boundary, ...]
    base: Given
    """The subscriber whom the rule takes: what cases have in common."""
    problem: Literal["", "nobody", "never", "quiet", "unstaged"] = ""
    """`nobody`: the rule takes no one; `never`: its dates have nothing of its schedule; `quiet`: no message
    outlasts quiet time; `unstaged`: no scene is sure to match."""
    left_out: tuple[Pattern, ...] = ()
    """Parts of an `any_of` for which no scene is sure to match: no case is about them."""
    why: tuple[Trouble, ...] = ()
    """Of each of them, or of the whole where it is `unstaged`, the reason."""
    play: Play | None = None
    """What the cases have in common, for more of them."""


def boundaries(rules: RuleSet, name: str) -> Boundaries:
    """Make the cases of a rule."""
    rule = rules.rules[name]
    people = list(People(rule, rules.catalog).typical())
    if not people:
        return Boundaries((), {}, "nobody")
    calendar = Calendar(rule, rules.policy)
    found = _when_offered(calendar, people)
    if found is None:
        return Boundaries((), people[0].given, "quiet" if calendar.ever_open() else "never")
    person, message, moment = found
    stage = Stage(rules.catalog, rules.policy, _shown(rule.offer.send))
    scene = stage.typical(rule.when)
    if scene is None:
        return Boundaries((), person.given, "unstaged", why=(stage.last_trouble(),))
    tasks = [each for each in people if each.message is not None and each.message.channel == "manual"]
    task = tasks[0] if tasks and message.channel != "manual" else None
    play = Play(rules, name, calendar, stage, person, message, moment, scene, task)
    cases = tuple(_once(play.all()))
    left_out = tuple(stage.left_out(rule.when))
    parts, why = tuple(part for part, _ in left_out), tuple(why for _, why in left_out)
    return Boundaries(cases, person.given, left_out=parts, why=why, play=play)


def _when_offered(calendar: Calendar, people: list[Person]) -> tuple[Person, Message, int] | None:
    """Return the first whose message is sent at once at some moment, else whose is held; None if no one's."""
    for moment_of in (calendar.moment, calendar.held_moment):
        for person in people:
            moment = None if person.message is None else moment_of(person.message)
            if person.message is not None and moment is not None:
                return person, person.message, moment
    return None


def _once(cases: Iterator[Boundary]) -> Iterator[Boundary]:
    """Drop a case that its topic has already; the plain one gives way to one that says more."""
    found: dict[str, Boundary] = {}
    for boundary in cases:
        case = boundary.case
        given = sorted(case.given.items())
        consent = sorted(case.consent.items())
        key = repr((boundary.topic, case.starts, given, consent, case.arm, case.events))
        if key not in found or found[key].note.kind == "plain":
            found[key] = boundary
    yield from found.values()


def _shown(messages: tuple[Message, ...]) -> frozenset[str]:
    """Return the fields of records that texts show: `{event.to.model}`."""
    names = (name for each in messages for text in (each.text, each.subject) for name in _names(text))
    return frozenset(name.removeprefix("event.") for name in names if name.startswith("event."))


def _names(text: str) -> tuple[str, ...]:
    return Template.parse(text).names


def names_place(pattern: Pattern) -> bool:
    """Say whether a pattern names a place, so that consent to use the location is asked for."""
    for leaf, _ in leaves_of(pattern):
        if isinstance(leaf, Enters | Leaves | StaysIn):
            return True
        unless = leaf.unless if isinstance(leaf, Happens) else ()
        if any(test.field == "place" for test in (*leaf.where, *unless)):
            return True
    return False


def memory(pattern: Pattern) -> int:
    """Return how far back a match may reach, µs: the greatest sum of windows along a nesting."""
    match pattern:
        case Sequence(steps=parts, within=own) | AllOf(parts=parts, within=own):
            return own + max(map(memory, parts))
        case AnyOf(parts=parts):
            return max(map(memory, parts))
        case After():
            return pattern.wait + max(memory(pattern.first), memory(pattern.no))
        case Count() | Total():
            return pattern.within
        case StaysIn():
            return pattern.duration
        case Enters():
            return pattern.confirm
        case _:
            return 0


@dataclass(frozen=True, slots=True)
class Play:
    """Everything the cases of one rule share."""

    rules: RuleSet
    name: str
    calendar: Calendar
    stage: Stage
    person: Person
    message: Message
    moment: int
    scene: Scene
    task: Person | None = None
    """Whom a person calls, of a rule that sends others a message."""

    def all(self) -> Iterator[Boundary]:
        """Yield all cases but those in which somebody leaves a place that is left late (ADR 19).

        When it is left then depends on what is seen afterwards: that is for tests written by hand.
        """
        late = {place.key for place in self.rules.catalog.places.values() if place.leaves_late}
        for boundary in self._all():
            if not late or not _leaves(boundary.case, late, self.rules.catalog.groups):
                yield boundary

    def _all(self) -> Iterator[Boundary]:
        yield self.case("when", self.scene.note, self.scene)
        for edge in Edges(self.stage).of(self.rules.rules[self.name].when):
            yield self.case("when", edge.note, edge)
        yield from self._people()
        yield from self._limits()
        yield from self._task_again()
        yield from self._times()
        yield from self._engine()

    # -- who -----------------------------------------------------------------------------------------

    def _people(self) -> Iterator[Boundary]:
        people = People(self.rules.rules[self.name], self.rules.catalog)
        for person in people.at_the_lines(self.person):
            yield self.case("who", person.note, self.scene, person=person)
        asked = PURPOSES if names_place(self.rules.rules[self.name].when) else PURPOSES[:2]
        for purpose in asked:
            consent = {**dict.fromkeys(PURPOSES, True), purpose: False}
            note = Note("no_consent", field=purpose)
            yield self.case("consent", note, self.scene, because=f"consent.{purpose}", consent=consent)
        unknown: dict[str, bool | None] = {**dict.fromkeys(PURPOSES, True), asked[-1]: None}
        note = Note("consent_unknown", field=asked[-1])
        yield self.case("consent", note, self.scene, because=f"consent.{asked[-1]}", consent=unknown)
        for person in (*people.by_message(self.person), *people.at_the_ifs(self.person)):
            yield self.case("send", person.note, self.scene, person=person)

    # -- how often -----------------------------------------------------------------------------------

    def _limits(self) -> Iterator[Boundary]:
        """Play the pattern until a cap refuses, then a second before and just when it is free again.

        If the house's caps refuse messages first, so that the rule's own never does, also for a task.
        """
        own = False
        for boundary in self._contacts(self.person):
            own = own or "limits.at_most" in (boundary.case.because, boundary.case.then)
            yield boundary
        if self.task is not None and not own:
            yield from self._contacts(self.task)

    def _contacts(self, person: Person) -> Iterator[Boundary]:
        message = person.message or self.message
        tier = person.given.get("tier")
        apart = self.apart()
        if apart is None:
            return
        limit = self.rules.rules[self.name].limits.at_most.count
        offers = [self.moment]
        while True:
            made = self.calendar.foresee(offers, message, tier, max(offers)).offers
            if len(made) < len(offers):
                return
            free = self.calendar.free_again(message, tier, made)
            soon = self.calendar.nearest_on(max(made) + max(apart, HOUR), forward=True)
            early = self.calendar.nearest_on(free - SECOND, forward=False) or free - SECOND
            if soon is not None and soon < early and len(offers) == 1:
                yield from self._again(offers, soon, "second_soon", person)
            if early - max(made) >= apart:
                kind: NoteKind = "second_early" if early == free - SECOND else "second_soon"
                yield from self._again(offers, early, kind, person)
            again = max(free, max(made) + apart)
            again = self.calendar.nearest_open(again, message) or again
            yield from self._again(offers, again, "second_free", person)
            alone = self.calendar.foresee([again], message, tier, again)
            if len(offers) >= min(limit, MOST_CONTACTS) or alone.offers != (again,):
                return
            offers.append(again)

    def apart(self) -> int | None:
        """Return how far apart two matches must be to have nothing in common, µs; None: they always have."""
        pattern = self.rules.rules[self.name].when
        if self.scene.closes:
            out = Step(max(self.scene.end, self.scene.at) + MINUTE, "leaves", self._place())
            catalog, lapse = self.rules.catalog, self.rules.policy.lapse
            where = where_before((*self.scene.steps, out), out, catalog, lapse)
            if makes(pattern, out, catalog, where):
                return None
        span = max(self.scene.end, 0) - self.scene.start
        apart = -(-(memory(pattern) + span + 10 * MINUTE) // MINUTE) * MINUTE
        crowded = (
            2 * sum(step.times for step in self.scene.steps) > HOT
        )  # twice would be more than anybody has
        return max(apart, 48 * HOUR + span) if crowded else apart

    def _place(self) -> str:
        return next(step.place for step in self.scene.steps if step.place)

    def _task_again(self) -> Iterator[Boundary]:
        """Play the pattern twice for whom a person calls, where others have messages: no house cap minds."""
        apart = self.apart()
        if self.task is not None and apart is not None and self.rules.policy.contact:
            at = self.calendar.nearest_on(self.moment + max(apart, HOUR), forward=True)
            if at is not None:
                yield from self._again([self.moment], at, "task_again", self.task)

    def _again(
        self, offers: list[int], at: int, kind: NoteKind, person: Person | None = None
    ) -> Iterator[Boundary]:
        if not self.calendar.in_tests(at) or at >= self.calendar.span()[1]:
            return
        steps: list[Step] = []
        matches = [*offers, at]
        for match in matches:
            shifted = self.scene.moved(match - self.moment - self.scene.at)
            steps += shifted.steps
            if self.scene.closes and match != at:
                out = max(shifted.end, shifted.at) + MINUTE
                steps.append(Step(out, "leaves", self._place()))
        scene = Scene(tuple(steps))
        note = Note(kind, at - offers[-1], len(matches))
        boundary = self.case("limits", note, scene, matches=matches, person=person)
        reason = boundary.case.then or boundary.case.because or ""
        wanted = _CAPS if kind not in ("second_free", "task_again") else _OFFERED
        if self.calendar.is_on(at) and reason in wanted:
            yield boundary

    # -- times ---------------------------------------------------------------------------------------

    def _times(self) -> Iterator[Boundary]:
        edges = (*self._edges_of_quiet(), *self._edges_of_hours(), *self._edges_of_validity())
        for at, kind in edges:
            if self.calendar.in_tests(at):
                person = self.task if kind == "quiet_task" else None
                boundary = self.case("times", Note(kind), self.scene, moment=at, person=person)
                if (boundary.case.because or "") in _REASONS.get(kind, _OFFERED):
                    yield boundary

    def _edges_of_quiet(self) -> Iterator[tuple[int, NoteKind]]:
        """Yield the edges of quiet times, each on the first day on which the rule's schedule has it."""
        found: set[tuple[int, NoteKind]] = set()
        days = range(-7, 8) if self.rules.rules[self.name].schedule is not None else range(-1, 2)
        for day in sorted(days, key=lambda day: (abs(day), -day)):
            for at, kind in self._all_of_quiet(self.moment + day * DAY):
                key = self.calendar.second_of_day(at), kind
                if key not in found and self.calendar.is_open(at):
                    found.add(key)
                    yield at, kind

    def _all_of_quiet(self, after: int) -> Iterator[tuple[int, NoteKind]]:
        within = self.rules.rules[self.name].limits.send_within
        for start, end in self.calendar.quiet_times(after):
            yield start - SECOND, "quiet_before"
            yield start, "quiet_start"
            if self.task is not None:
                yield start, "quiet_task"
            if self.message.channel != "manual":
                if start < end - within - SECOND:
                    yield end - within - SECOND, "waits_too_long"
                    yield end - within, "waits_long_enough"
                yield end - SECOND, "quiet_last"
                yield end, "quiet_end"

    def _edges_of_hours(self) -> Iterator[tuple[int, NoteKind]]:
        for at, on in self.calendar.hours_edges(self.moment):
            yield at - SECOND, "hours_before" if on else "hours_last"
            yield at, "hours_start" if on else "hours_end"
        other = self.calendar.other_day(self.moment)
        if other is not None:
            yield other, "other_day"

    def _edges_of_validity(self) -> Iterator[tuple[int, NoteKind]]:
        """Yield the edges of the rule's dates, or what its schedule has nearest to them."""
        first, last = self.calendar.span()
        edges: tuple[tuple[int, bool, NoteKind], ...] = (
            (first - SECOND, False, "valid_before"), (first, True, "valid_first"),
            (last - SECOND, False, "valid_last"), (last, True, "valid_after"),
        )  # fmt: skip
        for edge, forward, kind in edges:
            at = self.calendar.nearest_on(edge, forward)
            if at is not None:
                yield at, kind

    # -- the engine ----------------------------------------------------------------------------------

    def _engine(self) -> Iterator[Boundary]:
        yield self.case("engine", Note("control"), self.scene, because="holdout", arm="control")
        middle = self.scene.start // 2 // SECOND * SECOND if self.scene.start else -MINUTE
        steps = (*self.scene.steps, Step(middle, "restart"))
        yield self.case("engine", Note("restart"), replace(self.scene, steps=steps))

    # -- one case ------------------------------------------------------------------------------------

    def case(
        self,
        topic: Topic,
        note: Note,
        scene: Scene,
        *,
        person: Person | None = None,
        because: str = "",
        consent: Mapping[str, bool | None] | None = None,
        arm: Arm = "treatment",
        moment: int | None = None,
        matches: list[int] | None = None,
    ) -> Boundary:
        """Put a scene at its moment. `because`: what refuses every match; `matches`: else the scene's own."""
        person = person or self.person
        given = person.given
        moment = self.moment if moment is None else moment
        shift = moment - (scene.at if scene.hit and matches is None else 0)
        starts = (scene.start + shift) // MINUTE * MINUTE
        ordered = sorted(scene.steps, key=lambda step: step.at)
        events = tuple(
            replace(step, at=step.at + shift - starts, line=number) for number, step in enumerate(ordered, 1)
        )
        if matches is None:
            matches = [moment, *(at + shift for at in scene.also)] if scene.hit else []
        before = [step for step in ordered if matches and step.at + shift <= matches[0]]
        person = self._by_then(person, before)
        if not because.startswith("consent.") or person.because.startswith(("who.", "except.")):
            because = person.because or because
        foreseen = self._foresee(matches, scene.end + shift, person, because)
        product = self.rules.rules[self.name].offer.product
        channel = (person.message or self.message).channel
        case = Case(
            name="",
            starts=starts,
            given=given,
            consent=consent or dict.fromkeys(PURPOSES, True),
            arm=arm,
            events=events,
            expect=tuple(Expected(at - starts, product, channel) for at in foreseen.offers),
            because=None if foreseen.offers else foreseen.because,
            then=(foreseen.because or None) if foreseen.offers else None,
        )
        return Boundary(topic, note, case, moment, tuple(matches), person.message)

    def _by_then(self, person: Person, steps: list[Step]) -> Person:
        """Return the subscriber as the steps leave them: what they buy they have, a complaint stops offers.

        Both count before the rules on their own record are judged (semantics.md 7 l).
        """
        given = dict(person.given)
        stopped = False
        for step in steps:
            if step.event == "product.bought":
                held = given.get("products")
                given["products"] = [*(held if isinstance(held, list) else ()), str(step.fields["product"])]
            words = self.rules.policy.opt_out
            stopped = stopped or step.event == "complaint"
            stopped = stopped or (step.event == "sms.reply" and step.fields.get("text") in words)
        rule = self.rules.rules[self.name]
        because = People(rule, self.rules.catalog).refused_by(given)
        if stopped and because in ("", "channel"):
            because = "suppressed"
        return replace(person, because=because, message=chosen(rule, given), given=given)

    def _foresee(self, matches: list[int], last: int, person: Person, because: str) -> Foreseen:
        """Say what comes of the matches, all refused by `because` if there is such a reason."""
        if not matches:
            return Foreseen((), "when")
        begin, end = self.calendar.span()
        if because and begin <= matches[0] < end and self.calendar.is_on(matches[0]):
            return Foreseen((), because)
        message = person.message or self.message
        return self.calendar.foresee(matches, message, person.given.get("tier"), last)


def _leaves(case: Case, late: set[str], groups: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether somebody is seen outside one of these places after they were in it."""
    inside: set[str] = set()
    for step in case.events:
        if not step.place:
            continue
        seen = set(groups.get(step.place, (step.place,))) if step.verb != "leaves" else set[str]()
        if inside - seen:
            return True
        inside = seen & late
    return False
