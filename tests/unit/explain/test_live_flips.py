"""Single changes of a live state: each is made on the engine itself, and the next match goes out."""

from __future__ import annotations

from typing import Any

import pytest

from engine.codec import decode, encode
from engine.lane_state import pack_lane
from engine.trace.live import LiveState, LiveStory
from tests.unit.pipeline.stage import GIVEN, KEY, Json, Stage, rule

TEXT = {"happens": "sms.out"}
YES: Json = GIVEN["consent"]


def state(on: Stage) -> LiveStory:
    """What a live engine's store holds of the subscriber, told."""
    sub = decode(KEY, encode(on.sub))
    [story] = LiveState(on.fold.book, b"salt", sub, pack_lane(on.fold)).stories()
    return story


def changes(on: Stage) -> list[str]:
    return [f"{flip.outcome}: {flip.change}" for flip in state(on).flips]


@pytest.mark.parametrize(
    ("who", "profile", "change", "then"),
    [
        ({"age": "at least 30"}, {"age": 20}, "`who.age` were 30 (is 20)", {"age": 30}),
        ({"age": "under 30"}, {}, "`who.age` were 29 (is unknown)", {"age": 29}),
        ({"tier": "not gold"}, {"tier": "gold"}, "`who.tier` were vip (is gold)", {"tier": "vip"}),
        ({"tags": "staff"}, {"tags": ["x"]}, "`who.tags` were x, staff (is x)", {"tags": ["x", "staff"]}),
    ],
)
def test_a_field(who: Json, profile: Json, change: str, then: Json) -> None:
    on = Stage(rule("r", TEXT, who=who), given={"consent": YES, "profile": profile})
    assert [one["outcome"] for one in on.record("sms.out", 1)] == ["refused"]
    assert changes(on) == [f"offer: {change}"]
    on.record("profile.update", 2, profile=then)
    assert [one["outcome"] for one in on.record("sms.out", 3)] == ["offer"]
    assert state(on).flips == ()


def test_a_consent_an_opt_out_and_a_cap() -> None:
    on = Stage(rule("r", TEXT, at_most="1 in 1d"), given={"consent": {**YES, "marketing": False}})
    on.record("sms.out", 1)
    assert changes(on) == ["offer: `consent.marketing` were yes (is no)"]
    on = Stage(rule("r", TEXT, at_most="1 in 1d"))
    assert [one["outcome"] for one in on.record("sms.out", 1)] == ["offer"]
    assert changes(on) == ["offer: `limits.at_most` were 2 in 24h (is 1 in 24h)"]
    on.record("complaint", 2)
    assert state(on).stopped_by == "suppressed"
    assert (changes(on), state(on).in_the_way) == ([], ("suppressed", "limits.at_most"))


@pytest.mark.parametrize(
    ("policy", "limits", "expected"),
    [
        ({"quiet": "09:00 to 12:00"}, {}, ["offer: it were not quiet time (is 09:00 to 12:00)"]),
        (
            {"quiet": "09:00 to 12:00"},
            {"send_within": "1h"},
            [
                "held: `limits.send_within` were 1h59m (is 1h)",
                "offer: it were not quiet time (is 09:00 to 12:00)",
            ],
        ),
        ({}, {"status": "shadow"}, ["offer: `status` were live (is shadow)"]),
        ({}, {"holdout": "100%"}, ["offer: `limits.holdout` were 0% (is 100%)"]),
        ({}, {"valid": "2026-09-08 to 2026-09-30"}, ["offer: `valid` were 2026-09-07 to 2026-09-30 (is "]),
        ({}, {}, []),
    ],
)
def test_limits(policy: Json, limits: Json, expected: list[str]) -> None:
    on = Stage(rule("r", TEXT, **limits), **policy)
    on.tick(1)
    told = changes(on)
    assert len(told) == len(expected)
    assert all(one.startswith(start) for one, start in zip(told, expected, strict=True)), told


def test_a_change_that_only_meets_the_next_line_is_none() -> None:
    who: Any = {"age": "at least 30", "tier": "gold"}
    on = Stage(rule("r", TEXT, who=who), given={"consent": YES, "profile": {"age": 20, "tier": "vip"}})
    on.record("sms.out", 1)
    assert state(on).stopped_by == "who.age"
    assert changes(on) == []


def test_nothing_of_the_state_is_touched() -> None:
    on = Stage(rule("r", TEXT, who={"age": "at least 30"}), given={"consent": YES, "profile": {"age": 20}})
    on.record("sms.out", 1)
    before = encode(on.sub)
    assert changes(on)
    assert encode(on.sub) == before
