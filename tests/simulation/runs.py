"""Runs of a course through lanes over the memory twins, until every partition is at its end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import orjson

from connectors.memory_log import MemoryLog
from engine.collect import in_messages
from engine.errors import StoreError
from engine.lane import Lane
from engine.ports import Offers
from engine.replay import order_of
from tests.simulation.course import Course, plain
from tests.simulation.faults import Crash, FaultyOffers, FaultyStore, Script

Json = dict[str, Any]

LOSSES = 4
"""A partition's store is lost at most so often: else a run would never end."""


class Run:
    """One run: the twins, the lanes' settings, and what came of it."""

    def __init__(
        self,
        course: Course,
        *,
        partitions: int = 1,
        batch: int = 500,
        cache: int = 200_000,
        script: Script | None = None,
        owners: int = 1,
        commit_after: float = 0,
        losses: float = 0,
        rewinds: float = 0,
        mark_every: float = 2,
        at_once: int = 1,
    ) -> None:
        """`owners`: lanes per partition that all believe it is theirs: all but one are zombies. `losses`: the
        chance that before a step the store of the partition is lost, with everything in it; `rewinds`: that
        it is what it was some steps ago. `at_once`: records in a message of the log."""
        self.course = course
        self.batch = batch
        self.cache = cache
        self.script = script or Script()
        self.owners = owners
        self.commit_after = commit_after
        self.losses = losses
        self.rewinds = rewinds
        self.mark_every = mark_every
        self.at_once = at_once
        self.lost = 0
        """Times that a partition with state was lost."""
        self.rewound = 0
        """Times that a partition with state went back."""
        self.log = MemoryLog(partitions)
        self.store = FaultyStore(partitions, self.script)
        self.offers = FaultyOffers(partitions, self.script)
        self.restarts = 0
        self.decisions: list[Json] = []
        """Published, repeats by (id, at) dropped, sorted."""
        self.repeats = 0
        self.outcomes: Counter[str] = Counter()
        self.counts: Counter[tuple[str, str]] = Counter()

    def go(self) -> Run:
        """Run to the end."""
        asyncio.run(self._go())
        return self

    async def _go(self) -> None:
        partitions = self.log.partitions
        records: list[tuple[int, bytes]] = []
        for key, value in self.course.shared():
            targets = range(partitions) if not key else (int(key[:8], 16) % partitions,)
            records += [(target, value) for target in targets]
        await self.log.append(in_messages(records, self.at_once))
        owners = [self._own(partition) for partition in range(partitions) for _ in range(self.owners)]
        await asyncio.gather(*owners)
        for partition in range(partitions):
            await self._collect(partition)
        self.decisions.sort(key=order_of)

    def lane(self, partition: int) -> Lane:
        """Make a lane as a fresh process would."""
        return Lane(
            partition,
            self.log,
            self.store,
            self.offers,
            self.course.intake(),
            self.course.make_fold,
            batch=self.batch,
            cache=self.cache,
            commit_after=self.commit_after,
            mark_every=self.mark_every,
            point=self.script.point,
        )

    async def _own(self, partition: int) -> None:
        lane = self.lane(partition)
        end = self.log.end(partition)
        rng = random.Random(partition)
        losses = 0
        copies = [self.store.copy(partition)]
        while True:
            if losses < LOSSES and rng.random() < self.rewinds:
                losses += 1
                before = (await self.store.open(partition)).token
                self.store.restore(partition, rng.choice(copies))
                self.rewound += (await self.store.open(partition)).token not in ("", before)
            elif self.rewinds:
                copies.append(self.store.copy(partition))
            if losses < LOSSES and rng.random() < self.losses:
                losses += 1
                self.lost += bool((await self.store.open(partition)).token)
                self.store.lose(partition)
            try:
                await lane.step()
                if lane.fold is not None and lane.offset == end and not lane.sweeping:
                    return
            except StoreError:
                # the reply was lost: a lane that is stepped again has forgotten what it held
                self.restarts += 1
            except Crash:
                self.restarts += 1
                lane = self.lane(partition)

    async def _collect(self, partition: int) -> None:
        lane = self.lane(partition)
        # the faults are over
        lane.point = Script().point
        self.store.script = self.offers.script = Script()
        await lane.step()
        assert lane.fold is not None
        self.outcomes += lane.fold.outcomes
        self.counts += lane.fold.counts
        known: set[tuple[str, int]] = set()
        for decision in await lines_of(self.offers, partition):
            name = (decision["id"], decision["at"])
            if name in known:
                self.repeats += 1
                continue
            known.add(name)
            self.decisions.append(plain(decision))


async def lines_of(offers: Offers, partition: int) -> list[Json]:
    """Read the decision lines that were published for a partition, packs opened, releases left out."""
    found: list[Json] = []
    async for batch in offers.lines(partition):
        for _, payload in batch:
            read = orjson.loads(payload)
            found += read if isinstance(read, list) else [read]
    return [line for line in found if "id" in line]


def check(run: Run) -> None:
    """Hold a run against the replay of its course: the same decisions, and totals that balance."""
    course, partitions = run.course, run.log.partitions
    assert run.decisions == course.decisions
    assert run.counts == course.counts
    # what has no subscriber goes to every partition; a replay does not count its own ticks and profiles
    expected = Counter(course.outcomes)
    own = sum(1 for event in course.records if not event.key)
    expected["applied"] += len(course.profiles) + course.derived * partitions + own * (partitions - 1)
    expected["ticks"] = (course.outcomes["ticks"] + course.derived) * partitions
    assert run.outcomes == expected
