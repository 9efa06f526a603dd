"""The longest a text can get, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event_kinds import KINDS, FieldDef
from engine.field_checks import AMOUNT_AT_MOST, check_of
from engine.heat import HOT
from engine.identity import Identity
from engine.language.checks.events import EVENTS, measures
from engine.language.checks.placeholders import Scope
from engine.language.cost import cost_of
from engine.language.loader import load_texts
from engine.language.longest import Values, longest
from engine.language.model import FieldType, Policy, Product
from engine.sms import segments
from engine.text import Template, format_value
from tests.unit.language.texts import POLICY, files, load, rule_text

SMS = '{channel: sms, text: "%s"}'
NAMES = st.lists(st.text(alphabet="ab字é ", min_size=1, max_size=40).map(str.strip), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="x字", max_size=300), NAMES, NAMES, st.booleans())
def test_no_values_take_more_parts(fixed: str, places: list[str], names: list[str], twice: bool) -> None:
    text = fixed + "{place.name}" + "{product.name}" * (1 + twice)
    for name in names:
        values = Values(Scope(place=True), Product("p", name, 1.0, ""), tuple(places))
        most = max(
            segments(Template.parse(text).render({"place.name": place, "product.name": name})).parts
            for place, _ in product(places, (0,))
        )
        assert longest(text, values).parts == most


def test_one_value_outside_the_alphabet_makes_all_of_it_dear() -> None:
    names = {"places": "a: {name: A long name in plain letters, cells: [460-00-1-1]}\n"
                       "b: {name: 北, cells: [460-00-1-2]}\ngroups: {both: [a, b]}"}  # fmt: skip
    text = "x" * 210 + "{place.name}"
    sms = {"policy": POLICY + "cost: {sms: 0.05 yuan}\n", **names}
    loaded = load(rule_text("{enters: both}", send=SMS % text), **sms)
    assert [p.message for p in loaded.problems if p.code == "R303"] == [
        "this may take 4 SMS parts (211 characters, 0.2 yuan each time)"
    ]
    only = load(rule_text("{enters: a}", send=SMS % text), **sms)
    assert "R303" not in [p.code for p in only.problems]


def test_places_are_those_that_the_pattern_is_about() -> None:
    names = {"places": f"a: {{name: A, cells: [460-00-1-1]}}\nb: {{name: {'北' * 60}, cells: [460-00-1-2]}}"}
    text = "字" * 200 + "{place.name}"
    for when, codes in (
        ("{happens: call.out, where: {place: a}}", []),
        ("{any_of: [{enters: a}, {happens: call.out, where: {place: b}}]}", ["R303"]),
    ):
        found = [p.code for p in load(rule_text(when, send=SMS % text), **names).problems]
        assert [code for code in found if code == "R303"] == codes


def test_a_price_that_is_not_given_is_not_known() -> None:
    policy = Policy(cost={"sms": 0.05})
    assert cost_of("sms", 3, policy) == 0.15
    assert cost_of("mms", 1, policy) is None
    assert cost_of("manual", 0, policy) is None


def test_an_mms_is_one_part_however_long_and_a_task_is_none() -> None:
    text = "【移动】" + "好" * 200 + "。退订回R。"
    send = [
        "{channel: manual, if: {tier: vip}, task: call}",
        f'{{channel: mms, if: {{mms: yes}}, subject: one, text: "{text}"}}',
        SMS % text,
    ]
    policy = POLICY + "cost: {sms: 0.05 yuan, mms: 0.30 yuan}\n"
    loaded = load_texts(
        files(rule_text(send="\n    - ".join(send)), policy=policy), review=datetime(2026, 9, 5, tzinfo=UTC)
    )
    assert loaded.errors == ()
    assert [(cost.channel, cost.parts, cost.yuan) for cost in loaded.costs] == [
        ("manual", 0, None), ("mms", 1, 0.3), ("sms", 4, 0.2)
    ]  # fmt: skip


def test_prices_are_checked() -> None:
    for cost, code in (
        ("{sms: 5}", "R209"),
        ("{sms: -1 yuan}", "R108"),
        ("{manual: 1 yuan}", "R101"),
        ("free", "R108"),
    ):
        loaded = load(rule_text(), policy=POLICY + f"cost: {cost}\n")
        assert [p.code for p in loaded.problems] == [code], cost
    ruleset = load(rule_text(), policy=POLICY + "cost: {sms: 5 fen, mms: 0.30 yuan}\n").ruleset
    assert ruleset is not None
    assert ruleset.policy.cost == {"sms": 0.05, "mms": 0.3}


def test_text_of_an_event_may_be_emoji_which_count_twice() -> None:
    fields = {"text": FieldDef("text", "text", "")}
    values = Values(Scope(fields=fields), None, ())
    text = "【移动】您说{event.text}。退订回R"
    real = Template.parse(text).render({"event.text": "😀" * 80})
    assert segments(real).parts == 2
    assert longest(text, values).parts == 2
    for fixed in range(140):
        text = "字" * fixed + "{event.text}"
        for char in ("😀", "字", "€", "x"):
            real = Template.parse(text).render({"event.text": char * 80})
            assert segments(real).parts <= longest(text, values).parts


AMOUNTS = st.integers(0, AMOUNT_AT_MOST) | st.floats(0, AMOUNT_AT_MOST)
TEXTS = st.text(max_size=80) | st.text("😀", min_size=61, max_size=80)
TAKEN: dict[FieldType, st.SearchStrategy[object]] = {
    "text": TEXTS,
    "number": AMOUNTS,
    "money": st.integers(-AMOUNT_AT_MOST, AMOUNT_AT_MOST) | st.floats(-AMOUNT_AT_MOST, AMOUNT_AT_MOST),
    "bytes": AMOUNTS,
    "percent": AMOUNTS,
    "duration": AMOUNTS,
    "yes/no": st.booleans(),
    "phone": st.from_regex(r"\+?[0-9]{3,20}", fullmatch=True),
}
"""Type of a field of a record -> what intake takes for it."""
REACHED: dict[FieldType, object] = {
    "text": "😀" * 61,
    "number": 2.0**47 - 1 / 64,
    "money": 1 / 64 - 2.0**47,
    "bytes": AMOUNT_AT_MOST - (1 << 27),
    "percent": 2.0**47 - 1 / 64,
    "duration": AMOUNT_AT_MOST // 86_400 * 86_400 - 1,
    "yes/no": True,
    "phone": "13800138000",
}
"""One of the longest."""
SUMS: dict[FieldType, tuple[int, int]] = {
    "number": (HOT * AMOUNT_AT_MOST, 0),
    "money": (HOT * AMOUNT_AT_MOST, 0),
    "bytes": (HOT * 2 * AMOUNT_AT_MOST, 200_000_000),  # `bytes` is up + down
    "duration": (HOT * AMOUNT_AT_MOST, HOT * AMOUNT_AT_MOST % 86_400 + 1),
}
"""Type of a measure -> the most that a subscriber's records come to, and how far below it the longest is."""
EVENT = "{event.x}"


def in_record(type_: FieldType) -> Values:
    return Values(Scope(fields={"x": FieldDef("x", type_, "")}), None, ())


def written(value: object, type_: FieldType) -> str:
    """What a text shows of a value: as intake keeps it, and as `engine.emit` puts it in."""
    kept = check_of(FieldDef("x", type_, ""), Identity(b"key", "86"), from_log=False)(value)
    return Template.parse(EVENT).render({"event.x": format_value(kept, type_)})


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_the_types_are_those_of_records() -> None:
    """A derived field, such as a place, and a set can't be quoted."""
    fields = [field for kind in EVENTS for field in KINDS[kind].fields.values()]
    assert {field.type for field in fields} - {"set"} <= TAKEN.keys()
    assert {field.type for kind in EVENTS for field in measures(kind).values()} == SUMS.keys()


@pytest.mark.parametrize("type_", TAKEN)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_value_that_intake_takes_is_written_longer(type_: FieldType, data: st.DataObject) -> None:
    most = longest(EVENT, in_record(type_)).text
    shown = written(data.draw(TAKEN[type_]), type_)
    assert len(shown) <= len(most)
    assert units(shown) <= units(most)


@pytest.mark.parametrize("type_", TAKEN)
def test_and_one_is_written_as_long(type_: FieldType) -> None:
    most = longest(EVENT, in_record(type_)).text
    shown = written(REACHED[type_], type_)
    assert (len(shown), units(shown)) == (len(most), units(most)), shown


@pytest.mark.parametrize("type_", SUMS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_total_is_written_longer(type_: FieldType, data: st.DataObject) -> None:
    highest, below = SUMS[type_]
    most = longest("{match.total}", Values(Scope(total=True), None, (), type_)).text
    for value in (data.draw(st.integers(0, highest)), data.draw(st.floats(0, highest)), highest):
        assert len(format_value(value, type_)) <= len(most), value
    assert len(format_value(highest - below, type_)) == len(most)


def test_no_count_is_written_longer() -> None:
    """R210 asks for no more than the records of somebody who is not hot yet, and such a count can match."""
    asked = "{count: call.out, at_least: %d, within: 48h}"
    for count, refused in ((HOT, []), (HOT + 1, ["R210"])):
        assert [problem.code for problem in load(rule_text(asked % count)).problems] == refused
    assert longest("{match.count}", Values(Scope(count=True), None, ())).text == str(HOT)
