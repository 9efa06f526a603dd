"""The fast rows of the crash matrix, and the bugs that its checker has to find. All rows: `./run faults`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.planted import PLANTED
from tests.faults.rows import ROWS
from tests.faults.stage import Stage
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer

SEED = 7
FAST = ("1", "7", "14", "17", "20", "21", "22")


@pytest.fixture
def stage(tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer) -> Iterator[Stage]:
    """Give servers and a folder for one row, fewer faults than the full matrix has."""
    made = Stage(tmp_path, SEED, quick=True, kafka=kafka_server)
    yield made
    made.close()


@pytest.mark.parametrize("row", FAST)
def test_a_row_of_the_matrix_holds(row: str, stage: Stage) -> None:
    report = ROWS[row](stage)
    assert report.passed, str(report)
    assert report.is_whole, (report.offers, report.in_flight, report.kinds, report.rules)


@pytest.mark.parametrize(
    ("planted", "shows"),
    [
        ("token", lambda report: report.wrong_states),
        ("claim", lambda report: report.doubled),
        ("outbox", lambda report: report.lost),
        ("offset", lambda report: any("counts of records" in what for what in report.problems)),
        ("submit", lambda report: report.ends["indeterminate"] and report.lost),
    ],
)
def test_the_checker_finds_a_planted_bug(
    planted: str, shows: Callable[[object], object], stage: Stage
) -> None:
    report = PLANTED[planted](stage)
    assert not report.passed
    assert shows(report), str(report)
    assert not any("did not come to its end" in what for what in report.problems)
