"""Reasons in words: every refusal of the gates, and what an offer goes back to."""

from __future__ import annotations

from typing import Any

import pytest

from engine.care.why import why
from engine.language.checks.reasons import REASONS
from engine.language.loader import load_texts
from engine.language.model import RuleSet
from tests.unit.cli.support import FILES


def rules() -> RuleSet:
    text = FILES["team/hall-visit.yaml"].replace("who: {tier", "except: {arpu: under 50 yuan}\nwho: {tier")
    loaded = load_texts({**FILES, "team/hall-visit.yaml": text})
    assert loaded.ruleset is not None, loaded.problems
    return loaded.ruleset


def line(reason: str | None, **values: Any) -> dict[str, Any]:
    seen = {name.replace("_", "."): value for name, value in values.items()}
    return {"rule": "hall-visit", "reason": reason, "outcome": "refused", "values": seen}


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (line("who.tier", who_tier="ordinary"), "tier is ordinary, wanted gold, vip"),
        (line("who.tier", who_tier=None), "tier is unknown, wanted gold, vip"),
        (line("except.arpu", except_arpu=30), "arpu is 30 yuan, left out: under 50 yuan"),
        (line("consent.marketing", consent_marketing=False), "said no to marketing"),
        (line("consent.location", consent_location=None), "never said yes to location"),
        (line("suppressed"), "opted out, or complained"),
        (line("channel"), "none of the rule's messages is for this subscriber"),
        (line("feed"), "a feed it depends on was down while it waited"),
        (line("valid"), "the rule is live, from 2026-09-01 to 2026-09-30"),
        (line("limits.at_most"), "the rule had its 1 in 24h"),
        (line("policy.contact"), "enough offers of all rules: 2 in 24h"),
        (line("only_one_of"), "had an offer of packs in the last 2h"),
        (line("send_within"), "quiet time would not end within 2h"),
        (line("arbitration"), "another rule took this moment"),
    ],
)
def test_a_refusal_says_what_was_wanted_and_what_was_seen(refused: dict[str, Any], said: str) -> None:
    assert why(refused, rules()) == said


def test_no_reason_of_the_gates_is_left_in_its_short_form() -> None:
    refusing = set(REASONS) - {"when", "holdout"}
    assert [reason for reason in refusing if why(line(reason), rules()) == reason] == []


@pytest.mark.parametrize("outcome", ["offer", "held", "control", "shadow"])
def test_an_offer_says_what_the_subscriber_did_and_which_lines_they_met(outcome: str) -> None:
    made = {**line(None, who_tier="gold", except_arpu=80, consent_marketing=True), "outcome": outcome}
    assert why(made, rules()) == "enters: hall; tier is gold"


def test_of_rules_that_are_not_known_any_more_less_is_said() -> None:
    assert why(line("who.tier", who_tier="ordinary"), None) == "tier is ordinary"
    assert why(line("limits.at_most"), None) == "limits.at_most"
    assert why(line("consent.marketing", consent_marketing=False), None) == "said no to marketing"
    assert why(line(None, who_tier="gold"), None) == "tier is gold"
    gone = {**line("limits.at_most"), "rule": "another"}
    assert why(gone, rules()) == "limits.at_most"
