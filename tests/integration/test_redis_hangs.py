"""A Redis that hangs: it takes what is sent, and says nothing. It is noticed in seconds, and waited out."""

from __future__ import annotations

import time
from contextlib import aclosing

import pytest
from redis.asyncio import Redis
from redis.asyncio.sentinel import SentinelConnectionPool

from connectors import redis_health
from connectors.redis_patience import CALL_WITHIN
from connectors.redis_store import RedisStore
from engine.deployment.clients import redis_client
from engine.errors import StoreError
from engine.keeper import STUCK
from engine.ports import Commit
from engine.settings import load_settings
from tests.servers.deployment import Deployment
from tests.servers.eventually import eventually
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

NOTICED_WITHIN = 15.0
"""Seconds until `/readyz` has to say it."""


class Servers:
    """Redis servers that hang together, and how a client finds them."""

    def __init__(self, mode: str, request: pytest.FixtureRequest) -> None:
        self.mode, self.master = mode, ""
        if mode == "standalone":
            server = request.getfixturevalue("redis_server")
            self.nodes, addresses = [server], [("127.0.0.1", server.port)]
        elif mode == "cluster":
            cluster = request.getfixturevalue("redis_cluster")
            self.nodes, addresses = cluster.nodes, cluster.addresses
        else:
            group = request.getfixturevalue("redis_sentinel")
            self.nodes, addresses, self.master = group.servers, group.addresses, group.name
        self.url = "redis://" + ",".join(f"{host}:{port}" for host, port in addresses)

    def pause(self) -> None:
        """Have all hang."""
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        """Let all go on."""
        for node in self.nodes:
            node.resume()


@pytest.mark.parametrize("mode", ["standalone", "sentinel", "cluster"])
async def test_a_call_to_a_redis_that_hangs_is_an_error_in_seconds(
    mode: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = Servers(mode, request)
    for name, value in {"URL": servers.url, "MODE": mode, "SENTINEL_MASTER": servers.master}.items():
        monkeypatch.setenv(f"TOUCHPOINT_REDIS_{name}", value)
    async with aclosing(redis_client(load_settings())) as client:
        store = RedisStore(client, 3)
        await store.commit(0, Commit("", "t0", 1, b"{}"))
        servers.pause()
        # on a connection that there is, and on a new one
        for call in (store.commit(0, Commit("t0", "t1", 2, b"{}")), redis_health.look(client)):
            began = time.monotonic()
            with pytest.raises(StoreError, match="expected a reply"):
                await call
            assert time.monotonic() - began < CALL_WITHIN + 1
        servers.resume()

        async def answers() -> bool:
            try:
                return (await store.open(0)).token in ("t0", "t1")
            except StoreError:
                return False

        await eventually(answers, within=30)
        if mode == "sentinel":
            assert isinstance(client, Redis)
            assert isinstance(client.connection_pool, SentinelConnectionPool)
            await client.connection_pool.sentinel_manager.aclose()  # what asks them is not closed with it


def test_a_lane_that_waits_for_redis_comes_round_long_before_it_counts_as_stuck() -> None:
    assert 3 * CALL_WITHIN < STUCK


def test_roles_are_not_ready_while_redis_hangs_and_live_on(
    deployment: Deployment, redis_server: RedisServer
) -> None:
    deployment.command("rules", "publish", CHECKOUT / "rules", "--by", "a test")
    roles = [deployment.start("engine"), deployment.start("dispatcher")]
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both roles to be ready")
    redis_server.pause()
    began = time.monotonic()
    deployment.append([{"kind": "tick", "t": 1_788_740_000_000_000}])
    live: set[int] = set()

    def noticed() -> bool:
        live.update(role.page("livez") for role in roles)
        return all(role.page("readyz") == 503 for role in roles)

    deployment.wait(noticed, "both roles not to be ready", NOTICED_WITHIN)
    # a lane is in its second try by now
    deployment.wait(lambda: noticed() and time.monotonic() - began > NOTICED_WITHIN, "time to pass")
    assert live == {200}
    assert deployment.processes == [role for role in roles if role.is_running]
    redis_server.resume()
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both to be ready again", 30)
    deployment.wait(lambda: set(deployment.watermarks()) == {1_788_740_000_000_000}, "the tick to be folded")
