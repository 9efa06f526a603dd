"""What uses Kafka is given up on while brokers hang: no task of it goes on, nothing is told in the logs."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRebalanceListener

from connectors.city import push
from connectors.city.push import TopicPush
from connectors.kafka_log import KafkaLog
from connectors.kafka_queue import KafkaQueue
from connectors.kafka_start import start, stop
from engine.errors import LogError
from tests.contract.inlets import PARTITIONS, KafkaInlets
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer

MANY = [(number % PARTITIONS, b"x" * 1_000) for number in range(3_000)]
Work = Callable[[], Coroutine[Any, Any, None]]


class _Joined(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is not typed
    def __init__(self) -> None:
        self.partitions: list[int] = []

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Lose them."""

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Note them."""
        self.partitions = [place.partition for place in assigned]


async def queue(inlets: KafkaInlets) -> tuple[Work, Work]:
    """A dispatcher's queue, at work."""
    there = KafkaQueue(inlets.options, f"{inlets.prefix}.events.v1", f"{inlets.prefix}.queue")
    await there.start()

    async def taken() -> bool:
        await there.take(1, 0.1)
        return bool(there.terms())

    await eventually(taken)
    await there.progress(min(there.terms()))
    return there.stop, there.stop


async def joined(inlets: KafkaInlets) -> tuple[Work, Work]:
    """An engine's log, in its group, with something written."""
    there, told = _log(inlets), _Joined()
    await there.join(told)
    await there.append([(0, b"{}")])
    await eventually(lambda: told.partitions)
    return there.close, there.close


async def written(inlets: KafkaInlets) -> tuple[Work, Work]:
    """A log that is written to."""
    there = _log(inlets)
    await there.append([(0, b"{}")])
    return lambda: there.append(MANY), there.close


async def collected(inlets: KafkaInlets) -> tuple[Work, Work]:
    """A collector's inlet that is written to."""
    there = inlets.open("source")
    await there.resume()
    return lambda: there.append(MANY, b"at 1"), there.close


def _log(inlets: KafkaInlets) -> KafkaLog:
    topic = f"{inlets.prefix}.events.v1"
    return KafkaLog(inlets.options, topic, PARTITIONS, f"{inlets.prefix}.group")


@asynccontextmanager
async def nothing_is_left(server: KafkaServer, caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Have Kafka hang while the block runs; check that nothing of it goes on, then or later."""
    await asyncio.to_thread(server.pause)
    try:
        yield
        await eventually(lambda: asyncio.all_tasks() == {asyncio.current_task()}, within=5)
    finally:
        server.resume()
    await asyncio.sleep(0.5)  # what went on would connect again
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gc.collect()
        await asyncio.sleep(0)
        gc.collect()
    assert [str(each.message) for each in told] == []
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"][:3] == []


@pytest.mark.parametrize("make", [queue, joined, written, collected])
async def test_work_that_is_given_up_on_while_kafka_hangs_leaves_nothing(
    kafka_server: KafkaServer, topic_prefix: str, caplog: pytest.LogCaptureFixture, make: Any
) -> None:
    work, close = await make(KafkaInlets(kafka_server, topic_prefix))
    async with nothing_is_left(kafka_server, caplog):
        for each in (work, close):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await each()
        del work, close, each


async def test_who_is_cancelled_twice_while_a_client_ends_leaves_nothing_either(
    kafka_server: KafkaServer, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    kafka_server.create_topics(topic_prefix)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap)
    await start(producer)
    await producer.send_and_wait(topic_prefix, b"before")
    async with nothing_is_left(kafka_server, caplog):
        sent = await producer.send(topic_prefix, b"in vain")
        stopping = asyncio.create_task(stop(producer))
        await asyncio.sleep(0.1)
        for _ in range(3):
            stopping.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(stopping, return_exceptions=True)
        assert stopping.cancelled()
        del producer, sent, stopping


async def test_a_push_ends_with_an_error_though_kafka_hangs(
    kafka_server: KafkaServer,
    topic_prefix: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(push, "PATIENCE", 1.0)
    monkeypatch.setattr(push, "STOP_WITHIN", 0.5)
    kafka_server.create_topics(topic_prefix)
    pushed: list[int] = []
    rows = ({"imsi": "460001234567890", "id": str(number)} for number in range(10**9))
    work = TopicPush(topic_prefix, {"bootstrap_servers": kafka_server.bootstrap}, rate=5_000.0)
    work.told = lambda records, _: pushed.append(records)
    running = asyncio.create_task(work.push(rows))
    await eventually(lambda: pushed)
    async with nothing_is_left(kafka_server, caplog):
        with pytest.raises(LogError, match="expected to be written, was not: TimeoutError"):
            await asyncio.wait_for(running, 10)
        del running
