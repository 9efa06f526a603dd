"""`touchpoint rules publish`: what it refuses before it asks Kafka. More: tests/integration/test_rules.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.support import POLICY, RULE, Touchpoint


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
