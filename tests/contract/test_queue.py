"""The contract of `engine.ports.Queue`: every offer is taken until it is done, also by the next taker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import pytest

from connectors.kafka_queue import KafkaQueue
from engine.errors import LogError
from engine.ports import Progress, Queue, Queued
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer


class QueueBench(Protocol):
    """A topic of offers and its takers (tests/contract/conftest.py)."""

    async def publish(self, partition: int, payloads: Sequence[bytes]) -> None:
        """Append offers."""
        ...

    async def taker(self) -> Queue:
        """Give a taker that holds all three partitions."""
        ...

    async def leave(self, taker: Queue) -> None:
        """End a taker."""
        ...


async def take(queue: Queue, number: int) -> list[Queued]:
    """Take offers until there are so many."""
    found: list[Queued] = []

    async def enough() -> bool:
        found.extend(await queue.take(100, 0.05))
        return len(found) >= number

    await eventually(enough)
    return found


def plain(found: list[Queued]) -> list[tuple[int, int, bytes]]:
    return sorted((queued.partition, queued.offset, queued.payload) for queued in found)


async def test_offers_are_taken_once_in_the_order_of_their_partition(queues: QueueBench) -> None:
    queue = await queues.taker()
    assert await queue.take(10) == []
    await queues.publish(0, [b"a", b"b"])
    await queues.publish(2, [b"x"])
    assert plain(await take(queue, 3)) == [(0, 0, b"a"), (0, 1, b"b"), (2, 0, b"x")]
    await queues.publish(0, [b"c"])
    assert plain(await take(queue, 1)) == [(0, 2, b"c")]
    assert await queue.take(10, 0.05) == []


async def test_no_more_are_taken_than_asked_for(queues: QueueBench) -> None:
    queue = await queues.taker()
    await queues.publish(1, [b"%d" % number for number in range(5)])
    found: list[Queued] = []

    async def all_taken() -> bool:
        some = await queue.take(2, 0.05)
        assert len(some) <= 2
        found.extend(some)
        return len(found) == 5

    await eventually(all_taken)
    assert [queued.offset for queued in found] == [0, 1, 2, 3, 4]


async def test_the_next_taker_goes_on_where_the_last_was_done(queues: QueueBench) -> None:
    first = await queues.taker()
    await queues.publish(0, [b"a", b"b", b"c"])
    await take(first, 3)
    await first.done({0: Progress(1, 3, 7, 2)})
    await queues.leave(first)
    second = await queues.taker()
    assert await second.progress(0) == Progress(1, 3, 7, 2)
    assert await second.progress(1) == Progress()
    assert plain(await take(second, 2)) == [(0, 1, b"b"), (0, 2, b"c")]


async def test_what_was_taken_can_be_taken_again(queues: QueueBench) -> None:
    queue = await queues.taker()
    await queues.publish(0, [b"a", b"b"])
    await take(queue, 2)
    assert await queue.rewind(0, 1_600_000_000_000_000) == 0
    assert plain(await take(queue, 2)) == [(0, 0, b"a"), (0, 1, b"b")]
    await queues.publish(0, [b"c"])
    assert plain(await take(queue, 1)) == [(0, 2, b"c")]


async def test_what_was_never_done_is_taken_again(queues: QueueBench) -> None:
    first = await queues.taker()
    await queues.publish(0, [b"a"])
    await take(first, 1)
    await queues.leave(first)
    assert plain(await take(await queues.taker(), 1)) == [(0, 0, b"a")]


async def test_an_offer_carries_the_term_in_which_it_was_taken(queues: QueueBench) -> None:
    queue = await queues.taker()
    await queues.publish(2, [b"a"])
    [queued] = await take(queue, 1)
    assert set(queue.terms()) == {0, 1, 2}
    assert queued.term == queue.terms()[2]


async def test_what_is_lost_to_another_taker_is_left_out_and_comes_back_as_new(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.offers.v1"
    await asyncio.to_thread(kafka_server.create_topics, topic, partitions=2)
    options = {"bootstrap_servers": kafka_server.bootstrap}
    first, second = (KafkaQueue(options, topic, f"{topic}.group") for _ in range(2))
    await first.start()
    await eventually(lambda: len(first.terms()) == 2)
    before = first.terms()
    await second.start()
    await eventually(lambda: len(first.terms()) == len(second.terms()) == 1)
    [lost] = second.terms()
    await second.done({lost: Progress(0, 7)})
    await first.done({lost: Progress(0, 3)})  # no longer its own
    assert await first.progress(lost) == Progress(0, 7)
    await second.stop()
    await eventually(lambda: len(first.terms()) == 2)
    assert set(before.values()).isdisjoint(first.terms().values())
    await first.stop()


async def test_a_queue_whose_broker_is_gone_says_so(topic_prefix: str) -> None:
    queue = KafkaQueue({"bootstrap_servers": "127.0.0.1:1"}, topic_prefix, topic_prefix)
    with pytest.raises(LogError, match="kafka: start: expected an answer"):
        await queue.start()
    with pytest.raises(LogError, match="expected a queue that was started"):
        await queue.take(1)
