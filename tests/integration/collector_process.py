"""A collector to be killed: BOOTSTRAP PREFIX FOLDER PARTITIONS AT_ONCE. Prints a line per step."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from connectors.kafka_inlet import KafkaInlet
from connectors.landing import Landing
from engine.collector import Live, LiveCollector, Pace
from engine.identity import Identity

KEY = b"key of the tests"


class LoudInlet(KafkaInlet):
    """Says when a step is done."""

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        await super().append(records, checkpoint, dead)
        print(len(records), flush=True)


async def main(bootstrap: str, prefix: str, folder: str, partitions: str, at_once: str) -> None:
    """Collect until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    collector = LiveCollector(
        LoudInlet({"bootstrap_servers": bootstrap}, prefix, "c1", int(partitions), int(at_once)),
        [Live(Landing("landing", Path(folder), scan_seconds=0.05))],
        Identity(KEY),
        wall=lambda: time.time_ns() // 1_000,
        pace=Pace(records=300, rest=0.01),
    )
    await collector.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
