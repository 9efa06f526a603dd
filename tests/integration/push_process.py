"""A collector with doors that others push into, to be killed: BOOTSTRAP PREFIX PARTITIONS HTTP_PORT TCP_PORT.

Prints a line per step.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time

import uvloop

from connectors.push.doors import camara_door, tcp_door
from connectors.push.options import CamaraOptions, TcpOptions
from engine.collector import LiveCollector
from engine.identity import Identity
from engine.live import Live, Pace
from tests.integration.collector_process import KEY, LoudInlet


async def main(bootstrap: str, prefix: str, partitions: str, http: str, tcp: str) -> None:
    """Collect until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    webhook = CamaraOptions(listen=f"127.0.0.1:{http}", unauthenticated=True)
    lines = TcpOptions(listen=f"127.0.0.1:{tcp}", unauthenticated=True, acknowledge=True)
    collector = LiveCollector(
        LoudInlet({"bootstrap_servers": bootstrap}, prefix, "c1", int(partitions)),
        [Live(camara_door("webhook", webhook)), Live(tcp_door("lines", lines))],
        Identity(KEY),
        wall=lambda: time.time_ns() // 1_000,
        pace=Pace(records=20, rest=0.005),
    )
    await collector.run(stop)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
