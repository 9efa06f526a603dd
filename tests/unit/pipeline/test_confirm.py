"""`enters … confirm`: ADR 17, semantics 3, 7 a, b, g."""

from __future__ import annotations

from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, MINUTE, STREET, Stage, fates, minutes, rule, rules_of

SMALL = 1 / MINUTE
DWELL = {"stays_in": "cafe", "for": "10m"}


def stage(place: str = "cafe", confirm: str = "10m") -> Stage:
    return Stage(rule("r", {"enters": place, "confirm": confirm}))


def test_an_entry_counts_once_it_has_lasted() -> None:
    on = stage()
    on.see(STREET, 0)
    assert on.see(CAFE, 1) == []
    assert on.tick(11) == []
    assert minutes(on.tick(11 + SMALL)) == [11]
    assert on.see(CAFE_2, 30) == []


def test_whoever_left_before_did_not_come_to_stay() -> None:
    on = stage()
    on.see(CAFE, 0)
    on.see(STREET, 10)
    assert on.tick(60) == []


def test_a_visit_that_opens_anew_without_a_sighting_outside_is_no_entry() -> None:
    on = stage()
    on.see(CAFE, 0)
    assert minutes(on.tick(11)) == [10]
    on.see(CAFE, 300)
    assert on.tick(350) == []
    dwell = Stage(rule("r", DWELL))
    dwell.see(CAFE, 0)
    dwell.tick(11)
    dwell.see(CAFE, 300)
    assert minutes(dwell.tick(350)) == [310]


def test_unknown_when_it_is_due_it_is_made_up_when_the_visit_goes_on() -> None:
    on = stage(confirm="2h")
    on.see(CAFE, 0)
    assert on.tick(121) == []
    assert minutes(on.see(CAFE_2, 130)) == [130]


def test_each_member_of_a_group_is_confirmed_by_itself() -> None:
    on = stage("out")
    on.see(CAFE, 0)
    on.see(BAR, 5)
    assert [made["place"] for made in on.tick(20)] == ["bar"]


def test_a_fence_that_moves_confirms_nothing() -> None:
    on = stage()
    for when, confirmed in (({"enters": "cafe", "confirm": "10m"}, []), (DWELL, [10])):
        on = Stage(rule("r", when))
        on.see(STREET, 0)
        moved = {"cafe": {"name": "Cafe", "cells": [STREET]}}
        on.switch(rules_of(rule("r", when), places=moved))
        assert minutes(on.tick(50)) == confirmed


def test_a_new_rule_confirms_the_entries_it_was_not_there_for() -> None:
    on = Stage(rule("r", {"leaves": "bar"}))
    on.see(STREET, 0)
    on.see(CAFE, 1)
    on.tick(5)
    on.switch(rules_of(rule("r", {"enters": "cafe", "confirm": "10m"})))
    on.restart()
    assert minutes(on.tick(12)) == [11]


def test_a_new_rule_confirms_no_visit_that_did_not_begin_outside() -> None:
    on = Stage(rule("r", {"leaves": "bar"}))
    on.see(CAFE, 0)
    on.see(CAFE, 300)
    on.tick(302)
    on.switch(rules_of(rule("r", {"enters": "cafe", "confirm": "10m"}), rule("s", DWELL)))
    made = on.tick(320)
    assert (fates(made), minutes(made)) == (["s offer"], [310])
