"""What tests of this folder share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.care import Care
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
