"""Warm start, one sentence at a time: semantics 2.4 and 3. The property stands in tests/simulation."""

from __future__ import annotations

from typing import Any

import pytest

from engine.language.model import RuleSet
from tests.unit.pipeline.stage import (
    BAR,
    CAFE,
    CAFE_2,
    GIVEN,
    MINUTE,
    OTHER,
    PLACES,
    STREET,
    Json,
    Stage,
    fates,
    minutes,
    rule,
    rules_of,
    when,
)

SMALL = 1 / MINUTE
NOTHING = rule("old", {"happens": "complaint"})


class Past(Stage):
    """A stage whose only rule never fires; at the switch the process may end and begin again."""

    def __init__(self, before: Json = NOTHING, places: Json | None = None, **policy: Any) -> None:
        super().__init__(before, places=places, **policy)

    def begin(self, *rules: Json, at: float, places: Json | None = None, **policy: Any) -> list[Json]:
        """Let time come to `at`, then change the rules."""
        made = self.tick(at)
        self.restart()
        return made + self.switch(rules_of(*rules, places=places, **policy), at)


def test_a_sequence_begun_before_is_seen() -> None:
    on = Past()
    on.record("call.out", 0)
    on.begin(
        rule("r", {"sequence": [{"happens": "call.out"}, {"happens": "sms.out"}], "within": "1h"}), at=10
    )
    (decision,) = on.record("sms.out", 20)
    assert decision["values"]["match"] == {"start": when(0)}


def test_a_sequence_completed_before_is_used_up() -> None:
    on = Past()
    on.record("call.out", 0)
    on.record("sms.out", 1)
    on.begin(
        rule("r", {"sequence": [{"happens": "call.out"}, {"happens": "sms.out"}], "within": "1h"}), at=10
    )
    assert on.record("sms.out", 20) == []


def test_windows_reach_back_over_the_switch() -> None:
    on = Past()
    on.record("sms.out", 0)
    on.record("sms.out", 1)
    on.begin(rule("r", {"count": "sms.out", "at_least": "3", "within": "1h"}), at=10)
    assert on.record("sms.out", 20)[0]["values"]["match"] == {"count": 3}


def test_a_mark_crossed_before_is_not_crossed_again() -> None:
    on = Past()
    for at in (0, 1, 2):
        on.record("sms.out", at)
    assert on.begin(rule("r", {"count": "sms.out", "at_least": "3", "within": "1h"}), at=10) == []
    assert on.record("sms.out", 20) == []


def test_the_dwell_of_an_open_visit_fires_also_for_one_who_stays_silent() -> None:
    on = Past()
    on.see(CAFE, 0, id="door")
    on.begin(rule("r", {"stays_in": "cafe", "for": "30m"}), at=10)
    (decision,) = on.tick(40)
    assert minutes([decision]) == [30]
    assert decision["trigger"]["id"] == "door"


def test_the_absence_of_a_silent_one_fires() -> None:
    on = Past()
    on.record("call.out", 0)
    on.begin(rule("r", {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "30m"}), at=10)
    assert minutes(on.tick(40)) == [30]


def test_what_stopped_a_wait_before_has_stopped_it() -> None:
    on = Past()
    on.record("call.out", 0)
    on.record("sms.out", 5)
    on.begin(rule("r", {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "30m"}), at=10)
    assert on.tick(90) == []


def test_a_rule_fires_at_no_instant_before_it_went_live() -> None:
    on = Past()
    on.see(CAFE, 0)
    on.record("call.out", 0)
    made = on.begin(
        rule("d", {"stays_in": "cafe", "for": "30m"}),
        rule("a", {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "30m"}),
        at=31,
    )
    assert made + on.tick(50) + on.see(CAFE_2, 51) == []


def test_what_is_due_at_the_switch_itself_fires_after_it() -> None:
    on = Past()
    on.see(CAFE, 0)
    assert on.begin(rule("r", {"stays_in": "cafe", "for": "30m"}), at=30) == []
    assert minutes(on.tick(31)) == [30]


def test_a_dwell_that_was_due_while_whereabouts_were_unknown_is_made_up() -> None:
    on = Past()
    on.see(CAFE, 0)
    on.begin(rule("r", {"stays_in": "cafe", "for": "2h"}), at=130)
    assert minutes(on.see(CAFE, 140)) == [140]


def test_a_subscriber_with_a_profile_and_no_past_is_armed() -> None:
    on = Past()
    on.begin(
        rule("r", {"enters": "cafe"}), at=10, places={**PLACES, "bar": {"name": "B", "cells": ["460-00-7-7"]}}
    )
    assert fates(on.see(CAFE, 11)) == ["r offer"]


def test_patterns_that_stay_keep_their_state_and_what_armed_them() -> None:
    wait = {"after": {"happens": "call.out"}, "no": {"happens": "sms.out"}, "for": "30m"}
    steps = {"sequence": [{"happens": "call.in"}, {"happens": "sms.in"}], "within": "1h"}
    on = Past(rule("r", wait))
    on.record("call.out", 0, id="asked")
    on.begin(rule("s", wait, priority="70"), rule("t", steps), at=10)
    on.record("call.in", 11)
    on.begin(rule("s", wait, priority="60"), rule("t", steps), at=12)
    assert fates(on.record("sms.in", 13)) == ["t offer"]
    (decision,) = on.tick(40)
    assert (decision["rule"], decision["trigger"]["id"]) == ("s", "asked")


def test_a_rule_that_comes_back_sees_what_happened_meanwhile() -> None:
    counts = rule("r", {"count": "sms.out", "at_least": "3", "within": "1h"})
    on = Past(counts)
    on.record("sms.out", 0)
    on.begin(NOTHING, at=1)
    on.record("sms.out", 2)
    on.begin(counts, at=3)
    assert fates(on.record("sms.out", 4)) == ["r offer"]


def test_someone_first_seen_after_the_switch_is_like_anybody() -> None:
    on = Past()
    on.begin(rule("r", {"happens": "sms.out"}), at=10)
    on.record("profile.update", 0, key=OTHER, **GIVEN)
    assert fates(on.record("sms.out", 11, key=OTHER)) == ["r offer"]


# -- warming -------------------------------------------------------------------------------------------------

MANY = {"count": "data.session", "at_least": "2", "within": "4h"}


@pytest.mark.parametrize(("at", "fate"), [(250 - SMALL, []), (250, ["r offer"])])
def test_over_data_a_longer_window_than_before_must_pass_first(at: float, fate: list[str]) -> None:
    on = Past()
    on.begin(rule("r", MANY), at=10)
    on.record("data.session", 20)
    assert fates(on.record("data.session", at)) == fate


def test_two_hours_of_data_are_always_known() -> None:
    on = Past()
    on.record("data.session", 0)
    on.begin(rule("r", {**MANY, "within": "2h"}), at=10)
    assert fates(on.record("data.session", 11)) == ["r offer"]


def test_a_window_that_a_rule_had_before_needs_no_warming() -> None:
    on = Past(rule("old", {**MANY, "at_least": "99"}))
    on.record("data.session", 0)
    on.begin(rule("r", MANY), at=200)
    assert fates(on.record("data.session", 201)) == ["r offer"]


def test_a_pattern_that_is_warming_goes_on_warming_over_another_switch() -> None:
    on = Past()
    on.begin(rule("r", MANY), at=10)
    on.record("data.session", 20)
    on.begin(rule("r", MANY), rule("s", {"happens": "sms.out"}), at=30)
    on.restart()
    assert on.record("data.session", 100) == []
    on.record("data.session", 400)
    assert fates(on.record("data.session", 401)) == ["r offer"]


# -- fences that move (2.4) ----------------------------------------------------------------------------------

KIOSK = {**PLACES, "kiosk": {"name": "Kiosk", "cells": [STREET]}}
SHIFTED = {**PLACES, "cafe": {"name": "Cafe", "cells": [STREET]}}
"""The cafe has moved onto the street."""


def presence_rules(place: str) -> tuple[Json, ...]:
    return (
        rule("enters", {"enters": place}),
        rule("leaves", {"leaves": place}),
        rule("dwell", {"stays_in": place, "for": "30m"}),
        rule("there", {"happens": "sms.in", "where": {"place": place}}),
    )


def test_a_new_place_takes_its_state_from_the_last_sighting_and_opening_it_fires_nothing() -> None:
    on = Past()
    on.see(STREET, 0)
    assert on.begin(*presence_rules("kiosk"), at=10, places=KIOSK) == []
    assert fates(on.record("sms.in", 11)) == ["there offer"]
    assert on.see(STREET, 12) == []
    assert [(d["rule"], *minutes([d])) for d in on.tick(40)] == [("dwell", 30)]
    assert fates(on.see(CAFE, 41)) == ["leaves offer"]
    assert fates(on.see(STREET, 42)) == ["enters offer"]


def test_a_place_that_moved_away_is_left_without_a_word() -> None:
    on = Past(presence_rules("cafe")[2])
    on.see(CAFE, 0)
    assert on.begin(*presence_rules("cafe"), at=10, places=SHIFTED) == []
    assert on.record("sms.in", 11) == []
    assert on.tick(90) == []
    on.see(CAFE, 91)
    assert fates(on.see(STREET, 92)) == ["enters offer"]


def test_a_place_whose_cells_changed_begins_its_visit_at_the_last_sighting() -> None:
    on = Past(presence_rules("cafe")[2])
    on.see(CAFE, 0)
    on.see(CAFE_2, 20)
    wider = {**PLACES, "cafe": {"name": "Cafe", "cells": [CAFE, CAFE_2, STREET]}}
    on.begin(*presence_rules("cafe"), at=25, places=wider)
    assert [(d["rule"], *minutes([d])) for d in on.tick(60)] == [("dwell", 50)]


@pytest.mark.parametrize("before", [NOTHING, rule("dwell", {"stays_in": "cafe", "for": "30m"})])
def test_a_dwell_that_a_moved_fence_would_have_had_before_the_switch_is_none(before: Json) -> None:
    on = Past(before)
    on.see(STREET, 0)
    assert on.begin(*presence_rules("cafe"), at=40, places=SHIFTED) == []
    assert on.tick(50) + on.see(STREET, 51) == []


def test_places_that_did_not_change_keep_their_visits() -> None:
    on = Past(presence_rules("cafe")[2])
    on.see(CAFE, 0, id="door")
    on.see(CAFE_2, 20)
    on.begin(*presence_rules("cafe"), at=25, places=KIOSK)
    (decision,) = on.tick(40)
    assert (minutes([decision]), decision["trigger"]["id"]) == ([30], "door")


def test_a_fence_that_moves_twice_is_where_it_is_now() -> None:
    on = Past()
    on.see(BAR, 0)
    on.begin(*presence_rules("bar"), at=5, places={**PLACES, "bar": {"name": "Bar", "cells": [STREET]}})
    assert on.record("sms.in", 6) == []
    on.begin(*presence_rules("bar"), rule("s", {"happens": "sms.out"}), at=7)
    assert fates(on.record("sms.in", 8)) == ["there offer"]
    assert [(d["rule"], *minutes([d])) for d in on.tick(40)] == [("dwell", 30)]


def test_a_switch_to_a_set_that_is_not_known_any_more_arms_all_patterns_anew() -> None:
    on = Past(rule("r", {"stays_in": "cafe", "for": "30m"}))
    on.see(CAFE, 0)
    on.tick(10)
    sets: dict[str, RuleSet] = on.sets
    del sets[on.rules.hash]
    on.fold.older = ()
    on.switch(rules_of(rule("s", {"stays_in": "cafe", "for": "30m"})), 10)
    assert minutes(on.tick(40)) == [30]
