"""The fast rows of the crash matrix, with few faults each; `./run faults` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.rows import FAST, ROWS, Servers
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer


@pytest.mark.parametrize("row", FAST)
def test_nothing_is_lost_doubled_or_wrong(
    row: str, tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer
) -> None:
    found = ROWS[row](Servers(tmp_path, kafka_server, redis_server, quick=True))
    assert found.holds, (found.verdict, found.problems)
    assert found.faults > 0
    assert found.verdict.offers >= 1_000
    assert found.verdict.outcomes["held"] > 0
    assert found.verdict.outcomes["control"] > 0
    assert set(found.verdict.rules) == {"text", "dwell", "enters", "leaves", "calls", "silent", "then"}
    assert found.verdict.ends.total() == found.verdict.offers
