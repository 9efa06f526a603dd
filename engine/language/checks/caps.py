"""R402: a rule may tighten the house's limits, never loosen them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.model import Cap, Policy, Rule
from engine.language.report import Report
from engine.language.walk import find
from engine.language.words import write_duration

CHECKS: Final = (
    Check(
        code="R402",
        meaning="a limit that asks for more than the house allows",
        bad="limits: {priority: 5, at_most: 3 in 1d, send_within: 1h, holdout: 5%}",
        good="limits: {priority: 5, at_most: 1 in 7d, send_within: 1h, holdout: 5%}",
        advice="""
            `contact` of `policy.yaml` holds for all rules together, whatever a rule asks for: of
            `3 in 1d`, or of `1 in 1h`, it lets 1 a day through. A rule for one `tier` is held against the
            limit of that tier, too. Ask for less, or have the house rule changed by those who answer for it.
            """,
    ),
)


def check_cap(report: Report, rule: Rule, policy: Policy, tiers: Collection[str]) -> None:
    """R402: more messages in no more time, or as many in less, than policy.yaml lets through for all rules.

    The policy would refuse them, whatever the rule says. Asked are the limits for everybody, and those of the
    tiers that the rule is for, if each of these has one. `tiers`: all there are.
    """
    node = find(report.source.root, "limits", "at_most")
    if node is None or any(message.channel == "manual" for message in rule.offer.send):
        return
    for house in policy.contact:
        if _asks_more(rule.limits.at_most, house):
            said = f"the house sends a subscriber at most {_written(house)}, all rules together"
            report.error("R402", node, said, _HINT)
            return
    meant = [] if report.failed else _tiers_of(rule, tiers)
    caps = [policy.contact_by_tier.get(tier) for tier in meant]
    if meant and all(house is not None and _asks_more(rule.limits.at_most, house) for house in caps):
        house = policy.contact_by_tier[meant[0]]
        said = f"the house sends a `{meant[0]}` at most {_written(house)}, all rules together"
        report.error("R402", node, said, _HINT)


_HINT: Final = "a rule may tighten the policy, never loosen it"


def _asks_more(own: Cap, house: Cap) -> bool:
    return own.count >= house.count and own.window <= house.window and own != house


def _written(cap: Cap) -> str:
    return f"{cap.count} in {write_duration(cap.window)}"


def _tiers_of(rule: Rule, tiers: Collection[str]) -> list[str]:
    """Return the tiers that a rule is for; none if it does not ask, or may be for one that is not listed."""
    found = logic.audience(rule.who, rule.excepts).get("tier")
    if not isinstance(found, logic.Words):
        return []
    known = found.both(logic.Words(frozenset(tiers))) if tiers else found
    return [] if known.others else sorted(map(str, known.words))
