"""Explain against the engine: what it says stopped a rule is what the decision record says."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from engine.emit import Decision
from engine.pipeline import Fold
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.trace.gates import stopped_by
from engine.trace.story import person, stories
from engine.trace.tape import Given
from engine.trace.watch import WatchedFold
from tests.differential.engine_side import Prepared, ruleset_of
from tests.differential.generator import OUTCOMES, REASONS, generate, identities

CASES = 30
"""Random cases per focus, each another at every focus."""
FOCI = (*OUTCOMES, *REASONS, "schedule", "confirm", "leaving", "resident")


def replayed(case: dict[str, Any], fold: Fold, prepared: Prepared) -> list[Decision]:
    replay = Replay(fold, disorder=case["disorder"], until=case["until"])
    return list(replay.run(prepared.profiles, prepared.events))


def named(decision: Decision) -> str | None:
    """Name the gate of a decision record as explain does; None for an offer."""
    outcomes = {"held": "quiet", "control": "holdout", "shadow": "shadow", "offer": None}
    if decision["outcome"] == "refused":
        return str(decision["reason"])
    return outcomes[decision["outcome"]]


@pytest.mark.parametrize("focus", FOCI)
def test_the_gate_that_stopped_it_is_the_one_of_the_decision_record(focus: str) -> None:
    seen: Counter[str | None] = Counter()
    for seed in range(CASES):
        case = generate(random.Random(f"{focus} {seed}"), focus=focus)
        rules, salt = ruleset_of(case), case["salt"].encode()
        plain = Fold(Rulebook(rules, case["key"].encode()), salt)
        watched = WatchedFold(Rulebook(rules, case["key"].encode()), salt)
        watched.watched.update(identities(case))
        decisions = replayed(case, plain, Prepared(case, rules))
        assert replayed(case, watched, Prepared(case, rules)) == decisions
        judged = {(j.id, j.at): stopped_by(j.lines) for j in watched.judgements}
        expected = {(d["id"], d["at"]): named(d) for d in decisions}
        assert judged == expected
        seen.update(expected.values())
        book = Rulebook(rules, case["key"].encode())
        for key in watched.subscribers:
            own = [decision for decision in decisions if decision["subscriber_key"] == key]
            assert watched.tape.run(key, book, salt, Given()) == own
            assert person(watched, key, plain.newest).subscriber_key == key
            told = list(stories(watched, key, plain.newest, own))
            assert [story.rule for story in told] == sorted(rules.rules)
    assert seen
