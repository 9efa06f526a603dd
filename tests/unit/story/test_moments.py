"""At which moments cases play, and which are left out because something else decides them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.language.model import RuleSet
from engine.story.boundaries import boundaries
from engine.story.tell import LANGUAGES, Story, story, tell
from engine.story.write import write_tests
from tests.unit.story.support import AS_A_TASK, cases_of, rules_of

HOUR = 3_600_000_000
CALL = "{happens: call.out}"
ONE_DAY = {"valid: 2026-09-01 to 2026-09-30": "valid: 2026-09-08 to 2026-09-08"}


def kinds(told: Story) -> set[str]:
    """What the cases of a story are about."""
    return {each.boundary.note.kind for each in told.told}


def plain(rules: RuleSet) -> Story:
    """Tell the rule `it`, with nothing that the engine did otherwise."""
    told = story(rules, "it")
    assert told.made.problem == ""
    assert [each.boundary.note for each in told.told if not each.as_foreseen] == []
    return told


def test_quiet_time_never_keeps_a_task() -> None:
    rules = rules_of(CALL, schedule="schedule: {hours: 22:00 to 23:00}", within="1h", swap=AS_A_TASK)
    told = plain(rules)
    first = told.told[0]
    assert [sent.at - first.boundary.moment for sent in first.sent] == [0]
    assert not first.sent[0].held
    assert "quiet_start" not in kinds(told), "it is at 21:00, when the rule does not look"
    assert {"hours_last", "hours_end", "second_early", "second_free"} <= kinds(told)


def test_a_task_s_quiet_time_begins_when_it_begins() -> None:
    told = plain(rules_of(CALL, schedule="schedule: {hours: 20:00 to 23:00}", within="1h", swap=AS_A_TASK))
    found = {each.boundary.note.kind: each for each in told.told}
    assert found["quiet_start"].boundary.moment % (24 * HOUR) == 13 * HOUR
    assert found["quiet_start"].sent


def test_where_all_is_quiet_cases_are_held() -> None:
    schedule = "schedule: {days: [sat], hours: 22:00 to 02:00}"
    told = plain(rules_of("{enters: mall-wulin, confirm: 3h}", schedule=schedule, within="48h"))
    (sent,) = told.told[0].sent
    assert sent.held
    assert sent.at % (24 * HOUR) == HOUR, "09:00 in Shanghai"
    assert {"second_soon", "hours_last", "hours_end", "other_day"} <= kinds(told)


def test_a_held_case_waits_just_not_too_long() -> None:
    told = plain(rules_of(CALL, schedule="schedule: {hours: 22:00 to 02:00}", within="10h"))
    assert {"waits_too_long", "waits_long_enough"} <= kinds(told)


@pytest.mark.parametrize("lang", list(LANGUAGES))
def test_why_nothing_can_be_sent(lang: str) -> None:
    rules = rules_of(CALL, schedule="schedule: {hours: 22:00 to 23:00}", swap=ONE_DAY)
    told = story(rules, "it")
    assert told.made.problem == "quiet"
    assert "send_within" in tell(told, LANGUAGES[lang])


def test_a_day_alone_has_no_case_that_its_dates_decide_for_another_line() -> None:
    told = plain(rules_of(CALL, swap=ONE_DAY))
    for each in told.told:
        if each.because == "valid":
            assert each.boundary.note.kind in ("valid_before", "valid_after")
    assert {"valid_before", "valid_after"} <= kinds(told)


@pytest.mark.parametrize("hours", ["[08:00 to 10:00, 20:00 to 22:00]", "[09:00 to 09:05]", "20:00 to 21:00"])
@pytest.mark.parametrize("at_most", ["1 in 14d", "2 in 30h"])
def test_a_second_match_is_stopped_by_a_cap_or_not_told(hours: str, at_most: str) -> None:
    told = plain(rules_of(CALL, schedule=f"schedule: {{hours: {hours}}}", within="12h", at_most=at_most))
    again = [each for each in told.told if each.boundary.note.kind in ("second_soon", "second_early")]
    assert {each.because for each in again} <= {"limits.at_most", "policy.contact"}
    assert "second_early" in kinds(told)
    free = [each for each in told.told if each.boundary.note.kind == "second_free"]
    assert [len(each.sent) - len(each.boundary.matches) for each in free] == [0] * len(free)


BARRED = "{happens: sms.in, where: {number: hotline}, unless: {number: 10086}}"


def test_a_number_of_a_list_that_its_exception_does_not_name() -> None:
    rules = rules_of(BARRED)
    told = plain(rules)
    assert told.told[0].boundary.case.events[0].fields["number"] == "1008611"
    (barred,) = cases_of(rules, "barred")
    assert barred.case.events[0].fields["number"] == "10086"


IMPOSSIBLE = "{happens: sms.in, where: {number: 10010}, unless: {number: 10010}}"


@pytest.mark.parametrize("when", [f"{{any_of: [{CALL}, {IMPOSSIBLE}]}}"])
def test_a_part_that_is_not_staged_is_named(when: str) -> None:
    told = plain(rules_of(when))
    english, chinese = (tell(told, words) for words in LANGUAGES.values())
    assert "Not staged, to be tested by hand: A subscriber receives an SMS" in english
    assert "No number tried passes all lines about it." in english
    assert chinese.count("未生成用例") == english.count("Not staged") == 1
    assert "\n# Not staged" in write_tests(told, LANGUAGES["en"])
    assert boundaries(rules_of(f"{{any_of: [{CALL}, {BARRED}]}}"), "it").left_out == ()


# -- the edges of a schedule ---------------------------------------------------------------------------------


def edges(told: Story) -> list[tuple[str, str, bool]]:
    """The edges of the rule's hours: what they are, when (in Shanghai), and whether an offer came of it."""
    zone = ZoneInfo("Asia/Shanghai")
    return [
        (
            kind,
            datetime.fromtimestamp(each.boundary.moment // 1_000_000, zone).strftime("%a %H:%M:%S"),
            bool(each.sent),
        )
        for each in told.told
        if (kind := each.boundary.note.kind).startswith("hours_")
    ]


def test_both_parts_of_a_day_have_their_edges_where_hours_run_over_midnight() -> None:
    told = plain(rules_of(CALL, schedule="schedule: {days: fri, hours: 19:00 to 10:00}", within="14h"))
    assert edges(told) == [
        ("hours_last", "Fri 23:59:59", True),
        ("hours_end", "Sat 00:00:00", False),
        ("hours_before", "Thu 23:59:59", False),
        ("hours_start", "Fri 00:00:00", True),
        ("hours_last", "Fri 09:59:59", True),
        ("hours_end", "Fri 10:00:00", False),
        ("hours_before", "Fri 18:59:59", False),
        ("hours_start", "Fri 19:00:00", True),
    ]


def test_each_of_several_hours_has_its_edges() -> None:
    told = plain(rules_of(CALL, schedule="schedule: {hours: [10:00 to 12:00, 14:00 to 16:00]}"))
    assert sorted(at[4:] for _, at, offered in edges(told) if offered) == [
        "10:00:00", "11:59:59", "14:00:00", "15:59:59",
    ]  # fmt: skip
    assert sorted(at[4:] for _, at, offered in edges(told) if not offered) == [
        "09:59:59", "12:00:00", "13:59:59", "16:00:00",
    ]  # fmt: skip


def test_the_edges_of_a_rule_of_one_day_are_on_that_day() -> None:
    told = plain(rules_of(CALL, schedule="schedule: {hours: 10:00 to 16:00}", swap=ONE_DAY))
    assert [at for kind, at, offered in edges(told) if offered] == ["Tue 10:00:00", "Tue 15:59:59"]


def test_caps_are_played_where_the_schedule_is_seldom_on() -> None:
    told = plain(
        rules_of(
            CALL, schedule="schedule: {days: fri, hours: 19:00 to 10:00}", within="14h", at_most="2 in 14d"
        )
    )
    full = [each for each in told.told if each.because == "limits.at_most"]
    assert [len(each.sent) for each in full] == [2]


# -- tasks among messages ------------------------------------------------------------------------------------

SMS = 'channel: sms, text: "【移动】送您{product.name}。退订回R。"'
MIXED = {SMS: f"channel: manual, if: {{tier: vip}}, task: call them}}\n    - {{{SMS}"}


def test_a_task_goes_out_in_quiet_time_and_no_house_cap_counts_it() -> None:
    told = plain(rules_of(CALL, at_most="3 in 14d", within="1h", swap=MIXED))
    found = {each.boundary.note.kind: each for each in told.told}
    assert [(sent.channel, sent.held) for sent in found["quiet_task"].sent] == [("manual", False)]
    assert found["quiet_task"].boundary.moment == found["quiet_start"].boundary.moment
    assert found["quiet_start"].because == "send_within"
    assert [sent.channel for sent in found["task_again"].sent] == ["manual", "manual"]
    assert found["second_soon"].because == "policy.contact"
    assert told.told[0].sent[0].channel == "sms"


@pytest.mark.parametrize("swap", [{}, AS_A_TASK])
def test_only_a_rule_of_both_has_cases_of_both(swap: dict[str, str]) -> None:
    told = plain(rules_of(CALL, at_most="3 in 14d", swap=swap))
    assert not kinds(told) & {"quiet_task", "task_again"}


@pytest.mark.parametrize(
    ("swap", "said", "unsaid"),
    [
        (MIXED,
         ["No SMS or MMS from 21:00 to 09:00", "A task goes out at any hour.", "a task is not counted",
          "期间的短信和彩信等到时段结束再发", "人工任务随时下达。", "人工任务不计入也不受限"],
         ["No message from"]),
        (AS_A_TASK, ["At any hour: a task waits for no quiet time.", "人工任务不受免打扰时段限制。"],
         ["All rules together", "所有规则合计"]),
        ({}, ["No message from 21:00 to 09:00", "All rules together (house rule):"], ["task", "人工任务"]),
    ],
)  # fmt: skip
def test_quiet_time_and_house_caps_are_said_of_messages_alone(
    swap: dict[str, str], said: list[str], unsaid: list[str]
) -> None:
    told = plain(rules_of(CALL, at_most="3 in 14d", swap=swap))
    text = "\n".join(tell(told, words) for words in LANGUAGES.values())
    assert [each for each in said if each not in text] == []
    assert [each for each in unsaid if each in text] == []
