"""Fixtures of real servers, started when a test asks first: one Redis, cluster and Kafka per xdist worker.

What a test killed or paused runs again before the next one. Redis is never skipped: without one, tests fail.
Kafka needs Java and Maven: without, tests are skipped and the closing table says why, unless
`REQUIRE_REAL_KAFKA=1`.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.closing_table import stand_on
from tests.servers.kafka_jars import NAME, FoundKafka, find_kafka
from tests.servers.process import NoServerError

# Every start of pytest reads this file, also those that tests make: the clients' packages (0.5 s) can wait.
if TYPE_CHECKING:
    from tests.servers.kafka import KafkaServer
    from tests.servers.postgres import PostgresServer
    from tests.servers.redis import Found, RedisServer
    from tests.servers.redis_groups import RedisCluster, RedisSentinel

REQUIRED = "REQUIRE_REAL_KAFKA"
"""Variable that makes a missing Kafka a failure."""


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The Redis of this worker."""
    from tests.servers.redis import URL, OutsideRedis, RedisServer, find_redis

    found = find_redis()
    if found.how == URL:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
        yield OutsideRedis(found.path, int(worker))
        return
    server = RedisServer(tmp_path_factory.mktemp("redis"), found=found).start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(request: pytest.FixtureRequest) -> RedisServer:
    """Give a Redis without a key in it. The test may kill, pause and restart it."""
    from tests.servers.redis import find_redis

    _note_redis(request, find_redis)
    server: RedisServer = request.getfixturevalue("_redis")
    server.revive()
    server.flush()
    return server


@pytest.fixture
def new_redis(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RedisServer]]:
    """Give a function that starts a Redis of this test alone; its arguments are lines of configuration."""
    from tests.servers.redis import RedisServer, find_own

    found = _note_redis(request, find_own)
    started: list[RedisServer] = []

    def start(*options: str) -> RedisServer:
        server = RedisServer(tmp_path_factory.mktemp("redis"), *options, found=found)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def _redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """The Redis Cluster of this worker."""
    from tests.servers.redis_groups import RedisCluster

    cluster = RedisCluster(tmp_path_factory.mktemp("redis_cluster"))
    try:
        yield cluster.start()
    finally:
        cluster.kill()


@pytest.fixture
def redis_cluster(request: pytest.FixtureRequest) -> RedisCluster:
    """Give a Redis Cluster, three masters with a replica each, without a key in it."""
    from tests.servers.redis import find_own

    _note_redis(request, find_own, " Cluster")
    cluster: RedisCluster = request.getfixturevalue("_redis_cluster")
    cluster.revive()
    cluster.flush()
    return cluster


@pytest.fixture
def redis_sentinel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisSentinel]:
    """Give a primary, its replica and three sentinels of this test alone."""
    from tests.servers.redis import find_own
    from tests.servers.redis_groups import RedisSentinel

    servers = RedisSentinel(tmp_path, found=_note_redis(request, find_own, " Sentinel"))
    try:
        yield servers.start()
    finally:
        servers.kill()


@pytest.fixture(scope="session")
def _kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """The Kafka of this worker."""
    from tests.servers.kafka import KafkaServer, OutsideKafka

    found = find_kafka()
    if found.bootstrap is not None:
        yield OutsideKafka(found.bootstrap)
        return
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), found=found)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def kafka_server(request: pytest.FixtureRequest) -> KafkaServer:
    """Give a Kafka of one broker. Topics of other tests are in it: begin yours with `topic_prefix`."""
    note_kafka(request.node)
    server: KafkaServer = request.getfixturevalue("_kafka")
    server.revive()
    return server


@pytest.fixture(scope="session")
def _postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL of this worker. Not below pytest's folder, which only its own user may enter."""
    from tests.servers.postgres import PostgresServer, find_postgres

    server = PostgresServer(Path(tempfile.mkdtemp(prefix="touchpoint-postgres-")), find_postgres()).start()
    yield server
    server.kill()


@pytest.fixture
def postgres_server(request: pytest.FixtureRequest) -> PostgresServer:
    """Give a PostgreSQL; tables of other tests are in it. Without one, the test is not run."""
    from tests.servers.postgres import NAME as POSTGRES
    from tests.servers.postgres import find_postgres

    try:
        found = find_postgres()
    except NoServerError as error:
        stand_on(request.node, "engine", POSTGRES, "", str(error))
        pytest.skip(f"no PostgreSQL: {error}")
    stand_on(request.node, "engine", found.version, found.how)
    server: PostgresServer = request.getfixturevalue("_postgres")
    return server


@pytest.fixture
def topic_prefix() -> str:
    """Give a text that no other test has, like `t3f9a1c`, for names of topics, groups and clients."""
    return f"t{secrets.token_hex(3)}"


def note_kafka(item: pytest.Item, look: Callable[[], FoundKafka] = find_kafka) -> FoundKafka:
    """Note that `item` stands on Kafka; skip or fail the test where there is none."""
    try:
        found = look()
    except NoServerError as error:
        stand_on(item, "engine", NAME, "", str(error))
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED}=1: expected a Kafka, was: {error}", pytrace=False)
        pytest.skip(f"no Kafka: {error}")
    stand_on(item, "engine", found.version, found.how)
    return found


def _note_redis(request: pytest.FixtureRequest, look: Callable[[], Found], form: str = "") -> Found:
    """Note that this test stands on Redis; fail it where there is none."""
    try:
        found = look()
    except NoServerError as error:
        stand_on(request.node, "engine", f"Redis{form}", "", "none found, tests failed")
        pytest.fail(str(error), pytrace=False)
    stand_on(request.node, "engine", f"{found.version}{form}", found.how)
    return found
