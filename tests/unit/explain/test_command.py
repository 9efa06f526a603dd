"""`touchpoint explain`: whom it finds, and what it says when it does not."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from engine.cli.main import app

WORLD = Path(__file__).parents[2] / "golden" / "explain" / "world"
IMSI, MSISDN = "460000000000012", "+8613900000012"


def explain(*options: str, events: Path = WORLD / "events.jsonl") -> Result:
    files = ["--events", str(events), "--profiles", str(WORLD / "profiles.jsonl")]
    return CliRunner().invoke(app, ["explain", "--rules", str(WORLD), *files, *options])


def key_of(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return str(orjson.loads(result.stdout)["subscriber_key"])


def test_a_subscriber_is_found_by_imsi_msisdn_and_key() -> None:
    key = key_of(explain("--json", "--subscriber", IMSI))
    for id in (MSISDN, MSISDN.removeprefix("+"), MSISDN.removeprefix("+86"), key, key.upper()):
        assert key_of(explain("--json", "--subscriber", id)) == key


def test_a_number_bound_on_the_way_finds_the_records_of_its_imsi(tmp_path: Path) -> None:
    late, number = "460000000000019", "+8613900000019"
    t = 1_788_746_400_000_000
    records = [
        {"kind": "call.out", "t": t, "imsi": late, "number": "10086"},
        {"kind": "profile.update", "t": t, "imsi": late, "msisdn": number, "profile": {"tier": "gold"}},
        {"kind": "call.out", "t": t + 1, "imsi": late, "number": "10086"},
    ]
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records))
    told = explain("--json", "--subscriber", number, events=events)
    assert key_of(told) == key_of(explain("--json", "--subscriber", late, events=events))
    assert orjson.loads(told.stdout)["profile"] == {"tier": "gold"}


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("460000000000099", "15 digits, as an IMSI has"),
        ("+8613999999999", "a phone number"),
        ("someone", "an id of 7 characters"),
    ],
)
def test_an_unknown_subscriber_is_said_without_repeating_the_number(id: str, words: str) -> None:
    result = explain("--subscriber", id)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert (
        result.stderr == f"touchpoint: no record and no profile of this subscriber ({words}) in these files\n"
    )


def test_a_rule_that_is_not_there_is_said_with_the_nearest() -> None:
    result = explain("--subscriber", IMSI, "--rule", "hall-vist")
    assert result.exit_code == 2
    assert "did you mean `hall-visit`?" in result.stderr


def test_a_time_that_is_none_is_said() -> None:
    result = explain("--subscriber", IMSI, "--at", "noon")
    assert result.exit_code == 2
    assert "--at: expected" in result.stderr


def test_nothing_after_at_is_seen() -> None:
    before = explain("--json", "--subscriber", IMSI, "--at", "2026-09-07 10:59:59")
    rule = {story["rule"]: story for story in orjson.loads(before.stdout)["rules"]}["hall-visit"]
    assert rule["stopped_by"] == "when"
    assert rule["decisions"] == []
    assert rule["pattern"][0]["state"].startswith("1 of 2 steps")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--live", IMSI, "--events", "x.jsonl"], "--events: expected nothing with --live"),
        (["--live", IMSI, "--at", "2026-09-07"], "--at: expected nothing with --live"),
        (["--live", IMSI, "--rules", str(WORLD)], "TOUCHPOINT_REDIS_URL: expected"),
        (["--rules", str(WORLD), "--subscriber", IMSI], "--events: expected a value (or --live ID alone"),
        (["--events", "x.jsonl", "--subscriber", IMSI], "--rules: expected a value"),
        ([], "--rules: expected a value"),
    ],
)
def test_files_or_a_deployment_not_both_nor_neither(
    options: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOUCHPOINT_REDIS_URL", raising=False)
    result = CliRunner().invoke(app, ["explain", *options])
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_redis_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.delenv("TOUCHPOINT_KAFKA_BOOTSTRAP", raising=False)
    result = CliRunner().invoke(app, ["explain", "--live", IMSI, "--rules", str(WORLD)])
    assert result.exit_code == 2
    assert result.stderr.startswith("touchpoint: redis:")


def test_records_before_a_number_was_bound_leave_changes_untried(tmp_path: Path) -> None:
    imsi, number = "460000000000019", "+8613900000019"
    t = 1_788_746_400_000_000
    records = [
        {"kind": "profile.update", "t": t, "imsi": imsi, "profile": {"tier": "gold"}},
        {"kind": "call.out", "t": t, "imsi": imsi, "number": "10086", "duration": 60},
        {"kind": "profile.update", "t": t, "imsi": imsi, "msisdn": number, "profile": {"arpu": 1}},
        {"kind": "loc.update", "t": t + 1, "imsi": imsi, "cell": "460-00-1-1"},
    ]
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records))
    told = explain("--json", "--subscriber", number, "--rule", "hall-visit", events=events)
    [story] = orjson.loads(told.stdout)["rules"]
    assert story["decisions"][0]["reason"] == "who.arpu"
    assert story["flips"]["found"] == []
    assert story["flips"]["left"] == "some records came before it was known whose they are"
    whole = explain("--json", "--subscriber", imsi, "--rule", "hall-visit", events=events)
    [story] = orjson.loads(whole.stdout)["rules"]
    assert story["flips"]["left"] is None
