"""`schedule`: ADR 17."""

from __future__ import annotations

import pytest

from tests.unit.pipeline.stage import CAFE, GIVEN, HOUR, MINUTE, STREET, Json, Stage, fates, minutes, rule

SMALL = 1 / MINUTE
HAPPENS: Json = {"happens": "sms.out"}


def at_minutes(schedule: Json, *moments: float, given: Json = GIVEN) -> list[float]:
    """Which of these minutes past ten on a Monday are instants?"""
    on = Stage(rule("r", HAPPENS, schedule=schedule), given=given)
    return minutes([made for at in moments for made in on.record("sms.out", at)])


def test_hours_are_half_open_by_the_wall_clock() -> None:
    inside = at_minutes({"hours": "10:01 to 10:02"}, 1 - SMALL, 1, 2 - SMALL, 2)
    assert inside == [1, 2 - SMALL]


def test_days_run_from_midnight_to_midnight() -> None:
    tuesday = 14 * 60
    assert at_minutes({"days": "mon"}, 0, tuesday - SMALL, tuesday) == [0, tuesday - SMALL]
    assert at_minutes({"days": ["tue to sun"]}, 0, tuesday - SMALL, tuesday) == [tuesday]


def test_what_lies_behind_midnight_is_of_the_next_day() -> None:
    night = {"days": "mon", "hours": "22:00 to 02:00"}
    assert at_minutes(night, 12 * 60, 15 * 60) == [12 * 60]
    assert at_minutes({**night, "days": "mon to tue"}, 12 * 60, 15 * 60) == [12 * 60, 15 * 60]


@pytest.mark.parametrize(("zone", "inside"), [("Asia/Shanghai", []), ("Asia/Urumqi", [1])])
def test_the_clock_is_the_subscribers(zone: str, inside: list[float]) -> None:
    given = {**GIVEN, "timezone": zone}
    assert at_minutes({"hours": "08:00 to 09:00"}, 1, given=given) == inside


def test_a_timer_counts_by_when_it_is_due() -> None:
    on = Stage(rule("r", {"stays_in": "cafe", "for": "30m"}, schedule={"hours": "10:30 to 11:00"}))
    on.see(CAFE, 0)
    assert minutes(on.tick(31)) == [30]
    on.see(STREET, 32)
    on.see(CAFE, 33)
    assert on.tick(90) == []


def test_an_instant_outside_is_no_decision_but_the_pattern_remembers_it() -> None:
    twice = {"sequence": [{"happens": "call.out"}, HAPPENS], "within": "2h"}
    on = Stage(rule("r", twice, schedule={"hours": "10:30 to 12:00"}))
    on.record("call.out", 0)
    assert on.record("sms.out", 1) == []
    assert on.record("sms.out", 40) == []
    on.record("call.out", 41)
    assert minutes(on.record("sms.out", 42)) == [42]


def test_a_late_record_counts_by_its_own_time() -> None:
    on = Stage(rule("r", HAPPENS, schedule={"hours": "10:00 to 10:10"}))
    on.record("power.on", 12)
    assert fates(on.record("sms.out", 9)) == ["r offer"]
    assert on.record("sms.out", 11) == []


def test_of_two_instants_of_one_moment_the_one_inside_fires() -> None:
    either = {"any_of": [{"stays_in": "cafe", "for": "5m"}, HAPPENS]}
    on = Stage(rule("r", either, schedule={"hours": "10:10 to 10:20"}))
    on.see(CAFE, 4)
    [made] = on.record("sms.out", 10)
    assert made["place"] is None
    assert fates(on.tick(HOUR / MINUTE)) == []


def test_a_hold_that_ends_outside_ends_as_ever() -> None:
    on = Stage(rule("r", HAPPENS, schedule={"hours": "10:00 to 10:30"}, quiet="10:00 to 11:00"))
    assert fates(on.record("sms.out", 1)) == ["r held"]
    assert fates(on.tick(61)) == ["r offer"]
