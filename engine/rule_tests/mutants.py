"""The lines of a rule that decide, each with the rules that differ from it in that line alone.

A rule test that would pass as well without a line does not test it. So every line has a copy of the rule
`without` it, and copies `nearby`: a mark, window or date one step aside, a list without one of its values.
What is left out, because no test of the rule alone can tell: names, title, owner, status, approval, product,
priority, holdout, FAQ and goal; and lines that can never refuse, such as a `send_within` longer than any
quiet time. Consent is asked the same for every rule, but for the location: that line is the rule's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from engine.language.model import DAY, MINUTE, Cap, Interval, Message, Policy, Rule, Schedule
from engine.language.schedule import EVERY_DAY
from engine.language.words import DAYS, write_duration
from engine.localtime import quiet_end
from engine.rule_tests import nearby
from engine.rule_tests.pattern_mutants import Path, Variant, place_line, tests_without, variants

ALWAYS: Final = (date(2000, 1, 1), date(2099, 12, 31))
UNLIMITED: Final = 1_000_000
LATEST: Final = 1_000 * DAY


@dataclass(frozen=True, slots=True)
class Mutant:
    """A copy of a rule that differs in one line."""

    rule: Rule
    could_be: str = ""
    """What the line says in it, as an author would write it; nothing if the line is gone."""
    waived: str = ""
    """A purpose whose consent it does not ask for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a rule that decides something."""

    path: Path
    """Keys and positions in lists (from 0) that lead to it in the file."""
    without: Mutant
    nearby: tuple[Mutant, ...] = ()
    name: str = ""
    """What it is called, if not by its path."""

    @property
    def label(self) -> str:
        """Name the line: `who.arpu`, `when.sequence.2.where.place` (positions from 1)."""
        return self.name or ".".join(str(part + 1) if isinstance(part, int) else part for part in self.path)


def lines(rule: Rule, policy: Policy) -> Iterator[Line]:
    """Yield the lines of a rule, top to bottom as the language orders them."""
    yield Line(("valid",), Mutant(replace(rule, valid=ALWAYS)))
    if rule.schedule is not None:
        yield from _schedule(rule, rule.schedule)
    for found in variants(rule.when):
        yield _of_when(rule, found)
    place = place_line(rule.when)
    if place is not None:
        yield Line(place, Mutant(rule, waived="location"), name="consent.location")
    for test, without, near in tests_without(rule.who):
        yield Line(
            ("who", test.field),
            Mutant(replace(rule, who=without)),
            tuple(Mutant(replace(rule, who=tests), text) for text, tests in near),
        )
    for test, without, near in tests_without(rule.excepts):
        yield Line(
            ("except", test.field),
            Mutant(replace(rule, excepts=without)),
            tuple(Mutant(replace(rule, excepts=tests), text) for text, tests in near),
        )
    yield from _messages(rule)
    yield from _limits(rule, policy)


def _of_when(rule: Rule, found: Variant) -> Line:
    return Line(
        found.path,
        Mutant(replace(rule, when=found.without)),
        tuple(Mutant(replace(rule, when=when), text) for text, when in found.nearby),
    )


def _schedule(rule: Rule, schedule: Schedule) -> Iterator[Line]:
    days, hours = schedule.days, schedule.hours
    if days != EVERY_DAY:
        yield Line(
            ("schedule", "days"),
            Mutant(replace(rule, schedule=replace(schedule, days=EVERY_DAY))),
            tuple(
                Mutant(
                    replace(rule, schedule=replace(schedule, days=near)),
                    f"[{', '.join(DAYS[day] for day in near)}]",
                )
                for near in nearby.days(days)
            ),
        )
    for number, interval in enumerate(hours):
        before, behind = hours[:number], hours[number + 1 :]
        yield Line(
            ("schedule", "hours", number),
            Mutant(replace(rule, schedule=replace(schedule, hours=before + behind))),
            tuple(
                Mutant(
                    replace(rule, schedule=replace(schedule, hours=(*before, moved, *behind))),
                    nearby.write_interval(moved),
                )
                for moved in nearby.intervals(interval)
            ),
        )


# -- offer ---------------------------------------------------------------------------------------------------


def _messages(rule: Rule) -> Iterator[Line]:
    for number, message in enumerate(rule.offer.send):
        path: Path = ("offer", "send", number)
        key = "task" if message.channel == "manual" else "text"
        other = replace(message, text=message.text + "!")
        yield Line(
            (*path, key),
            Mutant(_with(rule, number, None)),
            (Mutant(_with(rule, number, other), f"another {key}"),),
        )
        for test, without, near in tests_without(message.condition):
            yield Line(
                (*path, "if", test.field),
                Mutant(_with(rule, number, replace(message, condition=without))),
                tuple(
                    Mutant(_with(rule, number, replace(message, condition=tests)), text)
                    for text, tests in near
                ),
            )


def _with(rule: Rule, number: int, message: Message | None) -> Rule:
    send = list(rule.offer.send)
    send[number : number + 1] = [message] if message is not None else []
    return replace(rule, offer=replace(rule.offer, send=tuple(send)))


# -- limits --------------------------------------------------------------------------------------------------


def _limits(rule: Rule, policy: Policy) -> Iterator[Line]:
    limits = rule.limits
    cap = limits.at_most
    caps = [Cap(count, cap.window) for count in (cap.count - 1, cap.count + 1) if count]
    caps += [Cap(cap.count, window) for window in nearby.lengths(cap.window)]
    yield Line(
        ("limits", "at_most"),
        Mutant(_limited(rule, at_most=Cap(UNLIMITED, cap.window))),
        tuple(Mutant(_limited(rule, at_most=c), f"{c.count} in {write_duration(c.window)}") for c in caps),
    )
    if limits.only_one_of is not None and _can_refuse_group(rule, policy):
        yield Line(("limits", "only_one_of"), Mutant(_limited(rule, only_one_of=None)))
    if all(message.channel == "manual" for message in rule.offer.send):
        return  # what people do by hand waits for no time of day
    yield from _quiet(rule, policy)
    longest = _longest(policy.quiet + limits.quiet)
    if not longest:
        return
    within = limits.send_within
    if within < longest:
        yield Line(
            ("limits", "send_within"),
            Mutant(_limited(rule, send_within=LATEST)),
            tuple(
                Mutant(_limited(rule, send_within=length), write_duration(length))
                for length in nearby.lengths(within)
            ),
        )
    else:  # it refuses nothing, but lets wait what a shorter one would not
        yield Line(("limits", "send_within"), Mutant(_limited(rule, send_within=0), "0m"))


def _quiet(rule: Rule, policy: Policy) -> Iterator[Line]:
    quiet = rule.limits.quiet
    for number, interval in enumerate(quiet):
        others = quiet[:number] + quiet[number + 1 :]
        if _covered(interval, policy.quiet + others):
            continue
        yield Line(
            ("limits", "quiet", number),
            Mutant(_limited(rule, quiet=others)),
            tuple(
                Mutant(
                    _limited(rule, quiet=(*quiet[:number], moved, *quiet[number + 1 :])),
                    nearby.write_interval(moved),
                )
                for moved in nearby.intervals(interval)
            ),
        )


def _can_refuse_group(rule: Rule, policy: Policy) -> bool:
    """Say whether earlier gates let through what `only_one_of` refuses: all offers here are its own."""
    cooldown = policy.groups[rule.limits.only_one_of or ""]
    by_hand = any(message.channel == "manual" for message in rule.offer.send)
    earlier = (rule.limits.at_most, *(() if by_hand else policy.contact))
    return all(cap.count > 1 or cap.window < cooldown for cap in earlier)


def _longest(quiet: tuple[Interval, ...]) -> int:
    """Return the longest time without a break that a message can wait, µs, where no clock is changed."""
    starts = (start * MINUTE for start, _ in quiet)
    return max((quiet_end(start, "UTC", quiet) - start for start in starts), default=0)


def _covered(interval: Interval, others: tuple[Interval, ...]) -> bool:
    """Say whether a quiet time lies within the others, and so changes nothing."""
    start, end = interval
    length = (end - start) % 1_440 or 1_440
    return quiet_end(start * MINUTE, "UTC", others) - start * MINUTE >= length * MINUTE


def _limited(rule: Rule, **changed: object) -> Rule:
    return replace(rule, limits=replace(rule.limits, **changed))  # type: ignore[arg-type]
