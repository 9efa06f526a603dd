"""A subscriber's story, rule by rule: pattern, gates, decisions, and the gate that stopped it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.decision import Candidate
from engine.emit import Decision
from engine.language.model import Rule
from engine.presence import is_known
from engine.rulebook import CompiledRule
from engine.snapshot import NEVER
from engine.trace.gates import Bench, Check, Result, checks, choose, not_judged, outcome, stopped_by
from engine.trace.waits import PatternLine, Seen, pattern_lines, recent
from engine.trace.watch import Judgement, WatchedFold
from engine.trace.words import say_schedule

SCHEDULE = "schedule"
"""Name of its line, which stands among those of `when`: what it stops is no match."""


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the subscriber at that moment."""

    subscriber_key: str
    at: int
    """The moment, µs."""
    timezone: str
    seen_at: int | None
    """Time of the last sighting, µs."""
    cell: str | None
    places: tuple[str, ...]
    """Places of the last sighting's cell."""
    known: bool
    """They still count as there."""
    records: int
    """Behaviours of the last 48 h."""
    profile: dict[str, Any]
    consent: dict[str, bool]
    suppressed: bool

    def to_json(self) -> dict[str, Any]:
        """The person as plain data."""
        return asdict(self)


def person(fold: WatchedFold, key: str, now: int) -> Person:
    """Look at a subscriber as they are at `now`."""
    sub = fold.subscriber(key)
    bench = Bench(fold.book, fold.salt, fold.feeds, sub, now, fold.warming)
    return Person(
        key,
        now,
        bench.timezone,
        sub.seen_at if sub.seen_at != NEVER else None,
        sub.cell,
        sub.inside,
        is_known(sub, now),
        len(recent(fold.records, now)),
        dict(sorted(sub.profile.items())),
        dict(sorted(sub.consent.items())),
        sub.suppressed,
    )


@dataclass(frozen=True, slots=True)
class RuleStory:
    """One rule for one subscriber."""

    rule: str
    status: str
    stopped_by: str | None
    """The gate; `when` if the pattern had no instant that may fire; None if the last judgement offered."""
    judged_at: int | None
    """When the lines were judged, µs: the last time. None: never, they are as they stand now."""
    ending: bool
    """That judgement was the end of a hold."""
    pattern: tuple[PatternLine, ...]
    lines: tuple[Check, ...]
    decisions: tuple[Decision, ...]

    def to_json(self) -> dict[str, Any]:
        """The story as plain data; times are µs UTC."""
        return {
            "rule": self.rule,
            "status": self.status,
            "stopped_by": self.stopped_by,
            "judged_at": self.judged_at,
            "ending": self.ending,
            "pattern": [line.to_json() for line in self.pattern],
            "lines": [line.to_json() for line in self.lines],
            "decisions": list(self.decisions),
        }


def stories(fold: WatchedFold, key: str, now: int, decisions: Sequence[Decision]) -> Iterator[RuleStory]:
    """Tell each rule of the set, in the order of names; `decisions`: the subscriber's, oldest first."""
    bench = Bench(fold.book, fold.salt, fold.feeds, fold.subscriber(key), now, fold.warming)
    seen = Seen(bench, fold, recent(fold.records, now))
    for name, rule in sorted(fold.book.rules.rules.items()):
        compiled = fold.book.compiled.get(name)
        if compiled is None:
            yield RuleStory(name, rule.status, "valid", None, False, (), (idle(rule),), ())
            continue
        judged = [judgement for judgement in fold.judgements if judgement.rule == name]
        own = tuple(decision for decision in decisions if decision["rule"] == name)
        yield _story(seen, compiled, judged[-1] if judged else None, own)


def _story(
    seen: Seen, rule: CompiledRule, last: Judgement | None, decisions: tuple[Decision, ...]
) -> RuleStory:
    pattern = rule_lines(seen, rule)
    if last is None:
        lines, stopped = tuple(not_judged(as_they_stand(seen.bench, rule))), "when"
        return RuleStory(rule.name, rule.rule.status, stopped, None, False, pattern, lines, decisions)
    return RuleStory(
        rule.name,
        rule.rule.status,
        stopped_by(last.lines),
        last.at,
        last.ending,
        pattern,
        last.lines,
        decisions,
    )


def rule_lines(seen: Seen, rule: CompiledRule) -> tuple[PatternLine, ...]:
    """Tell a rule's patterns; with the first stands when the rule listens."""
    first, *rest = pattern_lines(seen, rule.rule.when, rule.root)
    times = rule.schedule
    if times is None:
        return (first, *rest)
    tally = seen.fold.unheard[rule.name]
    actual = "no instant outside it"
    if tally.last is not None:
        often = f"{tally.count} instants" if tally.count > 1 else "1 instant"
        actual = f"{often} outside it, the last at {seen.bench.time(tally.last)}"
    # one that came at a bad time is what stopped the rule only if none came at a good one
    missed = tally.count - tally.late
    result: Result = "no" if missed and missed == first.instants - first.late else "ok"
    check = Check(SCHEDULE, say_schedule(times), actual, result)
    return (replace(first, lines=(*first.lines, check)), *rest)


def as_they_stand(bench: Bench, rule: CompiledRule) -> list[Check]:
    """Ask the gates as if the pattern matched now; `feed` and arbitration belong to a match, so not them."""
    candidate = Candidate(rule, rule.name, bench.now, bench.now, None, None, ("", None, ""), None)
    lines = [*checks(bench, rule, candidate), *outcome(bench, rule, None, choose(bench, rule))]
    return [line for line in lines if line.name not in ("feed", "arbitration")]


def idle(rule: Rule) -> Check:
    """Say of a draft or paused rule that it is not asked (semantics 4.6)."""
    return Check("valid", "status live or shadow", f"status {rule.status}", "no")
