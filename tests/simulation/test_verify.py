"""The recorded log folded once more gives the decisions of a run, whatever happened to that run."""

from __future__ import annotations

import asyncio
import random

from connectors.memory_store import MemoryStore
from engine.verify import Difference, Verdict, verify
from tests.differential.engine_side import ruleset_of
from tests.simulation.course import Course, case_of, seeds
from tests.simulation.faults import CRASH, GO, LOSE, TEAR, Script
from tests.simulation.runs import Run, check
from tests.simulation.test_canary import random_switches
from tests.simulation.test_warm_start import sets_of

BASE = 9_100_000


def verified(run: Run) -> tuple[list[Verdict], list[Difference]]:
    told: list[Difference] = []

    async def go() -> list[Verdict]:
        found = []
        for partition in range(run.log.partitions):
            verdict = await verify(
                partition,
                run.log,
                run.offers,
                MemoryStore(run.log.partitions),
                run.course.intake(),
                run.course.make_fold,
                tell=told.append,
            )
            if verdict is not None:
                found.append(verdict)
        return found

    return asyncio.run(go()), told


def test_a_log_with_switches_and_canaries_gives_the_same_decisions_once_more() -> None:
    compared = mixed = crashed = 0
    for seed in seeds(80):
        rng = random.Random(seed)
        case = case_of(BASE + seed)
        sets = [*sets_of(rng, BASE + seed, case), ruleset_of(case)]
        course = Course(case, others=sets, events=lambda e, r=rng, s=sets: random_switches(r, s, e))  # type: ignore[misc]
        script = Script.random(rng, 60, rng.choice(([GO], [GO, GO, GO, GO, CRASH, LOSE, TEAR])))
        partitions, batch = rng.choice((1, 3)), rng.choice((1, 7, 500))
        run = Run(course, partitions=partitions, batch=batch, script=script, mark_every=0)
        check(run.go())
        verdicts, told = verified(run)
        assert told == [], seed
        assert len(verdicts) == partitions
        assert sum(one.equal for one in verdicts) == len(run.decisions)
        assert not any(one.different or one.uncertain or one.sampled for one in verdicts)
        compared += len(run.decisions)
        mixed += len({one["rules_hash"] for one in run.decisions}) > 1
        crashed += bool(run.restarts)
    assert compared > 100
    assert min(mixed, crashed) > 3, (mixed, crashed)
