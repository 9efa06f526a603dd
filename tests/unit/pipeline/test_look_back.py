"""How far back rules count contacts, and which look further than decision lines are kept."""

from __future__ import annotations

import pytest

from engine.language.loader import load_dir
from engine.look_back import SETTING, too_long
from engine.rulebook import Rulebook
from engine.settings import PREFIX, Settings
from tests.testdata import CHECKOUT
from tests.unit.pipeline.stage import DAY, Json, rule, rules_of

TEXT: Json = {"happens": "sms.out"}
HEAD = f"{SETTING}: expected at least"


def test_the_setting_is_one() -> None:
    assert SETTING.removeprefix(PREFIX).lower() in Settings.model_fields


@pytest.mark.parametrize(
    ("limits", "policy", "said"),
    [
        ({"at_most": "1 in 400d"}, {}, "400 days for rule seldom (limits.at_most: 1 in 400d)"),
        ({"at_most": "2 in 366d"}, {}, ""),
        ({"at_most": "1 in 8785h"}, {}, "367 days for rule seldom (limits.at_most: 1 in 8785h)"),
        (
            {},
            {"contact": {"at_most": ["1 in 1d", "9 in 500d"]}},
            "500 days for policy.contact (at_most: 9 in 500d)",
        ),
        (
            {},
            {"contact": {"at_most": "99 in 1d", "by_tier": {"vip": "2 in 380d"}}},
            "380 days for policy.contact (by_tier vip: 2 in 380d)",
        ),
        (
            {"only_one_of": "cards"},
            {"groups": {"cards": {"cooldown": "370d"}}},
            "370 days for policy.groups cards (cooldown: 370d)",
        ),
        ({}, {"groups": {"cards": {"cooldown": "370d"}}}, ""),
    ],
)
def test_what_looks_back_further_than_lines_are_kept_is_named(limits: Json, policy: Json, said: str) -> None:
    found = too_long(rules_of(rule("seldom", TEXT, **limits), **policy), 366)
    assert found == ([f"{HEAD} {said}, was 366"] if said else [])


def test_all_of_them_are_named_the_longest_first() -> None:
    rules = rules_of(rule("a", TEXT, at_most="1 in 60d"), rule("b", TEXT, at_most="1 in 90d"))
    assert too_long(rules, 35) == [
        f"{HEAD} 90 days for rule b (limits.at_most: 1 in 90d), was 35",
        f"{HEAD} 60 days for rule a (limits.at_most: 1 in 60d), was 35",
    ]
    assert Rulebook(rules, b"key").longest == 90 * DAY


@pytest.mark.parametrize("status", ["draft", "paused"])
def test_rules_that_are_not_judged_count_nothing(status: str) -> None:
    rules = rules_of(rule("seldom", TEXT, at_most="1 in 400d", status=status))
    assert too_long(rules, 366) == []
    assert Rulebook(rules, b"key").longest == 30 * DAY


def test_what_is_shipped_fits_the_default() -> None:
    rules = load_dir(CHECKOUT / "rules").ruleset
    assert rules is not None
    assert Rulebook(rules, b"key").longest == 365 * DAY
    assert too_long(rules, Settings().decisions_retention_days) == []
    assert len(too_long(rules, 364)) == 1
