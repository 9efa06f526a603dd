"""The ledger of what is being sent, in Redis: one hash per claim, one sorted set of open ones per bucket."""

from __future__ import annotations

import asyncio

from redis.asyncio import RedisCluster

from connectors.redis_keys import BUCKETS, CLAIM_TTL_MS, PASSES, claim_key, open_key
from connectors.redis_scripts import Client, OnTrip, RedisScripts, text_of, unheard


class RedisDeliveries:
    """Keeps claims in Redis. `replicas`: how many must confirm a claim before anything is sent.

    Decisions are named by hex digits: their first two choose the bucket.
    """

    def __init__(self, client: Client, *, replicas: int = 0, on_trip: OnTrip = unheard) -> None:
        self._redis = RedisScripts(client, replicas=replicas, on_trip=on_trip)
        self._passes = PASSES if isinstance(client, RedisCluster) else PASSES[:1]

    async def claim(
        self, decision: str, subscriber_key: str, deadline_us: int, claimer: str, turn: int = 0
    ) -> str:
        """Claim a decision; raise `StoreError` if too few replicas know of it."""
        arguments = (decision, subscriber_key, claimer, deadline_us, CLAIM_TTL_MS, turn)
        stands = await self._redis.run("deliveries_claim", _keys(decision), arguments, confirmed=True)
        return text_of(stands) or ""

    async def release(self, decision: str, claimer: str, turn: int = 0) -> bool:
        """Give a claim back; a failover that forgets it only leaves the decision claimed."""
        return bool(await self._redis.run("deliveries_release", _keys(decision), (decision, claimer, turn)))

    async def settle(self, decision: str, status: str, final: bool, deadline_us: int = 0) -> bool:
        """Write how a decision stands."""
        arguments = (decision, status, int(final), deadline_us)
        return bool(await self._redis.run("deliveries_settle", _keys(decision), arguments))

    async def find(self, decision: str) -> str | None:
        """Return whose a decision is."""
        [key] = await self._redis.each("find", [("HGET", claim_key(decision), "key")])
        return text_of(key)

    async def standing(self, decision: str) -> str:
        """Return the status that stands."""
        [status] = await self._redis.each("standing", [("HGET", claim_key(decision), "status")])
        return text_of(status) or ""

    async def overdue(self, now_us: int, limit: int) -> list[tuple[str, str]]:
        """Name open decisions past their deadline, bucket after bucket."""
        found = await self._redis.each(
            "overdue",
            (("ZRANGEBYSCORE", open_key(bucket), "-inf", now_us, "LIMIT", 0, limit) for bucket in BUCKETS),
        )
        late = [text_of(decision) or "" for bucket in found for decision in bucket][:limit]
        if not late:
            return []
        keys = await self._redis.each("find", (("HGET", claim_key(decision), "key") for decision in late))
        gone = [decision for decision, key in zip(late, keys, strict=True) if key is None]
        if gone:  # the claim lapsed, or was lost without its entry: nothing is left to be ended
            await self._redis.each("lapsed", (("ZREM", open_key(one[:2]), one) for one in gone))
        return [(d, text_of(k) or "") for d, k in zip(late, keys, strict=True) if k is not None]

    async def open(self) -> int:
        """Count what has not ended."""
        return sum(await self._redis.each("count", (("ZCARD", open_key(bucket)) for bucket in BUCKETS)))

    async def passes(self, partition: int) -> int:
        """Return the number of the last pass of which all servers know."""
        known = await self._redis.each("passes", (("HGET", key, partition) for key in self._passes))
        return min(int(number or 0) for number in known)

    async def remember(self, partition: int, expected: int, number: int) -> bool:
        """Write the number of a pass, on each server behind its claims."""
        arguments = (partition, expected, number)
        found = await asyncio.gather(
            *(
                self._redis.run("deliveries_remember", [key], arguments, confirmed=True)
                for key in self._passes
            )
        )
        return all(found)


def _keys(decision: str) -> tuple[str, str]:
    return claim_key(decision), open_key(decision[:2])
