"""Is a live rule tested enough? At least one case that passes has an offer, and one a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.language.model import Rule
from engine.language.problems import Problem
from engine.language.source import Source
from engine.language.testing import hint_of_idle, lacking
from engine.rule_tests.coverage_report import position
from engine.rule_tests.runner import CaseResult


def untested(rule: Rule, results: Iterable[CaseResult], source: Source) -> Iterator[Problem]:
    """Yield a warning for a live rule whose cases, as far as they passed, show too little.

    `source`: the rule's file, to point at its `status`.
    """
    cases = [result.case for result in results if result.verdict.passed]
    missing = lacking(cases)
    if rule.status != "live" or not missing:
        return
    line, column = position(source, ("status",))
    message = f"live, but no case that passes {missing}"
    hint = "" if any(case.refuses for case in cases) else hint_of_idle(cases)
    text = source.line(line - 1)
    yield Problem(source.path, line, column, len(text.rstrip()) + 1, "R603", message, hint, "warning", text)
