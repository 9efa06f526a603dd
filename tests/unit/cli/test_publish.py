"""`touchpoint rules publish`: what it refuses before it asks Kafka. More: tests/integration/test_rules.py."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine import candidate
from engine.changes import Change, compare, read
from engine.cli.watching import FolderWatch
from engine.errors import InputError
from engine.language.loader import Loaded, load_dir
from engine.language.model import (
    Cap,
    Catalog,
    Goal,
    Happens,
    Limits,
    Offer,
    Policy,
    Rule,
    RuleSet,
    Status,
)
from tests.unit.cli.support import POLICY, RULE, T, Touchpoint


def test_rules_that_look_back_further_than_decisions_are_kept_are_refused(
    touchpoint: Touchpoint, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHPOINT_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("TOUCHPOINT_DEMO_SECRETS", "yes")
    (rules / "team/hall-visit.yaml").write_text(RULE.replace("1 in 1d", "1 in 400d"), encoding="utf-8")
    (rules / "policy.yaml").write_text(POLICY.replace("cooldown: 2h", "cooldown: 380d"), encoding="utf-8")
    refused = touchpoint("rules", "publish", rules, "--by", "ann")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.splitlines() == [
        "touchpoint: TOUCHPOINT_DECISIONS_RETENTION_DAYS: expected at least 400 days for rule hall-visit "
        "(limits.at_most: 1 in 400d), was 366",
        "TOUCHPOINT_DECISIONS_RETENTION_DAYS: expected at least 380 days for policy.groups packs "
        "(cooldown: 380d), was 366",
    ]
    monkeypatch.setenv("TOUCHPOINT_DECISIONS_RETENTION_DAYS", "400")
    asked = touchpoint("rules", "publish", rules, "--by", "ann")
    assert asked.exit_code == 2
    assert "Kafka at 127.0.0.1:1: expected to answer" in asked.stderr
    assert "RETENTION" not in asked.stderr


TESTS = """
tests: hall-visit
starts: 2026-09-07 10:00
given: {tier: gold}
cases:
  - {case: comes, events: [{at: +0m, enters: hall}], expect: [{at: +0m, offer: gift}]}
"""


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that lead to a Kafka which is not there."""
    monkeypatch.setenv("TOUCHPOINT_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("TOUCHPOINT_DEMO_SECRETS", "yes")


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize("command", ["publish", "watch"])
def test_rules_that_fail_their_tests_are_refused_with_what_happened(
    touchpoint: Touchpoint, rules: Path, command: str
) -> None:
    (rules / "team/hall-visit.test.yaml").write_text(TESTS.replace("tier: gold", "tier: ordinary"))
    refused = touchpoint("rules", command, rules, "--by", "ann")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    said = refused.stderr.splitlines()
    assert said[0] == "touchpoint: rule tests: expected 1 cases to pass, was 0"
    assert said[2].endswith("hall-visit.test.yaml:6: comes")
    assert "expected an offer of gift at +0m, was none, because who.tier" in refused.stderr
    (rules / "team/hall-visit.test.yaml").write_text(TESTS)
    assert "Kafka at 127.0.0.1:1" in touchpoint("rules", command, rules, "--by", "ann").stderr


@pytest.mark.usefixtures("deployment")
def test_a_broken_test_file_is_refused_too(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "team/hall-visit.test.yaml").write_text(TESTS.replace("enters: hall", "enters: hal"))
    refused = touchpoint("rules", "publish", rules, "--by", "ann")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "R204" in refused.stderr


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize("spec", ["5", "nowhere", "101%", ""])
def test_a_canary_that_is_none_is_refused(touchpoint: Touchpoint, rules: Path, spec: str) -> None:
    refused = touchpoint("rules", "publish", rules, "--by", "ann", "--canary", spec)
    assert refused.exit_code == 2
    assert "--canary: expected a share such as `5%`, or a place or group of these rules" in refused.stderr


@pytest.mark.usefixtures("deployment")
def test_strict_refuses_warnings(touchpoint: Touchpoint, rules: Path) -> None:
    refused = touchpoint("rules", "publish", rules, "--by", "ann", "--strict")
    assert refused.exit_code == 2
    assert "R603" in refused.stderr


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize("by", ["", "  ", "n" * 201])
def test_who_does_it_has_a_name(touchpoint: Touchpoint, rules: Path, by: str) -> None:
    for arguments in (("publish", rules), ("switch", "0123456789"), ("watch", rules)):
        refused = touchpoint("rules", *arguments, "--by", by)
        assert refused.exit_code == 2
        assert "--by: expected a name of 1 to 200 characters" in refused.stderr


def test_a_folder_is_followed_once_for_each_change_that_stands_still(rules: Path) -> None:
    watch = FolderWatch(rules)
    file = rules / "team/hall-visit.yaml"
    assert not watch.has_changed()
    file.write_text(RULE.replace("gold", "golden"), encoding="utf-8")
    assert not watch.has_changed()
    file.write_text(RULE.replace("gold", "vip"), encoding="utf-8")
    assert not watch.has_changed()
    assert watch.has_changed()
    assert not watch.has_changed()
    (rules / "notes.txt").write_text("of no rule")
    assert not watch.has_changed()
    assert not watch.has_changed()
    shutil.rmtree(rules)
    assert [watch.has_changed() for _ in range(3)] == [False, True, False]


@pytest.mark.parametrize("path", ["team/hall-visit.yaml", "team/new.yaml", "policy.yaml"])
def test_rules_that_change_while_they_are_checked_are_not_published(
    rules: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """What would be published is what was checked, and what was read beside it is the same."""

    def slow(folder: Path, **options: Any) -> Loaded:
        found = load_dir(folder, **options)
        with (folder / path).open("a", encoding="utf-8") as file:
            file.write("# somebody writes on\n")
        return found

    assert candidate.examine(rules, "ann", T, "86").cases == 0
    monkeypatch.setattr(candidate, "load_dir", slow)
    with pytest.raises(InputError, match="expected files that stand still while they are checked"):
        candidate.examine(rules, "ann", T, "86")


def test_a_file_that_is_no_text_is_a_change_too(rules: Path) -> None:
    watch = FolderWatch(rules)
    for content in (b"\xb9\xe6", b"\xff\xfe\xfd"):
        (rules / "team/new.yaml").write_bytes(content)
        assert [watch.has_changed() for _ in range(3)] == [False, True, False]


@pytest.mark.usefixtures("deployment")
def test_a_part_of_a_set_is_not_published_in_its_place(touchpoint: Touchpoint, rules: Path) -> None:
    refused = touchpoint("rules", "publish", rules / "team", "--by", "ann")
    assert refused.exit_code == 2
    assert "expected a whole set of rules, with policy.yaml and catalog/" in refused.stderr
    shutil.rmtree(rules / "team")
    refused = touchpoint("rules", "publish", rules, "--by", "ann")
    assert refused.exit_code == 2
    assert "expected at least one rule" in refused.stderr


def test_a_change_says_what_was_and_what_is() -> None:
    now = RuleSet({"a": _rule("a", "live"), "b": _rule("b", "draft")}, Catalog(), Policy(), "h")
    then = RuleSet({"a": _rule("a", "shadow"), "c": _rule("c", "live")}, Catalog(), Policy(holdout=0.1), "g")
    change = Change("h", "g", "ann", 1, None, *compare(then, now))
    assert change.lines() == ["a: shadow to live", "b: new, draft", "c: gone, was live", "policy changed"]
    assert read(change.value) == change
    again = Change("h", "h", "ann", 1, "5%", *compare(now, now))
    assert again.lines() == ["nothing"]
    assert Change("h", None, "ann", 1, None, *compare(None, now)).lines()[:1] == ["a: new, live"]
    for broken in (b"", b"[]", b'{"change": "h"}', b'{"rules": 3}'):
        with pytest.raises(InputError, match="a change of rules: expected hash, by, at and rules"):
            read(broken)


def _rule(name: str, status: Status) -> Rule:
    offer, limits = Offer("x", ()), Limits(0, Cap(1, 1), 0, 0.0)
    days = date(2026, 1, 1), date(2026, 1, 2)
    return Rule(
        name, "t", "o", status, days, Happens("sms.out"), (), (), offer, limits, Goal(Happens("sms.out"), 1)
    )
