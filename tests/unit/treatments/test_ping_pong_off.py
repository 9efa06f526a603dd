"""What `power.off` does to a change that is kept back (sentence 4), and one that is late."""

from __future__ import annotations

import pytest

from engine.treatments.ping_pong import PingPong
from engine.treatments.ping_pong_repeat import PingPongRepeat
from engine.treatments.where_options import PingPongOptions
from tests.unit.treatments.support import A, B, C, event, shown, take

FLAGGED = ["no_trigger", "ping_pong"]


def held() -> PingPong:
    return PingPong(PingPongOptions())


def test_a_change_that_an_off_ends_is_a_move_and_counted_as_one() -> None:
    step = held()
    take(step, event(0, A), event(10, B), event(20, None, "power.off"))
    assert step.counts == {"moved": 1}


def test_what_is_kept_back_behind_a_change_that_an_off_ends_is_taken_anew() -> None:
    step = held()
    take(step, event(0, A), event(10, B), event(50, C))
    assert shown(take(step, event(55, B), event(60, None, "power.off"))) == [
        (10, B, []), (50, C, FLAGGED), (55, B, []), (60, None, []),
    ]  # fmt: skip


@pytest.mark.parametrize("off", [-5, 5, 12])
def test_an_off_older_than_what_was_seen_changes_nothing_as_in_presence(off: int) -> None:
    step = held()
    take(step, event(0, A), event(10, B), event(15, B))
    late = take(step, event(off, None, "power.off"))
    assert late == []  # behind the change, that nothing is overtaken
    assert shown(take(step, event(30, A))) == [
        (10, B, FLAGGED), (15, B, FLAGGED), (off, None, []), (30, A, []),
    ]  # fmt: skip


def test_an_off_older_than_the_last_sighting_does_not_forget_where_somebody_is() -> None:
    step = held()
    assert shown(take(step, event(100, A), event(50, None, "power.off"))) == [(100, A, []), (50, None, [])]
    assert take(step, event(110, B)) == []
    assert shown(take(step, event(120, A))) == [(110, B, FLAGGED), (120, A, [])]


def test_repeat_an_older_off_does_not_forget_a_series() -> None:
    step = PingPongRepeat(PingPongOptions.model_validate({"mode": "repeat"}))
    take(step, event(0, A), event(30, B), event(60, A))
    out = take(step, event(45, None, "power.off"), event(90, B))
    assert shown(out)[-1] == (90, B, FLAGGED)


def test_an_off_of_the_time_of_the_newest_sighting_counts() -> None:
    step = held()
    take(step, event(0, A), event(10, B))
    assert shown(take(step, event(10, None, "power.off"))) == [(10, B, []), (10, None, [])]
