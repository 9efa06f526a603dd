"""Inlets to hold against their contract, and readers of what they wrote."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka_inlet import KafkaInlet
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from engine.ports import Inlet
from tests.servers.kafka import KafkaServer

PARTITIONS = 3


class Inlets(Protocol):
    """One log, and ways into it."""

    def open(self, source: str, at_once: int = 1) -> Inlet:
        """Make an inlet of a source that puts so many records into a message."""
        ...

    async def log(self, partition: int) -> list[bytes]:
        """Read what lanes would see of a partition."""
        ...

    async def dead(self) -> list[bytes]:
        """Read the dead letters."""
        ...

    async def close(self) -> None:
        """Close the inlets."""
        ...


class MemoryInlets:
    """Over the twin."""

    def __init__(self) -> None:
        self._log = MemoryLog(PARTITIONS)
        self._checkpoints = Checkpoints()

    def open(self, source: str, at_once: int = 1) -> Inlet:
        return MemoryInlet(self._log, source, self._checkpoints, at_once)

    async def log(self, partition: int) -> list[bytes]:
        return [record.value for record in await self._log.fetch(partition, 0, 1 << 20)]

    async def dead(self) -> list[bytes]:
        return list(self._checkpoints.dead)

    async def close(self) -> None:
        """Nothing is open."""


class KafkaInlets:
    """Over a real Kafka."""

    def __init__(self, server: KafkaServer, prefix: str) -> None:
        self.options: dict[str, Any] = {"bootstrap_servers": server.bootstrap}
        self.prefix = prefix
        self._opened: list[KafkaInlet] = []
        create_topics(server, prefix, PARTITIONS)

    def open(self, source: str, at_once: int = 1) -> KafkaInlet:
        self._opened.append(KafkaInlet(self.options, self.prefix, source, PARTITIONS, at_once))
        return self._opened[-1]

    async def log(self, partition: int) -> list[bytes]:
        return await read_committed(self.options, f"{self.prefix}.events.v1", partition)

    async def dead(self) -> list[bytes]:
        return await read_committed(self.options, f"{self.prefix}.deadletters.v1")

    async def close(self) -> None:
        for inlet in self._opened:
            await inlet.close()


def records_in(values: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return the records of messages, one after the other."""
    read = [orjson.loads(value) for value in values]
    return [record for one in read for record in (one if isinstance(one, list) else [one])]


def create_topics(server: KafkaServer, prefix: str, partitions: int) -> None:
    """Make the topics that a collector writes, and the profiles it learns bindings from."""
    server.create_topics(f"{prefix}.events.v1", partitions=partitions)
    server.create_topics(f"{prefix}.deadletters.v1")
    compacted = {"cleanup.policy": "compact"}
    server.create_topics(f"{prefix}.checkpoints.v1", f"{prefix}.profiles.v1", partitions=2, options=compacted)


async def read_committed(options: dict[str, Any], topic: str, partition: int = 0) -> list[bytes]:
    """Read the committed messages of a partition, up to the end of all that is written.

    A transaction's end is written a moment after its commit has returned: the committed end comes later.
    """
    part = TopicPartition(topic, partition)
    async with AIOKafkaConsumer(**options, group_id=None) as consumer:
        end = (await consumer.end_offsets([part]))[part]
    found: list[bytes] = []
    async with AIOKafkaConsumer(**options, group_id=None, isolation_level="read_committed") as consumer:
        consumer.assign([part])
        await consumer.seek_to_beginning(part)
        while await consumer.position(part) < end:
            for messages in (await consumer.getmany(timeout_ms=100)).values():
                found += [message.value for message in messages]
    return found
