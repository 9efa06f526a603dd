"""The figures of a day: how many records of which kind, when, and where people are (facts/signals.md)."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest

from connectors.city import WITHOUT_FAULTS, City
from engine.language.model import Catalog

PEOPLE = 800
HOUR = 3_600_000_000
MIDNIGHT = 1_788_710_400_000_000
"""2026-09-07 00:00 in Shanghai."""


@pytest.fixture(scope="module")
def city(catalog: Catalog) -> City:
    return City(11, PEOPLE, catalog, start=MIDNIGHT, options=WITHOUT_FAULTS)


@pytest.fixture(scope="module")
def day(city: City) -> list[dict[str, Any]]:
    return list(city.events(24))


def per_day(records: list[dict[str, Any]], *kinds: str) -> float:
    whole = [r for r in records if r["kind"] in kinds and r.get("phase") not in ("start", "update")]
    return len(whole) / PEOPLE


def test_records_per_subscriber_and_hour(day: list[dict[str, Any]]) -> None:
    assert 5.0 < len(day) / PEOPLE / 24 < 8.0


def test_calls_and_messages_per_day(day: list[dict[str, Any]]) -> None:
    assert per_day(day, "call.out", "call.in") == pytest.approx(1.7, rel=0.15)
    assert 1.3 < per_day(day, "sms.out", "sms.in") < 1.8
    assert per_day(day, "mms.out", "mms.in") == pytest.approx(0.14, abs=0.06)


def test_the_busy_hour(day: list[dict[str, Any]]) -> None:
    busy = [r for r in day if MIDNIGHT + 7 * HOUR <= r["t"] < MIDNIGHT + 8 * HOUR]
    kinds = Counter(r["kind"] for r in busy)
    assert 2.0 < kinds["loc.update"] / PEOPLE < 5.0
    assert 3.0 < kinds["loc.handover"] / PEOPLE < 8.0
    assert 2.0 < kinds["data.session"] / PEOPLE < 6.0


def test_data_follows_the_measured_day(day: list[dict[str, Any]]) -> None:
    hours = Counter(
        (r["t_start"] - MIDNIGHT) // HOUR for r in day if r["kind"] == "data.session" and "t_start" in r
    )
    whole = sum(hours.values())
    assert sum(hours[h] for h in range(1, 6)) / 5 / whole == pytest.approx(0.0184, rel=0.2)
    assert sum(hours[h] for h in range(9, 20)) / 11 / whole == pytest.approx(0.052, rel=0.1)


def test_sites_and_moves(city: City, day: list[dict[str, Any]]) -> None:
    town = city.town
    site = {cell: one.key for one in (*town.grid, *town.places.values()) for cell in one.cells}
    seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for record in day:
        if "cell" in record:
            seen[record["imsi"]].append((record.get("t_start", record["t"]), site[record["cell"]]))
    counts, changes = [], 0
    for sightings in seen.values():
        sightings.sort()
        counts.append(len({key for _, key in sightings}))
        changes += sum(a[1] != b[1] for a, b in pairwise(sightings))
    counts.sort()
    assert counts[len(counts) // 2] == 2
    assert 5 <= counts[len(counts) * 9 // 10] <= 6
    assert changes / PEOPLE == pytest.approx(3.5, abs=0.4)


def test_an_idle_phone_reports_itself(city: City, day: list[dict[str, Any]]) -> None:
    """Between two records of a phone that is on lie at most the 54 minutes of T3412, and a way of 40."""
    excused = {r["imsi"] for r in day if r["kind"].startswith(("power", "roam"))}
    seen: dict[str, list[int]] = defaultdict(list)
    for record in day:
        if "cell" in record and record["imsi"] not in excused:
            seen[record["imsi"]].append(record.get("t_start", record["t"]))
    assert len(seen) > PEOPLE * 0.9
    quiet = 0
    for times in seen.values():
        times = [MIDNIGHT, *sorted(times), MIDNIGHT + 24 * HOUR]
        quiet += max(b - a for a, b in pairwise(times)) > 94 * 60_000_000
    # A detach that nobody saw (30 % of them) looks like a phone gone quiet.
    assert quiet / len(seen) < 0.03
