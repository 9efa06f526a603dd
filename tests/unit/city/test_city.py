"""The feed of a city: repeatable, the same for a subscriber in any city, and fit for intake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from connectors.city import City, CityOptions
from engine.errors import InputError
from engine.event_kinds import KINDS
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import Catalog

LIVELY = CityOptions(lively=True)


def encoded(records: Iterable[dict[str, Any]]) -> list[bytes]:
    return [orjson.dumps(record) for record in records]


@pytest.mark.parametrize("options", [CityOptions(), LIVELY], ids=["calm", "lively"])
def test_one_seed_gives_the_same_bytes(catalog: Catalog, start: int, options: CityOptions) -> None:
    city = City(7, 60, catalog, start=start, options=options)
    again = City(7, 60, catalog, start=start, options=options)
    other = City(8, 60, catalog, start=start, options=options)
    assert encoded(city.events(2)) == encoded(city.events(2)) == encoded(again.events(2))
    assert encoded(city.profiles()) == encoded(again.profiles())
    assert encoded(city.truth(2)) == encoded(again.truth(2))
    assert encoded(city.events(2)) != encoded(other.events(2))


def test_a_subscriber_is_the_same_in_a_city_of_any_size(catalog: Catalog, start: int) -> None:
    small = City(7, 25, catalog, start=start, options=LIVELY)
    large = City(7, 90, catalog, start=start, options=LIVELY)
    people = [row for row in small.truth(0.5) if row["what"] == "person"]
    known = {row["imsi"] for row in people} | {row["msisdn"] for row in people}
    theirs = [r for r in large.events(18) if r.get("imsi") in known or r.get("msisdn") in known]
    assert encoded(theirs) == encoded(small.events(18))
    assert encoded(large.profiles())[: len(list(small.profiles()))] == encoded(small.profiles())


def test_a_longer_run_begins_with_the_shorter(catalog: Catalog, start: int) -> None:
    city = City(3, 40, catalog, start=start)
    short, long = encoded(city.events(1.3)), encoded(city.events(30))
    assert long[: len(short)] == short
    assert len(long) > len(short)


def test_every_kind_of_network_and_business_appears_in_a_lively_city(catalog: Catalog, start: int) -> None:
    city = City(7, 2000, catalog, start=start, options=LIVELY)
    seen = {record["kind"] for record in city.events(1)}
    own = {name for name, kind in KINDS.items() if kind.group == "control"}
    assert seen - own == KINDS.keys() - own


def test_profiles_and_consents_change_over_a_day(catalog: Catalog, start: int) -> None:
    kinds = Counter(record["kind"] for record in City(7, 1500, catalog, start=start).events(12.5))
    assert kinds["profile.update"] > 10
    assert kinds["consent.change"] > 0


def test_intake_takes_every_record_and_profile(catalog: Catalog, start: int) -> None:
    city = City(7, 500, catalog, start=start, options=LIVELY)
    intake = Intake(Identity(b"key"))
    for position, line in enumerate(encoded(city.profiles())):
        assert intake.profile_line(line, "profiles", str(position)) is not None
    for position, raw in enumerate(encoded(city.events(1.5))):
        assert len(intake.read(raw, "city", str(position))) == 1
    assert not intake.refused


def test_records_carry_only_the_fields_of_their_kind(catalog: Catalog, start: int) -> None:
    envelope = {"id", "source", "kind", "t", "t_start", "imsi", "msisdn", "imei"}
    city = City(7, 500, catalog, start=start, options=LIVELY)
    for record in city.events(1):
        assert (
            record.keys() - envelope
            <= KINDS[record["kind"]].fields.keys() | KINDS[record["kind"]].maps.keys()
        )
        assert len(record["id"]) == 16
        assert record.get("t_start", record["t"]) <= record["t"]


def test_records_arrive_within_the_hours_asked_for(catalog: Catalog, start: int) -> None:
    city = City(7, 100, catalog, start=start)
    times = [record["t"] for record in city.events(2)]
    assert start <= min(times)
    assert max(times) < start + 2 * 3_600_000_000
    assert list(city.events(0)) == []


def test_an_empty_catalogue_makes_a_city_without_places(start: int) -> None:
    city = City(1, 200, Catalog(), start=start, options=LIVELY)
    assert sum(1 for _ in city.events(2)) > 1000
    assert not [row for row in city.truth(2) if row["what"] == "visit"]


def test_days_of_another_zone_and_a_change_of_the_clock() -> None:
    dst = 1_774_738_800_000_000  # 2026-03-29 00:00 in Berlin: the night has 23 hours
    city = City(1, 30, Catalog(), start=dst, options=CityOptions(timezone="Europe/Berlin"))
    hours = {(record["t"] - dst) // 3_600_000_000 for record in city.events(26)}
    assert hours == set(range(26))


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"inverted": 0.6}, "inverted"),
        ({"duplicates": -0.1}, "duplicates"),
        ({"flips": float("nan")}, "flips"),
        ({"late_xdr": 1.1}, "late_xdr"),
        ({"timezone": "Asia/Nowhere"}, "timezone"),
        ({"sites": 1}, "sites"),
    ],
)
def test_wrong_options_are_named(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError, match=where):
        CityOptions(**wrong)


def test_a_wrong_city_is_named(catalog: Catalog, start: int) -> None:
    with pytest.raises(InputError, match="subscribers"):
        City(1, -1, catalog, start=start)
    with pytest.raises(InputError, match="start"):
        City(1, 1, catalog, start=0)
    with pytest.raises(InputError, match="hours"):
        list(City(1, 1, catalog, start=start).events(-1))
