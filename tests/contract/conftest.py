"""Who keeps the contracts: each port's adapters by name. A real adapter joins by a name and a branch here."""

from __future__ import annotations

import pytest

from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_store import MemoryStore
from engine.ports import Log, Offers, Store

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
