"""The dispatcher role: published offers to channels, receipts into the log."""

from __future__ import annotations

import asyncio
from collections import Counter

import orjson
import structlog

from connectors import redis_health
from connectors.channels.file import FileChannel
from connectors.channels.lab import LabChannel
from connectors.kafka_log import KafkaLog
from connectors.kafka_offers import KafkaOffers
from connectors.kafka_queue import KafkaQueue
from connectors.kafka_rules import KafkaRules
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_store import RedisStore
from engine.canary import set_of
from engine.collect import partition_of
from engine.deployment.clients import redis_client
from engine.deployment.common import Common, OnDead, folder_of, now_us, watched
from engine.dispatch import Dispatcher
from engine.errors import LogError, SettingsError, StoreError
from engine.event import Event
from engine.identity import Identity
from engine.outbox import of_profiles, tell
from engine.patience import Patience
from engine.ports import Channel
from engine.rulebook import Rulebook

log = structlog.get_logger("dispatcher")

LAB_REMEMBERS = 300


class DispatcherRole:
    """Claims, asks the last gates, submits, settles."""

    name = "dispatcher"

    def __init__(self, common: Common) -> None:
        settings = common.settings
        self.common = common
        self.client = redis_client(settings)
        on_trip = common.metrics.redis_op
        self.store = RedisStore(self.client, settings.partitions, on_trip=on_trip)
        self.log = KafkaLog(common.options, common.topic("events"), settings.partitions, "")
        self.queue = KafkaQueue(
            common.options, common.topic("offers"), f"{common.prefix}.dispatcher", settings.instance
        )
        identity = Identity(settings.key_bytes, settings.home_cc)
        self.channel = self._channel()
        channels: dict[str, Channel] = dict.fromkeys(("sms", "mms", "manual"), self.channel)
        self.dispatcher = Dispatcher(
            self.queue,
            self.store,
            RedisDeliveries(self.client, replicas=settings.redis_wait, on_trip=on_trip),
            RedisOptOuts(self.client, replicas=settings.redis_wait, on_trip=on_trip),
            channels,
            self._append,
            self._book_of,
            now_us,
            number_hash=identity.hash_number,
            patience=Patience(batch=settings.dispatcher_batch, claim_us=settings.claim_seconds * 1_000_000),
        )
        if settings.redis_mode == "cluster":
            self.dispatcher.courses.on_roll_back = self._fell_back
        self._lost_optouts = False
        self._rules: KafkaRules | None = None
        self._book: Rulebook | None = None
        self._canary: Rulebook | None = None
        """The set of a canary that all lanes have, for those who stand on it."""
        self._lives: frozenset[str] = frozenset()
        """Servers that the store was on at the last look; empty: not asked yet."""
        self._owed: dict[int, int] = {}
        """Partition -> the offset up to which it has to be folded before anything is sent."""
        self._building = False
        self._problems = ["Redis: not asked yet"]
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._told: Counter[str] = Counter()
        self._on_dead: OnDead = lambda _: None

    async def start(self, on_dead: OnDead) -> None:
        """Begin to send."""
        self._on_dead = on_dead
        await self.common.ensure_topics()
        self._rules = await self.common.rules(on_dead)
        await self.look()
        await self.queue.start()
        self._task = watched(self.name, self.dispatcher.run(self._stop), on_dead)

    async def stop(self) -> None:
        """Take no more offers; what is under way is brought to its end."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self.queue.stop()
        await self.log.close()
        await self.client.aclose()
        self.channel.close()

    async def look(self) -> None:
        """Look at the rules in force and at the store; count what was done."""
        try:
            if self._lost_optouts:
                await self._tell_optouts()
            before = self.dispatcher.stood.copy()
            lanes = await self.store.lanes()
            infos = await redis_health.primaries(self.client)
            await self._look_back(before, lanes, redis_health.lives(infos))
            self._look_at_lanes([lane for _, lane in lanes.values()])
            self._problems, evicted = redis_health.judge(infos)
            self.common.metrics.evicted_keys(evicted)
            await self.common.check_secrets(self.client)
        except SettingsError as error:
            self._problems = [str(error)]
            self._book = None
            self._on_dead(str(error))
        except (LogError, StoreError) as error:
            self._problems = [str(error)]
            self._book = None
        statuses = self.dispatcher.statuses.copy()
        new, self._told = statuses - self._told, statuses
        metrics = self.common.metrics
        metrics.deliveries({(self.channel.name, status): n for status, n in new.items()})
        metrics.deliveries_open(len(self.dispatcher.open))
        rebuilt = new["rebuild"]
        if rebuilt:
            metrics.rebuilds(0, rebuilt)

    def live(self) -> dict[str, str]:
        """Say whether it is at work."""
        ended = self._task is not None and self._task.done()
        return {"dispatcher": "expected to send, has ended" if ended else ""}

    def ready(self) -> dict[str, str]:
        """Say whether it may send."""
        return {
            "store": "; ".join(self._problems),
            "lanes": self._unready_lanes(),
            "rules": "" if self._book is not None else "expected to know the rules in force, does not yet",
            "started": "" if self._task is not None else "expected to take offers, does not yet",
            "draining": "expected to go on, was told to end" if self._stop.is_set() else "",
        }

    def _unready_lanes(self) -> str:
        if self._building:
            return "expected every partition to have its state, one has none or builds it anew"
        for partition, owed in self._owed.items():
            stood = self.dispatcher.stood.get(partition, 0)
            return f"partition {partition}: expected to be folded up to {owed} first, was at {stood}"
        return ""

    def _look_at_lanes(self, lanes: list[bytes]) -> None:
        """Take the rules that all lanes have; while they change, those that were.

        Nothing is sent at all while a partition has no state, or builds it anew, or has not folded what stood
        in the log when this process began, or found the store to be an older copy of itself: an opt-out that
        was acknowledged may stand there alone, in whatever partition.
        """
        kept = [orjson.loads(lane) for lane in lanes]
        self._building = len(kept) < self.common.settings.partitions or any(
            "rules" not in lane or "muted_until" in lane for lane in kept
        )
        found = {lane.get("rules") for lane in kept}
        # a lane that was rebuilt after the switch had left the log has none any more; for whom it is in force
        # stands in the states
        canaries = {lane["canary"]["hash"] for lane in kept if "canary" in lane}
        if self._building or self._owed:
            self._book = None
            return
        if len(found) != 1 or len(canaries) > 1 or self._rules is None:
            return
        [name] = found
        canary = next(iter(canaries), None)
        try:
            if self._book is None or self._book.hash != name:
                self._book = self._rules.book(name)
            self._canary = None if canary is None else self._rules.book(canary)
        except KeyError:
            return

    def _book_of(self, rules: str) -> Rulebook | None:
        """Return the set in force for whoever stands on `rules`; None while that is not known."""
        canary = self._canary
        if self._book is not None and canary is not None and set_of(rules) == canary.hash:
            return canary
        return self._book

    async def _look_back(
        self, before: dict[int, int], lanes: dict[int, tuple[int, bytes]], lives: frozenset[str]
    ) -> None:
        """See whether the store is what it was before; if not, find out what has to be folded first."""
        dispatcher = self.dispatcher
        offsets = {partition: offset for partition, (offset, _) in lanes.items()}
        behind = any(offsets.get(partition, 0) < stood for partition, stood in before.items())
        if dispatcher.went_back or behind or lives != self._lives:
            self._book = None
            self._owed = await self.log.lasts(range(self.common.settings.partitions))
            self._lives = lives
            dispatcher.stood.clear()
            dispatcher.went_back = False
        for partition, offset in offsets.items():
            dispatcher.stood[partition] = max(offset, dispatcher.stood.get(partition, 0))
        self._owed = {p: owed for p, owed in self._owed.items() if offsets.get(p, 0) < owed}

    def _fell_back(self) -> None:
        """Send nothing more for now: of a cluster one server may have come back empty, others with all."""
        self.dispatcher.went_back = True
        self._lost_optouts = True

    async def _tell_optouts(self) -> None:
        """Put opt-outs from the profiles into the set again; lanes whose own states stand would not."""
        log.warning("opt-outs are told anew: a part of Redis is older than it was")
        offers = KafkaOffers(self.common.options, self.common.prefix)
        for partition in range(self.common.settings.partitions):
            async for batch in offers.profiles(partition):
                profiles = of_profiles((key, payload) for _, key, payload in batch)
                await tell(self.dispatcher.optouts, profiles, self.dispatcher.number_hash)
        self._lost_optouts = False

    async def _append(self, events: list[Event]) -> None:
        partitions = self.common.settings.partitions
        await self.log.append(
            [(partition_of(event.key, partitions), orjson.dumps(event.fields)) for event in events]
        )
        self.common.metrics.log_appends(self.common.topic("events"), len(events))

    def _channel(self) -> FileChannel | LabChannel:
        settings = self.common.settings
        path = folder_of(settings.out) / "messages.jsonl"
        if settings.channel == "lab":
            return LabChannel(path, now_us, remember=LAB_REMEMBERS)
        return FileChannel(path, append=True)
