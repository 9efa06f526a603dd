"""The last gates: each by itself, at the moment of the write."""

from __future__ import annotations

from typing import Any

import pytest

from engine.last_gates import ENDS, LEAST_VALIDITY, REASONS
from engine.rulebook import Rulebook
from tests.unit.dispatch.desk import (
    ANNA,
    BERT,
    HOUR,
    MINUTE,
    NUMBER,
    RULE,
    SECOND,
    Desk,
    at,
    number_hash,
)
from tests.unit.pipeline.stage import rule, rules_of


async def test_an_offer_goes_out_once_and_its_receipts_into_the_log(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer()
    await desk.steps()
    [submit] = desk.submits()
    assert (submit["decision"], submit["to"], submit["text"]) == (id, NUMBER, "hello")
    assert desk.told(id) == ["accepted", "delivered"]
    assert [event.key for event in desk.log] == [ANNA, ANNA]
    assert dict(desk.life.statuses) == {"delivered": 1}
    assert await desk.memory_deliveries.open() == 0


@pytest.mark.parametrize(
    ("state", "rule", "reason"),
    [
        ({"consent": {"profiling": True}}, "text", "consent.marketing"),
        ({"consent": {"marketing": False, "profiling": True}}, "text", "consent.marketing"),
        ({"consent": {"marketing": True}}, "text", "consent.profiling"),
        ({"consent": {"marketing": True, "profiling": True}}, "visit", "consent.location"),
        ({"consent": {"marketing": True, "profiling": True}}, "text", None),
        ({"suppressed": True}, "text", "suppressed"),
        ({"bound": None}, "text", "unbound"),
        ({}, "gone", "valid"),
        ({}, "visit", None),
    ],
)
async def test_what_the_state_and_the_rules_say(
    desk: Desk, state: dict[str, Any], rule: str, reason: str | None
) -> None:
    await desk.person(**state)
    id = await desk.offer(rule=rule)
    await desk.steps()
    assert desk.told(id)[-1] == (reason or "delivered")
    assert len(desk.submits()) == (reason is None)
    assert set(desk.life.statuses) <= ENDS


async def test_of_whom_nothing_is_known_there_is_no_consent(desk: Desk) -> None:
    await desk.commit()
    id = await desk.offer()
    await desk.steps()
    assert desk.told(id) == ["consent.marketing"]


async def test_a_manual_offer_needs_no_number_and_knows_no_quiet_time(desk: Desk) -> None:
    desk.now = at("2026-09-07 23:00")
    await desk.person(bound=None)
    id = await desk.offer(channel="manual")
    await desk.steps()
    assert desk.told(id) == ["accepted", "delivered"]


async def test_a_channel_that_is_not_there_ends_the_offer(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer(channel="mms")
    await desk.steps()
    assert desk.told(id) == ["channel"]


@pytest.mark.parametrize("name", [number_hash(NUMBER), ANNA])
async def test_an_opt_out_holds_by_number_and_by_subscriber(desk: Desk, name: str) -> None:
    await desk.person()
    await desk.optouts.add({name: desk.now})
    id = await desk.offer()
    await desk.steps()
    assert desk.told(id) == ["suppressed"]
    assert desk.submits() == []


async def test_an_opt_out_that_comes_after_the_claim_still_holds(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer()

    async def point(name: str) -> None:
        if name == "gates":
            await desk.optouts.add({number_hash(NUMBER): desk.now})

    desk.begin(point)
    await desk.steps()
    assert desk.told(id) == ["suppressed"]


@pytest.mark.parametrize(
    "change", [{"status": "paused"}, {"status": "shadow"}, {"valid": "2026-09-01 to 2026-09-06"}]
)
async def test_a_rule_that_is_no_longer_live_ends_its_queued_offers(
    desk: Desk, change: dict[str, str]
) -> None:
    await desk.person()
    id = await desk.offer()
    desk.book = Rulebook(rules_of({**RULE, **change}), b"key")
    await desk.steps()
    assert desk.told(id) == ["valid"]


async def test_those_on_a_canary_are_asked_by_its_rules(desk: Desk) -> None:
    """Of two offers of one rule that only the canary has, the one of the subscriber on it goes."""
    assert desk.book is not None
    new = rule("new", {"happens": "sms.out"}, valid="2026-09-01 to 2026-12-31")
    desk.on_canary = Rulebook(rules_of(new), b"key")
    await desk.person(ANNA, rules=f"{desk.on_canary.hash}@0:7")
    await desk.person(BERT, rules=f"{desk.book.hash}@0:7")
    anna, bert = await desk.offer(1, rule="new"), await desk.offer(2, rule="new", subscriber_key=BERT)
    await desk.steps()
    assert desk.told(anna) == ["accepted", "delivered"]
    assert desk.told(bert) == ["valid"]


async def test_without_rules_everything_waits(desk: Desk) -> None:
    await desk.person()
    id = await desk.offer()
    book, desk.book = desk.book, None
    await desk.steps()
    assert desk.told(id) == []
    assert await desk.memory_deliveries.open() == 0
    desk.book = book
    await desk.after(MINUTE)
    assert desk.told(id) == ["accepted", "delivered"]


# -- time ----------------------------------------------------------------------------------------------------


async def test_in_quiet_time_an_offer_waits_without_a_claim(desk: Desk) -> None:
    await desk.person()
    desk.now = at("2026-09-07 21:00")
    id = await desk.offer()
    await desk.steps()
    assert await desk.memory_deliveries.standing(id) == ""
    assert list(desk.life.open) == [id]
    desk.now = at("2026-09-08 09:00") - 1
    await desk.steps()
    assert desk.submits() == []
    await desk.after(1)
    assert [submit["at"] for submit in desk.submits()] == [at("2026-09-08 09:00")]


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Asia/Shanghai", "2026-09-07 20:59:59"),
        ("Europe/Berlin", "2026-10-24 20:59:59"),  # the night in which the clock goes back
        ("America/New_York", "2026-10-31 20:59:59"),
    ],
)
async def test_a_message_of_the_last_second_is_no_longer_valid_when_quiet_time_starts(
    desk: Desk, zone: str, local: str
) -> None:
    desk.now = at(local, zone)
    await desk.person(timezone=zone)
    await desk.offer()
    await desk.steps()
    [submit] = desk.submits()
    assert submit["valid_until_us"] == desk.now + SECOND


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 13), ("Asia/Shanghai", 12)])
async def test_less_than_a_second_before_quiet_time_it_is_too_late(desk: Desk, zone: str, hours: int) -> None:
    start = at("2026-10-24 21:00", zone)
    desk.now = start - LEAST_VALIDITY + 1
    await desk.person(timezone=zone)
    await desk.offer()
    await desk.steps()
    assert desk.submits() == []
    desk.now = start + hours * HOUR
    await desk.steps()
    assert [submit["at"] for submit in desk.submits()] == [at("2026-10-25 09:00", zone)]


async def test_quiet_time_that_begins_after_the_claim_ends_the_offer(desk: Desk) -> None:
    await desk.person()
    desk.now = at("2026-09-07 20:59:58")
    id = await desk.offer()

    async def point(name: str) -> None:
        if name == "gates":
            desk.now = at("2026-09-07 21:00")

    desk.begin(point)
    await desk.steps()
    assert desk.told(id) == ["quiet"]
    assert desk.submits() == []


async def test_an_offer_expires_with_its_send_within(desk: Desk) -> None:
    await desk.person()
    late, in_time = await desk.offer(1, rule="soon"), await desk.offer(2, rule="soon", at=desk.now + MINUTE)
    desk.now += 30 * MINUTE
    await desk.steps()
    assert desk.told(late) == ["expired"]
    assert [submit["decision"] for submit in desk.submits()] == [in_time]
    assert desk.submits()[0]["valid_until_us"] == desk.now + MINUTE


async def test_an_offer_that_waits_for_the_end_of_quiet_time_may_expire(desk: Desk) -> None:
    await desk.person()
    desk.now = at("2026-09-07 21:00")
    id = await desk.offer(rule="soon")
    await desk.steps()
    await desk.after(30 * MINUTE)
    assert desk.told(id) == ["expired"]


async def test_every_end_has_a_meaning() -> None:
    assert set(REASONS) == ENDS
    assert all(REASONS.values())
