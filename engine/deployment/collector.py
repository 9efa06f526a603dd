"""The collector role: the landing directory and the foreign topic of the settings, into the log."""

from __future__ import annotations

import asyncio
from collections import Counter

from connectors.foreign_topic import ForeignTopic
from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_inlet import KafkaInlet
from connectors.landing import Landing
from engine.collector import Live, LiveCollector, Pace
from engine.deployment.common import Common, OnDead, columns_of, now_us, watched
from engine.errors import SettingsError
from engine.identity import Identity
from engine.settings import Settings

SOURCE = "collector"
"""Its name in the checkpoints: one collector of a prefix at a time; a second one takes over."""
STANDS = "expected records, but every feed is silent: time stands, nothing that waits for it happens"


class CollectorRole:
    """Reads sources, writes records and ticks."""

    name = "collector"

    def __init__(self, common: Common) -> None:
        settings = common.settings
        sources = sources_of(common)
        self.landings = [live.source for live in sources if isinstance(live.source, Landing)]
        if not sources:
            raise SettingsError(
                ["TOUCHPOINT_LANDING or TOUCHPOINT_FOREIGN_TOPIC: expected something to collect, was neither"]
            )
        self.common = common
        self.inlet = KafkaInlet(common.options, common.prefix, SOURCE, settings.partitions)
        self.collector = LiveCollector(
            self.inlet,
            sources,
            Identity(settings.key_bytes, settings.home_cc),
            wall=now_us,
            bindings=KafkaBindings(common.options, common.prefix),
            pace=Pace(seconds=settings.checkpoint_ms / 1_000),
        )
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._told: Counter[str] = Counter()
        self._told_refused: Counter[str] = Counter()
        self._told_files: Counter[str] = Counter()

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
        rows = {"applied": new["read"], "refused": new["refused"], "clamped": new["clamped"]}
        metrics.collector_rows({(SOURCE, fate): n for fate, n in rows.items() if n})
        files = sum((landing.counts for landing in self.landings), Counter[str]())
        metrics.collector_files(files - self._told_files)
        self._told_files = files
        metrics.log_appends(self.common.topic("events"), new["read"] + new["ticks"])
        metrics.dead_letters(new_refused)

    async def stop(self) -> None:
        """Commit what was read."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    def live(self) -> dict[str, str]:
        """Say whether it is at work."""
        ended = self._task is not None and self._task.done()
        return {"collector": "expected to collect, has ended" if ended else ""}

    def ready(self) -> dict[str, str]:
        """Say whether records get into the log, and time goes on."""
        collector = self.collector
        silent = ", ".join(collector.silent)
        return {
            "log": collector.trouble,
            "started": ""
            if collector.committed_at
            else "expected to have taken its sources over, has not yet",
            "time": STANDS if collector.time_stands else "",
            "feeds": f"expected records, was silent: {silent}" if silent else "",
            "draining": "expected to go on, was told to end" if self._stop.is_set() else "",
        }


def sources_of(common: Common) -> list[Live]:
    """Return the sources that the settings name."""
    settings = common.settings
    found: list[Live] = []
    if settings.landing is not None:
        found.append(
            Live(
                Landing("landing", settings.landing, columns_of(settings)),
                kinds=frozenset(settings.landing_kinds_list),
                disorder=settings.landing_disorder_ms * 1_000,
                idle_seconds=settings.landing_idle_seconds,
            )
        )
    if settings.foreign_topic:
        found.append(
            Live(
                ForeignTopic("foreign", settings.foreign_topic, foreign_options(settings, common)),
                kinds=frozenset(settings.foreign_kinds_list),
                disorder=settings.foreign_disorder_ms * 1_000,
                idle_seconds=settings.foreign_idle_seconds,
            )
        )
    return found


def foreign_options(settings: Settings, common: Common) -> dict[str, object]:
    """Return the options of the foreign topic's Kafka: ours, but perhaps at other brokers."""
    servers = settings.foreign_servers
    return {**common.options, "bootstrap_servers": servers} if servers else common.options
