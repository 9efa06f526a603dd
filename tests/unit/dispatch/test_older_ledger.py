"""A ledger that is an older copy of itself: what may have been sent under it is not sent again, and ends."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from connectors.channels.lab import Faults
from connectors.memory_offers import MemoryQueue
from engine.errors import LogError
from engine.last_gates import Offer
from tests.unit.dispatch.desk import ANNA, HOUR, MINUTE, NUMBER, SECOND, Desk, at, number_hash
from tests.unit.pipeline.stage import Json

LINE: Json = {"subscriber_key": ANNA, "rule": "text", "channel": "sms", "text": "hello", "at": 1}


async def test_an_older_copy_of_the_ledger_is_noticed_at_the_start(desk: Desk) -> None:
    await desk.person()
    await desk.offer(1)
    await desk.steps()
    copy = deepcopy(desk.memory_deliveries)
    desk.now += 2 * SECOND
    desk.channel.faults = Faults(silent=1)
    night = await desk.offer(2, at=desk.now)
    sent = await desk.offer(3)
    await desk.steps()
    await desk.after(2 * SECOND)
    # as if the first of them had waited: what was sent behind it is read again
    desk.positions[0] = replace(desk.positions[0], done=1)
    desk.lose_the_ledger(copy)
    life = desk.begin()
    await desk.steps()
    assert life.courses.rolled_back == 1
    assert [submit["decision"] for submit in desk.submits()].count(sent) == 1
    assert [desk.told(id)[-1] for id in (night, sent)] == ["indeterminate", "indeterminate"]
    fresh = await desk.offer(4)
    desk.channel.faults = Faults()
    await desk.after(2 * SECOND)
    assert desk.told(fresh) == ["accepted", "delivered"]
    assert await desk.memory_deliveries.passes(0) == desk.positions[0].passes
    assert desk.positions[0].guard == 0


async def test_a_ledger_that_falls_back_while_offers_wait_for_the_morning(desk: Desk) -> None:
    await desk.person()
    await desk.person("c3" * 16, timezone="Europe/London")
    await desk.offer(1)
    await desk.steps()
    copy = deepcopy(desk.memory_deliveries)
    desk.now = at("2026-09-07 22:00")
    waits = await desk.offer(2)
    sent = await desk.offer(3, subscriber_key="c3" * 16)
    await desk.steps()
    await desk.after(2 * SECOND)
    assert desk.positions[0].done == 1
    assert desk.positions[0].reached == 3
    desk.lose_the_ledger(copy)
    more = await desk.offer(4, subscriber_key="c3" * 16)
    await desk.steps()
    await desk.after(2 * SECOND)
    await desk.after(2 * SECOND)
    assert desk.life.courses.rolled_back == 1
    assert desk.positions[0].guard == 4  # so that the next life does not trust it either
    desk.begin()
    await desk.steps()
    assert [submit["decision"] for submit in desk.submits()].count(sent) == 1
    assert [submit["decision"] for submit in desk.submits()].count(more) == 1
    desk.now = at("2026-09-08 09:00")
    await desk.steps()
    assert desk.told(waits) == ["indeterminate"]


async def test_a_ledger_that_falls_back_does_not_stop_what_it_never_knew(desk: Desk) -> None:
    await desk.person()
    await desk.offer(1)
    await desk.steps()
    copy = deepcopy(desk.memory_deliveries)
    await desk.offer(2)
    await desk.after(2 * SECOND)
    desk.lose_the_ledger(copy)
    id = await desk.offer(3)
    await desk.after(2 * SECOND)
    await desk.after(2 * SECOND)
    assert desk.told(id) == ["accepted", "delivered"]
    assert desk.life.courses.rolled_back == 1
    await desk.after(2 * SECOND)
    assert desk.positions[0].done == 3
    assert desk.positions[0].guard == 0


async def test_what_was_seen_without_a_claim_before_the_ledger_fell_back_is_sent_in_the_morning(
    desk: Desk,
) -> None:
    await desk.person()
    await desk.offer(1)
    await desk.steps()
    await desk.person("c3" * 16, timezone="Europe/London")
    copy = deepcopy(desk.memory_deliveries)
    desk.now = at("2026-09-07 22:00")
    waits = await desk.offer(2)
    await desk.steps()
    desk.begin()
    await desk.offer(3, subscriber_key="c3" * 16)
    await desk.steps()
    await desk.after(2 * SECOND)
    desk.lose_the_ledger(copy)
    desk.now = at("2026-09-08 09:00")
    await desk.steps()
    await desk.after(2 * SECOND)
    assert desk.life.courses.rolled_back == 1
    assert desk.told(waits) == ["accepted", "delivered"]


@pytest.mark.parametrize("age", [100_000, MINUTE])
async def test_what_was_sent_just_before_everything_died_is_not_sent_again_under_an_older_ledger(
    desk: Desk, age: int
) -> None:
    """It died before it kept anything: what it was to send was written down before it was sent."""
    await desk.person()
    await desk.offer(1)
    await desk.steps()
    await desk.after(5 * SECOND)
    copy = deepcopy(desk.memory_deliveries)
    desk.now += age
    ids = [await desk.offer(number) for number in range(10, 20)]
    await desk.crash("report")
    assert len(desk.submits()) == 11
    desk.lose_the_ledger(copy)
    desk.begin()
    await desk.steps()
    await desk.after(HOUR)
    assert len(desk.submits()) == 11
    assert [sorted(desk.told(id)) for id in ids] == [["delivered", "indeterminate"]] * 10


async def test_an_offer_that_waited_behind_others_is_not_sent_twice_either(desk: Desk) -> None:
    """Positions do not tell: those behind it were sent long before the copy was made."""
    await desk.person()
    await desk.person("c3" * 16, timezone="Europe/London")
    desk.now = at("2026-09-07 22:00")
    waited = await desk.offer(1)
    await desk.offer(2, subscriber_key="c3" * 16)
    await desk.steps()
    await desk.after(2 * SECOND)
    copy = deepcopy(desk.memory_deliveries)
    desk.now = at("2026-09-08 09:00")
    await desk.crash("report")
    desk.lose_the_ledger(copy)
    desk.begin()
    await desk.steps()
    await desk.after(HOUR)
    assert [submit["decision"] for submit in desk.submits()].count(waited) == 1


@pytest.mark.parametrize("where", ["claim", "ahead", "gates", "report", "keep"])
async def test_a_process_that_dies_with_its_ledger_standing_loses_the_trust_in_no_offer_it_had_not_claimed(
    desk: Desk, where: str
) -> None:
    await desk.person()
    claimed = await desk.offer(1)
    await desk.crash(where)
    later = await desk.offer(2)
    await desk.steps()
    await desk.after(11 * MINUTE)
    assert desk.life.courses.rolled_back == 0
    assert desk.told(later) == ["accepted", "delivered"]
    assert desk.told(claimed)[-1] == ("indeterminate" if where in ("ahead", "gates") else "delivered")


async def test_while_the_queue_does_not_take_what_is_to_be_sent_nothing_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.person()
    done = MemoryQueue.done

    async def down(*_: Any) -> None:
        raise LogError("kafka: done: expected an answer, was none")

    monkeypatch.setattr(MemoryQueue, "done", down)
    id = await desk.offer()
    await desk.steps()
    await desk.after(MINUTE)
    assert desk.submits() == []
    monkeypatch.setattr(MemoryQueue, "done", done)
    await desk.after(MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]


async def test_a_store_that_is_lost_while_opt_outs_are_asked_sends_nothing(desk: Desk) -> None:
    await desk.person()
    await desk.memory_optouts.add({number_hash(NUMBER): 1})
    holds = desk.memory_optouts.holds

    async def lost(names: list[str]) -> list[bool]:
        await desk.memory_optouts.release({number_hash(NUMBER): 1})
        desk.memory_store.lose(0)
        return await holds(names)

    desk.memory_optouts.holds = lost  # type: ignore[method-assign,assignment]
    await desk.offer()
    await desk.steps()
    assert desk.submits() == []


async def test_a_claim_of_another_that_is_forgotten_is_looked_at_again(desk: Desk) -> None:
    """Its process died before a pass had written it; so nothing was sent, and nobody else would end it."""
    await desk.person()
    id = await desk.offer()
    copy = deepcopy(desk.memory_deliveries)
    await desk.crash("ahead")
    life, keep = desk.life, desk.life.courses.keep

    async def forgets() -> None:
        desk.lose_the_ledger(copy)
        await keep()

    life.courses.keep = forgets  # type: ignore[method-assign]
    await desk.steps()
    life.courses.keep = keep  # type: ignore[method-assign]
    await desk.after(2 * SECOND)
    assert desk.told(id) == ["accepted", "delivered"]
    assert desk.positions[0].done == 1


async def test_a_claim_of_another_that_is_forgotten_is_left_to_who_has_the_partition(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.person()
    id = await desk.offer()
    life = await desk.crash("ahead")
    await life.step()
    monkeypatch.setattr(life.courses, "forgotten", [offer := Offer(0, 0, 0, LINE | {"id": id}, "me")])
    assert offer.term == life.courses.held[0].term
    monkeypatch.setattr(life.queue, "terms", lambda: {1: 0})
    await desk.steps()
    assert list(life.courses.held) == [1]
    assert life.open == {}
    assert desk.submits() == []


async def test_an_offer_that_waits_is_not_lost_when_the_queue_can_not_be_taken_again_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.person()
    await desk.person("c3" * 16, timezone="Europe/London")
    copy = deepcopy(desk.memory_deliveries)
    desk.now = at("2026-09-07 22:00")
    await desk.offer(1, subscriber_key="c3" * 16)
    waits = await desk.offer(2)
    await desk.offer(3, subscriber_key="c3" * 16)
    await desk.steps()
    await desk.after(2 * SECOND)
    life = desk.begin()
    await life.courses.hold()
    desk.lose_the_ledger(copy)
    rewind = MemoryQueue.rewind

    async def down(*_: Any) -> int:
        raise LogError("kafka: rewind: expected an answer, was none")

    monkeypatch.setattr(MemoryQueue, "rewind", down)
    await desk.steps()
    monkeypatch.setattr(MemoryQueue, "rewind", rewind)
    await desk.after(MINUTE)
    desk.now = at("2026-09-08 09:00")
    await desk.steps()
    await desk.after(MINUTE)
    assert desk.told(waits) == ["indeterminate"]
    assert len(desk.submits()) == 2
