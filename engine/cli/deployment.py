"""Connections of a deployment out of the settings, for commands that open Kafka and Redis themselves."""

from __future__ import annotations

from typing import Any

from aiokafka.helpers import create_ssl_context
from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode

from engine.settings import Settings


def kafka_options(settings: Settings) -> dict[str, Any]:
    """Return the options that all of aiokafka's clients share."""
    security = settings.kafka_security
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_servers,
        "security_protocol": security,
    }
    if security.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl
        options["sasl_plain_username"] = settings.kafka_user
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    if security.endswith("SSL"):
        options["ssl_context"] = create_ssl_context(
            cafile=_path(settings.kafka_ca),
            certfile=_path(settings.kafka_cert),
            keyfile=_path(settings.kafka_cert_key),
        )
    return options


def redis_client(settings: Settings) -> Redis | RedisCluster:
    """Return a client of the store; it connects when it is first used."""
    options: dict[str, Any] = {}
    if settings.redis_user:
        options["username"] = settings.redis_user
    password = settings.redis_password.get_secret_value()
    if password:
        options["password"] = password
    if settings.redis_tls:
        options.update(ssl=True, ssl_ca_certs=_path(settings.redis_ca))
    nodes = settings.redis_nodes
    if settings.redis_mode == "cluster":
        return RedisCluster(startup_nodes=[ClusterNode(host, port) for host, port in nodes], **options)
    if settings.redis_mode == "sentinel":
        sentinel = Sentinel(nodes)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        master: Redis = sentinel.master_for(
            settings.redis_sentinel_master, db=settings.redis_database, **options
        )
        return master
    host, port = nodes[0]
    return Redis(host=host, port=port, db=settings.redis_database, **options)


def _path(path: object) -> str | None:
    return None if path is None else str(path)
