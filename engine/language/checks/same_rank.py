"""R503: rules of one group tell who comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.checks.pairs import Ranked, and_more
from engine.language.model import Policy

CHECKS: Final = (
    Check(
        code="R503",
        meaning="two rules of one group with the same priority",
        bad="""
            # data/evening.yaml
            limits: {priority: 6, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/morning.yaml
            when: {enters: mall}
            limits: {priority: 6, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        good="""
            # data/evening.yaml
            limits: {priority: 6, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/morning.yaml
            when: {enters: mall}
            limits: {priority: 7, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        advice="""
            A subscriber gets one offer of the group, and where both rules fire at one moment, their names
            decide which. Give them different priorities. Not reported: rules that share no subscriber or
            no day.
            """,
        level="warning",
    ),
)


def is_same_rank(upper: Ranked, lower: Ranked, policy: Policy) -> bool:
    """Tell whether only the names of two rules decide which comes first; both are of one group."""
    same = upper.rule.limits.priority == lower.rule.limits.priority
    return same and not logic.apart(upper.audience, lower.audience)


def report(lower: Ranked, uppers: Sequence[Ranked], policy: Policy) -> None:
    """Say it at the priority of the rule whose name comes later."""
    first, limits = uppers[0], lower.rule.limits
    other = first.at("limits", "priority")
    said = f"{other} has priority {limits.priority} in group `{limits.only_one_of}`, too{and_more(uppers)}"
    hint = "where both fire at one moment, their names decide: give them different priorities"
    lower.report.warn("R503", lower.node("limits", "priority"), said, hint)
