"""Clients of Kafka that are given up on while they start: nothing of them is left open."""

from __future__ import annotations

import asyncio
import gc
import struct
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, ProducerClosed

from connectors.kafka_health import KafkaHealth
from connectors.kafka_start import start, started, stop
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port

KINDS: dict[str, Callable[..., Any]] = {
    "client": AIOKafkaClient,
    "admin": AIOKafkaAdminClient,
    "consumer": AIOKafkaConsumer,
    "producer": AIOKafkaProducer,
    "transactional": lambda **options: AIOKafkaProducer(**options, transactional_id="given-up"),
}


class Silent:
    """Passes the first answers of a broker on in each connection, then nothing."""

    def __init__(self, target: int, answers: int) -> None:
        self.target, self.answers = target, answers
        self.port = free_port()
        self.stood, self.ended = 0, 0
        """Connections in which an answer was kept back; that clients have closed."""

    @property
    def options(self) -> dict[str, Any]:
        """How clients reach it."""
        return {"bootstrap_servers": f"127.0.0.1:{self.port}"}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Silent]:
        """Take connections while the block runs."""
        server = await asyncio.start_server(self._link, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _link(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        broker, on = await asyncio.open_connection("127.0.0.1", self.target)
        down = asyncio.create_task(self._down(broker, back))
        try:
            while data := await client.read(65_536):
                on.write(data)
        except ConnectionError:
            pass
        finally:
            self.ended += 1
            down.cancel()
            await asyncio.gather(down, return_exceptions=True)
            for writer in (on, back):
                writer.close()

    async def _down(self, broker: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        for _ in range(self.answers):
            head = await broker.readexactly(4)
            back.write(head + await broker.readexactly(struct.unpack(">i", head)[0]))
        await broker.readexactly(1)
        self.stood += 1
        await asyncio.sleep(3_600)


@pytest.fixture(params=[0, 1])
async def silent(kafka_server: KafkaServer, request: pytest.FixtureRequest) -> AsyncIterator[Silent]:
    """A broker that hangs at the first question, or at the one after it."""
    port = int(kafka_server.bootstrap.rpartition(":")[2])
    async with Silent(port, request.param).listening() as there:
        yield there


async def all_closed(silent: Silent) -> None:
    """Check that clients have let go of each connection, and that Python has nothing to complain of."""
    assert silent.stood > 0
    await eventually(lambda: silent.ended == silent.stood)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gc.collect()
    assert [str(each.message) for each in told] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_whose_start_is_cancelled_is_closed(silent: Silent, kind: str) -> None:
    client = KINDS[kind](**silent.options)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await start(client)
    del client
    await all_closed(silent)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_can_not_start_is_closed(silent: Silent, kind: str) -> None:
    with pytest.raises(KafkaConnectionError):
        async with started(KINDS[kind](**silent.options, request_timeout_ms=300)):
            pytest.fail("it has started")
    await all_closed(silent)


async def test_health_leaves_nothing_open_where_a_broker_hangs_or_watching_ends(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kafka_health.WITHIN", 0.3)
    health = KafkaHealth(silent.options)
    assert await health.look() == "Kafka: expected an answer within 0.3 s, was none"
    watch = asyncio.create_task(health.watch())
    await eventually(lambda: silent.stood > 1)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    await all_closed(silent)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_is_connected_while_the_block_runs(kafka_server: KafkaServer, kind: str) -> None:
    async with started(KINDS[kind](bootstrap_servers=kafka_server.bootstrap)) as client:
        assert inner(client).cluster.brokers()
    assert not connected(client)


@pytest.mark.parametrize("kind", ["admin", "consumer", "producer"])
async def test_a_stop_that_is_given_up_on_closes_connections(
    kafka_server: KafkaServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = KINDS[kind](bootstrap_servers=kafka_server.bootstrap)
    name = "close" if kind == "admin" else "stop"
    really_stop = getattr(client, name)
    await start(client)
    await inner(client).fetch_all_metadata()
    assert connected(client)
    monkeypatch.setattr(client, name, partial(asyncio.sleep, 3_600))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await stop(client)
    assert not connected(client)
    await really_stop()


@pytest.mark.parametrize("on_its_way", [False, True])
@pytest.mark.parametrize("kind", ["producer", "transactional"])
async def test_a_producer_that_is_given_up_on_ends(
    kafka_server: KafkaServer,
    topic_prefix: str,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    on_its_way: bool,
) -> None:
    kafka_server.create_topics(topic_prefix, partitions=2)
    producer = KINDS[kind](bootstrap_servers=kafka_server.bootstrap)
    await start(producer)
    if kind == "transactional":
        await producer.begin_transaction()
    await producer.send_and_wait(topic_prefix, b"before", partition=0)
    sent = []
    try:
        await asyncio.to_thread(kafka_server.pause)
        if on_its_way:
            sent = [await producer.send(topic_prefix, b"in vain", partition=each) for each in (0, 1)]
            await asyncio.sleep(0.1)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop(producer), 0.5)
        assert not connected(producer)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        told = await asyncio.gather(*sent, return_exceptions=True)
        assert [type(each) for each in told] == [ProducerClosed] * len(sent)
    finally:
        kafka_server.resume()
    await asyncio.sleep(0)
    del producer, sent, told
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def inner(client: Any) -> AIOKafkaClient:
    """Return what has the connections of a client."""
    if isinstance(client, AIOKafkaClient):
        return client
    return client.client if isinstance(client, AIOKafkaProducer) else client._client


def connected(client: Any) -> bool:
    """Say whether a connection is open."""
    return any(connection.connected() for connection in inner(client)._conns.values())
