"""The contract of `engine.ports.Log`."""

from __future__ import annotations

import pytest

from connectors.memory_log import MemoryLog
from engine.errors import LogError
from engine.ports import Log, LogRecord


async def test_a_new_log_is_empty_in_every_partition(log: Log) -> None:
    assert log.partitions == 3
    for partition in range(3):
        assert await log.fetch(partition, 0, 10) == []


async def test_a_partition_keeps_the_order_of_its_records(log: Log) -> None:
    await log.append([(0, b"a"), (1, b"x"), (0, b"b")])
    await log.append([(0, b"c")])
    assert [record.value for record in await log.fetch(0, 0, 10)] == [b"a", b"b", b"c"]
    assert [record.value for record in await log.fetch(1, 0, 10)] == [b"x"]
    assert await log.fetch(2, 0, 10) == []


async def test_offsets_count_the_records_of_a_partition(log: Log) -> None:
    await log.append([(1, b"%d" % n) for n in range(5)])
    assert await log.fetch(1, 3, 10) == [LogRecord(3, b"3"), LogRecord(4, b"4")]


async def test_a_fetch_returns_at_most_its_limit_and_the_next_goes_on(log: Log) -> None:
    await log.append([(0, b"%d" % n) for n in range(5)])
    first = await log.fetch(0, 0, 2)
    assert [record.offset for record in first] == [0, 1]
    rest = await log.fetch(0, first[-1].offset + 1, 10)
    assert [record.offset for record in rest] == [2, 3, 4]


async def test_at_the_end_there_is_nothing_until_something_is_appended(log: Log) -> None:
    await log.append([(0, b"a")])
    assert await log.fetch(0, 1, 10) == []
    await log.append([(0, b"b")])
    assert await log.fetch(0, 1, 10) == [LogRecord(1, b"b")]


async def test_reading_takes_nothing_away(log: Log) -> None:
    await log.append([(0, b"a")])
    assert await log.fetch(0, 0, 10) == await log.fetch(0, 0, 10)


async def test_what_retention_has_trimmed_is_an_error_not_a_gap() -> None:
    log = MemoryLog(1)
    await log.append([(0, b"%d" % n) for n in range(5)])
    log.trim(0, 3)
    log.trim(0, 2)
    assert log.end(0) == 5
    assert [record.offset for record in await log.fetch(0, 3, 10)] == [3, 4]
    with pytest.raises(LogError, match="partition 0: expected an offset from 3 on, was 2"):
        await log.fetch(0, 2, 10)
    log.trim(0, 99)
    await log.append([(0, b"5")])
    assert await log.fetch(0, 5, 10) == [LogRecord(5, b"5")]
