"""Patterns compared: what is claimed of two of them holds for every record the engine is given."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language import moments
from tests.unit.language.texts import pattern
from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, STREET, Stage, rule, rules_of

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
    {"leaves": "out"},
    {"leaves": "cafe"},
    {"stays_in": "cafe", "for": "10m"},
    {"stays_in": "out", "for": "10m"},
    {"stays_in": "out", "for": "20m"},
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

COMPILED = [
    each.when
    for each in rules_of(
        *(rule(f"r{number:02}", when) for number, when in enumerate(PATTERNS))
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


def instants(rules: list[dict[str, Any]], records: Life) -> list[set[int]]:
    """Let a subscriber live, and return the moments at which each rule fired, µs."""
    stage = Stage(*(rule(f"r{number}", when) for number, when in enumerate(rules)))
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
@given(pairs(), life)
def test_inside_means_that_the_other_fires_too(
    pair: tuple[dict[str, Any], dict[str, Any]], records: Life
) -> None:
    one, other = pair
    rules = rules_of(rule("r0", one), rule("r1", other)).rules
    first, second = rules["r0"].when, rules["r1"].when
    assert moments.inside(first, second)
    assert set(moments.keys(first)) <= set(moments.keys(second))
    here, there = instants([one, other], records)
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


def test_the_patterns_above_are_related_in_many_ways() -> None:
    verbs = {(next(iter(one)), next(iter(other))) for one, other in RELATED}
    assert verbs >= {("happens", "happens"), ("enters", "enters"), ("stays_in", "stays_in")}
    assert len(RELATED) >= 10
