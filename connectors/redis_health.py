"""Whether a Redis may hold the store: it must refuse writes when it is full, and keep what it was given."""

from __future__ import annotations

from typing import Any

from redis.asyncio import RedisCluster

from connectors.redis_scripts import Client, store_errors

WANTED = {
    "maxmemory_policy": ("noeviction", "others throw states away without a word"),
    "aof_enabled": (1, "appendonly yes: without it a restart forgets what was committed"),
    "role": ("master", "a replica takes no writes"),
}
"""Field of INFO -> what it has to be, and why."""


async def look(client: Client) -> tuple[list[str], int]:
    """Ask every primary; return what is wrong, sorted, and how many keys were evicted. Raise `StoreError`."""
    problems: set[str] = set()
    evicted = 0
    with store_errors("info"):
        for info in await _infos(client):
            evicted += int(info.get("evicted_keys", 0))
            for field, (wanted, why) in WANTED.items():
                if field in info and info[field] != wanted:
                    problems.add(f"Redis: expected {field} {wanted} ({why}), was {info[field]}")
    return sorted(problems), evicted


async def lives(client: Client) -> frozenset[str]:
    """Name the servers that are primaries now, each by the name it takes when it starts. Raise `StoreError`.

    A name that was not there before is a server that has started since, or has taken over: it may know less
    than the one before.
    """
    with store_errors("info"):
        return frozenset(str(info["run_id"]) for info in await _infos(client))


async def _infos(client: Client) -> list[dict[str, Any]]:
    if isinstance(client, RedisCluster):
        found: Any = await client.info(target_nodes=RedisCluster.PRIMARIES)
        return list(found.values()) if all(isinstance(v, dict) for v in found.values()) else [found]
    return [await client.info()]
