"""The nearest miss is true and tight: with its mark the engine matches, with one a notch further it does not.

Random cases of the differential tests; a rule is tried whose `when` never had an instant in the whole run.
`TOUCHPOINT_EXAMPLES=600` searches further.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.language import model
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.trace.misses import Miss
from engine.trace.story import stories
from engine.trace.watch import WatchedFold
from tests.differential.engine_side import Prepared, ruleset_of
from tests.differential.generator import generate, identities

CASES = int(os.environ.get("TOUCHPOINT_EXAMPLES", 30))
"""Per verb."""
VERBS = ("count", "total", "stays_in", "sequence", "after", "all_of", "happens", "confirm")


def watched(case: dict[str, Any], rules: model.RuleSet, key: str) -> WatchedFold:
    """Run a case with one subscriber watched."""
    fold = WatchedFold(Rulebook(rules, case["key"].encode()), case["salt"].encode())
    prepared = Prepared(case, rules)
    fold.watched.add(key)
    list(Replay(fold, disorder=case["disorder"], until=case["until"]).run(prepared.profiles, prepared.events))
    return fold


def instants(case: dict[str, Any], rules: model.RuleSet, key: str, name: str, when: model.Pattern) -> int:
    """Count the instants of another `when` in the same run."""
    changed = replace(rules, rules={**rules.rules, name: replace(rules.rules[name], when=when)})
    fold = watched(case, changed, key)
    return fold.tallies[fold.book.compiled[name].root.index].count


def further(pattern: model.Pattern) -> model.Pattern | None:
    """Put the mark a notch beyond what was reached, by more than it was rounded."""
    match pattern:
        case model.Count():
            return replace(pattern, at_least=pattern.at_least + 1)
        case model.Total() if pattern.type == "bytes":
            return replace(pattern, at_least=pattern.at_least * 1.11 + (1 << 20))
        case model.Total():
            return replace(pattern, at_least=pattern.at_least + 1)
        case model.Enters():
            return replace(pattern, confirm=pattern.confirm + 2 * model.MINUTE)
        case model.StaysIn():
            return replace(pattern, duration=pattern.duration + 2 * model.MINUTE)
        case _:
            return None


def dark_within(fold: WatchedFold, miss: Miss) -> bool:
    """Say whether whereabouts were unknown for a part of the visit, or told late.

    A mark that fell there would be no instant; what was near is told all the same, and `flips` tries it.
    """
    match miss.nearer:
        case model.StaysIn(duration=mark) | model.Enters(confirm=mark):
            assert miss.at is not None
            since = miss.at - mark - model.MINUTE
            clock = 0
            for noted in fold.records:
                event = noted.event
                clock = max(clock, event.t)
                late = event.cell is not None and event.seen < clock
                if since <= event.seen < miss.at and (late or event.kind == "power.off"):
                    return True
            return False
        case _:
            return False


def misses(verb: str, seed: int) -> Iterator[tuple[dict[str, Any], model.RuleSet, str, str, Miss]]:
    """Yield what came near in a case: rules whose `when` has no instant, by subscriber."""
    case = generate(random.Random(f"nearest {verb} {seed}"), focus=verb)
    rules = ruleset_of(case)
    times = [event.t for event in Prepared(case, rules).events]
    if not times or max(times) - min(times) > 2 * model.DAY:
        return  # what was nearest may be older than 48 h, and is not shown any more
    for key in sorted(identities(case)):
        fold = watched(case, rules, key)
        if key not in fold.subscribers:
            continue
        for story in stories(fold, key, max(fold.newest, fold.feeds.watermark), []):
            miss = story.pattern[0].nearest if story.pattern and not story.pattern[0].instants else None
            if miss is not None and miss.nearer is not None and not dark_within(fold, miss):
                yield case, rules, key, story.rule, miss


@pytest.mark.parametrize("verb", VERBS)
def test_with_the_mark_of_the_nearest_miss_it_matches_and_with_a_further_one_it_does_not(verb: str) -> None:
    tried = 0
    # of records that one line alone rejects there are few
    for seed in range(5 * CASES if verb == "happens" else CASES):
        for case, rules, key, name, miss in misses(verb, seed):
            assert miss.nearer is not None
            tried += 1
            assert instants(case, rules, key, name, miss.nearer), (seed, name, miss)
            assert miss.change is not None
            beyond = None if "resident" in miss.change else further(miss.nearer)  # its mark is the rule's own
            if beyond is not None:
                assert not instants(case, rules, key, name, beyond), (seed, name, miss)
    assert tried
