"""Keeps one lane per partition that this process has: starts, stops, retries, and knows how each is.

A partition that is taken away stops at once: an idle lane is cancelled (it would sit in a fetch until the
partitions are shared out anew), a busy one gets `GRACE` seconds to commit what it has. Its lane is kept: if
the partition comes back and nobody else has committed meanwhile, it goes on with what it remembers; if
somebody has, its next commit is refused and it reads everything anew. While the store or the log does not
answer, a lane tries again and consumes nothing; the first of these tries is logged. Any other error is a
bug: `on_dead` is told, and the process must end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from engine.errors import LogError, StoreError
from engine.lane import IDLE, Lane
from engine.log_pace import LogPace

log = structlog.get_logger("keeper")

GRACE = 3.0
RETRY = (0.1, 2.0)
"""Seconds until the first try again, and at most: doubled from one to the next."""
STUCK = 60.0
"""A lane that has not come round for so many seconds hangs: no wait for a server is as long, nor for one that
hangs (a call to Redis is an error after 10 s, `connectors/redis_patience.py`)."""


@dataclass(slots=True)
class Health:
    """How a lane is."""

    came_round: float
    """When it last finished a step or began to wait for a server, by the clock that only goes up."""
    trouble: str = ""
    """Why it cannot go on just now."""
    told: bool = False
    """Whether that was logged."""


class LaneKeeper:
    """The lanes of one process. `assign` and `revoke` are called by whoever shares out the partitions."""

    def __init__(
        self, make_lane: Callable[[int], Lane], on_dead: Callable[[int, BaseException], None]
    ) -> None:
        self._make_lane = make_lane
        self._on_dead = on_dead
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stopping: set[int] = set()
        self._parked: dict[int, Lane] = {}
        self._pace = LogPace()
        self.lanes: dict[int, Lane] = {}
        self.health: dict[int, Health] = {}
        self.assigned = False
        """Whether partitions were shared out at all: to have none is an answer, too."""

    async def assign(self, partitions: Iterable[int]) -> None:
        """Start the lanes of partitions that are ours now."""
        self.assigned = True
        for partition in partitions:
            if partition in self._tasks:
                continue
            lane = self._parked.pop(partition, None) or self._make_lane(partition)
            self.lanes[partition] = lane
            self.health[partition] = Health(time.monotonic())
            self._tasks[partition] = asyncio.create_task(self._run(partition, lane), name=f"lane {partition}")
        # what was parked and did not come back belongs to another now
        self._parked.clear()

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Stop the lanes of partitions that are taken away; return when none of them works any more."""
        tasks: list[asyncio.Task[None]] = []
        for partition in partitions:
            task = self._tasks.pop(partition, None)
            if task is None:
                continue
            self._stopping.add(partition)
            lane = self.lanes.pop(partition)
            self.health.pop(partition, None)
            self._parked[partition] = lane
            if lane.waits:
                task.cancel()
            tasks.append(task)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._stopping.clear()

    async def stop(self) -> None:
        """Stop all lanes: what is folded is committed and published."""
        await self.revoke(list(self._tasks))
        self._parked.clear()

    def stuck(self) -> list[int]:
        """Name the partitions whose lane hangs."""
        now = time.monotonic()
        return [partition for partition in self.health if now - self.came_round(partition) > STUCK]

    def came_round(self, partition: int) -> float:
        """Say when a lane last showed that it goes on, also within a step (`Lane.moved`)."""
        return max(self.health[partition].came_round, self.lanes[partition].moved)

    async def _run(self, partition: int, lane: Lane) -> None:
        pause = RETRY[0]
        health = self.health[partition]
        try:
            while partition not in self._stopping:
                try:
                    await lane.step(IDLE)
                except (LogError, StoreError) as error:
                    if not health.trouble:
                        self._tell(partition, health, error)
                    health.came_round, health.trouble = time.monotonic(), str(error)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, RETRY[1])
                else:
                    if health.told:
                        health.told = False
                        log.info("lane goes on", partition=partition)
                    health.came_round, health.trouble = time.monotonic(), ""
                    pause = RETRY[0]
            await lane.flush()
        except asyncio.CancelledError:
            raise
        except (LogError, StoreError):
            # it was to end anyway: its successor begins at the last commit
            return
        except BaseException as error:
            self._on_dead(partition, error)
            raise

    def _tell(self, partition: int, health: Health, error: Exception) -> None:
        """Log the first of several tries, not each, and not for ever: a lane may fail at every other step."""
        if self._pace.allows(partition):
            health.told = True
            log.warning("lane tries again", partition=partition, error=error)
