"""`all_of`: semantics 3, 7 c."""

from __future__ import annotations

from tests.unit.pipeline.stage import CAFE, MINUTE, PLACES, STREET, Stage, fates, minutes, rule

SMALL = 1 / MINUTE
BOTH = {"all_of": [{"happens": "call.out"}, {"happens": "sms.out"}], "within": "30m"}


def test_the_part_that_completes_it_in_any_order() -> None:
    on = Stage(rule("r", BOTH))
    on.record("sms.out", 0)
    assert minutes(on.record("call.out", 1)) == [1]
    on = Stage(rule("r", BOTH))
    on.record("call.out", 0)
    assert minutes(on.record("sms.out", 1)) == [1]


def test_the_others_lie_in_the_window() -> None:
    on = Stage(rule("r", BOTH))
    on.record("sms.out", 0)
    assert on.record("call.out", 30) == []
    on = Stage(rule("r", BOTH))
    on.record("sms.out", SMALL)
    assert on.record("call.out", 30)


def test_all_are_later_than_the_last_instant() -> None:
    on = Stage(rule("r", BOTH))
    on.record("sms.out", 0)
    assert on.record("call.out", 1)
    assert on.record("sms.out", 2) == []
    assert on.record("call.out", 3)


def test_one_record_may_serve_several_parts() -> None:
    on = Stage(rule("r", {"all_of": [{"happens": "loc.update"}, {"enters": "cafe"}], "within": "1h"}))
    assert on.see(CAFE, 0)


def test_the_place_comes_from_the_part_that_has_one() -> None:
    on = Stage(rule("r", {"all_of": [{"enters": "cafe"}, {"happens": "sms.out"}], "within": "1h"}))
    on.see(CAFE, 0)
    assert on.record("sms.out", 1)[0]["place"] == "cafe"


def test_completed_late_the_last_instant_is_the_clock() -> None:
    on = Stage(rule("r", BOTH))
    on.record("sms.out", 9)
    on.record("sms.in", 10)
    assert minutes(on.record("call.out", 6)) == [10]
    assert on.record("sms.out", 10) == []
    assert minutes(on.record("call.out", 11)) == [11]


def test_a_late_part_of_a_record_takes_nothing_from_a_timely_one() -> None:
    """7(d): each instant has its own lateness, and a rule fires if any instant of that moment may."""
    on = Stage(rule("r", {"all_of": [{"happens": "data.session"}, {"enters": "cafe"}], "within": "4h"}))
    assert fates(on.record("data.session", 30, start=0, cell=CAFE)) == ["r offer"]
    assert on.record("data.session", 31) == []


def test_two_parts_at_one_time_are_one_instant_that_of_the_part_written_first() -> None:
    places = {**PLACES, "bar": {"name": "Bar", "cells": [CAFE]}}
    on = Stage(rule("r", {"all_of": [{"leaves": "bar"}, {"leaves": "cafe"}], "within": "1h"}), places=places)
    on.see(CAFE, 0)
    assert [decision["place"] for decision in on.see(STREET, 1)] == ["bar"]
