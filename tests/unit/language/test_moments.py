"""Patterns compared: what is claimed of two of them holds for every record the engine is given."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language import moments
from engine.language.model import (
    After,
    AllOf,
    AnyOf,
    Count,
    Enters,
    Happens,
    Leaves,
    Pattern,
    Sequence,
    StaysIn,
    Test,
    Total,
)
from tests.unit.language.texts import pattern
from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, GIVEN, STREET, Stage, rule, rules_of

PATTERNS: list[dict[str, Any]] = [
    {"happens": "call.out"},
    {"happens": "call.out", "where": {"duration": "over 60s"}},
    {"happens": "call.out", "where": {"duration": "at least 30s"}},
    {"happens": "call.out", "unless": {"duration": "at most 60s"}},
    {"happens": "call.out", "where": {"place": "out"}},
    {"happens": "call.out", "where": {"place": "cafe"}},
    {"enters": "cafe"},
    {"enters": "out"},
    {"enters": "bar", "confirm": "10m"},
    {"enters": "out", "confirm": "10m"},
    {"enters": "out", "resident": "yes"},
    {"enters": "cafe", "resident": "yes"},
    {"enters": "cafe", "resident": "no"},
    {"enters": "out", "confirm": "10m", "resident": "no"},
    {"leaves": "out"},
    {"leaves": "cafe"},
    {"stays_in": "cafe", "for": "10m"},
    {"stays_in": "out", "for": "10m"},
    {"stays_in": "out", "for": "20m"},
    {"stays_in": "out", "for": "10m", "resident": "no"},
    {"stays_in": "cafe", "for": "10m", "resident": "yes"},
    {"count": "call.out", "at_least": "2", "within": "1h"},
    {"count": "call.out", "where": {"duration": "over 60s"}, "at_least": "2", "within": "1h"},
    {"after": {"enters": "cafe"}, "no": {"happens": "call.out"}, "for": "10m"},
    {"sequence": [{"enters": "cafe"}, {"happens": "call.out"}], "within": "1h"},
    {"sequence": [{"enters": "out"}, {"happens": "call.out"}], "within": "1h"},
    {"all_of": [{"enters": "cafe"}, {"happens": "call.out"}], "within": "1h"},
]
IMPOSSIBLE: list[dict[str, Any]] = [
    {"sequence": [{"enters": "cafe"}, {"stays_in": "cafe", "for": "10m"}], "within": "10m"},
    {"sequence": [{"leaves": "cafe"}, {"stays_in": "cafe", "for": "20m"}], "within": "10m"},
    {"sequence": [{"leaves": "cafe"}, {"enters": "cafe", "confirm": "10m"}], "within": "10m"},
    {"happens": "call.out", "where": {"duration": "over 60s"}, "unless": {"duration": "over 30s"}},
]

LEARN = {"home": "23:00 to 06:00"}
COMPILED = [
    each.when
    for each in rules_of(
        *(rule(f"r{number:02}", when) for number, when in enumerate(PATTERNS)), learn=LEARN
    ).rules.values()
]
RELATED = [
    (one, other)
    for one, first in zip(PATTERNS, COMPILED, strict=True)
    for other, second in zip(PATTERNS, COMPILED, strict=True)
    if one is not other and moments.inside(first, second)
]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A pattern inside another, both perhaps among more: `any_of` of them."""
    one, other = draw(st.sampled_from(RELATED))
    more = draw(st.lists(st.sampled_from(PATTERNS), max_size=2, unique_by=str))
    wide = [each for each in more if each != other]
    narrow = [each for each in wide[:1] if each != one]
    return {"any_of": [one, *narrow]} if narrow else one, {"any_of": [other, *wide]} if wide else other


life = st.lists(
    st.tuples(
        st.sampled_from(("loc.update", "call.out")),
        st.sampled_from((CAFE, CAFE_2, BAR, STREET)),
        st.integers(1, 12),
        st.sampled_from((10, 30, 45, 60, 61, 90)),
    ),
    min_size=5,
    max_size=25,
)
Life = list[tuple[str, str, int, int]]


HOMES: list[dict[str, str]] = [{}, {"home": CAFE}, {"work": BAR}, {"home": STREET}]


def instants(
    rules: list[dict[str, Any]], records: Life, profile: dict[str, str] | None = None
) -> list[set[int]]:
    """Let a subscriber live, and return the moments at which each rule fired, µs."""
    given = {**GIVEN, "profile": profile or {}}
    stage = Stage(*(rule(f"r{number}", when) for number, when in enumerate(rules)), given=given, learn=LEARN)
    fired: list[set[int]] = [set() for _ in rules]
    at = 0
    for kind, cell, wait, duration in records:
        at += wait
        more: dict[str, Any] = {"duration": duration} if kind == "call.out" else {}
        for made in (stage.tick(at - 0.5), stage.record(kind, at, cell=cell, **more)):
            for decision in made:
                fired[int(decision["rule"][1:])].add(decision["at"])
    return fired


@settings(max_examples=120, deadline=None)
@given(pairs(), life, st.sampled_from(HOMES))
def test_inside_means_that_the_other_fires_too(
    pair: tuple[dict[str, Any], dict[str, Any]], records: Life, profile: dict[str, str]
) -> None:
    one, other = pair
    rules = rules_of(rule("r0", one), rule("r1", other), learn=LEARN).rules
    first, second = rules["r0"].when, rules["r1"].when
    assert moments.inside(first, second)
    assert set(moments.keys(first)) <= set(moments.keys(second))
    here, there = instants([one, other], records, profile)
    assert here <= there


@settings(max_examples=40, deadline=None)
@given(life)
def test_what_is_called_impossible_never_fires(records: Life) -> None:
    assert instants(IMPOSSIBLE, records) == [set()] * len(IMPOSSIBLE)


def inside(one: str, other: str) -> bool:
    return moments.inside(pattern(one), pattern(other))


def test_wording_and_order_do_not_matter() -> None:
    assert inside("{enters: both}", "{any_of: [{enters: south}, {enters: both}]}")
    assert moments.normal(pattern("{any_of: [{enters: south}, {happens: call.out}]}")) == moments.normal(
        pattern("{any_of: [{happens: call.out}, {enters: south}]}")
    )
    calls = "{count: call.out, where: {duration: %s}, at_least: 3, within: 2h}"
    assert inside(calls % "at least 60s", calls % "at least 1m")


def test_what_remembers_is_only_inside_its_like() -> None:
    assert not inside("{leaves: north}", "{leaves: both}")
    counts = "{count: call.out, at_least: %s, within: 2h}"
    assert not inside(counts % 4, counts % 3)
    runs = "{sequence: [{enters: %s}, {happens: call.out}], within: 1h}"
    assert inside(runs % "both", runs % "both")
    assert not inside(runs % "north", runs % "both")
    assert not inside("{stays_in: north, for: 20m}", "{stays_in: north, for: 10m}")
    assert not inside("{enters: north}", "{enters: both, confirm: 10m}")


def test_who_is_meant_is_compared() -> None:
    for verb in ("enters: %s, confirm: 10m", "enters: %s", "stays_in: %s, for: 10m"):
        south, both = pattern(f"{{{verb % 'south'}}}"), pattern(f"{{{verb % 'both'}}}")
        assert isinstance(south, Enters | StaysIn)
        assert isinstance(both, Enters | StaysIn)
        locals_, visitors = replace(south, resident=True), replace(south, resident=False)
        assert not moments.inside(locals_, visitors)
        assert not moments.inside(visitors, locals_)
        assert not moments.inside(south, visitors)
        assert moments.inside(visitors, south)
        assert moments.inside(visitors, replace(both, resident=False))


CALL = Happens("call.out")
EVERY_PATTERN: list[tuple[Pattern, dict[str, Any]]] = [
    (CALL, {"event": "call.in"}),
    (Enters("south", ("south",)), {"members": ("north",), "confirm": 1, "resident": True}),
    (Leaves("south", ("south",)), {"members": ("north",)}),
    (StaysIn("south", ("south",), 9), {"members": ("north",), "duration": 8, "resident": True}),
    (Count("call.out", (), 2, 9), {"event": "call.in", "at_least": 3, "within": 8}),
    (
        Total("call.out", "duration", "duration", (), 2, 9),
        {"event": "call.in", "field": "bytes", "at_least": 3, "within": 8},
    ),
    (Sequence((CALL, CALL), 9), {"steps": (CALL, Happens("call.in")), "within": 8}),
    (After(CALL, CALL, 9), {"first": Happens("call.in"), "no": Happens("call.in"), "wait": 8}),
    (AnyOf((CALL,)), {"parts": (Happens("call.in"),)}),
    (AllOf((CALL,), 9), {"parts": (Happens("call.in"),), "within": 8}),
]
"""Each kind of pattern, with another value for each of its fields."""
NOT_COMPARED = {"place", "type"}
"""How it is written, and what follows from the field."""
LINE = Test("duration", "duration", "over", (60,), "over 60s")


@pytest.mark.parametrize(("one", "others"), EVERY_PATTERN, ids=lambda each: type(each).__name__)
def test_no_field_of_a_pattern_is_left_out_of_the_comparison(one: Pattern, others: dict[str, Any]) -> None:
    lines = dict.fromkeys(("where", "unless"), (LINE,))
    for field in fields(one):
        if field.name in NOT_COMPARED:
            continue
        changed: Any = {field.name: others.get(field.name) or lines[field.name]}
        other = replace(one, **changed)
        assert moments.normal(one) != moments.normal(other), field.name
        assert not (moments.inside(one, other) and moments.inside(other, one)), field.name


def test_every_kind_of_pattern_stands_above() -> None:
    assert {type(one) for one, _ in EVERY_PATTERN} == set(get_args(Pattern))


def test_the_patterns_above_are_related_in_many_ways() -> None:
    verbs = {(next(iter(one)), next(iter(other))) for one, other in RELATED}
    assert verbs >= {("happens", "happens"), ("enters", "enters"), ("stays_in", "stays_in")}
    assert len(RELATED) >= 10
