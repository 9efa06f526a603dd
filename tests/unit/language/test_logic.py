"""Lines as sets of values: whatever is claimed of them holds for `engine.audience`, which judges people."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audience import compile_test
from engine.language.logic import apart, audience, contradict, fails, implies, narrower, nobody, passes
from engine.language.model import FieldType, Op, Test
from tests.unit.language.texts import load, rule_text

KEY = bytes(16)
IS_OR_NOT: tuple[Op, ...] = ("is", "not")
WORDS = ("a", "b", "c", "d")
NUMBERS = (-1, 0, 1, 2, 2.5, 3, 7)
PHONES = ("10086", "10010", "8613900000001", "8613900000002")
ORDERED: tuple[FieldType, ...] = ("number", "money", "bytes", "percent", "duration")

words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def lines(draw: st.DrawFn, type: FieldType, field: str = "f") -> Test:
    """Any line that a field of a type takes."""
    if type in ORDERED:
        op = draw(st.sampled_from(get_args(Op)))
        low, high = sorted(draw(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS))))
        many = tuple(draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3)))
        values: tuple[Any, ...] = many if op == "is" else (low, high) if op == "between" else (low,)
    else:
        op = draw(st.sampled_from(IS_OR_NOT))
        if type == "yes/no":
            values = tuple(draw(st.lists(st.booleans(), min_size=1, max_size=2)))
        elif type == "phone":
            values = tuple(draw(st.lists(st.sampled_from(PHONES), min_size=1, max_size=2)))
        else:
            values = draw(words)
    return Test(field, type, op, values, "as written")


def every_value(type: FieldType) -> list[Any]:
    """All values that the lines above can tell apart, unknown and some of a wrong type with them."""
    strange: list[Any] = [None, "?", 99, True, [], {"x": 1}]
    if type in ORDERED:
        return [*strange, *NUMBERS, *(number + 0.25 for number in NUMBERS), -9, 1e300, -1e300]
    if type == "yes/no":
        return [*strange, True, False, "yes"]
    if type == "phone":
        return [*strange, *PHONES]
    if type in ("set", "place"):
        every: list[list[str]] = (
            [[]] + [[word] for word in WORDS] + [["a", "b"], ["a", "c"], ["b", "d"], list(WORDS), ["z"]]
        )
        return [*strange, *every, *WORDS]
    return [*strange, *WORDS, "z"]


TYPES: tuple[FieldType, ...] = (*ORDERED, "text", "yes/no", "set", "place", "phone")
pairs = st.sampled_from(TYPES).flatmap(lambda type: st.tuples(lines(type), lines(type)))


@settings(max_examples=400, deadline=None)
@given(pairs)
def test_implied_means_that_no_value_passes_one_and_not_the_other(pair: tuple[Test, Test]) -> None:
    one, other = pair
    holds, holds_too = compile_test(one, KEY), compile_test(other, KEY)
    found = [(holds(value) is True, holds_too(value) is True) for value in every_value(one.type)]
    assert implies(one, one)
    if implies(one, other):
        assert all(second for first, second in found if first)
    elif one.type != "phone":  # records hold long numbers as hashes, so few phones here pass anything
        assert any(first and not second for first, second in found)
    if contradict(one, other):
        assert not any(first and second for first, second in found)


@settings(max_examples=300, deadline=None)
@given(pairs, pairs)
def test_blocks_of_lines(first: tuple[Test, Test], second: tuple[Test, Test]) -> None:
    def judged(block: tuple[Test, Test], value: Any) -> bool:
        wanted, barred = block
        return compile_test(wanted, KEY)(value) is True and compile_test(barred, KEY)(value) is False

    one, other = audience(first[:1], first[1:]), audience(second[:1], second[1:])
    values = every_value(first[0].type)
    if nobody(one):
        assert not any(judged(first, value) for value in values)
    if first[0].type != second[0].type:
        return
    if narrower(one, other):
        assert all(judged(second, value) for value in values if judged(first, value))
    if apart(one, other):
        assert not any(judged(first, value) and judged(second, value) for value in values)


def lines_of(who: str, excepts: str = "{}") -> dict[str, Any]:
    loaded = load(rule_text(who=who, excepts=excepts))
    assert loaded.ruleset is not None
    rule = loaded.ruleset.rules["r"]
    return audience(rule.who, rule.excepts)


@pytest.mark.parametrize(
    ("who", "excepts"),
    [
        ("{arpu: over 100 yuan}", "{arpu: at least 50 yuan}"),
        ("{brand: GoTone}", "{brand: [GoTone, M-Zone]}"),
        ("{age: 17 to 26}", "{age: 10 to 30}"),
        ("{age: 5}", "{age: 5}"),
        ("{mms: yes}", "{mms: yes}"),
        ("{mms: not no}", "{mms: yes}"),
        ("{tags: [a, b]}", "{tags: [b, a, c]}"),
        ("{tags: not a}", "{tags: not a}"),
        ("{left: under 20%}", "{left: at most 20%}"),
    ],
)
def test_nobody_passes(who: str, excepts: str) -> None:
    assert nobody(lines_of(who, excepts))


@pytest.mark.parametrize(
    ("who", "excepts"),
    [
        ("{arpu: at least 50 yuan}", "{arpu: over 50 yuan}"),
        ("{brand: [GoTone, M-Zone]}", "{brand: GoTone}"),
        ("{tags: a}", "{tags: b}"),
        ("{tags: not a}", "{tags: not b}"),
        ("{arpu: over 100 yuan}", "{age: at least 50}"),
        ("{}", "{}"),
    ],
)
def test_somebody_passes(who: str, excepts: str) -> None:
    assert not nobody(lines_of(who, excepts))


@pytest.mark.parametrize(
    ("one", "other", "inside"),
    [
        ("{arpu: over 58 yuan, age: 20}", "{arpu: at least 58 yuan}", True),
        ("{arpu: at least 58 yuan}", "{arpu: over 58 yuan}", False),
        ("{age: 17 to 26}", "{age: not 30}", True),
        ("{age: not 30}", "{age: 17 to 26}", False),
        ("{brand: GoTone}", "{brand: [M-Zone, GoTone]}", True),
        ("{brand: GoTone}", "{brand: not M-Zone}", True),
        ("{}", "{brand: GoTone}", False),
        ("{brand: GoTone}", "{}", True),
        ("{tags: [a, b]}", "{tags: [a, b, c]}", True),
        ("{tags: a}", "{tags: not b}", False),
        ("{age: over 5}", "{arpu: over 5 yuan}", False),
    ],
)
def test_one_audience_in_another(one: str, other: str, inside: bool) -> None:
    assert narrower(lines_of(one), lines_of(other)) is inside


def test_those_let_through_by_except_have_a_known_value() -> None:
    line = Test("f", "text", "is", ("a",), "a")
    assert not nobody(audience((), (line,)))
    assert fails(line).within(passes(Test("f", "text", "not", ("a",), "not a")))  # type: ignore[arg-type]


def test_what_is_barred_is_not_among_what_sets_share_with_a_line() -> None:
    """Of `[a, b]` without b there is only a."""
    one = lines_of("{tags: [a, b]}", "{tags: b}")
    assert narrower(one, lines_of("{tags: a}"))
    assert narrower(one, lines_of("{tags: [a, c]}"))
    assert not narrower(lines_of("{tags: [a, b]}"), lines_of("{tags: a}"))
    assert not narrower(lines_of("{tags: [a, b]}", "{tags: c}"), lines_of("{tags: a}"))
    assert not narrower(one, lines_of("{tags: b}"))


NOBODY = "nobody passes: "
NONE = "no record passes: "


@pytest.mark.parametrize(
    ("who", "excepts", "said"),
    [
        ("{left: under 0%}", "{}", NOBODY + "`left` is from 0% to 100%, so `under 0%` is never true"),
        ("{left: over 100%}", "{}", NOBODY + "`left` is from 0% to 100%, so `over 100%` is never true"),
        ("{month: under 0 KB}", "{}", NOBODY + "`month` is never below 0, so `under 0 KB` is never true"),
        ("{online: under 0s}", "{}", NOBODY + "`online` is never below 0, so `under 0s` is never true"),
        ("{}", "{left: at most 100%}", NOBODY + "`left` is from 0% to 100%, so `except` bars them all"),
        ("{}", "{online: at least 0s}", NOBODY + "`online` is never below 0, so `except` bars them all"),
        ("{left: over 50%}", "{left: 50% to 100%}",
         NOBODY + "`except` bars every `left` that `who` lets through"),
        ("{left: at least 0%}", "{}", ""),
        ("{left: at most 0%}", "{}", ""),
        ("{left: at least 100%}", "{left: under 0%}", ""),
        ("{age: under 0}", "{}", ""),
        ("{arpu: under 0 yuan}", "{}", ""),
        ("{left: over 50%}", "{left: 51% to 100%}", ""),
    ],
)  # fmt: skip
def test_numbers_that_there_can_not_be(who: str, excepts: str, said: str) -> None:
    loaded = load(rule_text(who=who, excepts=excepts))
    assert [(p.code, p.message) for p in loaded.problems] == ([("R507", said)] if said else [])


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("{happens: call.out, where: {duration: under 0s}}",
         NONE + "`duration` is never below 0, so `under 0s` is never true"),
        ("{count: sms.out, at_least: 2, within: 1h, where: {length: under 0}}",
         NONE + "`length` is never below 0, so `under 0` is never true"),
        ("{total: data.session.bytes, at_least: 1 MB, within: 1h, where: {up: at most -1 KB}}",
         NONE + "`up` is never below 0, so `at most -1 KB` is never true"),
        ("{happens: call.out, unless: {duration: at least 0s}}",
         NONE + "`duration` is never below 0, so `unless` bars them all"),
        ("{happens: call.out, where: {duration: at most 0s}}", ""),
    ],
)  # fmt: skip
def test_numbers_that_no_record_has(when: str, said: str) -> None:
    assert [(p.code, p.message) for p in load(rule_text(when)).problems] == ([("R507", said)] if said else [])


def test_a_message_for_numbers_that_there_can_not_be() -> None:
    send = "{channel: manual, if: {left: over 100%}, task: call}"
    assert [p.message for p in load(rule_text(send=send)).problems] == [
        "never sent: nobody has such a `left`"
    ]
