"""What is staged: groups of places, parts that are lacking, lines of every kind; and what is not, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from engine.rule_tests.coverage import undecided
from engine.story.boundaries import Boundary, boundaries
from engine.story.report import to_json
from engine.story.tell import LANGUAGES, Story, not_staged, story, tell
from engine.story.write import write_tests
from tests.unit.story.support import AS_A_TASK, cases_of, loaded, rules_of, story_of, texts_of

MINUTE = 60_000_000
EVERY_WORD = loaded(texts_of("tests/data/every-word"))


def reason(boundary: Boundary) -> str:
    """Why nothing came; empty for an offer alone."""
    return boundary.case.because or boundary.case.then or ""


def names_of(told: Story, lang: str = "en") -> list[str]:
    """What is not staged, without the reason."""
    return [left.what for left in not_staged(told, LANGUAGES[lang])]


# -- groups of places ----------------------------------------------------------------------------------------


def visits(boundary: Boundary) -> list[tuple[str, str]]:
    return [(step.verb, step.place) for step in boundary.case.events]


def test_going_on_to_another_member_leaves_nothing() -> None:
    rules = rules_of("{leaves: malls}")
    (moved,), (left,) = cases_of(rules, "to_member"), cases_of(rules, "left_members")
    assert visits(moved) == [("enters", "mall-wulin"), ("enters", "mall-lakeside")]
    assert reason(moved) == "when"
    assert visits(left) == [*visits(moved), ("leaves", "mall-lakeside")]
    assert left.case.expect


def test_going_on_to_another_member_enters_that_one() -> None:
    (moved,) = cases_of(rules_of("{enters: malls}", at_most="1 in 7d"), "next_member")
    assert visits(moved) == [("enters", "mall-wulin"), ("enters", "mall-lakeside")]
    assert (len(moved.case.expect), moved.case.then) == (1, "limits.at_most")


@pytest.mark.parametrize("when", ["{stays_in: malls, for: 30m}", "{enters: malls, confirm: 30m}"])
def test_time_in_two_members_is_not_added_up(when: str) -> None:
    (split,) = cases_of(rules_of(when), "split_stay")
    assert [place for verb, place in visits(split) if verb == "enters"] == ["mall-wulin", "mall-lakeside"]
    assert reason(split) == "when"


@pytest.mark.parametrize(
    "verb", ["leaves: mall-wulin", "enters: mall-wulin", "stays_in: mall-wulin, for: 9m"]
)
def test_a_single_place_has_no_other_member(verb: str) -> None:
    kinds = {each.note.kind for each in boundaries(rules_of(f"{{{verb}}}"), "it").cases}
    assert not kinds & {"to_member", "left_members", "next_member", "split_stay"}


LEARNS = "\nlearn: {home: 23:00 to 06:00}\n"


@pytest.mark.parametrize("verb", ["enters: %s", "stays_in: %s, for: 20m", "enters: %s, confirm: 20m"])
@pytest.mark.parametrize("resident", ["yes", "no"])
def test_of_nobody_in_a_story_is_it_known_where_they_live(verb: str, resident: str) -> None:
    who = f"{{{verb % 'malls'}, resident: {resident}}}"
    told = story_of(f"{{any_of: [{{enters: stadium-dragon}}, {who}]}}", policy=LEARNS)
    assert told.told
    assert all(each.as_foreseen for each in told.told)
    assert "malls" not in {event.place for each in told.told for event in each.case.events}
    (left,) = not_staged(told, LANGUAGES["en"])
    assert left.why == "in a story it is known of nobody where they live or work"
    for whole in (who, f"{{after: {who}, no: {{happens: call.out}}, for: 20m}}"):
        unstaged = tell(story_of(whole, policy=LEARNS), LANGUAGES["en"])
        assert "in a story it is known of nobody where they live or work" in unstaged
        assert "在何处居住或工作均未知" in tell(story_of(whole, policy=LEARNS), LANGUAGES["zh"])


# -- lines ---------------------------------------------------------------------------------------------------


def test_what_unless_asks_for_may_be_unknown() -> None:
    rules = rules_of("{happens: handset.change, where: {to.network: 5G}, unless: {to.model: iPhone}}")
    (unknown,) = cases_of(rules, "barred_unknown")
    assert dict(unknown.case.events[0].fields) == {"to.network": "5G"}
    assert reason(unknown) == "when"


def test_a_place_that_is_not_known_is_neither_here_nor_elsewhere() -> None:
    where, unless = (
        rules_of(f"{{happens: power.on, {word}: {{place: malls}}}}") for word in ("where", "unless")
    )
    (first,), (second,) = cases_of(where, "unknown"), cases_of(unless, "barred_unknown")
    for each in (first, second):
        assert (each.case.events[0].place, reason(each)) == ("", "when")
    assert not cases_of(rules_of("{happens: loc.update, where: {place: malls}}"), "unknown")


def test_every_value_that_unless_lists() -> None:
    rules = rules_of("{happens: handset.change, unless: {to.model: [iPhone, Mate 60, P40]}}")
    assert [each.note.value for each in cases_of(rules, "barred")] == ["iPhone", "Mate 60", "P40"]


def test_every_value_that_except_lists() -> None:
    rules = rules_of("{happens: bill}", who="{tags: student}", excepts="{tags: [do-not-disturb, family]}")
    barred = [each.case.given["tags"] for each in cases_of(rules, "except_bars")]
    assert barred == [["student", "do-not-disturb"], ["student", "family"]]


SMS: Final = 'channel: sms, text: "【移动】送您{product.name}。退订回R。"'
IFS: Final = (
    SMS.replace("sms", "mms, if: {handset.mms: yes, age: under 40}, subject: hello")
    + "}\n    - {"
    + SMS.replace("sms", "sms, if: {brand: [GoTone, M-Zone]}")
)
TEXTS: Final = (
    SMS.replace("sms", "sms, if: {tier: gold}").replace("送您", "金卡")
    + "}\n    - {"
    + SMS.replace("送您", "普卡")
)


def test_every_line_of_an_if() -> None:
    rules = rules_of("{happens: bill}", swap={SMS: IFS})

    def tried(kind: str) -> list[tuple[int, str, object, str]]:
        return [
            (each.note.amount, each.note.field, each.note.value, each.message.channel if each.message else "")
            for each in cases_of(rules, kind)
        ]

    assert tried("if_passes") == [(1, "age", 39, "mms"), (2, "brand", "M-Zone", "sms")]
    assert tried("if_fails") == [(1, "handset.mms", False, "sms"), (1, "age", 40, "sms")]
    assert (1, "age", None, "sms") in tried("if_unknown")
    assert (2, "brand", None, "") in tried("if_unknown")
    assert names_of(story(rules, "it")) == []


def test_two_texts_are_told_apart_by_what_they_say() -> None:
    told = story_of("{happens: bill}", swap={SMS: TEXTS})
    assert names_of(told) == []
    written = write_tests(told, LANGUAGES["en"])
    assert written.count("金卡") >= 1
    assert written.count("普卡") >= 2


# -- patterns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["all_of", "sequence"])
def test_each_part_is_lacking_once(verb: str) -> None:
    parts = "[{happens: sms.out}, {happens: call.out}, {happens: data.session}]"
    rules = rules_of(f"{{{verb}: {parts}, within: 1h}}")
    lacking = cases_of(rules, "lacking")
    assert [[step.event for step in each.case.events] for each in lacking] == [
        ["call.out", "data.session"], ["sms.out", "data.session"], ["sms.out", "call.out"],
    ]  # fmt: skip
    assert {reason(each) for each in lacking} == {"when"}


ORDINARY: Final = [
    "{sequence: [{enters: malls}, {happens: call.out}, {leaves: malls}], within: 3h}",
    "{sequence: [{stays_in: malls, for: 20m}, {leaves: malls}, {enters: stations, confirm: 5m}], within: 8h}",
    "{sequence: [{enters: malls}, {leaves: malls}], within: 3h}",
    "{after: {sequence: [{leaves: campuses}, {enters: stations}], within: 1h},"
    " no: {any_of: [{happens: data.session}, {happens: call.out, where: {number: competitor-hotlines}}]},"
    " for: 45m}",
    "{after: {leaves: malls}, no: {enters: stations}, for: 30m}",
    "{after: {enters: malls}, no: {leaves: malls}, for: 2h}",
    "{after: {count: data.session, at_least: 5, within: 10m}, no: {happens: data.session}, for: 5h}",
    "{after: {happens: power.on}, no: {happens: call.out, unless: {place: malls, number: 95}}, for: 1h}",
    "{total: call.out.duration, where: {number: hotline, duration: under 10m}, at_least: 30m, within: 4h}",
    "{total: data.session.bytes, where: {bytes: at least 1 MB}, at_least: 1 GB, within: 2h}",
    "{any_of: [{enters: malls, confirm: 5m}, {count: sms.out, at_least: 3, within: 1h}, {leaves: stations}]}",
    "{any_of: [{enters: malls}, {happens: power.on, where: {place: malls}}]}",
    "{all_of: [{happens: sms.out}, {happens: call.out}, {happens: data.session}], within: 1h}",
]


@pytest.mark.parametrize("when", ORDINARY)
def test_ordinary_patterns_are_staged_and_every_line_of_them_is_decided(when: str) -> None:
    told = story_of(when)
    assert (told.made.problem, told.surprises, names_of(told)) == ("", 0, [])
    assert list(undecided(told.rules, "it", [each.case for each in told.told])) == []


@pytest.mark.parametrize("name", EVERY_WORD.rules)
def test_every_word_is_staged(name: str) -> None:
    told = story(EVERY_WORD, name)
    assert told.surprises == 0
    left = ["limits.quiet.1 and limits.send_within"] if name == "hall-hours" else []
    assert names_of(told) == left


def test_a_total_of_many_records_is_split_over_as_few_as_will_do() -> None:
    rules = rules_of("{total: call.out.duration, where: {duration: under 10m}, at_least: 30m, within: 4h}")
    first, last = boundaries(rules, "it").cases[0].case.events
    assert (first.times, first.fields["duration"], last.fields["duration"]) == (3, 450, 450)


@pytest.mark.parametrize(
    ("line", "full", "short"),
    [("over 500 yuan", [750], []), ("3 yuan", [3, 3, 3, 3], [3, 3, 3]), ("not 5 yuan", [10], [9.99])],
)
def test_a_total_of_amounts_that_a_line_allows(line: str, full: list[float], short: list[float]) -> None:
    told = story_of(f"{{total: recharge.amount, where: {{amount: {line}}}, at_least: 10 yuan, within: 9h}}")
    assert told.surprises == 0

    def paid(kind: str) -> list[object]:
        cases = [each.case for each in told.told if each.boundary.note.kind == kind]
        return [step.fields["amount"] for case in cases for step in case.events for _ in range(step.times)]

    assert (paid("enough"), paid("too_little")) == (full, short)


def test_a_number_near_what_anybody_has_is_played_again_only_when_that_is_over() -> None:
    told = story_of("{count: call.out, at_least: 1100, within: 2h}")
    assert (told.surprises, names_of(told)) == (0, [])


def test_what_the_edges_leave_undecided_is_tried_without_the_line() -> None:
    told = story_of("{all_of: [{enters: malls, confirm: 2h}, {leaves: malls}], within: 3h}")
    (found,) = [each for each in told.told if each.boundary.note.kind == "but_for"]
    assert found.boundary.note.field in tell(told, LANGUAGES["en"])
    assert (found.as_foreseen, found.because) == (True, "when")


# -- what is not staged --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "why", "warum"),
    [
        ("{happens: sms.in, where: {number: 10010}, unless: {number: 10010}}",
         "no number tried passes", "对方号码"),
        ("{happens: loc.update, where: {cell: 460-00-1-1}}",
         "in cases, cell is not free", "不能任意设定小区"),
        ("{count: call.out, at_least: 2000, within: 24h}", "it takes 2000 records", "2000条"),
        ("{total: data.session.bytes, where: {bytes: at most 0 KB}, at_least: 1 GB, within: 9h}",
         "no traffic tried passes", "流量"),
        ("{total: data.session.bytes, where: {bytes: under 9 KB}, at_least: 1 GB, within: 9h}",
         "it takes 2000 records or more", "2000条"),
        ("{sequence: [{happens: bill}, {happens: recharge}], within: 1s}",
         "1 second has no room", "1秒内容不下"),
        ("{sequence: [{happens: bill}, {happens: bill}], within: 1h}",
         "“gets a bill” stands in it twice", "出现两次"),
        ("{sequence: [{happens: bill}, {count: bill, at_least: 2, within: 1h}], within: 2h}",
         "what happens for “gets at least 2 bills within 1 hour” could count for “gets a bill”", "可能计入"),
    ],
)  # fmt: skip
def test_the_reason_of_a_rule_without_cases_is_its_own(when: str, why: str, warum: str) -> None:
    told = story_of(when)
    assert told.made.problem == "unstaged"
    english, chinese = (tell(told, words) for words in LANGUAGES.values())
    assert f"No case could be made up for this pattern. Reason: {why}" in english
    assert warum in chinese.split("原因：")[1]


def test_a_place_without_cells_is_the_reason() -> None:
    rules = rules_of("{enters: malls}")
    bare = {name: replace(place, cells=()) for name, place in rules.catalog.places.items()}
    told = story(replace(rules, catalog=replace(rules.catalog, places=bare)), "it")
    assert "no place of malls has a cell" in tell(told, LANGUAGES["en"])


@pytest.mark.parametrize(
    ("changed", "what", "why"),
    [
        ({"at_most": "9 in 14d"}, "limits.at_most", "more than 4 offers"),
        ({"at_most": "3 in 10m", "swap": AS_A_TASK}, "limits.at_most", "do not fit into 10 minutes"),
    ],
)
def test_a_cap_that_is_not_reached_is_named(changed: dict[str, Any], what: str, why: str) -> None:
    (left,) = not_staged(story_of("{happens: bill}", **changed), LANGUAGES["en"])
    assert (left.what, left.by_hand) == (what, True)
    assert why in left.why


def test_a_line_that_no_case_decides_is_named_in_story_file_and_json() -> None:
    told = story_of("{after: {happens: data.session}, no: {happens: data.session}, for: 1h}")
    assert names_of(told) == ["when.no.happens"]
    line = "Not staged, to be tested by hand: when.no.happens. “has a data session” stands in it twice"
    assert line in tell(told, LANGUAGES["en"])
    assert f"# {line}" in write_tests(told, LANGUAGES["en"])
    assert "未生成用例，请手写测试：when.no.happens。原因：" in tell(told, LANGUAGES["zh"])


def test_a_line_that_the_schedule_never_reaches_is_no_work_for_anybody() -> None:
    told = story_of("{happens: bill}", schedule="schedule: {hours: 10:00 to 16:00}", within="1h")
    (left,) = to_json(told, LANGUAGES)["not_staged"]["en"]
    assert (left["what"], left["by_hand"]) == ("limits.send_within", False)
    assert "  Not staged: limits.send_within. The rule's schedule has no moment" in tell(
        told, LANGUAGES["en"]
    )
    assert "  未生成用例：limits.send_within。原因：规则的时段内" in tell(told, LANGUAGES["zh"])


@pytest.mark.parametrize(
    ("schedule", "within", "kinds"),
    [
        (
            "schedule: {days: fri, hours: 22:00 to 10:00}",
            "2h",
            {"waits_too_long", "waits_long_enough", "quiet_last", "quiet_end"},
        ),
        ("schedule: {days: sun, hours: 06:00 to 23:00}", "1h", {"quiet_before", "quiet_start", "quiet_end"}),
        ("schedule: {days: fri, hours: 10:00 to 20:00}", "1h", set()),
    ],
)
def test_quiet_time_is_staged_on_the_day_on_which_the_schedule_has_it(
    schedule: str, within: str, kinds: set[str]
) -> None:
    found = boundaries(rules_of("{happens: bill}", schedule=schedule, within=within), "it").cases
    assert kinds <= {each.note.kind for each in found}
    told = story_of("{happens: bill}", schedule=schedule, within=within)
    assert names_of(told) == ([] if kinds else ["limits.send_within"])


def test_a_cap_that_only_tasks_reach_is_played_by_a_task() -> None:
    swap = {"- {channel: sms": "- {channel: manual, if: {tier: vip}, task: call}\n    - {channel: sms"}
    told = story_of("{happens: bill}", at_most="2 in 30h", swap=swap)
    assert names_of(told) == []
    capped = [one.case for one in told.told if "limits.at_most" in (one.case.because, one.case.then)]
    assert capped
    assert all(case.given["tier"] == "vip" and len(case.expect) == 2 for case in capped)


def test_of_several_labels_one_may_be_barred() -> None:
    told = story_of("{happens: bill}", who="{tags: [student, staff]}", excepts="{tags: [student]}")
    assert (told.made.problem, names_of(told)) == ("", [])
    assert ["staff"] in [one.case.given["tags"] for one in told.told]


def test_coming_back_ends_a_wait_that_leaving_began() -> None:
    told = story_of("{after: {leaves: mall-wulin}, no: {enters: mall-wulin}, for: 1h}")
    assert names_of(told) == []
    last = [("leaves", "mall-wulin"), ("enters", "mall-wulin")]
    back = [one for one in told.told if visits(one.boundary)[-2:] == last]
    assert {bool(one.sent) for one in back} == {True, False}, "in time, and too late"


def test_of_several_ways_one_that_can_be_offered_is_the_plain_case() -> None:
    told = story_of("{any_of: [{happens: complaint, where: {about: x}}, {happens: sim.change}]}")
    assert told.made.cases[0].case.expect
    assert [left.what for left in not_staged(told, LANGUAGES["en"]) if left.what.startswith("limits")] == []
