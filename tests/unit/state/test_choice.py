"""Whose number is in the set that the dispatcher asks: their own word alone takes it in or out."""

from __future__ import annotations

from typing import Any

import orjson

from connectors.memory_optouts import MemoryOptOuts
from engine.codec import decode, encode
from tests.unit.pipeline.stage import GIVEN, KEY, OTHER
from tests.unit.state.test_lane import TEXT, Line

NUMBER = "+8613900000000"
YES: dict[str, Any] = {**GIVEN, "msisdn": NUMBER, "consent": {"marketing": True}}


class Words(Line):
    """A lane that tells opt-outs."""

    def __init__(self) -> None:
        self.optouts = MemoryOptOuts()
        super().__init__(TEXT, optouts=self.optouts)
        self.hash = self.stage.intake.identity.hash_number(NUMBER)

    async def is_out(self) -> bool:
        await self.lane.run()
        [found] = await self.optouts.holds([self.hash])
        return found


async def test_a_profile_that_binds_a_number_does_not_take_its_opt_out_back() -> None:
    on = Words()
    await on.write("consent.change", 0, subscriber_key=on.hash, consent={"marketing": False})
    assert await on.is_out()
    await on.write("profile.update", 1, **YES)
    assert await on.is_out()
    await on.write("profile.update", 2, subscriber_key=OTHER, **YES)
    assert await on.is_out(), "nor does another one"


async def test_a_reply_or_complaint_of_a_number_nobody_knew_stands_too() -> None:
    for kind, fields in (("sms.reply", {"number": "10086", "text": "R"}), ("complaint", {})):
        on = Words()
        await on.write(kind, 0, subscriber_key=on.hash, **fields)
        assert await on.is_out()
        await on.write("profile.update", 1, **YES)
        assert await on.is_out()


async def test_a_profile_that_is_loaded_again_does_not_take_an_opt_out_back() -> None:
    on = Words()
    await on.write("profile.update", 0, **YES)
    assert not await on.is_out()
    await on.write("consent.change", 1, consent={"marketing": False})
    assert await on.is_out()
    await on.write("profile.update", 2, **YES)
    assert await on.is_out()


async def test_their_own_consent_takes_it_back_also_of_a_number_nobody_knew() -> None:
    on = Words()
    await on.write("consent.change", 0, subscriber_key=on.hash, consent={"marketing": False})
    await on.write("profile.update", 1, **YES)
    await on.write("consent.change", 2, consent={"marketing": True})
    assert not await on.is_out()
    await on.write("sms.reply", 3, number="10086", text="R")
    assert await on.is_out()
    await on.write("consent.change", 4, consent={"marketing": True})
    assert not await on.is_out()


async def test_an_older_consent_takes_nothing_back() -> None:
    on = Words()
    await on.write("profile.update", 0, **YES)
    await on.write("consent.change", 1, consent={"marketing": True})
    await on.write("consent.change", 2, subscriber_key=on.hash, consent={"marketing": False})
    assert await on.is_out()
    await on.write("profile.update", 3, **YES)
    assert await on.is_out(), "the profile comes with a word that is older than the opt-out"


async def test_an_opt_out_stands_against_a_consent_that_is_older_and_comes_later() -> None:
    for together in (False, True):
        on = Words()
        await on.write("profile.update", 0, **YES)
        await on.write("sms.reply", 5, number="10086", text="R")
        if not together:
            assert await on.is_out()
        await on.write("consent.change", 1, consent={"marketing": True})
        assert await on.is_out()
        *_, (_, _, payload) = [found async for batch in on.offers.profiles(0) for found in batch]
        assert orjson.loads(payload)["choice"] < 0, "a rebuild has it from there"
        await on.write("consent.change", 2, consent={"marketing": False})
        await on.write("consent.change", 3, consent={"marketing": True})
        assert await on.is_out(), "newer than the second no, older than the first"
        await on.write("consent.change", 6, consent={"marketing": True})
        assert not await on.is_out()


async def test_what_they_said_is_kept_in_their_state() -> None:
    on = Words()
    await on.write("profile.update", 0, **YES)
    await on.write("consent.change", 1, consent={"marketing": False, "location": True})
    await on.lane.run()
    blob = (await on.store.read(0, [KEY]))[0] or b""
    sub = decode(KEY, blob)
    assert sub.choice < 0
    sub.gates_dirty = True
    assert encode(sub) == blob
    await on.write("consent.change", 2, consent={"location": False})
    await on.lane.run()
    assert decode(KEY, (await on.store.read(0, [KEY]))[0] or b"").choice == sub.choice


async def test_a_yes_takes_back_a_no_from_before_the_number_was_bound() -> None:
    on = Words()
    await on.write("consent.change", 0, consent={"marketing": False})
    await on.lane.run()
    assert await on.optouts.holds([KEY]) == [True]
    await on.write("profile.update", 1, **YES)
    await on.lane.run()
    assert await on.optouts.holds([KEY]) == [True]
    await on.write("consent.change", 2, consent={"marketing": True})
    assert not await on.is_out()
    assert await on.optouts.holds([KEY]) == [False]
