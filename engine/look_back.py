"""How far back a set of rules counts contacts, and what of it is longer than decision lines are kept.

Contacts stand in the state of a subscriber, in Redis. If Redis is lost, a rebuild reads them from decision
lines: a cap that looks further back than these are kept forgets contacts, and people get the offer again.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.language import model, words

SETTING = "TOUCHPOINT_DECISIONS_RETENTION_DAYS"
ACTIVE = ("live", "shadow")
"""Statuses of rules that are judged at all."""


@dataclass(frozen=True, slots=True)
class LookBack:
    """One cap or cooldown."""

    where: str
    """As authors find it: `rule hall-visit (limits.at_most: 1 in 30d)`."""
    length: int
    """How far back it counts contacts, µs."""


def look_backs(rules: model.RuleSet) -> list[LookBack]:
    """Return all caps and cooldowns that count contacts: of rules, of their groups, of the policy."""
    policy = rules.policy
    active = [rule for rule in rules.rules.values() if rule.status in ACTIVE]
    found = []
    for rule in active:
        cap = rule.limits.at_most
        found.append(LookBack(f"rule {rule.name} (limits.at_most: {_cap(cap)})", cap.window))
    used = {rule.limits.only_one_of for rule in active}
    for group, cooldown in policy.groups.items():
        if group in used:
            written = words.write_duration(cooldown)
            found.append(LookBack(f"policy.groups {group} (cooldown: {written})", cooldown))
    for cap in policy.contact:
        found.append(LookBack(f"policy.contact (at_most: {_cap(cap)})", cap.window))
    for tier, cap in policy.contact_by_tier.items():
        found.append(LookBack(f"policy.contact (by_tier {tier}: {_cap(cap)})", cap.window))
    return found


def too_long(rules: model.RuleSet, days: int) -> list[str]:
    """Name each cap and cooldown that looks back further than decision lines are kept, the longest first.

    `days`: how long these are kept. A sentence opens with the setting that has to be larger.
    """
    longer = [one for one in look_backs(rules) if one.length > days * model.DAY]
    longer.sort(key=lambda one: (-one.length, one.where))
    return [
        f"{SETTING}: expected at least {-(-one.length // model.DAY)} days for {one.where}, was {days}"
        for one in longer
    ]


def _cap(cap: model.Cap) -> str:
    return f"{cap.count} in {words.write_duration(cap.window)}"
