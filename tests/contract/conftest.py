"""Who keeps the contracts: each port's adapters by name. A real adapter joins by a name and a branch here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_store import MemoryStore
from engine.ports import Log, Offers, Store
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
