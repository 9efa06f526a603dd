"""Late by the source's watermark: flagged, and dropped only if asked for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.treatments.chain import Chain
from engine.treatments.course import Course
from engine.treatments.late import Late
from engine.treatments.where_options import LateOptions
from tests.unit.treatments.support import MINUTE, SECOND, A, at, event, shown, take


def test_late_by_more_than_the_limit_is_flagged_and_nothing_else() -> None:
    step = Late(LateOptions())
    assert shown(take(step, event(-10_000))) == [(-10_000, A, [])]  # no time yet
    step.pass_time(at(400))
    out = take(step, event(100), event(99), event(50, A, "call.out"), event(98, A, quality=["late"]))
    assert shown(out) == [(100, A, []), (99, A, ["late"]), (50, A, ["late"]), (98, A, ["late"])]
    assert step.counts == {"flagged": 3}


def test_the_watermark_is_the_one_that_last_came_into_a_whole_second() -> None:
    course = Course(Chain([Late(LateOptions())]), disorder=60 * SECOND)
    events = [event(seconds) for seconds in (460.5, 460.9, 100.4, 461, 100.99, 101)]
    out = [each for taken in events for each in course.take(taken)]
    # 400.5, 400.9 not being told, then 401
    assert shown(out)[2:] == [(100.4, A, ["late"]), (461, A, []), (100.99, A, ["late"]), (101, A, [])]
    course = Course(Chain([Late(LateOptions())]), disorder=60 * SECOND)
    out = [each for taken in map(event, (460.5, 460.9, 100.7)) for each in course.take(taken)]
    assert shown(out)[2:] == [(100.7, A, [])]


def test_dropped_only_if_asked_for() -> None:
    step = Late(LateOptions(drop_after=60 * MINUTE))
    step.pass_time(at(4_000))
    assert shown(take(step, event(400), event(399))) == [(400, A, ["late"])]
    assert step.counts == {"flagged": 1, "dropped": 1}


def test_business_and_control_records_are_not_looked_at() -> None:
    step = Late(LateOptions(drop_after=60 * MINUTE))
    step.pass_time(at(400_000))
    out = take(step, event(0, None, "recharge"), event(0, None, "consent.change"), event(0, A, "complaint"))
    assert [flags for _, _, flags in shown(out)] == [[], [], []]


def test_limits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match="drop_after of flag_after or more"):
        LateOptions(flag_after=120 * MINUTE, drop_after=60 * MINUTE)
