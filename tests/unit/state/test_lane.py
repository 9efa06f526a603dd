"""A lane by itself: what it reads, writes and forgets. Whole runs stand in tests/simulation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_store import MemoryStore
from engine.errors import LogError, StateError
from engine.lane import Lane
from engine.pipeline import Fold
from engine.rulebook import Rulebook
from tests.simulation.runs import lines_of
from tests.unit.pipeline.stage import CAFE, GIVEN, KEY, OTHER, STREET, Json, Stage, rule, rules_of, when

DWELL = rule("dwell", {"stays_in": "cafe", "for": "30m"})
TEXT = rule("text", {"happens": "sms.out"})


class Line:
    """One partition and its lane."""

    def __init__(self, *rules: Json, **settings: Any) -> None:
        self.stage = Stage(*rules)
        self.log = MemoryLog(1)
        self.store = MemoryStore(1)
        self.offers = MemoryOffers(1)
        self.settings = settings
        self.told: list[str] = []
        self.heard = asyncio.Event()
        self.lane = self.begin()

    def begin(self) -> Lane:
        """Make a lane as a fresh process would."""
        lane = Lane(
            0,
            self.log,
            self.store,
            self.offers,
            self.stage.intake,
            lambda name: Fold(self.book(name or self.stage.rules.hash), b"salt", books=self.book),
            **self.settings,
        )
        lane.on_decisions = self._tell
        return lane

    def book(self, name: str) -> Rulebook:
        return Rulebook(self.stage.sets[name], b"key")

    async def switch(self, at: float, *rules: Json) -> None:
        found = rules_of(*rules)
        self.stage.sets[found.hash] = found
        await self.log.append(
            [(0, orjson.dumps({"kind": "rules.switch", "t": when(at), "hash": found.hash}))]
        )

    def _tell(self, made: list[Json]) -> None:
        self.told += [decision["rule"] for decision in made]
        self.heard.set()

    async def write(self, kind: str, at: float, **fields: Any) -> None:
        line = {"kind": kind, "t": when(at), **({"subscriber_key": KEY} if kind != "tick" else {}), **fields}
        await self.log.append([(0, orjson.dumps(line))])

    async def published(self) -> list[str]:
        once = {(line["id"], line["at"]): line["rule"] for line in await lines_of(self.offers, 0)}
        return list(once.values())


class Broken(MemoryOffers):
    """Cannot be written to for a while."""

    down = True

    async def publish(
        self, partition: int, entries: Sequence[tuple[str, bytes]], *, offset: int, known: frozenset[str]
    ) -> int | None:
        if self.down and entries:
            raise LogError("offers: expected a broker, was none")
        return await super().publish(partition, entries, offset=offset, known=known)


async def test_run_folds_what_is_there_and_says_how_much() -> None:
    on = Line(TEXT, batch=2)
    await on.write("profile.update", 0, **GIVEN)
    for at in range(4):
        await on.write("sms.out", at)
    assert await on.lane.run() == 5
    assert await on.lane.run() == 0
    assert await on.published() == on.told == ["text"] * 4
    assert (await on.store.open(0)).offset == 5


async def test_run_waits_for_more_until_it_is_cancelled() -> None:
    on = Line(TEXT)
    task = asyncio.create_task(on.lane.run(until_idle=False))
    for at in range(3):
        on.heard.clear()
        await on.write("sms.out", at)
        await on.heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await on.published() == ["text"] * 3


async def test_a_refused_commit_counts_as_nothing_and_is_made_good() -> None:
    on = Line(TEXT, batch=1)
    other = on.begin()
    for at in range(2):
        await on.write("sms.out", at)
    assert await on.lane.step() == 1
    assert await other.step() == 1
    # the first has been fenced by the second, which has taken over
    assert await on.lane.step() == 0
    assert on.lane.fold is None
    assert await on.lane.step() == 0
    assert await on.published() == ["text"] * 2


async def test_what_could_not_be_published_is_published_by_the_same_lane_later() -> None:
    on = Line(TEXT)
    on.offers = Broken(1)
    on.lane = on.begin()
    await on.write("sms.out", 0)
    with pytest.raises(LogError):
        await on.lane.step()
    await on.write("sms.out", 1)
    with pytest.raises(LogError):
        await on.lane.step()
    on.offers.down = False
    assert await on.lane.run() == 1
    assert await on.published() == ["text", "text"]
    await on.write("tick", 2)
    await on.lane.run()
    assert (await on.store.open(0)).outbox == {}


async def test_the_silent_are_woken_by_a_tick_from_the_store() -> None:
    on = Line(DWELL, cache=0)
    await on.write("profile.update", 0, **GIVEN)
    await on.write("loc.update", 0, cell=CAFE)
    await on.lane.run()
    await on.write("loc.update", 1, cell=STREET, subscriber_key=OTHER)
    await on.lane.run()
    assert on.lane.fold is not None
    assert KEY not in on.lane.fold.subscribers
    await on.write("tick", 31)
    await on.lane.run()
    assert await on.published() == ["dwell"]
    assert await on.store.due(0, when(60)) == []


async def test_a_wake_up_whose_timer_was_taken_back_is_corrected_once_it_is_met() -> None:
    on = Line(DWELL, cache=0)
    await on.write("loc.update", 0, cell=CAFE)
    await on.write("loc.update", 1, cell=STREET)
    await on.lane.run()
    await on.write("tick", 60)
    await on.lane.run()
    assert await on.store.due(0, when(60)) == []
    assert await on.published() == []


async def test_a_switch_arms_also_those_who_are_silent_and_not_in_the_cache() -> None:
    on = Line(TEXT, cache=0)
    await on.write("profile.update", 0, **GIVEN)
    await on.write("loc.update", 0, cell=CAFE)
    await on.lane.run()
    await on.switch(10, DWELL)
    await on.lane.run()
    await on.write("tick", 31)
    await on.lane.run()
    assert await on.published() == ["dwell"]


async def test_a_new_process_goes_on_with_the_rules_and_the_warming_of_the_old_one() -> None:
    data = rule("data", {"count": "data.session", "at_least": "1", "within": "4h"})
    on = Line(TEXT)
    await on.write("profile.update", 0, **GIVEN)
    await on.write("tick", 0)
    await on.switch(0, data)
    await on.lane.run()
    on.lane = on.begin()
    await on.write("data.session", 200)
    await on.lane.run()
    assert await on.published() == []
    await on.write("data.session", 500)
    await on.lane.run()
    assert await on.published() == ["data"]


async def test_damaged_state_stops_the_lane_with_an_error_that_names_the_subscriber() -> None:
    on = Line(TEXT)
    await on.write("sms.out", 0)
    await on.lane.run()
    on.store._partitions[0].states[KEY] = b"\x02nonsense"
    await on.write("sms.out", 1)
    with pytest.raises(StateError, match=KEY):
        await on.begin().step()
    assert (await on.store.open(0)).offset == 1


async def test_records_the_intake_refuses_are_passed_over() -> None:
    on = Line(TEXT)
    await on.log.append([(0, b"{"), (0, b'{"kind":"no.such"}')])
    await on.write("sms.out", 0)
    assert await on.lane.run() == 3
    assert await on.published() == ["text"]


@pytest.mark.parametrize("batch", [1, 2, 5, 500])
async def test_between_two_switches_the_silent_are_armed_however_many_records_a_batch_has(batch: int) -> None:
    on = Line(rule("other", {"happens": "call.out"}), batch=batch)
    await on.write("profile.update", 0, **GIVEN)
    await on.write("loc.update", 0, cell=CAFE)
    await on.lane.run()
    await on.switch(5, DWELL)
    await on.write("tick", 5)
    await on.write("tick", 40)  # due at minute 30
    await on.switch(41, TEXT)
    await on.write("tick", 42)
    on.lane = on.begin()  # a restart: nobody is in the cache
    await on.lane.run()
    assert await on.published() == ["dwell"]


async def test_a_switch_whose_set_comes_late_holds_the_lane_up_and_is_not_skipped() -> None:
    there = False

    async def await_rules(name: str) -> None:
        if not there:
            raise LogError(f"rules {name}: expected to be published, was not found")

    on = Line(rule("other", {"happens": "call.out"}), await_rules=await_rules)
    await on.write("profile.update", 0, **GIVEN)
    await on.switch(1, TEXT)
    await on.write("sms.out", 2)
    for _ in range(2):
        with pytest.raises(LogError, match="expected to be published"):
            await on.lane.run()
        assert (await on.store.open(0)).offset == 0
    there = True
    await on.lane.run()
    assert await on.published() == ["text"]
