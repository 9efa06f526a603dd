"""R506: a cooldown that outlasts the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.checks.pairs import Ranked, and_more, once_live
from engine.language.model import Policy
from engine.language.words import write_duration
from engine.localtime import valid_span

CHECKS: Final = (
    Check(
        code="R506",
        meaning="two rules of a group that no subscriber can ever get both of",
        bad="""
            # policy.yaml
            groups: {data-upsell: {cooldown: 30d}}
            # data/evening.yaml
            valid: 2026-10-01 to 2026-10-07
            limits: {priority: 6, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/morning.yaml
            valid: 2026-10-01 to 2026-10-07
            when: {enters: mall}
            limits: {priority: 7, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        good="""
            # policy.yaml
            groups: {data-upsell: {cooldown: 2d}}
            # data/evening.yaml
            valid: 2026-10-01 to 2026-10-07
            limits: {priority: 6, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            # data/morning.yaml
            valid: 2026-10-01 to 2026-10-07
            when: {enters: mall}
            limits: {priority: 7, only_one_of: data-upsell, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        advice="""
            The cooldown of the group lasts longer than the days on which the rules are valid, so whoever gets
            one offer never gets the other. Shorten the cooldown, take one rule out of the group, or give the
            rules more days.
            """,
        level="warning",
    ),
)


def is_never_both(upper: Ranked, lower: Ranked, policy: Policy) -> bool:
    """Tell whether the cooldown covers all days of both; both are of one group, and share subscribers."""
    cooldown = policy.groups.get(lower.rule.limits.only_one_of or "", 0)
    first = min(upper.rule.valid[0], lower.rule.valid[0])
    last = max(upper.rule.valid[1], lower.rule.valid[1])
    return _length(first, last, policy.timezone) <= cooldown and not logic.apart(
        upper.audience, lower.audience
    )


@lru_cache(maxsize=4096)
def _length(first: date, last: date, timezone: str) -> int:
    """Return the time from the first moment of a day to the end of another, µs."""
    start, end = valid_span(first, last, timezone)
    return end - start


def report(lower: Ranked, uppers: Sequence[Ranked], policy: Policy) -> None:
    """Say it at the group of the rule that comes second."""
    first, group = uppers[0], lower.rule.limits.only_one_of or ""
    said = (
        f"{once_live(first, lower)}nobody ever gets both this offer and that of "
        f"{first.at('limits', 'only_one_of')}{and_more(uppers)}"
    )
    cooldown = write_duration(policy.groups[group])
    hint = f"the cooldown of `{group}`, {cooldown}, covers all days on which one of them is valid"
    lower.report.warn("R506", lower.node("limits", "only_one_of"), said, hint)
