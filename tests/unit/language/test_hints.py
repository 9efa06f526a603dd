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
