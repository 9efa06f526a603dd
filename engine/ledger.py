"""Contacts and holds: what caps, groups and cooldowns count (semantics.md 4.4, 4.6, 7 m).

A contact is [time, rule, group, what, manual, decision id]. `what`: offer, control, held, shadow. An `offer`
counts for its rule, its group and, unless manual, for the policy; `control` and `held` for their rule only;
`shadow` only for the same rule while it is in shadow.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from engine.rulebook import CompiledRule, Rulebook
from engine.snapshot import Subscriber

OFFER, CONTROL, HELD, SHADOW = "offer", "control", "held", "shadow"
_TIME, _RULE, _GROUP, _WHAT, _MANUAL, _ID = range(6)


def add(sub: Subscriber, time: int, rule: CompiledRule, what: str, manual: bool, id: str) -> None:
    """Write a contact."""
    sub.contacts.append([time, rule.name, rule.rule.limits.only_one_of, what, manual, id])
    sub.gates_dirty = True


def remove(sub: Subscriber, id: str) -> bool:
    """Take the contact of a decision away: its hold ended, or a receipt rejected it for good."""
    kept = [c for c in sub.contacts if c[_ID] != id]
    found = len(kept) != len(sub.contacts)
    sub.contacts = kept
    sub.gates_dirty = True
    return found


def times_of(sub: Subscriber, id: str) -> list[int]:
    """Return the times of a decision's contacts: none, one, or for a moment at a rebuild more."""
    return [c[_TIME] for c in sub.contacts if c[_ID] == id]


def _sees(rule: CompiledRule, contact: list[Any]) -> bool:
    """Say whether a rule sees a contact as an offer: real ones, and in shadow its own shadow ones."""
    if contact[_WHAT] == OFFER:
        return True
    return rule.shadow and bool(contact[_WHAT] == SHADOW and contact[_RULE] == rule.name)


def of_rule(sub: Subscriber, rule: CompiledRule, since: int, without: str | None) -> int:
    """Count this rule's contacts later than `since`; `without`: the id of a hold judged at its end."""
    count = 0
    for contact in sub.contacts:
        if contact[_RULE] != rule.name or contact[_TIME] <= since:
            continue
        if contact[_WHAT] == SHADOW and not rule.shadow:
            continue
        if contact[_WHAT] == HELD and contact[_ID] == without:
            continue
        count += 1
    return count


def of_policy(sub: Subscriber, rule: CompiledRule, since: int) -> int:
    """Count the offers that the policy's caps count, as this rule sees them."""
    return len(in_policy(sub, rule, since))


def in_policy(sub: Subscriber, rule: CompiledRule, since: int) -> list[list[Any]]:
    """List the contacts that `of_policy` counts."""
    return [c for c in sub.contacts if c[_TIME] > since and not c[_MANUAL] and _sees(rule, c)]


def of_group(sub: Subscriber, rule: CompiledRule, group: str, since: int) -> bool:
    """Say whether the group made an offer later than `since`, as this rule sees it."""
    return bool(in_group(sub, rule, group, since))


def in_group(sub: Subscriber, rule: CompiledRule, group: str, since: int) -> list[list[Any]]:
    """List the offers of a group that `of_group` asks for."""
    return [c for c in sub.contacts if c[_TIME] > since and c[_GROUP] == group and _sees(rule, c)]


def names_of(contacts: Iterable[list[Any]], without: Collection[str]) -> list[str]:
    """List the rules of contacts, one for each, but of decisions whose id is in `without`."""
    return [contact[_RULE] for contact in contacts if contact[_ID] not in without]


def expire(sub: Subscriber, book: Rulebook, now: int) -> None:
    """Drop contacts that no cap can count any more."""
    limit = now - book.longest
    if sub.contacts and sub.contacts[0][_TIME] <= limit:
        held = {hold["id"] for hold in sub.holds}
        sub.contacts = [c for c in sub.contacts if c[_TIME] > limit or c[_ID] in held]
        sub.gates_dirty = True


def end_shadow(sub: Subscriber, live: set[str]) -> None:
    """Let the shadow contacts of rules that went live lapse (4.6)."""
    kept = [c for c in sub.contacts if not (c[_WHAT] == SHADOW and c[_RULE] in live)]
    if len(kept) != len(sub.contacts):
        sub.contacts = kept
        sub.gates_dirty = True
