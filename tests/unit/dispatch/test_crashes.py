"""Crashes at every step, lost ledgers, doors that do not answer: nothing twice, every offer ends."""

from __future__ import annotations

import pytest

from connectors.channels.lab import Faults
from engine.ports import Receipt
from tests.unit.dispatch.desk import ANNA, HOUR, MINUTE, SECOND, Desk, at


@pytest.mark.parametrize(
    ("where", "submits", "told"),
    [
        ("claim", 1, ["accepted", "delivered"]),
        ("ahead", 0, ["indeterminate"]),
        ("gates", 0, ["indeterminate"]),
        ("report", 1, ["delivered"]),
        ("settle", 1, ["accepted", "delivered"]),
        ("keep", 1, ["accepted", "delivered"]),
    ],
)
async def test_after_a_crash_nothing_is_sent_twice_and_it_ends(
    desk: Desk, where: str, submits: int, told: list[str]
) -> None:
    await desk.person()
    id = await desk.offer()
    await desk.crash(where)
    await desk.steps()
    await desk.after(11 * MINUTE)
    assert desk.told(id) == told
    assert len(desk.submits()) == submits
    assert await desk.memory_deliveries.open() == 0


async def test_a_submit_without_a_receipt_ends_at_its_deadline(desk: Desk) -> None:
    desk.channel.faults = Faults(silent=1)
    await desk.person()
    id = await desk.offer()
    await desk.crash("report")
    await desk.steps()
    assert list(desk.life.open) == [id]
    await desk.after(10 * MINUTE)
    assert desk.told(id) == ["indeterminate"]
    assert dict(desk.life.statuses) == {"indeterminate": 1}
    assert len(desk.submits()) == 1


async def test_a_lost_answer_is_never_sent_again_and_a_receipt_settles_it(desk: Desk) -> None:
    desk.channel.faults = Faults(lost=1, receipt_after=60)
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    assert desk.life.unknown == 1
    await desk.after(MINUTE)
    assert desk.told(id) == ["delivered"]
    assert len(desk.submits()) == 1


async def test_an_accepted_message_is_waited_for_until_its_validity_is_over(desk: Desk) -> None:
    desk.channel.faults = Faults(silent=1)
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    desk.now = at("2026-09-07 21:09")
    await desk.steps()
    assert desk.told(id) == ["accepted"]
    await desk.after(MINUTE)
    assert desk.told(id) == ["accepted", "indeterminate"]


async def test_a_late_receipt_reaches_the_log_and_changes_no_end(desk: Desk) -> None:
    desk.channel.faults = Faults(lost=1, receipt_after=1_200)
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    await desk.after(11 * MINUTE)
    await desk.after(10 * MINUTE)
    assert desk.told(id) == ["indeterminate", "delivered"]
    assert dict(desk.life.statuses) == {"indeterminate": 1}


async def test_a_receipt_that_comes_twice_counts_once(desk: Desk) -> None:
    desk.channel.faults = Faults(twice=1)
    await desk.person()
    await desk.offer()
    await desk.steps()
    assert dict(desk.life.statuses) == {"delivered": 1}
    assert desk.life.taken == 1


async def test_a_receipt_on_a_connection_of_another_dispatcher_is_counted_there(desk: Desk) -> None:
    desk.channel.faults = Faults(receipt_after=60)
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    first, second = desk.life, desk.begin()
    await desk.after(MINUTE)
    assert second.statuses["delivered"] == 1
    assert list(first.open) == [id]
    desk.now += 10 * HOUR
    await desk.steps(life=first)
    assert dict(first.statuses) == {"elsewhere": 1}
    assert desk.told(id) == ["accepted", "delivered"]


async def test_an_unmatched_receipt_waits_ten_minutes_for_its_decision(desk: Desk) -> None:
    await desk.commit()
    strangers = [Receipt("0" * 31 + "9", "delivered"), Receipt("0" * 31 + "8", "delivered")]

    async def receipts() -> list[Receipt]:
        found, strangers[:] = list(strangers), []
        return found

    desk.channel.receipts = receipts  # type: ignore[method-assign]
    await desk.steps()
    await desk.memory_deliveries.claim("0" * 31 + "9", ANNA, desk.now + HOUR, "another process")
    await desk.after(9 * MINUTE)
    assert desk.told("0" * 31 + "9") == ["delivered"]
    assert desk.life.reports.unmatched == 0
    await desk.after(2 * MINUTE)
    assert desk.life.reports.unmatched == 1
    assert desk.told("0" * 31 + "8") == []


async def test_a_throttled_offer_is_tried_again(desk: Desk) -> None:
    desk.channel.faults = Faults(throttled=1)
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    desk.channel.faults = Faults()
    await desk.after(MINUTE)
    assert desk.channel.throttled == 1
    assert desk.told(id) == ["accepted", "delivered"]


async def test_repeats_and_offers_read_again_are_sent_once(desk: Desk) -> None:
    await desk.person()
    for _ in range(3):
        await desk.offer()
    await desk.steps()
    desk.positions.clear()
    desk.begin()
    await desk.steps()
    assert len(desk.submits()) == 1
    assert dict(desk.life.statuses) == {"elsewhere": 1}


async def test_what_can_not_be_read_is_counted_and_passed(desk: Desk) -> None:
    await desk.person()
    payloads = [b"\xff", b"{}", b'{"outcome": "offer", "id": 7}', b"[]"]
    await desk.offers.publish(0, [(f"o:{n}", p) for n, p in enumerate(payloads)], offset=0, known=frozenset())
    id = await desk.offer()
    await desk.steps()
    assert desk.life.statuses == {"broken": 4, "delivered": 1}
    assert desk.told(id) == ["accepted", "delivered"]
    assert desk.positions[0].done == 5


# -- doors that do not answer --------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["store", "deliveries", "optouts", "appending"])
async def test_while_a_door_is_down_nothing_is_sent_and_later_it_is(desk: Desk, door: str) -> None:
    await desk.person()
    await desk.offer(9)
    await desk.steps()  # held, and once through
    getattr(desk, door).down = True
    first, second = await desk.offer(1), await desk.offer(2)
    await desk.steps()
    await desk.after(MINUTE)
    sent = 1 + (2 if door == "appending" else 0)  # that the log is down shows with the first receipt
    assert len(desk.submits()) == sent
    getattr(desk, door).down = False
    await desk.after(MINUTE)
    assert len(desk.submits()) == 3
    assert desk.told(first) == desk.told(second) == ["accepted", "delivered"]
    assert desk.life.statuses == {"delivered": 3}


async def test_a_log_that_is_down_stops_the_sending(desk: Desk) -> None:
    await desk.person()
    await desk.offer(1)
    desk.appending.down = True
    await desk.steps()
    await desk.offer(2)
    await desk.after(MINUTE)
    assert len(desk.submits()) == 1
    desk.appending.down = False
    await desk.after(MINUTE)
    assert desk.life.statuses == {"delivered": 2}


@pytest.mark.parametrize("method", ["claim", "settle", "find", "remember", "overdue"])
async def test_a_reply_of_the_ledger_that_is_lost_once_does_no_harm(desk: Desk, method: str) -> None:
    await desk.person()
    failed: list[str] = []

    def fails(name: str) -> str:
        if name == method and not failed:
            failed.append(name)
            return "after"
        return ""

    desk.deliveries.fails = fails
    id = await desk.offer()
    await desk.steps()
    if method == "find":  # asked for receipts of earlier lives only
        desk.channel.faults = Faults(receipt_after=5)
        id = await desk.offer(2)
        await desk.steps()
        await desk.after(2 * SECOND)
        desk.begin()
    await desk.after(MINUTE)
    await desk.after(MINUTE)
    assert failed == [method]
    assert desk.told(id)[-1] == "delivered"
    assert [submit["decision"] for submit in desk.submits()].count(id) == 1
    assert await desk.memory_deliveries.open() == 0


async def test_a_process_that_was_stopped_between_gates_and_write_asks_again(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer()
    holds = desk.memory_optouts.holds

    async def stopped(names: list[str]) -> list[bool]:
        answer = await holds(names)
        desk.memory_optouts.holds = holds  # type: ignore[method-assign]
        await desk.memory_optouts.add({ANNA: desk.now})
        desk.now += 5 * SECOND
        return answer

    desk.memory_optouts.holds = stopped  # type: ignore[method-assign,assignment]
    await desk.steps()
    await desk.after(MINUTE)
    assert desk.submits() == []
    assert desk.told(id) == ["suppressed"]


# -- a store or a ledger that was lost -----------------------------------------------------------------------


async def test_a_partition_without_state_waits_and_others_go_on(desk: Desk) -> None:
    await desk.person(partition=1)
    waits, goes = await desk.offer(1, partition=0), await desk.offer(2, partition=1)
    await desk.steps()
    await desk.after(HOUR)
    assert [submit["decision"] for submit in desk.submits()] == [goes]
    assert desk.told(waits) == []
    await desk.person(partition=0)
    await desk.after(MINUTE)
    assert [submit["decision"] for submit in desk.submits()] == [goes, waits]


async def test_offers_below_the_floor_without_a_claim_end_as_rebuild(desk: Desk) -> None:
    await desk.person()
    old = await desk.offer(1)
    claimed = await desk.offer(2)
    await desk.memory_deliveries.claim(claimed, ANNA, desk.now + HOUR, "an earlier life")
    await desk.memory_deliveries.settle(claimed, "delivered", True)
    await desk.commit(floor=2)
    new = await desk.offer(3)
    await desk.steps()
    assert desk.told(old) == ["rebuild"]
    assert desk.told(claimed) == []
    assert [submit["decision"] for submit in desk.submits()] == [new]
    assert desk.life.statuses == {"rebuild": 1, "elsewhere": 1, "delivered": 1}


async def test_the_books_ask_again_for_each_end_that_the_ledger_did_not_tell(desk: Desk) -> None:
    await desk.person()
    for id in [await desk.offer(number) for number in range(3)]:
        await desk.memory_deliveries.claim(id, ANNA, desk.now + HOUR, "an earlier life")
    await desk.steps()
    for id in desk.life.open:
        await desk.memory_deliveries.settle(id, "delivered", True)
    desk.deliveries.fails = lambda name: "before" if name == "standing" else ""
    await desk.after(12 * MINUTE)
    desk.deliveries.fails = lambda _: ""
    await desk.after(12 * MINUTE)
    assert dict(desk.life.statuses) == {"elsewhere": 3}


async def test_a_state_lost_after_the_claim_sends_nothing_until_it_is_back(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer()
    token = desk.tokens[0]

    async def point(name: str) -> None:
        if name == "gates":
            held = desk.memory_store._partitions[0]
            held.token = ""
            held.states.clear()

    desk.begin(point)
    await desk.steps()
    assert desk.submits() == []
    desk.begin()
    desk.memory_store._partitions[0].token = token
    await desk.person()
    await desk.after(11 * MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]
    assert len(desk.submits()) == 1


async def test_an_accepted_message_ends_also_if_the_ledger_has_lost_it(desk: Desk) -> None:
    desk.channel.faults = Faults(silent=1)
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    desk.lose_the_ledger()
    await desk.after(10 * HOUR)
    assert desk.told(id) == ["accepted", "indeterminate"]
    assert desk.life.statuses == {"indeterminate": 1}
    assert await desk.memory_deliveries.open() == 0


async def test_an_offer_whose_claim_is_being_tried_is_not_ended_meanwhile(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer()
    asked: list[str] = []

    def fails(name: str) -> str:
        if name != "claim" or len(asked) > 20:
            return ""
        asked.append(name)
        return "after" if len(asked) == 1 else "before"

    desk.deliveries.fails = fails
    await desk.steps()
    for _ in range(12):
        await desk.after(MINUTE)
    assert (await desk.memory_deliveries.overdue(desk.now, 9), desk.told(id)) == ([(id, ANNA)], [])
    for _ in range(12):
        await desk.after(MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]


async def test_a_store_that_went_back_sends_nothing_until_it_is_cleared(desk: Desk) -> None:
    """It may lack opt-outs that were acknowledged: who looks after the store says when it has them."""
    await desk.person()
    before = desk.memory_store.copy(0)
    await desk.commit(0, offset=9)
    sent = await desk.offer()
    await desk.steps()
    assert [submit["decision"] for submit in desk.submits()] == [sent]
    desk.memory_store.restore(0, before)
    later = await desk.offer(2)
    await desk.after(SECOND)
    await desk.offer(3, partition=1)
    await desk.after(MINUTE)
    assert len(desk.submits()) == 1
    assert desk.life.went_back
    desk.life.stood.clear()
    desk.life.went_back = False
    await desk.after(MINUTE)
    assert later in [submit["decision"] for submit in desk.submits()]
