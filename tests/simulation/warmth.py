"""Two runs of one case that must end alike: one has the rules from the start, one gets them by a switch."""

from __future__ import annotations

import random

from engine.event import Event
from engine.language.model import RuleSet
from engine.rulebook import Rulebook, reach_of
from engine.ticks import TickMaker
from tests.differential.engine_side import Prepared, ruleset_of
from tests.differential.gen_rules import build_rules
from tests.differential.gen_world import build_world
from tests.differential.generator import generate
from tests.simulation.course import CONTROL, Course, Json, switch


def even_case(seed: int) -> Json:
    """A random case in which what was decided before a moment does not change what is decided after it."""
    case = generate(random.Random(seed))
    case["policy"] = {k: v for k, v in case["policy"].items() if k not in ("quiet", "holdout")}
    case["policy"]["contact"] = {"at_most": "99 in 1d"}
    case["rules"] = [even(rule) for rule in case["rules"]]
    return case


def even(rule: Json) -> Json:
    """A rule whose limits never refuse."""
    limits = {"priority": rule["limits"]["priority"], "at_most": "99 in 24h", "send_within": "48h"}
    return {**rule, "limits": {**limits, "holdout": "0%"}}


def other_rules(rng: random.Random, seed: int, case: Json) -> list[Json]:
    """Rules that run before the switch: none, some of the case's, others of the same world, or both."""
    kept = [rule for rule in case["rules"] if rng.random() < 0.4] if rng.random() < 0.5 else []
    if rng.random() < 0.5:
        return kept
    world = build_world(random.Random(seed), None)
    world.rng = rng
    names = {rule["rule"] for rule in kept}
    return kept + [even(rule) for rule in build_rules(world) if rule["rule"] not in names]


class Pair:
    """Run A with the rules from the start, run B with `before` up to record `at`."""

    def __init__(self, case: Json, before: RuleSet, at: int) -> None:
        self.case = case
        rules = ruleset_of(case)
        self.at = at
        self.clocks: dict[str, int] = {}
        """Subscriber key -> clock at the switch, as far as own records moved it."""
        self.watermark = -1
        ticks = TickMaker(case["disorder"])
        events = Prepared(case, rules).events
        self.first = min((e.t for e in events if e.kind not in CONTROL), default=0)
        for event in events[:at]:
            if event.kind not in CONTROL:
                self.clocks[event.key] = max(self.clocks.get(event.key, -1), event.t)
            follows = ticks.after(event)
            if event.kind == "tick":
                self.watermark = max(self.watermark, event.t)
            if follows is not None:
                self.watermark = max(self.watermark, follows.t)

        def cut(events: list[Event]) -> list[Event]:
            return [*events[:at], switch(rules.hash, max(self.watermark, 0)), *events[at:]]

        self.always = Course(case)
        self.late = Course(case, start=before, events=cut)
        self.rules = rules
        self.before = before
        self.known: list[Json] = []
        """Rules before the switch, as written."""

    def clock(self, key: str) -> int:
        """Return a subscriber's clock at the switch."""
        return max(self.clocks.get(key, -1), self.watermark)

    def after(self, course: Course) -> list[Json]:
        """Decisions of the case's rules stamped later than the switch, without the record that armed them."""
        found = []
        for decision in course.decisions:
            if decision["rules_hash"] == self.rules.hash and decision["at"] > self.clock(
                decision["subscriber_key"]
            ):
                found.append({k: v for k, v in decision.items() if k != "trigger"})
        return found

    def warming(self) -> dict[str, int]:
        """Rule -> time before which it has no instant: it looks back at what is not kept of old."""
        older, found = Rulebook(self.before, b""), {}
        for rule in Rulebook(self.rules, b"").compiled.values():
            reach = reach_of([rule.rule.when])
            short = [reach[kind] for kind, kept in older.near.items() if reach.get(kind, 0) > kept]
            if short and rule.root.key not in older.by_key:
                found[rule.name] = self.watermark + max(short)
        return found

    def check(self) -> int:
        """Hold B against A; return how many decisions were compared."""
        always, late = self.after(self.always), self.after(self.late)
        warming = self.warming()
        # what an unkept record completed before the switch can be missed for a window after it
        cold = {
            (d["subscriber_key"], d["at"])
            for d in always + late
            if d["rule"] in warming
            and d["at"] < warming[d["rule"]] - self.watermark + self.clock(d["subscriber_key"])
        }
        assert not [d for d in late if d["rule"] in warming and d["at"] < warming[d["rule"]]]
        always = [d for d in always if (d["subscriber_key"], d["at"]) not in cold]
        late = [d for d in late if (d["subscriber_key"], d["at"]) not in cold]
        assert late == always
        for decision in self.late.decisions:
            if decision["rules_hash"] == self.rules.hash:
                assert decision["at"] >= self.clock(decision["subscriber_key"])
        return len(always)


def pair_of(seed: int) -> Pair | None:
    """A random pair, None if there is nothing to switch."""
    rng = random.Random(seed)
    case = even_case(seed)
    known = other_rules(rng, seed, case)
    before = ruleset_of({**case, "rules": known})
    events = Prepared(case).events
    if not events or before.hash == ruleset_of(case).hash:
        return None
    pair = Pair(case, before, rng.randrange(1, len(events) + 1))
    pair.known = known
    return pair
