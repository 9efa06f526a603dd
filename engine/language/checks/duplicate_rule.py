"""R502: two rules that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.language import moments
from engine.language.checks.code import Check
from engine.language.checks.pairs import Ranked, and_more, before, once_live
from engine.language.hours import listens
from engine.language.model import Policy

CHECKS: Final = (
    Check(
        code="R502",
        meaning="a rule that says the same as another: when, who, except and offer",
        bad="""
            # data/evening.yaml
            limits: {priority: 6, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/morning.yaml
            rule: morning
            who: {brand: [M-Zone, GoTone]}
            """,
        good="""
            # data/evening.yaml
            limits: {priority: 6, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/morning.yaml
            when: {enters: mall}
            who: {brand: EasyOwn}
            """,
        advice="""
            Delete one, or let them differ in what they say. Rules that are never valid on the same day may
            say the same. Not compared: how a line is written, the order of lines and of list members.
            """,
        level="warning",
    ),
)


def is_duplicate(upper: Ranked, lower: Ranked, policy: Policy) -> bool:
    """Tell whether two rules fire together, for the same people, with the same messages."""
    one, other = upper.rule, lower.rule
    return (
        one.offer.product == other.offer.product
        and one.offer.send == other.offer.send
        and upper.audience == lower.audience
        and listens(one.schedule) == listens(other.schedule)
        and moments.normal(one.when) == moments.normal(other.when)
    )


def report(lower: Ranked, uppers: Sequence[Ranked], policy: Policy) -> None:
    """Say it at the name of the rule that comes later."""
    first = uppers[0]
    said = f"this rule says the same as {first.at('rule')}{and_more(uppers)}: when, who, except and offer"
    hint = f"{once_live(first, lower)}the other is always judged first ({before(first, lower)}): delete one"
    lower.report.warn("R502", lower.node("rule"), said, hint)
