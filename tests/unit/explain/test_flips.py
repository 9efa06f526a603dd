"""The single change that would have brought an offer: each kind of it, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cli.support import CONSENT, POLICY, T
from tests.unit.explain.world import call, data, rule, rules_of, seen, tell

MINUTE = 60_000_000
ENTERS = "{enters: hall}"
CAME = [seen(0, "hall-1")]


@pytest.mark.parametrize(
    ("who", "profile", "change"),
    [
        ("{arpu: at least 58 yuan}", {"arpu": 52}, "`who.arpu` were 58 yuan (is 52 yuan)"),
        ("{arpu: over 58 yuan}", {"arpu": 58}, "`who.arpu` were 59 yuan (is 58 yuan)"),
        ("{age: under 18}", {"age": 18}, "`who.age` were 17 (is 18)"),
        ("{age: 18 to 26}", {"age": 30}, "`who.age` were 26 (is 30)"),
        ("{age: 18 to 26}", {"age": 9}, "`who.age` were 18 (is 9)"),
        ("{age: 18 to 26}", {"age": None}, "`who.age` were 18 (is unknown)"),
        ("{age: at most 26}", {"age": 30}, "`who.age` were 26 (is 30)"),
        ("{arpu: under 0.5 yuan}", {"arpu": 3}, "`who.arpu` were 0.49 yuan (is 3 yuan)"),
        ("{left: over 1.5GB}", {"left": 1 << 20}, "`who.left` were 2GB (is 1MB)"),
        ("{left: under 1GB}", {"left": 1 << 30}, "`who.left` were 1023MB (is 1GB)"),
        ("{left: at least 300MB}", {"left": 1 << 20}, "`who.left` were 300MB (is 1MB)"),
        ("{student: yes}", {"student": False}, "`who.student` were yes (is no)"),
        ("{student: yes}", {"student": None}, "`who.student` were yes (is unknown)"),
        ("{tier: [gold, vip]}", {"tier": "ordinary"}, "`who.tier` were gold (is ordinary)"),
        ("{tier: not gold}", {}, "`who.tier` were ordinary (is gold)"),
        ("{tags: [vip, staff]}", {}, "`who.tags` were vip (is none)"),
        ("{tags: [vip, staff]}", {"tags": ["x"]}, "`who.tags` were x, vip (is x)"),
        ("{tags: not staff}", {"tags": ["staff"]}, "`who.tags` were none (is staff)"),
    ],
)
def test_a_field_of_the_subscriber(who: str, profile: dict[str, Any], change: str) -> None:
    told = tell(rules_of(rule(ENTERS, who=who)), CAME, **profile)
    [flip] = told.flips["it"].found  # type: ignore[union-attr]
    assert (flip.change, flip.outcome, flip.at) == (change, "offer", T)


@pytest.mark.parametrize(
    ("line", "profile", "change"),
    [
        ("{tags: staff}", {"tags": ["staff", "x"]}, "`except.tags` were x (is staff, x)"),
        ("{tags: staff}", {"tags": None}, "`except.tags` were none (is unknown)"),
        ("{arpu: at least 80 yuan}", {}, "`except.arpu` were 79 yuan (is 88 yuan)"),
        ("{tier: gold}", {}, "`except.tier` were vip (is gold)"),
    ],
)
def test_a_field_that_keeps_out(line: str, profile: dict[str, Any], change: str) -> None:
    text = rule(ENTERS).replace("offer:\n", f"except: {line}\noffer:\n")
    assert tell(rules_of(text), CAME, **profile).changes() == [change]


def test_a_consent_and_an_opt_out() -> None:
    rules = rules_of(rule(ENTERS))
    told = tell(rules, CAME, consent={**CONSENT, "location": False})
    assert told.changes() == ["`consent.location` were yes (is no)"]
    told = tell(rules, [{"kind": "sms.reply", "at": -5, "number": "10086", "text": "R"}, *CAME])
    assert told.changes() == ["`suppressed` were no (is yes)"]


def test_a_message_for_them() -> None:
    text = rule(ENTERS).replace("{channel: sms,", "{channel: sms, if: {student: yes},")
    assert tell(rules_of(text), CAME).changes() == ["`student` were yes for the sms (is no)"]


def test_the_dates_of_the_rule() -> None:
    text = rule(ENTERS, valid="2026-09-01 to 2026-09-06")
    assert tell(rules_of(text), CAME).changes() == [
        "`valid` were 2026-09-01 to 2026-09-07 (is 2026-09-01 to 2026-09-06)"
    ]


@pytest.mark.parametrize(("status", "judged"), [("draft", False), ("paused", False), ("shadow", True)])
def test_the_status_of_the_rule(status: str, judged: bool) -> None:
    told = tell(rules_of(rule(ENTERS, status=status)), CAME)
    assert bool(told.stories["it"].pattern) is judged
    assert told.changes() == [f"`status` were live (is {status})"]


def test_a_rule_in_shadow_is_brought_to_count() -> None:
    told = tell(rules_of(rule(ENTERS, who="{tier: vip}", status="shadow")), CAME)
    flips = told.flips["it"]
    assert flips is not None
    assert [(flip.change, flip.outcome) for flip in flips.found] == [
        ("`who.tier` were vip (is gold)", "shadow")
    ]


def test_the_rule_that_was_taken_instead() -> None:
    first = rule(ENTERS, name="first").replace("priority: 50", "priority: 60")
    told = tell(rules_of(rule(ENTERS), first), CAME)
    assert told.changes() == ["the rule first were not there"]
    assert told.flips["first"] is None


def test_caps_of_the_rule_the_policy_and_the_group() -> None:
    other = rule("{happens: call.out}", name="other")
    came = [call(0), seen(10, "out"), seen(20, "hall-1")]
    policy = POLICY.replace("2 in 1d", "1 in 1d")
    rules = rules_of(rule(ENTERS), other, policy=policy)
    assert tell(rules, came).changes() == ["`policy.contact` were 2 in 1d (is 1 in 1d)".replace("1d", "24h")]
    grouped = [text.replace("at_most: 1", "only_one_of: packs, at_most: 1") for text in (rule(ENTERS), other)]
    assert tell(rules_of(*grouped), came).changes() == ["`only_one_of: packs` were not there"]
    tiered = POLICY.replace("{at_most: 2 in 1d}", "{at_most: 5 in 1d, by_tier: {gold: 1 in 2d}}")
    assert tell(rules_of(rule(ENTERS), other, policy=tiered), came).changes() == [
        "`policy.contact.by_tier: gold` were 2 in 48h (is 1 in 48h)"
    ]


AGAIN = [seen(0, "hall-1"), seen(5, "out"), seen(9, "hall-1")]


def test_the_cap_of_the_rule_itself() -> None:
    told = tell(rules_of(rule(ENTERS)), AGAIN)
    assert [decision["outcome"] for decision in told.stories["it"].decisions] == ["offer", "refused"]
    flips = told.flips["it"]
    assert flips is not None
    assert [(flip.change, flip.outcome, flip.at) for flip in flips.found] == [
        ("`limits.at_most` were 2 in 24h (is 1 in 24h)", "offer", T + 9 * MINUTE)
    ]


def test_a_cap_is_raised_until_the_match_that_is_shown_is_offered() -> None:
    rules = rules_of(rule(ENTERS), policy=POLICY.replace("2 in 1d", "30 in 1d"))
    told = tell(rules, [*AGAIN, seen(12, "out"), seen(20, "hall-1")])
    flips = told.flips["it"]
    assert flips is not None
    assert [(flip.change, flip.at) for flip in flips.found] == [  # 2 would be an earlier match's
        ("`limits.at_most` were 3 in 24h (is 1 in 24h)", T + 20 * MINUTE)
    ]
    many = [seen(minute, "out" if minute % 2 else "hall-1") for minute in range(21)]
    flips = tell(rules, many).flips["it"]
    assert flips is not None
    assert [(flip.change, flip.at) for flip in flips.found] == [
        ("`limits.at_most` were 2 in 24h (is 1 in 24h)", T + 2 * MINUTE)
    ]


def test_a_cap_that_is_not_all_that_is_in_the_way() -> None:
    # control counts for the rule alone, so that it is refused though it never made an offer
    held_out = rule(ENTERS).replace("holdout: 0%", "holdout: 100%")
    told = tell(rules_of(held_out), AGAIN)
    assert [decision["outcome"] for decision in told.stories["it"].decisions] == ["control", "refused"]
    flips = told.flips["it"]
    assert flips is not None
    assert [(flip.change, flip.at) for flip in flips.found] == [("`limits.holdout` were 0% (is 100%)", T)]


def test_a_cap_of_the_policy_after_an_offer_of_the_rule() -> None:
    text = rule(ENTERS).replace("at_most: 1 in 1d", "at_most: 2 in 2d")
    policy = POLICY.replace("2 in 1d", "1 in 1d")
    told = tell(rules_of(text, policy=policy), [seen(0, "hall-1"), seen(5, "out"), seen(90, "hall-1")])
    flips = told.flips["it"]
    assert flips is not None
    assert [(flip.change, flip.at) for flip in flips.found] == [
        ("`policy.contact` were 2 in 24h (is 1 in 24h)", T + 90 * MINUTE)
    ]


def test_nothing_is_to_be_turned_if_the_last_match_was_offered() -> None:
    poor = {"kind": "profile.update", "at": -1, "profile": {"arpu": 10}}
    rich = {"kind": "profile.update", "at": 7, "profile": {"arpu": 90}}
    rules = rules_of(rule(ENTERS, who="{arpu: at least 58 yuan}"))
    assert tell(rules, [poor, *AGAIN, rich]).flips["it"] is None


def test_an_earlier_match_is_told_if_the_last_would_come_too_often() -> None:
    flips = tell(rules_of(rule(ENTERS, who="{arpu: at least 58 yuan}")), AGAIN, arpu=10).flips["it"]
    assert flips is not None
    assert [(flip.change, flip.at) for flip in flips.found] == [("`who.arpu` were 58 yuan (is 10 yuan)", T)]


def test_the_first_value_of_a_list_that_helps_is_told() -> None:
    rules = rules_of(
        rule(ENTERS, who="{tier: [gold, vip]}"),
        rule(ENTERS, name="first", who="{tier: gold}").replace("priority: 50", "priority: 60"),
    )
    told = tell(rules, CAME, tier="ordinary")
    assert told.changes() == ["`who.tier` were vip (is ordinary)"]
    assert told.changes("first") == ["`who.tier` were gold (is ordinary)"]


def test_the_first_value_of_a_message_that_helps_is_told() -> None:
    text = rule(ENTERS, who="{arpu: at least 1 yuan}").replace(
        "{channel: sms,", "{channel: sms, if: {tier: [gold, vip]},"
    )
    first = rule(ENTERS, name="first", who="{tier: gold}").replace("priority: 50", "priority: 60")
    told = tell(rules_of(text, first), CAME, tier="ordinary")
    assert told.changes() == ["`tier` were vip for the sms (is ordinary)"]


def test_quiet_time() -> None:
    quiet = rule(ENTERS).replace("holdout", "quiet: 09:00 to 12:30, holdout")
    told = tell(rules_of(quiet), CAME)  # the hold would end in 2 h 30 m
    assert told.changes() == [
        "`limits.send_within` were 2h30m (is 2h)",
        "it were not quiet time (is 22:00 to 08:00, 09:00 to 12:30)",
    ]
    held = quiet.replace("send_within: 2h", "send_within: 12h")
    told = tell(rules_of(held), CAME, minutes=60)
    assert told.changes() == ["it were not quiet time (is 22:00 to 08:00, 09:00 to 12:30)"]
    assert tell(rules_of(held), CAME, minutes=300).flips["it"] is None


def test_a_hold_left_open_is_told_as_one() -> None:
    held = rule(ENTERS, who="{tier: vip}").replace("holdout", "quiet: 09:00 to 11:30, holdout")
    flips = tell(rules_of(held), CAME, minutes=60).flips["it"]
    assert flips is not None
    assert [flip.outcome for flip in flips.found] == ["held"]


def test_a_feed_that_was_down() -> None:
    when = "{after: {enters: hall}, no: {happens: data.session}, for: 30m}"
    down = {"kind": "tick", "at": 5, "down": ["data.session"]}
    told = tell(rules_of(rule(when)), [*CAME, down])
    assert told.stories["it"].stopped_by == "feed"
    assert told.changes() == ["the feed had been up"]


def test_a_match_at_a_time_at_which_the_rule_does_not_listen() -> None:
    text = rule(ENTERS).replace("\nwhen:", "\nschedule: {days: [mon to fri], hours: 18:00 to 22:00}\nwhen:")
    told = tell(rules_of(text), CAME)
    assert told.stories["it"].stopped_by == "when"
    [line] = told.line().lines
    assert (line.name, line.expected, line.actual, line.result) == (
        "schedule",
        "mon to fri, 18:00 to 22:00",
        "1 instant outside it, the last at 2026-09-07 10:00:00",
        "no",
    )
    assert told.changes() == ["`schedule` were not there (is mon to fri, 18:00 to 22:00)"]
    flips = tell(rules_of(text), CAME, arpu=None, tier="ordinary").flips["it"]
    assert flips is not None
    assert flips.in_the_way == ("schedule", "who.tier")
    good = tell(rules_of(text), [*CAME, seen(400, "out"), seen(490, "hall-1")])
    assert good.flips["it"] is None
    assert good.line().lines[0].result == "ok"


def test_the_mark_of_the_pattern() -> None:
    when = "{count: call.out, at_least: 3, within: 2h}"
    assert tell(rules_of(rule(when)), [call(0), call(28)]).changes() == ["`at_least` were 2 (is 3)"]


def test_a_mark_that_would_look_back_too_far_is_none() -> None:
    when = "{sequence: [{count: call.out, at_least: 2, within: 40h}, {enters: hall}], within: 2h}"
    told = tell(rules_of(rule(when)), [call(0), call(5), seen(600, "hall-1")])
    assert told.near()[1] == "`within` were 9h56m (is 2h)"
    assert told.changes() == []


def test_two_things_in_the_way_are_named() -> None:
    rules = rules_of(
        rule("{count: call.out, at_least: 3, within: 2h}", who="{arpu: over 100 yuan, age: under 20}")
    )
    flips = tell(rules, [call(0), call(1)]).flips["it"]
    assert flips is not None
    assert flips.found == ()
    assert flips.in_the_way == ("when", "who.arpu", "who.age")
    assert flips.runs == 1


def test_the_change_holds_for_whatever_records_say_later() -> None:
    poorer = {"kind": "profile.update", "at": -1, "profile": {"arpu": 10}}
    told = tell(rules_of(rule(ENTERS, who="{arpu: at least 58 yuan}")), [poorer, *CAME])
    assert told.changes() == ["`who.arpu` were 58 yuan (is 10 yuan)"]


def test_matches_refused_for_other_reasons_each_have_their_change() -> None:
    richer = {"kind": "profile.update", "at": 10, "profile": {"arpu": 90, "tier": "ordinary"}}
    rules = rules_of(rule(ENTERS, who="{arpu: at least 58 yuan, tier: gold}"))
    told = tell(rules, [*CAME, seen(5, "out"), richer, seen(20, "hall-1")], arpu=20)
    flips = told.flips["it"]
    assert flips is not None
    assert [(flip.change, flip.at) for flip in flips.found] == [
        ("`who.tier` were gold (is ordinary)", T + 20 * MINUTE),
        ("`who.arpu` were 58 yuan (is 20 yuan)", T),
    ]


def test_runs_are_bounded_and_that_is_said() -> None:
    rules = rules_of(rule("{count: data.session, at_least: 9, within: 2h}"))
    flips = tell(rules, [data(minute, 1) for minute in range(8)], most=5).flips["it"]
    assert flips is not None
    assert (flips.found, flips.runs) == ((), 0)
    assert flips.left is not None
