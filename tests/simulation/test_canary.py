"""A canary: some subscribers on another set of rules, until the next switch (ADR 18)."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from engine.event import Event
from engine.intake import YEAR_2000
from engine.language.model import RuleSet
from tests.differential.engine_side import ruleset_of
from tests.reference.intake import keyed_hash
from tests.simulation.course import Course, Json, case_of, seeds, switch
from tests.simulation.faults import CRASH, GO, LOSE, TEAR, Script
from tests.simulation.runs import Run, check
from tests.simulation.test_warm_start import sets_of

BASE = 7_000_000
START = 1_788_883_200_000_000
"""In September 2026, µs UTC."""
SHARES = ("0%", "30%", "50%", "70%", "100%")


def spec_of(rng: random.Random, rules: RuleSet) -> str:
    """A share, or a place or group of the set."""
    places = [*rules.catalog.places, *rules.catalog.groups]
    return rng.choice((rng.choice(SHARES), rng.choice(places)))


def cut_at(at: int, *switches: Event) -> Callable[[list[Event]], list[Event]]:
    """Put switches before the record of this number."""
    return lambda events: [*events[:at], *switches, *events[at:]]


class Split:
    """One case three times: without a switch, with a whole one, with a canary at the same place."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.case = case_of(BASE + seed)
        other = sets_of(rng, BASE + seed, self.case)[0]
        self.spec = spec_of(rng, other)
        self.at = rng.randrange(len(self.case["records"]) + 1)
        self.rules = other
        self.none, self.whole, self.canary = (
            Course(self.case, others=[other], events=cut_at(self.at, *switches))
            for switches in (
                (),
                (switch(other.hash, YEAR_2000),),
                (switch(other.hash, YEAR_2000, self.spec, "r:1"),),
            )
        )

    def members(self) -> set[str]:
        """Who is to move: by the page's words, from what is known right before the switch."""
        fold = self.none.make_fold(None)
        before = self.none.records[: self.at]
        for event in self.none.log:
            if event in before or event in self.none.profiles or event.kind == "tick":
                fold.apply(event)
            if before and event is before[-1]:
                break
        keys = {event.key for event in self.none.log if event.key}
        if self.spec.endswith("%"):
            share = float(self.spec[:-1]) / 100
            firsts = {
                key: int.from_bytes(keyed_hash(self.case["salt"], "canary", key)[:8], "big") for key in keys
            }
            return {key for key, first in firsts.items() if first / 2**64 < share}
        catalog = self.rules.catalog
        cells = {c for p in catalog.groups.get(self.spec, (self.spec,)) for c in catalog.places[p].cells}
        return {key for key in keys if key in fold.subscribers and fold.subscribers[key].cell in cells}


def of(decisions: list[Json], keys: set[str], *, inside: bool) -> list[Json]:
    return [one for one in decisions if (one["subscriber_key"] in keys) is inside]


def test_those_who_move_decide_as_under_a_whole_switch_and_all_others_as_under_none() -> None:
    moved = stayed = named = 0
    for seed in seeds(250):
        split = Split(seed)
        if split.rules.hash == split.none.start.hash:
            continue
        members = split.members()
        found = split.canary.decisions
        assert of(found, members, inside=True) == of(split.whole.decisions, members, inside=True), seed
        assert of(found, members, inside=False) == of(split.none.decisions, members, inside=False), seed
        new = {one["subscriber_key"] for one in found if one["rules_hash"] == split.rules.hash}
        assert new <= members
        moved += bool(new)
        stayed += bool(of(found, members, inside=False))
        named += not split.spec.endswith("%") and bool(new)
    assert min(moved, stayed, named) > 5, (moved, stayed, named)


def random_switches(rng: random.Random, sets: list[RuleSet], events: list[Event]) -> list[Event]:
    """Put up to four switches anywhere, canaries among them."""
    found = list(events)
    for number, rules in enumerate(rng.choices(sets, k=rng.choice((1, 2, 3, 4)))):
        spec = spec_of(rng, rules) if rng.random() < 0.7 else None
        found.insert(rng.randrange(len(found) + 1), switch(rules.hash, YEAR_2000, spec, f"r:{number}"))
    return found


def test_lanes_move_whom_a_replay_moves_whatever_happens_to_them() -> None:
    mixed = 0
    for seed in seeds(120):
        rng = random.Random(seed)
        case = case_of(BASE + 50_000 + seed)
        sets = [*sets_of(rng, BASE + 50_000 + seed, case), ruleset_of(case)]
        course = Course(case, others=sets, events=lambda e, r=rng, s=sets: random_switches(r, s, e))  # type: ignore[misc]
        words = rng.choice(([GO], [GO, GO, GO, GO, CRASH, LOSE, TEAR]))
        script = Script.random(rng, 60, words)
        partitions, batch = rng.choice((1, 3, 8)), rng.choice((1, 7, 500))
        run = Run(course, partitions=partitions, batch=batch, cache=rng.choice((1, 9999)), script=script)
        check(run.go())
        mixed += len({one["rules_hash"] for one in course.decisions}) > 1
    assert mixed > 5


def bare(decisions: list[Json]) -> list[Json]:
    """Without the record a timer goes back to: of a visit that is folded again it may be unknown (ADR 11)."""
    return [{name: value for name, value in one.items() if name != "trigger"} for one in decisions]


def test_a_lost_store_is_rebuilt_with_its_canary() -> None:
    lost = mixed = 0
    for seed in seeds(60):
        split = Split(90_000 + seed)
        rng = random.Random(seed)
        run = Run(
            split.canary,
            partitions=rng.choice((1, 3)),
            batch=rng.choice((1, 7, 20)),
            cache=rng.choice((1, 9999)),
            losses=rng.choice((0.1, 0.3)),
            mark_every=0,
        ).go()
        assert bare(run.decisions) == bare(split.canary.decisions), (seed, split.spec)
        lost += run.lost
        mixed += len({one["rules_hash"] for one in run.decisions}) > 1
    assert lost > 30
    assert mixed > 4


HOUR = 3_600_000_000


def hourly(spec: str | None) -> Course:
    """Four subscribers with a text each an hour, seven of which make an offer; a switch after six of them."""
    case = case_of(1)
    rule: Json = {
        "rule": "ra",
        "title": "t",
        "owner": "tests",
        "status": "live",
        "approved_by": "x",
        "valid": "2026-01-01 to 2027-12-31",
        "who": {},
        "when": {"count": "sms.out", "at_least": "7", "within": "24h"},
        "offer": {"product": "x3", "send": [{"channel": "manual", "task": "Call about {product.name}"}]},
        "limits": {"priority": "50", "at_most": "9 in 2m", "send_within": "48h", "holdout": "0%"},
        "goal": {"converts_when": {"happens": "product.bought"}, "within": "1d"},
    }
    people = [f"46000000000{number:04d}" for number in range(4)]
    consent = {"marketing": True, "profiling": True, "location": True}
    records = [
        {"kind": "sms.out", "id": f"{hour}-{imsi}", "t": START + hour * HOUR + number, "subscriber": imsi}
        for hour in range(8)
        for number, imsi in enumerate(people)
    ]
    policy = {"window": "48h", "timezone": "Asia/Shanghai", "contact": {"at_most": "99 in 4m"}}
    profiles = [{"subscriber": imsi, "consent": consent} for imsi in people]
    case |= {"rules": [rule], "policy": policy, "records": records, "profiles": profiles}
    case |= {"disorder": 0, "until": None}
    other = ruleset_of({**case, "rules": [{**rule, "limits": {**rule["limits"], "priority": "60"}}]})
    cut = cut_at(len(people) * 6, switch(other.hash, YEAR_2000, spec, "r:1"))
    return Course(case, others=[other], events=cut)


class LosesOnce(Run):
    """Loses its store at one step, once."""

    at = 0

    async def _own(self, partition: int) -> None:
        lane, end, steps = self.lane(partition), self.log.end(partition), 0
        while lane.fold is None or lane.offset != end or lane.sweeping:
            steps += 1
            if steps == self.at:
                self.lost += 1
                self.store.lose(partition)
            await lane.step()


@pytest.mark.parametrize("spec", ["100%", "50%", "p1", None])
def test_hours_before_a_canary_are_not_lost_with_the_store(spec: str | None) -> None:
    """Those who move are armed at the switch, not as the rebuild begins, with all before it late."""
    course = hourly(spec)
    assert len(course.decisions) == 4
    for at in range(2, 48, 4):
        run = LosesOnce(course, batch=1, mark_every=0)
        run.at = at
        assert bare(run.go().decisions) == bare(course.decisions), at
        assert run.lost == 1
