"""uvloop's word for a lost connection is told from a bug."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop
from aiokafka.errors import UnknownTopicOrPartitionError

from connectors.kafka_read import log_errors
from connectors.lost import LostConnectionError, lost_connections
from connectors.redis_scripts import store_errors
from engine.errors import LogError, StoreError


async def write_after_close() -> None:
    server = await asyncio.start_server(lambda _, peer: peer.transport.abort(), "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.transport.abort()
    await asyncio.sleep(0.01)
    try:
        writer.writelines([b"x"])
        writer.write(b"x")
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)


def test_what_uvloop_raises_is_a_lost_connection() -> None:
    with pytest.raises(RuntimeError) as found:
        uvloop.run(write_after_close())
    with pytest.raises(LostConnectionError), lost_connections():
        raise found.value


LOST = RuntimeError(
    "unable to perform operation on <TCPTransport closed=True reading=False 0x1>; the handler is closed"
)


def test_it_is_an_error_of_store_or_log_and_others_stay_bugs() -> None:
    with pytest.raises(StoreError, match="lost connection"), store_errors("read"):
        raise LOST
    with pytest.raises(LogError, match="lost connection"), log_errors("t", "be read"):
        raise LOST
    with pytest.raises(RuntimeError, match="a bug"), store_errors("read"):
        raise RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"), log_errors("t", "be read"):
        raise RuntimeError("a bug")


def test_a_topic_that_is_not_there_is_told_with_what_makes_it() -> None:
    there = r"^topic t: expected it to be there, is not; `touchpoint topics` makes"
    with pytest.raises(LogError, match=there), log_errors("t", "be read"):
        raise UnknownTopicOrPartitionError


def test_a_stream_that_another_task_took_away_is_a_lost_connection() -> None:
    writer: Any = None
    with pytest.raises(LostConnectionError), lost_connections():
        writer.writelines([b"PING"])


def test_other_attributes_that_are_missing_are_bugs() -> None:
    nothing: Any = None
    with pytest.raises(AttributeError), lost_connections():
        nothing.partition("x")
    something: Any = object()
    with pytest.raises(AttributeError), lost_connections():
        something.write(b"x")
