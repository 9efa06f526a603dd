"""`stays_in`: semantics 3, 7 a, b, g."""

from __future__ import annotations

from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, MINUTE, STREET, Stage, minutes, rule

SMALL = 1 / MINUTE


def stage(place: str = "cafe", wait: str = "30m") -> Stage:
    return Stage(rule("r", {"stays_in": place, "for": wait}))


def test_at_opened_plus_d_while_the_state_is_in_and_once_per_visit() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert on.tick(30) == []
    assert minutes(on.tick(30 + SMALL)) == [30]
    on.see(CAFE, 50)
    assert on.tick(100) == []


def test_it_fires_before_the_first_record_later_than_due() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert on.see(CAFE_2, 30) == []
    assert minutes(on.see(STREET, 31)) == [30]


def test_a_sighting_outside_at_due_prevents_it() -> None:
    on = stage()
    on.see(CAFE, 0)
    on.see(STREET, 30)
    assert on.tick(60) == []


def test_unknown_at_due_it_is_made_up_by_the_first_later_sighting_of_the_visit() -> None:
    on = stage(wait="2h")
    on.see(CAFE, 0)
    assert on.tick(121) == []
    assert minutes(on.see(CAFE_2, 130)) == [130]
    assert on.see(CAFE, 140) == []


def test_a_sighting_at_due_itself_is_no_later_one() -> None:
    on = stage(wait="2h")
    on.see(CAFE, 0)
    assert on.see(CAFE, 120) == []
    assert minutes(on.tick(121)) == [120]


def test_beyond_the_bridge_the_visit_is_another_one() -> None:
    on = stage(wait="2h")
    on.see(CAFE, 0)
    on.tick(200)
    assert on.see(CAFE, 240 + SMALL) == []
    on.see(CAFE, 290)
    on.see(CAFE, 340)
    assert minutes(on.see(CAFE, 361)) == [360 + SMALL]


def test_time_unknown_within_a_visit_counts() -> None:
    on = stage(wait="3h")
    on.see(CAFE, 0)
    on.see(CAFE, 170)
    assert minutes(on.tick(181)) == [180]


def test_members_of_a_group_are_dwelt_in_one_by_one() -> None:
    on = stage("out")
    on.see(CAFE, 0)
    on.see(BAR, 20)
    assert on.tick(40) == []
    assert [(d["place"], (d["at"] % (60 * MINUTE)) // MINUTE) for d in on.tick(51)] == [("bar", 50)]


def test_the_trigger_is_the_record_that_opened_the_visit() -> None:
    on = stage()
    on.see(CAFE, 0, id="door")
    on.see(CAFE, 10)
    (decision,) = on.tick(31)
    assert decision["trigger"]["id"] == "door"


def test_a_visit_opened_late_within_patience_and_due_by_now_fires_at_once_at_the_clock() -> None:
    on = stage(wait="2m")
    on.record("sms.in", 10)
    assert minutes(on.see(CAFE, 6)) == [10]


def test_a_visit_opened_late_beyond_patience_is_lost_if_it_was_due() -> None:
    on = stage(wait="2m")
    on.record("sms.in", 10)
    assert on.see(CAFE, 4) == []
    assert on.see(CAFE, 11) == []
    assert on.tick(100) == []


def test_late_beyond_patience_but_due_later_it_waits() -> None:
    on = stage()
    on.record("sms.in", 10)
    on.see(CAFE, 1)
    assert minutes(on.tick(40)) == [31]
