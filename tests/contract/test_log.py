"""The contract of `engine.ports.Log`."""

from __future__ import annotations

import pytest

from connectors.memory_log import MemoryLog
from engine.errors import LogError
from engine.ports import Log, LogRecord, Mark

LONG = 10.0
"""Seconds to wait for records that are there: a real log may hand them over in parts, and late."""


async def values(log: Log, partition: int, offset: int, count: int) -> list[bytes]:
    """Read as many records as are there."""
    found: list[bytes] = []
    while len(found) < count:
        records = await log.fetch(partition, offset, count - len(found), LONG)
        assert records, f"expected {count} records, was {len(found)}"
        offset = records[-1].offset + 1
        found += [record.value for record in records]
    return found


async def test_a_new_log_is_empty_in_every_partition(log: Log) -> None:
    assert log.partitions == 3
    for partition in range(3):
        assert await log.fetch(partition, 0, 10) == []
        assert await log.start(partition) == 0


async def test_a_log_tells_who_it_is_always_the_same(log: Log) -> None:
    assert await log.identity() == await log.identity() != ""


async def test_a_partition_keeps_the_order_of_its_records(log: Log) -> None:
    await log.append([(0, b"a"), (1, b"x"), (0, b"b")])
    await log.append([(0, b"c")])
    assert await values(log, 0, 0, 3) == [b"a", b"b", b"c"]
    assert await values(log, 1, 0, 1) == [b"x"]
    assert await log.fetch(0, 3, 10, 0.1) == await log.fetch(2, 0, 10, 0.1) == []


async def test_offsets_count_the_records_of_a_partition(log: Log) -> None:
    await log.append([(1, b"%d" % n) for n in range(5)])
    assert await values(log, 1, 3, 2) == [b"3", b"4"]
    [record] = await log.fetch(1, 4, 10, LONG)
    assert record == LogRecord(4, b"4")


async def test_a_fetch_returns_at_most_its_limit_and_the_next_goes_on(log: Log) -> None:
    await log.append([(0, b"%d" % n) for n in range(5)])
    first = await log.fetch(0, 0, 2, LONG)
    assert [record.offset for record in first] in ([0, 1], [0])
    assert await values(log, 0, first[-1].offset + 1, 5 - len(first)) == [
        b"%d" % n for n in range(len(first), 5)
    ]


async def test_the_newest_record_of_each_partition_is_known(log: Log) -> None:
    assert [await log.last(partition) for partition in range(3)] == [0, 0, 0]
    await log.append([(1, b"%d" % n) for n in range(5)])
    await log.append([(2, b"x")])
    assert [await log.last(partition) for partition in range(3)] == [0, 5, 1]


async def test_at_the_end_there_is_nothing_until_something_is_appended(log: Log) -> None:
    await log.append([(0, b"a")])
    assert await values(log, 0, 0, 1) == [b"a"]
    assert await log.fetch(0, 1, 10, 0.1) == []
    await log.append([(0, b"b")])
    assert await log.fetch(0, 1, 10, LONG) == [LogRecord(1, b"b")]


async def test_reading_takes_nothing_away_and_one_may_go_back(log: Log) -> None:
    await log.append([(0, b"a"), (0, b"b")])
    for _ in range(2):
        assert await values(log, 0, 0, 2) == [b"a", b"b"]
        assert await values(log, 0, 1, 1) == [b"b"]


async def test_a_mark_is_kept_beside_the_log(log: Log) -> None:
    assert await log.marked(0) is None
    await log.append([(0, b"a"), (0, b"b")])
    await log.mark(0, Mark(1, '{"rules":"x"}'))
    assert await log.marked(0) == Mark(1, '{"rules":"x"}')
    await log.mark(0, Mark(2, "{}"))
    assert await log.marked(0) == Mark(2, "{}")
    assert await log.marked(1) is None


async def test_what_retention_has_trimmed_is_an_error_not_a_gap() -> None:
    log = MemoryLog(1)
    await log.append([(0, b"%d" % n) for n in range(5)])
    log.trim(0, 3)
    log.trim(0, 2)
    assert (await log.start(0), log.end(0)) == (3, 5)
    assert [record.offset for record in await log.fetch(0, 3, 10)] == [3, 4]
    with pytest.raises(LogError, match="partition 0: expected an offset from 3 on, was 2"):
        await log.fetch(0, 2, 10)
    log.trim(0, 99)
    await log.append([(0, b"5")])
    assert await log.fetch(0, 5, 10) == [LogRecord(5, b"5")]
