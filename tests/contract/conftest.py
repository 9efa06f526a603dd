"""Who keeps the contracts: each port's adapters by name. A real adapter joins by a name and a branch here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis, RedisCluster

from connectors.memory_deliveries import MemoryDeliveries
from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_scripts import Client
from engine.ports import Deliveries, Log, Offers, OptOuts, Store
from tests.contract.inlets import Inlets, KafkaInlets, MemoryInlets

PARTITIONS = 3


@pytest.fixture(params=["memory"])
def log(request: pytest.FixtureRequest) -> Log:
    """Give an empty log of three partitions."""
    assert request.param == "memory"
    return MemoryLog(PARTITIONS)


@pytest.fixture(params=["memory"])
def store(request: pytest.FixtureRequest) -> Store:
    """Give an empty store of three partitions."""
    assert request.param == "memory"
    return MemoryStore(PARTITIONS)


@pytest.fixture(params=["memory"])
def offers(request: pytest.FixtureRequest) -> Offers:
    """Give an empty topic of decisions of three partitions."""
    assert request.param == "memory"
    return MemoryOffers(PARTITIONS)


@pytest.fixture(params=["memory", "kafka"])
async def inlets(request: pytest.FixtureRequest) -> AsyncIterator[Inlets]:
    """Give ways into an empty log of three partitions."""
    made: Inlets = MemoryInlets()
    if request.param == "kafka":
        server = request.getfixturevalue("kafka_server")
        made = KafkaInlets(server, request.getfixturevalue("topic_prefix"))
    yield made
    await made.close()


@pytest.fixture(params=["memory", "redis", "cluster"])
async def deliveries(request: pytest.FixtureRequest) -> AsyncIterator[Deliveries]:
    """Give an empty ledger of deliveries."""
    if request.param == "memory":
        yield MemoryDeliveries()
        return
    client = client_of(request)
    # a replica must confirm where there is one
    yield RedisDeliveries(client, replicas=1 if request.param == "cluster" else 0)
    await client.aclose()


@pytest.fixture(params=["memory", "redis", "cluster"])
async def optouts(request: pytest.FixtureRequest) -> AsyncIterator[OptOuts]:
    """Give an empty set of opt-outs."""
    if request.param == "memory":
        yield MemoryOptOuts()
        return
    client = client_of(request)
    yield RedisOptOuts(client, replicas=1 if request.param == "cluster" else 0)
    await client.aclose()


def client_of(request: pytest.FixtureRequest) -> Client:
    """Return a client of an empty Redis, standalone or Cluster as the parameter says."""
    if request.param == "cluster":
        return RedisCluster.from_url(request.getfixturevalue("redis_cluster").url)
    return Redis.from_url(request.getfixturevalue("redis_server").url)
