"""Where a subscriber is: semantics 2."""

from __future__ import annotations

from typing import Any

import pytest

from engine.presence import is_known
from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, MINUTE, PLACES, STREET, Stage, minutes, rule, when

SMALL = 1 / MINUTE

IN_CAFE = {"happens": "sms.in", "where": {"place": "cafe"}}
"""An instant wherever the state in the cafe is `in`: the record has no cell of its own."""


def stage(**policy: Any) -> Stage:
    return Stage(rule("r", IN_CAFE), **policy)


def inside(on: Stage, at: float) -> bool:
    return bool(on.record("sms.in", at))


def test_before_the_first_sighting_the_state_is_unknown() -> None:
    assert not inside(stage(), 1)


def test_a_sighting_inside_makes_in_and_one_outside_makes_out() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert inside(on, 1)
    on.see(STREET, 2)
    assert not inside(on, 3)


def test_a_sighting_is_at_its_start() -> None:
    on = stage()
    on.record("call.out", 30, start=10, cell=CAFE)
    assert on.sub.seen_at == when(10)
    assert inside(on, 68)
    assert not inside(on, 69)


def test_the_state_is_known_up_to_the_lapse_and_unknown_later() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert inside(on, 58)
    assert not inside(on, 58 + 1 / MINUTE)


def test_the_lapse_may_be_given_per_radio_access() -> None:
    on = stage(presence={"lapse": {"LTE": "10m", "GSM": "4h"}, "bridge": "4h"})
    on.see(CAFE, 0, rat="LTE")
    assert inside(on, 10)
    assert not inside(on, 11)
    on.see(CAFE, 20, rat="GSM")
    assert inside(on, 260)
    on.see(CAFE, 261)
    assert inside(on, 319)
    assert not inside(on, 320)


def test_a_power_off_makes_the_state_unknown_from_its_time_on() -> None:
    on = stage()
    on.see(CAFE, 0)
    on.record("power.off", 5)
    assert is_known(on.sub, when(5) - 1)
    assert not is_known(on.sub, when(5))
    assert not inside(on, 6)


def test_a_power_off_older_than_the_last_sighting_changes_nothing() -> None:
    on = stage()
    on.see(CAFE, 10)
    on.record("power.off", 9)
    assert inside(on, 11)


def test_power_off_and_sighting_of_one_time_go_by_the_log() -> None:
    first_off, first_seen = stage(), stage()
    first_off.record("power.off", 5)
    first_off.see(CAFE, 5)
    assert inside(first_off, 6)
    first_seen.see(CAFE, 5)
    first_seen.record("power.off", 5)
    assert not inside(first_seen, 6)


def test_a_power_off_is_no_sighting_though_it_names_a_cell() -> None:
    on = stage()
    on.see(CAFE, 0)
    on.record("power.off", 5, cell=BAR)
    assert on.sub.cell == CAFE


def test_a_sighting_earlier_than_the_last_one_is_ignored() -> None:
    on = stage()
    on.see(CAFE, 10)
    on.see(STREET, 9)
    assert inside(on, 11)
    on.record("call.out", 12, start=8, cell=STREET)
    assert inside(on, 13)


def test_of_two_sightings_of_one_time_the_later_in_the_log_counts() -> None:
    on = stage()
    on.see(CAFE, 10)
    on.see(STREET, 10)
    assert not inside(on, 11)


def test_a_record_flagged_no_trigger_does_not_sight() -> None:
    on = stage()
    on.see(CAFE, 0, quality=["no_trigger"])
    assert not inside(on, 1)
    assert on.sub.clock == when(1)


def test_a_business_record_does_not_sight() -> None:
    on = stage()
    on.record("recharge", 0, cell=CAFE, amount=5)
    assert not inside(on, 1)


def test_a_cell_may_lie_in_several_places() -> None:
    places = {**PLACES, "hall": {"name": "Hall", "cells": [CAFE]}}
    on = Stage(rule("r", IN_CAFE), places=places)
    on.see(CAFE, 0)
    assert list(on.sub.inside) == ["cafe", "hall"]
    on.see(CAFE_2, 1)
    assert list(on.sub.inside) == ["cafe"]


def test_a_visit_opens_once_and_a_sighting_outside_closes_it() -> None:
    on = stage()
    on.see(CAFE, 0)
    on.see(CAFE_2, 10)
    assert on.sub.visits["cafe"][0] == when(0)
    on.see(BAR, 20)
    assert set(on.sub.visits) == {"bar"}


@pytest.mark.parametrize(("gap", "opened"), [(240, 0), (240 + 1 / MINUTE, 240 + 1 / MINUTE)])
def test_from_unknown_a_visit_goes_on_up_to_the_bridge(gap: float, opened: float) -> None:
    on = stage()
    on.see(CAFE, 0)
    on.see(CAFE, gap)
    assert on.sub.visits["cafe"][0] == when(opened)


def test_a_visit_goes_on_beyond_the_bridge_while_the_state_is_known() -> None:
    on = stage(presence={"lapse": "6h", "bridge": "6h"})
    on.see(CAFE, 0)
    on.see(CAFE, 300)
    assert on.sub.visits["cafe"][0] == when(0)


def test_an_open_visit_keeps_its_opening_past_48_hours() -> None:
    on = stage()
    for hour in range(52):
        on.see(CAFE, hour * 60 * 0.95)
    assert on.sub.visits["cafe"][0] == when(0)


@pytest.mark.parametrize(("began", "at"), [(0, [30]), (-SMALL, [])])
def test_a_sighting_more_than_an_hour_late_is_dropped(began: float, at: list[float]) -> None:
    """2.1: it is late in the sense of 1.5; the record itself is not."""
    on = Stage(rule("r", {"stays_in": "cafe", "for": "90m"}), presence={"lapse": "4h"})
    on.record("data.session", 60, start=began, cell=CAFE)
    assert on.fold.outcomes["applied"] == 2
    assert minutes(on.tick(120)) == [90 for _ in at]
