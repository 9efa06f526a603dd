"""The longest a text can get, and what it costs."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event_kinds import FieldDef
from engine.language.checks.placeholders import Scope
from engine.language.cost import cost_of
from engine.language.longest import Values, longest
from engine.language.model import Policy, Product
from engine.sms import segments
from engine.text import Template
from tests.unit.language.texts import POLICY, load, rule_text

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
