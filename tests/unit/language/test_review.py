"""The review: what it asks, of whom, and that many rules cost little."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from engine.language import hours
from engine.language.loader import Loaded, load_dir, load_texts
from engine.language.model import Schedule
from tests.testdata import CHECKOUT
from tests.unit.language.texts import POLICY, files, rule_text

NOW = datetime(2026, 9, 5, tzinfo=UTC)


def review(*rules: str, now: datetime = NOW, **others: str) -> Loaded:
    """Review rules named a, b, c, … in this order."""
    texts = files(rules[0], **others)
    del texts["r.yaml"]
    for number, text in enumerate(rules):
        name = f"rule-{number:03}"
        texts[f"{name}.yaml"] = text.replace("rule: r\n", f"rule: {name}\n")
    return load_texts(texts, review=now)


def found(*rules: str, **others: str) -> list[tuple[str, str]]:
    """Return file and code of what is found."""
    return [(problem.path, problem.code) for problem in review(*rules, now=NOW, **others).problems]


def test_the_rules_of_this_project_pass_it_and_those_of_the_examples_run() -> None:
    assert [p.pretty() for p in load_dir(CHECKOUT / "rules", review=NOW).problems] == []
    examples = load_dir(CHECKOUT / "tests" / "examples" / "rules", review=NOW)
    assert {problem.code for problem in examples.problems} == {"R212", "R603"}
    assert examples.ruleset is not None


def test_only_a_review_looks_across_and_it_stops_nothing() -> None:
    texts = {**files(rule_text()), "s.yaml": rule_text().replace("rule: r\n", "rule: s\n")}
    assert load_texts(texts).problems == ()
    assert load_texts(texts).costs == ()
    loaded = load_texts(texts, review=NOW)
    assert [problem.code for problem in loaded.problems] == ["R502"]
    assert loaded.ruleset is not None
    assert [(cost.rule, cost.channel, cost.parts, cost.yuan) for cost in loaded.costs] == [
        ("r", "manual", 0, None),
        ("s", "manual", 0, None),
    ]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ["R502"]),
        ({"valid: 2026-09-01 to 2026-09-30": "valid: 2026-10-01 to 2026-10-31"}, []),
        ({"status: draft": "status: paused"}, []),
        ({"task: call": "task: ring"}, ["R504"]),
        ({"who: {}": "who: {age: over 30}"}, ["R504"]),
        ({"who: {}": "who: {age: over 30}", "valid: 2026-09-01": "valid: 2026-08-31"}, []),
        ({"when: {enters: north}": "when: {enters: both}", "task: call": "task: ring"}, []),
        ({"valid:": "schedule: {days: [sat]}\nvalid:"}, ["R504"]),
    ],
)
def test_the_later_rule_against_one_before_it(changes: dict[str, str], codes: list[str]) -> None:
    later = rule_text()
    for old, new in changes.items():
        assert old in later
        later = later.replace(old, new)
    assert found(rule_text(), later) == [("rule-001.yaml", code) for code in codes]


@pytest.mark.parametrize(
    "when", ["enters: north", "enters: north, confirm: 10m", "stays_in: north, for: 10m"]
)
@pytest.mark.parametrize(
    ("first", "later", "codes"),
    [
        (", resident: yes", ", resident: no", ([], [], [])),
        (", resident: no", ", resident: yes", ([], [], [])),
        (", resident: yes", "", ([], [], [])),
        (", resident: yes", ", resident: yes", (["R502"], ["R504"], ["R505"])),
        ("", ", resident: no", (["R504"], ["R504"], ["R505"])),
    ],
)
def test_rules_for_residents_and_for_visitors(
    when: str, first: str, later: str, codes: tuple[list[str], ...]
) -> None:
    policy = POLICY + "learn: {home: 23:00 to 06:00}\n"
    others: list[dict[str, str]] = [{}, {"send": "{channel: manual, task: ring}"}, {"who": "{age: over 30}"}]
    for other, wanted in zip(others, codes, strict=True):
        above = rule_text(f"{{{when}{first}}}", who="{arpu: over 5 yuan}" if "who" in other else "{}")
        below = rule_text(f"{{{when}{later}}}", **other)
        assert found(above, below, policy=policy) == [("rule-001.yaml", code) for code in wanted]


def test_a_schedule_of_the_one_before_leaves_moments_to_the_other() -> None:
    narrow = rule_text().replace("valid:", "schedule: {hours: 10:00 to 12:00}\nvalid:")
    assert found(narrow, rule_text(send="{channel: manual, task: ring}")) == []


def test_competing_is_silenced_by_a_group() -> None:
    first, second = rule_text(who="{age: over 30}"), rule_text(who="{arpu: over 5 yuan}")
    assert found(first, second) == [("rule-001.yaml", "R505")]
    grouped = [
        rule_text(who=who, limits=", only_one_of: upsell").replace("priority: 5", f"priority: {priority}")
        for who, priority in (("{age: over 30}", 6), ("{arpu: over 5 yuan}", 5))
    ]
    assert found(*grouped) == []
    apart = rule_text(who="{age: at most 30, arpu: over 5 yuan}")
    assert found(first, apart) == []


def test_a_cooldown_is_held_against_the_days_of_both() -> None:
    week = [
        rule_text(when, limits=", only_one_of: upsell")
        .replace("2026-09-01 to 2026-09-30", dates)
        .replace("priority: 5", f"priority: {priority}")
        for when, dates, priority in (
            ("{enters: north}", "2026-09-01 to 2026-09-05", 5),
            ("{leaves: south}", "2026-09-03 to 2026-09-07", 6),
        )
    ]
    assert found(*week) == [("rule-000.yaml", "R506")]
    assert found(*week, policy=POLICY.replace("7d", "6d")) == []


def test_dates_are_over_by_the_clock_of_the_policy() -> None:
    shadow = rule_text(status="shadow")
    assert review(shadow, now=datetime(2026, 9, 30, 15, 59, tzinfo=UTC)).problems == ()
    over = review(shadow, now=datetime(2026, 9, 30, 16, 0, tzinfo=UTC)).problems
    assert [(problem.code, problem.line) for problem in over] == [("R405", 6)]


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("", "a live rule has no tests"),
        ("{expect: nothing, because: when}", "shows an offer"),
        ("{expect: [{at: +0m, offer: pack}]}", "shows a refusal"),
        ("{expect: nothing, because: holdout, arm: control}", "shows an offer or a refusal"),
        ("{expect: [{at: +0m, offer: pack}], then: limits.at_most}", ""),
        ("{expect: [{at: +0m, offer: pack}], then: when}", "shows a refusal"),
        ("{expect: nothing, because: holdout, arm: control, then: limits.at_most}", "an offer or a refusal"),
    ],
)
def test_a_live_rule_shows_both(cases: str, said: str) -> None:
    texts = files(rule_text(status="live"))
    if cases:
        case = cases.replace("{expect", "{case: it, events: [{at: +0m, enters: north}], expect", 1)
        texts["r.test.yaml"] = f"tests: r\nstarts: 2026-09-05 10:00\ncases:\n  - {case}\n"
    problems = [p for p in load_texts(texts, review=NOW).problems if p.code != "R212"]
    assert [p.code for p in problems] == (["R603"] if said else [])
    assert all(said in p.message for p in problems)


OFFER = "expect: [{at: +5m, offer: pack}, {at: +1h, offer: pack}]"
LAST = "the case of line 5 says `when`, but nothing happens after the last offer: it can't fail"
EMPTY = "the case of line 5 says `when`, but nothing happens in it: it can't fail"


@pytest.mark.parametrize(
    ("case", "hint"),
    [
        ("events: [], expect: nothing, because: when", EMPTY),
        ("events: [{at: +5m, restart: engine}], expect: nothing, because: when", EMPTY),
        ("events: [{at: +5m, feeds_down: call.out}], expect: nothing, because: when", EMPTY),
        ("events: [{at: +0m, leaves: north}], expect: nothing, because: when", None),
        (f"events: [{{at: +1h, enters: north}}], {OFFER}, then: when", LAST),
        (f"events: [{{at: +1h, enters: north}}, {{at: +2h, restart: engine}}], {OFFER}, then: when", LAST),
        (f"events: [{{at: +1m, enters: north}}, {{at: +61m, sees: north}}], {OFFER}, then: when", None),
        (f"events: [{{at: +0m, sees: north, times: 5, every: 15m}}], {OFFER}, then: when", LAST),
        (f"events: [{{at: +0m, sees: north, times: 6, every: 15m}}], {OFFER}, then: when", None),
    ],
)
def test_a_refusal_that_cannot_fail_is_none(case: str, hint: str | None) -> None:
    texts = files(rule_text(status="live"))
    comes = "{case: comes, events: [{at: +0m, enters: north}], expect: [{at: +0m, offer: pack}]}"
    cases = f"cases:\n  - {comes}\n  - {{case: it, {case}}}\n"
    texts["r.test.yaml"] = f"tests: r\nstarts: 2026-09-05 10:00\n{cases}"
    problems = [p for p in load_texts(texts, review=NOW).problems if p.code == "R603"]
    assert [p.hint for p in problems] == ([] if hint is None else [hint])
    assert all("shows a refusal" in p.message for p in problems)


def test_of_broken_tests_nothing_more_is_said() -> None:
    texts = {**files(rule_text(status="live")), "r.test.yaml": "tests: r\ncases: []\n"}
    assert "R603" not in [p.code for p in load_texts(texts, review=NOW).problems]


def test_hours_run_over_midnight() -> None:
    night = hours.pieces([(1_260, 540)])
    assert night == [(0, 540), (1_260, 1_440)]
    assert hours.pieces([(600, 720), (720, 800), (100, 100)]) == [(0, 1_440)]
    assert hours.inside(hours.pieces([(1_380, 120)]), night)
    assert not hours.inside([(500, 541)], night)
    weekend = Schedule((5, 6), ((600, 720),))
    assert hours.schedule_within(weekend, None)
    assert not hours.schedule_within(None, weekend)
    assert hours.schedule_within(weekend, Schedule((4, 5, 6), ((540, 720),)))


@pytest.mark.parametrize("when", ["{happens: call.out, where: {duration: over %ds}}", "{enters: north}"])
def test_200_rules_that_all_meet_are_compared_in_a_moment(when: str) -> None:
    rules = [
        rule_text(
            when.replace("%d", str(number + 1)),
            who=f"{{age: over {number}, arpu: at least {200 - number} yuan}}",
            limits=", only_one_of: upsell",
        )
        for number in range(200)
    ]
    review(*rules)  # reads the files, which is not what is measured
    begin = time.process_time()
    loaded = review(*rules)
    assert time.process_time() - begin < 2
    assert len(loaded.problems) == 199
