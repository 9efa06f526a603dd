"""Redis servers that know each other: a cluster, and a primary with a replica and sentinels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from tests.servers.process import ServerError, wait_until
from tests.servers.redis import HOST, Found, RedisServer, find_own

SLOTS = 16_384
MASTERS = 3


class RedisCluster:
    """Three masters, each with a replica unless `replicas` is False; `options` are lines of configuration.

    A failover turns roles around: `masters` and `owner` ask the servers how it is now.
    """

    def __init__(
        self, folder: Path, *options: str, replicas: bool = True, found: Found | None = None
    ) -> None:
        binary = found or find_own()
        lines = ("cluster-enabled yes", "cluster-node-timeout 2000", *options)
        self.nodes = [
            RedisServer(folder / f"node{number}", *lines, found=binary)
            for number in range(MASTERS * 2 if replicas else MASTERS)
        ]

    @property
    def url(self) -> str:
        """Where a client finds the first node, which tells it of the others."""
        return self.nodes[0].url

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each node."""
        return [(HOST, node.port) for node in self.nodes]

    def start(self) -> RedisCluster:
        """Start the nodes, make a cluster of them and wait until each finds it complete."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_ready(node.answers)
        masters, replicas = self.nodes[:MASTERS], self.nodes[MASTERS:]
        bounds = [SLOTS * number // MASTERS for number in range(MASTERS + 1)]
        for number, node in enumerate(self.nodes):
            _ask(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            for other in self.nodes[:number]:
                _ask(other, "CLUSTER", "MEET", HOST, node.port)
        for number, node in enumerate(masters):
            _ask(node, "CLUSTER", "ADDSLOTS", *range(bounds[number], bounds[number + 1]))
        wait_until(
            lambda: all(_known(node) == len(self.nodes) for node in self.nodes), "nodes that know each other"
        )
        for master, replica in zip(masters, replicas, strict=False):
            _ask(replica, "CLUSTER", "REPLICATE", _ask(master, "CLUSTER", "MYID"))
        self.wait_complete()
        return self

    def wait_complete(self, within: float = 30) -> None:
        """Wait until every running node has all slots served and every replica has its master's data."""
        wait_until(lambda: all(_is_well(node) for node in self.nodes if node.is_running), "a cluster", within)

    def masters(self) -> list[RedisServer]:
        """The running nodes that are masters now."""
        return [node for node in self.nodes if node.is_running and _role(node) == "master"]

    def owner(self, key: str) -> RedisServer:
        """The master that holds this key now."""
        slot = key_slot(key.encode())
        for first, last, (_, port, *_), *_ in _ask(self._any(), "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise ServerError(f"slot {slot}: expected a master, was none")

    def flush(self) -> None:
        """Delete every key and script of every master."""
        for node in self.masters():
            node.flush()

    def revive(self) -> None:
        """Make all nodes running and the cluster complete again after a test that killed or paused some."""
        for node in self.nodes:
            node.revive()
        self.wait_complete()

    def kill(self) -> None:
        """End all nodes by SIGKILL."""
        for node in self.nodes:
            node.kill()

    def _any(self) -> RedisServer:
        return next(node for node in self.nodes if node.is_running and not node.is_paused)


class RedisSentinel:
    """A primary, its replica, and three sentinels of which two must agree; `name` is what clients ask for."""

    name = "touchpoint"

    def __init__(self, folder: Path, *options: str, found: Found | None = None) -> None:
        binary = found or find_own()
        primary = RedisServer(folder / "redis1", *options, found=binary)
        self.servers = [
            primary,
            RedisServer(folder / "redis2", f"replicaof {HOST} {primary.port}", *options, found=binary),
        ]
        self.sentinels = [
            RedisServer(
                folder / f"sentinel{number}",
                f"sentinel monitor {self.name} {HOST} {primary.port} 2",
                f"sentinel down-after-milliseconds {self.name} 1000",
                f"sentinel failover-timeout {self.name} 5000",
                found=binary,
                defaults=("daemonize no", f"bind {HOST}"),
                arguments=("--sentinel",),
            )
            for number in (1, 2, 3)
        ]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each sentinel."""
        return [(HOST, sentinel.port) for sentinel in self.sentinels]

    def start(self) -> RedisSentinel:
        """Start all and wait until the replica has its data and every sentinel knows all others."""
        for server in self.servers:
            server.start()
        wait_until(lambda: _is_linked(self.servers[1]), "a replica that has its primary's data")
        for sentinel in self.sentinels:
            sentinel.start()
        wait_until(lambda: all(map(self._knows_all, self.sentinels)), "sentinels that know each other")
        return self

    def primary(self) -> RedisServer:
        """The server that the first sentinel takes for the primary now."""
        _, port = _ask(self.sentinels[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
        return next(server for server in self.servers if server.port == int(port))

    def replica(self) -> RedisServer:
        """The other server, in whatever state."""
        primary = self.primary()
        return next(server for server in self.servers if server is not primary)

    def kill(self) -> None:
        """End all by SIGKILL."""
        for server in [*self.sentinels, *self.servers]:
            server.kill()

    def _knows_all(self, sentinel: RedisServer) -> bool:
        said = _ask(sentinel, "SENTINEL", "MASTER", self.name)
        told = dict(zip(map(_text, said[::2]), map(_text, said[1::2]), strict=True))
        return told["num-slaves"] == "1" and told["num-other-sentinels"] == "2"


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _ask(node: RedisServer, *words: str | bytes | int) -> Any:
    """Send a command as it is and return the answer as it comes, not as redis-py would read it."""
    connection = redis.Connection(  # type: ignore[no-untyped-call]
        host=HOST, port=node.port, socket_timeout=5, protocol=2
    )
    try:
        connection.send_command(*words)  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        connection.disconnect()  # type: ignore[no-untyped-call]


def _info(node: RedisServer, *section: str) -> dict[str, str]:
    command = section or ("INFO", "replication")
    lines = _text(_ask(node, *command)).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _role(node: RedisServer) -> str:
    return _info(node)["role"]


def _is_linked(node: RedisServer) -> bool:
    told = _info(node)
    return told["role"] == "master" or told["master_link_status"] == "up"


def _known(node: RedisServer) -> int:
    """How many nodes this one knows for good: none of them still shakes hands."""
    lines = _text(_ask(node, "CLUSTER", "NODES")).splitlines()
    return sum("handshake" not in line for line in lines)


def _is_well(node: RedisServer) -> bool:
    return _info(node, "CLUSTER", "INFO")["cluster_state"] == "ok" and _is_linked(node)
