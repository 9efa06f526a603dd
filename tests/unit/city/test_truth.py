"""The truth agrees with the clean feed: who was in a place, and who did what was planted."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from connectors.city import WITHOUT_FAULTS, City, CityOptions
from engine.language.model import Catalog

HOURS = 30.0
"""Over midnight."""


@pytest.fixture(scope="module")
def city(catalog: Catalog, start: int) -> City:
    lively = {name: getattr(WITHOUT_FAULTS, name) for name in CityOptions.__slots__} | {"lively": True}
    return City(9, 400, catalog, start=start, options=CityOptions(**lively))


@pytest.fixture(scope="module")
def feed(city: City) -> dict[str, list[dict[str, Any]]]:
    """Records by IMSI; those of the business systems by MSISDN."""
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in city.events(HOURS):
        records[record.get("imsi") or record["msisdn"]].append(record)
    return records


@pytest.fixture(scope="module")
def truth(city: City) -> list[dict[str, Any]]:
    return list(city.truth(HOURS))


def test_cells_of_a_place_are_seen_during_visits_only(
    city: City, feed: dict[str, list[dict[str, Any]]], truth: list[dict[str, Any]]
) -> None:
    place_of = {cell: key for key, place in city.catalog.places.items() for cell in place.cells}
    visits: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for row in truth:
        if row["what"] == "visit":
            visits[row["imsi"], row["place"]].append((row["enter"], row["leave"] or 1 << 62))
    checked = 0
    for imsi, records in feed.items():
        for record in records:
            place = place_of.get(record.get("cell", ""))
            if place is None:
                continue
            # A planted session is located where it ends, all others where they start.
            times = (record.get("t_start", record["t"]), record["t"])
            assert any(enter <= t <= leave for enter, leave in visits[imsi, place] for t in times), record
            checked += 1
    assert checked > 1000


def test_planted_behaviours_are_in_the_feed(
    feed: dict[str, list[dict[str, Any]]], truth: list[dict[str, Any]]
) -> None:
    numbers = {row["imsi"]: row["msisdn"] for row in truth if row["what"] == "person"}
    expected = {
        "competitor-calls": lambda r: r["kind"] == "call.out" and r["number"] == "10010",
        "hotline-then-hall": lambda r: r["kind"] == "call.out" and r["number"] == "10086",
        "handset-change": lambda r: r["kind"] == "handset.change",
        "roam-out": lambda r: r["kind"] == "roam.out",
        "roam-home": lambda r: r["kind"] == "roam.home",
        "first-data": lambda r: r["kind"] == "data.session",
        "pictures": lambda r: r["kind"] == "mms.out",
        "purchase": lambda r: r["kind"] == "product.bought",
        "opt-out": lambda r: r["kind"] == "sms.reply",
        "complaint": lambda r: r["kind"] == "complaint",
    }
    planted: dict[str, list[bool]] = defaultdict(list)
    for row in truth:
        test = expected.get(row["what"])
        if test is not None:
            theirs = feed[row["imsi"]] + feed[numbers[row["imsi"]]]
            planted[row["what"]].append(any(test(r) for r in theirs if r["t"] >= row["at"]))
    assert planted.keys() == expected.keys()
    for what, found in planted.items():
        # One may be lost at the end of the run, or on a phone that is off by another behaviour.
        assert sum(found) >= len(found) * 0.8, what


def test_everybody_has_a_home_and_guests_are_marked(city: City, truth: list[dict[str, Any]]) -> None:
    people = [row for row in truth if row["what"] == "person"]
    assert len({row["imsi"] for row in people}) == city.subscribers
    assert len({row["msisdn"] for row in people}) == city.subscribers
    assert all(row["home"] for row in people)
    assert all(row["imsi"].startswith(row["guest"] or "46000") for row in people)


def test_students_are_on_the_campus(truth: list[dict[str, Any]]) -> None:
    students = {row["imsi"] for row in truth if row["what"] == "person" and row["job"] == "student"}
    there = {row["imsi"] for row in truth if row["what"] == "visit" and row["place"] == "campus-north"}
    assert len(students & there) > 0.8 * len(students)
