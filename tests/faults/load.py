"""A seeded load of the crash matrix: rules, people and half a day of records, as the log takes them.

Everything that a crash may spoil is in it: dwells and waits for absence (timers), counts over an hour, offers
held over quiet time, caps, groups, holdouts, opt-outs, and a rule whose offers are too old to be sent.

Times end at `now`: an offer older than 48 hours is not sent any more, so records of another year would show
nothing. Quiet time lies in the middle of the records and is over at `now`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.collect import partition_of
from engine.language.model import RuleSet
from tests.differential.engine_side import Prepared, ruleset_of, texts_of
from tests.servers.deployment import KEY, SALT
from tests.simulation.course import Course

Json = dict[str, Any]
SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
SPAN = 6 * HOUR
"""From the first record to `now`."""
QUIET = (5 * HOUR // 2, HOUR)
"""Quiet time: from and until how long before `now`, to the minute."""
PLACES = {
    "mall": ("460-00-1-11", "460-00-1-12"),
    "campus": ("460-00-1-21",),
    "station": ("460-00-1-31",),
    "elsewhere": ("460-00-1-91", "460-00-1-92"),
}
PRODUCTS = {
    "trial": {"name": "体验包", "price": "0 yuan", "reply": "KTTY"},
    "topup": {"name": "Top-up 1 GB", "price": "10 yuan", "reply": "KT1G"},
}
EVERYBODY = {"marketing": True, "profiling": True, "location": True}


@dataclass(frozen=True)
class Options:
    """What a load is made of; shares from 0 to 1."""

    subscribers: int = 500
    deeds: int = 5
    """Stretches of behaviour of each subscriber."""
    duplicates: float = 0
    reordered: float = 0
    optouts: float = 0.03
    skewed: float = 0
    """Records whose time is 30 days ahead or 3 days back."""
    partitions: int = 3


class Load:
    """One load: the case in the format of the reference model, and the log that it makes."""

    AFTER = 0
    """How long after `now` records end, µs."""

    def __init__(
        self, seed: int, now: int, options: Options | None = None, *, to_the_minute: bool = True
    ) -> None:
        """`now`: µs UTC, when the records end."""
        self.options = options or Options()
        self.seed = seed
        self.now = now - now % MINUTE if to_the_minute else now
        self._random = random.Random(seed)
        self._number = 0
        records = self._records()
        self.case: Json = {
            "rules": rules_of(self.now),
            "policy": self._policy(),
            "fields": {"brand": {"values": ["GoTone", "M-Zone"]}, "arpu": {"type": "money"}},
            "places": {name: {"name": name, "cells": list(cells)} for name, cells in PLACES.items()},
            "numbers": {"hotline": ["10086"], "rivals": ["10010"]},
            "products": PRODUCTS,
            "profiles": [self._profile(number) for number in range(self.options.subscribers)],
            "records": records,
            "key": KEY,
            "salt": SALT,
            "disorder": 2 * MINUTE if self.options.reordered else 0,
            "until": None,
            "revealed": False,
        }
        self.rules: RuleSet = ruleset_of(self.case)
        self.course = Course(self.case)
        self.log = [
            (target, value)
            for key, value in self.course.shared()
            for target in ((partition_of(key, self.partitions),) if key else range(self.partitions))
        ]
        """(partition, value), in the order in which a collector appends it."""

    @property
    def partitions(self) -> int:
        """Of the log."""
        return self.options.partitions

    @property
    def texts(self) -> dict[str, str]:
        """The rules as files: relative path -> text."""
        return texts_of(self.case)

    def prepared(self) -> Prepared:
        """Take the case in anew."""
        return Prepared(self.case, self.rules)

    # -- people and records ----------------------------------------------------------------------------------

    def _policy(self) -> Json:
        quiet = [_clock(self.now - back) for back in QUIET]
        return policy_of(f"{quiet[0]} to {quiet[1]}")

    def _profile(self, number: int) -> Json:
        rng = random.Random(f"{self.seed}.{number}")
        consent = dict(EVERYBODY)
        if rng.random() < 0.03:
            consent["marketing"] = False
        brand = rng.choice(("GoTone", "M-Zone"))
        arpu = rng.choice((20, 58, 120))
        who = msisdn(number)
        return {"subscriber": who, "msisdn": who, "brand": brand, "arpu": arpu, "consent": consent}

    def _records(self) -> list[Json]:
        rng, options = self._random, self.options
        found = [record for number in range(options.subscribers) for record in self._behaviour(number)]
        found = [record for record in found if record["t"] < self.now + self.AFTER]
        found.sort(key=lambda record: record["t"])
        for place, record in enumerate(found):
            if rng.random() < options.skewed:
                record["t"] = record["t"] + rng.choice((1, -1)) * (30 if place % 2 else 3) * 24 * HOUR
        if options.reordered:
            keys = [
                (record["t"] + (rng.randrange(2 * MINUTE) if rng.random() < options.reordered else 0), place)
                for place, record in enumerate(found)
            ]
            found = [found[place] for _, place in sorted(keys)]
        # a copy comes up to 200 records later
        order = [(float(place), record) for place, record in enumerate(found)]
        order += [
            (place + rng.uniform(0, 200), record)
            for place, record in enumerate(found)
            if rng.random() < options.duplicates
        ]
        return [record for _, record in sorted(order, key=lambda pair: pair[0])]

    def _behaviour(self, number: int) -> list[Json]:
        """All that one subscriber does."""
        rng, options = self._random, self.options
        found: list[Json] = []
        for slot in sorted(rng.randrange(SPAN - HOUR) for _ in range(options.deeds)):
            found += self._deed(number, self.now - SPAN + slot)
        if rng.random() < options.optouts:
            at = self.now - SPAN + rng.randrange(SPAN)
            found.append(self._record(number, "sms.reply", at, number="10086", text="R"))
        return found

    def _deed(self, number: int, start: int) -> list[Json]:
        """One stretch of behaviour, from `start` on."""
        rng = self._random
        what = rng.choice(("mall", "campus", "campus online", "station", "calls", "recharge", "elsewhere"))
        if what == "calls":
            times = [start + rng.randrange(50 * MINUTE) for _ in range(rng.randrange(2, 6))]
            return [self._record(number, "call.out", time, duration=60) for time in times]
        if what == "recharge":
            return [self._record(number, "recharge", start, amount=50)]
        place = what.split()[0]
        cells = PLACES[place]
        stays = rng.choice((0, 10, 19, 25, 40)) * MINUTE
        found = [
            self._record(number, "loc.update", start + back, cell=rng.choice(cells))
            for back in range(0, stays + 1, 8 * MINUTE)
        ]
        if what == "campus online":
            at = start + rng.randrange(35 * MINUTE)
            found.append(self._record(number, "data.session", at, cell=cells[0], up=1000, down=100_000))
        away = rng.choice(PLACES["elsewhere"])
        found.append(self._record(number, "loc.update", start + stays + 9 * MINUTE, cell=away))
        return found

    def _record(self, who: int, kind: str, at: int, **fields: Any) -> Json:
        self._number += 1
        # no two at the same microsecond: their order would be that of the file
        at += self._number % 1000
        return {"kind": kind, "t": at, "id": f"r{self._number}", "msisdn": msisdn(who), **fields}


def msisdn(number: int) -> str:
    """Return a number that no person has: 199 9 is not given out."""
    return f"+861999{number:07d}"


def policy_of(quiet: str) -> Json:
    """Return the house rules of the load."""
    return {
        "window": "48h",
        "timezone": "UTC",
        "quiet": quiet,
        "patience": "5m",
        "presence": {"lapse": "58m", "bridge": "4h"},
        "holdout": "2%",
        "contact": {"at_most": "4 in 1d"},
        "groups": {"places": {"cooldown": "90m"}},
    }


def rules_of(now: int) -> list[Json]:
    """Return the rules: each way in which a decision can wait, and one whose offers come too late."""
    dwell = {"stays_in": "mall", "for": "20m"}
    absent = {"after": {"enters": "campus"}, "no": {"happens": "data.session"}, "for": "30m"}
    calls = {"count": "call.out", "at_least": "3", "within": "1h"}
    return [
        _rule(now, "dwell", dwell, at_most="2 in 1d", only_one_of="places", priority="60"),
        _rule(now, "absent", absent, at_most="1 in 2h", holdout="10%"),
        _rule(now, "enter", {"enters": "station"}, at_most="3 in 1d", only_one_of="places"),
        _rule(now, "calls", calls, at_most="2 in 1d", holdout="5%"),
        _rule(now, "late", {"happens": "recharge"}, at_most="4 in 1d", send_within="10m"),
    ]


def _rule(now: int, name: str, when: Json, **limits: str) -> Json:
    days = [_day(now - 40 * 24 * HOUR), _day(now + 40 * 24 * HOUR)]
    return {
        "rule": name,
        "title": "A rule of the crash matrix",
        "owner": "tests",
        "status": "live",
        "approved_by": "somebody-else",
        "valid": " to ".join(days),
        "when": when,
        "who": {"brand": ["GoTone", "M-Zone"]},
        "offer": {
            "product": "trial",
            "send": [{"channel": "sms", "text": "【移动】{product.name}。退订回R"}],
        },
        "limits": {"priority": "50", "send_within": "24h", "holdout": "0%", **limits},
        "goal": {"converts_when": {"happens": "product.bought"}, "within": "1d"},
    }


def _clock(t: int) -> str:
    return f"{_moment(t):%H:%M}"


def _day(t: int) -> str:
    return f"{_moment(t):%Y-%m-%d}"


def _moment(t: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=t)
