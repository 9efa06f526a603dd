"""Whether a Redis may hold the store: it must refuse writes when it is full, and keep what it was given.

And whom the store holds: a count of subscribers, beside the work of the lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import RedisCluster

from connectors.redis_keys import tag_of
from connectors.redis_scripts import Client, OnTrip, RedisScripts, store_errors, unheard

WANTED = {
    "maxmemory_policy": ("noeviction", "others throw states away without a word"),
    "aof_enabled": (1, "appendonly yes: without it a restart forgets what was committed"),
    "role": ("master", "a replica takes no writes"),
}
"""Field of INFO -> what it has to be, and why."""

Info = dict[str, Any]
"""What a server says of itself."""


async def look(client: Client) -> tuple[list[str], int]:
    """Ask every primary; return what is wrong, sorted, and how many keys were evicted. Raise `StoreError`."""
    return judge(await primaries(client))


def judge(infos: Sequence[Info]) -> tuple[list[str], int]:
    """Return what is wrong with servers, sorted, and how many keys they evicted."""
    problems: set[str] = set()
    evicted = 0
    for info in infos:
        evicted += int(info.get("evicted_keys", 0))
        for field, (wanted, why) in WANTED.items():
            if field in info and info[field] != wanted:
                problems.add(f"Redis: expected {field} {wanted} ({why}), was {info[field]}")
    return sorted(problems), evicted


def lives(infos: Sequence[Info]) -> frozenset[str]:
    """Name servers, each by the name it takes when it starts.

    A name that was not there before is a server that has started since, or has taken over: it may know less
    than the one before.
    """
    return frozenset(str(info["run_id"]) for info in infos)


class Census:
    """Counts the subscribers that have state. `partitions`: how many the log has."""

    def __init__(self, client: Client, partitions: int, *, on_trip: OnTrip = unheard) -> None:
        self._scripts = RedisScripts(client, on_trip=on_trip)
        self._partitions = partitions

    async def count(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return partition -> subscribers, by one short command each. Raise `StoreError`."""
        if not partitions:
            return {}
        keys = [tag_of(partition, self._partitions) + "wake" for partition in partitions]
        found = await self._scripts.each("census", [("ZCARD", key) for key in keys])
        return dict(zip(partitions, found, strict=True))


async def primaries(client: Client) -> list[Info]:
    """Ask every primary about itself. Raise `StoreError`."""
    with store_errors("info", client):
        if isinstance(client, RedisCluster):
            found: Any = await client.info(target_nodes=RedisCluster.PRIMARIES)
            return list(found.values()) if all(isinstance(v, dict) for v in found.values()) else [found]
        return [await client.info()]
