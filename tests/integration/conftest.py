"""What tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.care import Care
    from tests.servers.deployment import Deployment
    from tests.servers.kafka import KafkaServer
    from tests.servers.redis import RedisServer


@pytest.fixture
def care(
    kafka_server: KafkaServer,
    redis_server: RedisServer,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Care:
    """An empty deployment for the commands of customer care: no topics yet."""
    from tests.integration.care import Care

    return Care(kafka_server, redis_server, topic_prefix, tmp_path / "rules", monkeypatch)


@pytest.fixture
def deployment(
    tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str
) -> Iterator[Deployment]:
    """An empty deployment of two partitions; its processes end with the test."""
    from tests.servers.deployment import Deployment

    made = Deployment(tmp_path, kafka_server.bootstrap, redis_server.url, topic_prefix, partitions=2)
    yield made
    made.close()
