"""`bench lanes`: records through collector, log, lanes, store and offers, all in memory and one process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from time import perf_counter, process_time

from bench.course import HOME_CC, KEY, SALT
from bench.feeds import Feed
from bench.hour import simulated_hour
from bench.report import Scale, Section, middle, tell
from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_store import MemoryStore
from engine.app import DISORDER
from engine.collect import Collector
from engine.identity import Identity
from engine.intake import Intake
from engine.lane import Lane
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.rulebook import Rulebook
from engine.settings import Settings

STAGES = ("intake", "collector", "lanes")


class Whole:
    """Everything between a feed and the offers, on memory twins."""

    def __init__(self, rules: RuleSet, partitions: int, batch: int) -> None:
        book = Rulebook(rules, KEY)
        self.log, self.store = MemoryLog(partitions), MemoryStore(partitions)
        self.offers = MemoryOffers(partitions)
        self.intake = Intake(Identity(KEY, HOME_CC))
        self.collector = Collector(self.log, DISORDER)
        self.decisions = 0
        self.folded = 0
        self.lanes = [
            Lane(
                partition,
                self.log,
                self.store,
                self.offers,
                Intake(Identity(KEY, HOME_CC)),
                lambda _: Fold(book, SALT),
                batch=batch,
            )
            for partition in range(partitions)
        ]
        for lane in self.lanes:
            lane.on_decisions = self._decided
        self.seconds = dict.fromkeys(STAGES, 0.0)
        """Stage -> CPU seconds."""

    def _decided(self, decisions: list[dict[str, object]]) -> None:
        self.decisions += len(decisions)

    async def profiles(self, lines: Sequence[bytes]) -> None:
        """Load profiles, through the log as all else."""
        events = [self.intake.profile_line(line, "bench", "profiles") for line in lines]
        await self.collector.add([event for event in events if event is not None])
        await self._drain()

    async def batch(self, lines: Sequence[bytes]) -> None:
        """Take some lines all the way."""
        began = process_time()
        events = [event for line in lines for event in self.intake.read(line, "bench", "0:0")]
        read = process_time()
        await self.collector.add(events)
        collected = process_time()
        await self._drain()
        self.seconds["intake"] += read - began
        self.seconds["collector"] += collected - read
        self.seconds["lanes"] += process_time() - collected

    async def _drain(self) -> None:
        for lane in self.lanes:
            self.folded += await lane.run()
            self.log.trim(lane.partition, lane.offset)


def measure(scale: Scale) -> Section:
    """Send the hour through memory twins shaped as the real ones."""
    rules, feed = simulated_hour(scale)
    fields = Settings.model_fields
    partitions, batch = fields["partitions"].default, fields["batch_size"].default
    runs = []
    for number in range(scale.runs):
        tell(f"lanes: run {number + 1} of {scale.runs}")
        runs.append(asyncio.run(_run(Whole(rules, partitions, batch), feed)))
        gc.collect()
    rate, note = middle([records / wall for _, records, wall in runs])
    whole, records, _ = next(run for run in runs if run[1] / run[2] >= rate * 0.999_999)
    title = f"1 h of {feed.subscribers:,} subscribers: {records:,} records, {whole.decisions:,} decisions"
    section = Section("lanes", f"{title}; {partitions} partitions, batches of {batch}, one process")
    section.add("records", rate, "per second (wall)", note)
    section.add("cost", sum(whole.seconds.values()) / records * 1e6, "µs per record")
    for stage in STAGES:
        section.add(f"stage {stage}", whole.seconds[stage] / records * 1e6, "µs per record")
    subscribers, size = whole.store.size()
    section.add("store", size / subscribers, "bytes per subscriber", f"{subscribers:,} subscribers")
    section.remarks.append(
        "A record is read twice: by the collector in intake shape, by its lane from the log; every"
        " partition gets every tick. `lanes`: fetch to publish; all refusals written."
    )
    return section


async def _run(whole: Whole, feed: Feed) -> tuple[Whole, int, float]:
    await whole.profiles(feed.profiles)
    whole.decisions = 0
    records, wall = 0, 0.0
    for lines in feed.batches():
        began = perf_counter()
        await whole.batch(lines)
        wall += perf_counter() - began
        records += len(lines)
    return whole, records, wall
