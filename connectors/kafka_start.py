"""Starting and stopping clients of aiokafka so that one that is given up on leaves nothing behind.

They do not look after that themselves. What a `start` that failed, or was cancelled, had opened stays open,
and is closed with an error in the logs once Python clears it away (aiokafka's issues 715 and 1019). And a
producer or consumer whose `stop` was cancelled goes on, and opens connections anew.
A client is an AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient or AIOKafkaClient.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ProducerClosed

Client = TypeVar("Client")

LEAVE_WITHIN: Final = 1.0
"""Seconds that one which could not be started has to leave its group."""
_PARTS: Final = ("_sender", "_message_accumulator", "_fetcher", "_coordinator")
"""Parts of producers and consumers whose methods are run as tasks."""
_NOBODY: Final = object()
_ENDING: Final[set[asyncio.Task[None]]] = set()
"""What is being ended."""


async def start(client: Any) -> None:
    """Connect a client. If that fails, or is cancelled, it is stopped, and the error passed on."""
    try:
        await (client.start if hasattr(client, "start") else client.bootstrap)()
        await asyncio.sleep(0)  # a consumer's `stop` fails where its tasks have not begun yet
    except BaseException as error:
        _close_first_connection(error)
        with suppress(Exception):  # the error of the start is the one to be told
            await stop(client, LEAVE_WITHIN)
        raise


async def stop(client: Any, within: float | None = None) -> None:
    """Let go of the brokers. However it ends, connections are closed, and nothing of the client goes on.

    `within`: seconds that it may wait for brokers, with TimeoutError after them.
    """
    try:
        async with asyncio.timeout(within):
            await (client.stop if hasattr(client, "stop") else client.close)()
    except BaseException:
        await asyncio.shield(_kept(_end(client)))  # to its end, even if whoever waits is cancelled once more
        raise


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Have a client connected while the block runs."""
    await start(client)
    try:
        yield client
    finally:
        await stop(client)


async def _end(client: Any) -> None:
    """End a client whose `stop` did not come to its end: its tasks would connect again and again."""
    owners = [getattr(client, name, None) for name in _PARTS]
    pending = {task for task in asyncio.all_tasks() if _owner(task) in owners}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)
    if isinstance(client, AIOKafkaProducer):
        _fail(client._message_accumulator)
    connections = getattr(client, "client", None) or getattr(client, "_client", client)
    await connections.close()


def _fail(waiting: Any) -> None:
    """Let whoever waits for a message of a producer that has ended know; nobody has to."""
    # those that are not being sent fail as if they were: else errors of the client are told in the logs
    for batch in chain(*waiting._batches.values()):
        batch.drain_ready()
        waiting._pending_batches.add(batch)
    batches = list(waiting._pending_batches)
    waiting.fail_all(ProducerClosed())
    for future, _ in chain(*(batch._msg_futures for batch in batches)):
        if not future.cancelled():
            future.exception()


def _owner(task: asyncio.Task[Any]) -> object:
    """Return whose method a task runs."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame.f_locals.get("self", _NOBODY) if frame else _NOBODY


def _kept(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run it in a task that is kept until it ends."""
    task = asyncio.ensure_future(work)
    _ENDING.add(task)
    task.add_done_callback(_ENDING.discard)
    return task


def _close_first_connection(error: BaseException) -> None:
    """Close the connection that `bootstrap` asked by when it was cancelled: a variable of it alone has it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is AIOKafkaClient.bootstrap.__code__:
            connection = trace.tb_frame.f_locals.get("bootstrap_conn")
            if connection is not None:
                connection.close()
        trace = trace.tb_next
