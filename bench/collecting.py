"""`bench collecting`: raw rows of a landing directory into the log: in memory, and on a real Kafka.

What is measured is the collector's process, from the first file to the last commit: reading, records,
treatments, ticks, messages, Kafka's client, checkpoints. The broker is another process of the same machine.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from time import process_time

from bench.course import HOME_CC, KEY
from bench.report import Scale, Section, middle, tell
from bench.treatments import GIVEN, table
from bench.xdr_rows import s1_mme_rows
from connectors.column_map import load_map
from connectors.kafka_inlet import KafkaInlet
from connectors.landing import Landing
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from engine.collector import Live, LiveCollector
from engine.errors import StateError
from engine.identity import Identity
from engine.ports import Inlet
from engine.treatments.identity import Edge
from engine.treatments.memory import Memories
from engine.treatments.registry import CELLS, TREATMENTS, Around, Asked, chain_of
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_jars import find_kafka

MAP = "s1-mme"
PARTITIONS = 12
CELL_COLUMNS = 33, 35
IN_FILE = 20_000
AT_MOST = 60_000
AT_ONCE = (1, 10, 50, 200)
"""Records of a message at most; 50 is what the settings say."""
DISORDER = 60_000_000
FIRST = ("identity", "duplicates", "ping_pong", "thinning")
"""What most feeds of a probe want."""
_LATER = 4_000_000_000_000_000
"""A clock that no row is ahead of, µs."""

Make = Callable[[int], Inlet]
"""Makes the way into a new log, which has a number."""


@dataclass(frozen=True, slots=True)
class _Cost:
    """µs of CPU, and of the clock, for a row."""

    cpu: float
    wall: float


def measure(scale: Scale) -> Section:
    """Collect the same files in every way."""
    tell("collecting: rows of a landing directory into the log")
    section = Section("collecting", "")
    with tempfile.TemporaryDirectory(prefix="touchpoint-bench-") as name:
        folder = Path(name) / "landing"
        rows, cells = _write(folder, min(scale.rows, AT_MOST))
        section.title = f"landing directory to log, {rows:,} rows of {MAP}, {PARTITIONS} partitions"
        run = _Run(scale, folder, rows, cells)
        every = [each for each, one in TREATMENTS.items() if set(one.tables) <= {CELLS}]
        all_steps = f"all {len(every)} treatments"
        with _kafka(Path(name)) as server:
            kafka = {n: _Way(partial(_on_kafka, server, n)) for n in AT_ONCE}
            ways = {
                "memory": _Way(_in_memory),
                f"memory, {len(FIRST)} treatments": _Way(_in_memory, FIRST),
                f"memory, {all_steps}": _Way(_in_memory, every),
                **{f"Kafka, {_many(n)}": way for n, way in kafka.items()},
            }
            run.measure(section, ways)
        for over, under in (
            (f"memory, {len(FIRST)} treatments", "memory"),
            (f"memory, {all_steps}", "memory"),
            (f"Kafka, {_many(1)}", "memory"),
            (f"Kafka, {_many(50)}", "memory"),
            (f"Kafka, {_many(1)}", f"Kafka, {_many(50)}"),
        ):
            ratios = [a.cpu / b.cpu for a, b in zip(ways[over].costs, ways[under].costs, strict=True)]
            each, note = middle(ratios)
            section.add(f"{over} / {under}", each, "times", f"CPU; {note}")
        section.remarks.append(f"{find_kafka(os.environ).version}, one node; steps as `Pace` has them.")
    return section


@dataclass(slots=True)
class _Way:
    """Where the rows go, through which treatments, and what that cost each time."""

    make: Make
    steps: Sequence[str] = ()
    costs: list[_Cost] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    """The files, and how often they are collected."""

    scale: Scale
    folder: Path
    rows: int
    cells: list[str]

    def measure(self, section: Section, ways: Mapping[str, _Way]) -> None:
        """Collect all files in every way, in turn, some times; add what a row costs."""
        number = 0
        for _ in range(self.scale.runs):
            for way in ways.values():
                number += 1
                way.costs.append(asyncio.run(self._collect(way.make(number), way.steps)))
        for name, way in ways.items():
            cpu, note = middle([cost.cpu for cost in way.costs])
            wall, _ = middle([cost.wall for cost in way.costs])
            said = f"{1e6 / cpu:,.0f} rows/s of a core; {1e6 / wall:,.0f} by the clock; {note}"
            section.add(name, cpu, "µs CPU per row", said)

    async def _collect(self, inlet: Inlet, names: Sequence[str]) -> _Cost:
        identity = Identity(KEY, HOME_CC)
        memories = Memories()
        around = Around(identity, DISORDER, {CELLS: table(self.cells)}, memories)
        asked = [Asked(TREATMENTS[name], TREATMENTS[name].options(**GIVEN.get(name, {}))) for name in names]
        chain = chain_of(asked, around) if asked else None
        edge = None if chain is None else next((one for one in chain.steps if isinstance(one, Edge)), None)
        source = Landing("bench", self.folder, load_map(MAP), move=False)
        collector = LiveCollector(
            inlet,
            [Live(source, disorder=DISORDER, chain=chain, edge=edge)],
            identity,
            wall=lambda: _LATER,
            shared=memories if memories else None,
        )
        await collector.start()
        cpu, wall = process_time(), time.perf_counter()
        await collector.drain()
        cpu, wall = process_time() - cpu, time.perf_counter() - wall
        await collector.close()
        taken = collector.counts["read"]
        if collector.counts["refused"] or (taken != self.rows if chain is None else not taken):
            raise StateError(f"bench collecting: expected {self.rows} records, was {taken}")
        return _Cost(cpu / self.rows * 1e6, wall / self.rows * 1e6)


def _write(folder: Path, rows: int) -> tuple[int, list[str]]:
    """Put made rows into files; return how many, and all their cells."""
    folder.mkdir()
    made = s1_mme_rows(rows)
    number = 0
    cells = set[str]()
    while lines := list(islice(made, IN_FILE)):
        (folder / f"mme_{number:04}.txt").write_text("".join(lines), encoding="utf-8")
        number += 1
        for columns in (line.split("|") for line in lines):
            cells.update(f"460-00-{int(columns[at], 16)}" for at in CELL_COLUMNS)
    return rows, sorted(cells)


def _in_memory(_: int) -> Inlet:
    return MemoryInlet(MemoryLog(PARTITIONS), "bench", Checkpoints())


def _on_kafka(server: KafkaServer, at_once: int, number: int) -> Inlet:
    """Make the way into a new log of a real Kafka."""
    prefix = f"bench{number}"
    server.create_topics(f"{prefix}.events.v1", partitions=PARTITIONS)
    server.create_topics(f"{prefix}.deadletters.v1", f"{prefix}.checkpoints.v1")
    return KafkaInlet({"bootstrap_servers": server.bootstrap}, prefix, "bench", PARTITIONS, at_once)


def _many(at_once: int) -> str:
    return f"{at_once} records a message" if at_once > 1 else "a message per record"


@contextmanager
def _kafka(folder: Path) -> Iterator[KafkaServer]:
    server = KafkaServer(folder / "kafka")
    try:
        server.start()
        yield server
    finally:
        server.stop()
