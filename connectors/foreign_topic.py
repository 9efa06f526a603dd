"""The door for somebody else's Kafka topic: JSON, a record or an array of them per message.

Partitions are assigned, not shared by a group: how far each was read is in our checkpoint, in the same step
as the records, so a crash repeats nothing and skips nothing. Messages that retention has taken before they
were read are told as a dead letter of reason `gap`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka_read import log_errors, partitions_of, reader
from engine.errors import LogError
from engine.event import Event
from engine.intake import Intake

LOOK_SECONDS = 30.0
"""How often new partitions are looked for."""


class ForeignTopic:
    """A topic as a source; Kafka's errors are `LogError`. `options`: connection options of aiokafka."""

    def __init__(
        self,
        name: str,
        topic: str,
        options: Mapping[str, Any],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topic = topic
        self.counts: Counter[str] = Counter()
        """`messages` read, `gaps` met, since the start."""
        self._name = name
        self._options = dict(options)
        self._clock = clock
        self._consumer: AIOKafkaConsumer | None = None
        self._intake: Intake | None = None
        self._offsets: dict[int, int] = {}
        """Partition -> offset of the next message."""
        self._look_at = 0.0

    @property
    def name(self) -> str:
        """Its name in the checkpoint."""
        return self._name

    @property
    def position(self) -> Mapping[str, Any]:
        """The offset of the next message of each partition."""
        return {"offsets": {str(partition): offset for partition, offset in self._offsets.items()}}

    @property
    def origin(self) -> Mapping[str, str]:
        """The topic."""
        return {"topic": self.topic}

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        """Go on from a position; partitions not in it from their beginning."""
        await self.close()
        self._intake = intake
        offsets = (position or {}).get("offsets", {})
        self._offsets = {int(partition): offset for partition, offset in offsets.items()}
        try:
            with log_errors(self.topic, "be read"):
                partitions = set(await partitions_of(self._options, self.topic))
                consumer = self._consumer = reader(self._options, auto_offset_reset="none")
                await consumer.start()
                await self._assign(consumer, partitions)
        except LogError:
            await self.close()
            raise

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of up to `limit` messages that have been fetched; None if there are none."""
        consumer, intake = self._consumer, self._intake
        if consumer is None or intake is None:
            raise LogError(f"topic {self.topic}: expected to be opened first, was not")
        with log_errors(self.topic, "be read"):
            await self._look(consumer)
            fetched = await consumer.getmany(timeout_ms=0, max_records=limit)
        if not fetched:
            return None
        events: list[Event] = []
        for partition, messages in fetched.items():
            for message in messages:
                self.counts["messages"] += 1
                if message.value is not None:  # a tombstone tells nothing
                    position = f"{self.topic}:{partition.partition}:{message.offset}"
                    events += intake.read(message.value, self.topic, position)
            self._offsets[partition.partition] = messages[-1].offset + 1
        return events

    async def committed(self) -> None:
        """Nothing is left to do: the position is in the checkpoint."""

    async def close(self) -> None:
        """Leave the topic."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    # -- partitions ------------------------------------------------------------------------------------------

    async def _assign(self, consumer: AIOKafkaConsumer, partitions: set[int]) -> None:
        """Read these partitions from where they stand, or from the oldest message that is left."""
        topic_partitions = [TopicPartition(self.topic, partition) for partition in sorted(partitions)]
        consumer.assign(topic_partitions)
        self._look_at = self._clock() + LOOK_SECONDS
        for topic_partition, oldest in (await consumer.beginning_offsets(topic_partitions)).items():
            partition = topic_partition.partition
            wanted = self._offsets.setdefault(partition, oldest)
            if wanted < oldest:
                self._tell_gap(partition, wanted, oldest)
                self._offsets[partition] = oldest
            consumer.seek(topic_partition, self._offsets[partition])

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Take in partitions that the topic has got since."""
        if self._clock() < self._look_at:
            return
        self._look_at = self._clock() + LOOK_SECONDS
        there = consumer.partitions_for_topic(self.topic) or set()
        if there - set(self._offsets):
            await self._assign(consumer, there)

    def _tell_gap(self, partition: int, wanted: int, oldest: int) -> None:
        assert self._intake is not None
        self.counts["gaps"] += 1
        detail = f"offset: expected {wanted}, was {oldest}: retention has taken what was between"
        self._intake.refuse("gap", detail, self.topic, f"{self.topic}:{partition}:{wanted}", "")
