"""R504: a rule that always comes second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.language import hours, logic
from engine.language.checks.code import Check
from engine.language.checks.pairs import Ranked, and_more, before, once_live
from engine.language.model import Interval, Policy

CHECKS: Final = (
    Check(
        code="R504",
        meaning="a shadowed rule: wherever it fires, another one fires and comes first",
        bad="""
            # data/everybody.yaml
            who: {}
            limits: {priority: 60, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/young.yaml
            who: {brand: M-Zone}
            limits: {priority: 50, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        good="""
            # data/everybody.yaml
            who: {}
            limits: {priority: 60, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/young.yaml
            who: {brand: M-Zone}
            limits: {priority: 70, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        advice="""
            The special rule goes before the general one: give it the higher priority. As it stands it sends
            only where a gate stops the other: its limits, its group, the house's limits, a consent. What is
            claimed is proven from the two files: the same moments or fewer (subscribers with more than 2,000
            records in 48 hours aside), the same people or fewer, the same days or fewer, no quiet time that
            this rule alone waits out, and a message of the other without `if`, so that one always fits.
            """,
        level="warning",
    ),
)


def is_shadowed(upper: Ranked, lower: Ranked, policy: Policy) -> bool:
    """Tell whether the upper rule fires, for the same person, whenever the lower one does."""
    sends = any(not message.condition for message in upper.rule.offer.send)
    return (
        sends
        and logic.narrower(lower.audience, upper.audience)
        and lower.fires_within(upper)
        and _waits_as_long(upper, lower, policy)
    )


def _waits_as_long(upper: Ranked, lower: Ranked, policy: Policy) -> bool:
    """Tell whether quiet time refuses the upper rule only where it refuses the lower one, too."""
    above, below = _quiet(upper, policy), _quiet(lower, policy)
    if not above or all(message.channel == "manual" for message in upper.rule.offer.send):
        return True
    if any(message.channel == "manual" for message in lower.rule.offer.send):  # nothing is quiet for it
        return False
    return hours.inside(above, below) and upper.rule.limits.send_within >= lower.rule.limits.send_within


def _quiet(each: Ranked, policy: Policy) -> list[Interval]:
    return hours.pieces((*policy.quiet, *each.rule.limits.quiet))


def report(lower: Ranked, uppers: Sequence[Ranked], policy: Policy) -> None:
    """Say it at the priority of the rule that comes second."""
    first = uppers[0]
    who = "for everybody it is for" if lower.audience != first.audience else "for the same people"
    said = (
        f"{once_live(first, lower)}whenever this rule fires, {first.at('limits', 'priority')} fires {who} "
        f"and comes first{and_more(uppers)}"
    )
    hint = (
        f"{before(first, lower)}: this one is sent only where a limit, a group or a consent stops the other"
    )
    lower.report.warn("R504", lower.node("limits", "priority"), said, hint)
