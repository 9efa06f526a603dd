"""Every gate of semantics.md 4.2 and 4.3 with what it expects and what it sees, in the engine's order.

`engine.decision` stops at the first gate that refuses; this goes on, to show what the others would have said.
It asks the same compiled lines and the same counts of the ledger; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from engine import ledger
from engine.audience import Line, all_hold
from engine.decision import Candidate, arm_of
from engine.feeds import Feeds
from engine.language.words import write_duration
from engine.localtime import quiet_end
from engine.rulebook import CompiledMessage, CompiledRule, Rulebook
from engine.snapshot import Subscriber
from engine.trace.words import say, say_cap, say_intervals, say_time

Result = Literal["ok", "no", "unknown", "not judged"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line or gate: what it expects, what it saw, what it said."""

    name: str
    """As in reasons: `who.arpu`, `limits.at_most`; and `quiet`, `holdout`, `shadow` for outcomes."""
    expected: str
    actual: str
    result: Result
    would: Result | None = None
    """Of a line not judged: what it would have said, where that can be told."""

    def to_json(self) -> dict[str, Any]:
        """The line as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Bench:
    """What gates look at: the rules, the salt, the feeds, one subscriber, now (µs)."""

    book: Rulebook
    salt: bytes
    feeds: Feeds
    sub: Subscriber
    now: int
    warming: Mapping[str, int]

    @property
    def timezone(self) -> str:
        """The zone of the subscriber's wall clock."""
        return self.sub.timezone or self.book.policy.timezone

    def time(self, micros: int) -> str:
        """Write a moment by that clock."""
        return say_time(micros, self.timezone)


def checks(bench: Bench, rule: CompiledRule, candidate: Candidate) -> list[Check]:
    """Ask every gate, before the candidate is judged; the ledger is as it was before."""
    message = choose(bench, rule)
    return [
        *_feed(bench, rule, candidate),
        _valid(bench, rule),
        *(_line(line, "who.", bench) for line in rule.who),
        *(_line(line, "except.", bench) for line in rule.excepts),
        *(_consent(bench, purpose) for purpose in rule.consents),
        _check("suppressed", "no", "yes" if bench.sub.suppressed else "no", not bench.sub.suppressed),
        _channel(bench, rule, message),
        *_limits(bench, rule, message, candidate),
    ]


def outcome(
    bench: Bench, rule: CompiledRule, before: str | None, message: CompiledMessage | None
) -> Iterator[Check]:
    """Ask what comes after the gates: arbitration, quiet time, the arm. `before`: the rule taken instead."""
    actual = f"{before} was taken" if before else "none did"
    yield _check("arbitration", "no rule ranked before it passes", actual, before is None)
    spans = say_intervals(rule.quiet)
    if message is not None and message.channel == "manual":
        yield Check("quiet", f"outside {spans}", "not asked: a manual task", "ok")
    else:
        end = quiet_end(bench.now, bench.timezone, rule.quiet)
        held = end > bench.now
        said = f"held until {bench.time(end)}" if held else bench.time(bench.now)
        yield _check("quiet", f"outside {spans}", said, not held)
    arm = arm_of(bench.book, bench.salt, rule, bench.sub.key)
    if arm == "shadow":
        yield Check("shadow", "live", "shadow: counted, never sent", "no")
    else:
        yield _check("holdout", "treatment", arm, arm == "treatment")


def choose(bench: Bench, rule: CompiledRule) -> CompiledMessage | None:
    """Return the message that gate 6 takes."""
    return next((m for m in rule.messages if all_hold(m.condition, bench.sub.profile)), None)


def stopped_by(lines: Iterable[Check]) -> str | None:
    """Name the first line that did not say ok; None if all did."""
    return next((line.name for line in lines if line.result in ("no", "unknown")), None)


def up_to_the_first(lines: Iterable[Check]) -> list[Check]:
    """Mark what comes after the first refusal as not judged, keeping what it would have said."""
    found: list[Check] = []
    stopped = False
    for line in lines:
        found.append(replace(line, result="not judged", would=line.result) if stopped else line)
        stopped = stopped or line.result != "ok"
    return found


def not_judged(lines: Iterable[Check]) -> list[Check]:
    """Mark all lines as not judged: the pattern never matched."""
    return [replace(line, result="not judged", would=line.result) for line in lines]


# -- the gates -----------------------------------------------------------------------------------------------


def _feed(bench: Bench, rule: CompiledRule, candidate: Candidate) -> Iterator[Check]:
    if not rule.feed_kinds or candidate.held is not None:
        return
    start = candidate.start if candidate.start is not None else candidate.time
    down = bench.feeds.was_down(rule.feed_kinds, start, candidate.time)
    kinds = ", ".join(sorted(rule.feed_kinds))
    yield _check("feed", f"{kinds} up while it waited", "down" if down else "up", not down)


def _valid(bench: Bench, rule: CompiledRule) -> Check:
    first, last = rule.rule.valid
    now = say_time(bench.now, bench.book.policy.timezone)
    return _check("valid", f"{first} to {last}", now, rule.span[0] <= bench.now < rule.span[1])


def _line(line: Line, block: str, bench: Bench) -> Check:
    value = bench.sub.profile.get(line.field)
    holds = line.holds(value) if value is not None else None
    expected = line.test.text
    if block == "except.":
        expected = f"none of: {expected}"
        holds = None if holds is None else not holds
    return Check(block + line.field, expected, say(value, line.test.type), said(holds))


def said(holds: bool | None) -> Result:
    """Put a test's answer in words; None: the value is unknown, or of another type than the test."""
    return "unknown" if holds is None else "ok" if holds else "no"


def _consent(bench: Bench, purpose: str) -> Check:
    given = bench.sub.consent.get(purpose)
    return Check(f"consent.{purpose}", "yes", say(given), said(given))


def _channel(bench: Bench, rule: CompiledRule, message: CompiledMessage | None) -> Check:
    expected, actual = [], []
    for choice in rule.messages:
        lines = ", ".join(f"{line.field}: {line.test.text}" for line in choice.condition)
        expected.append(f"{choice.channel} if {{{lines}}}" if lines else choice.channel)
        for line in choice.condition:
            shown = f"{line.field}: {say(bench.sub.profile.get(line.field), line.test.type)}"
            if shown not in actual:
                actual.append(shown)
    seen = f" ({', '.join(actual)})" if actual else ""
    chosen = message.channel if message is not None else "none"
    return _check("channel", ", else ".join(expected), chosen + seen, message is not None)


def _limits(
    bench: Bench, rule: CompiledRule, message: CompiledMessage | None, candidate: Candidate
) -> Iterator[Check]:
    limits, policy, sub, now = rule.rule.limits, bench.book.policy, bench.sub, bench.now
    own = candidate.id if candidate.held is not None else None
    count = ledger.of_rule(sub, rule, now - limits.at_most.window, own)
    yield _fewer("limits.at_most", count, limits.at_most)
    manual = message is not None and message.channel == "manual"
    tier = sub.profile.get("tier")
    by_tier = policy.contact_by_tier.get(tier) if isinstance(tier, str) else None
    caps = [(cap, "") for cap in policy.contact] + ([(by_tier, f", tier {tier}")] if by_tier else [])
    for cap, why in caps:
        if manual:
            yield Check("policy.contact", f"fewer than {say_cap(cap)}{why}", "not asked: a manual task", "ok")
        else:
            yield _fewer("policy.contact", ledger.of_policy(sub, rule, now - cap.window), cap, why)
    group = limits.only_one_of
    if group is not None:
        found = ledger.of_group(sub, rule, group, now - rule.cooldown)
        expected = f"no offer of {group} in {write_duration(rule.cooldown)}"
        yield _check("only_one_of", expected, "there is one" if found else "none", not found)
    within = write_duration(limits.send_within)
    if candidate.held is not None or manual:
        why = "asked when it was held" if candidate.held is not None else "not asked: a manual task"
        yield Check("send_within", within, why, "ok")
    else:
        end = quiet_end(now, bench.timezone, rule.quiet)
        actual = f"may be sent at {bench.time(end)}" if end > now else "may be sent now"
        yield _check("send_within", within, actual, end <= candidate.at + limits.send_within)


def _fewer(name: str, count: int, cap: Any, why: str = "") -> Check:
    window = write_duration(cap.window)
    return _check(name, f"fewer than {say_cap(cap)}{why}", f"{count} in {window}", count < cap.count)


def _check(name: str, expected: str, actual: str, ok: bool) -> Check:
    return Check(name, expected, actual, "ok" if ok else "no")
