"""How a case becomes records, and that a restart of the engine changes nothing."""

from __future__ import annotations

import pytest

from engine.codec import decode
from engine.language.loader import load_dir
from engine.language.testing import Step
from engine.rule_tests import runner
from engine.rule_tests.runner import run_case
from engine.rule_tests.world import Map, deeds
from engine.snapshot import Subscriber
from tests.unit.rule_tests.support import CALLS, EXAMPLES, MALL, problems, run

MINUTE = 60_000_000


def test_a_case_runs_48_hours_past_its_last_event() -> None:
    silent = "starts: 2026-09-05 10:00\ngiven: {brand: M-Zone, handset.network: 5G, tags: []}\n"
    case = "events: [{at: +0m, enters: campus-north}]\nexpect: [{at: +48h, offer: trial-100m}]"
    assert problems("campus-silent", silent, case, **{"for: 2h": "for: 48h"}) == ()


def test_things_happen_in_the_order_of_time_whatever_the_order_of_lines() -> None:
    case = """\
events:
  - {at: +40m, leaves: mall-wulin}
  - {at: +0m, enters: mall-wulin}
  - {at: +5m, sees: mall-wulin, times: 3, every: 10m}
expect: [{at: +30m, offer: mall-coupon}]
"""
    assert problems("mall-dwell", MALL, case) == ()


def test_fields_are_as_records_carry_them() -> None:
    loaded = load_dir(EXAMPLES)
    assert loaded.ruleset is not None
    (calls,) = [file for file in loaded.tests if file.rule == "competitor-calls"]
    first = deeds(calls.cases[0], loaded.ruleset.catalog)[0]
    assert first.record is not None
    assert first.record["number"] == "10010"
    assert first.record["duration"] == 95


def test_an_offer_names_the_line_of_the_record_that_led_to_it() -> None:
    case = "events: [{at: +0m, enters: mall-wulin}]\nexpect: [{at: +30m, offer: mall-coupon}]"
    (decision,) = run("mall-dwell", MALL, case).decisions
    assert decision["trigger"] == {"source": "test", "id": "6.0", "position": "line 6"}


def test_events_in_one_line_are_no_copies_of_each_other() -> None:
    call = "happens: call.out, number: 10010, duration: 95s"
    events = f"[{{at: +0h, {call}, times: 2, every: 1h}}, {{at: +2h, {call}}}]"
    case = f"events: {events}\nexpect: [{{at: +2h, offer: retention-plan}}]"
    assert problems("competitor-calls", CALLS, case) == ()


def test_a_record_that_intake_refuses_fails_the_case_with_its_line() -> None:
    case = "events: [{at: +0h, happens: product.bought}]\nexpect: nothing\nbecause: when"
    (problem,) = problems("competitor-calls", CALLS, case)
    assert problem.startswith("line 6: product: expected")


def test_a_timezone_that_is_none_fails_the_case() -> None:
    case = "given: {timezone: Mars/Base}\nevents: []\nexpect: nothing\nbecause: when"
    assert problems("mall-dwell", MALL, case) == (
        "timezone: expected an IANA name such as `Asia/Shanghai`, was `Mars/Base`",
    )


def test_a_timezone_moves_the_night() -> None:
    case = "given: {timezone: Europe/London}\nevents: [{at: +0m, enters: mall-wulin}]\n"
    case += "expect: nothing\nbecause: send_within"  # 14:30 in Shanghai is 07:30 in London
    night = {"send_within: 1h": "send_within: 20m"}
    assert problems("mall-dwell", MALL, case, **night) == ()


def test_a_cell_of_the_place_alone_is_taken_and_one_of_no_place_outside() -> None:
    loaded = load_dir(EXAMPLES)
    assert loaded.ruleset is not None
    catalog = loaded.ruleset.catalog
    cells = Map(catalog)
    for name, place in catalog.places.items():
        holding = [other for other, its in catalog.places.items() if cells.inside(name) in its.cells]
        assert cells.inside(name) in place.cells
        assert holding == [name]
        assert cells.outside not in place.cells


@pytest.mark.parametrize("minutes", [0, 1, 30, 90, 119, 120, 121, 600, 2000])
@pytest.mark.parametrize("lasts", [0, 1, 240])
def test_a_feed_that_no_rule_waits_for_changes_nothing(minutes: int, lasts: int) -> None:
    loaded = load_dir(EXAMPLES)
    assert loaded.ruleset is not None
    for file in loaded.tests:
        for case in file.cases:
            plain = run_case(loaded.ruleset, file.rule, case)
            down = Step(minutes * MINUTE, "feeds_down", feeds=("bill", "call.in"), lasts=lasts * MINUTE)
            object.__setattr__(case, "events", (*case.events, down))
            again = run_case(loaded.ruleset, file.rule, case)
            assert again.decisions == plain.decisions, (file.path, case.name)


@pytest.mark.parametrize("minutes", [0, 1, 30, 90, 119, 120, 121, 600, 2000])
def test_a_restart_at_any_moment_changes_nothing(minutes: int) -> None:
    loaded = load_dir(EXAMPLES)
    assert loaded.ruleset is not None
    for file in loaded.tests:
        for case in file.cases:
            plain = run_case(loaded.ruleset, file.rule, case)
            at = minutes * MINUTE
            object.__setattr__(case, "events", (*case.events, Step(at, "restart")))
            again = run_case(loaded.ruleset, file.rule, case)
            assert again.decisions == plain.decisions, (file.path, case.name)


SILENT = "starts: 2026-09-07 15:00\ngiven: {brand: M-Zone, handset.network: 5G, tags: []}\n"
"""One that `campus-silent` would take: two hours on a campus, and not online."""


@pytest.mark.parametrize(
    ("down", "stops"),
    [
        ("{at: +10m, feeds_down: data.session}", True),
        ("{at: +10m, feeds_down: data.session, for: 1m}", True),
        ("{at: +10m, feeds_down: [call.out, data.session], for: 1m}", True),
        ("{at: +10m, feeds_down: call.out}", False),
        # semantics 1.8: down from the tick that names it up to the one that does not; 3: waited in (a, a + D]
        ("{at: +2h, feeds_down: data.session}", True),
        ("{at: +121m, feeds_down: data.session}", False),
        ("{at: +0m, feeds_down: data.session, for: 1m}", True),
        # of several lines each has its own time, whichever feeds they name
        ("{at: +2m, feeds_down: data.session, for: 1m}, {at: +2m, feeds_down: call.out}", True),
        ("{at: +3h, feeds_down: data.session}, {at: +2m, feeds_down: call.out, for: 200m}", False),
    ],
)
@pytest.mark.parametrize("restart", [0, 11, 60, 120])
def test_a_feed_that_is_down_proves_no_absence(down: str, stops: bool, restart: int) -> None:
    """A restart in between does not bring it up."""
    again = f", {{at: +{restart}m, restart: engine}}" if restart else ""
    case = f"events: [{{at: +0m, enters: campus-north}}, {down}{again}]\nexpect: "
    feed, offer = case + "nothing\nbecause: feed", case + "[{at: +2h, offer: trial-100m}]"
    assert (problems("campus-silent", SILENT, feed) == ()) is stops
    assert (problems("campus-silent", SILENT, offer) == ()) is not stops


def test_a_feed_that_is_up_again_before_is_as_good_as_ever() -> None:
    """Up at the very moment at which the wait begins; two that overlap are down until the later end."""
    late = "{at: +20m, enters: campus-north}"
    expect = "\nexpect: [{at: +140m, offer: trial-100m}]"
    one = "{at: +0m, feeds_down: data.session, for: 20m}"
    assert problems("campus-silent", SILENT, f"events: [{one}, {late}]{expect}") == ()
    two = "{at: +5m, feeds_down: [data.session, bill], for: 16m}"
    (problem,) = problems("campus-silent", SILENT, f"events: [{one}, {two}, {late}]{expect}")
    assert problem.endswith("expected an offer of trial-100m at +2h20m, was none, because feed")


def test_a_feed_that_is_down_stops_no_rule_that_waits_for_nothing() -> None:
    case = "events: [{at: +0m, enters: mall-wulin}, {at: +1m, feeds_down: loc.update}]\n"
    assert problems("mall-dwell", MALL, case + "expect: [{at: +30m, offer: mall-coupon}]") == ()


def test_a_restart_goes_through_what_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test before would hold, too, if a restart did nothing at all."""

    def forgetful(key: str, blob: bytes) -> Subscriber:
        sub = decode(key, blob)
        sub.visits, sub.inside, sub.timers, sub.wake = {}, (), {}, 0
        return sub

    monkeypatch.setattr(runner, "decode", forgetful)
    came = "  - {at: +0m, enters: mall-wulin}\n"
    restarted = "  - {at: +10m, restart: engine}\n"
    expect = "expect: [{at: +30m, offer: mall-coupon}]"
    assert problems("mall-dwell", MALL, f"events:\n{came}{expect}") == ()
    [problem] = problems("mall-dwell", MALL, f"events:\n{came}{restarted}{expect}")
    assert "expected an offer of mall-coupon at +30m, was none" in problem
