"""Numbers as E.164, whatever stands in front of them."""

from __future__ import annotations

import pytest

from engine.numbers import normalise
from engine.treatments.numbering import Numbering

SHORT = {"10086", "4008110110", "95588"}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("13912345678", "+8613912345678"),
        ("8613912345678", "+8613912345678"),
        ("+86 139-1234-5678", "+8613912345678"),
        ("0086 139 1234 5678", "+8613912345678"),
        ("013912345678", "+8613912345678"),
        ("010-62345678", "+861062345678"),
        ("17951 139 1234 5678", "+8613912345678"),
        ("12593013912345678", "+8613912345678"),
        ("1795100442079460018", "+442079460018"),
        ("+44 20 7946 0018", "+442079460018"),
        ("0044 2079460018", "+442079460018"),
        ("+861062345678 ext. 5", "+861062345678"),
        # short codes, and what the catalogue lists, stay; so does what is no number
        ("10086", "10086"),
        ("1259310086", "10086"),
        ("8610086", "10086"),
        ("17951", "17951"),
        ("179511234", "+86179511234"),
        ("4008110110", "4008110110"),
        ("62345678", "62345678"),
        ("CMCC", "CMCC"),
        ("106575123456789", "106575123456789"),
        ("000000000000000000", "000000000000000000"),
        ("1" * 60, "1" * 60),
        ("", ""),
    ],
)
def test_one_way_to_write_a_number(given: str, written: str) -> None:
    numbering = Numbering("86", short=SHORT)
    assert numbering.write(given) == written
    assert numbering.write(given) == written  # from what is remembered
    assert sum(numbering.counts.values()) <= 2


def test_all_forms_of_a_number_are_one_in_the_log() -> None:
    numbering = Numbering("86", short=SHORT)
    forms = ("13912345678", "8613912345678", "+8613912345678", "008613912345678", "013912345678")
    assert {normalise(numbering.write(form), "86") for form in forms} == {"13912345678"}


def test_another_country_is_at_home_elsewhere() -> None:
    numbering = Numbering("49", carriers=("01013",))
    assert numbering.write("0151 23456789") == "+4915123456789"
    assert numbering.write("01013 0151 23456789") == "+4915123456789"
    assert numbering.write("+86 139 1234 5678") == "+8613912345678"
