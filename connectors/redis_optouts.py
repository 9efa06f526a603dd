"""Who wants no messages, in Redis: hashes of keyed hash -> time, by bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.redis_keys import optout_key
from connectors.redis_scripts import Client, OnTrip, RedisScripts, unheard

AT_A_TIME = 1_000
"""Opt-outs per script: 2,000 arguments, far below what Lua takes, and under a millisecond of the server."""


class RedisOptOuts:
    """Keeps opt-outs in Redis. `replicas`: how many must confirm one before it is acknowledged."""

    def __init__(self, client: Client, *, replicas: int = 0, on_trip: OnTrip = unheard) -> None:
        self._redis = RedisScripts(client, replicas=replicas, on_trip=on_trip)

    async def add(self, times: Mapping[str, int]) -> None:
        """Add; the later time stands. Raise `StoreError` if too few replicas know of one."""
        await self._run("optouts_add", times)

    async def release(self, times: Mapping[str, int]) -> None:
        """Remove what is not newer than the given time."""
        await self._run("optouts_release", times)

    async def holds(self, hashes: Sequence[str]) -> list[bool]:
        """Say of each whether it is there."""
        commands = [("HEXISTS", optout_key(name), name) for name in hashes]
        return [bool(found) for found in await self._redis.each("holds", commands)]

    async def _run(self, script: str, times: Mapping[str, int]) -> None:
        buckets: dict[str, list[str | int]] = {}
        for name, time in times.items():
            buckets.setdefault(optout_key(name), []).extend((name, time))
        for bucket, pairs in buckets.items():
            for start in range(0, len(pairs), 2 * AT_A_TIME):
                part = pairs[start : start + 2 * AT_A_TIME]
                await self._redis.run(script, [bucket], part, confirmed=True)
