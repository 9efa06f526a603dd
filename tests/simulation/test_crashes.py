"""Crashes between any two steps of the commit protocol, lost replies, torn writes, zombies."""

from __future__ import annotations

import random

import pytest

from tests.simulation.course import Course, case_of, seeds
from tests.simulation.faults import CRASH, GO, LOSE, POINTS, TEAR, WAIT, OneCrash, Script
from tests.simulation.runs import Run, check


def busy_case() -> Course:
    """A course with enough decisions that every point is reached with something at stake."""
    return next(c for c in map(Course, map(case_of, range(500))) if len(c.decisions) > 10)


@pytest.mark.parametrize("point", [*(p for p in POINTS if p != "republish"), "committed", "publishing"])
def test_one_crash_at_any_time_a_point_is_reached(point: str) -> None:
    course = busy_case()
    for nth in range(1, 30):
        script = OneCrash(point, nth)
        run = Run(course, batch=5, script=script).go()
        check(run)
        if (point, CRASH) not in script.met:
            break
    assert nth > 1


def test_a_crash_while_the_outbox_is_republished() -> None:
    course = busy_case()
    # the process ends before it publishes, and its successor before it republishes
    words = [GO] * 6 + [CRASH]
    for before in range(40):
        script = Script([GO] * before + [CRASH] + words[: 2 + before % 3] + [CRASH])
        check(Run(course, batch=4, script=script).go())


def test_random_crashes_lost_replies_and_torn_writes() -> None:
    met: set[tuple[str, str]] = set()
    for seed in seeds(150):
        rng = random.Random(seed)
        words = [GO] * rng.choice((2, 6, 20)) + [CRASH, LOSE, TEAR]
        script = Script.random(rng, 120, words)
        course = Course(case_of(4_000_000 + seed))
        partitions, batch, cache = (
            rng.choice((1, 1, 3)),
            rng.choice((1, 7, 20, 500)),
            rng.choice((0, 1, 3, 9999)),
        )
        behind = rng.choice((0, 0, 1e9))
        run = Run(
            course,
            partitions=partitions,
            batch=batch,
            cache=cache,
            script=script,
            commit_after=behind,
            at_once=(1, 1, 5)[seed % 3],
        )
        check(run.go())
        met |= script.met
    assert {(point, CRASH) for point in POINTS} <= met
    assert {("committed", LOSE), ("committed", CRASH), ("publishing", TEAR)} <= met


def test_zombies_that_step_in_turn_are_fenced_and_reload() -> None:
    fenced = 0
    for seed in seeds(150):
        rng = random.Random(seed)
        script = Script.random(
            rng, 300, [GO, GO, WAIT, WAIT, WAIT] + [CRASH, LOSE, TEAR] * rng.choice((0, 0, 1))
        )
        course = Course(case_of(5_000_000 + seed))
        owners, batch = rng.choice((2, 2, 3)), rng.choice((1, 5, 20))
        run = Run(
            course,
            batch=batch,
            cache=rng.choice((1, 9999)),
            script=script,
            owners=owners,
            commit_after=rng.choice((0, 1e9)),
        ).go()
        check(run)
        fenced += run.store.refused
    assert fenced > 50
