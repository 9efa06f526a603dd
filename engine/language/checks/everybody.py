"""R406: a holdout leaves somebody to send to."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R406",
        meaning="a holdout of everybody",
        bad="limits: {priority: 5, at_most: 1 in 14d, send_within: 1h, holdout: 100%}",
        good="limits: {priority: 5, at_most: 1 in 14d, send_within: 1h, holdout: 10%}",
        advice="""
            `holdout` is the share of people who are *not* sent to, so that the others can be held against
            them. For a rule that only counts, write `status: shadow`; the `holdout` of `policy.yaml` is
            that of all rules together.
            """,
        level="warning",
    ),
)


def check_share(report: Report, node: Node | None, share: float) -> None:
    """R406: the share of a rule, or of the policy."""
    if node is not None and share >= 1:
        hint = "to only count, set the rule to `status: shadow`"
        report.warn("R406", node, "nobody is ever sent anything: all are held out", hint)
