"""What a reader with fresh eyes found false in the checks: each claim, and why it is no claim any more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.language.loader import Loaded, load_texts
from tests.unit.language.texts import codes, files, rule_text

NOW = datetime(2026, 9, 5, tzinfo=UTC)


def reviewed(*rules: str) -> Loaded:
    """Load rules called r, s, …, each in a file of its own, and hold them against each other."""
    texts = files(rules[0])
    for name, rule in zip("stu", rules[1:], strict=False):
        texts[f"{name}.yaml"] = rule.replace("rule: r\n", f"rule: {name}\n", 1)
    return load_texts(texts, review=NOW)


@pytest.mark.parametrize(
    ("first", "impossible"),
    [("{enters: north}", True), ("{enters: north, confirm: 10m}", False)],
)
def test_a_confirmed_entry_is_no_opening_of_the_visit(first: str, impossible: bool) -> None:
    when = f"{{sequence: [{first}, {{stays_in: north, for: 30m}}], within: 30m}}"
    assert ("R508" in codes(load_texts(files(rule_text(when=when))))) is impossible


@pytest.mark.parametrize(
    ("steps", "within", "impossible"),
    [
        ("{enters: north}, {after: {enters: north}, no: {happens: call.out}, for: 2h}", "1h", True),
        ("{enters: north}, {after: {enters: north}, no: {happens: call.out}, for: 2h}", "2h", True),
        ("{enters: north}, {after: {enters: north}, no: {happens: call.out}, for: 2h}", "3h", False),
        ("{enters: north}, {after: {enters: both}, no: {happens: call.out}, for: 2h}", "1h", True),
        ("{enters: both}, {after: {enters: north}, no: {happens: call.out}, for: 2h}", "1h", False),
        ("{happens: sms.out}, {after: {enters: north}, no: {happens: call.out}, for: 2h}", "1h", False),
        ("{happens: call.out}, {after: {enters: north}, no: {happens: call.out}, for: 2h}", "1h", True),
        ("{after: {enters: north}, no: {happens: call.out}, for: 2h}, {enters: north}", "1h", False),
        ("{happens: sms.out}, {after: {happens: sms.out, where: {length: 5}}, no: {enters: north}, for: 2h}",
         "1h", False),
        ("{happens: sms.out, where: {length: 5}}, {happens: sms.in},"
         " {after: {happens: sms.out}, no: {enters: north}, for: 2h}", "1h", True),
    ],
)  # fmt: skip
def test_a_wait_that_a_step_before_it_starts_anew_or_ends(steps: str, within: str, impossible: bool) -> None:
    found = load_texts(files(rule_text(when=f"{{sequence: [{steps}], within: {within}}}")))
    assert codes(found) == (["R508"] if impossible else [])


@pytest.mark.parametrize(("condition", "shadowed"), [("", True), ("if: {brand: GoTone}, ", False)])
def test_a_rule_whose_messages_may_fit_nobody_shadows_none(condition: str, shadowed: bool) -> None:
    sms = f"{{channel: sms, {condition}text: '【移动】包。退订回R'}}"
    other = "{channel: sms, text: '【移动】别的包。退订回R'}"
    found = reviewed(rule_text(send=sms), rule_text(send=other).replace("priority: 5", "priority: 4"))
    assert ("R504" in codes(found)) is shadowed


@pytest.mark.parametrize(
    ("upper", "lower", "shadowed"),
    [
        ("send_within: 1h", "send_within: 1h", True),
        ("send_within: 1h", "send_within: 0s", True),
        ("send_within: 1h", "send_within: 24h", False),  # at night only the lower one is kept for the morning
        ("send_within: 1h, quiet: 12:00 to 13:00", "send_within: 1h", False),
        ("send_within: 1h", "send_within: 1h, quiet: 12:00 to 13:00", True),
    ],
)
def test_a_rule_that_is_refused_for_quiet_time_shadows_none_that_waits(
    upper: str, lower: str, shadowed: bool
) -> None:
    sms, other = (
        "{channel: sms, text: '【移动】包。退订回R'}",
        "{channel: sms, text: '【移动】别的包。退订回R'}",
    )
    found = reviewed(
        rule_text(send=sms).replace("send_within: 1h", upper),
        rule_text(send=other).replace("priority: 5", "priority: 4").replace("send_within: 1h", lower),
    )
    assert ("R504" in codes(found)) is shadowed
    # a person is called at night, too, while the SMS is refused
    manual = rule_text().replace("priority: 5", "priority: 4").replace("send_within: 1h", lower)
    assert "R504" not in codes(reviewed(rule_text(send=sms).replace("send_within: 1h", upper), manual))


@pytest.mark.parametrize(("days", "never"), [("[sat, sun]", True), ("[fri]", False), ("[mon]", False)])
def test_dates_are_the_policys_and_days_the_subscribers(days: str, never: bool) -> None:
    """Tuesday to Thursday; somewhere it is Monday still, or Friday already."""
    text = rule_text().replace("2026-09-01 to 2026-09-30", "2026-09-08 to 2026-09-10")
    text += f"schedule: {{days: {days}}}\n"
    assert ("R509" in codes(load_texts(files(text)))) is never


def test_hours_that_end_as_they_begin_are_a_mistake_and_not_the_whole_day() -> None:
    assert codes(load_texts(files(rule_text() + "schedule: {hours: 10:00 to 10:00}\n"))) == ["R108"]
    assert codes(load_texts(files(rule_text() + "schedule: {hours: 22:00 to 02:00}\n"))) == []


@pytest.mark.parametrize(
    ("when", "never"),
    [
        ("{happens: call.out, where: {phase: start}}", True),
        ("{happens: call.out, where: {phase: [start, update]}}", True),
        ("{happens: data.session, where: {phase: not stop}}", True),
        ("{happens: sms.in, unless: {phase: stop}}", True),
        ("{count: call.out, where: {phase: update}, at_least: 2, within: 1h}", True),
        ("{total: call.out.duration, where: {phase: start}, at_least: 2m, within: 1h}", True),
        ("{sequence: [{enters: north}, {happens: call.out, where: {phase: start}}], within: 1h}", True),
        ("{after: {happens: call.out, where: {phase: start}}, no: {enters: north}, for: 1h}", True),
        (
            "{after: {enters: north}, no: {any_of: [{happens: call.out, where: {phase: start}}]}, for: 1h}",
            True,
        ),
        ("{after: {enters: north}, no: {happens: call.out, where: {phase: start}}, for: 1h}", False),
        ("{happens: call.out, where: {phase: stop}}", False),
        ("{happens: call.out, where: {phase: [start, stop]}}", False),
        ("{happens: call.out, where: {phase: not start}}", False),
        ("{happens: call.out, unless: {phase: start}}", False),
        ("{happens: loc.update, where: {phase: start}}", False),
        ("{happens: recharge}", False),
    ],
)
def test_a_start_or_update_is_no_instant(when: str, never: bool) -> None:
    loaded = load_texts(files(rule_text(when=when)))
    assert codes(loaded) == (["R508"] if never else [])
    if never:
        (found,) = loaded.problems
        assert found.message.startswith("never matches: ")
        line = found.source[: found.col - 1]
        assert line.endswith("phase: ")


def test_a_goal_of_a_start_never_matches_either() -> None:
    text = rule_text().replace("{happens: product.bought}", "{happens: call.in, where: {phase: start}}")
    assert codes(load_texts(files(text))) == ["R508"]


@pytest.mark.parametrize(
    ("who", "excepts", "impossible"),
    [
        ("{}", "{brand: [GoTone, M-Zone]}", True),
        ("{brand: not GoTone}", "{brand: M-Zone}", True),
        ("{brand: not GoTone}", "{}", False),
        ("{}", "{brand: GoTone}", False),
        ("{}", "{mms: [yes, no]}", True),
        ("{mms: yes}", "{mms: not no}", True),
        ("{}", "{mms: yes}", False),
        ("{}", "{city: [a, b]}", False),
    ],
)
def test_a_list_of_all_values_there_are_lets_nobody_through(who: str, excepts: str, impossible: bool) -> None:
    assert codes(load_texts(files(rule_text(who=who, excepts=excepts)))) == (["R507"] if impossible else [])


def test_audiences_of_a_closed_list_that_share_nobody_have_no_rank_to_share() -> None:
    first = rule_text(who="{tier: not vip}", limits=", only_one_of: upsell")
    second = rule_text(who="{tier: not gold}", limits=", only_one_of: upsell", when="{happens: sms.out}")
    assert "R503" not in codes(reviewed(first, second))
    third = rule_text(who="{}", limits=", only_one_of: upsell", when="{happens: sms.out}")
    assert "R503" in codes(reviewed(second, third))


@pytest.mark.parametrize(("last", "never"), [("2026-09-06", True), ("2026-10-20", False)])
def test_rules_valid_one_after_the_other_within_a_cooldown(last: str, never: bool) -> None:
    first = rule_text(limits=", only_one_of: upsell").replace("2026-09-30", "2026-09-03")
    second = rule_text(limits=", only_one_of: upsell").replace("2026-09-01", "2026-09-04")
    second = second.replace("2026-09-30", last).replace("priority: 5", "priority: 4")
    assert ("R506" in codes(reviewed(first, second))) is never


def test_breaks_that_only_yaml_sees_are_told_and_move_no_line() -> None:
    for char in "\u2028\u2029\x85":
        rule = rule_text(when="{enters: norht}").replace("title: A rule", f"title: A{char}rule")
        found = [(one.code, one.line, one.col) for one in load_texts(files(rule)).problems]
        assert found == [("R001", 2, 9), ("R204", 7, 16)], char


def test_one_cause_is_told_once() -> None:
    schedule = rule_text().replace("when:", "schedule: {day: mon}\nwhen:", 1)
    assert codes(load_texts(files(schedule))) == ["R101"]
    named = rule_text().replace("rule: r", "name: r")
    assert codes(load_texts(files(named))) == ["R101"]
    assert load_texts(files(named)).problems[0].hint == "did you mean `rule`, which is missing?"
    texts = files(rule_text(status="live"))
    texts["approvals.yaml"] = "r: {at: 2026-09-01T08:00:00Z, by: lead, hash: " + "A" * 32 + "}\n"
    assert "R212" not in codes(load_texts(texts, review=NOW))


def test_a_catalogue_that_is_not_there_is_told_once() -> None:
    texts = files(rule_text(who="{brand: GoTone}", excepts="{tags: x}"))
    texts["r.test.yaml"] = """\
tests: r
starts: 2026-09-05 10:00
given: {brand: GoTone}
cases:
  - {case: a, events: [{at: +0m, enters: north}], expect: nothing, because: who.brand}
"""
    rules = {path: text for path, text in texts.items() if not path.startswith("catalog/")}
    [problem] = load_texts(rules, review=NOW).errors
    assert (problem.path, problem.code, problem.message) == (
        "catalog", "R005", "there is no catalogue beside the rules",
    )  # fmt: skip
    # called otherwise, its files are no rules
    moved = {path.replace("catalog/", "catalogue/"): text for path, text in texts.items()}
    [problem] = load_texts(moved, review=NOW).errors
    assert (problem.path, problem.hint) == ("catalog", "rename the folder `catalogue`")
    assert load_texts(texts, review=NOW).errors == ()


@pytest.mark.parametrize("name", ["fields", "places", "products", "numbers"])
def test_a_file_of_the_catalogue_that_is_not_there_is_told_once(name: str) -> None:
    rule = rule_text(
        when="{happens: call.out, where: {number: hotline, place: north}}", who="{brand: GoTone}"
    )
    texts = files(rule)
    assert load_texts(texts).errors == ()
    texts["policy.yaml"] = "timezone: Asia/Shanghai\n"
    del texts[f"catalog/{name}.yaml"]
    loaded = load_texts(texts)
    [problem] = loaded.errors
    assert loaded.ruleset is None
    assert (problem.path, problem.code) == (f"catalog/{name}.yaml", "R005")
    assert "there is no such file" in problem.message


def test_a_policy_of_another_name_is_told_and_is_no_rule() -> None:
    texts = files(rule_text())
    policy = texts.pop("policy.yaml")
    for name in ("policy.yml", "polcy.yaml", "house.yaml"):
        [problem] = load_texts({**texts, name: policy}).errors
        assert (problem.path, problem.code, problem.hint) == ("policy.yaml", "R005", f"rename `{name}`")
    [problem] = load_texts(texts).errors
    assert problem.hint.startswith("it holds the house rules")


def test_tasks_are_not_held_to_the_cap_of_the_house() -> None:
    sms = "{channel: sms, text: '【移动】包。退订回R'}"
    both = f"{{channel: manual, if: {{tier: vip}}, task: call}}\n    - {sms}"
    for send, expected in ((sms, ["R402"]), (both, [])):
        assert codes(load_texts(files(rule_text(send=send).replace("1 in 14d", "2 in 1d")))) == expected


def test_a_text_in_the_place_of_a_key_holds_no_wide_sign_of_yaml() -> None:
    loaded = load_texts(files(rule_text(send="{channel: sms, 【移动】您好，退订回R: x}")))
    unknown = [one for one in loaded.problems if one.code == "R101"]
    assert len(unknown) == 1
    assert "it holds" not in unknown[0].hint


def test_an_empty_list_of_replies_to_opt_out_is_told() -> None:
    texts = files(rule_text(send="{channel: sms, text: '【移动】包。退订回R'}"))
    texts["policy.yaml"] += "opt_out: []\n"
    found = [(one.path, one.code) for one in load_texts(texts, review=NOW).problems]
    assert found == [("policy.yaml", "R108")]


def test_what_records_carry_is_held_against_what_they_can() -> None:
    for event, line, right in (
        ("roam.out", "country: CNN", "country: not CN"),
        ("roam.out", "country: nt CN", "country: XK"),
        ("handset.change", "to.network: 4g", "to.network: [4G, 5G]"),
        ("sms.out", "quality: no_triger", "quality: not no_trigger"),
    ):
        for written, expected in ((line, True), (right, False)):
            found = codes(load_texts(files(rule_text(when=f"{{happens: {event}, where: {{{written}}}}}"))))
            assert bool(found) is expected, written
            assert set(found) <= {"R208", "R209"}
    # feeds may have words of their own: the rule is loaded, and fires at such records
    loaded = load_texts(files(rule_text(when="{happens: roam.out, where: {country: CNN}}")))
    assert loaded.ruleset is not None
    [problem] = loaded.problems
    assert (problem.severity, problem.hint.startswith("did you mean")) == ("warning", True)
    assert load_texts(files(rule_text(when="{happens: roam.out, where: {country: C、N}}"))).errors
