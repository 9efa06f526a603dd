"""The story of a rule as text: what it does, and its cases as the engine answered them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from engine.language.model import Interval, Message, Rule, RuleSet
from engine.language.schedule import EVERY_DAY
from engine.sms import segments
from engine.story.boundaries import TOPICS, Boundaries, boundaries, names_place
from engine.story.chinese import Chinese
from engine.story.english import English
from engine.story.props import Trouble
from engine.story.undecided import NotStaged, complete
from engine.story.verify import Told, verify
from engine.story.wording import Heading, Names, Share, Words, outline

LANGUAGES: Final[dict[str, Words]] = {"en": English(), "zh": Chinese()}
_SHOWS_STEPS: Final = ("when", "engine")
"""Topics whose cases differ in what happens."""
_SHOWS_TIMES: Final = ("limits", "times")
"""Topics whose cases differ in when it happens; the others differ in the subscriber only."""


@dataclass(frozen=True, slots=True)
class Story:
    """A rule with its cases, run."""

    rules: RuleSet
    rule: Rule
    made: Boundaries
    told: tuple[Told, ...]
    open: tuple[NotStaged, ...] = ()
    """Lines that no case decides."""

    @property
    def offers(self) -> int:
        """How many cases ended with an offer."""
        return sum(bool(each.sent) for each in self.told)

    @property
    def surprises(self) -> int:
        """With how many cases the engine did something else than foreseen."""
        return sum(not each.as_foreseen for each in self.told)


def story(rules: RuleSet, name: str, home_cc: str = "86") -> Story:
    """Make the cases of a rule and run them."""
    made = boundaries(rules, name)
    told, left = complete(rules, name, made, list(verify(rules, name, made.cases, home_cc)), home_cc)
    return Story(rules, rules.rules[name], made, told, left)


@dataclass(frozen=True, slots=True)
class Unstaged:
    """What no case is about, as it is said."""

    what: str
    """A part of the pattern, or the names of lines."""
    why: str
    by_hand: bool
    """A test written by hand may yet decide it."""


def not_staged(told: Story, words: Words) -> Iterator[Unstaged]:
    """Yield what no case is about: parts of the pattern, and lines, those of one reason together."""
    names = Names(told.rules.catalog)
    for part, trouble in zip(told.made.left_out, told.made.why, strict=False):
        yield Unstaged(words.subject(words.clause(part, names)), words.trouble(trouble, names), True)
    by_reason: dict[Trouble, list[str]] = {}
    for line in told.open:
        by_reason.setdefault(line.trouble, []).append(line.label)
    for trouble, labels in by_reason.items():
        by_hand = trouble.kind != "schedule"
        yield Unstaged(words.together(labels), words.trouble(trouble, names), by_hand)


def tell(told: Story, words: Words) -> str:
    """Write the whole story in one language, without a line end at its end."""
    rule, names = told.rule, Names(told.rules.catalog)
    sections = [(words.heading(heading), list(lines)) for heading, lines in _sections(told, words, names)]
    head = [f"{rule.name}: {rule.title}", words.state(rule)]
    blocks = ["\n".join(head)]
    blocks += ["\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in sections]
    return "\n\n".join(blocks)


def _sections(told: Story, words: Words, names: Names) -> Iterator[tuple[Heading, Iterator[str]]]:
    rule = told.rule
    yield "when", outline(rule.when, words, names)
    yield "who", _who(rule, words, names)
    yield "get", _messages(told, words, names)
    yield "times", _times(told, words)
    yield "often", _often(told, words)
    yield "goal", iter([words.goal(words.clause(rule.goal.converts_when, names), rule.goal.within)])
    yield "cases", _cases(told, words, names)


def _who(rule: Rule, words: Words, names: Names) -> Iterator[str]:
    yield words.who(bool(rule.who), len(rule.who) > 1)
    for line in rule.who:
        yield f"- {words.test(names.field(line.field), line, names)}"
    if rule.excepts:
        yield words.excepts()
    for line in rule.excepts:
        yield f"- {words.test(names.field(line.field), line, names)}"
    yield words.consent(names_place(rule.when))


def _messages(told: Story, words: Words, names: Names) -> Iterator[str]:
    offer = told.rule.offer
    yield words.product(told.rules.catalog.products[offer.product])
    for number, message in enumerate(offer.send):
        subject, text = _example(told, message)
        lines = [words.test(names.field(line.field), line, names) for line in message.condition]
        parts = segments(text).parts if message.channel == "sms" else 0
        yield f"- {words.message(message, words.together(lines), parts, number == 0)}"
        yield from (f"  {each}" for each in (subject, text) if each)


def _example(told: Story, message: Message) -> tuple[str, str]:
    """Return subject and text as a case sent them; as written if none did."""
    for each in told.told:
        if each.boundary.message is message and each.sent:
            return each.sent[0].subject, each.sent[0].text
    return message.subject, message.text


def _times(told: Story, words: Words) -> Iterator[str]:
    rule, policy = told.rule, told.rules.policy
    if rule.schedule is not None:
        days, hours = rule.schedule.days, rule.schedule.hours
        parts = parts_of_day(hours) if days != EVERY_DAY else tuple(hours)
        yield words.hours(days, _spans(parts), parts != tuple(hours))
    within = rule.limits.send_within
    yield words.quiet(_spans(policy.quiet), _spans(rule.limits.quiet), within, _tasks(rule))


def _tasks(rule: Rule) -> Share:
    tasks = [message.channel == "manual" for message in rule.offer.send]
    return "all" if all(tasks) else "some" if any(tasks) else "none"


def parts_of_day(hours: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return hours as parts of one day: a schedule over midnight has both ends on the day it names."""
    parts: list[Interval] = []
    for start, end in hours:
        over = [(0, end), (start, 1_440)] if end < start else [(0, 1_440)]
        parts += [(start, end)] if start < end else over
    return tuple(sorted(parts)) if len(parts) > len(hours) else tuple(hours)


def _spans(intervals: Sequence[Interval]) -> list[str]:
    return [f"{a // 60:02}:{a % 60:02} to {b // 60:02}:{b % 60:02}" for a, b in intervals]


def _often(told: Story, words: Words) -> Iterator[str]:
    limits, policy = told.rule.limits, told.rules.policy
    yield f"- {words.at_most(limits.at_most)}"
    texted = any(message.channel != "manual" for message in told.rule.offer.send)
    if texted and (policy.contact or policy.contact_by_tier):
        yield f"- {words.house(policy.contact, list(policy.contact_by_tier.items()), _tasks(told.rule))}"
    if limits.only_one_of is not None:
        yield f"- {words.group(limits.only_one_of, policy.groups.get(limits.only_one_of, 0))}"
    yield f"- {words.rank(limits.priority)}"
    yield f"- {words.holdout(limits.holdout, policy.holdout)}"


# -- cases ---------------------------------------------------------------------------------------------------


def _cases(told: Story, words: Words, names: Names) -> Iterator[str]:
    if told.made.problem:
        yield words.problem(told.made.problem, "".join(words.trouble(why, names) for why in told.made.why))
        return
    yield words.counted(len(told.told), told.offers, told.surprises)
    for each in not_staged(told, words):
        yield words.left_out(each.what, each.why, each.by_hand)
    zone = ZoneInfo(told.rules.policy.timezone)
    for topic in TOPICS:
        found = [case for case in told.told if case.boundary.topic == topic]
        if found:
            yield words.topic(topic)
        for case in found:
            mark = "" if case.as_foreseen else words.surprise()
            clock = Clock(case, words, zone)
            yield f"- {sentence(case, clock, names)} → {came(case, clock, names)}{mark}"


class Clock:
    """Writes the times of one case in order: days only where it is about days or lasts longer than one."""

    def __init__(self, told: Told, words: Words, zone: ZoneInfo) -> None:
        self.words = words
        self._zone = zone
        case = told.boundary.case
        moments = [case.starts + step.at + (step.times - 1) * step.every for step in case.events]
        if told.boundary.topic in _SHOWS_TIMES:
            moments = list(told.boundary.matches)
        days = {self._local(moment).date() for moment in (*moments, *(sent.at for sent in told.sent))}
        dated = len(days) > 1 or told.boundary.topic == "times"
        self._before = None if dated else next(iter(days))

    def at(self, micros: int) -> str:
        """Write a moment, µs UTC."""
        local = self._local(micros)
        said = self.words.stamp(local, self._before)
        self._before = local.date()
        return said

    def _local(self, micros: int) -> datetime:
        return datetime.fromtimestamp(micros // 1_000_000, self._zone)


def sentence(told: Told, clock: Clock, names: Names) -> str:
    """Say what happens in a case and what it is about."""
    boundary, words = told.boundary, clock.words
    note = words.note(boundary.note, names)
    if boundary.topic in _SHOWS_TIMES:
        return words.line([words.matched([clock.at(moment) for moment in boundary.matches])], note)
    if boundary.topic not in _SHOWS_STEPS or boundary.note.kind == "control":
        return note
    steps = []
    for step in boundary.case.events:
        first = boundary.case.starts + step.at
        said = clock.at(first)
        last = clock.at(first + (step.times - 1) * step.every) if step.times > 1 else said
        steps.append(words.step(step, (said, last), names))
    return words.line(steps, note)


def came(told: Told, clock: Clock, names: Names) -> str:
    """Say what came of a case."""
    words = clock.words
    if not told.sent:
        outside = told.because == "when" and told.boundary.matches
        return words.nothing("schedule" if outside else told.because, names)
    times = [clock.at(sent.at) for sent in told.sent]
    held = any(sent.held for sent in told.sent)
    outcome = words.offered(times, told.sent[0].channel, held)
    return words.then(outcome, words.nothing(told.because, names)) if told.because else outcome
