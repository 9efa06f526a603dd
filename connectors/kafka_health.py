"""Whether Kafka answers, asked beside the work: a client that waits for a broker in vain says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from connectors.kafka_start import start, stop
from connectors.lost import lost_connections, word_of

WITHIN = 5.0
"""Seconds that a broker has for its answer."""
EVERY = 2.0


class KafkaHealth:
    """Asks any of the brokers that are known, again and again, over a connection of its own."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.problem = ""
        """What is wrong, as of the last look; empty if a broker answered, or nobody asked yet."""
        self._options = dict(options)
        self._client: AIOKafkaClient | None = None

    async def watch(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                self.problem = await self.look()
                await asyncio.sleep(EVERY)
        finally:
            await self._close()

    async def look(self) -> str:
        """Ask once; return what is wrong, empty if a broker answered."""
        try:
            with lost_connections():
                async with asyncio.timeout(WITHIN):
                    client = await self._connected()
                    await client.send(client.get_random_node(), MetadataRequest([]))
        except TimeoutError:
            problem = f"Kafka: expected an answer within {WITHIN:g} s, was none"
        except (KafkaError, OSError) as error:
            problem = f"Kafka: expected an answer, was {word_of(error)}"
        else:
            return ""
        await self._close()
        return problem

    async def _connected(self) -> AIOKafkaClient:
        if self._client is None:
            client = AIOKafkaClient(**self._options)
            await start(client)
            self._client = client
        return self._client

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await stop(client)
