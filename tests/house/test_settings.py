"""Settings: defaults that start, every mistake named with its variable, secrets never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TOUCHPOINT_"):
            monkeypatch.delenv(name)


def problems() -> list[str]:
    """What loading complains about."""
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return list(caught.value.problems)


def test_the_embedded_run_needs_no_setting() -> None:
    settings = load_settings()
    assert settings.key_bytes == b"touchpoint-demo-key"
    assert settings.salt_bytes == b"touchpoint-demo-salt"
    assert settings.home_cc == "86"
    assert settings.rules.is_absolute()


def test_the_environment_sets_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_PARTITIONS", "8")
    monkeypatch.setenv("TOUCHPOINT_RULES", "elsewhere")
    assert load_settings().partitions == 8
    assert load_settings().rules == Path("elsewhere")
    assert load_settings(partitions=3).partitions == 3


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TOUCHPOINT_PARTITIONS", "0", "a whole number from 1 to 1024, was '0'"),
        ("TOUCHPOINT_PARTITIONS", "many", "a whole number from 1 to 1024, was 'many'"),
        ("TOUCHPOINT_BATCH_SIZE", "5001", "a whole number from 1 to 5000, was '5001'"),
        (
            "TOUCHPOINT_HOME_CC",
            "+86",
            "the digits of a country calling code (1 to 3, the first not 0), was '+86'",
        ),
        ("TOUCHPOINT_HOME_CC", "", "the digits of a country calling code (1 to 3, the first not 0), was ''"),
    ],
)
def test_a_mistake_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert problems() == [f"{variable}: expected {expected}"]


def test_all_mistakes_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_PARTITIONS", "none")
    monkeypatch.setenv("TOUCHPOINT_BATCH_SIZE", "none")
    monkeypatch.setenv("TOUCHPOINT_SLAT", "a-salt-that-would-be-ignored")
    assert [line.split(":")[0] for line in problems()] == [
        "TOUCHPOINT_SLAT",
        "TOUCHPOINT_PARTITIONS",
        "TOUCHPOINT_BATCH_SIZE",
    ]


def test_variables_that_others_set_are_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOUCHPOINT_SERVICE_HOST", "TOUCHPOINT_PORT", "TOUCHPOINT_TESTDATA", "TOUCHPOINT_EXAMPLES"):
        monkeypatch.setenv(name, "1")
    load_settings()


@pytest.mark.parametrize("secret", ["", "hush" * 20])
def test_a_secret_of_the_wrong_length_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("TOUCHPOINT_KEY", secret)
    expected = "a secret of 1 to 64 bytes (against Kafka: 16 to 64)"
    assert problems() == [f"TOUCHPOINT_KEY: expected {expected}, was {len(secret)} bytes"]


def test_a_short_key_of_a_test_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_KEY", "k")
    assert load_settings().key_bytes == b"k"


def test_a_secret_is_not_shown_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_SALT", "a-salt-nobody-may-see")
    settings = load_settings()
    assert settings.salt_bytes == b"a-salt-nobody-may-see"
    assert "nobody" not in f"{settings} {settings!r} {settings.model_dump()}"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
