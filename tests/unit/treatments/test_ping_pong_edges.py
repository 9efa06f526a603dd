"""Ping-pong where it is easily got wrong: behind a change, late, after a restart with other settings."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine.event import Event
from engine.identity import Identity
from engine.treatments.course import Course
from engine.treatments.registry import TREATMENTS, Around, Asked, chain_of
from tests.unit.treatments.support import FAR, A, B, C, at, event, held, shown, take

FLAGGED = ["no_trigger", "ping_pong"]
AROUND = Around(Identity(b"k" * 16), 0, {})


def handed_over(seconds: float, cell: str | None, origin: str, **fields: Any) -> Event:
    return event(seconds, cell, "loc.handover", cell_prev=origin, **fields)


def course(**treatments: dict[str, object]) -> Course:
    asked = [
        Asked(TREATMENTS[name], TREATMENTS[name].options.model_validate(options))
        for name, options in treatments.items()
    ]
    return Course(chain_of(asked, AROUND), 0)


def test_one_step_of_time_may_pass_a_hastened_change_twice() -> None:
    step = held(alone="20m")
    take(step, event(0, A), event(60, B), event(155, B))
    assert shown(step.pass_time(at(10_000))) == [(60, B, []), (155, B, [])]
    assert step.parked == 0


def test_what_is_not_believed_by_others_has_not_lost_its_cell() -> None:
    step = held()
    out = take(step, event(0, A), event(60, B), handed_over(80, FAR, B, quality=["no_trigger"]))
    assert shown(out) == [(0, A, [])]
    assert shown(step.pass_time(at(181))) == [(60, B, []), (80, FAR, ["no_trigger"])]


def test_a_guessed_handover_out_of_home_is_no_sighting_elsewhere() -> None:
    step = held()
    guessed = handed_over(100, C, A, quality=["guessed_time", "no_trigger"])
    out = take(step, event(0, A), event(60, B), event(70, C), guessed, event(110, A))
    assert shown(out) == [
        (0, A, []),
        (60, B, FLAGGED),
        (70, C, FLAGGED),
        (100, C, ["guessed_time", "no_trigger"]),
        (110, A, []),
    ]


@pytest.mark.parametrize("later", [185, 1_000])
def test_a_return_in_hand_counts_however_late_the_next_record_of_others_is(later: int) -> None:
    step = held()
    assert shown(take(step, event(0, A), event(60, B), event(100, C), event(110, B))) == [(0, A, [])]
    out = [*step.pass_time(at(later)), *step.pass_time(at(later) + 1)]
    assert shown(out) == [(60, B, []), (100, C, FLAGGED), (110, B, [])]
    assert step.parked == 0


def test_what_is_taken_anew_goes_on_with_the_next_step_of_time() -> None:
    step = held()
    take(step, event(0, A), event(60, B), event(100, C))
    assert shown(step.pass_time(at(1_000))) == [(60, B, [])]
    assert shown(step.pass_time(at(1_001))) == [(100, C, [])]


def test_late_records_from_before_the_last_sighting_stay_as_they_are() -> None:
    step = held()
    out = take(step, event(0, A), event(60, B), event(-100, C), event(-50, C, "call.out"), event(90, A))
    assert shown(out)[1:] == [(60, B, FLAGGED), (-100, C, []), (-50, C, []), (90, A, [])]


def test_late_records_behind_a_change_are_no_return() -> None:
    step = held()
    take(step, event(0, A), event(60, B), event(100, B), event(80, A))
    assert shown(step.pass_time(at(181))) == [(60, B, []), (100, B, []), (80, A, [])]


def test_sightings_at_home_between_are_believed() -> None:
    step = held()
    out = take(step, event(0, A), event(60, B), event(100, B), event(80, A), event(110, A))
    assert shown(out)[1:] == [(60, B, FLAGGED), (100, B, FLAGGED), (80, A, []), (110, A, [])]


def test_each_sighting_at_home_counts() -> None:
    """Whereabouts are known for 58 min since the last one, not since the first."""
    step = held()
    take(step, event(0, A), event(58 * 60, A))
    assert shown(take(step, event(2 * 58 * 60, B))) == []
    assert shown(step.let_go()) == [(2 * 58 * 60, B, [])]
    assert shown(take(step, event(3 * 58 * 60 + 1, A))) == [(3 * 58 * 60 + 1, A, [])]


def test_less_room_after_a_restart_loses_nothing() -> None:
    step, narrow = held(), held(most=10)
    for number in range(20):
        for seconds, cell in ((0, A), (60, B), (70, C), (80, FAR)):
            take(step, event(seconds + number, cell, key=f"k{number}"))
    narrow.restore(orjson.loads(orjson.dumps(step.pack())))
    out = [*narrow.pass_time(at(185)), *narrow.pass_time(at(1_000)), *narrow.let_go()]
    assert len(out) == 60
    for number in range(20):
        mine = [each for each in out if each.key == f"k{number}"]
        assert [each.cell for each in mine] == [B, C, FAR]


def test_a_mode_may_change_over_a_restart() -> None:
    before = course(ping_pong={"mode": "hold"})
    for each in (event(0, A), event(60, B), event(70, B)):
        before.take(each)
    after = course(ping_pong={"mode": "repeat"})
    assert shown(after.restore(orjson.loads(orjson.dumps(before.pack())))) == [(60, B, []), (70, B, [])]
    assert shown(after.take(event(80, A))) == [(80, A, [])]
    again = course(ping_pong={"mode": "hold"})
    assert again.restore(orjson.loads(orjson.dumps(after.pack()))) == []
    assert shown(again.take(event(90, B))) == [(90, B, [])]


def test_roaming_that_is_held_no_longer_goes_on() -> None:
    before = course(roaming={"home": ["46000"], "neighbours": ["45412"], "hold": "10m"})
    before.take(event(0, A, "loc.update", plmn="46000"))
    assert not before.take(event(60, None, "roam.out", plmn="45412"))
    after = course(roaming={"home": ["46000"], "neighbours": ["45412"]})
    left = after.restore(orjson.loads(orjson.dumps(before.pack())))
    assert [(each.kind, each.t) for each in left] == [("roam.out", at(60))]


def test_two_hundred_changes_behind_each_other_are_decided_one_by_one() -> None:
    step = held(alone="20m")
    take(step, event(0, A), *(event(1 + number * 0.4, f"460-00-1-{number}") for number in range(199)))
    out = take(step, event(400, FAR))
    assert [each.cell for each in out] == [f"460-00-1-{number}" for number in range(199)]
    assert (step.parked, step.counts["moved"]) == (1, 199)
