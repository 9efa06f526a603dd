"""What the making of a case says it gives is what the engine does: for every rule there is, and random ones.

`TOUCHPOINT_EXAMPLES` sets how many random sets of rules are tried.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.language.model import RuleSet
from engine.story.boundaries import boundaries
from engine.story.tell import LANGUAGES, not_staged, story
from engine.story.verify import verify
from tests.differential.engine_side import ruleset_of
from tests.differential.generator import generate
from tests.unit.story.support import IDS, RULES, SETS, rules_of

EXAMPLES = int(os.environ.get("TOUCHPOINT_EXAMPLES", "25"))


def surprises(rules: RuleSet, name: str) -> list[str]:
    """What the engine answered otherwise than foreseen; nothing if all is well."""
    return [
        f"{each.boundary.note}: foreseen {each.boundary.case.expect} {each.boundary.case.because}, "
        f"was {each.sent} {each.because}"
        for each in verify(rules, name, boundaries(rules, name).cases)
        if not each.as_foreseen
    ]


@pytest.mark.parametrize(("folder", "name"), RULES, ids=IDS)
def test_every_rule_has_cases_and_each_gives_what_was_foreseen(folder: str, name: str) -> None:
    told = story(SETS[folder], name)
    assert surprises(SETS[folder], name) == []
    assert list(not_staged(told, LANGUAGES["en"])) == []
    assert told.offers >= 5
    assert len(told.told) - told.offers >= 10


PATTERNS = [
    "{happens: recharge, where: {amount: 20 to 50 yuan}, unless: {amount: 30 yuan}}",
    "{happens: call.out, where: {duration: over 30s, number: not hotline}}",
    "{happens: power.on, where: {place: not airports}}",
    "{enters: malls}",
    "{enters: malls, confirm: 5m}",
    "{enters: mall-wulin, confirm: 3h}",
    "{leaves: campuses}",
    "{stays_in: stadium-dragon, for: 1s}",
    "{stays_in: stadium-dragon, for: 58m}",
    "{stays_in: stadium-dragon, for: 5h}",
    "{count: sms.out, at_least: 1, within: 1h}",
    "{count: call.in, where: {duration: under 10s}, at_least: 12, within: 30m}",
    "{total: recharge.amount, at_least: 19.99 yuan, within: 48h}",
    "{total: call.out.duration, at_least: 1h, within: 6h}",
    "{total: data.session.bytes, where: {app: video, bytes: at least 1 MB}, at_least: 1 GB, within: 2h}",
    "{sequence: [{enters: malls}, {leaves: malls}], within: 3h}",
    "{sequence: [{enters: malls}, {stays_in: campuses, for: 2h}, {happens: call.out}], within: 6h}",
    "{all_of: [{count: call.out, at_least: 3, within: 1h}, {leaves: malls}], within: 2h}",
    "{after: {enters: malls}, no: {leaves: malls}, for: 2h}",
    "{after: {happens: power.off}, no: {sequence: [{happens: bill}, {leaves: malls}], within: 1h}, for: 9h}",
    "{after: {happens: bill}, no: {after: {happens: call.out}, no: {happens: sms.out}, for: 1h}, for: 3h}",
    "{after: {happens: bill, where: {place: malls}},"
    " no: {after: {happens: recharge}, no: {enters: malls}, for: 1h}, for: 9h}",
    "{sequence: [{enters: malls, confirm: 2h}, {leaves: malls}], within: 8h}",
    "{sequence: [{enters: malls},"
    " {after: {leaves: malls}, no: {happens: data.session}, for: 1h}], within: 4h}",
    "{sequence: [{enters: malls}, {after: {leaves: malls}, no: {enters: malls}, for: 1h}], within: 4h}",
    "{sequence: [{enters: malls}, {after: {enters: malls}, no: {happens: bill}, for: 1h}], within: 4h}",
    "{sequence: [{happens: bill}, {after: {happens: call.out}, no: {happens: bill}, for: 1h}], within: 4h}",
    "{sequence: [{after: {leaves: malls}, no: {enters: malls}, for: 1h}, {happens: bill}], within: 9h}",
    "{all_of: [{happens: bill}, {after: {happens: call.out}, no: {happens: bill}, for: 1h}], within: 4h}",
    "{count: product.bought, where: {product: mall-coupon}, at_least: 2, within: 4h}",
    "{any_of: [{stays_in: malls, for: 20m}, {total: call.out.duration, at_least: 90s, within: 1h}]}",
    "{any_of: [{all_of: [{happens: call.out}, {any_of: [{leaves: malls}, {happens: bill}]}], within: 1h}]}",
    "{leaves: malls}",
    "{stays_in: malls, for: 40m}",
    "{sequence: [{enters: malls}, {happens: call.out, where: {number: 10086}}, {leaves: malls}], within: 3h}",
    "{sequence: [{enters: malls, confirm: 1m}, {leaves: malls}], within: 3h}",
    "{sequence: [{leaves: malls}, {enters: campuses}, {leaves: campuses}], within: 5h}",
    "{after: {sequence: [{leaves: campuses}, {enters: stations}], within: 1h},"
    " no: {any_of: [{happens: data.session}, {happens: call.out, where: {number: competitor-hotlines}}]},"
    " for: 45m}",
    "{after: {leaves: malls}, no: {enters: stations}, for: 30m}",
    "{after: {count: data.session, at_least: 5, within: 10m}, no: {happens: data.session}, for: 5h}",
    "{total: call.out.duration, where: {number: hotline, duration: under 10m}, at_least: 30m, within: 4h}",
    "{total: recharge.amount, where: {amount: at most 9.5 yuan}, at_least: 30 yuan, within: 4h}",
    "{any_of: [{enters: malls, confirm: 5m}, {count: sms.out, at_least: 3, within: 1h}, {leaves: stations}]}",
    "{any_of: [{enters: malls}, {happens: power.on, where: {place: malls}}]}",
    "{any_of: [{enters: malls}, {happens: complaint, where: {place: malls}}]}",
    "{all_of: [{happens: sms.out}, {happens: call.out}, {happens: data.session}], within: 1h}",
    "{all_of: [{after: {leaves: malls}, no: {happens: data.session}, for: 1h}, {after: {happens: power.off},"
    " no: {any_of: [{happens: power.on}, {enters: mall-wulin}]}, for: 2h}], within: 20h}",
    "{happens: handset.change, where: {to.network: 5G}, unless: {to.model: [P40, Mate], to.tac: '35012345'}}",
    "{happens: power.on, unless: {place: malls}}",
]


@pytest.mark.parametrize("when", PATTERNS)
@pytest.mark.parametrize(
    "schedule", ["", "schedule: {days: mon to fri, hours: 10:00 to 22:30}", "schedule: {days: [sat, wed]}"]
)
def test_every_verb_gives_what_was_foreseen(when: str, schedule: str) -> None:
    rules = rules_of(when, schedule=schedule)
    assert surprises(rules, "it") == []
    told = story(rules, "it")
    assert told.offers >= 4
    assert len(told.told) - told.offers >= 4
    kinds = {each.boundary.note.kind for each in told.told}
    if schedule:
        assert kinds >= {"hours_last", "hours_end", "hours_before", "hours_start", "other_day"}


@pytest.mark.parametrize(
    ("at_most", "within"), [("1 in 25h", "48h"), ("2 in 30d", "1h"), ("2 in 36h", "5m"), ("1 in 1d", "12h")]
)
def test_limits_give_what_was_foreseen(at_most: str, within: str) -> None:
    rules = rules_of("{happens: call.out}", at_most=at_most, within=within)
    assert surprises(rules, "it") == []
    kinds = [each.note.kind for each in boundaries(rules, "it").cases]
    assert "second_free" in kinds


@given(st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, deadline=None)
@example(1831)  # a record of a cell, among the sightings that a stay needs
@example(185)  # sightings of a stay, counted by the `no:` of a wait after it
def test_random_rules_give_what_was_foreseen(seed: int) -> None:
    rules = ruleset_of(generate(random.Random(seed)))
    for name in rules.rules:
        assert surprises(rules, name) == []


def test_most_random_rules_can_be_told() -> None:
    rules = [ruleset_of(generate(random.Random(seed))) for seed in range(20)]
    problems = [boundaries(each, name).problem for each in rules for name in each.rules]
    assert problems.count("") > 0.6 * len(problems)


def test_what_is_foreseen_can_be_wrong() -> None:
    """A dwell of 30 minutes foreseen for a rule that waits 31: told is what the engine did."""
    cases = boundaries(rules_of("{stays_in: malls, for: 30m}"), "it").cases
    plain = replace(cases[0], case=replace(cases[0].case, name="half an hour"))
    (told,) = verify(rules_of("{stays_in: malls, for: 31m}"), "it", (plain,))
    assert not told.as_foreseen
    assert [sent.at - plain.moment for sent in told.sent] == [60_000_000]
    assert told.case.expect[0].at == 31 * 60_000_000
