"""Every subscriber written and read back at random moments: nothing changes."""

from __future__ import annotations

import random
from collections.abc import Callable

from engine.codec import decode, encode
from engine.event import Event
from engine.feeds import Feeds
from engine.intake import YEAR_2000
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.replay import order_of
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
