"""A store that is an older copy of itself: what was given out since is decided again, not given out again."""

from __future__ import annotations

import random

from engine.lane import Lane
from tests.simulation.course import Course, case_of, seeds
from tests.simulation.faults import CRASH, GO, LOSE, TEAR, Script
from tests.simulation.runs import Run

BASE = 9_000_000


def hold(run: Run) -> int:
    """Hold decisions against the replay; each offer is there once. Return how many there are."""
    assert run.decisions == run.course.decisions
    offers = 0
    for partition in range(run.log.partitions):
        names = run.offers.given_out(partition)
        assert len(names) == len(set(names))
        offers += len(names)
    return offers


def test_a_store_that_goes_back_at_any_time_gives_no_offer_out_twice() -> None:
    rewound = offers = 0
    for seed in seeds(160):
        rng = random.Random(seed)
        run = Run(
            Course(case_of(BASE + seed)),
            partitions=rng.choice((1, 1, 3)),
            batch=rng.choice((1, 7, 20)),
            cache=rng.choice((1, 9999)),
            commit_after=rng.choice((0, 1e9)),
            rewinds=rng.choice((0.1, 0.3)),
            mark_every=rng.choice((0, 1e9)),
        ).go()
        offers += hold(run)
        rewound += run.rewound
    assert rewound > 50
    assert offers > 60


def test_crashes_while_a_store_that_went_back_is_brought_up() -> None:
    rewound = offers = 0
    for seed in seeds(160):
        rng = random.Random(seed)
        run = Run(
            Course(case_of(BASE + 1_000 + seed)),
            batch=rng.choice((1, 7, 20)),
            cache=rng.choice((1, 9999)),
            commit_after=rng.choice((0, 1e9)),
            rewinds=0.2,
            mark_every=0,
            script=Script.random(rng, 120, [GO] * 8 + [CRASH, LOSE, TEAR]),
        ).go()
        offers += hold(run)
        rewound += run.rewound
    assert rewound > 50
    assert offers > 60


async def to_its_end(run: Run, lane: Lane) -> None:
    """Step a lane until it has folded all that is there."""
    while await lane.step() or lane.offset < run.log.end(0) or lane.sweeping:
        pass


async def test_a_copy_taken_while_an_older_one_was_caught_up_gives_no_offer_out_twice() -> None:
    """The log has grown since it was taken, and offers were given out on what came."""
    rewound = offers = 0
    for seed in seeds(120):
        run = Run(Course(case_of(BASE + seed)), batch=7, mark_every=0)
        shared = [[(0, value)] for _, value in run.course.shared()]
        half = len(shared) // 2
        for records in shared[:half]:
            await run.log.append(records)
        lane = run.lane(0)
        await lane.step()
        early = run.store.copy(0)
        await to_its_end(run, lane)
        run.store.restore(0, early)
        lane = run.lane(0)
        await lane.step()
        late = run.store.copy(0)
        rewound += b"known_until" in (await run.store.open(0)).lane
        await to_its_end(run, lane)
        for records in shared[half:]:
            await run.log.append(records)
        await to_its_end(run, lane)
        run.store.restore(0, late)
        await to_its_end(run, run.lane(0))
        names = run.offers.given_out(0)
        assert len(names) == len(set(names))
        offers += len(names)
    assert rewound > 10
    assert offers > 30
