"""What an engine tells of its lanes every few seconds, by its own look at log and store.

Lanes are not asked: one that can't be opened has nothing to say, and just then its lag matters most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from connectors.kafka_age import KafkaAges
from connectors.kafka_log import KafkaLog
from connectors.redis_health import Census
from engine.deployment.common import now_us
from engine.errors import LogError, StoreError
from engine.keeper import LaneKeeper
from engine.metrics import Metrics

LOG_WITHIN = 5.0
STORE_WITHIN = 2.0
"""Seconds for a look: what else the role looks after must not wait for it."""


class Lookout:
    """Of the lanes of one process."""

    def __init__(
        self, keeper: LaneKeeper, log: KafkaLog, ages: KafkaAges, census: Census, metrics: Metrics
    ) -> None:
        self.keeper = keeper
        self.log = log
        self.ages = ages
        self.census = census
        self.metrics = metrics

    async def tell(self) -> None:
        """Tell how far lanes are behind and whom they have; what can't be known now stays as it was told."""
        try:
            async with asyncio.timeout(LOG_WITHIN):
                await self._tell_lag()
        except (LogError, TimeoutError):
            pass
        try:
            async with asyncio.timeout(STORE_WITHIN):
                counts = await self.census.count(sorted(self.keeper.lanes))
        except (StoreError, TimeoutError):
            return
        for partition in self._still(counts):
            self.metrics.subscribers(partition, counts[partition])

    async def _tell_lag(self) -> None:
        reached = await self._reached()
        waiting = await self.log.behind(reached)
        behind = [partition for partition, records in waiting.items() if records]
        times = await self.ages.since({partition: reached[partition] for partition in behind})
        now = now_us()
        for partition in self._still(waiting):
            records, time = waiting[partition], times.get(partition, now)
            self.metrics.lag(self.log.topic, partition, records, max(now - time, 0) / 1e6)

    async def _reached(self) -> dict[int, int]:
        """Say from where each lane has records to commit."""
        found: dict[int, int] = {}
        for partition, lane in list(self.keeper.lanes.items()):
            if lane.fold is not None or lane.token:
                found[partition] = lane.offset
                continue
            # it could not be opened yet: its mark is 2 s behind the store at most
            mark = await self.log.reached(partition)
            found[partition] = await self.log.start(partition) if mark is None else mark
        return found

    def _still(self, partitions: Mapping[int, int]) -> list[int]:
        """Leave out what was taken away meanwhile: nobody would tell of it again."""
        return [partition for partition in partitions if partition in self.keeper.lanes]
