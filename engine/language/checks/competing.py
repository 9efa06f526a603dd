"""R505: rules that meet at the same moments say that they compete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.checks.pairs import Ranked, and_more, before, once_live
from engine.language.model import Policy

CHECKS: Final = (
    Check(
        code="R505",
        meaning="two rules that fire at the same moments, of which one at most is sent at each",
        bad="""
            # data/heavy.yaml
            who: {arpu: at least 58 yuan}
            limits: {priority: 60, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/young.yaml
            when: {enters: campus-north}
            who: {brand: M-Zone}
            """,
        good="""
            # data/heavy.yaml
            who: {arpu: at least 58 yuan}
            limits: {priority: 60, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/young.yaml
            who: {brand: M-Zone}
            limits: {priority: 50, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        advice="""
            Of the rules that fire at one moment one is sent. Those who are in both audiences get the first
            rule's offer, and the second is refused `arbitration`, unless a limit stops the first: then they
            may get the second's some days later. If only one of the two is meant for them, put both into one
            `only_one_of` group, which says so; if not, let their audiences exclude each other. Not reported:
            a special rule before a general one.
            """,
        level="warning",
    ),
)


def is_competing(upper: Ranked, lower: Ranked, policy: Policy) -> bool:
    """Tell whether two rules outside of a common group meet at all moments of the lower one.

    An upper audience inside the lower one is the special before the general, which is how it should be.
    """
    group = lower.rule.limits.only_one_of
    return (
        (group is None or group != upper.rule.limits.only_one_of)
        and not logic.narrower(upper.audience, lower.audience)
        and not logic.apart(upper.audience, lower.audience)
        and lower.fires_within(upper)
    )


def report(lower: Ranked, uppers: Sequence[Ranked], policy: Policy) -> None:
    """Say it at the pattern of the rule that comes second."""
    first = uppers[0]
    said = (
        f"{once_live(first, lower)}{first.at('when')} fires whenever this rule does, and comes first for "
        f"those in both audiences{and_more(uppers)}"
    )
    hint = f"{before(first, lower)}; one `only_one_of` group for both would say that this is meant"
    lower.report.warn("R505", lower.node("when"), said, hint)
