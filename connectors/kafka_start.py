"""Starting and stopping clients of aiokafka so that one that is given up on leaves no connection open.

They do not look after that themselves: what a `start` or `stop` that failed, or was cancelled, had opened
stays so, and is closed with an error in the logs once Python clears it away (aiokafka's issues 715 and 1019).
A client is an AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient or AIOKafkaClient.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

Client = TypeVar("Client")


async def start(client: Any) -> None:
    """Connect a client. If that fails, or is cancelled, it is stopped, and the error passed on."""
    try:
        if isinstance(client, AIOKafkaClient):
            await client.bootstrap()
        else:
            await client.start()
            await asyncio.sleep(0)  # a consumer's `stop` fails where its tasks have not begun yet
    except BaseException as error:
        _close_first_connection(error)
        await stop(client)
        raise


async def stop(client: Any) -> None:
    """Let go of the brokers. However it ends, connections are closed."""
    if isinstance(client, AIOKafkaClient):
        await client.close()
        return
    try:
        await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
    finally:
        await (client.client if isinstance(client, AIOKafkaProducer) else client._client).close()


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Have a client connected while the block runs."""
    await start(client)
    try:
        yield client
    finally:
        await stop(client)


def _close_first_connection(error: BaseException) -> None:
    """Close the connection that `bootstrap` asked by when it was cancelled: a variable of it alone has it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is AIOKafkaClient.bootstrap.__code__:
            connection = trace.tb_frame.f_locals.get("bootstrap_conn")
            if connection is not None:
                connection.close()
        trace = trace.tb_next
