"""Contacts and holds: what caps, groups and cooldowns count (semantics.md 4.4, 4.6, 7 m).

A contact is [time, rule, group, what, manual, decision id]. `what`: offer, control, held, shadow. An `offer`
counts for its rule, its group and, unless manual, for the policy; `control` and `held` for their rule only;
`shadow` only for the same rule while it is in shadow.
"""

from __future__ import annotations

from typing import Any

from engine.rulebook import CompiledRule, Rulebook
from engine.snapshot import Subscriber

OFFER, CONTROL, HELD, SHADOW = "offer", "control", "held", "shadow"
TIME, RULE, GROUP, WHAT, MANUAL, ID = range(6)


def add(sub: Subscriber, time: int, rule: CompiledRule, what: str, manual: bool, id: str) -> None:
    """Write a contact."""
    sub.contacts.append([time, rule.name, rule.rule.limits.only_one_of, what, manual, id])
    sub.gates_dirty = True


def remove(sub: Subscriber, id: str) -> bool:
    """Take the contact of a decision away: its hold ended, or a receipt rejected it for good."""
    kept = [c for c in sub.contacts if c[ID] != id]
    found = len(kept) != len(sub.contacts)
    sub.contacts = kept
    sub.gates_dirty = True
    return found


def times_of(sub: Subscriber, id: str) -> list[int]:
    """Return the times of a decision's contacts: none, one, or for a moment at a rebuild more."""
    return [c[TIME] for c in sub.contacts if c[ID] == id]


def _sees(rule: CompiledRule, contact: list[Any]) -> bool:
    """Say whether a rule sees a contact as an offer: real ones, and in shadow its own shadow ones."""
    if contact[WHAT] == OFFER:
        return True
    return rule.shadow and bool(contact[WHAT] == SHADOW and contact[RULE] == rule.name)


def of_rule(sub: Subscriber, rule: CompiledRule, since: int, without: str | None) -> int:
    """Count this rule's contacts later than `since`; `without`: the id of a hold judged at its end."""
    count = 0
    for contact in sub.contacts:
        if contact[RULE] != rule.name or contact[TIME] <= since:
            continue
        if contact[WHAT] == SHADOW and not rule.shadow:
            continue
        if contact[WHAT] == HELD and contact[ID] == without:
            continue
        count += 1
    return count


def of_policy(sub: Subscriber, rule: CompiledRule, since: int) -> int:
    """Count the offers that the policy's caps count, as this rule sees them."""
    return len(in_policy(sub, rule, since))


def in_policy(sub: Subscriber, rule: CompiledRule, since: int) -> list[list[Any]]:
    """List the contacts later than `since` that the policy's caps count, as this rule sees them."""
    return [c for c in sub.contacts if c[TIME] > since and not c[MANUAL] and _sees(rule, c)]


def of_group(sub: Subscriber, rule: CompiledRule, group: str, since: int) -> bool:
    """Say whether the group made an offer later than `since`, as this rule sees it."""
    return bool(in_group(sub, rule, group, since))


def in_group(sub: Subscriber, rule: CompiledRule, group: str, since: int) -> list[list[Any]]:
    """List the offers of a group later than `since`, as this rule sees them."""
    return [c for c in sub.contacts if c[TIME] > since and c[GROUP] == group and _sees(rule, c)]


def expire(sub: Subscriber, book: Rulebook, now: int) -> None:
    """Drop contacts that no cap can count any more."""
    limit = now - book.longest
    if sub.contacts and sub.contacts[0][TIME] <= limit:
        held = {hold["id"] for hold in sub.holds}
        sub.contacts = [c for c in sub.contacts if c[TIME] > limit or c[ID] in held]
        sub.gates_dirty = True


def end_shadow(sub: Subscriber, live: set[str]) -> None:
    """Let the shadow contacts of rules that went live lapse (4.6)."""
    kept = [c for c in sub.contacts if not (c[WHAT] == SHADOW and c[RULE] in live)]
    if len(kept) != len(sub.contacts):
        sub.contacts = kept
        sub.gates_dirty = True
