"""Rules held against each other, in the order in which they are judged (semantics.md 4.1).

Compared is each rule with those that come before it. Not every pair: patterns are only looked at where they
share a key (`moments.keys`), groups within the group; so a folder of 200 rules takes milliseconds. One
finding is made of a pair, and of each kind one for a rule: it names the first of the rules in its way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

from engine.language import logic
from engine.language.checks import both_ever, competing, duplicate_rule, same_rank, shadowed
from engine.language.checks.pairs import Ranked
from engine.language.model import Policy

__all__ = ["Ranked", "compare"]

Judge = Callable[[Ranked, Ranked, Policy], bool]
Say = Callable[[Ranked, Sequence[Ranked], Policy], None]

_OF_PATTERN: tuple[tuple[Judge, Say], ...] = (
    (duplicate_rule.is_duplicate, duplicate_rule.report),
    (shadowed.is_shadowed, shadowed.report),
)
_OF_GROUP: tuple[tuple[Judge, Say], ...] = (
    (same_rank.is_same_rank, same_rank.report),
    (both_ever.is_never_both, both_ever.report),
)
_ON_ANY_DAYS: Final = (both_ever.is_never_both,)
"""What is found of rules, too, that are valid one after the other."""
_LAST: tuple[tuple[Judge, Say], ...] = ((competing.is_competing, competing.report),)


def compare(rules: Iterable[Ranked], policy: Policy) -> None:
    """Report the findings of all pairs, each in the file of the rule that comes later.

    Left out: paused rules, and rules that nobody passes, which are reported for that.
    """
    ranked = sorted((rule for rule in rules if rule.rule.status != "paused"), key=lambda rule: rule.order)
    ranked = [rule for rule in ranked if not logic.nobody(rule.audience)]
    by_key: dict[Hashable, list[Ranked]] = {}
    by_group: dict[str, list[Ranked]] = {}
    for lower in ranked:
        group = lower.rule.limits.only_one_of
        near = {id(upper): upper for key in lower.keys for upper in by_key.get(key, ())}
        alike = sorted(near.values(), key=lambda upper: upper.order)
        grouped = by_group.get(group, []) if group else []
        told: set[int] = set()
        for kinds, uppers in ((_OF_PATTERN, alike), (_OF_GROUP, grouped), (_LAST, alike)):
            for judge, say in kinds:
                found = [
                    upper
                    for upper in uppers
                    if id(upper) not in told
                    and (judge in _ON_ANY_DAYS or lower.meets(upper))
                    and judge(upper, lower, policy)
                ]
                told.update(map(id, found))
                if found:
                    say(lower, found, policy)
        for key in lower.keys:
            by_key.setdefault(key, []).append(lower)
        if group:
            by_group.setdefault(group, []).append(lower)
