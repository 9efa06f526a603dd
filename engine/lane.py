"""A lane: one partition, read in batches, folded, committed in one fenced step, then published.

The order of a step (design/protocol.md), each a named point at which a crash loses nothing:

    1 assign    token, offset and outbox from the store; republish what may not have been published
    2 fetch     records from the offset on
    3 read      states not in the cache; due wake-ups
    4 decide    fold (engine.pipeline): pure
    5 commit    state, wake-ups, outbox, offset and a new random token, if the old token still stands
    6 publish   decisions
    7 prune     published entries leave the outbox with the next commit

A refused commit, a lost reply, any error: throw the cache away, assign again, go on from the last commit.
Replaying a batch gives the same decisions with the same (id, at), which consumers drop.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from engine.codec import decode, encode
from engine.emit import Decision
from engine.errors import FencedError
from engine.event import Event
from engine.feeds import Feeds
from engine.intake import Intake
from engine.pipeline import Fold
from engine.ports import Commit, Control, Log, Offers, Store
from engine.snapshot import Subscriber

IDLE = 0.05
"""Seconds between two looks at a log that had nothing new."""

Point = Callable[[str], Awaitable[None]]
"""Called with a step's name before the step: tests crash a lane there."""


async def _go_on(_: str) -> None:
    """Do nothing at a point."""


class Lane:
    """Owns one partition. `make_fold` gives a fresh `Fold` for the hash of a rule set, None = the first."""

    def __init__(
        self,
        partition: int,
        log: Log,
        store: Store,
        offers: Offers,
        intake: Intake,
        make_fold: Callable[[str | None], Fold],
        *,
        batch: int = 500,
        cache: int = 200_000,
        point: Point = _go_on,
    ) -> None:
        self.partition = partition
        self.log = log
        self.store = store
        self.offers = offers
        self.intake = intake
        self.make_fold = make_fold
        self.batch = batch
        self.cache = cache
        self.point = point
        self.fold: Fold | None = None
        self.token = ""
        self.offset = 0
        self.published: list[str] = []
        self.on_decisions: Callable[[list[Decision]], None] | None = None
        """Told of decisions once they are committed: the live display, counters."""

    async def run(self, *, until_idle: bool = True) -> int:
        """Fold batches until the log has no more; return the number of records."""
        total = 0
        while True:
            count = await self.step()
            total += count
            if count or self.fold is None:
                continue
            if until_idle:
                return total
            await asyncio.sleep(IDLE)

    async def step(self) -> int:
        """Fold one batch; return its size. A refused commit rewinds and counts as none.

        Whatever is raised, a lost reply or a bug: the lane has forgotten all it held and may be stepped on.
        """
        try:
            return await self._step()
        except FencedError:
            self.forget()
            return 0
        except BaseException:
            self.forget()
            raise

    async def _step(self) -> int:
        if self.fold is None:
            await self._assign()
        await self.point("fetch")
        records = await self.log.fetch(self.partition, self.offset, self.batch)
        if not records:
            return 0
        events: list[Event] = []
        for record in records:
            events += self.intake.read_log(record.value, "log", f"{self.partition}:{record.offset}")
        await self.point("read")
        await self._load(events)
        await self._commit(records[-1].offset + 1, self._decide(events))
        return len(records)

    def forget(self) -> None:
        """Throw away everything held in memory: the store is the truth."""
        self.fold = None
        self.published = []

    # -- the steps -------------------------------------------------------------------------------------------

    async def _assign(self) -> None:
        await self.point("assign")
        control: Control = await self.store.open(self.partition)
        lane: dict[str, Any] = orjson.loads(control.lane) if control.lane else {}
        fold = self.make_fold(lane.get("rules"))
        if lane:
            fold.feeds = Feeds.unpack(lane["feeds"])
            fold.switched_at = lane["switched_at"]
            fold.newest = lane["newest"]
            fold.outcomes = Counter(lane["outcomes"])
            fold.counts = Counter({(rule, fate): n for rule, fate, n in lane["counts"]})
            fold.warming = lane["warming"]
            fold.kept_since = lane["kept_since"]
        self.token, self.offset = control.token, control.offset
        self.published = []
        if control.outbox:
            known = await self.offers.names(self.partition)
            missing = [(name, payload) for name, payload in control.outbox.items() if name not in known]
            await self.point("republish")
            await self.offers.publish(self.partition, missing)
            self.published = list(control.outbox)
        self.fold = fold

    async def _load(self, events: list[Event]) -> None:
        """Read the states this batch needs: of its records, and of whoever wakes within it."""
        fold = self.fold
        assert fold is not None
        if len(fold.subscribers) > self.cache:
            fold.drop_cache()
        held = fold.subscribers
        needed = {event.key for event in events if event.key and event.key not in held}
        last = max((event.t for event in events if event.kind == "tick"), default=0)
        waking = set(await self.store.due(self.partition, last)) if last else set()
        needed |= {key for key in waking if key not in held}
        if any(event.kind == "rules.switch" for event in events):
            needed.update(k for k in await self.store.keys(self.partition) if k not in held)
        wanted = sorted(needed)
        for key, blob in zip(wanted, await self.store.read(self.partition, wanted), strict=True):
            if blob is None:
                continue
            sub = decode(key, blob)
            fold.adopt(sub)
            if key in waking and not 0 < sub.wake < last:
                # its timer was taken back since the wake-up was set: let the commit correct it
                fold.touched[key] = sub

    def _decide(self, events: list[Event]) -> list[Decision]:
        fold = self.fold
        assert fold is not None
        for event in events:
            fold.apply(event)
        decisions, fold.decisions = fold.decisions, []
        return decisions

    async def _commit(self, offset: int, decisions: list[Decision]) -> None:
        fold = self.fold
        assert fold is not None
        touched: dict[str, Subscriber] = fold.touched
        fold.touched = {}
        out = {name_of(decision): orjson.dumps(decision) for decision in decisions}
        commit = Commit(
            token=self.token,
            next_token=secrets.token_hex(8),
            offset=offset,
            lane=pack_lane(fold),
            states={key: encode(sub) for key, sub in touched.items()},
            wakes={key: sub.wake for key, sub in touched.items()},
            out=out,
            published=self.published,
        )
        await self.point("commit")
        await self.store.commit(self.partition, commit)
        self.token, self.offset, self.published = commit.next_token, offset, []
        if decisions and self.on_decisions is not None:
            self.on_decisions(decisions)
        await self.point("publish")
        if out:
            await self.offers.publish(self.partition, list(out.items()))
        await self.point("prune")
        self.published = list(out)


def name_of(decision: Decision) -> str:
    """Name a decision line: consumers drop repeats by (id, at)."""
    return f"{decision['id']}@{decision['at']}"


def pack_lane(fold: Fold) -> bytes:
    """Write what belongs to the lane and to no subscriber."""
    return orjson.dumps(
        {
            "rules": fold.book.hash,
            "feeds": fold.feeds.pack(),
            "switched_at": fold.switched_at,
            "newest": fold.newest,
            "outcomes": fold.outcomes,
            "counts": [(*key, count) for key, count in fold.counts.items()],
            "warming": fold.warming,
            "kept_since": fold.kept_since,
        }
    )
