"""Every subscriber written and read back at random moments: nothing changes."""

from __future__ import annotations

import random
from collections.abc import Callable

from engine.codec import decode, encode
from engine.event import Event
from engine.feeds import Feeds
from engine.intake import YEAR_2000
from engine.language.model import RuleSet
from engine.patterns.absence import After, Cancels
from engine.patterns.counting import Count, Total
from engine.pipeline import Fold
from engine.replay import order_of
from engine.snapshot import Subscriber
from tests.differential.engine_side import ruleset_of
from tests.simulation.course import Course, Json, case_of, plain, seeds, switch
from tests.simulation.warmth import other_rules


def restart(fold: Fold) -> None:
    """Write all subscribers and the feeds, and read them back."""
    subscribers = list(fold.subscribers.values())
    fold.drop_cache()
    for sub in subscribers:
        blob = encode(sub)
        again = decode(sub.key, blob)
        assert encode(again) == blob
        fold.adopt(again)
    fold.feeds = Feeds.unpack(fold.feeds.pack())


def decisions_of(course: Course, rng: random.Random, share: float) -> list[Json]:
    """Fold the whole log of a course with restarts in between."""
    fold = course.make_fold(None)
    for event in course.log:
        fold.apply(event)
        if rng.random() < share:
            restart(fold)
    return [plain(decision) for decision in sorted(fold.decisions, key=order_of)]


def test_a_restart_at_any_moment_changes_nothing() -> None:
    for seed in seeds(120):
        rng = random.Random(seed)
        course = Course(case_of(7_000_000 + seed))
        assert decisions_of(course, rng, rng.choice((0.05, 0.3, 1.0))) == course.decisions


def thirds(*sets: RuleSet) -> Callable[[list[Event]], list[Event]]:
    """Change the rules after each third of the records."""

    def cut(events: list[Event]) -> list[Event]:
        size = len(events) // 3 + 1
        found = []
        for number, rules in enumerate(sets):
            found += [*events[number * size : (number + 1) * size], switch(rules.hash, YEAR_2000)]
        return found

    return cut


def test_nor_does_one_between_changes_of_the_rules() -> None:
    for seed in seeds(80):
        rng = random.Random(seed)
        case = case_of(8_000_000 + seed)
        others = [ruleset_of({**case, "rules": other_rules(rng, 8_000_000 + seed, case)}) for _ in range(2)]
        course = Course(case, others=others, events=thirds(*others, ruleset_of(case)))
        assert decisions_of(course, rng, rng.choice((0.3, 1.0))) == course.decisions


def test_parts_that_keep_their_bytes_are_those_that_did_not_change() -> None:
    """Whoever changes what is stored says so: written anew, each state has the bytes it kept."""
    for seed in seeds(60):
        course = Course(case_of(9_000_000 + seed))
        fold = course.make_fold(None)
        for event in course.log:
            fold.apply(event)
            for sub in fold.subscribers.values():
                kept = encode(sub)
                sub.core_dirty = sub.gates_dirty = True
                sub.history.packed = None
                for segment in (*sub.history.far, *sub.history.near):
                    segment.sealed = None
                assert encode(sub) == kept, seed


def test_what_is_not_stored_is_found_again() -> None:
    compared = 0
    for seed in seeds(120):
        course = Course(case_of(9_100_000 + seed))
        fold = course.make_fold(None)
        for event in course.log[: random.Random(seed).randrange(len(course.log))]:
            fold.apply(event)
        before = {sub.key: memory(fold, sub) for sub in fold.subscribers.values()}
        restart(fold)
        for sub in fold.subscribers.values():
            assert memory(fold, sub) == before[sub.key], seed
            compared += len(before[sub.key])
    assert compared > 20


def memory(fold: Fold, sub: Subscriber) -> Json:
    """What patterns remember beside the store, without what is too old to matter."""
    found: Json = {}
    for key, state in sub.derived.items():
        node = fold.book.by_key[key]
        if isinstance(node, Cancels):
            limit = 2 * (sub.clock - max(p.memory for p in node.parents if isinstance(p, After)))
            kept = [pair for pair in zip(state[0][::2], state[0][1::2], strict=True) if pair[0] > limit]
        else:
            assert isinstance(node, Count | Total)
            kept = [row for row in zip(*state, strict=True) if row[0] > sub.clock - node.within]
        if kept:
            found[key] = kept
    return found
