"""The faults of the feed come at their shares, and a clean feed has none."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from connectors.city import WITHOUT_FAULTS, City, CityOptions
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
