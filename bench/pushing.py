"""`bench pushing`: doors that others push into, over real connections, into a memory log.

Senders run in a process of their own; what is measured is the CPU of the collector's process: server, intake,
records, checkpoint. Everything is acknowledged only when it is durable.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from time import process_time

import uvloop

from bench.course import HOME_CC, KEY
from bench.doors import MAP
from bench.pusher import BATCH, REPORTS
from bench.report import ROOT, Scale, Section, middle, tell
from connectors.column_map import load_map
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from connectors.push.door import PushDoor
from connectors.push.doors import amf_door, camara_door, nef_door, tcp_door
from connectors.push.options import AmfOptions, CamaraOptions, NefOptions, TcpOptions
from engine.collector import Live, LiveCollector, Pace
from engine.identity import Identity

_OPEN = {"listen": "127.0.0.1:0", "unauthenticated": True}


@dataclass(slots=True)
class _Way:
    """What a sender sends, how many records are in each request or line, and what each cost, µs of CPU."""

    what: str
    records: int = 1
    costs: list[float] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    """Seconds of the clock for each."""

    @property
    def is_lines(self) -> bool:
        """Whether lines are sent, not requests."""
        return self.what in ("lines", "rows")

    def count(self, rows: int) -> int:
        """Return how many are sent."""
        requests = min(rows // 10, 2_000)
        return rows if self.is_lines else requests // 5 if self.records == BATCH else requests


RATIOS = (
    ("NEF, 1 report, HTTP/1.1", "CAMARA, 1 event, HTTP/1.1"),
    ("AMF, 1 report, HTTP/2", "CAMARA, 1 event, HTTP/2"),
    ("NEF, 10 reports, HTTP/2", "AMF, 10 reports, HTTP/2"),
)


def measure(scale: Scale) -> Section:
    """Push requests and lines in every way, in turn, and wait until all are acknowledged."""
    tell("pushing: webhooks and TCP lines")
    section = Section("pushing", "pushed records, CPU of the collector's process")
    ways = {
        "CAMARA, 1 event, HTTP/1.1": _Way("camara"),
        "CAMARA, 1 event, HTTP/2": _Way("camara http2"),
        "CAMARA, batch of 100, HTTP/1.1": _Way("camara batch", BATCH),
        "AMF, 1 report, HTTP/2": _Way("amf one http2"),
        "AMF, 10 reports, HTTP/2": _Way("amf http2", REPORTS),
        "NEF, 1 report, HTTP/1.1": _Way("nef one"),
        "NEF, 10 reports, HTTP/1.1": _Way("nef", REPORTS),
        "NEF, 10 reports, HTTP/2": _Way("nef http2", REPORTS),
        "TCP lines, JSON": _Way("lines"),
        "TCP lines, xDR rows": _Way("rows"),
    }
    for _ in range(scale.runs):
        for way in ways.values():
            count = way.count(scale.rows)
            cpu, wall = uvloop.run(_run(way.what, count))
            way.costs.append(cpu / count * 1e6)
            way.walls.append(wall / count)
    for name, way in ways.items():
        rate, note = middle([1e6 / cost for cost in way.costs])
        unit = "lines per second" if way.is_lines else "requests per second"
        each = f"{1e6 / rate:.1f} µs each; {rate * way.records:,.0f} records/s"
        section.add(name, rate, unit, f"{each}; {1 / min(way.walls):,.0f}/s by the wall clock; {note}")
    for over, under in RATIOS:
        times, note = middle([a / b for a, b in zip(ways[over].costs, ways[under].costs, strict=True)])
        section.add(f"{over} / {under}", times, "times", f"CPU of a request; {note}")
    section.remarks.append("Senders: 32 connections (TCP: 4) from another process; the log is in memory.")
    return section


def _door(what: str) -> PushDoor:
    if what.startswith("camara"):
        return camara_door("pushed", CamaraOptions.model_validate(_OPEN))
    if what.startswith("amf"):
        return amf_door("pushed", AmfOptions.model_validate(_OPEN))
    if what.startswith("nef"):
        return nef_door("pushed", NefOptions.model_validate({**_OPEN, "plmn": "46000"}))
    columns = load_map(MAP) if what == "rows" else None
    return tcp_door("pushed", TcpOptions.model_validate({**_OPEN, "acknowledge": True}), columns)


async def _run(what: str, count: int) -> tuple[float, float]:
    """Return seconds of CPU and of the clock that it took to collect what a sender sends."""
    door = _door(what)
    inlet = MemoryInlet(MemoryLog(16), "bench", Checkpoints())
    collector = LiveCollector(
        inlet,
        [Live(door)],
        Identity(KEY, HOME_CC),
        wall=lambda: time.time_ns() // 1_000,
        pace=Pace(rest=0.002),
    )
    stop = asyncio.Event()
    await collector.start()
    stepping = asyncio.create_task(_steps(collector, stop))
    sender = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.pusher", what, str(door.server.port), str(count)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert sender.stdin is not None
    assert sender.stdout is not None
    assert await sender.stdout.readline() == b"ready\n"
    cpu, wall = process_time(), time.perf_counter()
    sender.stdin.write(b"go\n")
    said = await sender.stdout.readline()
    cpu, wall = process_time() - cpu, time.perf_counter() - wall
    await sender.wait()
    stop.set()
    await stepping
    await collector.close()
    if said != b"done\n" or collector.counts["refused"]:
        raise RuntimeError(f"expected all to be taken, was {said!r} with {dict(collector.refused)}")
    return cpu, wall


async def _steps(collector: LiveCollector, stop: asyncio.Event) -> None:
    while not stop.is_set():  # noqa: ASYNC110 - a step is no event
        await asyncio.sleep(0 if await collector.step() else 0.002)
