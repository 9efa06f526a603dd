"""What real servers do to ledger and opt-outs: replicas that do not confirm, servers that are gone."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis, RedisCluster

from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_keys import CLAIM_TTL_MS, HOUR_MS, claim_key
from connectors.redis_optouts import RedisOptOuts
from engine.errors import StoreError
from tests.servers.eventually import eventually
from tests.servers.redis import RedisServer
from tests.servers.redis_groups import RedisCluster as ClusterServers

D1, D2, ANNA = "0a" * 16, "ff" * 16, "a1" * 16


async def test_a_claim_that_no_replica_confirms_is_not_given_and_its_attempt_may_ask_again(
    redis_cluster: ClusterServers,
) -> None:
    client = RedisCluster.from_url(redis_cluster.url)
    ledger, second = RedisDeliveries(client, replicas=1), RedisDeliveries(client, replicas=1)
    assert await ledger.claim(D2, ANNA, 100, "warm") == ""
    masters = redis_cluster.masters()
    replicas = [node for node in redis_cluster.nodes if node not in masters]
    for node in replicas:
        node.pause()
    with pytest.raises(StoreError, match="expected 1 replicas to confirm, was 0"):
        await ledger.claim(D1, ANNA, 100, "first")
    with pytest.raises(StoreError, match="to confirm"):
        await RedisOptOuts(client, replicas=1).add({ANNA: 7})
    for node in replicas:
        node.resume()
    redis_cluster.wait_complete()
    assert await second.claim(D1, ANNA, 100, "second") == "claimed"
    assert await ledger.claim(D1, ANNA, 100, "first") == ""
    await client.aclose()


async def test_a_server_that_is_gone_is_a_store_error_and_what_it_kept_stands(
    redis_server: RedisServer,
) -> None:
    async with Redis.from_url(redis_server.url) as client:
        ledger, optouts = RedisDeliveries(client), RedisOptOuts(client)
        await ledger.claim(D1, ANNA, 100, "first")
        redis_server.wait_written()
        redis_server.kill()
        with pytest.raises(StoreError, match="deliveries_claim: expected a reply, was ConnectionError"):
            await ledger.claim(D2, ANNA, 100, "first")
        with pytest.raises(StoreError, match="redis"):
            await ledger.find(D1)
        with pytest.raises(StoreError, match="redis"):
            await optouts.holds([ANNA])
        redis_server.restart()

        async def answers() -> bool:
            try:
                return await ledger.claim(D1, ANNA, 100, "second") == "claimed"
            except StoreError:
                return False

        await eventually(answers)


async def test_a_claim_outlives_three_days_and_an_opt_out_has_no_end(redis_server: RedisServer) -> None:
    client = Redis.from_url(redis_server.url)
    await RedisDeliveries(client).claim(D1, ANNA, 100, "first")
    await RedisDeliveries(client).settle(D1, "delivered", True)
    await RedisOptOuts(client).add({ANNA: 7})
    left = await client.pttl(claim_key(D1))
    assert 72 * HOUR_MS < left <= CLAIM_TTL_MS
    assert [await client.pttl(key) for key in await client.keys("{o.*")] == [-1]
    await client.aclose()
