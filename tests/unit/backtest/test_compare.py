"""Two versions over made-up decisions: who gains, who loses, over what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.backtest.changes import changed_files
from engine.backtest.compare import Change, Comparison, Side, line_of
from engine.language.loader import load_texts
from engine.language.model import RuleSet
from tests.unit.backtest.world import RULES
from tests.unit.cli.support import FILES

KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    loaded = load_texts({**FILES, **RULES}, ignore=("R303", "R402"))
    assert loaded.ruleset is not None, loaded.problems
    return loaded.ruleset


def line(side: Side, at: int, fate: str, *, key: str = KEY, rule: str = "hall-visit", id: str = "") -> bytes:
    outcome, _, reason = fate.partition(":")
    return line_of(
        side,
        {
            "subscriber_key": key,
            "rule": rule,
            "at": at,
            "id": id or f"{at:032}",
            "outcome": outcome,
            "reason": reason or None,
        },
    )


def compared(new: RuleSet, old: RuleSet, *lines: bytes) -> tuple[dict[str, Any], list[tuple[str, Change]]]:
    comparison, changes = Comparison(new, old), []
    comparison.run(sorted(lines), lambda way, change: changes.append((way, change)))
    return comparison.to_json(), changes


def test_who_is_offered_more_gains_and_hears_what_was_there_before(rules: RuleSet) -> None:
    found, changes = compared(
        rules,
        rules,
        line("new", 5, "offer"),
        line("old", 5, "refused:who.tier"),
        line("new", 9, "offer"),
        line("old", 9, "offer"),
    )
    instants = [{"at": 5, "other": "refused:who.tier"}]
    change = {"subscriber_key": KEY, "rule": "hall-visit", "offers": 2, "offers_before": 1}
    assert changes == [("gain", {**change, "instants": instants})]
    row = next(row for row in found["rules"] if row["rule"] == "hall-visit")
    assert (row["offers"], row["offers_before"], row["gain"], row["lose"]) == (2, 1, 1, 0)
    assert row["gained_over"] == {"refused:who.tier": 1}
    assert found["subscribers"] == {"gain": 1, "lose": 0, "both": 0, "moved": 0}


def test_who_is_offered_less_loses(rules: RuleSet) -> None:
    _, changes = compared(rules, rules, line("old", 5, "offer"), line("new", 5, "control"))
    assert [(way, change["instants"]) for way, change in changes] == [
        ("lose", [{"at": 5, "other": "control"}])
    ]


def test_a_decision_of_another_moment_is_named_as_such(rules: RuleSet) -> None:
    day = 86_400_000_000
    lines = [
        line("old", 5, "offer"),
        line("new", 4 * day, "refused:valid"),
        line("new", day, "refused:only_one_of"),
        line("new", 3, "refused:suppressed"),
        line("new", 9, "refused:channel"),
    ]

    def other(*written: bytes) -> str:
        return str(compared(rules, rules, *written)[1][0][1]["instants"][0]["other"])

    assert other(*lines) == "another moment: refused:suppressed"
    assert other(*lines[:3]) == "another moment: refused:only_one_of"
    assert other(*lines[:2]) == "no match"


@pytest.mark.parametrize("way", [1, -1])
def test_a_decision_a_day_away_is_named_and_one_beyond_is_not(rules: RuleSet, way: int) -> None:
    day, at = 86_400_000_000, 10 * 86_400_000_000

    def other(distance: int) -> str:
        lines = [line("old", at, "offer"), line("new", at + way * distance, "refused:valid")]
        return str(compared(rules, rules, *lines)[1][0][1]["instants"][0]["other"])

    assert other(day) == "another moment: refused:valid"
    assert other(day + 1) == "no match"


def test_as_many_offers_at_other_moments_moved(rules: RuleSet) -> None:
    found, changes = compared(rules, rules, line("old", 5, "offer"), line("new", 6, "offer"))
    assert changes == []
    assert found["subscribers"] == {"gain": 0, "lose": 0, "both": 0, "moved": 1}


def test_a_hold_that_ends_elsewhere_is_the_same_decision(rules: RuleSet) -> None:
    held = "c" * 32
    lines = [
        *(line(side, 1, "held", id=held) for side in ("new", "old")),
        line("old", 7, "offer", id=held),
        line("new", 8, "offer", id=held),
    ]
    assert compared(rules, rules, *lines)[0]["subscribers"]["moved"] == 0
    lines[-1] = line("new", 8, "refused:suppressed", id=held)
    (_, change), *rest = compared(rules, rules, *lines)[1]
    assert change["instants"] == [{"at": 7, "other": "refused:suppressed"}]
    assert rest == []


def test_one_who_gains_and_loses_is_counted_once(rules: RuleSet) -> None:
    found, _ = compared(
        rules,
        rules,
        line("new", 5, "offer"),
        line("old", 5, "offer", rule="hall-stay"),
        line("new", 5, "offer", key=OTHER),
    )
    assert found["subscribers"] == {"gain": 1, "lose": 0, "both": 1, "moved": 0}


def test_without_a_decision_it_says_why(rules: RuleSet) -> None:
    def without(old: RuleSet) -> str:
        return str(compared(rules, old, line("new", 5, "offer"))[1][0][1]["instants"][0]["other"])

    visit = rules.rules["hall-visit"]
    gone = {name: rule for name, rule in rules.rules.items() if name != "hall-visit"}
    assert without(rules) == "no match"
    assert without(replace(rules, rules=gone)) == "no such rule"
    assert without(replace(rules, rules={**gone, "hall-visit": replace(visit, status="paused")})) == "paused"


def test_changes_name_file_line_and_both_texts() -> None:
    old = {**FILES, **RULES, "team/hall-visit.test.yaml": "tests: x"}
    new = {
        **old,
        "team/hall-stay.yaml": RULES["team/hall-stay.yaml"].replace("30m", "25m").replace("vip", "vip, x"),
        "team/callers.yaml": RULES["team/callers.yaml"] + "# a remark\n",
        "team/plan.yaml": RULES["team/plan.yaml"].replace(
            "holdout: 0%", "holdout: 0%, quiet: 12:00 to 13:00"
        ),
        "catalog/cells/x.csv": "cell\n1",
        "team/hall-visit.test.yaml": "tests: y",
    }
    del new["team/heavy.yaml"]
    assert changed_files(new, old) == [
        {"file": "catalog/cells/x.csv", "status": "added", "lines": []},
        {
            "file": "team/hall-stay.yaml",
            "status": "changed",
            "lines": [
                {"key": "when.for", "line": 8, "before": "30m", "after": "25m"},
                {"key": "who.tier", "line": 9, "before": "[gold, vip]", "after": "[gold, vip, x]"},
            ],
        },
        {"file": "team/heavy.yaml", "status": "removed", "lines": []},
        {
            "file": "team/plan.yaml",
            "status": "changed",
            "lines": [{"key": "limits.quiet", "line": 14, "before": None, "after": "12:00 to 13:00"}],
        },
    ]
