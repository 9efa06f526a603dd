"""What the report says a lower mark would match is what a replay with that mark does match."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.testdata import CHECKOUT
from tests.unit.backtest.conftest import Replayed, by_rule, read_report
from tests.unit.backtest.world import PEOPLE, events, write_rules
from tests.unit.cli.support import T, Touchpoint

CITY = (
    "--seed",
    "5",
    "--subscribers",
    "260",
    "--hours",
    "5",
    "--lively",
    "--start",
    "2026-09-07T09:00+08:00",
)
IN_CITY = {
    "mall-coupon": ("city", "for: 30m", "for: {}"),
    "hospital-visitor": ("city", "for: 60m", "for: {}"),
    "no-internet": ("data", "for: 1h", "for: {}"),
    "bundle-ending": ("data", "at_least: 200 MB", "at_least: {}"),
    "sms-heavy": ("service", "at_least: 5", "at_least: {}"),
    "hotline-care": ("service", "at_least: 2", "at_least: {}"),
}
"""Rule of the project -> its folder, the line with its mark, what is put there."""


def lower(rules: dict[str, Any], name: str, step: int) -> dict[str, Any] | None:
    """Return one of the marks that the report proposes for a rule's `when`: the highest, the next, …"""
    near = next((near for near in rules[name]["near"] if near["where"] == "when"), None)
    proposed = near["what_if"] if near is not None else []
    return proposed[min(step, len(proposed) - 1)] if proposed else None


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city, simulated once."""
    from typer.testing import CliRunner

    from engine.cli.main import app

    folder = tmp_path_factory.mktemp("city")
    done = CliRunner().invoke(app, ["simulate", *CITY, "--out", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_in_a_city(touchpoint: Touchpoint, city: Path, tmp_path: Path) -> None:
    def report(rules: Path) -> dict[str, dict[str, Any]]:
        inputs = ("--events", city / "events.jsonl", "--profiles", city / "profiles.jsonl")
        done = touchpoint(
            "replay", "--rules", rules, *inputs, "--disorder", "5m", "--out", tmp_path / "out", "--report"
        )
        assert done.exit_code == 0, done.stderr
        return by_rule(read_report(tmp_path / "out"))

    now = report(CHECKOUT / "rules")
    changed = tmp_path / "rules"
    shutil.copytree(CHECKOUT / "rules", changed)
    # the highest proposal of one rule, a lower one of the next, …
    steps = {name: step for step, name in enumerate(IN_CITY)}
    proposals = {name: mark for name in IN_CITY if (mark := lower(now, name, steps[name])) is not None}
    assert len(proposals) >= 4
    for name, mark in proposals.items():
        folder, line, put = IN_CITY[name]
        path = changed / folder / f"{name}.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(line) == 1
        value = mark["text"].partition(": ")[2]
        path.write_text(text.replace(line, put.format(value)), encoding="utf-8")
    then = report(changed)
    more = {name: then[name]["matches"] - now[name]["matches"] for name in proposals}
    assert more == {name: mark["more"] for name, mark in proposals.items()}


@pytest.mark.parametrize(
    ("name", "line", "mark"),
    [
        ("hall-stay", "for: 30m", "for: 21m"),
        ("silent", "for: 1h", "for: 48m"),
        ("callers", "at_least: 3", "at_least: 2"),
    ],
)
def test_in_the_small_world(replay: Replayed, tmp_path: Path, name: str, line: str, mark: str) -> None:
    replay(write_rules(tmp_path / "rules"), "now", "--report")
    replay(write_rules(tmp_path / "lower", {f"team/{name}.yaml": (line, mark)}), "then", "--report")
    now, then = (by_rule(read_report(tmp_path / out))[name] for out in ("now", "then"))
    proposed = {row["text"]: row["more"] for near in now["near"] for row in near["what_if"]}
    assert proposed[mark] == then["matches"] - now["matches"] > 0


def test_a_confirmed_entry_is_a_dwell(replay: Replayed, tmp_path: Path) -> None:
    visit = "team/hall-visit.yaml"
    for minutes in (30, 21):
        rules = write_rules(
            tmp_path / str(minutes), {visit: ("{enters: hall}", f"{{enters: hall, confirm: {minutes}m}}")}
        )
        replay(rules, f"out-{minutes}", "--report")
    now, then = (by_rule(read_report(tmp_path / f"out-{minutes}"))["hall-visit"] for minutes in (30, 21))
    [near] = now["near"]
    proposed = {row["text"]: row["more"] for row in near["what_if"]}
    assert proposed["confirm: 21m"] == then["matches"] - now["matches"] > 0


@pytest.mark.parametrize("resident", ["yes", "no"])
@pytest.mark.parametrize("verb", ["stays_in: hall, for", "enters: hall, confirm"])
def test_a_stay_is_that_of_who_is_meant(replay: Replayed, tmp_path: Path, verb: str, resident: str) -> None:
    """Every third lives in the hall, every third elsewhere; of the others it is not known."""
    homes = [
        {
            "kind": "profile.update",
            "t": T - 1,
            "subscriber": name,
            "profile": {"home": ("460-00-1-1", "460-00-9-9")[n % 3]},
        }
        for n, name in enumerate(PEOPLE)
        if n % 3 < 2
    ]
    when = ("when: {stays_in: hall, for: 30m}", f"when: {{{verb}: MARKm, resident: {resident}}}")
    for mark in (30, 21):
        changes = {
            "team/hall-stay.yaml": (when[0], when[1].replace("MARK", str(mark))),
            "policy.yaml": ("timezone:", "learn: {home: 23:00 to 06:00}\ntimezone:"),
        }
        rules = write_rules(tmp_path / str(mark), changes)
        replay(rules, f"out-{mark}", "--report", lines=[*homes, *events()])
    now, then = (by_rule(read_report(tmp_path / f"out-{mark}"))["hall-stay"] for mark in (30, 21))
    [near] = now["near"]
    proposed = {row["text"]: row["more"] for row in near["what_if"]}
    assert proposed[f"{verb.rpartition(' ')[2]}: 21m"] == then["matches"] - now["matches"] > 0


def test_a_schedule_foretells_nothing(replay: Replayed, tmp_path: Path) -> None:
    text = ("when: {stays_in", "schedule: {days: [mon to fri], hours: 08:00 to 12:00}\nwhen: {stays_in")
    replay(write_rules(tmp_path / "rules", {"team/hall-stay.yaml": text}), "out", "--report")
    [near] = by_rule(read_report(tmp_path / "out"))["hall-stay"]["near"]
    assert near["near"]
    assert near["what_if"] == []


def test_near_counts_people_who_stayed_below(replay: Replayed, tmp_path: Path) -> None:
    replay(write_rules(tmp_path / "rules"), "out", "--report")
    rules = by_rule(read_report(tmp_path / "out"))
    [stay] = rules["hall-stay"]["near"]
    # person n is in the hall for 2n minutes, 24 of them
    assert stay["reached"] == len([n for n in range(24) if 2 * n > 30])
    assert sum(row["subscribers"] for row in stay["near"]) == len([n for n in range(24) if 2 * n <= 30])
    assert {row["text"]: row["subscribers"] for row in stay["near"]}[
        "27m to 30m of 30m"
    ] == 2  # 28, 30 minutes
    [calls] = rules["callers"]["near"]
    assert {row["text"]: row["subscribers"] for row in calls["near"]}.keys() <= {"1 of 3", "2 of 3"}
    [plan] = rules["plan"]["near"]
    assert plan["reached"] == rules["plan"]["subscribers_matched"]
