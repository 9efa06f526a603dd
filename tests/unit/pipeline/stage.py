"""A stage for one subscriber: a few rules, a fold, records at minutes past ten on a Monday morning."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from engine.codec import decode, encode
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from tests.differential.engine_side import ruleset_of

Json = dict[str, Any]

KEY: Final = "0123456789abcdef0123456789abcdef"
OTHER: Final = "fedcba9876543210fedcba9876543210"
"""Subscriber keys."""

TEN: Final = int(datetime(2026, 9, 7, 10, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * 1_000_000
MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

CAFE, CAFE_2, BAR, STREET = "460-00-1-1", "460-00-1-2", "460-00-2-1", "460-00-9-9"
"""Cells: two of the cafe, one of the bar, one of no place."""

PLACES: Final[Json] = {
    "cafe": {"name": "Cafe", "cells": [CAFE, CAFE_2]},
    "bar": {"name": "Bar", "cells": [BAR]},
    "groups": {"out": ["bar", "cafe"]},
}

GIVEN: Final[Json] = {"consent": {"marketing": True, "profiling": True, "location": True}}


def rule(name: str, when: Json, **changes: Any) -> Json:
    """A rule as written; `changes`: whole sections, or single lines of `limits`."""
    found: Json = {
        "rule": name,
        "title": "A rule on stage",
        "owner": "tests",
        "status": "live",
        "approved_by": "somebody-else",
        "valid": "2026-09-01 to 2026-09-30",
        "when": when,
        "who": {},
        "offer": {"product": "x", "send": [{"channel": "sms", "text": "【移动】{product.name}。退订回R"}]},
        "limits": {"priority": "50", "at_most": "99 in 1d", "send_within": "48h", "holdout": "0%"},
        "goal": {"converts_when": {"happens": "product.bought"}, "within": "1d"},
    }
    for line, value in changes.items():
        if line in ("status", "valid", "schedule", "who", "offer", "when"):
            found[line] = value
        elif line == "except_":
            found["except"] = value
        else:
            found["limits"][line] = value
    return found


def rules_of(*rules: Json, places: Json | None = None, **policy: Any) -> RuleSet:
    """Load rules with a policy that refuses nothing unless `policy` says so."""
    house: Json = {"window": "48h", "timezone": "Asia/Shanghai", "contact": {"at_most": "99 in 1d"}, **policy}
    return ruleset_of(
        {
            "rules": deepcopy(list(rules)),
            "policy": house,
            "fields": {
                "tier": {"values": ["gold", "vip"]},
                "age": {"type": "number"},
                "tags": {"type": "set"},
                "products": {"type": "set"},
                "handset.mms": {"type": "yes/no"},
            },
            "places": places or PLACES,
            "numbers": {"hotline": ["10086"]},
            "products": {"x": {"name": "包一", "price": "20 yuan", "reply": "KT1"}},
        }
    )


class Stage:
    """A fold and a subscriber with all consents."""

    def __init__(
        self,
        *rules: Json,
        given: Json | None = None,
        sets: tuple[RuleSet, ...] = (),
        places: Json | None = None,
        **policy: Any,
    ) -> None:
        """`given`: the profile update that comes first; `sets`: rule sets that a switch may name."""
        self.rules = rules_of(*rules, places=places, **policy)
        self.sets = {found.hash: found for found in (self.rules, *sets)}
        self.fold = Fold(self._book(self.rules.hash), b"salt", books=self._book)
        self.intake = Intake(Identity(b"key", "86"))
        self.number = 0
        self.record("profile.update", 0, **(GIVEN if given is None else given))

    def _book(self, name: str) -> Rulebook:
        return Rulebook(self.sets[name], b"key")

    @property
    def sub(self) -> Subscriber:
        """The subscriber's state."""
        return self.fold.subscribers[KEY]

    def record(self, kind: str, at: float, *, key: str = KEY, **fields: Any) -> list[Json]:
        """Fold a record at a minute past ten; return the decisions it led to. `start`: minute it began."""
        self.number += 1
        line: Json = {"kind": kind, "t": when(at), "subscriber_key": key, "source": "feed"}
        line.setdefault("id", f"n{self.number}")
        if "start" in fields:
            line["t_start"] = when(fields.pop("start"))
        line.update(fields)
        (event,) = self.intake.read_log(orjson.dumps(line), "log", f"0:{self.number}")
        return self.apply(event)

    def apply(self, event: Event) -> list[Json]:
        """Fold an event; return the decisions it led to."""
        self.fold.apply(event)
        made, self.fold.decisions = self.fold.decisions, []
        return made

    def tick(self, at: float, *down: str) -> list[Json]:
        """Let time pass up to a minute."""
        return self.apply(Event("tick", when(at), "", {"kind": "tick", "t": when(at), "down": list(down)}))

    def switch(self, rules: RuleSet, at: float = 0) -> list[Json]:
        """Change the rules here."""
        self.sets[rules.hash] = rules
        return self.apply(Event("rules.switch", when(at), "", {"kind": "rules.switch", "hash": rules.hash}))

    def restart(self) -> None:
        """Write all subscribers and read them back, as over the end of a process."""
        subscribers = list(self.fold.subscribers.values())
        self.fold.drop_cache()
        for sub in subscribers:
            self.fold.adopt(decode(sub.key, encode(sub)))

    def see(self, cell: str, at: float, **fields: Any) -> list[Json]:
        """A sighting."""
        return self.record("loc.update", at, cell=cell, **fields)


def when(minute: float) -> int:
    """Minute past ten -> µs."""
    return TEN + round(minute * MINUTE)


def minutes(decisions: list[Json]) -> list[float]:
    """Stamps of decisions as minutes past ten."""
    return [(decision["at"] - TEN) / MINUTE for decision in decisions]


def fates(decisions: list[Json]) -> list[str]:
    """`rule outcome` or `rule reason` of each decision."""
    return [f"{d['rule']} {d['reason'] or d['outcome']}" for d in decisions]
