"""Settings from a TOML file: who wins, and every mistake with file, line and key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.settings import load_settings

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a settings file, and have the environment name it and nothing else."""
    for name in os.environ:
        if name.startswith("TOUCHPOINT_"):
            monkeypatch.delenv(name)
    path = tmp_path / "touchpoint.toml"
    monkeypatch.setenv("TOUCHPOINT_SETTINGS", str(path))

    def write(text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems() -> list[str]:
    """What loading complains about."""
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return list(caught.value.problems)


def test_options_win_over_the_environment_and_that_over_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('partitions = 8\nbatch_size = 9\nhome_cc = "44"\nsalt = "of-the-file"\nrules = "there"\n')
    monkeypatch.setenv("TOUCHPOINT_BATCH_SIZE", "10")
    monkeypatch.setenv("touchpoint_home_cc", "49")
    settings = load_settings(partitions=3)
    assert (settings.partitions, settings.batch_size, settings.home_cc) == (3, 10, "49")
    assert (settings.salt_bytes, settings.rules) == (b"of-the-file", Path("there"))


def test_no_file_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("partitions = 8\n")
    monkeypatch.setenv("TOUCHPOINT_SETTINGS", "")
    assert load_settings().partitions == 4


def test_every_mistake_has_its_line(write: Write) -> None:
    path = write(
        "# ours\npartitions = 0\n\nbatch_sizes = 5\nredis_wait = true\nweb_port = '9464'\nhome_cc = 86\n"
        "key = 12345\nsalt = ''\n[kafka]\nuser = 'me'\n"
    )
    assert problems() == [
        f"{path}:4: batch_sizes: unknown setting, did you mean batch_size?",
        f"{path}:5: redis_wait: expected a whole number from 0 to 9, was True",
        f"{path}:6: web_port: expected a whole number from 0 to 65535, was '9464'",
        f"{path}:7: home_cc: expected the digits of a country calling code (1 to 3, the first not 0), was 86",
        f"{path}:8: key: expected a secret of 1 to 64 bytes (against Kafka: 16 to 64), was a whole number",
        f"{path}:10: kafka: expected no tables, was one",
        f"{path}:9: salt: expected a secret of 1 to 64 bytes (against Kafka: 16 to 64), was 0 bytes",
        f"{path}:2: partitions: expected a whole number from 1 to 1024, was 0",
    ]


def test_a_file_that_is_no_toml(write: Write) -> None:
    path = write('partitions = 8\nsalt = "hush-hush\n')
    [problem] = problems()
    assert problem.startswith(f"{path}:2: expected TOML, was something else: ")
    assert "hush" not in problem


def test_a_file_that_ends_too_soon(write: Write) -> None:
    path = write('partitions = 8\nsalt = """hush-hush\n')
    [problem] = problems()
    assert problem.startswith(f"{path}:3: expected TOML, was something else: ")
    assert "hush" not in problem


def test_a_key_that_stands_twice(write: Write) -> None:
    path = write("partitions = 8\npartitions = 9\n")
    [problem] = problems()
    assert problem.startswith(f"{path}:2: expected TOML, was something else: ")


def test_a_file_of_other_bytes(write: Write) -> None:
    path = write("")
    path.write_bytes(b"partitions = 8\nsalt = '\xff'\n")
    assert problems() == [f"{path}:2: expected UTF-8, was another byte"]


def test_a_file_that_is_not_there(write: Write, tmp_path: Path) -> None:
    gone = tmp_path / "touchpoint.toml"
    assert problems() == [
        f"TOUCHPOINT_SETTINGS: expected a TOML file that can be read, was '{gone}' "
        "(no such file or directory)"
    ]


def test_what_does_not_fit_together_is_named_by_its_variable(write: Write) -> None:
    write("kafka_min_isr = 2\n")
    assert problems() == ["TOUCHPOINT_KAFKA_MIN_ISR: expected at most KAFKA_REPLICATION (1), was 2"]
