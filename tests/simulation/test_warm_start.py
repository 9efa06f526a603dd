"""New rules see the past 48 hours as if they had been there: semantics 3, warm start."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

from engine.intake import YEAR_2000
from engine.language.model import RuleSet
from tests.differential.engine_side import ruleset_of
from tests.simulation.course import Course, case_of, seeds, switch
from tests.simulation.faults import CRASH, GO, LOSE, TEAR, Script
from tests.simulation.runs import Run, check
from tests.simulation.warmth import other_rules, pair_of


def test_from_a_switch_on_decisions_are_those_of_rules_that_were_there_all_the_time() -> None:
    compared = 0
    for seed in seeds(300):
        pair = pair_of(seed)
        if pair is not None:
            compared += pair.check()
    assert compared > 300


def moved(rng: random.Random, places: dict[str, Any]) -> dict[str, Any]:
    """The catalogue's places with some fences moved."""
    found = deepcopy(places)
    named = [name for name in found if name != "groups"]
    one, other = rng.sample(named, 2)
    found[one]["cells"], found[other]["cells"] = found[other]["cells"], found[one]["cells"][:1]
    return found


def sets_of(rng: random.Random, seed: int, case: dict[str, Any]) -> list[RuleSet]:
    """Rule sets that fit a case's world: other rules, other fences, other house rules."""
    sets = []
    for _ in range(2):
        changed = {**case, "rules": other_rules(rng, seed, case)}
        if rng.random() < 0.5:
            changed["places"] = moved(rng, case["places"])
        if rng.random() < 0.3:
            changed["policy"] = {**case["policy"], "presence": {"lapse": "20m", "bridge": "2h"}}
        sets.append(ruleset_of(changed))
    return sets


def test_lanes_change_rules_where_a_replay_does_whatever_happens_to_them() -> None:
    for seed in seeds(150):
        rng = random.Random(seed)
        case = case_of(6_000_000 + seed)
        sets = [*sets_of(rng, 6_000_000 + seed, case), ruleset_of(case)]

        def cut(events: list[Any], rng: random.Random = rng, sets: list[RuleSet] = sets) -> list[Any]:
            found = list(events)
            for rules in rng.choices(sets, k=rng.choice((1, 2, 3))):
                found.insert(rng.randrange(len(found) + 1), switch(rules.hash, YEAR_2000))
            return found

        course = Course(case, others=sets, events=cut)
        words = rng.choice(([GO], [GO, GO, GO, GO, CRASH, LOSE, TEAR]))
        script = Script.random(rng, 60, words)
        partitions, batch = rng.choice((1, 3, 8)), rng.choice((1, 7, 500))
        check(
            Run(course, partitions=partitions, batch=batch, cache=rng.choice((1, 9999)), script=script).go()
        )
