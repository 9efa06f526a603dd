"""The report of a replay as plain data: what `report.json` holds and every other form is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from math import sqrt
from typing import Any
from zoneinfo import ZoneInfo

from engine.backtest import hours
from engine.backtest.judged import CONTROL, MATCHED, OFFERED, TREATMENT, Judged, RuleCounts
from engine.backtest.misses import Misses, Watch
from engine.backtest.prices import Prices
from engine.language.model import Policy, Rule
from engine.rulebook import CompiledRule, Rulebook

FORMAT = 1
OUTCOMES = ("offer", "held", "control", "shadow")
SIGMAS = 3.0
"""A holdout further from its share than so many standard deviations is pointed at."""

Report = dict[str, Any]


def build(judged: Judged, misses: Misses, prices: Prices, first: int | None, last: int) -> Report:
    """Put together what was counted. `first`, `last`: time of the first and the newest record, µs."""
    book = judged.book
    zone = book.policy.timezone
    rules = [
        _rule(rule, book.compiled.get(name), judged.rules.get(name), book.policy, prices)
        for name, rule in sorted(book.rules.rules.items())
    ]
    _add_near(rules, misses, book)
    each_hour = hours.by_hour(judged.rules, zone)
    return {
        "format": FORMAT,
        "rules_hash": book.hash,
        "timezone": zone,
        "first": _time(first, zone) if first is not None else None,
        "last": _time(last, zone) if first is not None else None,
        "prices": prices.to_json(),
        "totals": totals(judged, prices),
        "rules": rules,
        "busiest": hours.busiest(each_hour),
        "hours_of_day": hours.of_the_day(_all_slots(judged), zone),
        "hours": each_hour,
        "overlap": _overlap(judged),
    }


def _time(micros: int, timezone: str) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, ZoneInfo(timezone)).isoformat(" ")


def _all_slots(judged: Judged) -> Counter[int]:
    slots: Counter[int] = Counter()
    for counts in judged.rules.values():
        slots.update(counts.slots)
    return slots


def totals(judged: Judged, prices: Prices) -> dict[str, Any]:
    """Return what was counted over all rules."""
    fates: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    parts = 0
    for counts in judged.rules.values():
        fates.update(counts.fates)
        channels.update(counts.channels)
        parts += _parts(counts)
    refused = {fate.partition(":")[2]: n for fate, n in fates.items() if fate.startswith("refused:")}
    return {
        "matches": sum(counts.matches for counts in judged.rules.values()),
        "hold_ends": sum(counts.endings for counts in judged.rules.values()),
        **{outcome: fates[outcome] for outcome in OUTCOMES},
        "refused": sum(refused.values()),
        "refused_by": dict(sorted(refused.items(), key=lambda item: (-item[1], item[0]))),
        "channels": dict(sorted(channels.items())),
        "sms_parts": parts,
        "cost": prices.cost(parts, channels["mms"]) if prices.known else None,
        "subscribers_judged": judged.people.having(MATCHED),
        "subscribers_offered": judged.people.having(OFFERED),
    }


def _parts(counts: RuleCounts) -> int:
    return sum(number * offers for number, offers in counts.parts.items())


def _rule(
    rule: Rule, compiled: CompiledRule | None, counts: RuleCounts | None, policy: Policy, prices: Prices
) -> dict[str, Any]:
    head: dict[str, Any] = {"rule": rule.name, "title": rule.title, "status": rule.status}
    if compiled is None or counts is None:
        return head
    parts, mms = _parts(counts), counts.channels["mms"]
    return {
        **head,
        "priority": rule.limits.priority,
        "matches": counts.matches,
        "hold_ends": counts.endings,
        "subscribers_matched": counts.people.having(MATCHED),
        "subscribers_offered": counts.people.having(OFFERED),
        **{outcome: counts.fates[outcome] for outcome in OUTCOMES},
        "refused": sum(n for fate, n in counts.fates.items() if fate.startswith("refused:")),
        "funnel": _funnel(compiled, counts),
        "channels": dict(sorted(counts.channels.items())),
        "parts": {str(number): offers for number, offers in sorted(counts.parts.items())},
        "sms_parts": parts,
        "cost": prices.cost(parts, mms) if prices.known else None,
        "holdout": _holdout(rule, counts, policy),
        "hours_of_day": hours.of_the_day(counts.slots, policy.timezone),
        "lost_to": [
            {"rule": winner, "outcome": outcome, "times": times}
            for (winner, outcome), times in sorted(counts.lost.items(), key=_most)
        ],
        "blocked_by": [
            {"gate": gate, "rule": other, "times": times}
            for (gate, other), times in sorted(counts.blocked.items(), key=_most)
        ],
    }


def _most(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]


def _funnel(rule: CompiledRule, counts: RuleCounts) -> list[dict[str, Any]]:
    """Return the gates that refused, in their order: {gate, refused, left}."""
    order = [
        *("feed", "valid"),
        *(f"who.{line.field}" for line in rule.who),
        *(f"except.{line.field}" for line in rule.excepts),
        *(f"consent.{purpose}" for purpose in rule.consents),
        *("suppressed", "channel", "limits.at_most", "policy.contact", "only_one_of", "send_within"),
        "arbitration",
    ]
    left = counts.matches + counts.endings
    found = []
    for gate in dict.fromkeys(order):
        refused = counts.fates[f"refused:{gate}"]
        if refused:
            left -= refused
            found.append({"gate": gate, "refused": refused, "left": left})
    return found


def _holdout(rule: Rule, counts: RuleCounts, policy: Policy) -> dict[str, Any]:
    """Return how subscribers fell into the arms, and whether that fits the share that was configured."""
    control, treatment = counts.people.having(CONTROL), counts.people.having(TREATMENT)
    share = 1 - (1 - policy.holdout) * (1 - rule.limits.holdout)
    number = control + treatment
    found = control / number if number else None
    off = found is not None and abs(found - share) > SIGMAS * sqrt(share * (1 - share) / number)
    return {
        "configured": round(share, 6),
        "found": None if found is None else round(found, 6),
        "control": control,
        "treatment": treatment,
        "unlikely": off,
    }


def _overlap(judged: Judged) -> list[dict[str, Any]]:
    """Return the pairs of rules that passed together: {rules, together, won: rule -> times}."""
    found = []
    for pair, together in sorted(judged.together.items(), key=_most):
        won = {
            winner: sum(n for (name, _), n in judged.rules[loser].lost.items() if name == winner)
            for winner, loser in (pair, pair[::-1])
        }
        found.append({"rules": list(pair), "together": together, "won": won})
    return found


def _add_near(rules: list[dict[str, Any]], misses: Misses, book: Rulebook) -> None:
    by_rule: dict[str, list[tuple[str, Watch]]] = {}
    for watch in misses.watches.values():
        for rule, where in watch.places:
            by_rule.setdefault(rule, []).append((where, watch))
    for row in rules:
        if "matches" in row:
            # a schedule leaves out some of the instants that a lower mark would have
            foretell = book.compiled[row["rule"]].schedule is None
            row["near"] = [_near(where, watch, foretell) for where, watch in by_rule.get(row["rule"], ())]


def _near(where: str, watch: Watch, foretell: bool) -> Mapping[str, Any]:
    return {
        "where": where,
        "pattern": watch.pattern,
        "kind": watch.scale.kind,
        "reached": watch.scale.reached(),
        "near": watch.scale.near(),
        "what_if": watch.scale.what_if() if foretell else [],
    }
