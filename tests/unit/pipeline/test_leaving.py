"""Places that are left late, cells around them: docs/decisions/0019."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from engine.codec import decode, encode
from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, PLACES, STREET, Stage, minutes, rule, rules_of

YARD = "460-00-1-8"
"""A cell around the cafe."""


def places(**cafe: Any) -> dict[str, Any]:
    changed = deepcopy(dict(PLACES))
    changed["cafe"] |= cafe
    return changed


def stage(when: dict[str, Any], **cafe: Any) -> Stage:
    return Stage(rule("r", when), places=places(**cafe))


LEAVES = {"leaves": "cafe"}


def test_a_visit_ends_so_long_after_the_first_sighting_outside() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    assert on.see(STREET, 1) == []
    assert minutes(on.tick(20)) == [6]


def test_who_comes_back_in_time_has_not_left() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    assert on.see(CAFE, 6) == []  # records of the due time come before its timer
    assert on.tick(20) == []
    assert on.see(STREET, 21) == []
    assert minutes(on.tick(30)) == [26]


def test_a_sighting_that_is_late_enough_ends_it_itself() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    assert minutes(on.see(BAR, 6)) == [6]


def test_so_many_sightings_outside_end_it() -> None:
    on = stage(LEAVES, leave_sightings=3)
    on.see(CAFE, 0)
    assert on.see(STREET, 1) == []
    assert on.see(BAR, 2) == []
    assert minutes(on.see(STREET, 3)) == [3]


def test_whichever_is_first() -> None:
    both = {"leave_after": "5m", "leave_sightings": 3}
    on = stage(LEAVES, **both)
    on.see(CAFE, 0)
    on.see(STREET, 1)
    on.see(STREET, 1.5)
    assert minutes(on.see(STREET, 2)) == [2]
    assert on.tick(20) == []


def test_the_counting_begins_anew_inside() -> None:
    on = stage(LEAVES, leave_sightings=2)
    for minute, cell in enumerate((CAFE, STREET, CAFE, STREET, CAFE, STREET)):
        assert on.see(cell, minute) == []
    assert minutes(on.see(STREET, 6)) == [6]


def test_switched_off_in_doubt_nobody_has_left() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    on.record("power.off", 2)
    assert on.tick(20) == []
    assert on.see(STREET, 21) == []  # closed, but from unknown
    assert on.see(STREET, 22) == []


def test_a_dwell_that_comes_due_in_doubt_waits_for_its_end() -> None:
    for when in ({"stays_in": "cafe", "for": "10m"}, {"enters": "cafe", "confirm": "10m"}):
        on = stage(when, leave_after="5m")
        on.see(CAFE, 0)
        on.see(STREET, 7)
        assert on.tick(11) == []
        assert minutes(on.see(CAFE, 11.5)) == [11.5]  # it was there all along
        assert on.tick(60) == []
        on = stage(when, leave_after="5m")
        on.see(CAFE, 0)
        on.see(STREET, 7)
        assert on.tick(30) == []
        assert on.see(CAFE, 31) == []  # that visit ended; the dwell of this one begins
        assert minutes(on.tick(42)) == [41]


def test_a_doubt_that_begins_as_the_dwell_comes_due_is_one() -> None:
    on = stage({"stays_in": "cafe", "for": "10m"}, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 10)
    assert on.tick(11) == []
    assert on.see(STREET, 12) == []
    assert minutes(on.see(CAFE, 13)) == [13]


def test_a_doubt_that_is_over_is_none() -> None:
    on = stage({"stays_in": "cafe", "for": "10m"}, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 7)
    on.see(CAFE, 9)
    assert minutes(on.tick(11)) == [10]


def test_a_sighting_around_settles_a_dwell_as_one_inside() -> None:
    on = stage({"stays_in": "cafe", "for": "10m"}, leave_after="5m", buffer=[YARD])
    on.see(CAFE, 0)
    on.see(STREET, 8)
    assert on.tick(11) == []
    assert minutes(on.see(YARD, 12)) == [12]


def test_one_sighting_inside_is_not_confirmed_by_the_doubt_about_it() -> None:
    on = stage({"enters": "cafe", "confirm": "3m"}, leave_after="30m")
    on.see(STREET, 0)
    on.see(CAFE, 1)
    on.see(STREET, 2)
    assert on.tick(60) == []


def test_who_comes_back_after_doubt_does_not_enter() -> None:
    on = stage({"enters": "cafe"}, leave_after="5m")
    assert minutes(on.see(CAFE, 0)) == [0]
    on.see(STREET, 1)
    assert on.see(CAFE, 2) == []
    on.see(STREET, 3)
    assert minutes(on.see(CAFE, 9)) == [9]


def test_around_a_place_nobody_enters_and_nobody_leaves() -> None:
    on = stage({"any_of": [{"enters": "cafe"}, LEAVES]}, buffer=[YARD])
    assert on.see(YARD, 0) == []
    assert minutes(on.see(CAFE, 1)) == [1]
    assert on.see(YARD, 2) == []
    assert on.see(CAFE, 3) == []
    assert on.see(YARD, 4) == []
    assert minutes(on.see(STREET, 5)) == [5]
    assert on.see(YARD, 6) == []
    assert minutes(on.see(CAFE, 7)) == [7]


def test_a_group_is_left_when_the_last_doubt_is_over() -> None:
    on = Stage(rule("r", {"leaves": "out"}), places=places(leave_after="5m"))
    on.see(CAFE, 0)
    on.see(BAR, 1)
    assert on.see(STREET, 2) == []  # the bar is left, the cafe in doubt
    found = on.tick(20)
    assert minutes(found) == [6]
    assert found[0]["place"] == "cafe"


def test_told_late_it_ends_in_the_past_and_fires_at_the_clock() -> None:
    on = stage(LEAVES, leave_after="2m")
    on.see(CAFE, 0)
    on.record("sms.out", 10)
    found = on.see(STREET, 6)
    assert minutes(found) == [10]
    on = stage(LEAVES, leave_after="2m")
    on.see(CAFE, 0)
    on.record("sms.out", 20)
    assert on.see(STREET, 6) == []  # beyond patience
    assert on.see(STREET, 21) == []


def test_doubts_are_stored() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    sub = on.sub
    again = decode(sub.key, encode(sub))
    assert again.doubts == sub.doubts != {}
    assert again.timers == sub.timers
    assert again.wake == sub.wake


def test_a_fence_that_changes_ends_the_doubt() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    on.switch(rules_of(rule("r", LEAVES), places=places(leave_after="6m")))
    assert on.tick(20) == []
    assert on.sub.doubts == {}
    assert on.sub.visits == {}


def test_a_fence_that_now_has_the_last_cell_ends_the_doubt() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    wider = places(leave_after="5m", cells=[CAFE, CAFE_2, STREET])
    on.switch(rules_of(rule("r", LEAVES), places=wider))
    assert on.sub.doubts == {}
    assert on.tick(20) == []
    on.see(BAR, 21)
    assert minutes(on.tick(40)) == [26]


def test_what_is_only_in_doubt_stays_when_other_fences_change() -> None:
    on = stage(LEAVES, leave_after="5m")
    on.see(CAFE, 0)
    on.see(STREET, 1)
    moved = places(leave_after="5m")
    moved["bar"]["cells"] = [BAR, "460-00-2-2"]
    on.switch(rules_of(rule("r", LEAVES), places=moved))
    assert minutes(on.tick(20)) == [6]


def test_a_rule_that_comes_later_has_seen_the_end_of_the_visit() -> None:
    when = {"sequence": [LEAVES, {"happens": "sms.out"}], "within": "1h"}
    fenced = places(leave_after="5m")
    on = Stage(rule("other", {"enters": "bar"}), places=fenced)
    on.see(CAFE, 0)
    on.see(STREET, 1)
    on.tick(20)
    on.switch(rules_of(rule("r", when), places=fenced))
    assert minutes(on.record("sms.out", 30)) == [30]


def test_a_dwell_that_comes_later_has_seen_the_doubt() -> None:
    when = {"stays_in": "cafe", "for": "10m"}
    fenced = places(leave_after="5m")
    for back, until, told in ((CAFE, 11.5, [11.5]), (CAFE, 13, []), (STREET, 11.5, [])):
        on = Stage(rule("other", {"enters": "bar"}), places=fenced)
        on.see(CAFE, 0)
        on.see(STREET, 7)
        on.tick(11)
        on.switch(rules_of(rule("r", when), places=fenced))
        assert on.tick(until) == []
        assert minutes(on.see(back, until)) == told


def test_a_dwell_that_comes_later_in_doubt_waits_as_well() -> None:
    when = {"stays_in": "cafe", "for": "10m"}
    fenced = places(leave_after="5m")
    on = Stage(rule("other", {"enters": "bar"}), places=fenced)
    on.see(CAFE, 0)
    on.see(STREET, 7)
    on.switch(rules_of(rule("r", when), places=fenced))
    assert on.tick(11) == []
    assert minutes(on.see(CAFE, 11.5)) == [11.5]


def test_what_places_do_is_counted() -> None:
    on = stage(LEAVES, leave_after="5m", leave_sightings=3, buffer=[YARD])
    for minute, cell in enumerate((CAFE, STREET, CAFE, YARD, STREET, STREET, STREET, CAFE, STREET)):
        on.see(cell, minute)
    on.tick(30)
    assert on.fold.presence == {
        "doubted": 3,
        "came_back": 1,
        "beside": 1,
        "left_by_sightings": 1,
        "left_by_time": 1,
    }
