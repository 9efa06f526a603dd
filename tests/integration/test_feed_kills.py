"""A collector with a feeds file on a real Kafka, and an engine on a real Redis behind it; the collector is
killed at random moments while files arrive (issue 6), whole or by writers that go on after they were taken:
every row is applied once, none is missing.

`TEST_KILLS=20` in the environment: so many kills, instead of a few.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.deployment import PROGRAM, Deployment, RoleProcess
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port
from tests.servers.redis import RedisServer
from tests.unit.cli.support import FILES as RULES
from tests.unit.collector.support import sight

KILLS = int(os.environ.get("TEST_KILLS", "3"))
ROWS = 1_000
FILES = 12 * KILLS
"""Twelve arrive around each kill."""
PARTITIONS = 3
COLLECTOR = f"from tests.unit.collector.parker import register; register(); {PROGRAM}"
FEEDS = """
feeds:
  mme:
    door: landing
    folder: landing
    files: mme_*.jsonl*
    sequence: mme_(?P<seq>[0-9]+)
    stable: 0s
    disorder: 20s
    treatments:
      parker: {digits: "37", wait: 15s}
  slow:
    door: landing
    folder: landing
    files: slow_*.jsonl
    stable: 1s
    disorder: 20s
"""
SLOW_ROWS = 40
"""At a time, of a writer that does not rename and holds its file open."""


def rows(file: int) -> list[Any]:
    """Rows of a file: one in the middle is broken."""
    dice = random.Random(file)
    made: list[Any] = []
    for number in range(ROWS):
        second = (file * ROWS + number) / 100 + dice.uniform(-3, 3)
        made.append(sight(second - 20_000_000, number % 50, id=f"{file}:{number}"))
    made.insert(ROWS // 2, b'{"kind": "loc.sight", broken')
    return made


class Writer(threading.Thread):
    """Puts files into the folder: in pieces and by rename, some packed, some twice, some late."""

    def __init__(self, folder: Path, allowed: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.allowed = allowed
        """How many files may be there by now."""
        self.late = {number for number in range(1, FILES - 1) if number % 7 == 3}
        self.late_too = threading.Event()
        self.slow: dict[int, IO[bytes]] = {}
        self.slow_rows = 0
        self.doubled = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        """Write all files, some of them late."""
        try:
            for number in range(FILES):
                while self.allowed() <= number:
                    time.sleep(0.005)
                if number not in self.late:
                    self.put(number)
                if number % 5 == 0:
                    self.again()
                self.go_on(number)
            self.late_too.wait()
            for number in sorted(self.late):
                self.put(number)
                self.go_on(number)
            for file in self.slow.values():
                file.close()
        except BaseException as error:
            self.error = error
            raise

    def put(self, number: int) -> None:
        raw = b"".join((r if isinstance(r, bytes) else orjson.dumps(r)) + b"\n" for r in rows(number))
        if number % 2:
            raw = gzip.compress(raw, mtime=0)
        name = f"mme_{number}.jsonl" + (".gz" if number % 2 else "")
        growing = self.folder / f"{name}.tmp"
        for begin in range(0, len(raw), 1 << 16):
            with growing.open("ab") as file:
                file.write(raw[begin : begin + (1 << 16)])
        growing.rename(self.folder / name)

    def go_on(self, number: int) -> None:
        """Begin a file in its place, or go on with one: the collector may have moved it by now."""
        name = number % 4
        if name not in self.slow:
            self.slow[name] = (self.folder / f"slow_{name}.jsonl").open("ab", buffering=0)
        raw = b""
        for _ in range(SLOW_ROWS):
            raw += orjson.dumps(sight(number * ROWS / 100 - 20_000_000, id=f"slow:{self.slow_rows}")) + b"\n"
            self.slow_rows += 1
        cut = len(raw) // 2 + 7  # within a line, but not for as long as files have to stand still
        self.slow[name].write(raw[:cut])
        time.sleep(0.02)
        self.slow[name].write(raw[cut:])

    def again(self) -> None:
        """Put a file that is done there once more."""
        done = sorted((self.folder / "done").glob("mme_*.gz")) if (self.folder / "done").exists() else []
        if done:
            shutil.copy(done[0], self.folder / f"{done[0].name}.tmp")
            (self.folder / f"{done[0].name}.tmp").rename(self.folder / done[0].name)
            self.doubled += 1


@pytest.fixture
def deployment(
    tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str
) -> Iterator[Deployment]:
    """An empty deployment; its processes end with the test."""
    made = Deployment(
        tmp_path,
        kafka_server.bootstrap,
        redis_server.url,
        topic_prefix,
        partitions=PARTITIONS,
        feeds=tmp_path / "feeds.yaml",
        checkpoint_ms=20,
    )
    (tmp_path / "landing").mkdir()
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    for name, text in RULES.items():
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield made
    made.close()


def collector(deployment: Deployment) -> RoleProcess:
    number = len(deployment.processes)
    environment = deployment.environment(web_port=free_port())
    log = deployment.folder / f"{number}-collector.log"
    deployment.processes.append(RoleProcess("collector", environment, log, COLLECTOR))
    return deployment.processes[-1]


def slow_rows(deployment: Deployment) -> int:
    """How many rows of the slow writers are in the log."""
    return sum(b'"slow:' in value for _, value in deployment.read("events"))


def outcomes(engine: RoleProcess) -> dict[str, float]:
    """What became of the records that the engine has folded."""
    page = httpx.get(f"http://127.0.0.1:{engine.port}/metrics").text
    return {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "touchpoint_events_total"
    }


def folded(engine: RoleProcess) -> float:
    """How many records the engine has folded, ticks aside."""
    try:
        return sum(n for name, n in outcomes(engine).items() if name != "ticks")
    except httpx.HTTPError:
        return 0


@pytest.mark.timeout(240 + 30 * KILLS)
def test_a_collector_killed_while_files_arrive_applies_every_row_once(deployment: Deployment) -> None:
    folder = deployment.folder / "landing"
    dice = random.Random(KILLS)
    allowed = 0
    writer = Writer(folder, lambda: allowed)
    writer.start()

    def at_work(since: int) -> Callable[[], bool]:
        return lambda: len(list(folder.glob("done/mme_*"))) > since

    def waiting() -> list[Path]:
        return list(folder.glob("mme_*.jsonl*"))

    hit = 0
    for kill in range(KILLS):
        allowed = FILES * (kill + 1) // (KILLS + 1)
        done = len(list(folder.glob("done/mme_*")))
        process = collector(deployment)
        if kill % 4 == 3:
            time.sleep(dice.uniform(0, 2.5))  # anywhere, also while it starts
        else:
            deployment.wait(at_work(done), "a file to be done", every=0.002)
            until = time.monotonic() + dice.uniform(0, 0.4)
            while time.monotonic() < until and len(waiting()) > 4:  # it may be done with all before
                time.sleep(0.002)
        process.kill()
        hit += bool(waiting())
    assert hit >= KILLS // 2  # the kills met collectors that were at work

    allowed = FILES
    process = collector(deployment)
    done = FILES - len(writer.late)
    deployment.wait(lambda: at_work(done - 1)() and not list(folder.glob("mme_*")), "files to be taken", 120)
    writer.late_too.set()
    writer.join(60)
    assert writer.error is None
    deployment.wait(lambda: not list(folder.glob("mme_*")), "every file to be taken", 120)
    deployment.wait(lambda: slow_rows(deployment) >= writer.slow_rows, "what slow writers went on with")
    # ends what is kept back: its watermark is past all of it
    last = [sight((FILES + 1) * ROWS / 100 + 60 - 20_000_000, id="last:0")]
    (folder / "mme_last.tmp").write_bytes(orjson.dumps(last[0]) + b"\n")
    (folder / "mme_last.tmp").rename(folder / f"mme_{FILES}.jsonl")
    deployment.wait(lambda: not list(folder.glob("mme_*")), "the last file to be taken")
    assert process.terminate()[0] == 0

    expected = {f"{file}:{number}" for file in range(FILES) for number in range(ROWS)} | {"last:0"}
    expected |= {f"slow:{number}" for number in range(writer.slow_rows)}
    log = [orjson.loads(value) for _, value in deployment.read("events")]
    ids = Counter(record["id"] for record in log if record["kind"] != "tick")
    assert set(ids) == expected
    assert set(ids.values()) == {1}
    letters = [orjson.loads(value) for _, value in deployment.read("deadletters")]
    dead = Counter(letter["reason"] for letter in letters)
    assert dead["json"] == FILES
    assert set(dead) == {"json", "gap"}
    gaps = [letter["detail"] for letter in letters if letter["reason"] == "gap"]
    assert len(set(gaps)) == len(gaps) == len(writer.late)  # each is told once
    assert sorted(path.name for path in folder.iterdir()) == ["bad", "done"]
    assert not list(folder.glob("bad/*"))
    # one that comes again may take the place of one that was about to be put aside
    assert FILES + 1 < len(list(folder.glob("done/mme_*"))) <= FILES + 1 + writer.doubled
    assert len(list(folder.glob("done/slow_*"))) == len(writer.slow)

    deployment.command("rules", "publish", deployment.folder / "rules", "--by", "a test")
    engine = deployment.start("engine")
    records = len(expected) + PARTITIONS  # the switch to the rules is one in each partition
    deployment.wait(lambda: folded(engine) >= records, "all rows to be applied", 120)
    found = outcomes(engine)
    assert folded(engine) == records
    assert {name for name, n in found.items() if n} <= {"ticks", "applied", "applied late", "beyond patience"}
    files = FILES + 1 + len(writer.slow)
    print(f"{KILLS} kills, {hit} at work: {len(expected):,} rows of {files} files applied once")
