"""Offers by the hour of the wall clock: each hour of the recording, and the hours of the day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.backtest.judged import SLOT, RuleCounts


def local_hour(slot: int, zone: ZoneInfo) -> datetime:
    """Return the hour by the wall clock that a quarter of an hour lies in; `slot`: µs // SLOT."""
    return datetime.fromtimestamp(slot * SLOT // 1_000_000, zone).replace(minute=0)


def by_hour(rules: Mapping[str, RuleCounts], timezone: str) -> list[dict[str, Any]]:
    """Return the hours with offers, in order: {hour, offers, rules: rule -> offers}."""
    zone = ZoneInfo(timezone)
    found: dict[int, tuple[str, Counter[str]]] = {}
    for name, counts in sorted(rules.items()):
        for slot, number in counts.slots.items():
            hour = local_hour(slot, zone)
            label = hour.strftime("%Y-%m-%d %H:%M") + hour.isoformat()[19:]
            # the two passes of an hour that the clock repeats are apart in UTC
            found.setdefault(int(hour.timestamp()), (label, Counter()))[1][name] += number
    return [
        {"hour": label, "offers": sum(each.values()), "rules": dict(sorted(each.items()))}
        for _, (label, each) in sorted(found.items())
    ]


def busiest(hours: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the hour with the most offers, the first of equal ones."""
    return max(hours, key=lambda hour: hour["offers"], default=None)


def of_the_day(slots: Mapping[int, int], timezone: str) -> list[int]:
    """Return 24 numbers: offers by hour of the day."""
    zone = ZoneInfo(timezone)
    found = [0] * 24
    for slot, number in slots.items():
        found[local_hour(slot, zone).hour] += number
    return found
