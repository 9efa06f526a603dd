"""The faults of the feed come at their shares, and a clean feed has none."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from connectors.city import WITHOUT_FAULTS, City, CityOptions, with_faults
from connectors.city.feed import FAR_KM
from connectors.city.geography import distance
from engine.errors import InputError
from engine.language.model import Catalog


@pytest.fixture(scope="module")
def faulty(catalog: Catalog, start: int) -> list[dict[str, Any]]:
    return list(City(5, 4000, catalog, start=start).events(3))


@pytest.fixture(scope="module")
def network(faulty: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in faulty if "imsi" in record]


def test_shares_of_faults(faulty: list[dict[str, Any]], network: list[dict[str, Any]]) -> None:
    copies = sum(count - 1 for count in Counter(record["id"] for record in faulty).values())
    located = [r for r in network if not r["kind"].startswith(("roam", "sim"))]
    assert copies / len(faulty) == pytest.approx(0.005, rel=0.3)
    assert sum("msisdn" not in r for r in network) / len(network) == pytest.approx(0.05, rel=0.1)
    assert sum("cell" not in r for r in located) / len(located) == pytest.approx(0.039, rel=0.15)
    assert sum(not r["imei"].startswith("8699") for r in network) / len(network) == pytest.approx(
        0.0038, rel=0.3
    )


def test_disorder(faulty: list[dict[str, Any]]) -> None:
    lags = sorted(a["t"] - b["t"] for a, b in pairwise(faulty) if b["t"] < a["t"])
    assert len(lags) / len(faulty) == pytest.approx(0.219, rel=0.12)
    assert lags[len(lags) // 2] / 1e6 == pytest.approx(8.8, rel=0.5)
    assert lags[len(lags) * 9 // 10] / 1e6 == pytest.approx(280, rel=0.5)
    assert 1200e6 < lags[len(lags) * 99 // 100] < 4500e6


def test_copies_are_equal_and_come_later(faulty: list[dict[str, Any]]) -> None:
    first: dict[str, dict[str, Any]] = {}
    for record in faulty:
        assert first.setdefault(record["id"], record) == record


def test_flips_go_to_a_neighbour_and_back(catalog: Catalog, start: int) -> None:
    options = CityOptions(flips=1.0, border_flips=1.0, handovers=0.0, inverted=0.0, missing_cell=0.0)
    city = City(5, 40, catalog, start=start, options=options)
    there = [r for r in city.events(1) if r["kind"] == "loc.handover"]
    pairs = Counter((r["imsi"], r["cell_prev"], r["cell"]) for r in there)
    back = sum(pairs[imsi, b, a] > 0 for imsi, a, b in pairs)
    assert len(pairs) > 20
    assert back / len(pairs) > 0.9


def test_a_clean_feed_is_in_order_and_whole(catalog: Catalog, start: int) -> None:
    clean = list(City(5, 800, catalog, start=start, options=WITHOUT_FAULTS).events(3))
    times = [record["t"] for record in clean]
    assert times == sorted(times)
    assert len({record["id"] for record in clean}) == len(clean)
    for record in clean:
        if "imsi" in record:
            assert "msisdn" in record
            assert "cell" in record or record["kind"].startswith(("roam", "sim"))


def test_business_systems_know_the_number_only(faulty: list[dict[str, Any]]) -> None:
    business = [r for r in faulty if r["source"] == "city/bss" and r["kind"] != "sim.change"]
    assert len(business) > 10
    assert all("imsi" not in r and "imei" not in r and "cell" not in r for r in business)


PEOPLE = 150
HOURS = 6.0


def lived(catalog: Catalog, start: int, **rates: float) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Return the records of a city with these faults only, and what was done to how many."""
    done: Counter[str] = Counter()

    def note(row: dict[str, Any]) -> None:
        if row["what"] == "record":
            done.update(row["done"])

    options = with_faults(CityOptions(), rates, none_else=True)
    return list(City(5, PEOPLE, catalog, start=start, options=options).events(HOURS, note)), done


@pytest.mark.parametrize(
    ("fault", "rate", "deed"),
    [
        ("duplicates", 0.1, "copied"),
        ("inverted", 0.2, "late"),
        ("bad_imei", 0.1, "bad-imei"),
        ("missing_cell", 0.1, "no-cell"),
        ("flips", 0.2, "flip"),
        ("border_flips", 1.0, "flip"),
        ("no_msisdn", 0.1, "no-msisdn"),
        ("unseen_off", 1.0, "lost"),
        ("swapped_cells", 0.1, "wrong-cell"),
        ("false_roaming", 1.0, "false-roaming"),
        ("handset_flips", 0.1, "other-handset"),
        ("mixed_slots", 1.0, "other-slot"),
        ("late_xdr", 1.0, "no-start"),
    ],
)
def test_each_fault_by_itself_does_one_thing_and_the_truth_tells(
    catalog: Catalog, start: int, fault: str, rate: float, deed: str
) -> None:
    clean, nothing = lived(catalog, start)
    faulty, done = lived(catalog, start, **{fault: rate})
    assert not nothing
    assert done.keys() == {deed}
    assert done[deed] > 0
    # what people do stays what it was: the same records, all but those that the fault makes or takes
    ids, others = {r["id"] for r in clean}, {r["id"] for r in faulty}
    assert len(ids ^ others) <= done[deed]


def test_the_truth_of_faults_is_what_the_feed_shows(catalog: Catalog, start: int) -> None:
    marks: dict[str, dict[str, Any]] = {}

    def note(row: dict[str, Any]) -> None:
        if row["what"] == "record" and "id" in row:
            marks[row["id"]] = row

    city = City(5, 500, catalog, start=start)
    records = {record["id"]: record for record in city.events(HOURS, note)}
    clean = {r["id"]: r for r in City(5, 500, catalog, start=start, options=WITHOUT_FAULTS).events(HOURS)}
    compared = 0
    for id, record in records.items():
        before = clean.get(id)
        if before is None:
            assert {"flip", "false-roaming"} & set(marks[id]["done"])
            continue
        deeds = set(marks[id]["done"]) if id in marks else set()
        changed = {name for name in before.keys() | record.keys() if before.get(name) != record.get(name)}
        expected = set()
        if "no-msisdn" in deeds:
            expected.add("msisdn")
        if deeds & {"no-cell", "wrong-cell"}:
            expected.add("cell")
            assert marks[id]["cell"] == before["cell"]
        if deeds & {"bad-imei", "other-handset", "other-slot"}:
            expected.add("imei")
        if "no-start" in deeds:
            expected.add("t_start")
        # clones carry their IMEI in the faulty city only: no fault of single records
        assert changed - {"lac", "tac", "imei"} == expected - {"imei"}
        compared += bool(expected)
    assert compared > 200


def test_wrong_cells_are_far_away(catalog: Catalog, start: int) -> None:
    options = with_faults(CityOptions(), {"swapped_cells": 0.2}, none_else=True)
    city = City(5, 60, catalog, start=start, options=options)
    site_of = {cell: site for site in (*city.town.grid, *city.town.places.values()) for cell in site.cells}
    marks: dict[str, str] = {}

    def note(row: dict[str, Any]) -> None:
        if row["what"] == "record":
            marks[row["id"]] = row["cell"]

    ways = [
        distance(site_of[record["cell"]], site_of[marks[record["id"]]])
        for record in city.events(HOURS, note)
        if record["id"] in marks
    ]
    assert len(ways) > 100
    assert min(ways) >= FAR_KM


def test_a_second_sim_lives_the_life_of_the_first(catalog: Catalog, start: int) -> None:
    options = with_faults(CityOptions(), {"dual_sims": 0.5}, none_else=True)
    city = City(5, 80, catalog, start=start, options=options)
    people = [city.person(number) for number in range(80)]
    visits: dict[str, list[dict[str, Any]]] = {person.imsi: [] for person in people}
    for row in city.truth(24):
        if row["what"] == "visit":
            visits[row["imsi"]].append({**row, "imsi": ""})
    pairs = [person for person in people if person.life != person.index]
    assert len(pairs) > 10
    for person in pairs:
        first = people[person.life]
        assert person.life == person.index - 1
        assert first.imsi != person.imsi
        assert first.imei == person.twin != person.imei
        assert first.imei[:8] == person.imei[:8]
        assert visits[person.imsi] == visits[first.imsi]


def test_a_fault_that_is_none_is_named() -> None:
    with pytest.raises(InputError, match=r"one of .*duplicates.*was 'gremlins'"):
        with_faults(CityOptions(), {"gremlins": 0.1})
    with pytest.raises(InputError, match="flips"):
        with_faults(CityOptions(), {"flips": 2.0})


def test_a_handover_without_a_cell_names_the_one_it_left_unless_that_is_lost_too(
    catalog: Catalog, start: int
) -> None:
    def without(records: list[dict[str, Any]]) -> list[bool]:
        return ["cell_prev" in r for r in records if r["kind"] == "loc.handover" and "cell" not in r]

    kept, done = lived(catalog, start, missing_cell=0.2)
    assert all(without(kept))
    assert not done["no-origin"]
    lost, done = lived(catalog, start, missing_cell=0.2, missing_origin=1.0)
    assert len(without(lost)) == done["no-origin"] == len(without(kept)) > 5
    assert not any(without(lost))
