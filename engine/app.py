"""Builds the real thing: the only place that knows which door stands behind which port."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from connectors.channels.file import FileChannel
from connectors.city import City, CityOptions
from connectors.memory_deliveries import MemoryDeliveries
from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers, MemoryQueue
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from engine.collect import Collector
from engine.dispatch import Dispatcher
from engine.emit import Decision
from engine.errors import RulesError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.lane import Lane
from engine.language.loader import load_dir
from engine.language.model import RuleSet
from engine.number_classes import asked_for
from engine.patience import Patience
from engine.pipeline import Fold
from engine.refusals import Refusal
from engine.rulebook import Rulebook
from engine.settings import Settings

MORNING: Final = datetime(2026, 9, 7, 8, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
"""The city's clock starts here whatever today is: a Monday inside every rule's `valid`."""
DISORDER: Final = 300_000_000
"""What the city's watermark allows for, µs."""
HOURS: Final = 48.0
SLICE: Final = 5_000
"""Records folded between two looks at the clock, at most."""


def load_rules(path: Path, home_cc: str) -> RuleSet:
    """Load a folder of rules; raise `RulesError` with all problems if one of its files has an error."""
    loaded = load_dir(path, home_cc=home_cc)
    if loaded.ruleset is None:
        raise RulesError(loaded.errors)
    return loaded.ruleset


class Embedded:
    """Collector, engine, dispatcher and a simulated city in one process, on memory twins."""

    def __init__(
        self, settings: Settings, rules: RuleSet, *, seed: int, subscribers: int, speed: float, out: Path
    ) -> None:
        self.settings = settings
        self.speed = speed
        """City seconds per second; 0 = as fast as it goes."""
        self.start = int(MORNING.timestamp()) * 1_000_000
        self.city = City(seed, subscribers, rules.catalog, start=self.start, options=CityOptions(lively=True))
        self.first = Rulebook(rules, settings.key_bytes)
        self.books = {self.first.hash: self.first}
        """Sets of rules by hash: the first, and those it was changed to."""
        partitions = settings.partitions
        self.log = MemoryLog(partitions)
        self.store = MemoryStore(partitions)
        self.offers = MemoryOffers(partitions)
        every = settings.refusals_every
        self._keep = (lambda count: count % every == 0) if every > 1 else None
        self.intake = Intake(
            Identity(settings.key_bytes, settings.home_cc),
            on_refused=self._refused,
            edge=asked_for(rules, settings.home_cc),
        )
        self.collector = Collector(self.log, DISORDER)
        self.lanes = [self._lane(partition) for partition in range(partitions)]
        out.mkdir(parents=True, exist_ok=True)
        self.out = out
        self.channel = FileChannel(out / "messages.jsonl")
        channels = dict.fromkeys(("sms", "mms", "manual"), self.channel)
        identity = Identity(settings.key_bytes, settings.home_cc)
        self.dispatcher = Dispatcher(
            MemoryQueue(self.offers, partitions),
            self.store,
            MemoryDeliveries(),
            MemoryOptOuts(),
            channels,
            self.collector.add,
            lambda _: self.book,
            lambda: self.now,
            number_hash=identity.hash_number,
            patience=Patience(batch=1_000, at_a_time=1),
            at_once=True,
        )
        self.changes = 0
        """Times that the rules were changed."""
        self.profiles = 0
        self.read = 0
        """Records offered to intake."""
        self.on_decisions: Callable[[list[Decision]], None] = lambda _: None
        self._decisions = (out / "decisions.jsonl").open("wb")
        self._dead = (out / "deadletters.jsonl").open("wb")

    @property
    def now(self) -> int:
        """The city's clock: the newest record, µs."""
        return max(self.collector.ticks.greatest, self.start)

    @property
    def book(self) -> Rulebook:
        """The rules in force."""
        fold = self.lanes[0].fold
        return self.first if fold is None else fold.base

    async def change(self, rules: RuleSet, by: str) -> None:
        """Change the rules: one switch at a place of every partition, as `rules publish` writes it."""
        self.books[rules.hash] = Rulebook(rules, self.settings.key_bytes)
        self.intake.edge = asked_for(rules, self.settings.home_cc)
        record = orjson.dumps({"kind": "rules.switch", "t": self.now, "hash": rules.hash, "by": by})
        await self.log.append([(lane.partition, record) for lane in self.lanes])
        self.changes += 1

    @property
    def outcomes(self) -> Counter[str]:
        """Records by fate, over all lanes."""
        total: Counter[str] = Counter()
        for lane in self.lanes:
            if lane.fold is not None:
                total.update(lane.fold.outcomes)
        return total

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Decisions by (rule, fate), over all lanes."""
        total: Counter[tuple[str, str]] = Counter()
        for lane in self.lanes:
            if lane.fold is not None:
                total.update(lane.fold.counts)
        return total

    def _lane(self, partition: int) -> Lane:
        lane = Lane(
            partition,
            self.log,
            self.store,
            self.offers,
            Intake(Identity(self.settings.key_bytes, self.settings.home_cc), on_refused=self._refused),
            lambda name: Fold(
                self.books[name or self.first.hash],
                self.settings.salt_bytes,
                books=self.books.__getitem__,
                keep_refusal=self._keep,
            ),
            batch=self.settings.batch_size,
        )
        lane.on_decisions = self._committed
        return lane

    def _committed(self, decisions: list[Decision]) -> None:
        self._decisions.writelines(orjson.dumps(decision) + b"\n" for decision in decisions)
        self.on_decisions(decisions)

    def _refused(self, refusal: Refusal) -> None:
        self._dead.write(orjson.dumps(refusal.as_dict()) + b"\n")

    async def run(self, stop: asyncio.Event, on_slice: Callable[[], None]) -> None:
        """Let the city live until `stop` is set or its hours are over, then drain and close."""
        await self.collector.add(self._profiles())
        self.profiles = self.collector.taken
        records = self.city.events(HOURS)
        began, live = time.monotonic(), True
        while live and not stop.is_set():
            if self.speed:
                target = self.start + int((time.monotonic() - began) * self.speed * 1_000_000)
            else:
                target = 1 << 62
            slice_: list[Event] = []
            for record in records:
                self.read += 1
                event = self.intake.record(record, "city", f"city:{self.read}")
                if event is not None:
                    slice_.append(event)
                if record["t"] >= target or len(slice_) >= SLICE:
                    break
            else:
                live = False
            await self._pass(slice_)
            on_slice()
            ahead = 0.0
            if self.speed:
                ahead = (self.now - self.start) / 1e6 / self.speed - (time.monotonic() - began)
            await asyncio.sleep(min(max(ahead, 0), 0.2))
        await self.collector.close()
        await self._pass([])
        on_slice()

    def _profiles(self) -> Iterator[Event]:
        for number, line in enumerate(self.city.profiles(), 1):
            event = self.intake.profile_line(orjson.dumps(line), "city", f"profiles:{number}")
            if event is not None:
                yield event

    async def _pass(self, events: list[Event]) -> None:
        """Take one slice all the way: log, lanes, channels, receipts."""
        await self.collector.add(events)
        while True:
            for lane in self.lanes:
                await lane.run()
                self.log.trim(lane.partition, lane.offset)
            if not await self.dispatcher.step():
                break

    def close(self) -> None:
        """Close the files."""
        self.channel.close()
        self._decisions.close()
        self._dead.close()
