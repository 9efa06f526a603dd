"""`leaves`: semantics 3."""

from __future__ import annotations

from tests.unit.pipeline.stage import BAR, CAFE, MINUTE, STREET, Stage, minutes, rule


def stage(place: str = "cafe") -> Stage:
    return Stage(rule("r", {"leaves": place}))


def test_a_sighting_outside_when_the_state_was_in() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert minutes(on.see(STREET, 1)) == [1]
    assert on.see(STREET, 2) == []


def test_from_unknown_it_is_none() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert on.see(STREET, 58 + 1 / MINUTE) == []
    on = stage()
    on.see(CAFE, 0)
    assert on.see(STREET, 58)
    on = stage()
    on.see(CAFE, 0)
    on.record("power.off", 1)
    assert on.see(STREET, 2) == []


def test_a_group_is_left_when_all_its_members_are() -> None:
    on = stage("out")
    on.see(CAFE, 0)
    assert on.see(BAR, 1) == []
    assert on.see(STREET, 2)[0]["place"] == "bar"
