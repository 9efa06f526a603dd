"""R407: `resident` where nobody's home is known."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.model import Enters, Policy, Rule, StaysIn
from engine.language.report import Report
from engine.language.source import Node
from engine.language.walk import patterns

CHECKS: Final = (
    Check(
        code="R407",
        meaning="`resident` where nobody's home is known",
        bad="""
            when: {enters: campus-north, resident: no}
            """,
        good="""
            when: {enters: campus-north}
            """,
        advice="""
            Where people live and work is learned only if `policy.yaml` says `learn`, with the hours of nights
            (`home: 23:00 to 06:00`) and of working days (`work: 10:00 to 17:00`); or a profile gives it in
            the fields `home` and `work` of `catalog/fields.yaml`. Without either it is known of nobody, and a
            rule that asks for it never fires.
            """,
    ),
)


def check_residents(report: Report, when: Node | None, rule: Rule, policy: Policy, known: bool) -> None:
    """R407: a pattern asks who lives where, the policy learns it of nobody. `known`: profiles may say it."""
    if policy.learn is not None or known:
        return
    for pattern, node in patterns(rule.when, when):
        if isinstance(pattern, Enters | StaysIn) and pattern.resident is not None:
            said = "nobody's home is known: the policy does not say `learn`, no field is called `home`"
            hint = "add `learn: {home: 23:00 to 06:00, work: 10:00 to 17:00}` to policy.yaml"
            report.error("R407", node.entries["resident"][1], said, hint)
