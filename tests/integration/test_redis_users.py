"""The Redis users of docs/operations.md can do what their roles do, and nothing that is another's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

from connectors import redis_health
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_store import RedisStore
from engine.errors import StoreError
from engine.ports import Commit
from tests.house.sources import text
from tests.servers.redis import RedisServer

ANNA, DECISION = "a1" * 16, "0a" * 16
LINES = re.findall(r"^user (\w+) (.+)$", text(Path("docs/operations.md")), re.MULTILINE)

Login = Callable[..., Redis]


@pytest.fixture
async def login(new_redis: Callable[..., RedisServer]) -> AsyncIterator[Login]:
    """Give clients of a Redis that knows the users of the page; the first is an operator's."""
    server = new_redis("appendonly yes")
    with server.client() as default:
        default.execute_command("ACL", "SETUSER", "operator", "on", ">PASSWORD", "~*", "+@all")
        for name, rules in LINES:
            default.execute_command("ACL", "SETUSER", name, *rules.split())
    clients: list[Redis] = []

    def give(name: str) -> Redis:
        client = Redis(port=server.port, username=name, password="PASSWORD")
        clients.append(client)
        return client

    yield give
    for client in clients:
        await client.aclose()


def commit(offset: int, **parts: object) -> Commit:
    return Commit(
        token="" if offset == 1 else f"t{offset - 1}",
        next_token=f"t{offset}",
        offset=offset,
        lane=b"{}",
        **parts,  # type: ignore[arg-type]
    )


async def test_the_engine_can_do_its_work(login: Login) -> None:
    client = login("engine")
    for store in (RedisStore(client, 4), RedisStore(client, 4, at_once=1)):
        at = (await store.open(2)).offset
        step = {"states": {ANNA: b"x", "b": b"y"}, "wakes": {ANNA: 5, "b": 6}, "out": {"o": b"1", "p": b"2"}}
        await store.commit(2, commit(at + 1, **step))
        await store.commit(2, commit(at + 2, gone=["b"], published=["o", "p"]))
        assert await store.read(2, [ANNA, "b"]) == [b"x", None]
        assert (await store.due(2, 9), await store.keys(2)) == ([ANNA], [ANNA])
        assert await redis_health.Census(client, 4).count([1, 2]) == {1: 0, 2: 1}
    await store.clear(2, (await store.open(2)).token)
    assert await store.keys(2) == []
    optouts = RedisOptOuts(client)
    await optouts.add({ANNA: 5})
    await optouts.release({ANNA: 5})
    assert await optouts.holds([ANNA]) == [False]
    assert await redis_health.look(client) == ([], 0)


async def test_the_dispatcher_can_do_its_work(login: Login) -> None:
    client = login("dispatcher")
    await RedisStore(login("engine"), 4).commit(2, commit(1, states={ANNA: b"x"}, wakes={ANNA: 5}))
    store, deliveries, optouts = RedisStore(client, 4), RedisDeliveries(client), RedisOptOuts(client)
    assert ((await store.open(2)).offset, await store.read(2, [ANNA]), await store.lanes()) == (
        1,
        [b"x"],
        {2: (1, b"{}")},
    )
    assert await deliveries.claim(DECISION, ANNA, 5, "me", 1) == ""
    assert await deliveries.release(DECISION, "me", 1)
    assert await deliveries.claim(DECISION, ANNA, 5, "me", 2) == ""
    assert await deliveries.claim(DECISION, ANNA, 5, "another") == "claimed"
    assert await deliveries.overdue(9, 10) == [(DECISION, ANNA)]
    assert await deliveries.settle(DECISION, "accepted", False, 20)
    assert (await deliveries.find(DECISION), await deliveries.standing(DECISION)) == (ANNA, "accepted")
    assert await deliveries.open() == 1
    assert await deliveries.settle(DECISION, "delivered", True)
    assert await deliveries.remember(1, 0, 5)
    assert await deliveries.passes(1) == 5
    await optouts.add({ANNA: 5})
    assert await optouts.holds([ANNA]) == [True]
    await optouts.release({ANNA: 5})
    assert await redis_health.look(client) == ([], 0)


async def test_the_reader_can_look(login: Login) -> None:
    await RedisStore(login("engine"), 4).commit(2, commit(1, states={ANNA: b"x"}, wakes={ANNA: 5}))
    await RedisOptOuts(login("engine")).add({ANNA: 5})
    await RedisDeliveries(login("dispatcher")).claim(DECISION, ANNA, 5, "me", 1)
    client = login("reader")
    store, deliveries, optouts = RedisStore(client, 4), RedisDeliveries(client), RedisOptOuts(client)
    assert (await store.read(2, [ANNA]), await store.lanes()) == ([b"x"], {2: (1, b"{}")})
    assert (await deliveries.standing(DECISION), await optouts.holds([ANNA])) == ("claimed", [True])


@pytest.mark.parametrize("name", ["engine", "dispatcher"])
async def test_waiting_for_replicas_is_allowed(login: Login, name: str) -> None:
    with pytest.raises(StoreError, match="expected 1 replicas to confirm, was 0"):
        await RedisOptOuts(login(name), replicas=1).add({ANNA: 5})


async def test_nobody_can_do_more(login: Login) -> None:
    with pytest.raises(StoreError):
        await RedisStore(login("dispatcher"), 4).commit(2, commit(1, states={ANNA: b"x"}, wakes={ANNA: 5}))
    with pytest.raises(StoreError):
        await RedisDeliveries(login("engine")).claim(DECISION, ANNA, 5, "me")
    with pytest.raises(StoreError):
        await RedisOptOuts(login("reader")).release({ANNA: 5})
    for name in ("engine", "dispatcher", "reader"):
        for words in ("FLUSHALL", "KEYS *", "CONFIG GET maxmemory", "GET other", "ACL LIST"):
            with pytest.raises(NoPermissionError):
                await login(name).execute_command(*words.split())  # type: ignore[no-untyped-call]
    with pytest.raises(AuthenticationError):
        await login("default").ping()
    assert await RedisStore(login("operator"), 4).keys(2) == []
    assert [name for name, _ in LINES] == ["default", "engine", "dispatcher", "reader"]
