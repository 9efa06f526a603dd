"""What may stand in a log: fields by a list, no long number in any form, exceptions without values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from engine.log_fields import ALLOWED, FIELDS, HASHES, LONGEST, MAY_BE_BIG, allowed, hide, shown_exception

IMSI, MSISDN, IMEI = "460001234567890", "+8613800138000", "353879234567891"
CANARIES = (IMSI, MSISDN, MSISDN.removeprefix("+"), MSISDN.removeprefix("+86"), IMEI)


def test_every_field_says_why_it_may_be_logged() -> None:
    assert [name for name, why in FIELDS.items() if len(why) < 4] == []
    assert ALLOWED >= MAY_BE_BIG | HASHES


def test_no_field_is_a_number_of_a_person() -> None:
    assert (
        ALLOWED & {"imsi", "msisdn", "imei", "subscriber", "subscriber_key", "to", "text", "payload"} == set()
    )


@pytest.mark.parametrize("number", CANARIES)
@pytest.mark.parametrize("form", ["{}", "to {}.", "a{}b", "'{}'", "10.0.0.1:9092 {}", "{}:9092", "{}\ud800"])
def test_a_number_in_a_text_is_hidden(form: str, number: str) -> None:
    assert number[-9:] not in hide(form.format(number))


def test_a_number_with_separators_is_hidden() -> None:
    assert hide("at 138 0013 8000, 460-00-1234567890") == "at <digits>, <digits>"
    assert hide("at 138\u00a00013\u00a08000, 460_00_1234567890") == "at <digits>, <digits>"


def test_short_numbers_and_addresses_of_servers_are_shown() -> None:
    text = "broker 10.123.145.167:9092 of 3, code 86, day 2026-09-07"
    assert hide(text) == text


@pytest.mark.parametrize("number", [*CANARIES, "138 0013 8000", "138_0013\u20138000"])
@pytest.mark.parametrize("before_the_cut", range(len(IMSI) + 2))
def test_no_cut_leaves_a_piece_of_a_number(number: str, before_the_cut: int) -> None:
    shown = hide("x" * (LONGEST - before_the_cut) + number + "x" * 9)
    assert len(shown) <= LONGEST + len("…")
    assert shown.startswith("x" * (LONGEST - len(IMSI) - 2))
    assert not any(map(str.isdigit, shown))


@given(
    st.text(alphabet="x 01:.", max_size=40),
    st.text(alphabet="x 01:.", max_size=40),
    st.sampled_from(CANARIES),
)
def test_nothing_around_a_number_brings_it_back(before: str, after: str, number: str) -> None:
    assert number not in hide(f"{before}{number}{after}")


@pytest.mark.parametrize(
    "value",
    [
        *(value for number in CANARIES for value in (number, int(number), number.encode(), Path(number))),
        [IMSI, {"source": IMSI}],
        {"source": {"reason": (int(IMSI), IMEI)}},
        {IMSI: 1},
        float(IMSI),
        ValueError(IMSI),
        {MSISDN},
        object(),
    ],
)
@pytest.mark.parametrize("name", ["source", "reason", "offset", "hash", "problem"])
def test_no_form_of_a_value_shows_a_number(name: str, value: Any) -> None:
    if name in MAY_BE_BIG and isinstance(value, int):
        value = int(IMEI)  # a position may have as many digits as a short phone number
    shown = str(allowed({name: value}))
    assert [number for number in CANARIES if number in shown] == []


def test_fields_that_are_not_listed_are_counted() -> None:
    fields = {"partition": 3, "imsi": IMSI, "source": {"kind": "call", "msisdn": MSISDN}, "who": None}
    assert allowed(fields) == ({"partition": 3, "source": {"kind": "call"}}, 3)


def test_positions_and_hashes_are_shown() -> None:
    fields = {
        "offset": 123_456_789_012,
        "hash": "123456789abc",
        "decision": "0123456789ab" * 2,
        "seconds": 0.25,
    }
    assert allowed(fields) == (fields, 0)


def test_a_hash_in_a_text_is_shown_unless_it_may_hold_a_number() -> None:
    key = "9ef189a53a012345678e6e5ff1abcdef"
    assert hide(f"state of {key}: expected version 1 to 2, was 255") == (
        f"state of {key}: expected version 1 to 2, was 255"
    )
    for other in (
        "abcdefabcdefabcde460001234567890",
        "9ef189a53a0123456789e6e5ff1abcde",
        key + "0",
        "0" * 32,
    ):
        assert hide(f"state of {other}: x") != f"state of {other}: x"


def test_a_hash_of_digits_only_is_hidden() -> None:
    assert allowed({"hash": IMSI}) == ({"hash": "<digits>"}, 0)


def test_long_and_deep_values_are_cut() -> None:
    assert len(allowed({"rules": ["r"] * 100})[0]["rules"]) == 20
    deep: Any = "end"
    for _ in range(50):
        deep = [deep]
    assert "end" not in str(allowed({"rules": deep}))


def raised(error: Exception) -> Exception:
    """Raise and catch an exception, so that it has a traceback with local values."""
    imsi = IMSI
    try:
        raise error
    except Exception as caught:
        assert imsi
        return caught


def test_an_exception_is_class_message_and_positions() -> None:
    shown = shown_exception(raised(KeyError(IMSI)))
    assert shown["class"] == "KeyError"
    assert shown["message"] == "'<digits>'"
    assert len(shown["at"]) == 1
    assert shown["at"][0].endswith(" raised")
    assert set(shown) == {"class", "message", "at"}


def test_causes_and_groups_are_shown_without_numbers() -> None:
    error = raised(ExceptionGroup("several", [ValueError(IMSI), raised(KeyError(MSISDN))]))
    error.__cause__ = raised(LookupError(IMEI))
    shown = shown_exception(error)
    assert [part["class"] for part in shown["group"]] == ["ValueError", "KeyError"]
    assert shown["cause"]["message"] == "<digits>"
    assert [number for number in CANARIES if number in str(shown)] == []


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert str(shown_exception(first)).count("'class'") == 6


def test_pydantic_does_not_repeat_its_input() -> None:
    class Model(BaseModel):
        number: int

    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"number": "Li Lei"})
    assert shown_exception(caught.value)["message"] == "1 errors of validation"


def test_an_exception_without_a_message() -> None:
    class BadError(Exception):
        def __str__(self) -> str:
            raise RuntimeError(IMSI)

    assert shown_exception(BadError())["message"] == "<no message: RuntimeError>"
