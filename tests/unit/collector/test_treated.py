"""Treatments between a source and the log: nothing lost, nothing twice, nothing late as it was parked."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from typing import Any

import orjson
import pytest

from engine import collector as role
from engine.collector import Live, LiveCollector, Pace
from engine.event import Event
from engine.identity import Identity
from engine.treatments.chain import Chain
from engine.treatments.correlation import Correlation
from engine.treatments.course import Course, treated
from engine.treatments.identity import Edge
from engine.treatments.lot import NEVER, Lot
from engine.treatments.memory import Memories
from engine.treatments.parking import Parking
from engine.treatments.who_options import IdentityOptions, ParkingOptions
from tests.unit.collector.parker import Dropper, Parker, parking
from tests.unit.collector.support import KEY, SECOND, Listed, T, World, sight


def event(seconds: float, key: str = "a", id: str = "0", kind: str = "loc.sight") -> Event:
    t = T + round(seconds * SECOND)
    return Event(kind, t, key, {"kind": kind, "t": t, "id": id, "subscriber_key": key}, id=id)


def ids(events: Any) -> list[str]:
    return [each.id for each in events]


# -- the course of one source ----------------------------------------------------------------------------


def test_what_is_parked_comes_before_the_record_that_frees_it() -> None:
    events = [event(0, id="3"), event(1, "b", id="1"), event(2, id="2"), event(3, id="13")]
    assert ids(treated(events, parking())) == ["1", "3", "2", "13"]


def test_parking_runs_on_the_watermark_of_the_source() -> None:
    course = Course(parking(seconds=30), disorder=10 * SECOND)
    assert course.take(event(0, id="3")) == ()
    assert ids(course.take(event(39.9, "b", id="1"))) == ["1"]  # the watermark is at 29.9 s
    assert course.oldest == T
    assert ids(course.take(event(40, "b", id="2"))) == ["3", "2"]
    assert course.oldest is None


def test_control_records_pass_by_the_steps() -> None:
    consent = event(0, id="3", kind="consent.change")
    assert list(treated([consent], parking())) == [consent]


def test_steps_behind_the_one_that_parks_see_what_it_sets_free() -> None:
    chain = Chain([Parker("3"), Dropper("loc.update")])
    events = [event(0, id="3", kind="loc.update"), event(1, id="13"), event(40, "b", id="2")]
    assert ids(treated(events, chain)) == ["13", "2"]
    assert chain.counts == {"parker.parked": 2, "parker.found": 0, "parker.released": 2, "dropper.dropped": 1}


def test_a_lot_knows_its_oldest_whatever_goes_when() -> None:
    dice = random.Random(7)
    lot, waiting = Lot(), dict[str, tuple[int, int]]()
    for number in range(2_000):
        what = dice.random()
        if what < 0.6:
            one = event(dice.uniform(0, 100), f"k{number % 5}", id=str(number))
            waiting[str(number)] = (one.t, one.t + number % 7 * SECOND)
            lot.park(one, waiting[str(number)][1])
        elif what < 0.7:
            for freed in lot.of(f"k{number % 5}"):
                del waiting[freed.id or ""]
        elif what < 0.9:
            mark = T + round(dice.uniform(0, 100) * SECOND)
            due = ids(lot.due(mark))
            assert due == [name for name, (_, until) in waiting.items() if until <= mark]
            for name in due:
                del waiting[name]
        elif what < 0.95:
            lot.restore(orjson.loads(orjson.dumps(lot.pack())))
        else:
            keep = dice.randint(0, 20)
            for freed in lot.let_go(keep):
                del waiting[freed.id or ""]
            assert len(lot) == min(keep, len(lot))
        assert len(lot) == len(waiting)
        assert lot.oldest == min((t for t, _ in waiting.values()), default=None)


def test_what_comes_and_goes_behind_a_change_leaves_nothing_in_a_lot() -> None:
    lot = Lot()
    lot.park(event(0, "k0"), T + SECOND)

    def go_on(first: int, last: int) -> None:
        for number in range(first, last):
            lot.park(event(number, f"k{number}"), T + (number + 1) * SECOND)  # there is always one
            lot.park(event(number, f"k{number - 1}"), NEVER)
            assert len(lot.of(f"k{number - 1}")) == 2
            assert lot.due(T + number * SECOND) == []
            assert lot.oldest == T + number * SECOND

    go_on(1, 100)
    tracemalloc.start()
    try:
        go_on(100, 3_000)
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()


# -- in the collector ------------------------------------------------------------------------------------


def rows(count: int, subscribers: int = 9) -> list[dict[str, Any]]:
    return [sight(number / 2, number % subscribers, id=str(number)) for number in range(count)]


async def run(world: World, records: Any, *, chain: Chain | None, disorder: float = 0) -> LiveCollector:
    live = replace(world.live(Listed("feed", records), disorder=disorder), chain=chain)
    collector = world.collector(live)
    await collector.start()
    await collector.drain()
    return collector


@pytest.mark.parametrize("chain", [None, Chain([]), Chain([Dropper("call.out")])])
async def test_steps_that_do_nothing_change_nothing(chain: Chain | None) -> None:
    worlds = World(), World()
    await run(worlds[0], rows(200), chain=None, disorder=3)
    await run(worlds[1], rows(200), chain=chain, disorder=3)
    for partition in range(3):
        assert await worlds[0].partition(partition) == await worlds[1].partition(partition)
    assert worlds[0].checkpoints.kept == worlds[1].checkpoints.kept


@pytest.mark.parametrize("disorder", [0, 3])
async def test_no_record_is_behind_a_tick_because_it_was_parked(disorder: float) -> None:
    world = World()
    collector = await run(world, rows(300), chain=parking("37", 8), disorder=disorder)
    assert collector.treated["feed"]["parker.parked"] == 60
    for number in range(3):
        clock = 0
        for record in await world.partition(number):
            assert record["t"] >= clock
            clock = record["t"] if record["kind"] == "tick" else clock
    assert sorted(int(record["id"]) for record in await world.records()) == list(range(300))
    plain = World()
    await run(plain, rows(300), chain=None, disorder=disorder)
    assert (await world.ticks())[-1] == (await plain.ticks())[-1]


async def test_time_goes_on_although_a_step_drops_everything() -> None:
    world = World()
    await run(world, rows(20), chain=Chain([Dropper("loc.sight")]))
    plain = World()
    await run(plain, rows(20), chain=None)
    assert await world.ticks() == await plain.ticks()
    assert await world.records() == []


async def test_a_collector_that_is_killed_at_any_step_applies_each_row_once_in_the_same_order() -> None:
    once = World()
    await run(once, rows(300), chain=parking())
    expected = [await once.partition(number) for number in range(3)]
    dice = random.Random(3)
    for _ in range(10):
        world = World()
        for _ in range(12):
            live = replace(world.live(Listed("feed", rows(300))), chain=parking())
            collector = world.collector(live, pace=Pace(records=dice.randint(1, 20), seconds=60))
            await collector.start()
            for _ in range(dice.randint(0, 5)):
                await collector.step()
        await run(world, rows(300), chain=parking())
        assert [await world.partition(number) for number in range(3)] == expected


async def test_what_a_silent_feed_keeps_back_goes_on() -> None:
    world = World()
    parked = replace(
        world.live(Listed("one", [sight(0, 1, id="1"), sight(9, 2, id="3")]), idle=60), chain=parking()
    )
    collector = world.collector(parked, world.live(Listed("two", [sight(30, 3, id="2", kind="loc.update")])))
    await collector.start()
    while await collector.step():
        pass
    assert {record["id"] for record in await world.records()} == {"1", "2"}
    assert await world.ticks() == [(9.0, [])]
    world.clock.seconds += 61
    await collector.step()
    assert {record["id"] for record in await world.records()} == {"1", "2", "3"}
    assert await world.ticks() == [(9.0, []), (9.0, ["loc.sight"]), (30.0, ["loc.sight"])]


async def test_a_feed_that_was_not_looked_at_is_not_silent() -> None:
    world = World()
    behind = Listed("behind", rows(50))
    ahead = Listed("ahead", [sight(1_000, 3, id="x", kind="loc.update")], 0)
    collector = world.collector(world.live(behind), world.live(ahead, idle=60))
    await collector.start()
    await collector.step()
    ahead.arrived = 1
    world.clock.seconds += 61  # the first has kept the collector busy
    await collector.step()
    assert collector.silent == []
    assert "x" in {record["id"] for record in await world.records()}


async def test_more_than_fits_into_the_checkpoint_is_not_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role, "PARKED_AT_MOST", 3_000)
    world = World()
    live = replace(world.live(Listed("feed", rows(300))), chain=parking("3456789", 1_000))
    collector = world.collector(live)
    await collector.start()
    while await collector.step():
        assert len(world.checkpoints.kept["c1"]) < 4_000
    assert live.chain is not None
    kept, early = live.chain.parked, collector.fates["feed"]["unparked"]
    assert kept >= 8
    found = [int(record["id"]) for record in await world.records()]
    assert len(found) + kept == 300 == len(set(found)) + kept
    assert early + kept + collector.treated["feed"]["parker.found"] == 210
    assert early > 100


async def test_one_too_large_that_was_kept_back_is_a_dead_letter_of_its_own_feed() -> None:
    world = World()
    large = sight(0, 1, id="3", cause="x" * 910_000)
    one = replace(world.live(Listed("one", [large, sight(1, 2, id="1")])), chain=parking("3", 1_000))
    collector = world.collector(one, world.live(Listed("two", [sight(5, 3, id="2")])))
    await collector.start()
    await collector.drain()
    assert {record["id"] for record in await world.records()} == {"1", "2"}
    assert [(letter["reason"], letter["topic"]) for letter in world.dead()] == [("size", "one")]
    fates = {"treated": 2, "read": 1, "unparked": 1, "refused": 1}
    assert collector.fates == {"one": fates, "two": {"read": 1}}


async def test_what_a_step_kept_back_that_is_gone_goes_on() -> None:
    world = World()
    for chain in (parking("3", 1_000), None):
        live = replace(world.live(Listed("feed", [sight(0, 1, id="1"), sight(1, 2, id="3")])), chain=chain)
        collector = world.collector(live)
        await collector.start()
        while await collector.step():
            pass
    assert {record["id"] for record in await world.records()} == {"1", "3"}
    assert "parked" not in orjson.loads(world.checkpoints.kept["c1"])


async def test_what_a_record_ahead_of_the_clock_says_of_numbers_is_learned() -> None:
    world = World(wall=T + 100 * SECOND)
    identity, memories = Identity(KEY), Memories()
    correlation = Correlation(identity, memories, latest=lambda: T + 4_000 * SECOND)
    edge = Edge(identity, IdentityOptions(correlate=True, announce=True, mark=True), correlation=correlation)
    chain = Chain([edge, Parking(correlation, memories, ParkingOptions())])
    number, (one, two) = "+8613912345678", (sight(90), sight(160))
    del one["imsi"]
    source = Listed("feed", [{**one, "msisdn": number, "id": "a"}, {**two, "msisdn": number, "id": "b"}])
    collector = world.collector(
        Live(source, frozenset(), 0, 0, chain=chain, edge=edge), identity=identity, pace=Pace(records=1)
    )
    await collector.start()
    await collector.drain()
    records = await world.records()
    assert [record["kind"] for record in records] == ["profile.update", "loc.sight", "loc.sight"]
    assert [record["id"] for record in records[1:]] == ["a", "b"]
    assert "no_imsi" not in records[1].get("quality", ())
    assert "clamped" in records[2]["quality"]
    assert len({record["subscriber_key"] for record in records}) == 1
