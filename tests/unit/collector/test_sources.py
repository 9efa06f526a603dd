"""Ticks of several live sources: semantics.md 1.8."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from engine.sources import SourceTicks, SourceTime
from engine.ticks import TickMaker
from tests.unit.collector.support import SECOND, T

CALLS = frozenset(("call.out", "call.in"))
PLACES = frozenset(("loc.sight",))


def event(seconds: float, kind: str = "loc.sight", **fields: object) -> Event:
    return Event(kind, T + round(seconds * SECOND), "k", {"kind": kind, **fields})


def shown(ticks: Iterable[Event]) -> list[tuple[float, list[str]]]:
    return [((tick.t - T) / SECOND, tick.fields.get("down", [])) for tick in ticks]


def two(idle: float = 60) -> SourceTicks:
    gap = round(idle * SECOND)
    return SourceTicks({"calls": SourceTime(CALLS, 0, gap), "places": SourceTime(PLACES, 2 * SECOND, gap)})


def take(ticks: SourceTicks, name: str, taken: Event) -> list[tuple[float, list[str]]]:
    return shown([*ticks.before(name, taken), *ticks.after(name, taken)])


@given(
    st.lists(st.tuples(st.integers(0, 9_000_000), st.sampled_from(["loc.sight", "profile.update", "tick"]))),
    st.integers(0, 3 * SECOND),
)
@settings(max_examples=100)
def test_one_source_makes_the_ticks_of_a_replay(steps: list[tuple[int, str]], disorder: int) -> None:
    ticks, maker = SourceTicks({"one": SourceTime(disorder=disorder)}), TickMaker(disorder)
    for micros, kind in steps:
        fields = {"down": ["sms.in", "bill"]} if kind == "tick" and micros % 2 else {}
        taken = Event(kind, T + micros, "k", {"kind": kind, **fields})
        expected = maker.after(taken)
        made = [*ticks.before("one", taken), *ticks.after("one", taken)]
        assert [(tick.t, tick.fields) for tick in made] == (
            [] if expected is None else [(expected.t, expected.fields)]
        )
        assert ticks.is_written(taken)


def test_time_waits_for_the_source_that_is_furthest_behind() -> None:
    ticks = two()
    assert take(ticks, "places", event(100)) == []  # nothing is known of calls yet
    assert take(ticks, "calls", event(50, "call.in")) == [(50.0, [])]
    assert take(ticks, "calls", event(97.5, "call.in")) == [(97.5, [])]
    assert take(ticks, "calls", event(200, "call.in")) == [(98.0, [])]


def test_a_silent_source_is_named_from_the_last_tick_on_and_frees_time() -> None:
    ticks = two()
    take(ticks, "places", event(100))
    take(ticks, "calls", event(50, "call.in"))
    assert shown(ticks.silent("calls")) == [(50.0, ["call.in", "call.out"]), (98.0, ["call.in", "call.out"])]
    assert ticks.silent("calls") == []
    assert take(ticks, "places", event(110)) == [(108.0, ["call.in", "call.out"])]


def test_a_source_that_is_back_holds_time_until_it_has_caught_up() -> None:
    ticks = two()
    take(ticks, "places", event(100))
    take(ticks, "calls", event(50, "call.in"))
    ticks.silent("calls")
    assert take(ticks, "calls", event(60, "call.in")) == []
    assert take(ticks, "places", event(120)) == []
    assert take(ticks, "calls", event(99, "call.in")) == [(99.0, [])]


def test_kinds_that_another_live_source_brings_are_not_down() -> None:
    ticks = SourceTicks({"a": SourceTime(CALLS | PLACES), "b": SourceTime(CALLS)})
    take(ticks, "a", event(10))
    take(ticks, "b", event(10, "call.in"))
    assert shown(ticks.silent("b")) == []
    take(ticks, "b", event(20, "call.in"))
    take(ticks, "a", event(20))
    assert shown(ticks.silent("a")) == [(20.0, ["loc.sight"])]


def test_when_all_are_silent_time_stops_and_what_was_missed_is_named() -> None:
    ticks = two()
    take(ticks, "calls", event(50, "call.in"))
    take(ticks, "places", event(52))
    assert ticks.last == T + 50 * SECOND
    ticks.silent("calls")
    assert ticks.silent("places") == []
    assert ticks.watermark is None
    # an hour later: neither source was there between, so both are named from where time stopped
    back = take(ticks, "places", event(3_600))
    assert back == [
        (50.0, ["call.in", "call.out", "loc.sight"]),
        (3_598.0, ["call.in", "call.out"]),
    ]
    assert take(ticks, "calls", event(3_600, "call.in")) == []
    assert take(ticks, "places", event(3_700)) == [(3_600.0, [])]


def test_a_source_that_goes_on_where_it_stopped_missed_nothing() -> None:
    ticks = SourceTicks({"files": SourceTime(PLACES, 0, 60 * SECOND)})
    take(ticks, "files", event(50))
    assert ticks.silent("files") == []
    assert take(ticks, "files", event(51)) == [(51.0, [])]
    ticks.silent("files")
    assert take(ticks, "files", event(200)) == [(51.0, ["loc.sight"]), (200.0, [])]


def test_sources_of_control_records_hold_no_time() -> None:
    ticks = SourceTicks({"places": SourceTime(PLACES), "crm": SourceTime(frozenset(("profile.update",)))})
    assert take(ticks, "places", event(7)) == [(7.0, [])]
    assert take(ticks, "crm", event(99, "profile.update")) == []
    assert ticks.down() == []


def test_of_several_sources_none_moves_time_by_a_tick_of_its_own_but_what_it_misses_is_named() -> None:
    ticks = two()
    take(ticks, "calls", event(50, "call.in"))
    take(ticks, "places", event(52))
    own = event(9_000, "tick", down=["call.in"])
    assert not ticks.is_written(own)
    assert take(ticks, "calls", own) == [(50.0, ["call.in"])]
    assert take(ticks, "calls", event(9_001, "tick")) == []
    assert take(ticks, "places", event(60)) == []
    assert take(ticks, "calls", event(60, "call.in")) == [(58.0, [])]


def test_what_is_packed_goes_on_as_if_nothing_had_been() -> None:
    whole, before = two(), two()
    first = [("calls", event(50, "call.in")), ("places", event(53))]
    for name, taken in first:
        take(whole, name, taken)
        take(before, name, taken)
    whole.silent("calls")
    before.silent("calls")
    after = two()
    after.restore(before.pack())
    for name, taken in [("places", event(53.5)), ("places", event(70)), ("calls", event(71, "call.in"))]:
        assert take(after, name, taken) == take(whole, name, taken)
    assert after.pack() == whole.pack()


def test_the_closing_tick_is_just_after_the_newest_record() -> None:
    ticks = two()
    assert ticks.closing() is None
    take(ticks, "places", event(52))
    closing = ticks.closing()
    assert closing is not None
    assert closing.t == T + 52 * SECOND + 1


def test_of_a_source_whose_kinds_nobody_gave_those_it_has_brought_are_named_also_after_a_restart() -> None:
    sources = {"a": SourceTime(), "b": SourceTime()}
    ticks = SourceTicks(sources)
    take(ticks, "a", event(10, "call.in"))
    take(ticks, "a", event(10, "profile.update"))
    take(ticks, "a", event(11, "loc.sight"))
    assert take(ticks, "b", event(10.5, "loc.sight")) == [(10.5, [])]
    again = SourceTicks(sources)
    again.restore(ticks.pack())
    assert shown(again.silent("a")) == [(10.5, ["call.in"])]
    # one that has brought nothing yet frees time as well, and nothing is missing
    fresh = SourceTicks(sources)
    assert take(fresh, "b", event(5, "loc.sight")) == []
    assert shown(fresh.silent("a")) == [(5.0, [])]
