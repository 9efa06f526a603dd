"""Two dispatchers that take the same offers at the same time, on a real Redis: each offer is sent once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis, RedisCluster

from connectors.channels.lab import Faults
from connectors.memory_offers import MemoryQueue
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_scripts import Client
from engine.dispatch import Dispatcher
from engine.patience import Patience
from tests.servers.eventually import eventually
from tests.unit.dispatch.desk import NUMBER, Desk, number_hash

OFFERS = 400


def dispatcher_of(desk: Desk, client: Client) -> Dispatcher:
    """A process of its own, as far as the ledger sees it."""
    return Dispatcher(
        MemoryQueue(desk.offers, 2),
        desk.store,
        RedisDeliveries(client),
        RedisOptOuts(client),
        desk.channels,
        desk.append,
        lambda _: desk.book,
        lambda: desk.now,
        number_hash=number_hash,
        patience=Patience(sweep_us=0, keep_us=0),
    )


@pytest.mark.parametrize("form", ["redis", "cluster"])
async def test_of_two_that_take_all_offers_each_offer_is_sent_by_one(
    form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_cluster" if form == "cluster" else "redis_server").url
    # one for each: together they would ask for more connections at a time than a client has
    clients: list[Client] = [(RedisCluster if form == "cluster" else Redis).from_url(url) for _ in range(2)]
    client = clients[0]
    desk = Desk(tmp_path, faults=Faults(lost=0.1, silent=0.1, twice=0.2, rejected=0.1))
    keys = [f"{number:02x}" * 16 for number in range(20)]
    for key in keys:
        await desk.person(key, bound=NUMBER if key != keys[3] else "+8613900009999")
    await RedisOptOuts(client).add({number_hash("+8613900009999"): desk.now})
    for number in range(OFFERS):
        await desk.offer(number * 0x10000000000000000000000000001, subscriber_key=keys[number % 20])
    stop, lives = asyncio.Event(), [dispatcher_of(desk, each) for each in clients]
    runs = [asyncio.create_task(life.run(stop)) for life in lives]

    def read() -> bool:
        # not `taken`: that counts also what one has not read, and a receipt ended
        return all(0 in life.courses.held and life.courses.held[0].taken_to == OFFERS for life in lives)

    await eventually(read, within=30)

    def sent() -> bool:
        desk.now += 10_000  # what was put off, for the server was busy, is tried again
        looked_at = all(life.open.keys() <= life.tally._until.keys() for life in lives)
        return looked_at and len(desk.submits()) >= OFFERS - OFFERS // 20

    # those of the last pass are on their way: were it late for them, they would not be sent
    await eventually(sent, within=30)
    desk.now += 60 * 60 * 1_000_000 * 10  # past every deadline
    await eventually(lambda: not any(life.open for life in lives), within=30)
    stop.set()
    await asyncio.gather(*runs)
    decisions = [submit["decision"] for submit in desk.submits()]
    assert len(decisions) == len(set(decisions)) == OFFERS - OFFERS // 20
    assert not any(submit["to"] == "+8613900009999" for submit in desk.submits())
    statuses = lives[0].statuses + lives[1].statuses
    assert statuses["suppressed"] == OFFERS // 20
    assert statuses["elsewhere"] == sum(life.taken for life in lives) - OFFERS
    assert statuses.total() - statuses["elsewhere"] == OFFERS
    assert statuses["indeterminate"] > 0
    assert await RedisDeliveries(client).open() == 0
    desk.channel.close()
    for each in clients:
        await each.aclose()
