"""The door for somebody else's Kafka topic: what its messages are is known to `connectors.topic_messages`.

Partitions are assigned, not shared by a group: how far each was read is in our checkpoint, in the same step
as the records, so a crash repeats nothing and skips nothing. What can't be gone on with is logged and told as
a dead letter of reason `gap` per partition:

    retention has taken messages before they were read        go on from the oldest that is left
    the settings name another topic, or it was made anew      all of it from the beginning
    a partition ends before the position (lost by Kafka)      this partition from its beginning

Messages whose schema is not known yet wait, fetched, until the registry has told it: while that is down, the
topic stands and everything else goes on. `trouble` says so.

A topic is known by its name and Kafka's id of it. Where an id is missing (a checkpoint of before, brokers
older than 2.8), a position that the topic can't have says that it is another one.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from connectors.field_map import FieldMap
from connectors.kafka_read import log_errors, reader
from connectors.kafka_start import start, stop
from connectors.kafka_topic_id import TopicFound, find_topic
from connectors.lost import lost_connections
from connectors.topic_messages import SchemaSource, TopicMessages
from engine.errors import LogError
from engine.event import Event
from engine.intake import Intake

LOOK_SECONDS = 30.0
"""How often new partitions are looked for, and whether it is still the same topic."""
BYTES_AT_MOST = 8 << 20
"""Of messages that are read at a time, and a message more: so much is in memory as events."""
RETRY_SECONDS = 1.0
"""Until a registry that was down is asked again."""

log = structlog.get_logger("foreign_topic")


class ForeignTopic:
    """A topic as a source; Kafka's errors are `LogError`. `options`: connection options of aiokafka.

    `fields` and `schemas`: as `TopicMessages` takes them.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        options: Mapping[str, Any],
        *,
        fields: FieldMap | None = None,
        schemas: SchemaSource | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topic = topic
        self.counts: Counter[str] = Counter()
        """`messages` read, `gaps` met, since the start."""
        self._name = name
        self._options = dict(options)
        self.trouble = ""
        """Why messages that are there can't be read just now; empty if all is well."""
        self._fields = fields
        self._schemas = schemas
        self._clock = clock
        self._consumer: AIOKafkaConsumer | None = None
        self._intake: Intake | None = None
        self._messages: TopicMessages | None = None
        self._held: deque[ConsumerRecord[bytes, bytes]] = deque()
        """Fetched, but not read yet."""
        self._learning: asyncio.Task[None] | None = None
        self._learn_at = 0.0
        self._id = ""
        """Kafka's of the topic; empty: not known."""
        self._offsets: dict[int, int] = {}
        """Partition -> offset of the next message."""
        self._look_at = 0.0
        self._looking: asyncio.Task[TopicFound] | None = None

    @property
    def name(self) -> str:
        """Its name in the checkpoint."""
        return self._name

    @property
    def position(self) -> Mapping[str, Any]:
        """Which topic it is, and the offset of the next message of each partition."""
        offsets = {str(partition): offset for partition, offset in self._offsets.items()}
        return {"topic": self.topic, "id": self._id, "offsets": offsets}

    @property
    def origin(self) -> Mapping[str, str]:
        """The topic."""
        return {"topic": self.topic}

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        """Go on from a position; partitions not in it, and all of another topic, from the beginning."""
        await self.close()
        self._intake = intake
        messages = self._messages = TopicMessages(self.topic, intake, self._fields, self._schemas)
        self._offsets, self._id = {}, ""
        try:
            with log_errors(self.topic, "be read"):
                found = await find_topic(self._options, self.topic)
                self._id = messages.id = found.id
                consumer = reader(self._options, auto_offset_reset="none")
                await start(consumer)
                self._consumer = consumer
                if position:
                    self._offsets = await self._going_on(consumer, position, found)
                await self._assign(consumer, found.partitions)
        except LogError:
            await self.close()
            raise

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of messages that have been fetched; None if none can be read now.

        About `limit` of them: a message is read as a whole.
        """
        consumer, messages = self._consumer, self._messages
        if consumer is None or messages is None:
            raise LogError(f"topic {self.topic}: expected to be opened first, was not")
        with log_errors(self.topic, "be read"):
            await self._look(consumer)
            if not self._held:
                fetched = await consumer.getmany(timeout_ms=0, max_records=limit)
                self._held.extend(message for found in fetched.values() for message in found)
        self._take_in_schema()
        events: list[Event] = []
        count = size = 0
        while self._held and count < limit and len(events) < limit and size < BYTES_AT_MOST:
            message = self._held[0]
            raw = message.value or b""
            unknown = messages.needs(raw)
            if unknown is not None:
                self._learn(unknown)
                break
            self._held.popleft()
            count += 1
            size += len(raw)
            events += messages.read(message, message.partition, message.offset)
            self._offsets[message.partition] = message.offset + 1
        self.counts["messages"] += count
        return events if count else None

    async def committed(self) -> None:
        """Nothing is left to do: the position is in the checkpoint."""

    async def close(self) -> None:
        """Leave the topic."""
        tasks = [task for task in (self._looking, self._learning) if task is not None]
        self._looking = self._learning = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._held.clear()
        if self._schemas is not None:
            await self._schemas.close()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop(consumer)

    # -- schemas ---------------------------------------------------------------------------------------------

    def _learn(self, number: int) -> None:
        """Have a schema learned meanwhile, one at a time."""
        if self._learning is None and self._clock() >= self._learn_at and self._schemas is not None:
            self._learning = asyncio.create_task(self._schemas.learn(number))

    def _take_in_schema(self) -> None:
        """Take in what became of the schema that was to be learned."""
        if self._learning is None or not self._learning.done():
            return
        learned, self._learning = self._learning, None
        try:
            learned.result()
        except LogError as error:
            if str(error) != self.trouble:  # what stays is said once
                log.warning("messages wait for their schema", topic=self.topic, problem=str(error))
            self.trouble = str(error)
            self._learn_at = self._clock() + RETRY_SECONDS
        else:
            self.trouble = ""

    # -- the position ----------------------------------------------------------------------------------------

    async def _going_on(
        self, consumer: AIOKafkaConsumer, position: Mapping[str, Any], found: TopicFound
    ) -> dict[int, int]:
        """Return the offsets of a position that this topic goes on from; tell of the others."""
        offsets = {int(partition): offset for partition, offset in position.get("offsets", {}).items()}
        # a checkpoint of before names no topic: it is taken for that of this one
        topic, known = position.get("topic", self.topic), position.get("id", "")
        before, now = _named(topic, known), _named(self.topic, found.id)
        if topic != self.topic or (known and found.id and known != found.id):
            self._tell_other(topic, offsets, before, now)
            return {}
        there = [TopicPartition(self.topic, partition) for partition in sorted({*offsets} & found.partitions)]
        ends = {part.partition: end for part, end in (await consumer.end_offsets(there)).items()}
        beyond = {
            partition: offset for partition, offset in offsets.items() if offset > ends.get(partition, -1)
        }
        if not beyond:
            return offsets
        if known != found.id or not known:
            self._tell_other(
                topic, offsets, f"{before} with the offsets of the checkpoint", f"a shorter {now}"
            )
            return {}
        for partition, offset in beyond.items():
            end = ends.get(partition, 0)
            log.warning("a partition ends too early, read anew", topic=topic, partition=partition, offset=end)
            detail = f"end: expected at least {offset}, was {end}: read again from the beginning"
            self._tell_gap(topic, partition, offset, detail)
        return {partition: offset for partition, offset in offsets.items() if partition not in beyond}

    def _tell_other(self, topic: str, offsets: Mapping[int, int], expected: str, was: str) -> None:
        """Tell that the topic that was read is gone; `offsets`: what was not read of it begins there."""
        log.warning(
            "the topic is another one, read from its beginning", topic=self.topic, expected=expected, was=was
        )
        detail = f"topic: expected {expected}, was {was}: read from its beginning"
        for partition, offset in sorted(offsets.items()):
            self._tell_gap(topic, partition, offset, detail)

    def _tell_gap(self, topic: str, partition: int, offset: int, detail: str) -> None:
        assert self._intake is not None
        self.counts["gaps"] += 1
        self._intake.refuse("gap", detail, self.topic, f"{topic}:{partition}:{offset}", "")

    # -- partitions ------------------------------------------------------------------------------------------

    async def _assign(self, consumer: AIOKafkaConsumer, partitions: Collection[int]) -> None:
        """Read these partitions from where they stand, or from the oldest message that is left."""
        self._held.clear()  # they are fetched again
        topic_partitions = [TopicPartition(self.topic, partition) for partition in sorted(partitions)]
        consumer.assign(topic_partitions)
        self._look_at = self._clock() + LOOK_SECONDS
        for topic_partition, oldest in (await consumer.beginning_offsets(topic_partitions)).items():
            partition = topic_partition.partition
            wanted = self._offsets.setdefault(partition, oldest)
            if wanted < oldest:
                log.warning(
                    "messages went before they were read",
                    topic=self.topic,
                    partition=partition,
                    since=wanted,
                    offset=oldest,
                )
                detail = f"offset: expected {wanted}, was {oldest}: retention has taken what was between"
                self._tell_gap(self.topic, partition, wanted, detail)
                self._offsets[partition] = oldest
            consumer.seek(topic_partition, self._offsets[partition])

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Take in partitions that the topic has got since; find out when it was made anew. Never wait long.

        Brokers that do not answer are no reason to stop: other sources go on meanwhile.
        """
        if self._looking is None and self._clock() >= self._look_at:
            self._looking = asyncio.create_task(find_topic(self._options, self.topic))
        if self._looking is None or not self._looking.done():
            return
        look, self._looking = self._looking, None
        self._look_at = self._clock() + LOOK_SECONDS
        try:
            with lost_connections():
                found = look.result()
        except (KafkaError, OSError, TimeoutError):
            return
        if self._id and found.id and found.id != self._id:
            # who opens it again reads it from the beginning
            expected, was = _named(self.topic, self._id), _named(self.topic, found.id)
            raise LogError(f"topic {self.topic}: expected {expected}, was {was}: it was made anew")
        if found.partitions - set(self._offsets):
            await self._assign(consumer, found.partitions)


def _named(topic: str, id: str) -> str:
    """Name a topic with its id, where that is known."""
    return f"{topic} (id {id})" if id else topic
