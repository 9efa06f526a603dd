"""Redis with TLS: what stands before a real server speaks it, as `stunnel` would; the wheel has none."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis, SSLConnection
from redis.asyncio.sentinel import SentinelConnectionPool

from connectors.redis_connection import PackedSentinelSSLConnection, PackedSSLConnection
from connectors.redis_store import RedisStore
from engine.deployment.clients import redis_client
from engine.errors import StoreError
from engine.ports import Commit
from engine.settings import load_settings
from tests.servers.proxy import Proxy
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

TLS = CHECKOUT / "tests" / "data" / "tls"
CA = str(TLS / "cert.pem")


@pytest.fixture
async def door(redis_server: RedisServer) -> AsyncIterator[Proxy]:
    """Give what speaks TLS before an empty Redis; the certificate says 127.0.0.1, and `127.1` leads there."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    async with Proxy(redis_server.port, tls=context) as proxy:
        yield proxy


def given(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Set variables of the program."""
    for name, value in settings.items():
        monkeypatch.setenv(f"TOUCHPOINT_{name}", value)


async def test_a_commit_over_tls_is_there(door: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, REDIS_URL=f"rediss://{door.address}/0", REDIS_CA=CA)
    client = redis_client(load_settings())
    try:
        store = RedisStore(client, 3)
        await store.commit(0, Commit("", "t0", 7, b"{}", states={"ab" * 16: b"state"}, wakes={"ab" * 16: 1}))
        assert (await store.open(0)).offset == 7
        assert await store.read(0, ["ab" * 16]) == [b"state"]
        assert isinstance(client, Redis)
        assert client.connection_pool.connection_class is PackedSSLConnection
    finally:
        await client.aclose()


@pytest.mark.parametrize(
    ("host", "ca"), [("127.0.0.1", ""), ("127.1", CA)], ids=["of nobody known", "of another name"]
)
async def test_a_certificate_that_is_not_the_servers_is_refused(
    door: Proxy, monkeypatch: pytest.MonkeyPatch, host: str, ca: str
) -> None:
    given(monkeypatch, REDIS_URL=f"rediss://{host}:{door.port}/0", REDIS_PASSWORD="open sesame")
    if ca:
        given(monkeypatch, REDIS_CA=ca)
    client = redis_client(load_settings())
    try:
        with pytest.raises(StoreError) as caught:
            await RedisStore(client, 3).open(0)
        assert "sesame" not in str(caught.value)
    finally:
        await client.aclose()


def test_sentinels_and_their_primary_are_asked_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, REDIS_URL="rediss://a:1,b:2", REDIS_CA=CA)
    given(monkeypatch, REDIS_MODE="sentinel", REDIS_SENTINEL_MASTER="primary")
    client = redis_client(load_settings())
    assert isinstance(client, Redis)
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.connection_class is PackedSentinelSSLConnection
    for sentinel in pool.sentinel_manager.sentinels:
        assert sentinel.connection_pool.connection_class is SSLConnection
        assert sentinel.connection_pool.connection_kwargs["ssl_ca_certs"] == CA
