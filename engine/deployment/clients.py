"""Connections of a deployment out of the settings, for commands that open Kafka and Redis themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.sentinel import SentinelConnectionPool

from connectors.kafka_client import KafkaAccess, client_options
from connectors.redis_connection import packed
from connectors.redis_patience import PatientCluster, patience, sentinel_patience
from engine.settings import Settings


def kafka_access(settings: Settings) -> KafkaAccess:
    """Return where Kafka is and how to sign in."""
    return KafkaAccess(
        settings.kafka_bootstrap,
        settings.kafka_security,
        settings.kafka_sasl,
        settings.kafka_user,
        settings.kafka_password.get_secret_value(),
        settings.kafka_ca,
        settings.kafka_cert,
        settings.kafka_cert_key,
    )


def kafka_options(settings: Settings) -> dict[str, Any]:
    """Return the options that all of aiokafka's clients share."""
    return client_options(kafka_access(settings))


def redis_client(settings: Settings) -> Redis | RedisCluster:
    """Return a client of the store; it connects when it is first used. Its patience: `redis_patience`."""
    options = patience()
    if settings.redis_user:
        options["username"] = settings.redis_user
    password = settings.redis_password.get_secret_value()
    if password:
        options["password"] = password
    tls: dict[str, Any] = {}
    if settings.redis_tls:
        tls = {"ssl": True, "ssl_ca_certs": _path(settings.redis_ca)}
    options.update(tls)
    nodes = settings.redis_nodes
    if settings.redis_mode == "cluster":
        # its nodes are not packed in C: redis-py offers no way to choose their connection
        return PatientCluster(startup_nodes=[ClusterNode(host, port) for host, port in nodes], **options)
    if settings.redis_mode == "sentinel":
        sentinel = Sentinel(nodes, sentinel_kwargs={**tls, **sentinel_patience()})  # type: ignore[no-untyped-call]  # redis-py's is
        master: Redis = sentinel.master_for(
            settings.redis_sentinel_master, db=settings.redis_database, **options
        )
        return _packing(master)
    host, port = nodes[0]
    return _packing(Redis(host=host, port=port, db=settings.redis_database, **options))


@asynccontextmanager
async def opened_redis(settings: Settings) -> AsyncIterator[Redis | RedisCluster]:
    """Give a client of the store while a block runs; what asks the sentinels for it is closed, too."""
    async with aclosing(redis_client(settings)) as client:
        try:
            yield client
        finally:
            pool = getattr(client, "connection_pool", None)
            if isinstance(pool, SentinelConnectionPool):
                await pool.sentinel_manager.aclose()


def _packing(client: Redis) -> Redis:
    pool = client.connection_pool
    pool.connection_class = packed(pool.connection_class)
    return client


def _path(path: object) -> str | None:
    return None if path is None else str(path)
