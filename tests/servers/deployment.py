"""A deployment for tests: roles as real processes on real servers, and what they left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaProducer
from redis import Redis

from connectors.kafka_read import read_to_end
from connectors.redis_keys import tag_of
from tests.servers.process import free_port
from tests.testdata import CHECKOUT

Json = dict[str, Any]
KEY, SALT = "a key of the tests", "a salt of the tests"
PROGRAM = "import sys; from engine.cli.main import main; sys.argv[0] = 'touchpoint'; sys.exit(main())"
READY_WITHIN = 60.0


class RoleProcess:
    """One process of a role; its log is in a file."""

    def __init__(self, role: str, environment: Mapping[str, str], log: Path, program: str = PROGRAM) -> None:
        self.role = role
        self.log = log
        self.port = int(environment["TOUCHPOINT_WEB_PORT"])
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", program, "run", role],
                env=dict(environment),
                cwd=CHECKOUT,
                stdout=out,
                stderr=out,
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def page(self, name: str) -> int:
        """The code that one of its pages answers with, 0 for none."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/{name}").status_code
        except httpx.HTTPError:
            return 0

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()
        self.process.wait()

    def terminate(self, within: float = 40) -> tuple[int, float]:
        """End it with SIGTERM; return its exit code and how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(within)
        return code, time.monotonic() - began


class Deployment:
    """Settings, processes, and readers of topics and store."""

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        redis_url: str,
        prefix: str,
        *,
        partitions: int = 3,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.prefix = prefix
        self.partitions = partitions
        self.options = {"bootstrap_servers": bootstrap}
        self.redis_url = redis_url
        self.processes: list[RoleProcess] = []
        self.settings: dict[str, str] = {
            "KEY": KEY,
            "SALT": SALT,
            "KAFKA_BOOTSTRAP": bootstrap,
            "REDIS_URL": redis_url,
            "TOPIC_PREFIX": prefix,
            "PARTITIONS": str(partitions),
            "OUT": str(folder / "out"),
            "LANDING_STABLE_SECONDS": "0",  # files of tests come by a rename
            **{name.upper(): str(value) for name, value in settings.items()},
        }

    def environment(self, **more: Any) -> dict[str, str]:
        """Return the variables of a process."""
        settings = {**self.settings, **{name.upper(): str(value) for name, value in more.items()}}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
        return {**kept, **{f"TOUCHPOINT_{name}": value for name, value in settings.items()}}

    def command(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Call a command of the program."""
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, *map(str, arguments)],
            env=self.environment(),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, role: str, **settings: Any) -> RoleProcess:
        """Start a role."""
        number = len(self.processes)
        environment = self.environment(**{"web_port": free_port(), **settings})
        process = RoleProcess(role, environment, self.folder / f"{number}-{role}.log")
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End every process that is left."""
        for process in self.processes:
            if process.is_running:
                process.signal(signal.SIGCONT)
                process.kill()

    def logs(self) -> str:
        """Return the ends of all logs: for the message of a failed test."""
        return "\n".join(f"== {p.log.name}\n{p.log.read_text()[-3000:]}" for p in self.processes)

    # -- what stands in topics and store ---------------------------------------------------------------------

    def watermarks(self) -> list[int]:
        """Return how far time has come in each partition, -1 where nothing is committed."""
        found = []
        with Redis.from_url(self.redis_url) as redis:
            for partition in range(self.partitions):
                lane = redis.hget(tag_of(partition, self.partitions) + "ctl", "lane")
                read = orjson.loads(lane) if isinstance(lane, bytes) else {}
                found.append(read["feeds"][0] if "feeds" in read else -1)
        return found

    def begun(self) -> bool:
        """Say whether something is committed of every partition."""
        with Redis.from_url(self.redis_url) as redis:
            keys = [tag_of(partition, self.partitions) + "ctl" for partition in range(self.partitions)]
            return all(redis.hexists(key, "token") for key in keys)

    def offsets(self) -> list[int]:
        """Return how far each partition is committed, 0 where nothing is."""
        with Redis.from_url(self.redis_url) as redis:
            keys = [tag_of(partition, self.partitions) + "ctl" for partition in range(self.partitions)]
            return [int(redis.hget(key, "offset") or 0) for key in keys]

    def wait(
        self, check: Callable[[], object], what: str, within: float = READY_WITHIN, every: float = 0.05
    ) -> None:
        """Poll until a check holds."""
        end = time.monotonic() + within
        while not check():
            if time.monotonic() > end:
                raise AssertionError(f"expected {what} within {within:.0f} s, was not so\n{self.logs()}")
            dead = [p for p in self.processes if p.process.returncode not in (None, 0, -9, -15)]
            if dead:
                raise AssertionError(f"{dead[0].role} has ended\n{self.logs()}")
            for process in self.processes:
                process.process.poll()
            time.sleep(every)

    def append(self, records: list[Json]) -> None:
        """Append records to every partition."""

        async def go() -> None:
            async with AIOKafkaProducer(**self.options, acks="all") as producer:
                for record in records:
                    for partition in range(self.partitions):
                        topic = f"{self.prefix}.events.v1"
                        await producer.send_and_wait(topic, orjson.dumps(record), partition=partition)

        asyncio.run(go())

    def end_time(self, newest: int, within: float = 120) -> None:
        """End the log as a replay does, one tick after the newest record, and wait until all lanes had it."""
        self.append([{"kind": "tick", "t": newest + 1}])
        self.wait(lambda: set(self.watermarks()) == {newest + 1}, f"time to come to {newest + 1}", within)

    def read(self, topic: str) -> list[tuple[str | None, bytes]]:
        """Return a topic's messages as (key, value), partition by partition; of the log its records."""

        async def go() -> list[tuple[str | None, bytes]]:
            found = []
            for partition in range(4 if topic == "deadletters" else self.partitions):
                async for records in read_to_end(self.options, f"{self.prefix}.{topic}.v1", partition):
                    found += [(r.key.decode() if r.key else None, r.value or b"") for r in records]
            return found

        found = asyncio.run(go())
        if topic != "events":
            return found
        return [(key, record) for key, value in found for record in _records(value)]

    def submits(self) -> list[Json]:
        """Return what reached the channel; the last line may be cut off by a kill."""
        path = Path(self.settings["OUT"]) / "messages.jsonl"
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        return [orjson.loads(line) for line in lines if line.endswith(b"}")]

    def decisions(self) -> list[Json]:
        """Return decision lines, repeats by (id, at) dropped, sorted as a replay writes them."""
        found: dict[tuple[str, int], Json] = {}
        for _, value in self.read("decisions"):
            read = orjson.loads(value)
            for line in read if isinstance(read, list) else [read]:
                if "id" in line:
                    found.setdefault((line["id"], line["at"]), line)
        return sorted(found.values(), key=lambda line: (line["at"], line["id"]))


def _records(value: bytes) -> list[bytes]:
    """Return the records of a message of the log: one, or an array of them."""
    return list(map(orjson.dumps, orjson.loads(value))) if value.startswith(b"[") else [value]
