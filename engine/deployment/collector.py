"""The collector role: the feeds of the feeds file and of the settings, into the log."""

from __future__ import annotations

import asyncio
from collections import Counter

from connectors.foreign_topic import ForeignTopic
from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_inlet import KafkaInlet
from connectors.landing import Landing
from connectors.memory_file import MemoryFile
from connectors.push.door import PushDoor
from engine.admission import AHEAD_AT_MOST
from engine.collector import LiveCollector, Pace
from engine.deployment.common import Common, OnDead, now_us, watched
from engine.deployment.feeds.use import identity_of, lives_of_settings
from engine.errors import SettingsError
from engine.treatments.memory import Memories
from engine.treatments.registry import Around

SOURCE = "collector"
"""Its name in the checkpoints: one collector of a prefix at a time; a second one takes over."""
DAMAGED = "damaged."
"""Of the fates: what a map's `watch` tells of rows, whatever became of them."""
STANDS = "expected records, but every feed is silent: time stands, nothing that waits for it happens"


class CollectorRole:
    """Reads sources, writes records and ticks."""

    name = "collector"

    def __init__(self, common: Common) -> None:
        settings = common.settings
        identity = identity_of(settings)
        self._file = None
        if settings.feeds_memory is not None:
            self._file = MemoryFile(settings.feeds_memory, identity.hash_number(SOURCE))
        memories = Memories(self._file)
        around = Around(identity, memories=memories, latest=lambda: now_us() + AHEAD_AT_MOST)
        sources = lives_of_settings(settings, around)
        if not sources:
            raise SettingsError(
                [
                    "TOUCHPOINT_FEEDS, TOUCHPOINT_LANDING or TOUCHPOINT_FOREIGN_TOPIC: "
                    "expected something to collect, was none of them"
                ]
            )
        self.common = common
        self.inlet = KafkaInlet(
            common.options, common.prefix, SOURCE, settings.partitions, settings.message_records
        )
        self.collector = LiveCollector(
            self.inlet,
            sources,
            identity,
            wall=now_us,
            bindings=KafkaBindings(common.options, common.prefix),
            shared=memories if memories else None,
            pace=Pace(seconds=settings.checkpoint_ms / 1_000),
        )
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._told: Counter[str] = Counter()
        self._told_refused: Counter[str] = Counter()
        self._told_feeds: dict[str, dict[str, Counter[str]]] = {}
        """Feed -> what is counted of it (`fates`, `damaged`, `files`, `treated`) -> as it was told last."""

    async def start(self, on_dead: OnDead) -> None:
        """Collect from where the last checkpoint stands."""
        await self.common.ensure_topics()
        self._task = watched(self.name, self.collector.run(self._stop), on_dead)

    async def look(self) -> None:
        """Count what was done."""
        collector, metrics = self.collector, self.common.metrics
        counts, refused = collector.counts.copy(), collector.refused.copy()
        new, new_refused = counts - self._told, refused - self._told_refused
        self._told, self._told_refused = counts, refused
        for name in collector.sources:
            self._look_at(name)
        metrics.log_appends(self.common.topic("events"), new["read"] + new["ticks"])
        metrics.dead_letters(new_refused)

    def _look_at(self, name: str) -> None:
        """Count what was done with one feed, and say where it stands."""
        collector, metrics = self.collector, self.common.metrics
        live = collector.sources[name]
        fates = collector.fates[name].copy()
        fates["applied"] = fates.pop("read", 0)
        damaged = Counter({fate: fates.pop(fate) for fate in [*fates] if fate.startswith(DAMAGED)})
        files = live.source.counts.copy() if isinstance(live.source, Landing) else Counter[str]()
        counts = {
            "fates": fates,
            "damaged": damaged,
            "files": files,
            "treated": collector.treated[name].copy(),
        }
        if isinstance(live.source, PushDoor):
            counts["pushed"] = live.source.counts.copy()
        told = self._told_feeds.get(name, {})
        new = {what: count - told.get(what, Counter()) for what, count in counts.items()}
        if not told and isinstance(live.source, Landing):
            for fate in ("done", "bad", "again", "gap"):  # from 0 on: an alert looks at how much they rise
                new["files"].setdefault(fate, 0)
        self._told_feeds[name] = counts
        metrics.collector_rows({(name, fate): n for fate, n in new["fates"].items()})
        metrics.collector_damaged(
            {(name, fate.removeprefix(DAMAGED)): n for fate, n in new["damaged"].items()}
        )
        metrics.collector_files({(name, fate): n for fate, n in new["files"].items()})
        metrics.collector_treated({(name, deed): n for deed, n in new["treated"].items()})
        if isinstance(live.source, PushDoor):
            metrics.collector_pushed(name, new["pushed"], live.source.waiting)
        missing = live.source.missing if isinstance(live.source, Landing) else 0
        greatest = collector.ticks.greatest[name]
        metrics.feed(
            name,
            live=name not in collector.silent,
            watermark=None if greatest < 0 else greatest / 1_000_000,
            parked=0 if live.chain is None else live.chain.parked,
            missing=missing,
        )

    async def stop(self) -> None:
        """Commit what was read."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._file is not None:
            self._file.close()

    def live(self) -> dict[str, str]:
        """Say whether it is at work."""
        ended = self._task is not None and self._task.done()
        return {"collector": "expected to collect, has ended" if ended else ""}

    def ready(self) -> dict[str, str]:
        """Say whether records get into the log, and time goes on."""
        collector = self.collector
        # not those that others push into: whoever is told that we are not ready sends nothing any more
        pushed = {name for name, live in collector.sources.items() if isinstance(live.source, PushDoor)}
        silent = ", ".join(name for name in collector.silent if name not in pushed)
        stands = collector.time_stands and not pushed
        waits = [live.source for live in collector.sources.values() if isinstance(live.source, ForeignTopic)]
        return {
            "log": collector.trouble,
            "started": ""
            if collector.committed_at
            else "expected to have taken its sources over, has not yet",
            "time": STANDS if stands else "",
            "feeds": f"expected records, was silent: {silent}" if silent else "",
            "schemas": "; ".join(f"{source.name}: {source.trouble}" for source in waits if source.trouble),
            "draining": "expected to go on, was told to end" if self._stop.is_set() else "",
        }
