"""What is proposed for a value that can't be read: always something that can be, in that very place."""

from __future__ import annotations

import pytest

from engine.language.loader import Loaded
from tests.unit.language.texts import codes, load, rule_text


def hints(loaded: Loaded) -> list[str]:
    return [problem.hint for problem in loaded.problems]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("arpu: more than 20 yuan", "over 20 yuan"),
        ("arpu: Greater than 20 yuan", "over 20 yuan"),
        ("arpu: less than 20 yuan", "under 20 yuan"),
        ("arpu: above 20", ""),
        ("arpu: no more than 20 yuan", "at most 20 yuan"),
        ("arpu: not more than 20 yuan", "at most 20 yuan"),
        ("arpu: up to 20 yuan", "at most 20 yuan"),
        ("arpu: not less than 5 yuan", "at least 5 yuan"),
        ("arpu: 20 yuan or more", "at least 20 yuan"),
        ("arpu: 20元以上", "at least 20 yuan"),
        ("arpu: 不超过20元", "at most 20 yuan"),
        ("arpu: between 5 and 20 yuan", "5 to 20 yuan"),
        ("arpu: from 5 to 20 yuan", "5 to 20 yuan"),
        ("arpu: exactly 5 yuan", "5 yuan"),
        ("arpu: at lest 5 yuan", "at least 5 yuan"),
        ("age: more than 5", "over 5"),
        ("age: 5+", "at least 5"),
        ("age: 5-1", ""),
        ("age: 2026-01-01", ""),
        ("left: more than 20 percent", "over 20%"),
        ("online: longer than 5 minutes", "over 5m"),
        ("month: less than 3 gb", "under 3 GB"),
    ],
)
def test_comparisons_as_people_say_them(written: str, meant: str) -> None:
    assert hints(load(rule_text(who="{" + written + "}"))) == [f"did you mean `{meant}`?" if meant else ""]
    if meant:
        field = written.partition(":")[0]
        assert codes(load(rule_text(who=f"{{{field}: {meant}}}"))) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-01", "2026-09-01 to 2026-09-01"),
        ("2026-9-1", "2026-09-01 to 2026-09-01"),
        ("2026-09-01 to 2026:12-31", "2026-09-01 to 2026-12-31"),
        ("2026-09-01 - 2026-12-31", "2026-09-01 to 2026-12-31"),
        ("2026-0901 to 20261231", "2026-09-01 to 2026-12-31"),
        ("from 2026-09-01 to 2026-12-31", "2026-09-01 to 2026-12-31"),
        ("2026年9月1日至2026年12月31日", "2026-09-01 to 2026-12-31"),
        ("2026-09-01 to", ""),
        ("2026-02-30", ""),
        ("01-09-2026 to 31-12-2026", ""),
    ],
)
def test_dates(written: str, meant: str) -> None:
    text = rule_text().replace("2026-09-01 to 2026-09-30", written)
    assert hints(load(text)) == [f"did you mean `{meant}`?" if meant else ""]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("2 days", "did you mean `2d`?"),
        ("3 days", "the longest here is `48h`"),
        ("1 week", "the longest here is `48h`"),
        ("72 hours", "the longest here is `48h`"),
        ("5000", "the longest here is `48h`"),
        ("60", "did you mean `60m`?"),
        ("0", "did you mean `0m`?"),
        ("soon", ""),
    ],
)
def test_the_time_to_send_within(written: str, hint: str) -> None:
    assert hints(load(rule_text().replace("send_within: 1h", f"send_within: {written}"))) == [hint]


@pytest.mark.parametrize(
    ("written", "hint"),
    [("3 days", "the longest here is `24h`"), ("24 hours", "did you mean `24h`?"), ("0 min", ""), ("0", "")],
)
def test_a_window_within_a_window(written: str, hint: str) -> None:
    when = (
        f"{{sequence: [{{count: call.out, at_least: 2, within: {written}}}, {{enters: north}}], within: 24h}}"
    )
    assert hints(load(rule_text(when))) == [hint]


def test_there_is_no_longest_where_the_windows_around_take_it_all() -> None:
    when = "{sequence: [{count: call.out, at_least: 2, within: 3 days}, {enters: north}], within: 48h}"
    assert hints(load(rule_text(when))) == [""]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("arpu: '1,000 yuan'", "1000 yuan"),
        ("arpu: 'at least 1,000,000 yuan'", "at least 1000000 yuan"),
        ("arpu: 1e5 yuan", "100000 yuan"),
        ("arpu: 5k yuan", "5000 yuan"),
        ("arpu: 3万元", "30000 yuan"),
        ("arpu: at least20 yuan", "at least 20 yuan"),
        ("arpu: not at least 20 yuan", "under 20 yuan"),
        ("arpu: not at most 20 yuan", "over 20 yuan"),
        ("month: 5 TB", "5120 GB"),
        ("month: 5 B", ""),
        ("month: over 5 G", "over 5 GB"),
        ("arpu: at most 5 yuna", "at most 5 yuan"),
        ("left: 20 MB", ""),
        ("online: at least 0.5h", "at least 30m"),
        ("online: at least 1.5H", "at least 1h30m"),
        ("online: over 30M", "over 30m"),
        ("brand: '!= GoTone'", "not GoTone"),
        ("brand: '!GoTone'", "not GoTone"),
    ],
)
def test_numbers_and_signs_as_people_write_them(written: str, meant: str) -> None:
    loaded = load(rule_text(who="{" + written + "}"))
    assert hints(loaded) == [f"did you mean `{meant}`?" if meant else ""]
    if meant:
        field = written.partition(":")[0]
        assert codes(load(rule_text(who=f"{{{field}: {meant}}}"))) == []


@pytest.mark.parametrize(
    ("written", "says", "hint"),
    [
        ("arpu: 60 to 20 yuan", "is empty", "write `20 to 60 yuan`"),
        ("arpu: 60 yuan to 20 yuan", "is empty", "write `20 yuan to 60 yuan`"),
        ("month: 500 to 100 MB", "is empty", "write `100 to 500 MB`"),
        ("left: 60 to 20%", "is empty", "write `20 to 60%`"),
        ("left: 60% to 20%", "is empty", "write `20% to 60%`"),
        ("age: 5 to 4", "is empty", "write `4 to 5`"),
        ("online: 10 to 30s", "`10` needs a unit, such as `10s`", ""),
        ("age: [20 to 30]", "a list holds plain values", "one range stands without brackets: `20 to 30`"),
        ("age: [20 to 30, 40]", "a list holds plain values", ""),
        ("brand: 'not GoTone, M-Zone'", "is never", "lists of what is not wanted go under `except`"),
        ("age: not 5 to 6", "not a range", "write `5 to 6` under `except` or `unless`"),
        ("age: not 5-6", "not a range", "write `5 to 6` under `except` or `unless`"),
        ("arpu: not 10 to 20 yuan", "not a range", "write `10 to 20 yuan` under `except` or `unless`"),
        ("tags: at least student", "`tags` has no order", ""),
        ("tags: Not student", "is taken as one value", "did you mean `not student`? quote it if it is one"),
        ("tags: nto student", "is taken as one value", "did you mean `not student`? quote it if it is one"),
        (
            "city: nott Hangzhou",
            "is taken as one value",
            "did you mean `not Hangzhou`? quote it if it is one",
        ),
    ],
)
def test_what_the_hint_says_is_meant_and_right(written: str, says: str, hint: str) -> None:
    [problem] = load(rule_text(who="{" + written + "}")).problems
    assert says in problem.message
    assert problem.hint.startswith(hint)
    assert bool(problem.hint) is bool(hint)
    if hint.startswith("write `"):
        field = written.partition(":")[0]
        meant = hint.split("`")[1]
        assert codes(load(rule_text(who=f"{{{field}: {meant}}}"))) == []


@pytest.mark.parametrize(
    "written", ["city: hot springs", "city: 'not yet'", "city: Note 20", "tags: 'nott x'"]
)
def test_what_may_be_a_value_that_begins_like_not(written: str) -> None:
    assert codes(load(rule_text(who="{" + written + "}"))) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("days: mon-fri", "mon to fri"),
        ("days: mon - fri", "mon to fri"),
        ("days: mon to friday", "mon to fri"),
        ("days: Monday", "mon"),
        ("days: weekdays", "mon to fri"),
        ("days: 工作日", "mon to fri"),
        ("days: weekend", "sat to sun"),
        ("days: 周六至周日", "sat to sun"),
        ("days: every day", "mon to sun"),
        ("hours: 9-18", "09:00 to 18:00"),
        ("hours: 9am to 6pm", "09:00 to 18:00"),
        ("hours: 9:30 am - 12 pm", "09:30 to 12:00"),
        ("hours: 12am to 1am", "00:00 to 01:00"),
        ("hours: 9点至18点", "09:00 to 18:00"),
    ],
)
def test_days_and_hours_as_people_say_them(written: str, meant: str) -> None:
    rule = rule_text().replace("when:", f"schedule: {{{written}}}\nwhen:", 1)
    assert hints(load(rule)) == [f"did you mean `{meant}`?"]
    key = written.partition(":")[0]
    assert codes(load(rule.replace(written, f"{key}: {meant}"))) == []


def test_several_days_in_one_text_are_a_list() -> None:
    for written in ("mon, tue", "mon、tue", "mon and tue", "mon/tue"):
        rule = rule_text().replace("when:", f"schedule: {{days: '{written}'}}\nwhen:", 1)
        assert hints(load(rule)) == ["write several as a list: `[mon, tue]`"]


def test_a_limit_without_a_unit_and_a_group_of_events() -> None:
    assert hints(load(rule_text().replace("1 in 14d", "1 in 14"))) == ["did you mean `1 in 14d`?"]
    assert hints(load(rule_text(when="{happens: call}"))) == ["one of: `call.out`, `call.in`"]
    assert hints(load(rule_text(when="{happens: cal.out}"))) == ["did you mean `call.out`?"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{event.number}", ""),
        ("{event.numbr}", "did you mean `event.number`?"),
        ("{event.apn}", "one of: `product.name`, `product.price`, `product.reply`"),
        ("{evnt.number}", "did you mean `event.number`?"),
        ("{place.name}", "one of: `product.name`, `product.price`, `product.reply`"),
    ],
)
def test_what_placeholders_share_makes_none_alike(text: str, hint: str) -> None:
    loaded = load(rule_text(when="{happens: sms.out}", send=f"{{channel: manual, task: '{text}'}}"))
    assert hints(loaded) == ([hint] if hint else [])


def test_a_text_where_a_message_belongs_is_no_wide_bracket() -> None:
    loaded = load(rule_text(send="【移动】您好。退订回R"))
    assert codes(loaded) == ["R108"]
    assert "【" not in loaded.problems[0].hint
