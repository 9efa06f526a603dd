"""Caps and quiet time as a plain reader of the rules would check them: no code of the engine's gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.language.model import Rule, RuleSet

Json = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def over_caps(offers: Iterable[Json], rules: RuleSet) -> list[str]:
    """Name the offers with which a cap or a cooldown was exceeded (I5)."""
    by_subscriber: dict[str, list[Json]] = {}
    for line in offers:
        by_subscriber.setdefault(line["subscriber_key"], []).append(line)
    found: list[str] = []
    for lines in by_subscriber.values():
        lines.sort(key=lambda line: line["at"])
        for place, line in enumerate(lines):
            before = lines[:place]
            limits = rules.rules[line["rule"]].limits
            own = [one for one in before if one["rule"] == line["rule"]]
            caps = [(limits.at_most, own), *((cap, before) for cap in rules.policy.contact)]
            found += [
                line["id"]
                for cap, ones in caps
                if sum(one["at"] > line["at"] - cap.window for one in ones) >= cap.count
            ]
            if limits.only_one_of is not None:
                cooldown = rules.policy.groups[limits.only_one_of]
                found += [
                    line["id"]
                    for one in before
                    if rules.rules[one["rule"]].limits.only_one_of == limits.only_one_of
                    and one["at"] > line["at"] - cooldown
                ]
    return found


def quiet_submits(
    submits: Iterable[Json], offers: Mapping[str, Json], zones: Mapping[str, str | None], rules: RuleSet
) -> list[str]:
    """Name the submits in quiet time, or that may be delivered in it (I7)."""
    found = []
    for submit in submits:
        line = offers.get(submit["decision"])
        if line is None:
            continue
        zone, rule = zones.get(line["subscriber_key"]), rules.rules[line["rule"]]
        # the last moment at which it may be delivered, and every minute before it back to the submit
        moments = (*range(submit["at"], submit["valid_until_us"], 60_000_000), submit["valid_until_us"] - 1)
        if any(is_quiet(moment, zone, rule, rules) for moment in moments):
            found.append(submit["decision"])
    return found


def is_quiet(moment: int, zone: str | None, rule: Rule, rules: RuleSet) -> bool:
    """Say whether a moment (µs UTC) is in quiet time of a rule, for whom lives in `zone` (None: as all)."""
    local = (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone or rules.policy.timezone))
    minute = local.hour * 60 + local.minute
    spans = [*rules.policy.quiet, *rule.limits.quiet]
    return any(
        start <= minute < end if start < end else minute >= start or minute < end for start, end in spans
    )
