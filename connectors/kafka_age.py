"""How old a record is that waits: read beside the lanes, since one that can't go on reads nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition

from connectors.kafka_read import log_errors, reader
from connectors.kafka_start import started

FOUND_WITHIN = 1.0
"""Seconds in which a record has to come. There may be none, but the end of a transaction."""


class KafkaAges:
    """Reads single records of a topic, each once: while a lane stands still, nothing is read again."""

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self._options = options
        self._topic = topic
        self._known: dict[int, tuple[int, int]] = {}
        """Partition -> an offset, and when the first record from it on was appended."""

    async def since(self, offsets: Mapping[int, int]) -> dict[int, int]:
        """Return when the first record that is kept from each offset on was appended, µs UTC.

        Partitions that have none are left out. Raise `LogError`.
        """
        self._known = {
            partition: known for partition, known in self._known.items() if offsets.get(partition) == known[0]
        }
        wanted = {partition: offset for partition, offset in offsets.items() if partition not in self._known}
        if wanted:
            for partition, time in (await self._read(wanted)).items():
                self._known[partition] = wanted[partition], time
        return {partition: time for partition, (_, time) in self._known.items()}

    async def _read(self, offsets: Mapping[int, int]) -> dict[int, int]:
        found: dict[int, int] = {}
        left = {TopicPartition(self._topic, partition): offset for partition, offset in offsets.items()}
        with log_errors(self._topic, "be read"):
            # before what is kept, it begins at the oldest
            async with started(reader(self._options)) as consumer:
                consumer.assign(list(left))
                for place, offset in left.items():
                    consumer.seek(place, offset)
                loop = asyncio.get_running_loop()
                end = loop.time() + FOUND_WITHIN
                while left and (rest := end - loop.time()) > 0:
                    for place, records in (
                        await consumer.getmany(*left, timeout_ms=int(rest * 1_000))
                    ).items():
                        if records:
                            found[place.partition] = records[0].timestamp * 1_000
                            del left[place]
        return found
