"""Networks: countries by MCC, lengths of MNCs, held against a public list of networks."""

from __future__ import annotations

import json

import pytest

from engine.countries import COUNTRIES
from engine.plmn import COUNTRY, country_of, home_of, is_plmn, of_cell
from tests.testdata import folder


def test_every_country_is_one() -> None:
    assert set(COUNTRY.values()) <= set(COUNTRIES)
    assert all(len(mcc) == 3 and mcc.isdecimal() for mcc in COUNTRY)


@pytest.mark.parametrize(
    ("imsi", "home"),
    [
        ("460001234567890", "46000"),
        ("310260123456789", "310260"),
        ("302720123456789", "302720"),
        ("262011234567890", "26201"),
        ("405861123456789", "405861"),
        ("405511234567890", "40551"),
        ("901700000000001", "90170"),
        ("001010123456789", None),
        ("999700000000001", None),
    ],
)
def test_home_of_an_imsi(imsi: str, home: str | None) -> None:
    assert home_of(imsi) == home


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("46000", True), ("310260", True), ("90112", True), ("00101", False), ("99999", False), ("4600", False),
     ("4600000", False), ("46O00", False), ("", False)],
)  # fmt: skip
def test_what_is_a_network(text: str, is_one: bool) -> None:
    assert is_plmn(text) is is_one


@pytest.mark.parametrize(
    ("cell", "plmn"),
    [
        ("460-00-4301-101", "46000"),
        ("310-260-1234", "310260"),
        ("area:mall", None),
        ("460-0", None),
        ("x-y-1", None),
    ],
)
def test_the_network_of_a_cell(cell: str, plmn: str | None) -> None:
    assert of_cell(cell) == plmn


def test_ships_and_planes_are_in_no_country() -> None:
    assert country_of("90114") is None
    assert country_of("46000") == "CN"


@pytest.mark.testdata("data/reference/mcc_mnc_list_2023.json")
def test_held_against_a_public_list() -> None:
    listed = json.loads((folder() / "data/reference/mcc_mnc_list_2023.json").read_text(encoding="utf-8"))
    networks = [
        n for n in listed if n["mcc"] and n["mnc"] and n["mnc"].isdecimal() and n["status"] == "Operational"
    ]
    assert len(networks) > 900
    wrong_country, wrong_length = [], []
    for network in networks:
        mcc, mnc, code = network["mcc"], network["mnc"], (network["countryCode"] or "")[:2]
        if code and mcc in COUNTRY and COUNTRY[mcc] not in network["countryCode"]:
            wrong_country.append((mcc, network["countryCode"]))
        assert not code or mcc in COUNTRY, network
        imsi = (mcc + mnc).ljust(15, "1")
        if mcc in COUNTRY and home_of(imsi) != mcc + mnc:
            wrong_length.append((mcc, mnc))
    # territories under another country's code, and networks that use another length than their neighbours
    assert len(wrong_country) <= 0.03 * len(networks), wrong_country
    assert len(wrong_length) <= 0.03 * len(networks), wrong_length
