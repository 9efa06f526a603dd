"""Classes of numbers: in the catalogue, in rules, in records."""

from __future__ import annotations

import pytest

from engine.history import History, append, read
from engine.identity import Identity
from engine.intake import Intake
from engine.language.loader import Loaded
from engine.number_classes import NumberClasses, asked_for
from tests.unit.identity.support import IMSI, KEY, row
from tests.unit.language.texts import good, load, rule_text

LISTS = "hotline: [10086]\nbanks: [955*, +86 96*, 4008895558]\nbritain: [+44*]\nrivals: [10010*, 10000]\n"


def checked(where: str, numbers: str = LISTS) -> Loaded:
    return load(rule_text("{happens: call.out, where: {" + where + "}}"), numbers=numbers)


def problem(where: str, numbers: str = LISTS) -> tuple[str, str, str]:
    [found] = checked(where, numbers).problems
    return found.code, found.message, found.hint


CLASSES = NumberClasses(
    {"hotline": ("10086",), "banks": ("4008895558",), "rivals": ("10000",)},
    {"banks": ("955", "96"), "britain": ("+44",), "rivals": ("10010",), "long": ("4008895",)},
)


@pytest.mark.parametrize(
    ("number", "names"),
    [
        ("10086", ["hotline"]),
        ("+86 10086", ["hotline"]),
        ("95588", ["banks"]),
        ("955", ["banks"]),
        ("95", []),
        ("4008895558", ["banks", "long"]),
        ("1001012345", ["rivals"]),
        ("+44 20 7946 0018", ["britain"]),
        ("0044 20 7946 0018", ["britain"]),
        ("13912345678", []),
        ("", []),
    ],
)
def test_what_a_number_is(number: str, names: list[str]) -> None:
    assert CLASSES.of(number) == names
    assert CLASSES.of(number) == names  # from what is remembered


def test_short_codes_are_known_and_an_empty_catalogue_has_no_classes() -> None:
    assert "10086" in CLASSES
    assert "955" not in CLASSES
    assert not NumberClasses({}, {})


def test_the_catalogue_takes_beginnings() -> None:
    catalog = good(checked("number_class: banks")).catalog
    assert catalog.prefixes == {"banks": ("955", "96"), "britain": ("+44",), "rivals": ("10010",)}
    assert catalog.numbers == {
        "hotline": ("10086",),
        "banks": ("4008895558",),
        "britain": (),
        "rivals": ("10000",),
    }


@pytest.mark.parametrize(
    ("item", "hint"),
    [
        ("955x", "did you mean `955*`?"),
        ("955%", "did you mean `955*`?"),
        ("^955", "did you mean `955*`?"),
        ("955**", "did you mean `955*`?"),
        ("'*'", ""),
        ("banks*", ""),
    ],
)
def test_beginnings_written_in_another_way(item: str, hint: str) -> None:
    found = problem("number_class: a", f"a: [{item}]\n")
    assert found[0] == "R108"
    assert "or the beginning of one such as `955*`" in found[1]
    assert found[2] == hint


def test_a_beginning_given_twice() -> None:
    assert problem("number_class: a", "a: [955*, +86955*, 955]\n")[0] == "R002"


@pytest.mark.parametrize(
    ("where", "message", "hint"),
    [
        ("number_class: bnaks", "no list of numbers `bnaks` in the catalogue", "did you mean `banks`?"),
        (
            "number_class: [hotline, bank]",
            "no list of numbers `bank` in the catalogue",
            "did you mean `banks`?",
        ),
        ("number_class: not rival", "no list of numbers `rival` in the catalogue", "did you mean `rivals`?"),
        (
            "number_class: 95588",
            "`95588` is a number, `number_class` takes lists of numbers",
            "write `number: 95588`",
        ),
        (
            "number: banks",
            "`banks` holds beginnings of numbers, which a number in a record can't be held against",
            "write `number_class: banks`",
        ),
    ],
)
def test_mistakes_get_a_hint(where: str, message: str, hint: str) -> None:
    assert problem(where) == ("R207", message, hint)


def test_a_field_misspelt() -> None:
    assert problem("number_clas: banks")[2] == "did you mean `number_class`?"
    assert problem("numberclass: banks")[2] == "did you mean `number_class`?"


@pytest.mark.parametrize(
    ("when", "asks"),
    [
        ("{happens: call.out, where: {number_class: banks}}", True),
        ("{happens: call.out, unless: {number_class: banks}}", True),
        (
            "{after: {happens: power.on},"
            " no: {count: sms.out, where: {number_class: banks}, at_least: 2, within: 1h}, for: 1h}",
            True,
        ),
        ("{happens: call.out, where: {number: hotline}}", False),
    ],
)
def test_only_sets_that_ask_for_classes_get_them(when: str, asks: bool) -> None:
    assert (asked_for(good(load(rule_text(when), numbers=LISTS))) is not None) is asks


def test_a_new_rule_sees_the_classes_of_the_past() -> None:
    intake = Intake(Identity(KEY), edge=CLASSES)
    history = History()
    rows = [
        row(n, kind="call.out", imsi=IMSI, number=number, duration=5)
        for n, number in enumerate(("95588", "4008895558", "13912345678", "10086"))
    ]
    rows.append(row(9, kind="call.out", imsi=IMSI, number_class=["banks"]))
    rows.append(row(10, kind="sms.in", imsi=IMSI, number="95588", phase="stop"))
    events = [intake.record(each, "f", "1") for each in rows]
    history.begin_far(rows[0]["t"], 1, {})
    for seq, event in enumerate(events, 1):
        assert event is not None
        append(history, history.far[-1], event, seq, event.t, None, 0)
    envelope = ("kind", "t", "subscriber_key", "source")
    kept = [{k: v for k, v in e.fields.items() if k not in envelope} for e in events if e is not None]
    assert [past.event().fields for past in read(history)] == kept
    assert kept[1]["number_class"] == ["banks", "long"]
    history._tidy()
    assert [past.event().fields for past in read(history)] == kept
