"""Replay: profiles first, ticks derived, one closing tick: semantics 6, 7 s."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from engine.event import Event
from engine.replay import Replay, order_of
from tests.unit.pipeline.stage import CAFE, KEY, MINUTE, Stage, minutes, rule, when

DWELL = {"stays_in": "cafe", "for": "10m"}


def event(on: Stage, kind: str, at: float, **fields: Any) -> Event:
    line = {"kind": kind, "t": when(at), "subscriber_key": KEY, **fields}
    (found,) = on.intake.read_log(orjson.dumps(line), "file", "1")
    return found


def replay_of(on: Stage, *events: Event, **settings: Any) -> tuple[Replay, list[dict[str, Any]]]:
    replay = Replay(on.fold, **settings)
    return replay, sorted(replay.run([], events), key=order_of)


def test_it_ends_with_a_tick_one_microsecond_after_the_newest_record() -> None:
    on = Stage(rule("r", DWELL))
    assert minutes(replay_of(on, event(on, "loc.update", 0, cell=CAFE), event(on, "sms.in", 10))[1]) == [10]
    on = Stage(rule("r", DWELL))
    assert replay_of(on, event(on, "loc.update", 0, cell=CAFE), event(on, "sms.in", 9))[1] == []


def test_until_drops_what_is_later_and_ends_one_microsecond_after_it() -> None:
    on = Stage(rule("r", DWELL))
    events = event(on, "loc.update", 0, cell=CAFE), event(on, "sms.in", 30)
    replay, made = replay_of(on, *events, until=when(10))
    assert minutes(made) == [10]
    assert replay.summary(Counter())["read"] == 1
    on = Stage(rule("r", DWELL))
    assert replay_of(on, *events, until=when(10) - 1)[1] == []


def test_ticks_fire_the_timers_of_silent_subscribers() -> None:
    on = Stage(rule("r", DWELL))
    sighting = event(on, "loc.update", 0, cell=CAFE)
    other = event(on, "sms.in", 60, subscriber_key="f" * 32)
    assert minutes(replay_of(on, sighting, other)[1]) == [10]


def test_disorder_holds_the_watermark_back() -> None:
    on = Stage(rule("r", DWELL))
    records = [event(on, "loc.update", 0, cell=CAFE), event(on, "sms.in", 60, subscriber_key="f" * 32)]
    records.append(event(on, "loc.update", 5, cell="460-00-9-9"))
    assert minutes(replay_of(on, *records)[1]) == [10]
    on = Stage(rule("r", DWELL))
    assert replay_of(on, *records, disorder=60 * MINUTE)[1] == []


def test_the_summary_balances() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    records = [
        event(on, "sms.out", 100, id="a"),
        event(on, "sms.out", 100, id="a"),
        event(on, "sms.out", 0),
        event(on, "sms.out", 101),
    ]
    replay, made = replay_of(on, *records)
    summary = replay.summary(Counter({"json": 2, "kind": 1}))
    assert summary["read"] == 7
    # the stage's own profile update was applied, not read
    assert summary["applied"] - 1 == 2
    assert summary["read"] == 2 + summary["duplicate"] + summary["late"] + summary["refused"]
    assert summary["refused_by"] == {"json": 2, "kind": 1}
    assert summary["decisions"] == {"r": {"offer": 2}}
    assert len(made) == 2


def test_profiles_come_before_the_first_record_and_are_not_read() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}, who={"tier": "gold"}))
    profile = event(on, "profile.update", 500, profile={"tier": "gold"})
    replay = Replay(on.fold)
    made = list(replay.run([profile], [event(on, "sms.out", 0)]))
    assert [decision["outcome"] for decision in made] == ["offer"]
    assert replay.summary(Counter())["read"] == 1


def test_nothing_in_nothing_out() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    on.fold.newest = -1
    assert replay_of(on)[1] == []
