"""A collector of a foreign topic as a process to be killed: BOOTSTRAP PREFIX PARTITIONS TOPIC MAP REGISTRY.

Prints a line per step.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time

from connectors.field_map import load_field_map
from connectors.foreign_topic import ForeignTopic
from connectors.registry_options import RegistryAccess, schemas_of
from engine.collector import Live, LiveCollector, Pace
from engine.identity import Identity
from tests.integration.collector_process import KEY, LoudInlet


async def main(bootstrap: str, prefix: str, partitions: str, topic: str, map: str, registry: str) -> None:
    """Collect until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = {"bootstrap_servers": bootstrap}
    schemas = schemas_of(RegistryAccess((registry,)))
    door = ForeignTopic("feed", topic, options, fields=load_field_map(map), schemas=schemas)
    collector = LiveCollector(
        LoudInlet(options, prefix, "c1", int(partitions)),
        [Live(door)],
        Identity(KEY),
        wall=lambda: time.time_ns() // 1_000,
        pace=Pace(records=200, rest=0.01),
    )
    await collector.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
