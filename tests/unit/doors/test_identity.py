"""Subscriber keys, bindings and numbers: semantics.md 6, 7 t, 7 u."""

from __future__ import annotations

from hashlib import blake2b

import pytest

from engine.errors import SettingsError
from engine.identity import Identity
from engine.numbers import e164, normalise
from tests.unit.doors.support import IMSI, KEY, MSISDN


def keyed(text: str) -> str:
    return blake2b(text.encode(), digest_size=16, key=KEY).hexdigest()


@pytest.fixture
def identity() -> Identity:
    return Identity(KEY)


def test_keys_are_keyed_hashes_of_the_text(identity: Identity) -> None:
    assert identity.of_imsi(IMSI) == keyed(IMSI)
    assert identity.of_msisdn("139 1234-5678") == keyed(MSISDN)
    assert identity.of_subscriber("A50E2F67 的") == keyed("A50E2F67 的")


def test_a_subscriber_field_holds_any_of_the_three(identity: Identity) -> None:
    assert identity.of_subscriber(IMSI) == identity.of_imsi(IMSI)
    assert identity.of_subscriber(MSISDN) == identity.of_msisdn(MSISDN)
    assert identity.of_subscriber("13912345678") == keyed("13912345678")  # no +: an id as given


def test_a_binding_gives_the_msisdn_the_key_of_the_imsi(identity: Identity) -> None:
    before = identity.of_msisdn(MSISDN)
    identity.bind(IMSI, "13912345678")
    assert before == keyed(MSISDN)
    for spelling in (MSISDN, "13912345678", "008613912345678", "8613912345678"):
        assert identity.of_msisdn(spelling) == keyed(IMSI)
    assert identity.of_subscriber(MSISDN) == keyed(IMSI)


def test_the_latest_binding_of_a_number_holds(identity: Identity) -> None:
    identity.bind(IMSI, MSISDN)
    identity.bind("460009999999999", MSISDN)
    assert identity.of_msisdn(MSISDN) == keyed("460009999999999")


@pytest.mark.parametrize(
    "imsi", ["", "46000123456789", "4600012345678901", "46000123456789x", "４６０００１２３４５６７８９０"]
)
def test_an_imsi_is_fifteen_digits(identity: Identity, imsi: str) -> None:
    assert identity.of_imsi(imsi) is None


@pytest.mark.parametrize("subscriber", ["", "+", "+abc", "x" * 257])
def test_what_no_subscriber_can_be(identity: Identity, subscriber: str) -> None:
    assert identity.of_subscriber(subscriber) is None


def test_a_full_cache_changes_nothing() -> None:
    small = Identity(KEY, remembered=2)
    for _ in range(2):
        for last in range(7):
            assert small.of_imsi(f"46000123456789{last}") == keyed(f"46000123456789{last}")
            assert small.number(f"1391234567{last}") == keyed(f"1391234567{last}")


@pytest.mark.parametrize(
    ("key", "home"), [(b"", "86"), (b"x" * 65, "86"), (KEY, ""), (KEY, "+86"), (KEY, "8686")]
)
def test_bad_settings_are_named(key: bytes, home: str) -> None:
    with pytest.raises(SettingsError, match=r"^TOUCHPOINT_.*expected .*, was "):
        Identity(key, home)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("10086", "10086"),
        ("+86 10086", "10086"),
        ("0086-10086", "10086"),
        ("+86 139 1234-5678", "13912345678"),
        ("(0571) 8765.4321", "057187654321"),
        ("+49 30 1234567", "+49301234567"),
        ("+86", "+86"),
    ],
)
def test_numbers_are_written_one_way(given: str, same: str) -> None:
    assert normalise(given, "86") == same


def test_more_than_eight_digits_are_hashed(identity: Identity) -> None:
    assert identity.number("8765-4321") == "87654321"
    assert identity.number("87654321 0") == keyed("876543210")
    assert identity.number("+86 13912345678") == identity.number("13912345678") == keyed("13912345678")
    assert identity.number("CMCC") == "CMCC"


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("+8613912345678", "+8613912345678"),
        ("8613912345678", "+8613912345678"),
        ("008613912345678", "+8613912345678"),
        ("139-1234-5678", "+8613912345678"),
        ("013912345678", "+8613912345678"),
        ("+4915112345678", "+4915112345678"),
        ("", None),
        ("+", None),
        ("+1234567890123456", None),
        ("+86139x", None),
    ],
)
def test_own_numbers_are_e164(given: str, number: str | None) -> None:
    assert e164(given, "86") == number
