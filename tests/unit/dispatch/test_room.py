"""A channel without room: what it turned away is sent later, by whoever has it then, and once."""

from __future__ import annotations

import asyncio

import pytest

from connectors.channels.lab import Faults
from engine.dispatch import Dispatcher
from tests.unit.dispatch.desk import MINUTE, Desk, at

FULL = Faults(throttled=1)


async def turned_away(desk: Desk, *partitions: int) -> list[str]:
    """Offer something that the channel has no room for; then it has."""
    for partition in partitions or (0,):
        await desk.person(partition=partition)
    desk.channel.faults = FULL
    ids = [await desk.offer(n, partition=p) for n, p in enumerate(partitions or (0,))]
    await desk.steps()
    assert desk.channel.throttled == len(ids)
    desk.channel.faults = Faults()
    return ids


async def drain(life: Dispatcher) -> None:
    """End a dispatcher in order."""
    stop = asyncio.Event()
    stop.set()
    await life.run(stop)


async def test_what_was_turned_away_is_sent_by_the_next_life(desk: Desk) -> None:
    [id] = await turned_away(desk)
    desk.begin()
    await desk.steps()
    assert desk.told(id) == ["accepted", "delivered"]
    assert [submit["decision"] for submit in desk.submits()] == [id]
    await desk.after(11 * MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]


async def test_it_is_sent_by_the_dispatcher_that_gets_the_partition(desk: Desk) -> None:
    [id] = await turned_away(desk)
    first, second = desk.life, desk.begin()
    await desk.steps(life=second)
    desk.now += MINUTE
    await desk.steps(life=first)
    assert desk.told(id) == ["accepted", "delivered"]
    assert len(desk.submits()) == 1
    assert dict(first.statuses) == {"elsewhere": 1}
    assert dict(second.statuses) == {"delivered": 1}


async def test_while_there_is_no_room_nothing_is_open_in_the_ledger_and_nothing_ends(desk: Desk) -> None:
    [id] = await turned_away(desk)
    desk.channel.faults = FULL
    for _ in range(30):
        await desk.after(MINUTE)
        assert await desk.memory_deliveries.open() == 0
    assert desk.told(id) == []
    desk.channel.faults = Faults()
    await desk.after(MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]


async def test_a_crash_before_the_claim_is_given_back_leaves_it_indeterminate(desk: Desk) -> None:
    desk.channel.faults = FULL
    await desk.person()
    id = await desk.offer()
    await desk.crash("release")
    desk.channel.faults = Faults()
    await desk.steps()
    await desk.after(11 * MINUTE)
    assert desk.told(id) == ["indeterminate"]
    assert desk.submits() == []


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_ledger_that_does_not_answer_the_release_changes_nothing_here(desk: Desk, how: str) -> None:
    desk.deliveries.fails = lambda name: how if name == "release" else ""
    [id] = await turned_away(desk)
    await desk.after(MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]
    assert len(desk.submits()) == 1
    assert dict(desk.life.statuses) == {"delivered": 1}


async def test_what_is_still_claimed_is_given_back_at_the_end(desk: Desk) -> None:
    desk.deliveries.fails = lambda name: "before" if name == "release" else ""
    [id] = await turned_away(desk)
    assert await desk.memory_deliveries.open() == 1
    desk.deliveries.fails = lambda _: ""
    await drain(desk.life)
    assert await desk.memory_deliveries.open() == 0
    desk.begin()
    await desk.steps()
    assert desk.told(id) == ["accepted", "delivered"]


async def test_a_claim_that_the_next_owner_has_met_stays_and_ends(desk: Desk) -> None:
    desk.deliveries.fails = lambda name: "before" if name == "release" else ""
    [id] = await turned_away(desk)
    desk.deliveries.fails = lambda _: ""
    first, second = desk.life, desk.begin()
    await desk.steps(life=second)
    await drain(first)
    assert await desk.memory_deliveries.open() == 1
    await desk.after(11 * MINUTE)
    assert desk.told(id) == ["indeterminate"]
    assert dict(second.statuses) == {"indeterminate": 1}
    assert desk.submits() == []


async def test_gates_that_can_not_be_asked_give_the_claim_back_too(desk: Desk) -> None:
    desk.optouts.down = True
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    assert await desk.memory_deliveries.open() == 0
    desk.optouts.down = False
    desk.begin()
    await desk.steps()
    assert desk.told(id) == ["accepted", "delivered"]


async def test_an_offer_without_room_before_quiet_time_is_sent_in_the_morning(desk: Desk) -> None:
    desk.now = at("2026-09-07 20:49")
    [id] = await turned_away(desk)
    desk.now = at("2026-09-07 21:30")
    await desk.steps()
    second = desk.begin()
    desk.now = at("2026-09-08 09:00")
    await desk.steps(life=second)
    assert desk.told(id) == ["accepted", "delivered"]


async def test_a_claim_past_its_deadline_is_not_given_back(desk: Desk) -> None:
    desk.channel.faults = FULL
    await desk.person()
    id = await desk.offer()

    async def stopped(name: str) -> None:
        if name == "release":
            desk.now += 11 * MINUTE

    desk.begin(stopped)
    await desk.life.step()
    assert await desk.memory_deliveries.standing(id) == "claimed"
