"""Results of rule tests as text for people and as plain data for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.emit import Decision
from engine.language.testing import Case
from engine.rule_tests.runner import CaseResult, FileResult
from engine.rule_tests.verdict import after, reason_of

GOOD: Final = "✓"
BAD: Final = "✗"


def file_line(result: FileResult, shown: str) -> str:
    """One line per file: ticks, how many cases passed, its path as a person types it."""
    ticks = "".join(GOOD if each.verdict.passed else BAD for each in result.results)
    return f"{shown}  {ticks}  {result.passed} of {_plural(len(result.results), 'case')}"


def failures(result: FileResult, shown: str, timezone: str) -> Iterator[str]:
    """One block per case that failed: where, which, what was expected and was, and what happened."""
    for each in result.results:
        if not each.verdict.passed:
            yield failure(each, shown, timezone)


def summary(results: Sequence[FileResult]) -> str:
    """The closing line."""
    cases = sum(len(result.results) for result in results)
    passed = sum(result.passed for result in results)
    failed = f", {cases - passed} failed" if passed < cases else ""
    return f"{_plural(len(results), 'file')}, {_plural(cases, 'case')}: {passed} passed{failed}"


def to_json(result: FileResult, shown: str) -> dict[str, Any]:
    """One file as plain data; times are µs UTC."""
    return {
        "file": shown,
        "rule": result.file.rule,
        "passed": result.passed,
        "failed": len(result.results) - result.passed,
        "cases": [
            {
                "case": each.case.name,
                "line": each.case.line,
                "starts": each.case.starts,
                "passed": each.verdict.passed,
                "problems": list(each.verdict.problems),
                "decisions": list(each.decisions),
            }
            for each in result.results
        ],
    }


def failure(result: CaseResult, shown: str, timezone: str) -> str:
    """The block of one case that failed."""
    case = result.case
    lines = [f"{shown}:{case.line}: {case.name}"]
    for problem in result.verdict.problems:
        first, *more = problem.split("\n")
        lines += [f"  {first}", *(f"    {line}" for line in more)]
    if result.ran:
        lines.append("  what happened:")
        lines += [f"    {line}" for line in _happened(case, result.decisions, timezone)]
    return "\n".join(lines)


def _happened(case: Case, decisions: Sequence[Decision], timezone: str) -> Iterator[str]:
    if not decisions:
        yield "no decision: the pattern never matched"
    own = case.given.get("timezone")
    zone = ZoneInfo(own if isinstance(own, str) else timezone)
    for decision in decisions:
        clock = _clock(decision["at"], zone)
        what = f"{after(decision['at'] - case.starts)}  {clock}  {decision['outcome']}"
        if decision["outcome"] == "refused":
            what += f" {reason_of(decision)}{_value(decision)}"
        elif decision["outcome"] == "held":
            what += f" until {after(decision['due'] - case.starts)}"
        else:
            what += f" {decision['product']} by {decision['channel']}"
        yield f"{what}  ({decision['trigger']['position']})"


def _value(decision: Decision) -> str:
    """What the line that refused saw."""
    values = decision["values"]
    if decision["reason"] not in values:
        return ""
    value = values[decision["reason"]]
    if value is None:
        return " (unknown)"
    shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
    return f" ({', '.join(map(str, shown)) if isinstance(shown, list) else shown})"


def _clock(micros: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, zone).strftime("%a %H:%M:%S")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
