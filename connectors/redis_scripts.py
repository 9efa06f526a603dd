"""Runs Lua scripts and batches of commands on Redis, standalone or Cluster, and waits for replicas.

Every error of the client is a `StoreError` here: its reply is then unknown, the script may have run. Whoever
wants to know how long Redis takes is told of each round trip, also of one that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha1
from pathlib import Path
from time import perf_counter
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import PipelineCommand
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from connectors.lost import lost_connections, word_of
from engine.errors import StoreError

FOLDER = Path(__file__).resolve().parent / "lua"
CONFIRM_MS = 1_000
"""How long replicas get to confirm a write: a healthy one needs one round trip."""

Client = Redis | RedisCluster
Argument = str | int | bytes
OnTrip = Callable[[str, float], None]
"""Hears of each round trip: what was asked (a script, or a word for plain commands), and how many seconds."""


def unheard(_: str, __: float) -> None:
    """Listen to nothing."""


@lru_cache(maxsize=64)
def source_of(name: str) -> tuple[str, str]:
    """Return a script and its SHA-1, the name under which Redis keeps it."""
    source = (FOLDER / f"{name}.lua").read_text()
    return source, sha1(source.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def store_errors(doing: str, client: Client | None = None) -> Iterator[None]:
    """Turn errors of the client into `StoreError`, which names the server if there is but one."""
    try:
        with lost_connections():
            yield
    except (RedisError, RedisClusterException, OSError) as error:
        raise StoreError(
            f"redis: {doing}: expected a reply, was {word_of(error)}{_address(client)}"
        ) from error


def _address(client: Client | None) -> str:
    """Return where a standalone server is, as ` (HOST:PORT)`; "" for others. Never user or password."""
    if not isinstance(client, Redis):
        return ""
    told = client.connection_pool.connection_kwargs
    return f" ({told['host']}:{told['port']})" if "host" in told and "port" in told else ""


class RedisScripts:
    """One client. `replicas`: how many of them must confirm what `run` is told to have confirmed."""

    def __init__(self, client: Client, *, replicas: int = 0, on_trip: OnTrip = unheard) -> None:
        self.client = client
        self.replicas = replicas
        self._on_trip = on_trip

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Take the time of what is asked, and turn errors of the client into `StoreError`."""
        began = perf_counter()
        try:
            with store_errors(what, self.client):
                yield
        finally:
            self._on_trip(what, perf_counter() - began)

    async def run(
        self, name: str, keys: Sequence[str], arguments: Sequence[Argument], *, confirmed: bool = False
    ) -> Any:
        """Run a script by its name; all its keys share one hash tag.

        `confirmed`: raise `StoreError` if too few replicas have it in time. It has run nonetheless.
        """
        source, digest = source_of(name)
        rest = (len(keys), *keys, *arguments)
        with self.asking(name):
            if confirmed and self.replicas:
                return await self._confirmed(
                    name, keys[0], ("EVALSHA", digest, *rest), ("EVAL", source, *rest)
                )
            try:
                return await self.client.execute_command("EVALSHA", digest, *rest)
            except NoScriptError:
                return await self.client.execute_command("EVAL", source, *rest)

    async def each(self, what: str, commands: Iterable[tuple[Argument, ...]]) -> list[Any]:
        """Run plain commands in one batch, on whatever nodes; return their replies in order.

        `what`: a word for them, in errors and for `on_trip`.
        """
        with self.asking(what):
            batch = self.client.pipeline(transaction=False)
            for command in commands:
                batch.execute_command(*command)
            replies: list[Any] = await batch.execute()
            return replies

    async def _confirmed(
        self, name: str, key: str, by_digest: tuple[Argument, ...], by_source: tuple[Argument, ...]
    ) -> Any:
        """Run a script and WAIT on one connection: replicas confirm what that connection wrote."""
        reply, confirmed = await self._with_wait(key, by_digest)
        if isinstance(reply, NoScriptError):
            reply, confirmed = await self._with_wait(key, by_source)
        for answer in (reply, confirmed):
            if isinstance(answer, Exception):
                raise answer
        if confirmed < self.replicas:
            raise StoreError(f"redis: {name}: expected {self.replicas} replicas to confirm, was {confirmed}")
        return reply

    async def _with_wait(self, key: str, command: tuple[Argument, ...]) -> tuple[Any, Any]:
        waiting = ("WAIT", self.replicas, CONFIRM_MS)
        if isinstance(self.client, RedisCluster):
            await self.client.initialize()
            node = self.client.get_node_from_key(key)
            if node is None:
                raise RedisClusterException(f"expected a node for {key}, was none")
            both = [PipelineCommand(0, *command), PipelineCommand(1, *waiting)]
            if await node.execute_pipeline(both) and not isinstance(both[0].result, NoScriptError):
                # perhaps the slot has moved: a plain command follows it and learns where it is now
                await self.client.execute_command("EXISTS", key)
            return both[0].result, both[1].result
        batch = self.client.pipeline(transaction=False)
        batch.execute_command(*command)
        batch.execute_command(*waiting)
        reply, confirmed = await batch.execute(raise_on_error=False)
        return reply, confirmed


def text_of(reply: Any) -> str | None:
    """Return a reply as text, whether the client decodes or not; None for none."""
    return reply.decode() if isinstance(reply, bytes) else reply
