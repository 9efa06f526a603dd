"""R402: a rule may tighten the house's limits, never loosen them."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.model import Cap, Policy
from engine.language.report import Report
from engine.language.source import Node
from engine.language.words import write_duration

CHECKS: Final = (
    Check(
        code="R402",
        meaning="a limit that asks for more than the house allows",
        bad="limits: {priority: 5, at_most: 3 in 1d, send_within: 1h, holdout: 5%}",
        good="limits: {priority: 5, at_most: 1 in 7d, send_within: 1h, holdout: 5%}",
        advice="""
            `contact` of `policy.yaml` holds for all rules together, whatever a rule asks for. Ask for less,
            or have the house rule changed by those who answer for it.
            """,
    ),
)


def check_cap(report: Report, node: Node | None, cap: Cap, policy: Policy) -> None:
    """R402: more messages in no more time than policy.yaml lets through for all rules together."""
    for house in policy.contact:
        if node is not None and cap.count > house.count and cap.window <= house.window:
            span = write_duration(house.window)
            message = f"the house sends a subscriber at most {house.count} in {span}, all rules together"
            report.error("R402", node, message, "a rule may tighten the policy, never loosen it")
            return
