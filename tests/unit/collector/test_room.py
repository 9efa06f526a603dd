"""What is kept back of feeds that are gone, and the room in the checkpoint: no row is lost, it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from engine import collector as role
from engine.checkpoint import CHECKPOINT_AT_MOST, GONE_AT_MOST
from engine.collector import LiveCollector, Pace
from engine.errors import LogError
from engine.treatments.chain import Chain
from engine.treatments.course import Course
from engine.treatments.room import written
from engine.treatments.thinning import Thinning
from engine.treatments.where_options import ThinningOptions
from tests.unit.collector.parker import Parker, parking
from tests.unit.collector.support import Listed, World, sight


async def started(
    world: World, name: str, records: Sequence[Any], chain: Chain | None = None, batch: int = 100
) -> LiveCollector:
    live = replace(world.live(Listed(name, records)), chain=chain)
    collector = world.collector(live, pace=Pace(records=batch, seconds=60))
    await collector.start()
    return collector


async def all_of(collector: LiveCollector) -> None:
    while await collector.step():
        pass


def checkpoint(world: World) -> Any:
    return orjson.loads(world.checkpoints.kept["c1"])


async def ids(world: World) -> list[str]:
    return sorted(record["id"] for record in await world.records())


# -- feeds that are gone ---------------------------------------------------------------------------------


async def test_what_was_kept_back_of_a_feed_that_is_gone_goes_on() -> None:
    world = World()
    records = [sight(0, 1, id="1"), sight(1, 2, id="3"), sight(2, 3, id="2")]
    await all_of(await started(world, "old", records, parking("3", 100)))
    assert await ids(world) == ["1", "2"]
    with capture_logs() as told:
        for _ in range(2):  # one that dies before its first step has changed nothing
            collector = await started(world, "new", [sight(3, 4, id="4")], parking("3", 100))
            assert await ids(world) == ["1", "2"]
    assert [(line["log_level"], line["feed"], line["count"]) for line in told] == [("warning", "old", 1)] * 2
    await all_of(collector)
    assert await ids(world) == ["1", "2", "3", "4"]
    assert collector.fates["old"] == {"read": 1}
    assert "parked" not in checkpoint(world)
    assert set(checkpoint(world)["sources"]) == {"old", "new"}
    await all_of(await started(world, "old", records, parking("3", 100)))  # it comes back, and goes on
    assert await ids(world) == ["1", "2", "3", "4"]


async def test_it_comes_before_the_time_that_the_others_bring() -> None:
    world = World()
    await all_of(await started(world, "old", [sight(0, 1, id="3")], parking("3", 100)))
    await all_of(await started(world, "new", [sight(50, 1, id="1"), sight(60, 1, id="2")]))
    for number in range(3):
        clock = 0
        for record in await world.partition(number):
            assert record["t"] >= clock
            clock = record["t"] if record["kind"] == "tick" else clock
    assert await ids(world) == ["1", "2", "3"]


async def test_a_feed_that_is_renamed_again_and_again_fills_no_checkpoint() -> None:
    world = World()
    count = 2_500
    for number in range(4):
        rows = [sight(n / 100, n, id=f"{number}:{n}3", cause="x" * 100) for n in range(count)]
        await all_of(await started(world, f"feed{number}", rows, parking("3", 1_000), batch=500))
        assert 400_000 < len(world.checkpoints.kept["c1"]) < CHECKPOINT_AT_MOST
    collector = await started(world, "last", [])
    await all_of(collector)
    found = await ids(world)
    assert len(found) == len(set(found)) == 4 * count


async def test_positions_of_feeds_that_are_gone_have_room_for_the_last_of_them() -> None:
    world = World()
    for number in range(6):
        collector = await started(world, f"feed{number}", [sight(number, 1, id=str(number))])
        source = collector.sources[f"feed{number}"].source
        await collector.step()
        source.position = {"read": 1, "all": "x" * (GONE_AT_MOST // 4)}  # type: ignore[misc]
        await collector._commit([], Counter())
    assert list(checkpoint(world)["sources"]) == ["feed2", "feed3", "feed4", "feed5"]


# -- the room --------------------------------------------------------------------------------------------


def steps() -> Chain:
    thinning = Thinning(ThinningOptions(checkpointed=10_000))
    return Chain([thinning, Parker("3", 1_000)])


async def test_what_is_remembered_gives_way_before_what_is_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(role, "PARKED_AT_MOST", 20_000)
    world = World()
    rows = [sight(n / 10, n, id=f"{n}1") for n in range(2_000)]
    rows += [sight(300 + n, n, id=f"{n}3") for n in range(20)]
    collector = await started(world, "feed", rows, steps())
    while await collector.step():
        assert len(world.checkpoints.kept["c1"]) < 22_000
    assert collector.fates["feed"]["unparked"] == 0
    packs = checkpoint(world)["parked"]["feed"]["steps"]
    assert len(packs["parker"]["events"]) == 20
    assert 100 < len(packs["thinning"]) < 300
    # those with the newest records are left, in their order
    newest = [record["subscriber_key"] for record in (await world.records()) if record["id"].endswith("1")]
    assert packs["thinning"][-1][0] in newest
    seen = [value[2] for _, value in packs["thinning"]]
    assert seen == sorted(seen)


async def test_positions_that_need_more_leave_less_to_treatments() -> None:
    world = World()
    rows = [sight(n / 10, n, id=f"{n}3", cause="x" * 100) for n in range(2_000)]
    collector = await started(world, "feed", rows, parking("3", 1_000), batch=500)
    source = collector.sources["feed"].source
    read = source.read

    async def wide(limit: int) -> Any:
        found = await read(limit)
        source.position = {**source.position, "all": "x" * 800_000}  # type: ignore[misc]
        return found

    source.read = wide  # type: ignore[method-assign]
    while await collector.step():
        assert len(world.checkpoints.kept["c1"]) <= CHECKPOINT_AT_MOST
    assert 0 < collector.fates["feed"]["unparked"] < 2_000
    assert len(world.checkpoints.kept["c1"]) > 800_000


async def test_a_checkpoint_that_is_too_large_is_not_written_and_it_is_said_whose_it_is() -> None:
    world = World()
    collector = await started(world, "wide", [sight(0, 1, id="1")])
    source = collector.sources["wide"].source
    source.position = {"read": 0, "all": "x" * CHECKPOINT_AT_MOST}  # type: ignore[misc]
    with pytest.raises(
        LogError, match=r"of at most 1000000 bytes, was 10\d+, 10\d+ of them .* feed wide stands"
    ):
        await collector._commit([], Counter())
    assert world.checkpoints.kept == {}

    # it goes on where it stood once there is room
    await collector.start()
    await all_of(collector)
    assert await ids(world) == ["1"]


def test_memories_of_all_forms_are_cut_from_their_oldest() -> None:
    entries: list[Any] = [[f"key{number:05}", number] for number in range(1_000)]
    packs: dict[str, Any] = {
        "a": entries,
        "b": {"recent": entries, "watermark": 7},
        "c": {"waiting": dict(entries), "events": [["x" * 100]] * 10, "keys": {"k": 1}},
        "d": {"watermark": 3},
    }
    whole = written(packs, {"greatest": 5}, 1_000_000)
    assert orjson.loads(whole) == {"greatest": 5, "steps": packs}
    for most in (50_000, 20_000, 5_000, 2_000):
        raw = written(packs, {"greatest": 5}, most)
        assert most * 0.7 < len(raw) <= most or most == 2_000
        found = orjson.loads(raw)["steps"]
        left = len(found["a"])
        assert found["a"] == entries[1_000 - left :]
        assert found["b"] == {"recent": found["a"], "watermark": 7}
        assert found["c"]["events"] == packs["c"]["events"]
        assert list(found["c"]["waiting"].items()) == [(key, value) for key, value in found["a"]]
    none = orjson.loads(written(packs, {}, 10))["steps"]
    assert none == {
        "a": [],
        "b": {"recent": [], "watermark": 7},
        "c": {**packs["c"], "waiting": {}},
        "d": {"watermark": 3},
    }


def test_a_course_without_anything_to_lose_writes_nothing() -> None:
    assert Course(parking()).written(0) == b""


async def test_two_steps_that_keep_records_back_share_the_room() -> None:
    """What is let go of is the newest of each step: neither may have more than that and nothing go on."""
    world = World()
    rows = [sight(n / 1000, n, id=f"{n}{3 if n % 2 else 4}", cause="x" * 100) for n in range(3_400)]
    first, second = Parker("3", 1_000), Parker("4", 1_000, name="other")
    collector = await started(world, "feed", rows, Chain([first, second]), batch=1_000)
    await all_of(collector)
    assert 0 < first.parked + second.parked < 3_400
    assert len(world.checkpoints.kept["c1"]) <= CHECKPOINT_AT_MOST
    await collector.drain()
    assert len(await ids(world)) == 3_400
