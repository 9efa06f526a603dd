"""A deployment under load while faults land, and what is counted meanwhile."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.kafka_read import read_to_end
from tests.faults.checker import Verdict, judge
from tests.faults.course import QUIET, Course
from tests.servers.deployment import Deployment, RoleProcess

NEAR_MS = 1_000
"""An offer published so shortly before or after a fault was in flight when it landed."""
PARTITIONS = 6
ENDED_WITHIN = 90.0


class Stage:
    """Two engines and a dispatcher, one process each, a course that is appended over some seconds."""

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        redis_url: str,
        prefix: str,
        seed: int,
        *,
        engines: int = 2,
        plant: str = "",
        quiet: tuple[int, int] = QUIET,
        **settings: Any,
    ) -> None:
        self.rng = random.Random(seed)
        self.course = Course(folder, seed, PARTITIONS, quiet=quiet)
        self.made = Deployment(
            folder,
            bootstrap,
            redis_url,
            prefix,
            partitions=PARTITIONS,
            channel="lab",
            claim_seconds=8,
            **settings,
        )
        self.plant = plant
        self.faults: list[float] = []
        """When faults landed, seconds of the wall clock."""
        self.problems: list[str] = []
        self.running: dict[str, RoleProcess] = {}
        self.names = [*(f"engine-{number}" for number in range(engines)), "dispatcher-0"]

    def begin(self) -> None:
        """Publish rules, load profiles, start all."""
        self.made.command("rules", "publish", self.course.rules, "--by", "faults")
        self.made.append_pairs(self.course.profiles)
        for name in self.names:
            self.start(name)
        self.made.wait(self.made.begun, "every lane to have committed")

    def start(self, name: str) -> RoleProcess:
        """Start the process of a name."""
        role = name.partition("-")[0]
        process = self.made.start(role, instance=name, plant=self.plant)
        self.running[name] = process
        return process

    def landed(self) -> None:
        """Note that a fault lands now."""
        self.faults.append(time.time())

    def kill(self, name: str) -> None:
        """Kill a process and start it anew; also those that have died by themselves."""
        self.revive()
        self.landed()
        self.running[name].kill()
        self.start(name)

    def revive(self) -> None:
        """Start anew those that have died by themselves."""
        for name, process in list(self.running.items()):
            if not process.is_running:
                self.start(name)

    def go(self, act: Callable[[Stage], None], *, seconds: float) -> Verdict:
        """Append the course over some seconds while `act` makes faults; heal, drain, judge."""
        self.begin()
        errors: list[BaseException] = []

        def load() -> None:
            try:
                self.made.append_pairs(self.course.records, seconds)
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=load)
        thread.start()
        act(self)
        thread.join()
        if errors:
            raise errors[0]
        return self.drain()

    def drain(self) -> Verdict:
        """Let all that is left be done, and judge."""
        end_of_time = self.course.newest + 1
        self.made.append([{"kind": "tick", "t": end_of_time}])

        def folded() -> bool:
            self.revive()
            return set(self.made.watermarks()) == {end_of_time}

        self.made.wait(folded, "all to be folded", 180)
        end = time.monotonic() + ENDED_WITHIN
        while True:
            verdict = judge(self.made)
            if not verdict.unended or time.monotonic() > end:
                return verdict
            time.sleep(1)

    def in_flight(self) -> int:
        """Count the offers that were published within a second of a fault."""

        async def times() -> list[int]:
            found: list[int] = []
            for partition in range(PARTITIONS):
                topic = f"{self.made.prefix}.offers.v1"
                async for records in read_to_end(self.made.options, topic, partition):
                    found += [record.timestamp for record in records]
            return found

        published = asyncio.run(times())
        return sum(any(abs(at - fault * 1_000) <= NEAR_MS for fault in self.faults) for at in published)

    def close(self) -> None:
        """End all processes."""
        self.made.close()
