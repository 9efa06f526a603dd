"""R509: a rule is valid on some day of its schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from engine.language.checks.code import Check
from engine.language.model import Rule
from engine.language.report import Report
from engine.language.suggest import join
from engine.language.walk import find
from engine.language.words import DAYS

CHECKS: Final = (
    Check(
        code="R509",
        meaning="a schedule whose days are none of the days on which the rule is valid",
        bad="""
            valid: 2026-09-08 to 2026-09-10
            schedule: {days: [sat, sun]}
            """,
        good="""
            valid: 2026-09-07 to 2026-09-13
            schedule: {days: [sat, sun]}
            """,
        advice="""
            The rule never fires. Give it other dates in `valid`, or other days in `schedule`.
            """,
        level="warning",
    ),
)


def check_days(report: Report, rule: Rule) -> None:
    """R509: `valid` is by the policy's timezone, days are by the subscriber's: theirs may be a day off."""
    where = find(report.source.root, "schedule", "days")
    if rule.schedule is None or where is None:
        return
    first, last = rule.valid[0] - timedelta(1), rule.valid[1] + timedelta(1)
    count = min((last - first).days + 1, len(DAYS))
    valid = [(first + timedelta(number)).weekday() for number in range(count)]
    if not set(valid) & set(rule.schedule.days):
        named = join([DAYS[number] for number in valid], "and")
        report.warn(
            "R509", where, f"never fires: the rule is valid around {named} only, none of which is here"
        )
