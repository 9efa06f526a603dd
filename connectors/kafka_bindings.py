"""Which number is bound to which subscriber key: learned from the compacted topic of profiles.

Any collector may be the one that reads a profile; the engine writes every profile, merged, to
`PREFIX.profiles.v1` (key = subscriber key, `msisdn` in the value, no value = forgotten). A collector reads
the topic to its end when it starts, and follows it from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka_read import log_errors, partitions_of, reader
from connectors.kafka_start import start, stop
from engine.errors import LogError
from engine.identity import Identity

POLL_AT_MOST = 1_000
"""Profiles taken in by one poll: it stands between two steps of the collector."""


class KafkaBindings:
    """Keeps an identity's bindings up to date. Every error of Kafka is a `LogError`."""

    def __init__(self, options: Mapping[str, Any], prefix: str) -> None:
        self.topic = f"{prefix}.profiles.v1"
        self._options = dict(options)
        self._consumer: AIOKafkaConsumer | None = None
        self._identity: Identity | None = None

    async def load(self, identity: Identity) -> None:
        """Bind all that is in the topic now."""
        await self.close()
        self._identity = identity
        try:
            with log_errors(self.topic, "be read"):
                consumer = reader(self._options, isolation_level="read_uncommitted")
                await start(consumer)
                self._consumer = consumer
                numbers = await partitions_of(self._options, self.topic)
                partitions = [TopicPartition(self.topic, number) for number in numbers]
                consumer.assign(partitions)
                await consumer.seek_to_beginning(*partitions)
                found = await consumer.end_offsets(partitions)
                ends = {partition: end for partition, end in found.items() if end > 0}
                while ends:
                    await self._take(timeout_ms=200)
                    for partition, end in list(ends.items()):
                        if await consumer.position(partition) >= end:
                            del ends[partition]
        except LogError:
            await self.close()
            raise

    async def poll(self) -> None:
        """Bind what has come since, without waiting for more."""
        with log_errors(self.topic, "be read"):
            await self._take(timeout_ms=0)

    async def close(self) -> None:
        """Leave the topic."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop(consumer)

    async def _take(self, timeout_ms: int) -> None:
        if self._consumer is None or self._identity is None:
            raise LogError(f"topic {self.topic}: expected to be loaded first, was not")
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=POLL_AT_MOST)
        for messages in fetched.values():
            bind(self._identity, ((message.key, message.value) for message in messages))


def bind(identity: Identity, profiles: Iterable[tuple[bytes | None, bytes | None]]) -> None:
    """Take in profiles, (key, value) in the order of a partition; one that can't be read binds nothing.

    Partitions come in any order: of two profiles with one number the later binding holds (`Identity`).
    """
    last: dict[str, bytes | None] = {}
    for key, value in profiles:
        if key is not None:
            last[key.decode("ascii", "replace")] = value
    if forgotten := {owner for owner, value in last.items() if not value}:
        identity.forget_keys(forgotten)
    for owner, value in last.items():
        if value:
            number, at = _number(value)
            if number is not None:
                identity.bind_key(number, owner, at)


def _number(profile: bytes) -> tuple[str | None, int]:
    """Return the number in a profile, and the time of the record that bound it, µs; 0: not known."""
    try:
        read = orjson.loads(profile)
    except orjson.JSONDecodeError:
        return None, 0
    if read.__class__ is not dict:
        return None, 0
    number, at = read.get("msisdn"), read.get("bound_at")
    return (number if number.__class__ is str else None), (at if at.__class__ is int else 0)
