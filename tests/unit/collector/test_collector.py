"""The collector role over the memory twins: every row once, the ticks of a replay, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from connectors.memory_inlet import MemoryInlet
from connectors.memory_log import MemoryLog
from engine.admission import CLAMPED
from engine.collect import Collector
from engine.collector import Pace
from engine.errors import FencedError, LogError, SettingsError, StateError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from tests.servers.eventually import eventually
from tests.unit.collector.support import KEY, LATER, SECOND, Listed, T, World, sight

HOUR = 3_600 * SECOND


class Crash(Exception):
    """The process dies."""


class BrittleInlet(MemoryInlet):
    """Dies at a chosen append: before it, or after it with its success unknown."""

    fails: dict[int, str]
    appends: int
    error: type[Exception] = Crash

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        self.appends += 1
        how = self.fails.get(self.appends)
        if how == "before":
            raise self.error("before")
        await super().append(records, checkpoint, dead)
        if how == "after":
            raise self.error("after")


def brittle(world: World, fails: dict[int, str], error: type[Exception] = Crash) -> BrittleInlet:
    inlet = BrittleInlet(world.log, "c1", world.checkpoints)
    inlet.fails, inlet.appends, inlet.error = fails, 0, error
    return inlet


async def everything(world: World) -> list[list[dict[str, Any]]]:
    return [await world.partition(number) for number in range(world.log.partitions)]


times = st.lists(st.integers(0, 40_000), min_size=1, max_size=60)
kills = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["before", "after"])), max_size=5)


@given(times, kills, st.integers(1, 9), st.sampled_from([0, 2]))
@settings(max_examples=25)
def test_the_log_is_that_of_a_run_without_crashes(
    millis: list[int], crashes: list[tuple[int, str]], batch: int, disorder: int
) -> None:
    records: list[Any] = [sight(ms / 1_000, number % 5, id=f"r{number}") for number, ms in enumerate(millis)]
    records.insert(len(records) // 2, b"{broken")

    async def live(crashes: list[tuple[int, str]]) -> World:
        world = World()
        for step, how in [*crashes, (0, "")]:
            inlet = brittle(world, {step: how})
            collector = world.collector(
                world.live(Listed("feed", records), disorder=disorder),
                pace=Pace(records=batch, seconds=60),
                inlet=inlet,
            )
            try:
                await collector.start()
                while await collector.step():
                    pass
            except Crash:
                continue
        await collector.drain()
        return world

    async def replayed() -> MemoryLog:
        log = MemoryLog(3)
        collector, intake = Collector(log, disorder * SECOND), Intake(Identity(KEY))
        for number, record in enumerate(records, 1):
            raw = record if isinstance(record, bytes) else orjson.dumps(record)
            await collector.add(intake.read(raw, "feed", f"feed:{number}"))
        await collector.close()
        return log

    async def check() -> None:
        crashed, whole, log = await live(crashes), await live([]), await replayed()
        assert await everything(crashed) == await everything(whole)
        assert len(await crashed.records()) == len(millis)
        assert [letter["position"] for letter in crashed.dead()] == [f"feed:{len(millis) // 2 + 1}"]
        for partition in range(3):
            expected = [record.value for record in await log.fetch(partition, 0, 10_000)]
            assert [orjson.loads(value) for value in expected] == await crashed.partition(partition)

    asyncio.run(check())


@given(times, times, kills)
@settings(max_examples=25)
def test_with_two_sources_every_row_is_there_once_and_time_never_goes_back(
    ours: list[int], theirs: list[int], crashes: list[tuple[int, str]]
) -> None:
    first = [sight(ms / 1_000, id=f"a{n}") for n, ms in enumerate(ours)]
    second = [sight(ms / 1_000, 2, id=f"b{n}") for n, ms in enumerate(theirs)]

    async def check() -> None:
        world = World()
        for step, how in [*crashes, (0, "")]:
            collector = world.collector(
                world.live(Listed("a", first)),
                world.live(Listed("b", second)),
                inlet=brittle(world, {step: how}),
            )
            try:
                await collector.start()
                await collector.drain()
            except Crash:
                continue
        ids = [record["id"] for record in await world.records()]
        assert sorted(ids) == sorted(record["id"] for record in first + second)
        ticks = [time for time, _ in await world.ticks()]
        assert ticks == sorted(ticks)
        least = min(max(ours), max(theirs)) / 1_000
        assert all(time <= least for time in ticks[:-1])

    asyncio.run(check())


async def test_a_source_that_is_silent_too_long_is_down_until_it_is_back() -> None:
    world = World()
    calls = Listed("calls", [sight(1, kind="call.in", cell=None), sight(30, kind="call.in", cell=None)], 1)
    places = Listed("places", [sight(second) for second in (2, 10, 20, 40)], 1)
    collector = world.collector(
        world.live(calls, "call.in", idle=60), world.live(places, "loc.sight", idle=60)
    )
    await collector.start()
    await collector.step()
    world.clock.seconds += 59
    places.arrived = 2
    assert await collector.step()
    assert not await collector.step()
    world.clock.seconds += 1
    places.arrived = 3
    assert await collector.step()
    assert await world.ticks() == [(1.0, []), (1.0, ["call.in"]), (20.0, ["call.in"])]
    assert collector.silent == ["calls"]
    calls.arrived = 2
    await collector.step()
    places.arrived = 4
    await collector.step()
    assert (await world.ticks())[3:] == [(30.0, [])]


async def test_when_all_are_silent_no_tick_is_made() -> None:
    world = World()
    collector = world.collector(world.live(Listed("places", [sight(1)]), "loc.sight", idle=60))
    await collector.start()
    await collector.step()
    world.clock.seconds += 3_600
    assert not await collector.step()
    assert await world.ticks() == [(1.0, [])]
    assert collector.time_stands
    assert collector.silent == ["places"]


async def test_a_source_that_was_not_asked_is_not_silent() -> None:
    world = World()
    behind = Listed("behind", [sight(second) for second in range(30)])
    ahead = Listed("ahead", [sight(100), sight(101)])
    collector = world.collector(
        world.live(behind, "loc.sight", idle=5), world.live(ahead, "call.in", idle=5), pace=Pace(records=1)
    )
    await collector.start()
    for _ in range(25):
        world.clock.seconds += 1
        await collector.step()
    assert collector.silent == []


async def test_times_ahead_of_the_clock_are_clamped_up_to_an_hour_and_refused_beyond() -> None:
    world = World(wall=T + 100 * SECOND)
    collector = world.collector(
        world.live(
            Listed(
                "feed",
                [
                    sight(99, id="past"),
                    sight(100 + 3_600, id="ahead", t_start=T + 101 * SECOND, quality=["synthetic"]),
                    sight(100, id="now", t_start=T + 90 * SECOND),
                    {**sight(101, kind="consent.change", cell=None), "consent": {"marketing": True}},
                    {**sight(0, id="beyond"), "t": T + 100 * SECOND + HOUR + 1},
                ],
            )
        )
    )
    await collector.start()
    await collector.step()
    found = {record.get("id"): record for record in await world.records()}
    assert set(found) == {"past", "ahead", "now", None}
    assert found["past"]["t"] == T + 99 * SECOND
    assert (found["ahead"]["t"], found["ahead"]["t_start"]) == (T + 100 * SECOND, T + 100 * SECOND)
    assert found["ahead"]["quality"] == ["synthetic", CLAMPED]
    assert "quality" not in found["now"]
    assert (found[None]["t"], "quality" in found[None]) == (T + 100 * SECOND, False)
    assert collector.counts["clamped"] == 2
    [letter] = world.dead()
    assert (letter["reason"], letter["position"]) == ("time", "feed:5")
    assert collector.refused == {"time": 1}


async def test_a_dead_letter_says_where_when_and_why_and_names_nobody() -> None:
    world = World()
    collector = world.collector(
        world.live(Listed("feed", [{"kind": "loc.sight", "imsi": "460001234567890"}]))
    )
    await collector.start()
    await collector.step()
    [letter] = world.dead()
    assert letter == {
        "reason": "type",
        "detail": "t: expected a value, was nothing",
        "source": "feed",
        "position": "feed:1",
        "raw": '{"kind":"loc.sight","imsi":"<digits>"}',
        "topic": "feed",
        "stage": "collector",
        "failed_at": LATER,
    } | {"detail": letter["detail"]}
    assert letter["detail"].startswith("t: expected ")


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "rules.switch", "t": T, "hash": "ab" * 16},
        {"kind": "subscriber.forget", "t": T, "imsi": "460001234567890"},
    ],
)
async def test_sources_switch_no_rules_and_forget_nobody(record: dict[str, Any]) -> None:
    world = World()
    collector = world.collector(world.live(Listed("feed", [record, sight(1)])))
    await collector.start()
    await collector.step()
    assert len(await world.records()) == 1
    assert [letter["reason"] for letter in world.dead()] == ["kind"]


async def test_a_record_too_large_for_a_broker_is_a_dead_letter_not_an_end() -> None:
    world = World()
    large = sight(1, id="x" * 910_000)
    collector = world.collector(world.live(Listed("feed", [large, sight(2, id="small")])))
    await collector.start()
    await collector.step()
    assert [record["id"] for record in await world.records()] == ["small"]
    assert [letter["reason"] for letter in world.dead()] == ["size"]


async def test_while_the_log_is_away_sources_wait_and_nothing_is_lost() -> None:
    world = World()
    source = Listed("feed", [sight(second, id=str(second)) for second in range(20)])
    fails = {1: "before", 3: "after", 4: "before"}
    collector = world.collector(
        world.live(source),
        inlet=brittle(world, fails, LogError),
        pace=Pace(records=3, rest=0.001, retry=0.001),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(collector.run(stop))
    await eventually(lambda: collector.counts["read"] == 17)  # what "after" wrote is not in the counts
    assert collector.counts["failures"] == 3
    assert collector.trouble == ""
    stop.set()
    await running
    assert sorted(int(record["id"]) for record in await world.records()) == list(range(20))
    assert source.closed == 1


async def test_what_keeps_a_collector_from_its_work_is_logged_once_as_long_as_it_stays() -> None:
    class Away(MemoryInlet):
        async def resume(self) -> bytes | None:
            raise LogError("topic events: expected to be written, was away")

    world = World()
    inlet = Away(world.log, "c1", world.checkpoints)
    collector = world.collector(world.live(Listed("feed", [])), pace=Pace(retry=0.001), inlet=inlet)
    stop = asyncio.Event()
    with capture_logs() as told:
        running = asyncio.create_task(collector.run(stop))
        await eventually(lambda: collector.counts["failures"] >= 3)
        stop.set()
        await running
    assert [(line["log_level"], line["problem"]) for line in told] == [("warning", collector.trouble)]


async def test_a_collector_that_was_taken_over_ends() -> None:
    world = World()
    source = Listed("feed", [sight(second) for second in range(20)], 3)
    collector = world.collector(world.live(source), pace=Pace(rest=0.001))
    running = asyncio.create_task(collector.run(asyncio.Event()))
    await eventually(lambda: collector.counts["read"] == 3)
    await world.inlet().resume()
    source.arrived = 4
    with pytest.raises(FencedError, match="taken over by another"):
        await running
    assert len(await world.records()) == 3


async def test_positions_of_sources_that_are_not_configured_are_kept() -> None:
    world = World()
    both = [Listed("a", [sight(1)]), Listed("b", [sight(2)])]
    collector = world.collector(*map(world.live, both))
    await collector.start()
    await collector.drain()
    only = world.collector(world.live(Listed("a", [sight(1), sight(3)])))
    await only.start()
    await only.drain()
    again = world.collector(world.live(Listed("b", [sight(2)])))
    await again.start()
    await again.drain()
    assert len(await world.records()) == 3


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{}", b'{"v":2}', b'{"v":1,"ticks":{},"sources":{}}'])
async def test_a_checkpoint_that_can_not_be_read_is_an_error(wrong: bytes) -> None:
    world = World()
    world.checkpoints.kept["c1"] = wrong
    with pytest.raises(StateError, match="collector: expected"):
        await world.collector(world.live(Listed("feed", []))).start()


def test_two_sources_of_one_name_are_refused() -> None:
    world = World()
    with pytest.raises(StateError, match="a name of its own"):
        world.collector(world.live(Listed("a", [])), world.live(Listed("a", [])))


class Profiles:
    """Bindings that others wrote."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.closed = False

    async def load(self, identity: Identity) -> None:
        self.identity = identity

    async def poll(self) -> None:
        for number, key in self.known.items():
            self.identity.bind_key(number, key, 0)

    async def close(self) -> None:
        self.closed = True


async def test_a_number_bound_elsewhere_is_the_subscriber_of_its_imsi() -> None:
    world = World()
    key = Identity(KEY).of_imsi("460000000000001")
    assert key is not None
    profiles = Profiles({})
    source = Listed("feed", [sight(n, imsi=None, msisdn="13912345678", id=str(n)) for n in (1, 2)], 1)
    collector = world.collector(world.live(source), bindings=profiles)
    await collector.start()
    await collector.step()
    profiles.known["+8613912345678"] = key
    source.arrived = 2
    await collector.step()
    await collector.close()
    keys = {record["id"]: record["subscriber_key"] for record in await world.records()}
    assert keys == {"1": Identity(KEY).of_msisdn("+8613912345678"), "2": key}
    assert profiles.closed


async def test_with_another_key_a_collector_does_not_go_on() -> None:
    world = World()
    collector = world.collector(world.live(Listed("feed", [sight(1)])))
    await collector.start()
    await collector.step()
    await collector.close()
    again = world.collector(world.live(Listed("feed", [sight(1)])))
    await again.start()
    other = world.collector(world.live(Listed("feed", [sight(1)])), identity=Identity(b"another key"))
    with pytest.raises(
        SettingsError, match=r"^TOUCHPOINT_KEY: expected the one that this collector has used"
    ):
        await other.start()


class Closed(Listed):
    """A source that can't be opened for a while."""

    away = True
    tries = 0

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        self.tries += 1
        if self.away:
            raise LogError("topic far: expected to be read, was not possible")
        await super().open(position, intake)

    async def read(self, limit: int) -> list[Event] | None:
        assert not self.away
        return await super().read(limit)


async def test_a_source_that_can_not_be_opened_keeps_no_other_from_its_work() -> None:
    world = World()
    far = Closed("far", [sight(2, 2, id="f1"), sight(3, 2, id="f2")])
    near = Listed("near", [sight(1, 1, id="n1"), sight(4, 1, id="n2")])
    far.away = False
    collector = world.collector(world.live(far), world.live(near), pace=Pace(records=1, seconds=60, retry=5))
    await collector.start()
    await collector.step()
    await collector.step()  # one record each
    await collector.close()

    far.away, far.position = True, {}
    collector = world.collector(
        world.live(far, "loc.update", idle=30), world.live(near), pace=Pace(records=7, seconds=60, retry=5)
    )
    with capture_logs() as told:
        await collector.start()
        while await collector.step():
            pass
        await collector.step()
    assert [entry["feed"] for entry in told if entry["event"] == "can't open a feed, tried again"] == ["far"]
    assert sorted(record["id"] for record in await world.records()) == ["f1", "n1", "n2"]
    assert far.tries == 2  # not at each step
    world.clock.seconds += 31
    await collector.step()
    assert collector.silent == ["far"]
    assert far.tries == 3

    far.away = False
    with pytest.raises(LogError, match="topic far"):
        await collector.drain()  # it is not its turn yet: not all is collected
    world.clock.seconds += 6
    while await collector.step():
        pass
    # it went on where it had come to, though checkpoints were written meanwhile
    assert sorted(record["id"] for record in await world.records()) == ["f1", "f2", "n1", "n2"]
    assert collector.silent == []
