"""The course of a case: its total order as the log holds it, and what a plain replay decides on it."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.replay import Replay, order_of
from engine.rulebook import Rulebook
from engine.ticks import TickMaker, tick
from tests.differential.engine_side import Prepared, ruleset_of
from tests.differential.generator import generate

Json = dict[str, Any]


def seeds(default: int) -> range:
    """Seeds of the random cases of one test: `default` of them, or as many as TOUCHPOINT_EXAMPLES says."""
    return range(int(os.environ.get("TOUCHPOINT_EXAMPLES", default)))


def case_of(seed: int) -> Json:
    """One random case."""
    return generate(random.Random(seed))


class Course:
    """A case in its total order: profile lines, records, rule switches, and the ticks between them."""

    def __init__(
        self,
        case: Json,
        *,
        others: Sequence[RuleSet] = (),
        start: RuleSet | None = None,
        events: Callable[[list[Event]], list[Event]] | None = None,
    ) -> None:
        """Lay out a case.

        `start`: the rules it begins with, None: the case's. `others`: more sets that a switch may name.
        `events`: changes the records (in order) before ticks are derived: duplicates, switches.
        """
        self.case = case
        rules = ruleset_of(case)
        self.start = start or rules
        self.sets = {found.hash: found for found in (rules, self.start, *others)}
        prepared = Prepared(case, rules)
        self.profiles = prepared.profiles
        self.records = events(prepared.events) if events is not None else prepared.events
        self.log = [*self.profiles]
        ticks = TickMaker(case["disorder"])
        self.derived = 0
        """Ticks that the replay derives: they are not among its records."""
        newest = -1
        for event in self.records:
            self.log.append(event)
            follows = ticks.after(event)
            if follows is not None:
                self.log.append(follows)
                self.derived += 1
        replay = self._replay()
        newest = replay.fold.newest
        end = case["until"] + 1 if case["until"] is not None else newest + 1
        self.log.append(tick(end, ticks.down))
        self.derived += 1

    @property
    def salt(self) -> bytes:
        """TOUCHPOINT_SALT of the case."""
        return bytes(self.case["salt"].encode())

    def intake(self) -> Intake:
        """Make an intake with the key of the case."""
        return Intake(Identity(self.case["key"].encode(), "86"))

    def make_fold(self, name: str | None) -> Fold:
        """Make a fresh fold with rule books of its own; None: the rules the course starts with."""
        books: dict[str, Rulebook] = {}

        def book(name: str) -> Rulebook:
            if name not in books:
                books[name] = Rulebook(self.sets[name], self.case["key"].encode())
            return books[name]

        return Fold(book(name or self.start.hash), self.salt, books=book)

    def _replay(self) -> Replay:
        fold = self.make_fold(None)
        replay = Replay(fold, disorder=self.case["disorder"], until=self.case["until"])
        made = sorted(replay.run(self.profiles, self.records), key=order_of)
        self.decisions = [plain(decision) for decision in made]
        self.outcomes: Counter[str] = +fold.outcomes
        self.counts = +fold.counts
        return replay

    def shared(self) -> Iterator[tuple[str, bytes]]:
        """Yield the log as (subscriber key, value); the key is empty for what goes to every partition."""
        for event in self.log:
            yield event.key, orjson.dumps(event.fields)


def plain(decision: Json) -> Json:
    """A decision as it is read back, without the place in the log: all that must be equal in every run."""
    found: Json = orjson.loads(orjson.dumps(decision))
    del found["trigger"]["position"]
    return found


def twice(rng: random.Random) -> Callable[[list[Event]], list[Event]]:
    """Repeat random records that have an id right after themselves."""

    def change(events: list[Event]) -> list[Event]:
        found = []
        for event in events:
            known = event.id is not None and event.kind not in CONTROL
            found += [event] * (rng.choice((1, 2, 3)) if known else 1)
        return found

    return change


CONTROL = frozenset(
    {"profile.update", "consent.change", "offer.receipt", "send.request", "tick", "rules.switch"}
)
"""Control records are not tested for copies (semantics 1.3)."""


def switch(name: str, time: int, canary: str | None = None, position: str = "") -> Event:
    """A change of the rules, as a record of the log; `canary`: only for these."""
    fields: Json = {"kind": "rules.switch", "t": time, "hash": name}
    if canary is not None:
        fields["canary"] = canary
    return Event("rules.switch", time, "", fields, position=position)
