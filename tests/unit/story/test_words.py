"""Both languages have words for everything, and the same everything."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import get_args

import pytest

from engine.event_kinds import KINDS
from engine.language.model import Channel, Happens, Leaves, Status
from engine.language.testing import PURPOSES, Step
from engine.story import chinese_notes, chinese_tables, english_notes, english_tables
from engine.story.boundaries import TOPICS
from engine.story.props import Trouble, TroubleKind
from engine.story.scene import Note, NoteKind
from engine.story.tell import LANGUAGES, Story, tell
from engine.story.wording import Heading, Names, Words, amount, field_type, outline
from tests.unit.story.support import IDS, RULES, SETS, rules_of, story_of
from tests.unit.story.test_foreseen import PATTERNS

EVENTS = [name for name, spec in KINDS.items() if spec.group != "control"]
FIELDS = {name for kind in EVENTS for name in (*KINDS[kind].fields, *KINDS[kind].derived)}
GATES = ("valid", "suppressed", "channel", "limits.at_most", "policy.contact", "only_one_of", "send_within")
REASONS = (*GATES, "when", "schedule", "arbitration", "holdout", "feed", "held")
NAMES = Names(SETS["rules"].catalog)


@pytest.fixture(params=list(LANGUAGES))
def words(request: pytest.FixtureRequest) -> Words:
    return LANGUAGES[request.param]


def test_tables_are_complete() -> None:
    for table in (english_tables, chinese_tables):
        assert list(table.EVENTS) == EVENTS
        assert set(table.FIELDS) == FIELDS
        assert set(table.REASONS) == set(REASONS)
        assert set(table.PURPOSES) == set(PURPOSES)
        assert set(table.CHANNELS) == set(get_args(Channel))
        assert set(table.STATUS) == set(get_args(Status))
        assert len(table.DAYS) == 7


def test_every_kind_of_case_has_words() -> None:
    for module in (english_notes, chinese_notes):
        assert set(module.NOTES) == set(get_args(NoteKind))


@pytest.mark.parametrize("kind", get_args(NoteKind))
def test_a_note_is_said(words: Words, kind: NoteKind) -> None:
    purpose = kind in ("no_consent", "consent_unknown")
    event = kind in ("passes", "fails", "unknown", "barred", "barred_unknown", "too_little", "enough")
    field = "marketing" if purpose else "duration" if event else "arpu"
    said = words.note(Note(kind, 60_000_000, 2, field, 50, "money"), NAMES)
    assert said
    assert "None" not in said


def test_every_heading_topic_and_problem_has_words(words: Words) -> None:
    said = [words.heading(heading) for heading in get_args(Heading)]
    said += [words.topic(topic) for topic in TOPICS]
    said += [words.problem(problem, "") for problem in ("nobody", "never", "quiet", "unstaged")]
    assert all(said)


@pytest.mark.parametrize("kind", get_args(TroubleKind))
def test_every_trouble_is_said(words: Words, kind: TroubleKind) -> None:
    call, leaves = Happens("call.out"), Leaves("malls", ("mall-wulin", "mall-lakeside"))
    said = words.trouble(Trouble(kind, call, leaves, "call.out", "duration", "malls", 7_200_000_000), NAMES)
    assert said
    assert not re.search(r"None|\.$|。$", said)


@pytest.mark.parametrize(
    ("test", "english", "chinese"),
    [
        ("at least 30 yuan", "at least 30 yuan", "不低于30元"),
        ("at most 30 yuan", "at most 30 yuan", "不高于30元"),
        ("over 30 yuan", "over 30 yuan", "高于30元"),
        ("under 30 yuan", "under 30 yuan", "低于30元"),
        ("20 to 30 yuan", "20 yuan to 30 yuan", "20元至30元"),
        ("not 30 yuan", "other than 30 yuan", "不是30元"),
        ("[20 yuan, 30 yuan]", "20 yuan or 30 yuan", "20元或30元"),
        ("30 yuan", "30 yuan", "30元"),
    ],
)
def test_every_word_of_a_test(test: str, english: str, chinese: str) -> None:
    (line,) = rules_of("{happens: bill}", who=f"{{arpu: {test}}}").rules["it"].who
    assert [words.asked(line, NAMES) for words in LANGUAGES.values()] == [english, chinese]


@pytest.mark.parametrize(
    ("when", "english", "chinese"),
    [
        ("{sequence: [{happens: bill}, {happens: recharge}, {leaves: mall-wulin}], within: 1h}",
         "first gets a bill, then tops up the account, then leaves 武林商圈, all within 1 hour",
         "1小时内依次先出账单，再充值，再离开武林商圈"),
        ("{any_of: [{happens: bill}, {happens: recharge}]}",
         "gets a bill or tops up the account", "出账单或充值"),
        ("{all_of: [{happens: bill}, {happens: recharge}], within: 1h}",
         "gets a bill and tops up the account, in any order within 1 hour",
         "1小时内出账单和充值都发生（不分先后）"),
        ("{after: {happens: bill}, no: {any_of: [{happens: recharge}, {leaves: mall-wulin}]}, for: 1h}",
         "gets a bill and then, for 1 hour, does not (top up the account or leave 武林商圈)",
         "出账单，之后1小时内没有（充值或离开武林商圈）"),
        ("{after: {any_of: [{happens: bill}, {happens: recharge}]}, no: {enters: mall-wulin}, for: 1h}",
         "(gets a bill or tops up the account) and then, for 1 hour, does not enter 武林商圈",
         "（出账单或充值），之后1小时内没有进入武林商圈"),
    ],
)  # fmt: skip
def test_a_pattern_of_patterns_in_one_breath(when: str, english: str, chinese: str) -> None:
    pattern = rules_of(when).rules["it"].when
    assert [words.clause(pattern, NAMES) for words in LANGUAGES.values()] == [english, chinese]


@pytest.mark.parametrize(
    ("test", "english", "chinese"),
    [
        ("student", "with student", "包含student"),
        ("[student, family]", "with student or family", "包含student或family"),
        ("not student", "without student", "不包含student"),
    ],
)
def test_labels_are_there_or_not(test: str, english: str, chinese: str) -> None:
    (line,) = rules_of("{happens: bill}", who=f"{{tags: {test}}}").rules["it"].who
    assert [words.asked(line, NAMES) for words in LANGUAGES.values()] == [english, chinese]


@pytest.mark.parametrize(
    ("schedule", "english", "chinese"),
    [
        ("days: fri, hours: 19:00 to 10:00",
         "on Friday, 00:00 to 10:00 and 19:00 to 24:00 of the same day.",
         "仅在周五当天的00:00至10:00和19:00至24:00生效。"),
        ("days: [mon to wed, sat], hours: [08:00 to 09:00, 22:00 to 01:00]",
         "on Monday, Tuesday, Wednesday and Saturday, 00:00 to 01:00, 08:00 to 09:00 and 22:00 to 24:00 of "
         "the same day.",
         "仅在周一、周二、周三和周六当天的00:00至01:00、08:00至09:00和22:00至24:00生效。"),
        ("hours: 22:00 to 02:00", "on every day, 22:00 to 02:00.", "仅在每天22:00至02:00生效。"),
        ("days: sat, hours: 10:00 to 22:00", "on Saturday, 10:00 to 22:00.", "仅在周六10:00至22:00生效。"),
        ("days: sat", "on Saturday, at all hours.", "仅在周六全天生效。"),
    ],
)  # fmt: skip
def test_hours_are_those_of_the_days_that_are_named(schedule: str, english: str, chinese: str) -> None:
    told = story_of("{happens: bill}", schedule=f"schedule: {{{schedule}}}")
    for words, said in zip(LANGUAGES.values(), (f"It only looks {english}", chinese), strict=True):
        assert f"  {said}\n" in tell(told, words)


@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_of_record_is_said_once_and_several_times(words: Words, kind: str) -> None:
    once = words.step(Step(0, "happens", "", kind, {}), ("15:00", "15:00"), NAMES)
    many = words.step(Step(0, "happens", "", kind, {}, 3, 60_000_000), ("15:00", "15:02"), NAMES)
    assert "15:00" in once
    assert "3" in many
    assert "15:02" in many


@pytest.mark.parametrize("when", PATTERNS)
def test_every_pattern_is_said_with_its_lengths_of_time(words: Words, when: str) -> None:
    rules = rules_of(when)
    lines = list(outline(rules.rules["it"].when, words, Names(rules.catalog)))
    said = "\n".join(lines)
    assert said
    for number, unit in re.findall(r"(?:for|within|confirm): (\d+)([hms])", when):
        name = {"en": {"h": "hour", "m": "minute", "s": "second"}, "zh": {"h": "小时", "m": "分", "s": "秒"}}
        assert re.search(rf"(?<!\d){number} ?{name[words.lang][unit]}", said)
    for event in re.findall(r"(?:happens|count): ([a-z.]+)", when):
        forms = english_tables.EVENTS[event][:2] if words.lang == "en" else chinese_tables.EVENTS[event][:1]
        assert any(form in said for form in forms)


def stories() -> list[Story]:
    return [story_of(when, schedule="schedule: {days: mon to fri}") for when in PATTERNS[:8]]


def test_chinese_has_chinese_punctuation() -> None:
    """What the catalogue and the rule say is kept as it is: only its own phrases are looked at."""
    for told in stories():
        own = tell(told, LANGUAGES["zh"]).split("【移动】")
        lines = "\n".join([own[0].partition("\n")[2], own[1].partition("\n")[2]])
        assert re.findall(r"[\u4e00-\u9fff][,:;()]|[,;()][\u4e00-\u9fff]", lines) == []


@pytest.mark.parametrize(("folder", "name"), RULES[:12], ids=IDS[:12])
def test_nothing_is_left_unsaid(folder: str, name: str) -> None:
    told = Story(SETS[folder], SETS[folder].rules[name], story_of("{happens: bill}").made, ())
    for words in LANGUAGES.values():
        said = tell(told, words)
        assert not re.search(r"None|\{n\}|lambda|Test\(", said)
        assert told.rule.title in said
        for line in (*told.rule.who, *told.rule.excepts):
            assert NAMES.field(line.field) in said


def test_moments_name_the_day_when_it_is_new(words: Words) -> None:
    at = datetime(2026, 9, 5, 18, 31, 59)  # noqa: DTZ001 -- a wall clock
    full = words.stamp(at, None)
    assert "2026" in full
    assert "2026" not in words.stamp(at, date(2026, 9, 4))
    assert words.stamp(at, date(2026, 9, 5)) == "18:31:59"
    assert full.count("18:31:59") == 1


def test_small_words() -> None:
    en, zh = LANGUAGES["en"], LANGUAGES["zh"]
    assert en.duration(5_400_000_000) == "1 hour 30 minutes"
    assert en.duration(48 * 3_600_000_000) == "48 hours"
    assert en.duration(7 * 86_400_000_000) == "7 days"
    assert zh.duration(5_400_000_000) == "1小时30分钟"
    assert zh.duration(3_601_000_000) == "1小时1秒"
    assert (en.either(["a", "b", "c"]), zh.either(["a", "b", "c"])) == ("a, b or c", "a、b或c")
    assert (en.value(None, "text"), zh.value(True, "yes/no")) == ("unknown", "是")
    assert (en.value(90, "duration"), zh.value(49.99, "money")) == ("1 minute 30 seconds", "49.99元")


def test_amounts_are_exact() -> None:
    assert amount(300 * 1024**2 - 1024, "bytes") == "307199 KB"
    assert amount(1 << 30, "bytes") == "1 GB"
    assert amount(1536, "bytes") == "1.5 KB"
    assert amount(49.99, "money") == "49.99 yuan"
    assert field_type("data.session", "bytes") == "bytes"
