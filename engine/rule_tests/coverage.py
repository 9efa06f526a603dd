"""Which lines of a rule its tests decide: the rule is changed line by line, and its cases are run again.

A line is *decided* if some case that passes fails for the rule without it. Of a decided line each neighbour
that no case tells apart is noted too: `at least 3` that could be `at least 2`. Everything runs on the real
engine; nothing is guessed from the text of a case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.language.model import Rule, RuleSet
from engine.language.testing import Case
from engine.rule_tests.mutants import Line, Mutant, lines
from engine.rule_tests.runner import Bench, CaseResult


@dataclass(frozen=True, slots=True)
class LineResult:
    """What the cases of a rule say about one of its lines."""

    line: Line
    by: Case | None
    """The first case that decides it; None: no case does."""
    could_be: tuple[str, ...] = ()
    """Of a decided line: the neighbours that no case tells from it."""

    @property
    def decided(self) -> bool:
        """Some case fails without the line."""
        return self.by is not None


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """What the cases of a rule say about all of its lines."""

    rule: Rule
    lines: tuple[LineResult, ...]

    @property
    def decided(self) -> int:
        """Number of lines that some case decides."""
        return sum(each.decided for each in self.lines)


def cover(rules: RuleSet, rule: str, results: Iterable[CaseResult], home_cc: str = "86") -> RuleCoverage:
    """Find the lines of a rule that its cases decide. `results`: theirs; one that failed decides nothing."""
    found = rules.rules[rule]
    cases = [result.case for result in results if result.verdict.passed]
    return RuleCoverage(
        found, tuple(_look(rules, line, cases, home_cc) for line in lines(found, rules.policy))
    )


def undecided(rules: RuleSet, rule: str, cases: Sequence[Case], home_cc: str = "86") -> Iterator[Line]:
    """Yield the lines of a rule that no case decides. `cases`: all pass. Neighbours are not asked."""
    found = rules.rules[rule]
    for line in lines(found, rules.policy):
        likely = sorted(cases, key=lambda case: _far(line, case, cases[0]))
        if _noticed(rules, line.without, likely, home_cc) is None:
            yield line


def percent(coverages: Sequence[RuleCoverage]) -> float:
    """Return the share of decided lines of all rules together, 0 to 100; 100 if there is no line."""
    total = sum(len(each.lines) for each in coverages)
    return 100 * sum(each.decided for each in coverages) / total if total else 100.0


def _look(rules: RuleSet, line: Line, cases: Sequence[Case], home_cc: str) -> LineResult:
    likely = sorted(cases, key=lambda case: _far(line, case, cases[0]))
    by = _noticed(rules, line.without, likely, home_cc)
    if by is None:
        return LineResult(line, None)
    could_be = [near.could_be for near in line.nearby if _noticed(rules, near, likely, home_cc) is None]
    return LineResult(line, by, tuple(could_be))


def _noticed(rules: RuleSet, mutant: Mutant, cases: Sequence[Case], home_cc: str) -> Case | None:
    """Return the first case that fails for a changed rule."""
    bench = Bench(rules, mutant.rule, home_cc, mutant.waived)
    return next((case for case in cases if not bench.run(case).verdict.passed), None)


def _far(line: Line, case: Case, usual: Case) -> bool:
    """Sort cases that look made for a line first. It only saves time: the others are asked as well."""
    if line.label in (case.because, case.then):
        return False
    field = line.path[-1]
    if isinstance(field, str) and field in usual.given:
        return case.given.get(field) == usual.given[field]
    return field not in ("text", "task") or not any(each.text for each in case.expect)
