"""Starting and stopping clients of aiokafka so that one that is given up on leaves nothing behind.

They do not look after that themselves. What a `start` that failed, or was cancelled, had opened stays open,
and is closed with an error in the logs once Python clears it away (aiokafka's issues 715 and 1019). And a
producer whose `stop` was cancelled goes on, and opens connections anew.
A client is an AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient or AIOKafkaClient.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ProducerClosed

Client = TypeVar("Client")


async def start(client: Any) -> None:
    """Connect a client. If that fails, or is cancelled, it is stopped, and the error passed on."""
    try:
        await (client.start if hasattr(client, "start") else client.bootstrap)()
        await asyncio.sleep(0)  # a consumer's `stop` fails where its tasks have not begun yet
    except BaseException as error:
        _close_first_connection(error)
        with suppress(Exception):  # the error of the start is the one to be told
            await stop(client)
        raise


async def stop(client: Any) -> None:
    """Let go of the brokers. However it ends, connections are closed, and a producer sends no more."""
    try:
        await (client.stop if hasattr(client, "stop") else client.close)()
    finally:
        if isinstance(client, AIOKafkaProducer):
            await _end_sending(client)
        connections = getattr(client, "client", None) or getattr(client, "_client", None)
        if connections is not None:
            await connections.close()


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Have a client connected while the block runs."""
    await start(client)
    try:
        yield client
    finally:
        await stop(client)


async def _end_sending(producer: AIOKafkaProducer) -> None:
    """End the tasks that send, if `stop` was given up on: they would connect again and again, for ever."""
    sending = producer._sender.sender_task
    if sending is None or sending.done():
        return
    waiting = producer._message_accumulator
    tasks = [task for task in asyncio.all_tasks() if _owner(task) in (producer._sender, waiting)]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    # fail those that wait as if they were being sent: any other would tell of errors in the logs
    for batch in chain(*waiting._batches.values()):
        batch.drain_ready()
        waiting._pending_batches.add(batch)
    waiting.fail_all(ProducerClosed())


def _owner(task: asyncio.Task[Any]) -> object:
    """Return whose method a task runs."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame and frame.f_locals.get("self")


def _close_first_connection(error: BaseException) -> None:
    """Close the connection that `bootstrap` asked by when it was cancelled: a variable of it alone has it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is AIOKafkaClient.bootstrap.__code__:
            connection = trace.tb_frame.f_locals.get("bootstrap_conn")
            if connection is not None:
                connection.close()
        trace = trace.tb_next
