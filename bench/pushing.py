"""`bench pushing`: doors that others push into, over real connections, into a memory log.

Senders run in a process of their own; what is measured is the CPU of the collector's process: server, intake,
records, checkpoint. Everything is acknowledged only when it is durable.
"""

from __future__ import annotations

import asyncio
import sys
import time
from time import process_time

import uvloop

from bench.course import HOME_CC, KEY
from bench.doors import MAP
from bench.report import ROOT, Scale, Section, middle, tell
from connectors.column_map import load_map
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from connectors.push.door import PushDoor
from connectors.push.doors import amf_door, camara_door, tcp_door
from connectors.push.options import AmfOptions, CamaraOptions, TcpOptions
from engine.collector import Live, LiveCollector, Pace
from engine.identity import Identity

_OPEN = {"listen": "127.0.0.1:0", "unauthenticated": True}


def measure(scale: Scale) -> Section:
    """Push requests and lines, and wait until all are acknowledged."""
    tell("pushing: webhooks and TCP lines")
    section = Section("pushing", "pushed records, CPU of the collector's process")
    requests, lines = min(scale.rows // 10, 2_000), scale.rows
    _add(section, scale, "CAMARA, 1 event, HTTP/1.1", "camara", requests, 1)
    _add(section, scale, "CAMARA, 1 event, HTTP/2", "camara http2", requests, 1)
    _add(section, scale, "CAMARA, batch of 100, HTTP/1.1", "camara batch", requests // 5, 100)
    _add(section, scale, "AMF, 10 reports, HTTP/2", "amf http2", requests, 10)
    _add(section, scale, "TCP lines, JSON", "lines", lines, 1)
    _add(section, scale, "TCP lines, xDR rows", "rows", lines, 1)
    section.remarks.append("Senders: 32 connections (TCP: 4) from another process; the log is in memory.")
    return section


def _add(section: Section, scale: Scale, name: str, what: str, count: int, records: int) -> None:
    """Measure one way. `count`: requests or lines; `records`: of each."""
    rates, walls = [], []
    for _ in range(scale.runs):
        cpu, wall = uvloop.run(_run(what, count))
        rates.append(count / cpu)
        walls.append(count / wall)
    rate, note = middle(rates)
    unit = "lines per second" if what in ("lines", "rows") else "requests per second"
    told = f"{1e6 / rate:.1f} µs each; {rate * records:,.0f} records/s; {max(walls):,.0f}/s by the wall clock"
    section.add(name, rate, unit, f"{told}; {note}")


def _door(what: str) -> PushDoor:
    if what.startswith("camara"):
        return camara_door("pushed", CamaraOptions.model_validate(_OPEN))
    if what.startswith("amf"):
        return amf_door("pushed", AmfOptions.model_validate(_OPEN))
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
