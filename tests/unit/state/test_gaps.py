"""Sightings told late heal gaps that timers have seen: a new dwell sees them as they were then (semantics 3).

In the cafe since ten, where whereabouts are known for 58 minutes; each course is folded twice: with the rule
there from its first record, and with a switch to the rule at its end.
"""

from __future__ import annotations

import pytest

from tests.unit.pipeline.stage import CAFE, Json, Stage, minutes, rule
from tests.unit.state.test_warm import NOTHING, Past

Step = tuple[str, float, dict[str, str]]
"""Kind (`see`: a sighting in the cafe), minute, more fields."""

LAPSES: Json = {"presence": {"lapse": {"GSM": "4h", "LTE": "10m"}, "bridge": "4h"}}


def see(at: float, rat: str = "") -> Step:
    return ("see", at, {"rat": rat} if rat else {})


def text(at: float) -> Step:
    return ("sms.in", at, {})


OFF: Step = ("power.off", 50, {})


def course(on: Stage, steps: list[Step]) -> None:
    for kind, at, fields in steps:
        if kind == "see":
            on.see(CAFE, at, **fields)
        else:
            on.record(kind, at, **fields)


@pytest.mark.parametrize(
    ("dwell", "steps", "again"),
    [
        # unknown at the end of the dwell; what is told later is from before it: to be made up
        ("60m", [see(0), text(70), see(55)], True),
        # made up by a sighting that is no news to anybody else: in order, late, late once more
        ("60m", [see(0), text(70), see(55), see(80)], False),
        ("60m", [see(0), text(70), see(55), see(65)], False),
        ("60m", [see(0), text(70), see(55), see(56), see(65)], False),
        # switched off at the end of the dwell, and on again before it
        ("55m", [see(0), OFF, text(57), see(51)], True),
        ("55m", [see(0), OFF, text(57), see(51), see(56)], False),
        # known at the end of the dwell, though what is told later would not reach it
        ("65m", [see(0, "GSM"), text(70), see(50, "LTE")], False),
        ("65m", [see(0, "LTE"), text(70), see(50, "GSM")], True),
    ],
)
def test_a_new_dwell_is_made_up_as_if_it_had_been_there(dwell: str, steps: list[Step], again: bool) -> None:
    stays = rule("r", {"stays_in": "cafe", "for": dwell})
    policy: Json = {}
    if any("rat" in fields for _, _, fields in steps):
        policy |= LAPSES
    always = Stage(stays, **policy)
    course(always, steps)
    late = Past(NOTHING, **policy)
    course(late, steps)
    late.begin(stays, at=85, **policy)
    always.tick(85)
    wanted = [90.0] if again else []
    assert minutes(always.see(CAFE, 90)) == wanted
    assert minutes(late.see(CAFE, 90)) == wanted
