"""Late records and copies: semantics 1.3, 1.5, 1.6."""

from __future__ import annotations

import pytest

from engine import copies
from tests.unit.pipeline.stage import HOUR, MINUTE, OTHER, Stage, minutes, rule, when

SMALL = 1 / MINUTE
"""One µs in minutes."""


def stage() -> Stage:
    return Stage(rule("r", {"happens": "sms.out"}), rule("b", {"happens": "recharge"}))


def test_the_clock_is_the_greatest_time_of_records_and_ticks() -> None:
    on = stage()
    on.record("sms.in", 10)
    on.record("sms.in", 5)
    assert on.sub.clock == when(10)
    on.tick(20)
    on.record("sms.in", 15)
    assert on.sub.clock == when(20)


def test_control_records_neither_move_the_clock_nor_are_late() -> None:
    on = stage()
    on.record("sms.in", 10)
    on.record("consent.change", 500, consent={"marketing": False})
    assert on.sub.clock == when(10)
    assert on.sub.consent["marketing"] is False
    on.record("consent.change", -500, consent={"marketing": True})
    assert on.sub.consent["marketing"] is True


@pytest.mark.parametrize(("late", "fired"), [(0.0, [60.0]), (5.0, [60.0]), (5 + SMALL, [])])
def test_up_to_patience_a_late_record_fires_stamped_at_the_clock(late: float, fired: list[float]) -> None:
    on = stage()
    on.record("sms.in", 60)
    assert minutes(on.record("sms.out", 60 - late)) == fired


@pytest.mark.parametrize(("late", "fate"), [(60.0, "applied late"), (60 + SMALL, "late")])
def test_signaling_late_by_more_than_an_hour_is_dropped(late: float, fate: str) -> None:
    on = stage()
    on.record("sms.in", 100)
    on.record("sms.out", 100 - late)
    assert on.fold.outcomes[fate] == 1


@pytest.mark.parametrize(("late", "fired"), [(48 * 60.0, [0.0]), (48 * 60 + SMALL, [])])
def test_business_records_fire_up_to_48_hours_late(late: float, fired: list[float]) -> None:
    on = stage()
    on.record("sms.in", 0)
    assert minutes(on.record("recharge", -late)) == fired


def test_a_copy_within_the_hour_is_dropped_and_counted() -> None:
    on = stage()
    assert on.record("sms.out", 1, id="x")
    assert on.record("sms.out", 2, id="x") == []
    assert on.fold.outcomes["duplicate"] == 1
    assert on.sub.clock == when(1)


def test_a_copy_is_known_up_to_an_hour_behind_the_clock_before_it() -> None:
    on = stage()
    on.record("sms.out", 0, id="x")
    on.record("sms.in", 60)
    assert on.record("sms.out", 61, id="x") == []
    on.record("sms.in", 61)
    assert on.record("sms.out", 62, id="x")


def test_copies_of_business_records_are_known_for_48_hours() -> None:
    on = stage()
    on.record("recharge", 0, id="x")
    on.record("sms.in", 48 * 60)
    assert on.record("recharge", 48 * 60, id="x") == []
    on.record("sms.in", 48 * 60 + 1)
    assert on.record("recharge", 48 * 60 + 1, id="x")


def test_a_copy_of_a_record_dropped_as_late_is_late_again() -> None:
    on = stage()
    on.record("sms.in", 100)
    on.record("sms.out", 0, id="x")
    on.record("sms.out", 0, id="x")
    assert on.fold.outcomes["late"] == 2
    assert on.fold.outcomes["duplicate"] == 0


def test_records_without_an_id_are_never_copies() -> None:
    on = stage()
    on.record("sms.in", 1, id="")
    on.record("sms.in", 1, id="")
    assert on.fold.outcomes["duplicate"] == 0


def test_a_tick_is_for_every_subscriber_also_one_whose_first_record_comes_later() -> None:
    on = stage()
    on.tick(100)
    on.record("sms.out", 0, key=OTHER)
    assert on.fold.outcomes["late"] == 1
    assert on.fold.subscribers[OTHER].clock == when(100)


def test_ids_are_forgotten_with_the_hour() -> None:
    on = stage()
    for n in range(200):
        on.record("sms.in", n)
    times = copies.times(on.sub.ids, on.sub.clock)
    assert len(times) <= 80
    assert min(times) >= when(199) - HOUR - 12 * MINUTE


def test_an_id_is_known_whatever_kind_of_record_had_it() -> None:
    on = stage()
    on.record("sms.in", 1, id="x")
    on.record("recharge", 2, id="x")
    on.record("recharge", 3, id="y")
    on.record("sms.in", 4, id="y")
    assert on.fold.outcomes["duplicate"] == 2
    on.tick(64)
    on.record("sms.in", 64, id="y")  # the recharge is more than an hour ago
    assert on.fold.outcomes["duplicate"] == 2


@pytest.mark.parametrize(("at", "copies"), [(61, 1), (61 + SMALL, 0)])
def test_ids_of_signaling_records_are_held_against_others_for_an_hour(at: float, copies: int) -> None:
    on = stage()
    on.record("sms.in", 1, id="x")
    on.tick(at)
    on.record("recharge", at, id="x")
    assert on.fold.outcomes["duplicate"] == copies
