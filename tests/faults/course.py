"""A day before now, by seed: records of some hundred subscribers, rules, and offers that may be sent now.

Offers are sent only by the wall clock, so the day ends a little before it; the quiet time of the policy lies
where the day has been and the wall clock is not.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from engine.collect import partition_of, spread
from engine.identity import Identity
from engine.intake import Intake
from engine.ticks import TickMaker
from tests.differential.engine_side import texts_of
from tests.servers.deployment import KEY
from tests.unit.pipeline.stage import BAR, CAFE, CAFE_2, HOUR, MINUTE, PLACES, STREET, rule

Json = dict[str, Any]
Pairs = list[tuple[int, bytes]]

LENGTH: Final = 16 * HOUR
QUIET: Final = (10, 8)
"""Hours before now at which quiet time begins and ends."""
DISORDER: Final = 2 * MINUTE
CELLS: Final = (CAFE, CAFE_2, BAR, STREET, STREET)
GIVEN: Final = {"marketing": True, "profiling": True, "location": True}


def rules_at(now: datetime, quiet: tuple[int, int] = QUIET) -> dict[str, str]:
    """Write the rules: one of each kind of memory, caps, a group, a holdout, holds."""
    days = f"{now - timedelta(days=3):%Y-%m-%d} to {now + timedelta(days=3):%Y-%m-%d}"
    begins, ends = (now - timedelta(hours=hours) for hours in quiet)
    made = [
        rule("text", {"happens": "sms.out"}, at_most="3 in 1d"),
        rule("dwell", {"stays_in": "cafe", "for": "30m"}, at_most="2 in 1d", priority="60"),
        rule("enters", {"enters": "bar"}, at_most="5 in 1d", only_one_of="city"),
        rule("leaves", {"leaves": "cafe"}, at_most="5 in 1d", only_one_of="city", holdout="20%"),
        rule("calls", {"count": "call.out", "at_least": "2", "within": "2h"}, at_most="2 in 1d"),
        rule(
            "silent",
            {"after": {"happens": "call.out"}, "no": {"happens": "data.session"}, "for": "45m"},
            at_most="2 in 1d",
            priority="70",
        ),
        rule(
            "then",
            {"sequence": [{"happens": "recharge"}, {"enters": "cafe"}], "within": "6h"},
            at_most="3 in 1d",
            priority="80",
        ),
    ]
    for each in made:
        each["valid"] = days
    policy = {
        "window": "48h",
        "timezone": "UTC",
        "quiet": f"{begins:%H:%M} to {ends:%H:%M}",
        "contact": {"at_most": "6 in 1d"},
        "groups": {"city": {"cooldown": "2h"}},
    }
    return texts_of(
        {
            "rules": made,
            "policy": policy,
            "fields": {"age": {"type": "number"}},
            "places": PLACES,
            "numbers": {"hotline": ["10086"]},
            "products": {"x": {"name": "包一", "price": "20 yuan", "reply": "KT1"}},
        }
    )


class Course:
    """What goes into the log, and the folder of rules."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        partitions: int,
        *,
        subscribers: int = 300,
        quiet: tuple[int, int] = QUIET,
    ) -> None:
        self.rng = random.Random(seed)
        self.partitions = partitions
        now = datetime.now(UTC)  # noqa: TID251 -- the edge: the day must lie before the wall clock
        self.start = int(now.timestamp() * 1e6) - LENGTH - 10 * MINUTE
        self.rules = folder / "rules"
        for name, text in rules_at(now, quiet).items():
            path = self.rules / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.imsis = [f"46000{self.rng.randrange(10**10):010d}" for _ in range(subscribers)]
        self.numbers = [f"+8613{self.rng.randrange(10**9):09d}" for _ in range(subscribers)]
        intake = Intake(Identity(KEY.encode()))
        self.profiles: Pairs = []
        for imsi, number in zip(self.imsis, self.numbers, strict=True):
            consent = {**GIVEN, "marketing": self.rng.random() > 0.05}
            line = {"subscriber": imsi, "msisdn": number, "age": 30, "consent": consent}
            event = intake.profile_line(orjson.dumps(line), "course", "profiles")
            assert event is not None
            self.profiles += spread(event, partitions)
        self.records: Pairs = []
        self.events = 0
        ticks = TickMaker(DISORDER)
        for record in self._disordered(self._day()):
            [event] = intake.read(orjson.dumps(record), "course", "0:0")
            self.events += 1
            self.records += spread(event, partitions)
            follows = ticks.after(event)
            if follows is not None:
                self.records += spread(follows, partitions)
        self.newest = ticks.greatest

    def _day(self) -> list[Json]:
        rng, records = self.rng, list[Json]()
        for imsi in self.imsis:
            at = self.start + rng.randrange(2 * HOUR)
            while at < self.start + LENGTH:
                record: Json = {"imsi": imsi, "t": at, "id": f"r{len(records)}", "source": "course"}
                kind = rng.choice(("loc.update",) * 6 + ("sms.out", "call.out", "data.session", "recharge"))
                record["kind"] = kind
                if kind == "loc.update":
                    record["cell"] = rng.choice(CELLS)
                elif kind in ("sms.out", "call.out"):
                    record["number"] = "10086"
                elif kind == "recharge":
                    record["amount"] = 50
                records.append(record)
                at += rng.randrange(1, 30) * MINUTE + rng.randrange(60) * 1_000_000
        return sorted(records, key=lambda record: record["t"])

    def _disordered(self, records: list[Json]) -> list[Json]:
        """Repeat 5 % and move 5 % of the records back, by up to two minutes of others."""
        rng, found = self.rng, list[Json]()
        for record in records:
            found.append(record)
            if rng.random() < 0.05:
                found.append(dict(record))
            if rng.random() < 0.05 and len(found) > 5:
                found.insert(len(found) - rng.randrange(2, 5), found.pop())
        return found

    def key_of(self, number: int) -> tuple[str, int]:
        """Return key and partition of a subscriber."""
        key = Identity(KEY.encode()).of_imsi(self.imsis[number])
        assert key is not None
        return key, partition_of(key, self.partitions)
