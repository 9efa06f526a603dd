"""The judge of a run, offline: the log as it stands, folded once by one thread, says what had to come of it.

lost       a decision that should stand in `.decisions.v1`, or an offer in `.offers.v1`, and does not
spurious   one that stands there and should not, or reads differently
doubled    a decision that was submitted more than once
wrong      a state in the store that is not the one the fold ends with, or an offset
unended    an offer without an end in the log
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis import Redis

from connectors.redis_keys import tag_of
from engine.codec import decode, encode
from engine.identity import Identity
from engine.intake import Intake
from engine.last_gates import ENDS
from engine.pipeline import Fold
from engine.published import read, unpack
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from tests.servers.deployment import KEY, SALT, Deployment

Json = dict[str, Any]
Name = tuple[str, int]


@dataclass
class Verdict:
    """What was found."""

    offers: int = 0
    decisions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    """Offers by rule."""
    ends: Counter[str] = field(default_factory=Counter)
    submits: int = 0
    lost: int = 0
    spurious: int = 0
    doubled: int = 0
    wrong: int = 0
    unended: int = 0
    quiet: int = 0
    """Submits in quiet time, by the wall clock."""
    capped: int = 0
    """Subscribers with more offers than the policy allows."""
    examples: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """Everything that must be 0."""
        return self.lost + self.spurious + self.doubled + self.wrong + self.unended + self.quiet + self.capped

    def note(self, text: str) -> None:
        """Keep some examples."""
        if len(self.examples) < 8:
            self.examples.append(text[:600])


def expected(made: Deployment) -> tuple[dict[Name, Json], dict[str, tuple[int, Subscriber]], Rulebook]:
    """Fold the log, partition by partition; return decisions, states with their partition, the last rules."""
    sets = {}
    for _, value in made.read_one("rules"):
        published = read(value)
        sets[published.hash] = Rulebook(unpack(published, "86"), KEY.encode())
    from engine.deployment.engine import NO_RULES

    sets[NO_RULES.hash] = Rulebook(NO_RULES, KEY.encode())
    decisions: dict[Name, Json] = {}
    states: dict[str, tuple[int, Subscriber]] = {}
    book = sets[NO_RULES.hash]
    for partition in range(made.partitions):
        fold = Fold(sets[NO_RULES.hash], SALT.encode(), books=sets.__getitem__)
        intake = Intake(Identity(KEY.encode()))
        for offset, value in made.log(partition):
            for event in intake.read_log(value, "log", f"{partition}:{offset}"):
                fold.apply(event)
            for line in fold.decisions:
                decisions.setdefault((line["id"], line["at"]), orjson.loads(orjson.dumps(line)))
            fold.decisions = []
        states.update((key, (partition, sub)) for key, sub in fold.subscribers.items())
        book = fold.book
    return decisions, states, book


def judge(made: Deployment, *, sends: bool = True) -> Verdict:
    """Judge what a run has left; `sends`: a dispatcher was part of it."""
    verdict = Verdict()
    wanted, states, book = expected(made)
    found = {(line["id"], line["at"]): line for line in made.decisions()}
    verdict.decisions = len(found)
    for name, line in wanted.items():
        if name not in found:
            verdict.lost += 1
            verdict.note(f"lost: {line}")
        elif found[name] != line:
            verdict.spurious += 1
            verdict.note(f"differs: {found[name]} from {line}")
    for name in found.keys() - wanted.keys():
        verdict.spurious += 1
        verdict.note(f"spurious: {found[name]}")
    offers = {name: line for name, line in wanted.items() if line["outcome"] == "offer"}
    verdict.offers = len(offers)
    verdict.outcomes = Counter(line["outcome"] for line in wanted.values())
    verdict.rules = Counter(line["rule"] for line in offers.values())
    published = {key for key, _ in made.read("offers")}
    for id, at in offers:
        if f"{id}@{at}" not in published:
            verdict.lost += 1
            verdict.note(f"lost offer: {id}")
    _judge_states(made, states, verdict)
    _judge_offsets(made, verdict)
    _judge_caps(offers, book, verdict)
    if sends:
        _judge_sending(made, offers, verdict)
    return verdict


def _judge_states(made: Deployment, states: dict[str, tuple[int, Subscriber]], verdict: Verdict) -> None:
    with Redis.from_url(made.store_url()) as redis:
        for key, (partition, sub) in states.items():
            blob = redis.get(f"{tag_of(partition, made.partitions)}s:{key}")
            if not isinstance(blob, bytes):
                verdict.wrong += 1
                verdict.note(f"no state of {key}")
                continue
            # through the codec both: what is derived is not compared twice
            if plain(decode(key, blob)) != plain(decode(key, encode(sub))):
                verdict.wrong += 1
                verdict.note(f"state: {plain(decode(key, blob))} for {plain(decode(key, encode(sub)))}")


def plain(sub: Subscriber) -> Json:
    """What counts of a state. The clock of a silent subscriber follows ticks only when somebody looks."""
    return {
        "seq": sub.seq,
        "seen": (sub.seen_at, sub.cell),
        "visits": sub.visits,
        "timers": sub.timers,
        "nodes": {key: str(state) for key, state in sub.nodes.items()},
        "profile": (sub.profile, sub.consent, sub.suppressed, sub.bound, sub.timezone),
        "contacts": sub.contacts,
        "holds": sub.holds,
    }


def _judge_offsets(made: Deployment, verdict: Verdict) -> None:
    """Everything was folded up to a tick that ends the course; receipts may have come after it."""
    for partition, offset in enumerate(made.offsets()):
        ticks = [at for at, value in made.log(partition) if b'"tick"' in value]
        if offset <= ticks[-1]:
            verdict.wrong += 1
            verdict.note(f"partition {partition}: expected an offset beyond {ticks[-1]}, was {offset}")


def _judge_caps(offers: dict[Name, Json], book: Rulebook, verdict: Verdict) -> None:
    by_subscriber: dict[str, list[int]] = {}
    for (_, at), line in offers.items():
        by_subscriber.setdefault(line["subscriber_key"], []).append(at)
    for cap in book.policy.contact:
        for times in by_subscriber.values():
            times.sort()
            for index in range(cap.count, len(times)):
                if times[index] - times[index - cap.count] < cap.window:
                    verdict.capped += 1
                    break


def _judge_sending(made: Deployment, offers: dict[Name, Json], verdict: Verdict) -> None:
    submits = Counter(line["decision"] for line in made.submits())
    verdict.submits = submits.total()
    for decision, count in submits.items():
        if count > 1:
            verdict.doubled += 1
            verdict.note(f"submitted {count} times: {decision}")
    ended: dict[str, str] = {}
    for partition in range(made.partitions):
        for _, value in made.log(partition):
            if b"offer.receipt" in value:
                receipt = orjson.loads(value)
                if receipt["status"] in ENDS:
                    ended.setdefault(receipt["decision"], receipt["status"])
    for id, _ in offers:
        if id in ended:
            verdict.ends[ended[id]] += 1
        else:
            verdict.unended += 1
            verdict.note(f"without an end: {id}")
