"""R405: a rule that runs has days left to run."""

from __future__ import annotations

from datetime import date
from typing import Final

from engine.language.checks.code import Check
from engine.language.model import Rule
from engine.language.report import Report
from engine.language.walk import find

CHECKS: Final = (
    Check(
        code="R405",
        meaning="a live or shadow rule whose dates are over",
        bad="""
            status: shadow
            valid: 2020-09-01 to 2020-09-30
            """,
        good="""
            status: shadow
            valid: 2026-09-01 to 2026-09-30
            """,
        advice="""
            Give the rule new dates and have it approved again, or set it to `paused`. Compared with today in
            the timezone of `policy.yaml`, or with the day of `touchpoint check --on DATE`.
            """,
        level="warning",
    ),
)


def check_dates(report: Report, rule: Rule, today: date) -> None:
    """R405: the last day is not before `today`."""
    node = find(report.source.root, "valid")
    if node is not None and rule.status in ("live", "shadow") and rule.valid[1] < today:
        report.warn("R405", node, f"these dates were over on {today}, but the rule is {rule.status}")
