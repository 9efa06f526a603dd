"""`enters`: semantics 3, 7 f."""

from __future__ import annotations

from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, MINUTE, STREET, Stage, minutes, rule


def stage(place: str = "cafe") -> Stage:
    return Stage(rule("r", {"enters": place}))


def test_the_first_sighting_ever_inside_is_an_instant() -> None:
    assert stage().see(CAFE, 0)[0]["place"] == "cafe"


def test_coming_from_outside_is_one_and_staying_is_none() -> None:
    on = stage()
    on.see(STREET, 0)
    assert minutes(on.see(CAFE, 1)) == [1]
    assert on.see(CAFE_2, 2) == []


def test_a_visit_that_opens_anew_after_the_bridge_is_none_for_nobody_was_seen_outside() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert on.see(CAFE, 300) == []


def test_after_48_hours_without_a_sighting_it_is_one() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert on.see(CAFE, 48 * 60)
    on = stage()
    on.see(CAFE, 0)
    assert on.see(CAFE, 48 * 60 - 1 / MINUTE) == []


def test_going_from_one_member_of_a_group_to_another_enters_the_second() -> None:
    on = stage("out")
    assert on.see(CAFE, 0)[0]["place"] == "cafe"
    assert on.see(BAR, 1)[0]["place"] == "bar"


def test_several_members_at_one_time_are_one_instant_with_the_first_of_the_groups_list() -> None:
    places = {
        "a": {"name": "A", "cells": [CAFE]},
        "b": {"name": "B", "cells": [CAFE]},
        "groups": {"g": ["b", "a"]},
    }
    on = Stage(rule("r", {"enters": "g"}), places=places)
    assert [decision["place"] for decision in on.see(CAFE, 0)] == ["b"]


def test_it_is_stamped_at_the_clock_when_the_sighting_is_earlier_than_its_record() -> None:
    on = stage()
    assert minutes(on.record("call.out", 3, start=0, cell=CAFE)) == [3]
    on = stage()
    assert on.record("call.out", 6, start=0, cell=CAFE) == []
