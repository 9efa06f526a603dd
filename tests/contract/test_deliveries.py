"""The contract of `engine.ports.Deliveries`: one claimer per decision, one end, nothing forgotten."""

from __future__ import annotations

import asyncio

import pytest

from engine.ports import Deliveries

D1, D2, D3 = "0a" * 16, "0b" * 16, "ff" * 16
ANNA, BERT = "a1" * 16, "b2" * 16


async def test_a_decision_is_claimed_once_whoever_asks(deliveries: Deliveries) -> None:
    assert await deliveries.claim(D1, ANNA, 100, "first") == ""
    assert await deliveries.claim(D1, ANNA, 100, "second") == "claimed"
    assert await deliveries.claim(D2, BERT, 100, "second") == ""
    assert await deliveries.claim(D1, ANNA, 100, "third") == "claimed"


async def test_of_many_that_ask_at_once_one_gets_it(deliveries: Deliveries) -> None:
    answers = await asyncio.gather(*(deliveries.claim(D1, ANNA, 100, f"attempt {n}") for n in range(20)))
    assert sorted(answers) == ["", *["claimed"] * 19]


async def test_the_same_attempt_may_ask_again_until_something_is_settled(deliveries: Deliveries) -> None:
    assert await deliveries.claim(D1, ANNA, 100, "first") == ""
    assert await deliveries.claim(D1, ANNA, 200, "first") == ""
    assert await deliveries.overdue(150, 10) == []
    await deliveries.settle(D1, "accepted", False)
    assert await deliveries.claim(D1, ANNA, 200, "first") == "accepted"


async def test_a_claim_that_is_given_back_is_as_if_it_had_never_been(deliveries: Deliveries) -> None:
    assert await deliveries.claim(D1, ANNA, 100, "first", 1) == ""
    assert await deliveries.release(D1, "first", 1) is True
    assert await deliveries.release(D1, "first", 1) is False
    assert (await deliveries.find(D1), await deliveries.standing(D1)) == (None, "")
    assert (await deliveries.open(), await deliveries.overdue(1 << 50, 10)) == (0, [])
    assert await deliveries.settle(D1, "delivered", True) is False
    assert await deliveries.claim(D1, ANNA, 100, "second") == ""
    assert await deliveries.claim(D1, ANNA, 100, "first", 2) == "claimed"
    assert await deliveries.release(D1, "first", 2) is False
    assert await deliveries.open() == 1


async def test_a_release_that_comes_late_takes_no_later_claim_away(deliveries: Deliveries) -> None:
    for turn in (1, 2):
        assert await deliveries.claim(D1, ANNA, 100, "first", turn) == ""
    assert await deliveries.release(D1, "first", 1) is False
    # nor does one that comes after a claim of before has come a second time
    assert await deliveries.claim(D1, ANNA, 100, "first", 1) == ""
    assert await deliveries.release(D1, "first", 1) is False
    assert await deliveries.standing(D1) == "claimed"
    assert await deliveries.release(D1, "first", 2) is True


async def test_a_claim_that_another_has_met_is_not_given_back(deliveries: Deliveries) -> None:
    assert await deliveries.claim(D1, ANNA, 100, "first", 1) == ""
    assert await deliveries.claim(D1, ANNA, 100, "second") == "claimed"
    assert await deliveries.release(D1, "first", 1) is False
    assert await deliveries.claim(D1, ANNA, 100, "first", 2) == "", "its claimer still has it"
    assert await deliveries.release(D1, "first", 2) is False
    assert await deliveries.overdue(100, 10) == [(D1, ANNA)]


@pytest.mark.parametrize(("status", "final"), [("accepted", False), ("indeterminate", True)])
async def test_what_was_settled_is_not_given_back(deliveries: Deliveries, status: str, final: bool) -> None:
    await deliveries.claim(D1, ANNA, 100, "first", 1)
    await deliveries.settle(D1, status, final)
    assert await deliveries.release(D1, "first", 1) is False
    assert await deliveries.standing(D1) == status


async def test_the_first_end_wins(deliveries: Deliveries) -> None:
    await deliveries.claim(D1, ANNA, 100, "first")
    assert await deliveries.settle(D1, "accepted", False) is True
    assert await deliveries.settle(D1, "delivered", True) is True
    assert await deliveries.settle(D1, "failed", True) is False
    assert await deliveries.settle(D1, "accepted", False) is False
    assert await deliveries.standing(D1) == "delivered"
    assert await deliveries.claim(D1, ANNA, 100, "second") == "delivered"


async def test_what_was_never_claimed_can_not_be_settled(deliveries: Deliveries) -> None:
    assert await deliveries.settle(D1, "delivered", True) is False
    assert await deliveries.standing(D1) == ""
    assert await deliveries.claim(D1, ANNA, 100, "first") == ""


async def test_a_receipt_finds_its_subscriber_also_after_the_end(deliveries: Deliveries) -> None:
    assert await deliveries.find(D1) is None
    await deliveries.claim(D1, ANNA, 100, "first")
    assert await deliveries.find(D1) == ANNA
    await deliveries.settle(D1, "delivered", True)
    assert await deliveries.find(D1) == ANNA
    assert await deliveries.find(D2) is None


async def test_open_decisions_are_overdue_from_their_deadline_on(deliveries: Deliveries) -> None:
    await deliveries.claim(D1, ANNA, 100, "first")
    await deliveries.claim(D2, BERT, 300, "second")
    assert await deliveries.overdue(99, 10) == []
    assert await deliveries.overdue(100, 10) == [(D1, ANNA)]
    assert sorted(await deliveries.overdue(300, 10)) == [(D1, ANNA), (D2, BERT)]
    assert len(await deliveries.overdue(300, 1)) == 1


async def test_a_decision_that_stays_open_can_get_a_later_deadline(deliveries: Deliveries) -> None:
    await deliveries.claim(D1, ANNA, 100, "first")
    await deliveries.settle(D1, "accepted", False, 500)
    assert await deliveries.overdue(499, 10) == []
    await deliveries.settle(D1, "buffered", False)
    assert await deliveries.overdue(500, 10) == [(D1, ANNA)]


async def test_an_end_is_never_overdue_and_no_longer_open(deliveries: Deliveries) -> None:
    for decision in (D1, D2, D3):
        await deliveries.claim(decision, ANNA, 100, "first")
    assert await deliveries.open() == 3
    await deliveries.settle(D1, "indeterminate", True)
    assert await deliveries.open() == 2
    assert sorted(await deliveries.overdue(1 << 50, 10)) == [(D2, ANNA), (D3, ANNA)]


async def test_the_number_of_passes_over_a_partition_never_goes_back(deliveries: Deliveries) -> None:
    assert await deliveries.passes(3) == 0
    assert await deliveries.remember(3, 0, 50) is True
    assert await deliveries.remember(3, 50, 40) is True
    assert await deliveries.passes(3) == 50
    assert await deliveries.passes(4) == 0


async def test_a_ledger_that_knows_less_than_expected_says_so_and_writes_nothing(
    deliveries: Deliveries,
) -> None:
    await deliveries.remember(3, 0, 50)
    assert await deliveries.remember(3, 51, 70) is False
    assert await deliveries.passes(3) == 50
