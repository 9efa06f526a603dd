"""R401: groups of rules that share one offer."""

from __future__ import annotations

from typing import Final

from engine.language.checks import shape
from engine.language.checks.code import Check
from engine.language.model import Policy
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R401",
        meaning="a group that is not in policy.yaml",
        bad="""
            limits: {priority: 5, only_one_of: upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        good="""
            limits: {priority: 5, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        advice="""
            Write a group of `policy.yaml`, or add the group there with its `cooldown`. A subscriber gets one
            offer of a group within the cooldown, from whichever rule.
            """,
    ),
)


def group(report: Report, node: Node | None, policy: Policy | None) -> str | None:
    """Read `only_one_of`; None after a report, or while policy.yaml can't be read."""
    name = shape.text(report, node, "a group of policy.yaml")
    if not name or policy is None:
        return None
    if name in policy.groups:
        return name
    assert node is not None
    report.unknown("R401", node, f"no group `{name}` in policy.yaml", name, policy.groups)
    return None
