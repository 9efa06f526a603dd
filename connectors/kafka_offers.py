"""What lanes publish, on Kafka.

    PREFIX.offers.v1       offers, key = ID@AT: what the dispatcher sends
    PREFIX.decisions.v1    each decision line, refusals packed; headers `offset`: how far was folded, and
                           `log`: the id of the topic whose offset that is
    PREFIX.profiles.v1     profiles, compacted, key = subscriber key, no value = forgotten; key = n:HASH: a
                           number that had opted out and was forgotten; headers as of decisions

One idempotent producer, acks=all: what `publish` has returned is on all in-sync replicas, in order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer

from connectors.kafka_read import end_of, log_errors, read_to_end
from connectors.kafka_start import start, stop
from connectors.kafka_topic_id import find_topic
from engine.errors import LogError
from engine.ports import ELSEWHERE, LAST_WORD, OFFER, PROFILE, REFUSALS

OFFSET, LOG = "offset", "log"


class KafkaOffers:
    """The three topics of a prefix; each has the partitions of the log."""

    def __init__(self, options: Mapping[str, Any], prefix: str) -> None:
        self.offers = f"{prefix}.offers.v1"
        self.decisions = f"{prefix}.decisions.v1"
        self.profile = f"{prefix}.profiles.v1"
        self.deadletters = f"{prefix}.deadletters.v1"
        self.events = f"{prefix}.events.v1"
        self._log: bytes | None = None
        """Identity of the log. Lanes go on with another one only after a rebuild, which reads the lines."""
        self._options = dict(options)
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Begin to publish."""
        producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            acks="all",
            linger_ms=1,
            max_batch_size=1 << 18,
            max_request_size=4 << 20,
        )
        with log_errors(self.offers, "be written"):
            await start(producer)
        self._producer = producer

    async def close(self) -> None:
        """Publish no more."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)

    async def publish(
        self, partition: int, entries: Sequence[tuple[str, bytes]], *, offset: int, known: frozenset[str]
    ) -> int | None:
        """Publish outbox entries."""
        producer = self._given()
        log = await self._ask_log() if self._log is None else self._log
        headers = [(OFFSET, b"%d" % offset), (LOG, log)]
        offered, others = [], []
        with log_errors(self.offers, "be written"):
            for name, payload in entries:
                key = (name if name.startswith(LAST_WORD) else name[2:]).encode()
                if name.startswith((PROFILE, LAST_WORD)):
                    others.append(
                        await producer.send(
                            self.profile, payload or None, key=key, partition=partition, headers=headers
                        )
                    )
                    continue
                if name.startswith(OFFER) and name not in known:
                    offered.append(await producer.send(self.offers, payload, key=key, partition=partition))
                others.append(
                    await producer.send(
                        self.decisions,
                        payload,
                        key=None if name.startswith(REFUSALS) else key,
                        partition=partition,
                        headers=headers,
                    )
                )
            for future in others:
                await future
            last = [await future for future in offered]
        return max(found.offset for found in last) + 1 if last else None

    async def put(self, letters: Sequence[bytes]) -> None:
        """Keep dead letters."""
        producer = self._given()
        with log_errors(self.deadletters, "be written"):
            for future in [await producer.send(self.deadletters, letter) for letter in letters]:
                await future

    async def names(self, partition: int, since: int) -> AsyncIterator[list[str]]:
        """Name the offers published from a position on."""
        async for records in read_to_end(self._options, self.offers, partition, since):
            yield [OFFER + record.key.decode() for record in records if record.key is not None]

    async def end(self, partition: int) -> int:
        """Return the position of the next offer."""
        return await end_of(self._options, self.offers, partition)

    async def lines(self, partition: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Give all lines that are kept."""
        log = await self._ask_log()
        async for records in read_to_end(self._options, self.decisions, partition):
            yield [
                (_offset_in(log, dict(record.headers)), record.value)
                for record in records
                if record.value is not None
            ]

    async def profiles(self, partition: int) -> AsyncIterator[list[tuple[int, str, bytes]]]:
        """Give all profiles that are kept."""
        log = await self._ask_log()
        async for records in read_to_end(self._options, self.profile, partition):
            yield [
                (_offset_in(log, dict(record.headers)), record.key.decode(), record.value or b"")
                for record in records
                if record.key is not None
            ]

    async def _ask_log(self) -> bytes:
        with log_errors(self.events, "be found"):
            self._log = (await find_topic(self._options, self.events)).id.encode()
        return self._log

    def _given(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise LogError(f"topic {self.offers}: expected to be opened first, was not")
        return self._producer


def _offset_in(log: bytes, headers: Mapping[str, bytes]) -> int:
    """Return the offset of a line in this log, `ELSEWHERE` if it is one of another."""
    made_from = headers.get(LOG, b"")
    return int(headers.get(OFFSET, b"0")) if not log or made_from in (b"", log) else ELSEWHERE
