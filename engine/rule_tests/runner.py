"""Run one case of a rule test on the real engine (semantics.md 6).

The rule is alone with its policy and catalogue, is treated as live, and its subscriber is in the arm the
case says: the shares held out, the universal one and the rule's own, are set to none or all in a copy of the
rules, so that the hash of the subscriber decides nothing and everything else runs as it does live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from engine.codec import decode, encode
from engine.emit import Decision
from engine.event import Event
from engine.feeds import Feeds
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import HOUR, Rule, RuleSet
from engine.language.testing import Arm, Case, TestFile
from engine.number_classes import asked_for
from engine.pipeline import Fold
from engine.refusals import Refusal
from engine.replay import Replay
from engine.rule_tests.verdict import Verdict, judge, matches_of
from engine.rule_tests.world import deeds, profile, unusable
from engine.rulebook import Rulebook

AFTERMATH: Final = 48 * HOUR
"""How long a case runs on after its last event."""

_KEY: Final = b"rule tests"
_SALT: Final = b"rule tests"
"""Any will do: keys only name the one subscriber, and the arm is given."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case."""

    case: Case
    verdict: Verdict
    decisions: tuple[Decision, ...]
    """The rule's decision records in the order they were made."""
    ran: bool = True
    """False: it says what no record can carry, so nothing was decided."""
    seconds: float = field(default=0.0, compare=False)
    """How long it took by the clock that was given; no part of what came out."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one test file."""

    file: TestFile
    results: tuple[CaseResult, ...]

    @property
    def passed(self) -> int:
        """Number of cases that passed."""
        return sum(result.verdict.passed for result in self.results)


def run_files(
    rules: RuleSet, files: Iterable[TestFile], home_cc: str = "86", clock: Callable[[], float] | None = None
) -> Iterator[FileResult]:
    """Run test files one after the other; `rules` holds the rules they test.

    `clock`: gives seconds, to time each case by; nothing else depends on it.
    """
    for file in files:
        bench = Bench(rules, rules.rules[file.rule], home_cc)
        yield FileResult(file, tuple(_timed(bench, case, clock) for case in file.cases))


def run_case(rules: RuleSet, rule: str, case: Case, home_cc: str = "86") -> CaseResult:
    """Run one case; what it says that no record can carry fails it, with the line."""
    return Bench(rules, rules.rules[rule], home_cc).run(case)


def alone(rules: RuleSet, rule: Rule, arm: Arm) -> RuleSet:
    """Copy a set of rules down to one rule, live, with everybody in `arm`."""
    share = 1.0 if arm == "control" else 0.0
    live = replace(rule, status="live", limits=replace(rule.limits, holdout=share))
    return replace(rules, rules={rule.name: live}, policy=replace(rules.policy, holdout=0.0))


class Bench:
    """One rule made ready for its cases: compiled once for each arm that a case asks for.

    `rule` need not be the one of its name in `rules`: coverage runs changed copies of it. `waived`: a purpose
    whose consent the rule does not ask for, as if it were none of its business.
    """

    def __init__(self, rules: RuleSet, rule: Rule, home_cc: str = "86", waived: str = "") -> None:
        self.rules = rules
        self.home_cc = home_cc
        self._rule = rule
        self._waived = waived
        self._books: dict[Arm, Rulebook] = {}
        self.classes = asked_for(alone(rules, rule, "treatment"), home_cc)
        """Classes of numbers, if the rule asks for any: what the collector puts into records."""

    def run(self, case: Case) -> CaseResult:
        """Run one case; what it says that no record can carry fails it, with the line."""
        wrong = unusable(case, self.rules.catalog)
        if wrong is not None:
            return CaseResult(case, Verdict((wrong,)), (), ran=False)
        try:
            decisions = tuple(_Run(self, case).decisions())
        except _Refused as refused:
            return CaseResult(case, Verdict((str(refused),)), (), ran=False)
        return CaseResult(case, judge(case, matches_of(decisions)), decisions)

    def book(self, arm: Arm) -> Rulebook:
        """Return the rule made ready to run; the same one for all cases of an arm."""
        if arm not in self._books:
            self._books[arm] = self.compile(arm)
        return self._books[arm]

    def compile(self, arm: Arm) -> Rulebook:
        """Make the rule ready anew, as an engine that starts does."""
        book = Rulebook(alone(self.rules, self._rule, arm), _KEY)
        compiled = book.compiled[self._rule.name]
        compiled.consents = tuple(each for each in compiled.consents if each != self._waived)
        return book


def _timed(bench: Bench, case: Case, clock: Callable[[], float] | None) -> CaseResult:
    if clock is None:
        return bench.run(case)
    begun = clock()
    return replace(bench.run(case), seconds=clock() - begun)


class _Refused(Exception):
    """Intake refused a record of a case: a mistake of the test's author."""


class _Run:
    """One case under way."""

    def __init__(self, bench: Bench, case: Case) -> None:
        self._bench = bench
        self._case = case
        self._line = case.line
        self._intake = Intake(Identity(_KEY, bench.home_cc), on_refused=self._refuse, edge=bench.classes)

    def decisions(self) -> Iterator[Decision]:
        """Run the case to its end, 48 h after its last event; yield decisions as they are made."""
        case = self._case
        todo = deeds(case, self._bench.rules.catalog)
        end = max((deed.t for deed in todo), default=case.starts) + AFTERMATH
        replay = Replay(Fold(self._bench.book(case.arm), _SALT), until=end)
        replay.profiles([self._event(profile(case))])
        for deed in todo:
            self._line = deed.line
            if deed.record is None:
                replay.fold.tick(deed.t, replay.ticks.down)
                replay.fold = self._restarted(replay.fold)
            else:
                replay.feed(self._event(deed.record))
            yield from replay.take()
        replay.close()
        yield from replay.take()

    def _restarted(self, fold: Fold) -> Fold:
        """Write everything down, forget the engine, and start a new one from what was written."""
        fresh = Fold(self._bench.compile(self._case.arm), fold.salt)
        for key, sub in fold.subscribers.items():
            fresh.adopt(decode(key, encode(sub)))
        fresh.feeds = Feeds.unpack(orjson.loads(orjson.dumps(fold.feeds.pack())))
        fresh.switched_at, fresh.newest = fold.switched_at, fold.newest
        fresh.outcomes, fresh.counts, fresh.decisions = fold.outcomes, fold.counts, fold.decisions
        return fresh

    def _event(self, record: dict[str, object]) -> Event:
        event = self._intake.record(record, "test", f"line {self._line}")
        assert event is not None  # or `_refuse` has raised
        return event

    def _refuse(self, refusal: Refusal) -> None:
        raise _Refused(f"line {self._line}: {refusal.detail}")
