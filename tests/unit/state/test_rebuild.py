"""What a rebuild writes before events are folded again: profiles, contacts, holds, opt-outs, the floor."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.memory_optouts import MemoryOptOuts
from engine.codec import decode
from engine.errors import StoreError
from engine.ports import Commit
from engine.rebuild import REBUILDING, enter
from engine.snapshot import Subscriber
from tests.simulation.runs import lines_of
from tests.unit.pipeline.stage import GIVEN, KEY, OTHER, Json, Stage, rule
from tests.unit.state.test_lane import TEXT, Line


def line(id: str, at: int, outcome: str, **more: Any) -> Json:
    made: Json = {
        "id": id,
        "rule": "text",
        "at": at,
        "outcome": outcome,
        "channel": "sms",
        "place": None,
        "due": None,
        "trigger": {"source": "s", "id": "i", "position": "0:1"},
        "values": {},
        "subscriber_key": KEY,
    }
    return {**made, **more}


def entered(*lines: Json) -> Subscriber:
    sub = Subscriber(KEY, "0" * 32)
    for each in lines:
        enter(sub, each, None)
    return sub


def test_offers_controls_and_shadows_are_contacts_and_refusals_are_not() -> None:
    outcomes = ("offer", "control", "shadow", "refused")
    sub = entered(*(line(f"id{at}", at, outcome) for at, outcome in enumerate(outcomes)))
    assert [(c[0], c[3], c[5]) for c in sub.contacts] == [
        (0, "offer", "id0"),
        (1, "control", "id1"),
        (2, "shadow", "id2"),
    ]
    assert sub.holds == []


def test_the_group_comes_from_the_rules_the_line_was_made_by() -> None:
    grouped = rule("text", {"happens": "sms.out"}, only_one_of="g")
    book = Stage(grouped, groups={"g": {"cooldown": "7d"}}).fold.book
    sub = Subscriber(KEY, book.hash)
    enter(sub, line("a", 1, "offer"), book)
    enter(sub, line("b", 2, "offer", rule="gone"), book)
    assert [contact[2] for contact in sub.contacts] == ["g", None]


def test_a_hold_stands_until_its_second_line() -> None:
    held = line("a", 5, "held", due=90, place="cafe", values={"match": {"count": 3, "start": 2}})
    sub = entered(held)
    [hold] = sub.holds
    assert (hold["due"], hold["data"], hold["start"], hold["place"]) == (90, {"count": 3}, 2, "cafe")
    assert sub.wake == 90
    for outcome, contacts in (("offer", [(90, "offer")]), ("refused", [])):
        ended = entered(held, line("a", 90, outcome))
        assert ended.holds == []
        assert [(c[0], c[3]) for c in ended.contacts] == contacts
        assert ended.wake == 0


def test_repeats_change_nothing() -> None:
    held, ended = line("a", 5, "held", due=90), line("a", 90, "offer")
    sub = entered(held, ended, held, ended)
    assert [(c[0], c[3]) for c in sub.contacts] == [(90, "offer")]
    assert sub.holds == []


def test_a_release_takes_the_contact() -> None:
    sub = entered(line("a", 1, "offer"), {"release": "a", "subscriber_key": KEY, "t": 9})
    assert sub.contacts == []


class Lost(Line):
    """A partition whose store is lost after it was marked."""

    def __init__(self, **settings: Any) -> None:
        self.optouts = MemoryOptOuts()
        super().__init__(TEXT, mark_every=0, optouts=self.optouts, **settings)

    async def lose(self) -> None:
        await self.lane.flush()
        self.store.lose(0)
        self.optouts = MemoryOptOuts()
        self.settings["optouts"] = self.optouts
        self.lane = self.begin()


async def test_an_opt_out_is_known_to_the_dispatcher_before_the_commit_that_passes_its_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dispatcher waits until what stood in the log is committed, and then asks for opt-outs."""
    on = Lost()
    commit, known = on.store.commit, []

    async def asked(partition: int, given: Commit) -> None:
        await commit(partition, given)
        known.append((given.offset, await on.optouts.holds([OTHER])))

    monkeypatch.setattr(on.store, "commit", asked)
    await on.write("complaint", 0, subscriber_key=OTHER)
    await on.lane.run()
    assert known == [(1, [True])]


async def test_opt_outs_are_told_anew() -> None:
    on = Lost()
    await on.write("profile.update", 0, **{**GIVEN, "msisdn": "+8613900000000"})
    await on.write("consent.change", 1, consent={"marketing": False})
    await on.write("complaint", 2, subscriber_key=OTHER)
    await on.lane.run()
    number = on.stage.intake.identity.hash_number("+8613900000000")
    assert await on.optouts.holds([number, OTHER]) == [True, True]
    await on.lose()
    assert await on.optouts.holds([number, OTHER]) == [False, False]
    await on.lane.run()
    assert await on.optouts.holds([number, OTHER]) == [True, True]


async def test_the_floor_stands_from_the_first_commit_on_and_a_cut_off_rebuild_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = Lost()
    await on.write("profile.update", 0, **GIVEN)
    for at in range(3):
        await on.write("sms.out", at + 1)
    await on.lane.run()
    published = await on.offers.end(0)
    before = decode(KEY, (await on.store.read(0, [KEY]))[0] or b"")
    await on.lose()
    commit, left = on.store.commit, 1
    seen: list[Commit] = []

    async def cut(partition: int, given: Commit) -> None:
        nonlocal left
        seen.append(given)
        if left == 0:
            left -= 1
            raise StoreError("expected a reply, was none")
        left -= 1
        await commit(partition, given)

    monkeypatch.setattr(on.store, "commit", cut)
    with pytest.raises(StoreError):
        await on.lane.step()
    control = await on.store.open(0)
    assert REBUILDING in control.lane
    assert control.floor == published > 0
    ready = [on.lane.ready]
    await on.lane.run()
    ready.append(on.lane.ready)
    assert ready == [False, True]
    assert {given.floor for given in seen} == {published}
    after = decode(KEY, (await on.store.read(0, [KEY]))[0] or b"")
    assert [c[5] for c in after.contacts] == [c[5] for c in before.contacts]
    assert after.profile == before.profile
    assert await on.offers.end(0) == published


async def test_forgetting_survives_a_lost_store() -> None:
    on = Lost()
    await on.write("profile.update", 0, **GIVEN)
    await on.write("subscriber.forget", 1)
    await on.lane.run()
    assert await on.store.keys(0) == []
    on.log.trim(0, 2)
    await on.lose()
    await on.write("tick", 3)
    await on.lane.run()
    assert await on.store.keys(0) == []


async def test_an_opt_out_stands_though_its_subscriber_is_forgotten_in_the_same_commit() -> None:
    on = Lost()
    await on.write("profile.update", 0, **{**GIVEN, "msisdn": "+8613900000000"})
    await on.write("consent.change", 1, consent={"marketing": False})
    await on.write("subscriber.forget", 2)
    await on.write("complaint", 2, subscriber_key=OTHER)
    await on.write("subscriber.forget", 3, subscriber_key=OTHER)
    await on.lane.run()
    number = on.stage.intake.identity.hash_number("+8613900000000")
    assert await on.optouts.holds([number, OTHER]) == [True, True]
    assert await on.store.keys(0) == []
    assert "8613900000000" not in str(await profiles_and_lines(on))


async def test_a_forgotten_ledger_and_an_opt_out_survive_a_lost_store_when_their_records_are_gone() -> None:
    on = Lost()
    await on.write("profile.update", 0, **{**GIVEN, "msisdn": "+8613900000000"})
    await on.write("sms.out", 1)
    await on.write("consent.change", 2, consent={"marketing": False})
    await on.write("subscriber.forget", 3)
    await on.write("tick", 4)
    await on.lane.run()
    assert [line["outcome"] for line in await lines_of(on.offers, 0)] == ["offer"]
    on.log.trim(0, 4)
    await on.lose()
    await on.write("tick", 5)
    await on.lane.run()
    assert await on.store.keys(0) == []
    number = on.stage.intake.identity.hash_number("+8613900000000")
    assert await on.optouts.holds([number]) == [True]


async def test_what_a_forgotten_subscriber_was_offered_in_a_new_life_is_known_after_a_loss() -> None:
    """However often the store is lost, and whether or not the records are still there."""
    for trimmed in (0, 5):
        on = Lost()
        await on.write("profile.update", 0, **GIVEN)
        await on.write("sms.out", 1)
        await on.write("subscriber.forget", 2)
        await on.write("profile.update", 3, **GIVEN)
        await on.write("sms.out", 4)
        await on.lane.run()
        once = decode(KEY, (await on.store.read(0, [KEY]))[0] or b"")
        assert len(once.contacts) == 1
        on.log.trim(0, trimmed)
        for _ in range(2):
            await on.lose()
            await on.write("tick", 5)
            await on.lane.run()
            again = decode(KEY, (await on.store.read(0, [KEY]))[0] or b"")
            assert (again.contacts, again.profile) == (once.contacts, once.profile)


@pytest.mark.parametrize("after", ["reply", "profile", "forget"])
async def test_what_is_decided_once_more_sees_the_profile_as_it_was_then(after: str) -> None:
    """The compacted topic has what came after the mark, too, and that is folded again in its turn."""
    on = Lost()
    await on.write("profile.update", 0, **{**GIVEN, "profile": {"tier": "gold"}})
    await on.lane.run()
    await on.lane.flush()
    on.lane.mark_every = 1e9  # no mark from here to the loss
    await on.write("sms.out", 1)
    if after == "reply":
        await on.write("complaint", 2)
    elif after == "profile":
        await on.write("profile.update", 2, consent={"marketing": False})
    else:
        await on.write("subscriber.forget", 2)
        await on.write("profile.update", 3, **GIVEN)
    await on.lane.run()
    once = decode(KEY, (await on.store.read(0, [KEY]))[0] or b"")
    on.store.lose(0)
    on.lane = on.begin()
    await on.lane.run()
    again = decode(KEY, (await on.store.read(0, [KEY]))[0] or b"")
    assert (again.contacts, again.consent, again.suppressed) == (once.contacts, once.consent, once.suppressed)
    lines = [orjson.loads(payload) async for batch in on.offers.lines(0) for _, payload in batch]
    made = [line for line in lines if "id" in line]
    assert {line["outcome"] for line in made} == {"offer"}
    assert len(made) == 2, "once more, the same"


async def test_a_lane_without_records_notices_that_its_store_was_lost_and_says_when_it_is_rebuilt() -> None:
    on = Lost()
    await on.write("profile.update", 0, **GIVEN)
    await on.write("sms.out", 1)
    await on.lane.run()
    on.store.lose(0)
    await on.lane.run()
    assert on.lane.rebuilt == 1
    control = await on.store.open(0)
    assert control.token
    assert b"muted_until" not in control.lane
    assert control.offset == 2
    assert len(decode(KEY, (await on.store.read(0, [KEY]))[0] or b"").contacts) == 1


@pytest.mark.parametrize("records", [0, 1])
async def test_a_rebuild_without_records_before_its_mark_is_over_at_once(records: int) -> None:
    """Dispatchers wait for the store to say so, and no record may come for hours."""
    on = Lost()
    await on.write("profile.update", 0, **GIVEN)
    await on.write("sms.out", 1)
    await on.lane.run()
    await on.lane.flush()
    on.log.trim(0, 2)
    await on.lose()
    for number in range(records):
        await on.write("tick", 2 + number)
    await on.lane.run()
    assert on.lane.rebuilt == 1
    assert on.lane.ready
    control = await on.store.open(0)
    assert b"muted_until" not in control.lane
    assert control.offset == 2 + records


async def test_a_mark_names_the_rules_of_what_is_committed_not_of_what_is_folded() -> None:
    """Else a store that is lost just then is built anew with rules from before they were live."""
    on = Line(rule("call", {"happens": "call.out"}), commit_after=60, mark_every=1e9)
    await on.write("profile.update", 0, **GIVEN)
    await on.lane.step(0.01)
    await on.lane.flush()
    await on.write("sms.out", 1)
    await on.switch(2, TEXT)
    on.lane.mark_every = 0
    await on.lane.step(0.01)  # folded, and not committed yet
    on.lane.mark_every = 1e9
    await on.write("sms.out", 3)
    await on.lane.run()
    before = await on.published()
    assert before == ["text"]
    on.store.lose(0)
    on.lane = on.begin()
    await on.lane.run()
    assert await on.published() == before


async def profiles_and_lines(on: Line) -> list[Any]:
    """All that was published, profiles aside that were overwritten."""
    found: list[Any] = [batch async for batch in on.offers.profiles(0)]
    return found + [batch async for batch in on.offers.lines(0)]
