"""What holds for every step of places and times: order, balance, restart, nothing done to clean feeds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cells import Cell, CellTable
from engine.event import Event
from engine.identity import Identity
from engine.options import Options
from engine.treatments.chain import Chain
from engine.treatments.registry import TREATMENTS, Around, Asked, chain_of
from engine.treatments.where_options import PingPongOptions
from tests.unit.treatments.support import MINUTE, POSITIONS, A, B, C, event, plain, run, streams

TABLE = CellTable(Cell(name, lat, lon, 500) for name, (lat, lon) in POSITIONS.items() if name != C)
AROUND = Around(Identity(b"k" * 16), 0, {"cells": TABLE})
MINE = ("unknown_cells", "duplicates", "late", "start_cell", "impossible_moves", "ping_pong", "thinning")
ASKED: dict[str, dict[str, Options]] = {
    **{name: {name: TREATMENTS[name].options()} for name in MINE},
    "ping_pong/repeat": {"ping_pong": PingPongOptions(mode="repeat")},
    "ping_pong/alone": {"ping_pong": PingPongOptions(alone=15 * MINUTE)},
    "ping_pong/site": {"ping_pong": PingPongOptions(same="site", most=3)},
    "all": {name: TREATMENTS[name].options() for name in MINE},
}


def chain(name: str) -> Chain:
    return chain_of((Asked(TREATMENTS[each], options) for each, options in ASKED[name].items()), AROUND)


few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
each_chain = pytest.mark.parametrize("name", ASKED)


def positions_in(events: list[Event], out: list[Event]) -> dict[str, list[int]]:
    """Return by subscriber which events came out, as places in the feed; what was added is left out."""
    places = {each.position: number for number, each in enumerate(events)}
    found: dict[str, list[int]] = {}
    for each in out:
        if "synthetic" not in each.fields.get("quality", ()):
            found.setdefault(each.key, []).append(places[each.position])
    return found


def numbered(events: list[Event]) -> list[Event]:
    for number, each in enumerate(events):
        each.position = f"FILE:{number}"
    return events


@each_chain
@few
@given(events=streams(), disorder=st.sampled_from((0, 2 * MINUTE)))
def test_counts_balance_and_order_is_kept(name: str, events: list[Event], disorder: int) -> None:
    steps = chain(name)
    out = run(steps, numbered(events), disorder)
    counts = steps.counts
    dropped = sum(n for deed, n in counts.items() if deed.split(".")[1].startswith("dropped"))
    added = sum(n for deed, n in counts.items() if deed.endswith(".added"))
    assert len(events) + added == len(out) + dropped + steps.parked
    assert steps.parked == 0
    for places in positions_in(events, out).values():
        assert places == sorted(places)


@each_chain
@few
@given(events=streams(), at=st.integers(0, 30), disorder=st.sampled_from((0, 2 * MINUTE)))
def test_a_restart_changes_nothing(name: str, events: list[Event], at: int, disorder: int) -> None:
    again = run(chain(name), events, disorder, restart=(at, chain(name)))
    assert plain(again) == plain(run(chain(name), events, disorder))


@each_chain
@few
@given(events=streams(), disorder=st.sampled_from((0, 2 * MINUTE)))
def test_a_call_or_session_never_loses_more_than_its_cell(
    name: str, events: list[Event], disorder: int
) -> None:
    out = run(chain(name), numbered(events), disorder)
    before = {each.position: each for each in events}
    for each in out:
        was = before[each.position]
        if not each.kind.startswith("loc."):
            assert ("no_trigger" in each.fields.get("quality", ())) == (
                "no_trigger" in was.fields.get("quality", ())
            )
        assert each.cell == each.fields.get("cell")
        assert each.seen == each.fields.get("t_start", each.t)
        if "synthetic" not in each.fields.get("quality", ()):
            taken = {"cell", "cell_end", "quality"}
            assert {n: v for n, v in each.fields.items() if n not in taken} == {
                n: v for n, v in was.fields.items() if n not in taken
            }


@st.composite
def clean(draw: st.DrawFn) -> list[Event]:
    """Draw a feed in which nothing is wrong: moves to a new cell of the table, minutes apart."""
    found, seconds, cell = [], 0, 0
    cells = (A, B)
    for number in range(draw(st.integers(0, 15))):
        seconds += draw(st.integers(301, 3_000))
        cell += draw(st.integers(0, 1))
        kind = draw(
            st.sampled_from(("loc.update", "loc.sight", "call.out", "sms.in", "power.on", "power.off"))
        )
        found.append(event(seconds, cells[cell % 2], kind, draw(st.sampled_from("xy")), id=str(number)))
    return found


@pytest.mark.parametrize("name", [name for name in ASKED if name != "ping_pong/alone"])
@few
@given(events=clean())
def test_a_clean_feed_stays_as_it_is(name: str, events: list[Event]) -> None:
    """But for `alone`: with it whoever is seen elsewhere once was not there."""
    steps = chain(name)
    assert plain(sorted(run(steps, events), key=lambda each: each.t)) == plain(events)
    assert not {deed for deed, n in steps.counts.items() if n} - {"ping_pong.moved"}


def test_no_step_takes_part_unless_asked_for() -> None:
    assert chain_of((), AROUND).steps == ()


def test_every_treatment_of_the_registry_has_its_own_name() -> None:
    for name in MINE:
        (step,) = chain(name).steps
        assert step.name == name
