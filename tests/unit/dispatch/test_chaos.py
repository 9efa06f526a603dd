"""Random crashes, receipts, opt-outs, doors that fail, ledgers that forget: what must hold whatever happens.

At most one submit per decision; every offer ends within 48 hours; the books balance at any moment; nothing is
sent after an opt-out was added, nothing in quiet time, and no message stays valid into it.
"""

from __future__ import annotations

import os
import tempfile
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels.lab import Faults
from connectors.memory_deliveries import MemoryDeliveries
from engine.last_gates import ENDS
from tests.unit.dispatch.desk import (
    HOUR,
    MINUTE,
    SECOND,
    CrashError,
    Desk,
    at,
    number_hash,
)

ZONES: Final = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC")
STARTS: Final = (
    ("2026-10-24 20:59:59", "Europe/Berlin"),
    ("2026-10-31 20:59:58", "America/New_York"),
    ("2026-10-03 20:30:00", "Australia/Lord_Howe"),
    ("2026-09-07 08:59:59", "Asia/Shanghai"),
    ("2026-09-07 20:59:59", "Asia/Shanghai"),
)
POINTS: Final = ("claim", "ahead", "gates", "report", "settle", "keep")
EXAMPLES: Final = int(os.environ.get("TOUCHPOINT_EXAMPLES", "40"))
PEOPLE: Final = tuple(f"{number:02x}" * 16 for number in range(1, 9))
FAULTS: Final = Faults(
    throttled=0.1,
    lost=0.15,
    rejected=0.1,
    failed=0.1,
    silent=0.2,
    early=0.3,
    twice=0.2,
    late=0.2,
    late_by=3_000,
    receipt_after=30,
)


def number_of(key: str) -> str:
    return f"+86139{int(key[:2], 16):08d}"


def is_quiet(moment: int, zone: str) -> bool:
    """Say it by the wall clock, another way than the engine does."""
    return not 9 <= datetime.fromtimestamp(moment / 1e6, UTC).astimezone(ZoneInfo(zone)).hour < 21


class Chaos:
    """One random run. Everything is drawn from one generator: a seed is a run."""

    def __init__(self, folder: Path, seed: int, start: tuple[str, str]) -> None:
        self.random = Random(seed)
        self.desk = Desk(folder, faults=FAULTS, seed=seed)
        self.desk.now = at(*start)
        self.zones: dict[str, str] = {}
        self.offers: dict[str, int] = {}
        """Decision -> when it was published."""
        self.silenced: dict[str, int] = {}
        """Number -> how many submits there were when its opt-out had been added."""
        self.calm = False
        self.only_when_dead = self.random.random() < 0.5
        """Whether the ledger forgets only what a process wrote that is gone."""
        self.copy = MemoryDeliveries()
        """The ledger as it was some while ago: what comes back if its last writes are lost."""
        for door in (self.desk.store, self.desk.deliveries, self.desk.optouts, self.desk.appending):
            door.fails = self.fails
        self.at_a_time = self.random.choice((1, 8))
        self.begin()

    def begin(self) -> None:
        self.desk.begin(self.point, at_a_time=self.at_a_time)

    def fails(self, name: str) -> str:
        if name in ("claim", "remember", "settle", "release") and self.random.random() < 0.2:
            self.copy = deepcopy(self.desk.memory_deliveries)
        return "" if self.calm else self.random.choices(("", "before", "after"), (94, 3, 3))[0]

    async def point(self, name: str) -> None:
        """Let anything happen between two steps."""
        if self.calm:
            return
        what = self.random.random()
        if what < 0.05:
            if self.random.random() < 0.3:
                self.desk.lose_the_ledger(self.copy)
            raise CrashError(name)
        if what > 0.98 and not self.only_when_dead:
            self.desk.lose_the_ledger(self.copy)
        if what < 0.12:
            await self.opt_out()
        if what > 0.9:
            self.desk.now += self.random.choice((1, SECOND, MINUTE, 12 * MINUTE))

    async def opt_out(self) -> None:
        number = number_of(self.random.choice(PEOPLE))
        await self.desk.memory_optouts.add({number_hash(number): self.desk.now})
        self.silenced.setdefault(number, len(self.desk.submits()))

    async def run(self) -> None:
        draw = self.random
        for place, key in enumerate(PEOPLE):
            self.zones[key] = draw.choice(ZONES)
            await self.desk.person(
                key,
                partition=place % 2,
                timezone=self.zones[key],
                bound=number_of(key),
                consent={
                    "marketing": draw.random() < 0.9,
                    "profiling": True,
                    "location": draw.random() < 0.5,
                },
            )
        for number in range(draw.randrange(5, 40)):
            await self.publish(number)
            if draw.random() < 0.5:
                await self.work(1)
            if draw.random() < 0.2:
                self.desk.now += draw.choice((SECOND, MINUTE, HOUR, 5 * HOUR))
        await self.drain()

    async def publish(self, number: int) -> None:
        place = self.random.randrange(len(PEOPLE))
        stamp, rule = self.desk.now, self.random.choice(("text", "visit", "soon"))
        for _ in range(self.random.choice((1, 1, 2))):
            id = await self.desk.offer(
                number, partition=place % 2, subscriber_key=PEOPLE[place], at=stamp, rule=rule
            )
            self.offers[id] = stamp

    async def work(self, passes: int) -> None:
        """Make some passes; where the process dies the next one goes on."""
        for _ in range(passes):
            life = self.desk.life
            try:
                await life.step()
            except* CrashError:
                self.begin()
            assert life.taken == sum(life.statuses.values()) + len(life.open)

    async def drain(self) -> None:
        """Let two days pass; in the second half nothing fails any more."""
        for step in range(48 * 6):
            self.calm = step > 6
            self.desk.now += 10 * MINUTE
            await self.work(3)


async def check(chaos: Chaos) -> None:
    desk = chaos.desk
    submits = desk.submits()
    decisions = [submit["decision"] for submit in submits]
    assert sorted(set(decisions)) == sorted(decisions)
    keys = {number_of(key): key for key in PEOPLE}
    for place, submit in enumerate(submits):
        assert place < chaos.silenced.get(submit["to"], len(submits))
        zone = chaos.zones[keys[submit["to"]]]
        assert submit["at"] < submit["valid_until_us"] <= chaos.offers[submit["decision"]] + 48 * HOUR
        moments = [*range(submit["at"], submit["valid_until_us"], 15 * MINUTE), submit["valid_until_us"] - 1]
        assert not any(is_quiet(moment, zone) for moment in moments)
    assert await desk.memory_deliveries.open() == 0
    ends: dict[str, int] = {}
    for event in desk.log:
        if event.fields["status"] in ENDS:
            ends.setdefault(event.fields["decision"], event.t)
    # a process that saw its ledger forget ends by itself what it had sent, and may die before it has
    missing = set() if chaos.only_when_dead else set(decisions)
    assert set(chaos.offers) - missing <= set(ends) <= set(chaos.offers)
    late = {id: (end - chaos.offers[id]) / HOUR for id, end in ends.items()}
    assert max(late.values(), default=0) <= 48.5  # half an hour: the steps in which this test lets time pass
    assert not desk.life.open


@pytest.mark.parametrize("start", STARTS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES)
async def test_whatever_happens_nothing_is_sent_twice_and_everything_ends(
    start: tuple[str, str], seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(Path(folder), seed, start)
        try:
            await chaos.run()
            await check(chaos)
        finally:
            chaos.desk.channel.close()
