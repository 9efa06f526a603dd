"""What the contract of the store does not say: large commits, cut off and taken over; tags; health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from connectors import redis_health
from connectors.redis_connection import PackedConnection, packed
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_keys import SLOTS, tag_of
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_store import STAGE_TTL_MS, RedisStore
from engine.errors import FencedError, StoreError
from engine.ports import Commit
from tests.servers.redis import RedisServer

MANY = 5_000
ONE = "0a" * 16


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client of an empty server."""
    made = Redis.from_url(redis_server.url)
    yield made
    await made.aclose()


def large(token: str, next_token: str, tag: bytes) -> Commit:
    """A commit of more changes than one script may make."""
    keys = [f"{number:032x}" for number in range(MANY)]
    return Commit(
        token,
        next_token,
        7,
        b"{}",
        states={key: tag + key.encode() for key in keys[:-2]},
        wakes={key: number + 1 for number, key in enumerate(keys[:-2])},
        out={f"d:{key}@1": tag for key in keys},
        gone=keys[-2:],
    )


async def test_a_large_commit_is_there_whole(client: Redis) -> None:
    store = RedisStore(client, 3)
    gone = f"{MANY - 1:032x}"
    await store.commit(0, Commit("", "t0", 1, b"{}", states={gone: b"x"}, wakes={gone: 1}))
    await store.commit(0, large("t0", "t1", b"a"))
    found = await store.open(0)
    assert (found.token, found.offset, len(found.outbox)) == ("t1", 7, MANY)
    keys = await store.keys(0)
    assert len(keys) == MANY - 2
    assert await store.read(0, [keys[0], gone]) == [b"a" + keys[0].encode(), None]
    assert len(await store.due(0, 11)) == 10
    assert not [name async for name in client.scan_iter(tag_of(0, 3) + "stage*")]


class Cut(RedisStore):
    """Ends when a large commit is true but not carried out, or carried out in part."""

    def __init__(self, client: Redis, parts: int) -> None:
        super().__init__(client, 3)
        self.parts = parts

    async def _apply(self, partition: int, token: str) -> None:
        if self.parts:
            self._at_once = MANY // 2
            run = self._scripts.run
            left = self.parts

            async def some(name: str, *rest: object, **more: object) -> object:
                nonlocal left
                if name == "lane_apply":
                    left -= 1
                    if left < 0:
                        raise StoreError("the process ends here")
                return await run(name, *rest, **more)  # type: ignore[arg-type]

            self._scripts.run = some  # type: ignore[method-assign]
            await super()._apply(partition, token)
        raise StoreError("the process ends here")


@pytest.mark.parametrize("parts", [0, 1, 3])
async def test_a_large_commit_that_was_cut_off_is_finished_by_who_opens_next(
    client: Redis, parts: int
) -> None:
    with pytest.raises(StoreError, match="ends here"):
        await Cut(client, parts).commit(0, large("", "t1", b"a"))
    store = RedisStore(client, 3)
    found = await store.open(0)
    assert (found.token, found.offset, len(found.outbox)) == ("t1", 7, MANY)
    keys = await store.keys(0)
    assert len(keys) == MANY - 2
    assert await store.read(0, keys[:2]) == [b"a" + key.encode() for key in keys[:2]]


async def test_who_only_looks_sees_a_commit_that_was_cut_off_whole(client: Redis) -> None:
    with pytest.raises(StoreError, match="ends here"):
        await Cut(client, 0).commit(0, large("", "t1", b"a"))
    store = RedisStore(client, 3)
    assert (await store.ground(0)).token == "t1"
    assert await store.read(0, ["0" * 32]) == [b"a" + b"0" * 32]


async def test_a_large_commit_with_a_stale_token_changes_nothing(client: Redis) -> None:
    store = RedisStore(client, 3)
    await store.commit(0, Commit("", "t0", 1, b"{}"))
    with pytest.raises(FencedError):
        await store.commit(0, large("stale", "t1", b"a"))
    found = await store.open(0)
    assert (found.token, found.offset, dict(found.outbox)) == ("t0", 1, {})
    assert await store.keys(0) == []


class Stopped(RedisStore):
    """Is stopped between two parts of its stage, until it is told to go on."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client, 3)
        self.is_stopped, self.goes_on = asyncio.Event(), asyncio.Event()
        run, parts = self._scripts.run, 0

        async def stopping(name: str, *rest: object, **more: object) -> object:
            nonlocal parts
            parts += name == "lane_stage"
            if parts == 2 and not self.is_stopped.is_set():
                self.is_stopped.set()
                await self.goes_on.wait()
            return await run(name, *rest, **more)  # type: ignore[arg-type]

        self._scripts.run = stopping  # type: ignore[method-assign]


@pytest.mark.parametrize("first", ["zombie", "owner"])
async def test_stages_of_a_zombie_and_of_the_new_owner_do_not_mix(client: Redis, first: str) -> None:
    """Both have the same token until one of them commits; only that one's states are there then."""
    zombie, owner = Stopped(client), Stopped(client)
    commits = {"zombie": large("", "tz", b"z"), "owner": large("", "to", b"o")}
    tasks = {"zombie": asyncio.create_task(zombie.commit(0, commits["zombie"]))}
    await zombie.is_stopped.wait()
    tasks["owner"] = asyncio.create_task(owner.commit(0, commits["owner"]))
    await owner.is_stopped.wait()
    stopped = {"zombie": zombie, "owner": owner}
    stopped.pop(first).goes_on.set()
    await tasks.pop(first)
    [(second, late)] = stopped.items()
    late.goes_on.set()
    with pytest.raises(FencedError):
        await tasks[second]
    store = RedisStore(client, 3)
    found = await store.open(0)
    tag = commits[first].out[f"d:{0:032x}@1"]
    assert (found.token, set(found.outbox.values())) == (commits[first].next_token, {tag})
    keys = await store.keys(0)
    assert await store.read(0, keys) == [tag + key.encode() for key in keys]
    left = [name async for name in client.scan_iter(tag_of(0, 3) + "stage*")]
    assert len(left) == 1, "of who was refused"
    assert 0 < await client.pttl(left[0]) <= STAGE_TTL_MS


async def test_a_stage_that_lapsed_is_not_committed(client: Redis) -> None:
    zombie = Stopped(client)
    task = asyncio.create_task(zombie.commit(0, large("", "t1", b"a")))
    await zombie.is_stopped.wait()
    real = zombie._commit

    async def late(*given: object, **more: object) -> None:
        await client.delete(tag_of(0, 3) + "stage:t1")
        await real(*given, **more)  # type: ignore[arg-type]

    zombie._commit = late  # type: ignore[method-assign]
    zombie.goes_on.set()
    with pytest.raises(FencedError, match="no stage"):
        await task
    assert (await RedisStore(client, 3).open(0)).token == ""


async def test_a_zombie_cannot_carry_out_a_stage_once_its_successor_has_committed(client: Redis) -> None:
    zombie = Cut(client, 0)
    with pytest.raises(StoreError, match="ends here"):
        await zombie.commit(0, large("", "t1", b"old"))
    store = RedisStore(client, 3)
    await store.open(0)
    [key] = (await store.keys(0))[:1]
    await store.commit(0, Commit("t1", "t2", 8, b"{}", states={key: b"new"}, wakes={key: 1}))
    with pytest.raises(FencedError):
        await RedisStore._apply(zombie, 0, "t1")
    assert await store.read(0, [key]) == [b"new"]


@pytest.mark.parametrize("partitions", [1, 4, 6, 64, 1024])
def test_tags_lie_evenly_over_the_slots(partitions: int) -> None:
    from redis.crc import key_slot

    slots = [key_slot((tag_of(p, partitions) + "ctl").encode()) for p in range(partitions)]
    for partition, slot in enumerate(slots):
        assert partition * SLOTS // partitions <= slot < (partition + 1) * SLOTS // partitions
    assert len({tag_of(p, partitions) for p in range(partitions)}) == partitions


async def test_a_redis_that_may_hold_the_store_has_no_problems(client: Redis) -> None:
    assert await redis_health.look(client) == ([], 0)


async def test_a_redis_that_evicts_or_forgets_is_named(new_redis: Callable[..., RedisServer]) -> None:
    server = new_redis("maxmemory-policy allkeys-lru", "appendonly no")
    client = Redis.from_url(server.url)
    problems, _ = await redis_health.look(client)
    await client.aclose()
    assert [problem.split(" (")[0] for problem in problems] == [
        "Redis: expected aof_enabled 1",
        "Redis: expected maxmemory_policy noeviction",
    ]
    assert problems[1].endswith("was allkeys-lru")


async def test_a_redis_that_is_away_is_a_store_error(new_redis: Callable[..., RedisServer]) -> None:
    server = new_redis()
    client = Redis.from_url(server.url, retry=None)
    server.kill()
    with pytest.raises(StoreError):
        await redis_health.look(client)
    await client.aclose()


async def test_commands_packed_in_c_are_those_that_redis_py_packs(redis_server: RedisServer) -> None:
    client = Redis.from_url(redis_server.url)
    plain = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
    fast = packed(type(plain))(**client.connection_pool.connection_kwargs)
    assert type(fast) is PackedConnection
    for command in (
        ("SET", "k", b"\x00\r\n", 1, -2, "ü"),
        ("EVALSHA", "f" * 40, 2, "a", "b", b""),
        ("CONFIG GET", "maxmemory"),
        (b"PING",),
    ):
        assert b"".join(fast.pack_command(*command)) == b"".join(plain.pack_command(*command))
    await client.aclose()


async def test_every_round_trip_is_told_with_its_time_also_one_that_fails(
    client: Redis, redis_server: RedisServer
) -> None:
    heard: dict[str, list[float]] = {}

    def on_trip(what: str, seconds: float) -> None:
        heard.setdefault(what, []).append(seconds)

    store = RedisStore(client, 3, at_once=2, on_trip=on_trip)
    deliveries, optouts = RedisDeliveries(client, on_trip=on_trip), RedisOptOuts(client, on_trip=on_trip)
    states = {f"{number:032x}": b"x" for number in range(3)}
    await store.commit(0, Commit("", "t0", 1, b"{}", states=states, wakes=dict.fromkeys(states, 5)))
    await store.open(0)
    await store.ground(0)
    await store.lanes()
    await store.read(0, list(states))
    await store.due(0, 9)
    await store.keys(0)
    await store.clear(0, "t0")
    await deliveries.claim(ONE, ONE, 5, "me", 1)
    await deliveries.release(ONE, "me", 1)
    await deliveries.claim(ONE, ONE, 5, "me", 2)
    await deliveries.find(ONE)
    await deliveries.standing(ONE)
    await deliveries.overdue(9, 10)
    await deliveries.settle(ONE, "delivered", True)
    await deliveries.open()
    await deliveries.remember(1, 0, 5)
    await deliveries.passes(1)
    await optouts.add({ONE: 5})
    await optouts.holds([ONE])
    await optouts.release({ONE: 5})
    assert set(heard) == {
        *("lane_stage", "lane_commit", "lane_apply", "lane_clear", "stage", "clear"),
        *("open", "ground", "lanes", "read", "due", "keys"),
        *("deliveries_claim", "deliveries_release", "deliveries_settle", "deliveries_remember"),
        *("find", "standing", "overdue", "count", "passes"),
        *("optouts_add", "holds", "optouts_release"),
    }
    assert len(heard["deliveries_claim"]) == 2
    assert all(0 < seconds < 10 for times in heard.values() for seconds in times)
    redis_server.kill()
    with pytest.raises(StoreError, match="redis: find"):
        await deliveries.find(ONE)
    assert len(heard["find"]) == 3
