"""A rule can be tried on recorded events before it may be sent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.unit.cli.support import Touchpoint

RULES = Path(__file__).resolve().parents[2] / "examples" / "rules"
EVENT = {"kind": "roam.out", "t": 1_788_600_000_000_000, "subscriber": "someone", "country": "JP"}


def folder(tmp_path: Path) -> Path:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    rule = rules / "travel" / "roam-out.yaml"
    text = rule.read_text(encoding="utf-8").replace("approved_by: retention-lead\n", "")
    rule.write_text(text.replace("退订回R。", ""), encoding="utf-8")
    return rules


def test_replay_takes_a_rule_that_is_not_approved_yet(touchpoint: Touchpoint, tmp_path: Path) -> None:
    rules, events, out = folder(tmp_path), tmp_path / "events.jsonl", tmp_path / "out"
    events.write_text(json.dumps(EVENT) + "\n", encoding="utf-8")
    assert touchpoint("check", rules).exit_code == 1
    tried = touchpoint("replay", "--rules", rules, "--events", events, "--out", out)
    assert tried.exit_code == 0, tried.stderr
    assert "touchpoint check" in tried.stderr
    assert json.loads((out / "summary.json").read_text())["decisions"]["roam-out"]


def test_the_main_job_does_not(touchpoint: Touchpoint, tmp_path: Path) -> None:
    refused = touchpoint("run", "--rules", folder(tmp_path), "--for", "1s", "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "R202" in refused.stderr
