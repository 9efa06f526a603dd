"""R403: quiet time leaves some time to send."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language.checks.code import Check
from engine.language.hours import DAY, pieces
from engine.language.model import Interval, Policy, Rule
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R403",
        meaning="quiet time that leaves no moment to send",
        bad="""
            limits: {priority: 5, at_most: 1 in 14d, quiet: 08:00 to 22:00, send_within: 1h, holdout: 5%}
            """,
        good="""
            limits: {priority: 5, at_most: 1 in 14d, quiet: 12:00 to 14:00, send_within: 1h, holdout: 5%}
            """,
        advice="""
            The rule's `quiet` adds to that of `policy.yaml`. Shorten it; to send in some hours only, give
            the hours in which *not* to send.
            """,
    ),
)


def check_quiet(report: Report, node: Node | None, rule: Rule, policy: Policy) -> None:
    """R403: the policy's and the rule's quiet time together cover the day; nothing is quiet for `manual`."""
    own = rule.limits.quiet
    if any(message.channel == "manual" for message in rule.offer.send):
        return
    if node is not None and own and covers_the_day((*own, *policy.quiet)):
        report.error("R403", node, "with the quiet time of policy.yaml this leaves no moment to send")


def covers_the_day(intervals: Iterable[Interval]) -> bool:
    """Tell whether half-open intervals of minutes cover 00:00 to 24:00."""
    return pieces(intervals) == [(0, DAY)]
