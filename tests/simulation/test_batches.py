"""The same decisions at any batch size, partition count and cache size, and with every record repeated."""

from __future__ import annotations

import random

import pytest

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
