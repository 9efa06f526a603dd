"""What steps that keep back have in common: order, restarts, who is forgotten, a bound."""

from __future__ import annotations

from typing import Any

import orjson

from engine.treatments.ping_pong import PingPong
from engine.treatments.who_options import RoamingOptions
from tests.unit.identity.support import HOME, IMSI, MINUTE, Feed, Wanted, row
from tests.unit.treatments.support import A, B, at, event, held, shown, take


def packed(step: PingPong) -> Any:
    return orjson.loads(orjson.dumps(step.pack()))


def test_what_is_taken_anew_behind_a_change_that_is_taken_anew_comes_before_the_rest() -> None:
    feed = Feed(Wanted(roaming=RoamingOptions(home=HOME, hold=10 * MINUTE)))
    there = [("roam.out", "45501"), ("roam.out", "45400"), ("loc.update", "45400")]
    feed.read([row(0, imsi=IMSI, plmn="46000")])
    feed.read(
        row((1 + number) * MINUTE, kind, imsi=IMSI, plmn=plmn) for number, (kind, plmn) in enumerate(there)
    )
    feed.read([row(210_000_000, "sms.in", imsi=IMSI)])
    assert feed.chain.parked == 4
    assert [each.kind for each in feed.chain.let_go()] == ["roam.out", "roam.out", "loc.update", "sms.in"]


def test_time_is_known_after_a_restart() -> None:
    before = held()
    take(before, event(0, A))
    before.pass_time(at(1_000))
    step = held()
    step.restore(packed(before))
    assert shown(take(step, event(60, B))) == [(60, B, [])]
    assert step.parked == 0


def test_nothing_of_before_is_left_where_a_step_goes_on_elsewhere() -> None:
    step = held()
    take(step, event(0, A), event(60, B))
    step.restore(None)
    assert shown(take(step, event(70, B))) == [(70, B, [])]
    assert (step.parked, list(step.let_go())) == (0, [])


def test_where_somebody_who_is_forgotten_was_is_forgotten() -> None:
    step = held()
    take(step, event(0, A), event(60, B))
    assert shown(step.forget([event(0, A).key])) == [(60, B, [])]
    assert shown(take(step, event(70, A))) == [(70, A, [])], "no return, and no move"


def test_a_bound_that_was_lowered_holds_as_time_goes_on() -> None:
    before = held(most=1_000)
    for number in range(50):
        take(before, event(0, A, key=str(number)), event(60, B, key=str(number)))
    step = held(most=10)
    step.restore(packed(before))
    assert step.parked == 50
    assert [each.key for each in step.pass_time(at(61))] == [str(number) for number in range(41)]
    assert (step.parked, step.counts["overflowed"]) == (9, 1)
