"""The engine role: one lane per partition that Kafka gives this process."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from connectors import redis_health
from connectors.kafka_age import KafkaAges
from connectors.kafka_log import KafkaLog
from connectors.kafka_offers import KafkaOffers
from connectors.kafka_rules import KafkaRules
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_store import RedisStore
from engine.deployment.clients import redis_client
from engine.deployment.common import Common, OnDead, now_us
from engine.deployment.lookout import Lookout
from engine.deployment.news import LaneLog
from engine.errors import LogError, SettingsError, StoreError
from engine.identity import Identity
from engine.intake import Intake
from engine.keeper import LaneKeeper
from engine.lane import Lane
from engine.lane_state import Counted
from engine.language.model import Catalog, Policy, RuleSet
from engine.look_back import SETTING, too_long
from engine.pipeline import Fold
from engine.refusals import Refusal
from engine.rulebook import Rulebook

log = structlog.get_logger("engine")

NO_RULES = RuleSet({}, Catalog(), Policy(), "0" * 32)
"""In force until the first `rules.switch` of the log: nothing fires, profiles and behaviours are kept."""
RULES_WITHIN = 30.0
"""Seconds that a switch may come before the set of rules it names, until that is told as trouble."""
FIGHTS, FIGHTS_WITHIN = 6, 30.0
"""Partitions shared out so often within so many seconds: two processes have one name, and take turns."""
TELL_EVERY = 5.0
HEALTH_EVERY = 2.0


class EngineRole(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads, decides, commits, publishes."""

    name = "engine"

    def __init__(self, common: Common) -> None:
        settings = common.settings
        self.common = common
        self.settings = settings
        self.metrics = common.metrics
        self.client = redis_client(settings)
        on_trip = common.metrics.redis_op
        self.store = RedisStore(self.client, settings.partitions, on_trip=on_trip)
        self.offers = KafkaOffers(common.options, common.prefix)
        self.optouts = RedisOptOuts(self.client, replicas=settings.redis_wait, on_trip=on_trip)
        self.log = KafkaLog(
            common.options,
            common.topic("events"),
            settings.partitions,
            f"{common.prefix}.engine",
            settings.instance,
        )
        self.keeper = LaneKeeper(self._lane, self._dead)
        self.lookout = Lookout(
            self.keeper,
            self.log,
            KafkaAges(common.options, self.log.topic),
            redis_health.Census(self.client, settings.partitions, on_trip=on_trip),
            common.metrics,
        )
        self.lane_log = LaneLog(NO_RULES.hash)
        self._identity = Identity(settings.key_bytes, settings.home_cc)
        self._rules: KafkaRules | None = None
        self._on_dead: OnDead = lambda _: None
        self._store_problems = ["Redis: not asked yet"]
        self._assigned: deque[float] = deque(maxlen=FIGHTS)
        """When partitions were shared out, of the last few times."""
        self._told_at = self._health_at = 0.0
        self._draining = False
        self._weighed: set[str] = set()
        """Hashes of the sets whose look-back was held against the retention of decisions."""
        self._refused: Counter[str] = Counter()
        """Records of the log that were refused since the last look, by reason."""

    # -- the role --------------------------------------------------------------------------------------------

    async def start(self, on_dead: OnDead) -> None:
        """Join the group; lanes begin as partitions come."""
        self._on_dead = on_dead
        await self.common.ensure_topics()
        self._rules = await self.common.rules(on_dead)
        await self._check_store()
        await self.offers.open()
        await self.log.join(self)

    async def stop(self) -> None:
        """Commit and publish what is folded, leave the group."""
        self._draining = True
        await self.keeper.stop()
        await self.log.close()
        await self.offers.close()
        await self.client.aclose()

    async def look(self) -> None:
        """Look at the store, at lag, at lanes."""
        now = time.monotonic()
        refused, self._refused = self._refused, Counter()
        self.metrics.dead_letters(refused)
        if now - self._health_at >= HEALTH_EVERY:
            self._health_at = now
            try:
                await self._check_store()
            except SettingsError as error:
                self._on_dead(str(error))
        self.lane_log.look(self.keeper.lanes)
        for partition, lane in list(self.keeper.lanes.items()):
            if partition in self.keeper.health:
                self.metrics.progress(partition, time.time() - (now - self.keeper.came_round(partition)))
            fold = lane.fold
            if fold is not None:
                self.metrics.state(partition, lane.mean_bytes)
                self.metrics.rules(fold.base.hash, fold.canary.book.hash if fold.canary else None)
                for book in fold.in_force:
                    self._weigh(book)
            if lane.fenced:
                self.metrics.commits({"fenced": lane.fenced})
                lane.fenced = 0
            if lane.failed:
                self.metrics.commits({"error": lane.failed})
                lane.failed = 0
            if lane.rebuilt:
                self.metrics.rebuilds(lane.rebuilt, 0)
                lane.rebuilt = 0
        if now - self._told_at >= TELL_EVERY and self.keeper.lanes and not self._draining:
            self._told_at = now
            await self.lookout.tell()

    def live(self) -> dict[str, str]:
        """Say whether lanes come round; never asks Kafka or Redis."""
        stuck = self.keeper.stuck()
        return {"lanes": f"expected every lane to come round, was not so: {stuck}" if stuck else ""}

    def ready(self) -> dict[str, str]:
        """Say whether this process can do its work."""
        lanes = self.keeper.lanes
        building = sorted(partition for partition, lane in lanes.items() if not lane.ready)
        troubles = {how.trouble for how in self.keeper.health.values() if how.trouble}
        return {
            "assignment": self._unassigned(),
            "store": "; ".join(self._store_problems),
            "rebuilt": f"expected every lane to decide, was not yet: {building}" if building else "",
            "lanes": "; ".join(sorted(troubles)),
            "rules": "" if self._rules is not None else "expected published rules to be read, was not yet",
            "draining": "expected to go on, was told to end" if self._draining else "",
        }

    def _unassigned(self) -> str:
        if not self.keeper.assigned:
            return "expected partitions to be shared out, was not yet"
        if self.settings.instance and len(self._assigned) == FIGHTS:
            seconds = time.monotonic() - self._assigned[0]
            if seconds < FIGHTS_WITHIN:
                return (
                    f"TOUCHPOINT_INSTANCE: expected a name of its own for each process; partitions were "
                    f"shared out {FIGHTS} times within {seconds:.0f} s"
                )
        return ""

    # -- partitions ------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop the lanes of these partitions."""
        partitions = sorted(place.partition for place in revoked)
        await self.keeper.revoke(partitions)
        for partition in partitions:
            self.metrics.lane_lost(partition)
            self.metrics.lag_lost(self.log.topic, partition)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start the lanes of these partitions."""
        partitions = sorted(place.partition for place in assigned)
        log.info("assigned", partitions=partitions)
        self._assigned.append(time.monotonic())
        self.log.assigned(partitions)
        if not self._draining:
            await self.keeper.assign(partitions)

    def _lane(self, partition: int) -> Lane:
        settings = self.settings
        lane: Lane

        def refused(refusal: Refusal) -> None:
            lane.refused.append(refusal)
            self._refused[refusal.reason] += 1

        lane = Lane(
            partition,
            self.log,
            self.store,
            self.offers,
            Intake(self._identity, on_refused=refused),
            self._fold,
            batch=settings.batch_size,
            cache=settings.cache_subscribers,
            commit_after=settings.commit_ms / 1_000,
            optouts=self.optouts,
            dead=self.offers,
            await_rules=self._await_rules,
        )
        lane.on_counts = self._count
        lane.on_offers = self._offered
        return lane

    def _fold(self, name: str | None) -> Fold:
        every = self.settings.refusals_every
        keep = (lambda count: count % every == 0) if every > 1 else None
        try:
            book = self._book(name or NO_RULES.hash)
        except KeyError:
            raise LogError(f"rules {name}: expected to be among the published, was not found") from None
        return Fold(book, self.settings.salt_bytes, books=self._book, keep_refusal=keep)

    def _book(self, name: str) -> Rulebook:
        """Return a set of rules; raise KeyError if nobody published it."""
        if name == NO_RULES.hash:
            return Rulebook(NO_RULES, self.settings.key_bytes)
        assert self._rules is not None
        try:
            book = self._rules.book(name)
        except KeyError:
            self.metrics.rules_reload(success=False)
            raise
        self.metrics.rules_reload(success=True)
        return book

    async def _await_rules(self, name: str) -> None:
        """Wait for the set that a switch names; raise `LogError` if it does not come: the lane tries again.

        Passed by, the switch would be lost for ever. Both are written in one transaction, so that the set is
        only late: its topic can't be read just now.
        """
        if name == NO_RULES.hash:
            return
        assert self._rules is not None
        if not await self._rules.wait(name, RULES_WITHIN):
            raise LogError(
                f"rules {name}: expected to be published in topic {self._rules.topic}, was not found within "
                f"{RULES_WITHIN:g} s"
            )

    def _weigh(self, book: Rulebook) -> None:
        """Warn once of rules whose contacts a rebuild would forget: their publisher has other settings."""
        if book.hash in self._weighed:
            return
        self._weighed.add(book.hash)
        if problems := too_long(book.rules, self.settings.decisions_retention_days):
            log.warning("a rebuild would forget contacts", hash=book.hash, problems=problems, setting=SETTING)

    def _dead(self, partition: int, error: BaseException) -> None:
        log.error("lane died", partition=partition, error=error)
        self._on_dead(f"lane {partition} died: {error}")

    # -- what is told ----------------------------------------------------------------------------------------

    def _count(self, counted: Counted) -> None:
        self.metrics.events(counted.outcomes)
        self.metrics.decisions(counted.decisions)
        self.metrics.optouts(counted.optouts)
        self.metrics.presence(counted.presence)
        self.metrics.commits({"ok": 1})

    def _offered(self, appended: list[int]) -> None:
        now = now_us()
        self.metrics.offer_delays(max(now - at, 0) / 1e6 for at in appended if at)

    async def _check_store(self) -> None:
        """Look how the store is. Raise `SettingsError` if it was filled with other secrets than ours."""
        try:
            self._store_problems, evicted = await redis_health.look(self.client)
            self.metrics.evicted_keys(evicted)
            await self.common.check_secrets(self.client, leave=True)
        except StoreError as error:
            self._store_problems = [str(error)]
