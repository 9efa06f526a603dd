"""A store lost with all in it: what is built anew from the topics decides as if nothing had happened."""

from __future__ import annotations

import random

from tests.simulation.course import Course, case_of, seeds
from tests.simulation.faults import CRASH, GO, LOSE, TEAR, Script
from tests.simulation.runs import Run

BASE = 8_000_000


def hold(run: Run) -> None:
    """Hold the published decisions against the replay; counts of lanes start anew with a lost store."""
    assert run.decisions == run.course.decisions


def test_a_store_lost_at_any_time_loses_and_doubles_no_decision() -> None:
    lost = decided = 0
    for seed in seeds(80):
        rng = random.Random(seed)
        run = Run(
            Course(case_of(BASE + seed)),
            partitions=rng.choice((1, 1, 3)),
            batch=rng.choice((1, 7, 20)),
            cache=rng.choice((1, 9999)),
            commit_after=rng.choice((0, 1e9)),
            losses=rng.choice((0.1, 0.3)),
            mark_every=rng.choice((0, 0, 1e9)),
        ).go()
        hold(run)
        lost += run.lost
        decided += len(run.decisions)
    assert lost > 50
    assert decided > 60


def test_crashes_before_and_while_the_store_is_rebuilt() -> None:
    lost = 0
    for seed in seeds(80):
        rng = random.Random(seed)
        script = Script.random(rng, 120, [GO] * 8 + [CRASH, LOSE, TEAR])
        run = Run(
            Course(case_of(BASE + 1_000 + seed)),
            batch=rng.choice((1, 7, 20)),
            cache=rng.choice((1, 9999)),
            commit_after=rng.choice((0, 1e9)),
            losses=0.15,
            mark_every=0,
            script=script,
        ).go()
        hold(run)
        lost += run.lost
    assert lost > 60
