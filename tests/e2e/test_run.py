"""The main job as a user starts it: in a process of its own, watched from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-c", "from engine.cli.main import main; main()", "run"]


def start(out: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*RUN, "--out", str(out), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_offers_are_made_delivered_and_accounted_for(tmp_path: Path) -> None:
    process = start(tmp_path, "--for", "8s", "--speed", "0", "--subscribers", "800", "--json")
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    summary = json.loads(printed)
    assert summary["balanced"] is True
    assert summary["rules_with_offers"] >= 5
    assert summary["refusal_reasons"] >= 5
    decisions, messages = lines(tmp_path / "decisions.jsonl"), lines(tmp_path / "messages.jsonl")
    fates = Counter(decision["outcome"] for decision in decisions)
    assert fates == summary["decisions"]
    offers = {decision["id"] for decision in decisions if decision["outcome"] == "offer"}
    assert len(offers) == fates["offer"]
    assert {message["decision"] for message in messages} == offers
    assert summary["offers_by_end"]["delivered"] == len(offers)


def test_control_subscribers_get_no_message(tmp_path: Path) -> None:
    process = start(tmp_path, "--for", "6s", "--speed", "0", "--subscribers", "800", "--json")
    process.communicate(timeout=60)
    held_out = {d["id"] for d in lines(tmp_path / "decisions.jsonl") if d["outcome"] in ("control", "shadow")}
    assert held_out
    assert not held_out & {message["decision"] for message in lines(tmp_path / "messages.jsonl")}


def test_no_decision_names_a_person(tmp_path: Path) -> None:
    process = start(tmp_path, "--for", "5s", "--speed", "0", "--subscribers", "500")
    printed, errors = process.communicate(timeout=60)
    numbers = {message["to"] for message in lines(tmp_path / "messages.jsonl") if "to" in message}
    assert numbers
    shown = printed + errors
    for name in ("decisions.jsonl", "deadletters.jsonl", "summary.json"):
        shown += (tmp_path / name).read_text(encoding="utf-8")
    assert not [number for number in numbers if number[-11:] in shown]


def test_an_interrupt_ends_it_gracefully(tmp_path: Path) -> None:
    process = start(tmp_path, "--subscribers", "500", "--json")
    end = time.monotonic() + 40
    while not (tmp_path / "decisions.jsonl").exists() and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert json.loads(printed)["balanced"] is True


def test_a_broken_rule_is_named_before_anything_starts(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text("quiet: all night\n", encoding="utf-8")
    process = start(tmp_path / "out", "--rules", str(rules))
    printed, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "policy.yaml" in printed + errors
    assert "Traceback" not in errors


def test_it_follows_its_rules_and_keeps_the_last_good_ones(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    process = start(tmp_path / "out", "--rules", str(rules), "--subscribers", "500")
    assert process.stdout is not None
    printed: list[str] = []

    def read_until(text: str) -> None:
        for line in process.stdout or ():
            printed.append(line)
            if text in line:
                return
        raise AssertionError(f"expected {text}, was\n{''.join(printed)}")

    try:
        read_until("[")  # the first offer: it runs
        rule = rules / "city" / "mall-coupon.yaml"
        good = rule.read_text(encoding="utf-8")
        rule.write_text(good.replace("status: live", "status: paused"), encoding="utf-8")
        read_until("rules: changed to")
        assert printed[-1].endswith(": mall-coupon: live to paused\n")
        rule.write_text(good.replace("malls", "mals"), encoding="utf-8")
        read_until("rules: not changed, those in force stay")
        assert "no place `mals`" in "".join(printed[-8:])
        rule.write_text(good, encoding="utf-8")
        read_until("rules: changed to")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "every record and every offer is accounted for" in rest
    hashes = {line["rules_hash"] for line in lines(tmp_path / "out" / "decisions.jsonl")}
    assert len(hashes) == 2
