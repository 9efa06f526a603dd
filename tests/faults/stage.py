"""The servers of a run of the matrix, started when a row asks first, and the folder in which all of it is."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from tests.faults.field import Field, Store, new_prefix
from tests.faults.load import Load, Options
from tests.servers.kafka import KafkaCluster, KafkaServer
from tests.servers.redis import RedisServer
from tests.servers.redis_groups import RedisCluster, RedisSentinel


class Stage:
    """One row's servers and fields. Close it: everything that was started ends."""

    def __init__(
        self, folder: Path, seed: int, *, quick: bool = False, kafka: KafkaServer | None = None
    ) -> None:
        """`quick`: as in every run of the tests: fewer faults, not fewer offers. `kafka`: one that runs."""
        self.folder = folder
        self.seed = seed
        self.quick = quick
        self.random = random.Random(seed)
        self._kafka = kafka
        self._servers: list[Any] = []
        self._fields: list[Field] = []

    def close(self) -> None:
        """End all that was started here."""
        fields, self._fields = self._fields, []
        for field in fields:
            field.close()
        servers, self._servers = self._servers, []
        for server in servers:
            if isinstance(server, KafkaCluster):
                server.stop()
            else:
                server.kill()

    def own(self, server: Any) -> None:
        """Have a server ended with this stage."""
        self._servers.append(server)

    @property
    def kafka(self) -> KafkaServer:
        """A Kafka of one broker."""
        if self._kafka is None:
            self._kafka = KafkaServer(self.folder / "kafka")
            self._servers.append(self._kafka)
            self._kafka.start()
        return self._kafka

    def redis(self, *options: str) -> RedisServer:
        """Start a Redis."""
        server = RedisServer(self.folder / f"redis{len(self._servers)}", *options)
        self._servers.append(server)
        return server.start()

    def kafka_cluster(self) -> KafkaCluster:
        """Start three brokers."""
        cluster = KafkaCluster(self.folder / "brokers", 3)
        self._servers.append(cluster)
        return cluster.start()

    def sentinel(self) -> RedisSentinel:
        """Start a primary, its replica and three sentinels."""
        group = RedisSentinel(self.folder / "sentinel")
        self._servers.append(group)
        return group.start()

    def redis_cluster(self) -> RedisCluster:
        """Start three masters with a replica each."""
        cluster = RedisCluster(self.folder / "cluster")
        self._servers.append(cluster)
        return cluster.start()

    def load(self, **options: Any) -> Load:
        """Make the load of this row's seed, up to now."""
        return Load(self.seed, now_us(), Options(**options))

    def field(
        self,
        load: Load | None = None,
        store: Store | None = None,
        bootstrap: str | None = None,
        **more: Any,
    ) -> Field:
        """Lay out a run and publish its rules; nothing is started or appended yet."""
        field = Field(
            self.folder / f"run{len(self._fields)}",
            bootstrap or self.kafka.bootstrap,
            store or self.redis(),
            new_prefix(),
            load or self.load(),
            **more,
        )
        self._fields.append(field)
        field.publish_rules()
        return field


def now_us() -> int:
    """Return the wall clock, µs UTC."""
    return time.time_ns() // 1_000
