"""A cluster of which one server comes back empty: the others do not hide it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from redis.asyncio import RedisCluster as Client

from connectors.kafka_offers import KafkaOffers
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_keys import PASSES, optout_key
from engine.deployment.common import Common
from engine.deployment.dispatcher import DispatcherRole
from engine.ports import PROFILE
from engine.settings import load_settings
from tests.servers.kafka import KafkaServer
from tests.servers.redis_groups import RedisCluster

WHO = "ab" * 16


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """Three masters without replicas."""
    made = RedisCluster(tmp_path / "cluster", replicas=False).start()
    yield made
    for node in made.nodes:
        node.stop()


async def test_each_master_knows_of_passes_and_one_that_is_emptied_is_found_out(
    cluster: RedisCluster,
) -> None:
    client = Client.from_url(cluster.url)
    try:
        assert {cluster.owner(key).port for key in PASSES} == {node.port for node in cluster.nodes}
        await client.initialize()
        ledger = RedisDeliveries(client)
        for emptied in range(3):
            assert await ledger.remember(1, 0, 7)
            assert await ledger.passes(1) == 7
            cluster.nodes[emptied].flush()
            assert await ledger.passes(1) == 0
            assert not await ledger.remember(1, 7, 8)
    finally:
        await client.aclose()


async def test_opt_outs_that_went_with_a_master_are_told_anew_before_anything_is_sent(
    cluster: RedisCluster,
    tmp_path: Path,
    kafka_server: KafkaServer,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {
        "KEY": "a key of the tests",
        "SALT": "a salt of the tests",
        "KAFKA_BOOTSTRAP": kafka_server.bootstrap,
        "TOPIC_PREFIX": topic_prefix,
        "PARTITIONS": "2",
        "REDIS_URL": cluster.url,
        "REDIS_MODE": "cluster",
        "REDIS_WAIT": "0",
        "OUT": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"TOUCHPOINT_{name}", value)
    common = Common(load_settings())
    await common.ensure_topics()
    offers = KafkaOffers(common.options, topic_prefix)
    await offers.open()
    role = DispatcherRole(common)
    profile = {"subscriber_key": WHO, "msisdn": None, "choice": -5}
    try:
        await offers.publish(1, [(PROFILE + WHO, orjson.dumps(profile))], offset=1, known=frozenset())
        await role.dispatcher.optouts.add({WHO: 5})
        await asyncio.to_thread(cluster.owner(optout_key(WHO)).flush)
        assert await role.dispatcher.optouts.holds([WHO]) == [False]
        told = role.dispatcher.courses.on_roll_back
        assert told is not None
        told()
        assert role.dispatcher.went_back
        await role.look()
        assert await role.dispatcher.optouts.holds([WHO]) == [True]
    finally:
        await offers.close()
        await role.stop()
        await common.close()
