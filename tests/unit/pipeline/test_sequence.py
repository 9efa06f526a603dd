"""`sequence`: semantics 3, 7 c, j."""

from __future__ import annotations

from tests.unit.pipeline.stage import CAFE, MINUTE, TEN, Json, Stage, fates, minutes, rule

SMALL = 1 / MINUTE
CALL_TEXT: Json = {"sequence": [{"happens": "call.out"}, {"happens": "sms.out"}], "within": "30m"}


def stage(pattern: Json | None = None) -> Stage:
    return Stage(rule("r", pattern or CALL_TEXT))


def start(decision: dict[str, object]) -> float:
    values = decision["values"]
    assert isinstance(values, dict)
    return float((values["match"]["start"] - TEN) / MINUTE)


def test_the_last_step_is_the_instant() -> None:
    on = stage()
    assert on.record("call.out", 0) == []
    assert minutes(on.record("sms.out", 1)) == [1]


def test_steps_in_the_wrong_order_are_none() -> None:
    on = stage()
    on.record("sms.out", 0)
    assert on.record("call.out", 1) == []


def test_at_equal_times_the_log_says_which_is_later() -> None:
    on = stage()
    on.record("call.out", 0)
    assert on.record("sms.out", 0)
    on = stage()
    on.record("sms.out", 0)
    on.record("call.out", 0)
    assert on.tick(90) == []


def test_the_first_step_lies_in_the_window() -> None:
    on = stage()
    on.record("call.out", 0)
    assert on.record("sms.out", 30) == []
    on = stage()
    on.record("call.out", SMALL)
    assert on.record("sms.out", 30)


def test_the_latest_possible_start_is_reported() -> None:
    on = stage()
    on.record("call.out", 0)
    on.record("call.out", 5)
    assert start(on.record("sms.out", 6)[0]) == 5


def test_all_steps_are_later_than_the_last_instant() -> None:
    on = stage()
    on.record("call.out", 0)
    assert on.record("sms.out", 1)
    assert on.record("sms.out", 2) == []
    on.record("call.out", 3)
    assert on.record("sms.out", 4)


def test_a_record_serves_one_step() -> None:
    twice = {"sequence": [{"happens": "sms.out"}, {"happens": "sms.out"}], "within": "30m"}
    on = stage(twice)
    assert on.record("sms.out", 0) == []
    assert on.record("sms.out", 1)


def test_a_late_record_serves_as_an_earlier_step_at_its_own_time() -> None:
    on = stage({"sequence": [*CALL_TEXT["sequence"], {"happens": "sms.in"}], "within": "2h"})
    on.record("sms.out", 50)
    on.record("call.out", 10)
    assert start(on.record("sms.in", 51)[0]) == 10


def test_completed_late_the_last_instant_is_the_clock() -> None:
    on = stage()
    on.record("call.out", 0)
    on.record("call.out", 9)
    on.record("sms.in", 10)
    assert minutes(on.record("sms.out", 6)) == [10]
    assert on.record("sms.out", 11) == []


def test_a_timer_can_be_a_step() -> None:
    on = stage({"sequence": [{"stays_in": "cafe", "for": "10m"}, {"happens": "sms.out"}], "within": "1h"})
    on.see("460-00-1-1", 0)
    assert on.record("sms.out", 10) == []
    decision = on.record("sms.out", 11)[0]
    assert decision["place"] == "cafe"
    assert start(decision) == 10


def test_a_late_end_of_a_record_takes_nothing_from_a_timely_one() -> None:
    """7(d): each instant has its own lateness, and a rule fires if any instant of that moment may."""
    ends = {"any_of": [{"happens": "data.session"}, {"enters": "cafe"}]}
    on = Stage(rule("r", {"sequence": [{"happens": "call.out"}, ends], "within": "4h"}))
    on.record("call.out", 0)
    assert fates(on.record("data.session", 40, start=10, cell=CAFE)) == ["r offer"]
    assert on.record("data.session", 41) == []
