"""Published sets of rules: the compacted topic `PREFIX.rules.v1`, key = hash, followed while a role runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka_read import log_errors, read_to_end, reader
from connectors.kafka_start import start, started, stop
from connectors.lost import lost_connections
from engine import changes
from engine.changes import Change
from engine.errors import InputError, RulesError
from engine.published import BYTES_AT_MOST, Published, read, unpack
from engine.rulebook import Rulebook

log = structlog.get_logger("rules")

ROOM = 1 << 20
KEPT = 8
"""Compiled sets kept in memory: the one in force, those before it, one that comes."""
RETRY = 1.0
PARTITION = 0


class KafkaRules:
    """The sets that were published so far. `key`: TOUCHPOINT_KEY, by which literals of rules are hashed.

    Call `start`, then have `follow` run beside everything else; cancel it before `stop`.
    """

    def __init__(self, options: Mapping[str, Any], topic: str, key: bytes, home_cc: str) -> None:
        self.topic = topic
        self.sets: dict[str, Published] = {}
        """By hash."""
        self._options = dict(options)
        self._key = key
        self._home_cc = home_cc
        self._books: dict[str, Rulebook] = {}
        self._place = TopicPartition(topic, PARTITION)
        self._consumer: AIOKafkaConsumer | None = None
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Read what there is. Raise `LogError` if that is not possible."""
        place = self._place
        with log_errors(self.topic, "be read"):
            consumer = reader(
                self._options,
                fetch_max_bytes=BYTES_AT_MOST + ROOM,
                max_partition_fetch_bytes=BYTES_AT_MOST + ROOM,
            )
            await start(consumer)
            self._consumer = consumer
            try:
                consumer.assign([place])
                await consumer.seek_to_beginning(place)
                end = (await consumer.end_offsets([place]))[place]
                while await consumer.position(place) < end:
                    self._take(await consumer.getmany(place, timeout_ms=200))
            except BaseException:
                await self.stop()
                raise

    async def follow(self) -> None:
        """Take what is published from now on, until cancelled.

        While Kafka does not answer it tries again; any other error is a bug and passed on: without this no
        switch is ever followed again, so that the process has to end.
        """
        consumer = self._consumer
        assert consumer is not None
        while True:
            try:
                with lost_connections():
                    self._take(await consumer.getmany(self._place, timeout_ms=500))
            except (KafkaError, OSError) as error:
                log.warning("rules can't be read", error=error)
                await asyncio.sleep(RETRY)

    async def stop(self) -> None:
        """Let go of Kafka."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop(consumer)

    def book(self, name: str) -> Rulebook:
        """Return a set compiled; raise KeyError if it was not published, or can't be compiled any more."""
        found = self._books.pop(name, None)
        if found is None:
            try:
                found = Rulebook(unpack(self.sets[name], self._home_cc), self._key)
            except (RulesError, InputError) as error:
                log.error("rules can't be compiled", hash=name, error=error)
                raise KeyError(name) from error
            while len(self._books) >= KEPT:
                del self._books[next(iter(self._books))]
        self._books[name] = found
        return found

    async def wait(self, name: str, within: float) -> bool:
        """Wait up to `within` seconds for a set to come; say whether it has."""
        end = time.monotonic() + within
        while name not in self.sets:
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                return name in self.sets
        return True

    def _take(self, fetched: Mapping[TopicPartition, Sequence[Any]]) -> None:
        for records in fetched.values():
            for record in records:
                if record.value is None or (record.key or b"").startswith(changes.KEY):
                    continue
                try:
                    published = read(record.value)
                except InputError as error:
                    log.error("rules can't be read", offset=record.offset, error=error)
                    continue
                self.sets[published.hash] = published
                self._news.set()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the topic of rules holds, oldest first."""

    sets: list[Published]
    changes: list[Change]
    unread: list[int]
    """Offsets of messages that are none of ours."""

    @property
    def base(self) -> str | None:
        """Hash of the set in force for all but those of a canary; None if there is none."""
        if not self.changes:  # published by a version that kept no journal
            return self.sets[-1].hash if self.sets else None
        last = self.changes[-1]
        return last.before if last.canary is not None else last.change


@dataclass(frozen=True, slots=True)
class Publication:
    """What one change of the rules writes."""

    change: Change
    value: bytes | None
    """The set as a message; None if it is published already."""
    switches: Sequence[tuple[int, bytes]]
    """(partition, record) of the log."""


async def standing(options: Mapping[str, Any], topic: str) -> Standing:
    """Read all sets and changes, in the order in which they were written."""
    sets: dict[str, Published] = {}
    changed: list[Change] = []
    unread: list[int] = []
    async for records in read_to_end(options, topic, PARTITION):
        for record in records:
            if record.value is None:
                continue
            try:
                if (record.key or b"").startswith(changes.KEY):
                    changed.append(changes.read(record.value))
                else:
                    published = read(record.value)
                    sets.pop(published.hash, None)
                    sets[published.hash] = published
            except InputError:
                unread.append(record.offset)
    return Standing(list(sets.values()), changed, unread)


async def published_sets(options: Mapping[str, Any], topic: str) -> list[Published]:
    """Return the published sets, oldest first."""
    return (await standing(options, topic)).sets


async def publish(options: Mapping[str, Any], prefix: str, make: Callable[[Standing], Publication]) -> Change:
    """Write a set, who changed to it, and its switch into every partition of the log: in one transaction.

    `make` is given what stands once nobody else can write any more: of two who publish at the same moment the
    second fences the first, which fails with `LogError` and has written nothing. What `make` raises is passed
    on, and nothing is written. Returns the change.
    """
    topic, events = f"{prefix}.rules.v1", f"{prefix}.events.v1"
    with log_errors(topic, "be written"):
        producer = AIOKafkaProducer(
            **options,
            transactional_id=f"{prefix}.rules",
            transaction_timeout_ms=10_000,
            max_request_size=BYTES_AT_MOST + ROOM,
        )
        async with started(producer):
            made = make(await standing(options, topic))
            async with producer.transaction():
                change = made.change
                sent = [await producer.send(topic, change.value, key=change.key, partition=PARTITION)]
                if made.value is not None:
                    key = change.change.encode()
                    sent.append(await producer.send(topic, made.value, key=key, partition=PARTITION))
                for partition, record in made.switches:
                    sent.append(await producer.send(events, record, partition=partition))
                await asyncio.gather(*sent)
    return made.change
