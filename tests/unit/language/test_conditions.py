"""Lines of `where`, `who` and the like: what they compile to and what they refuse."""

from __future__ import annotations

import pytest

from engine.language.model import Happens, Op, Value
from tests.unit.language.texts import codes, load, pattern, rule_text, who


@pytest.mark.parametrize(
    ("line", "op", "values"),
    [
        ("brand: M-Zone", "is", ("M-Zone",)),
        ("brand: [GoTone, M-Zone]", "is", ("GoTone", "M-Zone")),
        ("brand: not M-Zone", "not", ("M-Zone",)),
        ("city: 12", "is", ("12",)),
        ("city: over the hills", "is", ("over the hills",)),
        ("city: here to there", "is", ("here to there",)),
        ("city: not here", "not", ("here",)),
        ("arpu: 0 yuan", "is", (0,)),
        ("arpu: '58 yuan'", "is", (58,)),
        ("arpu: [20 yuan, 50 fen]", "is", (20, 0.5)),
        ("arpu: at least 58 yuan", "at_least", (58,)),
        ("arpu: at most 58 yuan", "at_most", (58,)),
        ("arpu: over 58 yuan", "over", (58,)),
        ("arpu: under 58 yuan", "under", (58,)),
        ("arpu: not 58 yuan", "not", (58,)),
        ("arpu: 20 to 50 yuan", "between", (20, 50)),
        ("age: 17 to 26", "between", (17, 26)),
        ("left: at most 20%", "at_most", (20,)),
        ("month: at most 0 MB", "at_most", (0,)),
        ("online: at least 1m30s", "at_least", (90,)),
        ("mms: yes", "is", (True,)),
        ("mms: not yes", "not", (True,)),
        ("tags: student", "is", ("student",)),
        ("tags: not student", "not", ("student",)),
        ("products: [pack, free]", "is", ("pack", "free")),
    ],
)
def test_tests_of_subscriber_fields(line: str, op: Op, values: tuple[Value, ...]) -> None:
    test = who(line)
    assert (test.op, test.values) == (op, values)
    assert [type(value) for value in test.values] == [type(value) for value in values]


def test_the_text_is_kept_for_explain() -> None:
    assert who("arpu: at least 58 yuan").text == "at least 58 yuan"
    assert who("brand: [GoTone, M-Zone]").text == "[GoTone, M-Zone]"


@pytest.mark.parametrize(
    ("written", "op", "values"),
    [
        ("number: rivals", "is", ("10010", "10000")),
        ("number: not rivals", "not", ("10010", "10000")),
        ("number: [hotline, +86 139-1234.5678, 0086 (10) 1]", "is", ("10086", "13912345678", "101")),
        ("number: +49 151", "is", ("+49151",)),
        ("duration: at least 30s", "at_least", (30,)),
        ("place: both", "is", ("south", "north")),
        ("place: [north, both]", "is", ("north", "south", "north")),
        ("place: not north", "not", ("north",)),
        ("cell: 460-00-1-1", "is", ("460-00-1-1",)),
        ("rat: [LTE, NR]", "is", ("LTE", "NR")),
        ("lac: 4301", "is", (4301,)),
        ("plmn: '46000'", "is", ("46000",)),
    ],
)
def test_tests_of_event_fields(written: str, op: Op, values: tuple[Value, ...]) -> None:
    compiled = pattern(f"{{happens: call.out, where: {{{written}}}}}")
    assert isinstance(compiled, Happens)
    assert (compiled.where[0].op, compiled.where[0].values) == (op, values)


def test_open_text_has_no_order() -> None:
    assert codes(load(rule_text("{happens: call.out, where: {cause: over 3}}"))) == ["R209"]


def test_bytes_of_a_session_is_up_and_down_together() -> None:
    compiled = pattern("{happens: data.session, where: {bytes: over 1 GB}}")
    assert isinstance(compiled, Happens)
    assert compiled.where[0].type == "bytes"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("brand: at least GoTone", "R209"),
        ("tags: at least 3", "R209"),
        ("mms: over yes", "R209"),
        ("brand: Gotone", "R208"),
        ("brand: [GoTone, M-zone]", "R208"),
        ("brand: not Gotone", "R208"),
        ("city: ''", "R108"),
        ("city: []", "R108"),
        ("city: [[a]]", "R108"),
        ("city: {a: b}", "R108"),
        ("arpu: 58", "R209"),
        ("arpu: at least", "R209"),
        ("arpu: [over 58 yuan]", "R209"),
        ("age: 26 to 17", "R209"),
        ("mms: 1", "R209"),
        ("aple: 1", "R206"),
        ("products: packs", "R301"),
    ],
)
def test_what_is_refused(line: str, code: str) -> None:
    loaded = load(rule_text(who="{" + line + "}"))
    assert codes(loaded) == [code]
    assert loaded.ruleset is None


def test_nobody_named_a_field_that_could_not_be_read() -> None:
    loaded = load(rule_text(who="{anything: 5}"), fields="brand: [")
    assert codes(loaded) == ["R001"]
