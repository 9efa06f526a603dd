"""What is said twice, nobody is left for, or an editor reads as something else than text."""

from __future__ import annotations

import pytest

from tests.unit.language.texts import POLICY, codes, load, rule_text


@pytest.mark.parametrize(
    "text",
    [
        rule_text(who="{brand: [M-Zone, GoTone, M-Zone]}"),
        rule_text(excepts="{tags: [a, b, 'a']}"),
        rule_text(who="{arpu: [20 yuan, 20 yuan]}"),
        rule_text("{happens: call.out, where: {number: [hotline, hotline]}}"),
        rule_text("{happens: call.out, where: {place: [north, north]}}"),
        rule_text(limits=", quiet: [12:00 to 13:00, 12:00 to 13:00]"),
        rule_text() + "schedule: {days: [mon, tue, mon]}\n",
        rule_text() + "schedule: {hours: [10:00 to 12:00, 10:00 to 12:00]}\n",
    ],
)
def test_a_member_of_a_list_that_is_there_already(text: str) -> None:
    loaded = load(text)
    assert codes(loaded) == ["R002"]
    (found,) = loaded.problems
    marked = found.source[found.col - 1 : found.end - 1].strip("'")
    assert found.message == f"`{marked}` is listed twice"


def test_a_member_of_a_list_of_the_policy() -> None:
    assert codes(load(rule_text(), policy=POLICY + "opt_out: [TD, R, TD]\n")) == ["R002"]
    assert codes(load(rule_text(), policy=POLICY.replace("4 in 30d", "1 in 1d"))) == ["R002"]


def test_a_holdout_of_everybody_is_a_warning() -> None:
    loaded = load(rule_text().replace("holdout: 5%", "holdout: 100%"))
    assert [(found.code, found.severity) for found in loaded.problems] == [("R406", "warning")]
    assert loaded.problems[0].message == "nobody is ever sent anything: all are held out"
    house = load(rule_text(), policy=POLICY + "holdout: 100%\n")
    assert [(found.code, found.path) for found in house.problems] == [("R406", "policy.yaml")]
    assert codes(load(rule_text().replace("holdout: 5%", "holdout: 99%"))) == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("~", "nothing"),
        ("null", "nothing"),
        ("true", "yes or no"),
        ("FALSE", "yes or no"),
        (".nan", "a number"),
    ],
)
def test_a_plain_word_that_editors_read_as_no_text(written: str, read: str) -> None:
    for text in (
        rule_text(who=f"{{tags: {written}}}"),
        rule_text(who=f"{{tags: [a, {written}]}}"),
        rule_text(who=f"{{city: {written}}}"),
        rule_text().replace("title: A rule", f"title: {written}"),
        rule_text().replace("owner: team", f"owner: {written}"),
    ):
        (found,) = load(text).problems
        assert (found.code, found.severity) == ("R108", "error")
        assert found.message.endswith(f"was `{written}`, which YAML reads as {read}")
        assert found.hint == f'quote it if it is meant: `"{written}"`'
        assert found.source[found.col - 1 : found.end - 1] == written
    assert codes(load(rule_text(who=f"{{tags: '{written}'}}"))) == []
    assert codes(load(rule_text(who="{mms: true}"))) == ["R209"]


def test_a_number_of_any_length_is_text_where_text_belongs() -> None:
    assert codes(load(rule_text().replace("title: A rule", f"title: {'9' * 5_000}"))) == []
