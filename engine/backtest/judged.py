"""Every judgement of a fold, counted: fates, parts, arms, hours; who won where several rules passed.

Put `Judged.note` into `Fold.on_judged`. Its memory grows with rules, subscribers (`seats`) and the hours of
the recording, never with decisions.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from engine import ledger
from engine.backtest.seats import Marks, Seats
from engine.decision import Candidate
from engine.emit import Decision
from engine.rulebook import CompiledRule, Rulebook
from engine.snapshot import Subscriber

MATCHED, OFFERED, TREATMENT, CONTROL = 1, 2, 4, 8
SLOT: Final = 900_000_000
"""µs: a quarter of an hour. No zone has ever been apart from UTC by less."""
BLOCKED: Final = ("policy.contact", "only_one_of")
"""Gates that count offers of other rules."""


class RuleCounts:
    """What became of one rule."""

    __slots__ = ("blocked", "channels", "endings", "fates", "lost", "matches", "parts", "people", "slots")

    def __init__(self) -> None:
        self.matches = 0
        """Instants that were judged."""
        self.endings = 0
        """Holds that ended, judged once more."""
        self.fates: Counter[str] = Counter()
        """Outcome or refused:REASON, as in summary.json."""
        self.channels: Counter[str] = Counter()
        """Of offers."""
        self.parts: Counter[int] = Counter()
        """Parts of an SMS -> offers of so many."""
        self.slots: Counter[int] = Counter()
        """`at` // SLOT -> offers."""
        self.people = Marks()
        self.lost: Counter[tuple[str, str]] = Counter()
        """(rule that was taken instead, its outcome) -> refusals by arbitration."""
        self.blocked: Counter[tuple[str, str]] = Counter()
        """(gate, rule) -> refusals at which an offer of that rule counted."""


class Judged:
    """Counts the judgements of one run."""

    def __init__(self, book: Rulebook, seats: Seats) -> None:
        self.book = book
        self.seats = seats
        self.rules: dict[str, RuleCounts] = {name: RuleCounts() for name in book.compiled}
        self.people = Marks()
        """Over all rules."""
        self.together: Counter[tuple[str, str]] = Counter()
        """Two rules, in the order of their names -> judgements at which both passed all gates."""

    def note(self, sub: Subscriber, now: int, candidates: list[Candidate], written: list[Decision]) -> None:
        """Count one judgement, as `engine.pipeline.Judged` is told of it."""
        seat = self.seats.of(sub.key)
        for candidate, decision in zip(candidates, written, strict=True):
            counts = self.rules.get(candidate.name)
            if counts is None:  # a hold of a rule that is gone
                counts = self.rules[candidate.name] = RuleCounts()
            self.people.add(seat, _count(counts, seat, candidate, decision))
            if candidate.reason in BLOCKED and candidate.rule is not None:
                self._block(counts, sub, now, candidate, candidate.rule, candidates)
        if len(candidates) > 1:
            self._rank(candidates, written)

    def _block(
        self,
        counts: RuleCounts,
        sub: Subscriber,
        now: int,
        candidate: Candidate,
        rule: CompiledRule,
        candidates: list[Candidate],
    ) -> None:
        """Name the rules whose offers counted; gates saw the ledger without what was entered just now."""
        fresh = {other.id for other in candidates if other.reason is None}
        limits, policy = rule.rule.limits, self.book.policy
        names: list[str] = []
        if candidate.reason == "only_one_of":
            group = limits.only_one_of
            assert group is not None
            names = ledger.names_of(ledger.in_group(sub, rule, group, now - rule.cooldown), fresh)
        else:
            tier = sub.profile.get("tier")
            by_tier = policy.contact_by_tier.get(tier) if isinstance(tier, str) else None
            for cap in (*policy.contact, *((by_tier,) if by_tier is not None else ())):
                names = ledger.names_of(ledger.in_policy(sub, rule, now - cap.window), fresh)
                if len(names) >= cap.count:
                    break
        for name in set(names):
            counts.blocked[str(candidate.reason), name] += 1

    def _rank(self, candidates: list[Candidate], written: list[Decision]) -> None:
        taken = None
        passed: dict[str, None] = {}
        for candidate, decision in zip(candidates, written, strict=True):
            if candidate.reason is None:
                passed[candidate.name] = None
                if taken is None and candidate.rule is not None and not candidate.rule.shadow:
                    taken = candidate.name, str(decision["outcome"])
            elif candidate.reason == "arbitration":
                passed[candidate.name] = None
                # with none taken before it, it is the second hold of its own rule (semantics 7 p)
                winner = taken if taken is not None else (candidate.name, "held")
                self.rules[candidate.name].lost[winner] += 1
        names = sorted(passed)
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                self.together[one, other] += 1


def _count(counts: RuleCounts, seat: int, candidate: Candidate, decision: Decision) -> int:
    """Count one candidate; return its bits."""
    outcome, reason = decision["outcome"], decision["reason"]
    if candidate.held is None:
        counts.matches += 1
    else:
        counts.endings += 1
    counts.fates[f"refused:{reason}" if reason else outcome] += 1
    bits = MATCHED
    if candidate.arm == "treatment":
        bits |= TREATMENT
    elif candidate.arm == "control":
        bits |= CONTROL
    if outcome == "offer":
        bits |= OFFERED
        counts.channels[decision["channel"]] += 1
        counts.slots[decision["at"] // SLOT] += 1
        if decision["channel"] == "sms":
            counts.parts[decision["parts"] or 0] += 1
    counts.people.add(seat, bits)
    return bits
