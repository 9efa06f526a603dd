"""What errors of servers say: which server, and what may be wrong with it; never a password."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from connectors import redis_health
from connectors.kafka_client import KafkaAccess
from connectors.kafka_topics import ensure
from connectors.redis_scripts import RedisScripts
from engine.errors import LogError, StoreError


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close the connection at the first byte, as a server does that speaks something else."""
    await reader.read(1)
    writer.close()


@pytest.mark.parametrize("security", ["PLAINTEXT", "SSL"])
async def test_a_kafka_that_hangs_up_may_want_another_security(security: str) -> None:
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        access = KafkaAccess(f"127.0.0.1:{port}", security=security)
        with pytest.raises(LogError, match=rf"{port}.* {security} there.*TOUCHPOINT_KAFKA_SECURITY"):
            await ensure(access, [], create=False)


async def test_a_redis_that_does_not_answer_is_named_without_its_password() -> None:
    client = Redis.from_url("redis://me:secret@127.0.0.1:1/0", retry=None)
    for call in (redis_health.look(client), RedisScripts(client).each("census", [("PING",)])):
        with pytest.raises(
            StoreError, match=r"expected a reply, was ConnectionError \(127\.0\.0\.1:1\)"
        ) as told:
            await call
        assert "secret" not in str(told.value)
        assert "me" not in str(told.value).split()
    await client.aclose()
