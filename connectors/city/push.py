"""Pushes a city's records into a Kafka topic at a chosen rate: canonical JSON, alone or in arrays.

Records go to the partition of their subscriber (IMSI, else MSISDN; Kafka's default partitioner), as a probe's
would. In micro-batches a message is an array of records of one partition (facts/signals.md).
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from connectors.kafka_read import log_errors, partitions_of
from connectors.kafka_start import start, stop
from connectors.lost import lost_connections, word_of
from engine.errors import InputError, LogError

TICK: Final = 0.05
"""Seconds between two looks at the clock: what is due by then is sent together."""
FASTEST: Final = 20_000
"""Records of one look without a rate."""
PATIENCE: Final = 30.0
"""Seconds until a broker that doesn't answer is an error."""
STOP_WITHIN: Final = 3.0
"""Seconds that the end may take besides."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was reached. `records`: those that Kafka has acknowledged."""

    records: int
    messages: int
    seconds: float
    stopped: bool
    """By Ctrl-C, before the end."""

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.seconds if self.seconds > 0.0 else 0.0


class TopicPush:
    """One run into one topic.

    `rate`: records per second, 0: as fast as it goes; `batch`: records per message. `options`: connection
    options of aiokafka. Raises InputError for a rate that can't be.
    """

    def __init__(self, topic: str, options: Mapping[str, Any], *, rate: float = 0.0, batch: int = 1) -> None:
        if not 0.0 <= rate <= 10_000_000.0:
            raise InputError("--rate", "records per second such as 5000/s, or 0 for all it can", rate)
        self.topic = topic
        self.rate = rate
        self.batch = batch
        self.told: Callable[[int, float], None] = lambda _records, _seconds: None
        """Called now and then with the records acknowledged and the seconds since the start."""
        self._options = dict(options)
        self._stop = asyncio.Event()
        self._records = 0
        self._messages = 0

    def stop(self) -> None:
        """End after what is on its way."""
        self._stop.set()

    def run(self, rows: Iterator[dict[str, Any]]) -> Pushed:
        """Push all rows, or as many as come before Ctrl-C. Raises LogError if Kafka doesn't take them."""
        return asyncio.run(self._guarded(rows))

    async def _guarded(self, rows: Iterator[dict[str, Any]]) -> Pushed:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop)
        try:
            return await self.push(rows)
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def push(self, rows: Iterator[dict[str, Any]]) -> Pushed:
        """Do what `run` does, without the signal: until the rows end or `stop` is called."""
        partitions = await self._partitions()
        producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            linger_ms=5,
            max_batch_size=1 << 18,
            compression_type="gzip",
        )
        try:
            with lost_connections():
                async with asyncio.timeout(PATIENCE):
                    await start(producer)
                return await self._all(producer, rows, partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            raise LogError(
                f"topic {self.topic}: expected to be written, was not: {word_of(error)}; "
                f"{self._records:,} records had got there"
            ) from None
        finally:
            with suppress(KafkaError, OSError, TimeoutError), lost_connections():
                await stop(producer, STOP_WITHIN)

    async def _partitions(self) -> int:
        """Count the topic's partitions; it is not made here, for only its owner knows how many it needs."""
        with log_errors(self.topic, "be found"):
            async with asyncio.timeout(PATIENCE):
                return len(await partitions_of(self._options, self.topic))

    async def _all(
        self, producer: AIOKafkaProducer, rows: Iterator[dict[str, Any]], partitions: int
    ) -> Pushed:
        began = time.monotonic()
        taken = 0
        while not self._stop.is_set():
            passed = time.monotonic() - began
            due = FASTEST if self.rate == 0.0 else int((passed + TICK) * self.rate) - taken
            if due <= 0:
                await self._rest(TICK)
                continue
            # Simulating is work: off the loop, so that Kafka's answers are read meanwhile.
            part = await asyncio.to_thread(lambda n=due: list(islice(rows, n)))  # type: ignore[misc]  # a default
            if not part:
                break
            taken += len(part)
            await self._send(producer, part, partitions)
            self.told(self._records, time.monotonic() - began)
            if self.rate:
                await self._rest(taken / self.rate - (time.monotonic() - began))
        return Pushed(self._records, self._messages, time.monotonic() - began, self._stop.is_set())

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0.0:
            return
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    async def _send(self, producer: AIOKafkaProducer, part: list[dict[str, Any]], partitions: int) -> None:
        open_batches: dict[int, list[bytes]] = {}
        sent: list[Any] = []

        async def message(partition: int, records: list[bytes], key: bytes | None = None) -> None:
            value = records[0] if self.batch == 1 else b"[" + b",".join(records) + b"]"
            sent.append(await producer.send(self.topic, value, key=key, partition=partition))

        for record in part:
            key = str(record.get("imsi") or record.get("msisdn") or record["id"]).encode()
            partition = (murmur2(key) & 0x7FFFFFFF) % partitions
            if self.batch == 1:
                await message(partition, [orjson.dumps(record)], key)
                continue
            batch = open_batches.setdefault(partition, [])
            batch.append(orjson.dumps(record))
            if len(batch) >= self.batch:
                await message(partition, open_batches.pop(partition))
        for partition, batch in open_batches.items():
            await message(partition, batch)
        async with asyncio.timeout(PATIENCE):
            for future in sent:
                await future
        self._records += len(part)
        self._messages += len(sent)
