"""Who keeps the contracts: each port's adapters by name. A real adapter joins by a name and a branch here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis, RedisCluster

from connectors.kafka_log import KafkaLog
from connectors.kafka_offers import KafkaOffers
from connectors.kafka_queue import KafkaQueue
from connectors.memory_deliveries import MemoryDeliveries
from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers, MemoryQueue
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_scripts import Client
from connectors.redis_store import AT_ONCE, RedisStore
from engine.ports import Deliveries, Log, Offers, OptOuts, Progress, Queue, Store
from tests.contract.inlets import Inlets, KafkaInlets, MemoryInlets
from tests.contract.test_queue import QueueBench
from tests.servers.eventually import eventually

PARTITIONS = 3


@pytest.fixture(params=["memory", "kafka"])
async def log(request: pytest.FixtureRequest) -> AsyncIterator[Log]:
    """Give an empty log of three partitions."""
    if request.param == "memory":
        yield MemoryLog(PARTITIONS)
        return
    kafka, prefix = request.getfixturevalue("kafka_server"), request.getfixturevalue("topic_prefix")
    topic = f"{prefix}.events.v1"
    await asyncio.to_thread(kafka.create_topics, topic, partitions=PARTITIONS)
    found = KafkaLog({"bootstrap_servers": kafka.bootstrap}, topic, PARTITIONS, f"{prefix}.engine")
    await found.assign(range(PARTITIONS))
    yield found
    await found.close()


@pytest.fixture(params=["memory", "redis", "redis in parts", "cluster"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Give an empty store of three partitions."""
    if request.param == "memory":
        yield MemoryStore(PARTITIONS)
        return
    client = client_of(request)
    yield RedisStore(client, PARTITIONS, at_once=2 if request.param == "redis in parts" else AT_ONCE)
    await client.aclose()


@pytest.fixture(params=["memory", "kafka"])
async def offers(request: pytest.FixtureRequest) -> AsyncIterator[Offers]:
    """Give empty topics of three partitions."""
    if request.param == "memory":
        yield MemoryOffers(PARTITIONS)
        return
    kafka, prefix = request.getfixturevalue("kafka_server"), request.getfixturevalue("topic_prefix")
    names = [f"{prefix}.{name}.v1" for name in ("events", "offers", "decisions", "profiles", "deadletters")]
    await asyncio.to_thread(kafka.create_topics, *names, partitions=PARTITIONS)
    found = KafkaOffers({"bootstrap_servers": kafka.bootstrap}, prefix)
    await found.open()
    yield found
    await found.close()


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


class MemoryBench:
    """Offers and takers in memory."""

    def __init__(self) -> None:
        self.offers = MemoryOffers(PARTITIONS)
        self.kept: dict[int, Progress] = {}

    async def publish(self, partition: int, payloads: Sequence[bytes]) -> None:
        """Append offers."""
        entries = [(f"o:{payload!r}", payload) for payload in payloads]
        await self.offers.publish(partition, entries, offset=0, known=frozenset())

    async def taker(self) -> Queue:
        """Give a taker."""
        return MemoryQueue(self.offers, PARTITIONS, self.kept)

    async def leave(self, taker: Queue) -> None:
        """Nothing is held."""


class KafkaBench:
    """A topic of a real Kafka and members of one group."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap = bootstrap
        self.topic = topic
        self.takers: list[KafkaQueue] = []

    async def publish(self, partition: int, payloads: Sequence[bytes]) -> None:
        """Append offers; all are there once this returns."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for payload in payloads:
                await producer.send_and_wait(self.topic, payload, partition=partition)

    async def taker(self) -> Queue:
        """Join the group and wait for all partitions."""
        queue = KafkaQueue({"bootstrap_servers": self.bootstrap}, self.topic, f"{self.topic}.group")
        await queue.start()
        self.takers.append(queue)
        await eventually(lambda: len(queue.terms()) == PARTITIONS)
        return queue

    async def leave(self, taker: Queue) -> None:
        """Leave the group."""
        assert isinstance(taker, KafkaQueue)
        await taker.stop()


@pytest.fixture(params=["memory", "kafka"])
async def queues(request: pytest.FixtureRequest) -> AsyncIterator[QueueBench]:
    """Give an empty topic of offers of three partitions, and its takers."""
    if request.param == "memory":
        yield MemoryBench()
        return
    server = request.getfixturevalue("kafka_server")
    topic = f"{request.getfixturevalue('topic_prefix')}.offers.v1"
    await asyncio.to_thread(server.create_topics, topic, partitions=PARTITIONS)
    bench = KafkaBench(server.bootstrap, topic)
    yield bench
    for taker in bench.takers:
        await taker.stop()
