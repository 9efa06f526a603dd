"""R507: lines that contradict each other let nothing through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.model import Happens, Pattern, Rule, Test
from engine.language.report import Report
from engine.language.source import Node
from engine.language.walk import find, patterns

CHECKS: Final = (
    Check(
        code="R507",
        meaning="lines that contradict each other: nobody, or no record, passes them",
        bad="""
            who: {arpu: over 100 yuan}
            except: {arpu: at least 50 yuan}
            """,
        good="""
            who: {arpu: over 100 yuan}
            except: {arpu: at least 500 yuan}
            """,
        advice="""
            `except` bars every value that `who` lets through (or `unless` what `where` does), so the rule
            never fires. Change one of the two lines. A value of `except` is barred; for the range that
            is wanted, write `who: {arpu: 50 to 100 yuan}`.
            """,
        level="warning",
    ),
)


def check_contradictions(report: Report, rule: Rule) -> None:
    """R507: `who` with `except`, and in every pattern `where` with `unless`."""
    root = report.source.root
    _check(report, rule.who, rule.excepts, root, ("who", "except"), "nobody passes")
    for whole, at in ((rule.when, ("when",)), (rule.goal.converts_when, ("goal", "converts_when"))):
        _check_pattern(report, whole, find(root, *at))


def _check_pattern(report: Report, whole: Pattern, node: Node | None) -> None:
    for pattern, body in patterns(whole, node):
        if isinstance(pattern, Happens):
            _check(report, pattern.where, pattern.unless, body, ("where", "unless"), "no record passes")


def _check(
    report: Report,
    wanted: Iterable[Test],
    barred: Iterable[Test],
    owner: Node | None,
    keys: tuple[str, str],
    outcome: str,
) -> None:
    lines = {test.field: test for test in wanted}
    for test in barred:
        line = lines.get(test.field)
        where = find(owner, keys[1], test.field)
        if line is not None and where is not None and logic.both(logic.passes(line), logic.fails(test)).empty:
            said = f"{outcome}: `{keys[1]}` bars every `{test.field}` that `{keys[0]}` lets through"
            hint = f"`{keys[0]}` wants `{test.field}: {line.text}`, `{keys[1]}` bars `{test.text}`"
            report.warn("R507", where, said, hint)
