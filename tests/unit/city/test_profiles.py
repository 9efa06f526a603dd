"""Profiles: fields of the catalogue only, some unknown, some without consent; the same for the same id."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.city import City, profiles_for
from engine.language.model import Catalog

TYPES: dict[str, type | tuple[type, ...]] = {
    "money": (int, float),
    "number": (int, float),
    "percent": (int, float),
    "bytes": int,
    "yes/no": bool,
}


@pytest.fixture(scope="module")
def lines(catalog: Catalog, start: int) -> list[dict[str, Any]]:
    return list(City(4, 2000, catalog, start=start).profiles())


def test_values_are_those_the_catalogue_allows(catalog: Catalog, lines: list[dict[str, Any]]) -> None:
    envelope = {"subscriber", "msisdn", "timezone", "consent"}
    for line in lines:
        for name in line.keys() - envelope:
            spec, value = catalog.fields[name], line[name]
            if spec.values:
                assert value in spec.values
            elif spec.type == "set":
                assert all(isinstance(item, str) for item in value)
            elif spec.type == "place":
                assert value in catalog.places
            else:
                expected = TYPES[spec.type]
                assert isinstance(value, expected)
                assert isinstance(value, bool) == (spec.type == "yes/no")
        assert set(line.get("products", ())) <= catalog.products.keys()


def test_some_are_missing_unknown_refuse_or_must_not_be_disturbed(
    catalog: Catalog, lines: list[dict[str, Any]]
) -> None:
    people = len(lines)
    assert 1940 < people < 2000
    for name in catalog.fields:
        assert 0.01 < sum(name not in line for line in lines) / people < 0.06
    consents = [line.get("consent", {}) for line in lines]
    assert 0.8 < sum(c.get("marketing") is True for c in consents) / people < 0.95
    for purpose in ("marketing", "profiling", "location"):
        assert any(c.get(purpose) is False for c in consents)
        assert any(purpose not in c for c in consents)
    assert 0.02 < sum("do-not-disturb" in line.get("tags", ()) for line in lines) / people < 0.07


def test_profiles_fit_the_behaviour(city_pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for person, line in city_pairs:
        if "data.month" in line:
            assert (line["data.month"] == 0) == (person["data"] in ("never", "none"))
        if "student" in line.get("tags", ()):
            assert person["job"] == "student"


@pytest.fixture
def city_pairs(catalog: Catalog, start: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    city = City(4, 300, catalog, start=start)
    people = {row["imsi"]: row for row in city.truth(0.1) if row["what"] == "person"}
    return [(people[line["subscriber"]], line) for line in city.profiles()]


def test_profiles_for_the_ids_of_a_feed(catalog: Catalog) -> None:
    ids = ["A50E", "B1", "A50E", "C2"]
    lines = list(profiles_for(ids, 3, catalog))
    assert [line["subscriber"] for line in lines] == ["A50E", "B1", "C2"]
    assert list(profiles_for(["C2"], 3, catalog)) == lines[2:]
    assert list(profiles_for(ids, 4, catalog)) != lines
    assert all("msisdn" not in line for line in lines)
