"""A source's way into the log on Kafka: one transaction per step.

    PREFIX.events.v1        the records, each to the partition it is given for, alone or many to a message
    PREFIX.deadletters.v1   what was refused
    PREFIX.checkpoints.v1   how far the source was read; compacted, key = source

All three are written in one Kafka transaction of the transactional id `PREFIX.SOURCE`: readers of committed
records see a step whole or not at all, and whoever takes the source over fences the one before and ends its
open transaction. The store has no part in it: protocol.md does without transactions where state is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from connectors.kafka_read import reader
from connectors.kafka_start import start, started, stop
from connectors.lost import lost_connections
from engine.collect import in_messages
from engine.errors import FencedError, LogError

TRANSACTION_SECONDS = 10
"""After so long without an end the broker ends a transaction: readers wait no longer for a dead collector."""
STEP_SECONDS = 30.0
"""A step, or taking a source over, that takes longer has failed: brokers are away."""
STOP_SECONDS = 3.0
"""Given to a producer to end; one that can't reach its brokers would try for 40 s."""
TOPIC_SECONDS = 10.0
"""A topic that is not found for so long does not exist."""
LINGER_MS = 5
BATCH_BYTES = 1 << 18

_FENCED = (ProducerFenced, InvalidProducerEpoch)


class KafkaInlet:
    """The way of one source into the log.

    `options`: connection options that aiokafka's clients share. `partitions`: of the events topic; all three
    topics must exist. `at_once`: records of a partition that a message holds at most, as an array if it is
    more than one (`engine.collect.in_messages`); with 1 values may be of any kind. Raises `LogError` while
    Kafka can't be reached, `FencedError` once another has taken the source over. After either only `resume`
    and `close` may be called.
    """

    def __init__(
        self, options: Mapping[str, Any], prefix: str, source: str, partitions: int, at_once: int = 1
    ) -> None:
        self.source = source
        self.events = f"{prefix}.events.v1"
        self.dead = f"{prefix}.deadletters.v1"
        self.checkpoints = f"{prefix}.checkpoints.v1"
        self._id = f"{prefix}.{source}"
        self._options = dict(options)
        self._partitions = partitions
        self._at_once = at_once
        self._producer: AIOKafkaProducer | None = None

    @property
    def partitions(self) -> int:
        """Number of partitions of the log."""
        return self._partitions

    async def resume(self) -> bytes | None:
        """Take the source over: the producer's start fences the one before, so its last checkpoint stands."""
        await self.close()
        self._producer = AIOKafkaProducer(
            **self._options,
            transactional_id=self._id,
            transaction_timeout_ms=TRANSACTION_SECONDS * 1_000,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
        )
        try:
            with lost_connections():
                async with asyncio.timeout(STEP_SECONDS):
                    await start(self._producer)
                    return await self._last_checkpoint(self._producer)
        except LogError:
            await self.close()
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise self._trouble("be taken over", error) from None

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        """Append records, dead letters and checkpoint in one transaction."""
        producer = self._producer
        if producer is None:
            raise LogError(f"source {self.source}: expected to be taken over first, was not")
        # A transaction that fails is not aborted here: that would wait for brokers that are away. The next
        # `resume` ends it, whoever calls it, or else the broker after its time.
        sent: list[asyncio.Future[Any]] = []
        try:
            with lost_connections():
                async with asyncio.timeout(STEP_SECONDS):
                    await producer.begin_transaction()
                    for partition, value in in_messages(records, self._at_once):
                        sent.append(await producer.send(self.events, value, partition=partition))
                    for value in dead:
                        sent.append(await producer.send(self.dead, value))
                    # no value = forgotten: what compaction does with the key of a source that ended
                    key = self.source.encode()
                    sent.append(await producer.send(self.checkpoints, checkpoint or None, key=key))
                    await asyncio.gather(*sent)
                    await producer.commit_transaction()
        except _FENCED:
            _give_up(sent)
            await self.close()
            raise FencedError(
                f"source {self.source}: expected to own it, was taken over by another"
            ) from None
        except (KafkaError, OSError, TimeoutError) as error:
            _give_up(sent)
            await self.close()
            raise self._trouble("be written", error) from None

    async def close(self) -> None:
        """Leave the source; nothing of an open transaction will ever be seen."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        with suppress(KafkaError, OSError, TimeoutError), lost_connections():
            await stop(producer, STOP_SECONDS)

    async def _last_checkpoint(self, producer: AIOKafkaProducer) -> bytes | None:
        """Read the source's last committed checkpoint, of all that was written before it was taken over."""
        found = await _partitions_of(producer, self.events)
        if len(found) != self._partitions:
            raise LogError(f"topic {self.events}: expected {self._partitions} partitions, was {len(found)}")
        await _partitions_of(producer, self.dead)
        partitions = await _partitions_of(producer, self.checkpoints)
        # The end of all that is written, not of what is committed: another source's open transaction hides a
        # committed checkpoint behind it until it ends.
        ends = await self._ends(partitions)
        wanted = {partition: end for partition, end in ends.items() if end > 0}
        newest: tuple[int, bytes | None] | None = None
        if not wanted:
            return None
        async with started(reader(self._options)) as consumer:
            consumer.assign(list(wanted))
            await consumer.seek_to_beginning(*wanted)
            key = self.source.encode()
            while wanted:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        if record.key == key and (newest is None or record.timestamp >= newest[0]):
                            newest = (record.timestamp, record.value)
                for partition, end in list(wanted.items()):
                    if await consumer.position(partition) >= end:
                        del wanted[partition]
        return None if newest is None else newest[1]

    async def _ends(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        async with started(reader(self._options, isolation_level="read_uncommitted")) as consumer:
            return dict(await consumer.end_offsets(partitions))

    def _trouble(self, what: str, error: BaseException) -> LogError:
        said = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return LogError(f"source {self.source}: expected to {what}, was not possible: {said}")


def _give_up(sent: Sequence[asyncio.Future[Any]]) -> None:
    """Take no more interest in what becomes of messages: one error has told enough."""
    for future in sent:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _partitions_of(producer: AIOKafkaProducer, topic: str) -> list[TopicPartition]:
    try:
        async with asyncio.timeout(TOPIC_SECONDS):
            return [TopicPartition(topic, number) for number in await producer.partitions_for(topic)]
    except TimeoutError:
        raise LogError(
            f"topic {topic}: expected to exist, was not found; `touchpoint topics` makes it"
        ) from None
