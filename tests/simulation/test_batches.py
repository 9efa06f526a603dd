"""The same decisions at any batch size, partition count and cache size, and with every record repeated."""

from __future__ import annotations

import random

import pytest

from engine.collect import in_messages
from tests.simulation.course import Course, case_of, seeds, twice
from tests.simulation.runs import Run, check


@pytest.mark.parametrize("batch", [1, 7, 500, 5000])
def test_a_batch_is_no_boundary(batch: int) -> None:
    for seed in seeds(60):
        check(Run(Course(case_of(seed)), batch=batch).go())


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_the_same_total_order_decides_alike_over_any_number_of_partitions(partitions: int) -> None:
    for seed in seeds(60):
        check(Run(Course(case_of(1_000_000 + seed)), partitions=partitions, batch=7).go())


@pytest.mark.parametrize("cache", [0, 1, 3])
def test_what_the_cache_evicts_comes_back_from_the_store(cache: int) -> None:
    for seed in seeds(60):
        check(
            Run(
                Course(case_of(2_000_000 + seed)), batch=random.Random(seed).choice((1, 3, 7)), cache=cache
            ).go()
        )


def test_repeated_records_change_nothing_but_their_count() -> None:
    for seed in seeds(60):
        rng = random.Random(seed)
        case = case_of(3_000_000 + seed)
        once, again = Course(case), Course(case, events=twice(rng))
        assert again.decisions == once.decisions
        check(Run(again, partitions=rng.choice((1, 3, 8)), batch=rng.choice((1, 7, 500))).go())


@pytest.mark.parametrize("at_once", [2, 7, 1_000])
def test_records_in_arrays_decide_as_records_alone(at_once: int) -> None:
    for seed in seeds(40):
        rng = random.Random(seed)
        course = Course(case_of(4_000_000 + seed))
        partitions, batch = rng.choice((1, 3)), rng.choice((1, 7, 500))
        check(Run(course, at_once=at_once, partitions=partitions, batch=batch).go())


async def test_a_batch_of_arrays_is_bounded_in_records() -> None:
    course = Course(case_of(5_000_000))
    run = Run(course, batch=10)
    await run.log.append(in_messages([(0, value) for _, value in course.shared()], 4))
    lane = run.lane(0)
    steps: list[int] = []
    while steps[-1:] != [0]:
        steps.append(await lane.step())
    assert sum(steps) == lane.offset == run.log.end(0)
    assert max(steps) == 3  # messages: with the third, there are ten records
