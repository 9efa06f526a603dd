"""`touchpoint verify` without servers: sets that were in force at a moment, and what is printed."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from pydantic import SecretStr

from connectors.kafka_rules import Standing
from engine.changes import Change
from engine.cli.verify import Books, show
from engine.errors import LogError
from engine.published import read
from engine.settings import Settings
from engine.verify import Difference, Verdict
from tests.unit.cli.support import FILES, T, Touchpoint, packed

SETTINGS = Settings(key=SecretStr("k" * 16), salt=SecretStr("s" * 16))


def change(name: str, at: int, canary: str | None = None, before: str | None = None) -> Change:
    return Change(name, before, "ann", at, canary, (), False, False)


def test_the_note_of_a_moment_has_the_set_in_force_then() -> None:
    changes = [change("a", 10), change("b", 20, "5%", "a"), change("c", 30)]
    books = Books(Standing([], changes, []), SETTINGS)
    assert [orjson.loads(books.note(at, 3)) for at in (5, 10, 19, 30)] == [
        {}, {"rules": "a"}, {"rules": "a"}, {"rules": "c"},
    ]  # fmt: skip
    assert orjson.loads(books.note(25, 3)) == {
        "rules": "a",
        "canary": {"hash": "b", "canary": "5%", "mark": "3:-1"},
    }


def test_sets_that_cannot_be_compiled_any_more_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    ruleset, message = packed(tmp_path)
    good = read(message)
    bad = read(orjson.dumps({**orjson.loads(message), "hash": "f" * 32}))
    books = Books(Standing([good, bad], [], []), SETTINGS)
    assert books.timezone == ruleset.policy.timezone
    assert "can't be compiled any more" in capsys.readouterr().err
    assert books.fold(ruleset.hash).base.hash == ruleset.hash
    with pytest.raises(LogError, match="expected to be among the published"):
        books.fold("e" * 32)


def test_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"outcome": "offer", "reason": None, "rules_hash": "a" * 32}
    refused = {"outcome": "refused", "reason": "who.arpu", "rules_hash": "a" * 32}
    differences = [
        Difference("1", T, 0, "r", "k", told, refused, False),
        Difference("2", T, 0, "r", "k", None, told, True),
        Difference("3", T, 0, "r", "k", told, {**told, "rules_hash": "b" * 32}, False),
        Difference("4", T, 0, "r", "k", told, told, False),
    ]
    verdict = Verdict(0, 7, records=9, equal=5, sampled=2, different=3, uncertain=1)
    show([verdict], differences, ZoneInfo("Asia/Shanghai"))
    said = capsys.readouterr().out
    for line in (
        "live: offer; again: refused (who.arpu)",
        "live: none; again: offer (uncertain)",
        f"live: offer by {'a' * 8}; again: offer by {'b' * 8}",
        "live: offer, other text or values; again: offer, other text or values",
        "2 refusals more",
        "5 of 9 decisions are the same once more",
    ):
        assert line in said
    show([], [], ZoneInfo("UTC"))
    assert "nothing was decided yet" in capsys.readouterr().out


def test_without_a_kafka_it_says_what_is_missing(touchpoint: Touchpoint) -> None:
    done = touchpoint("verify")
    assert done.exit_code == 2
    assert "TOUCHPOINT_KAFKA_BOOTSTRAP" in done.stderr


def test_a_file_that_cannot_be_written(touchpoint: Touchpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("TOUCHPOINT_DEMO_SECRETS", "yes")
    done = touchpoint("verify", "--out", "/nowhere/at/all.jsonl")
    assert done.exit_code == 2
    assert "expected a file that can be written" in done.stderr
