"""Files that a writer goes on with after they were taken: every row is applied once, and it is told."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from connectors.column_map import load_map
from connectors.landing import REMEMBERED, Landing
from connectors.landing_scan import LAST_LINE_SECONDS, Choice
from engine.collector import LiveCollector, Pace
from tests.unit.collector.support import T, World, write
from tests.unit.collector.test_landing import ids, rows, there
from tests.unit.doors import samples
from tests.unit.doors.support import IMSI

STABLE = 10.0


def raw(records: Sequence[Any]) -> bytes:
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


async def started(
    world: World, folder: Path, batch: int = 7, remembered: int = REMEMBERED
) -> tuple[LiveCollector, Landing]:
    choice = Choice(stable=STABLE)
    landing = Landing("landing", folder, clock=world.clock.clock, choice=choice, remembered=remembered)
    collector = world.collector(world.live(landing), pace=Pace(records=batch, seconds=60))
    await collector.start()
    return collector, landing


async def settle(world: World, collector: LiveCollector, seconds: float = STABLE) -> None:
    """Let files stand still, and collect."""
    for _ in range(3):
        world.clock.seconds += seconds
        while await collector.step():
            pass


@pytest.mark.parametrize("cut", [0, 40, 41, 130])
async def test_what_a_writer_appends_after_its_file_was_put_away_is_read(folder: Path, cut: int) -> None:
    world = World()
    whole = raw(rows(0, 40))
    end = raw(rows(0, 20))
    with (folder / "a.jsonl").open("ab", buffering=0) as writer:
        writer.write(end)
        collector, landing = await started(world, folder)
        await settle(world, collector)
        assert there(folder) == ["done/a.jsonl"]
        writer.write(whole[len(end) : len(end) + cut])  # perhaps half a line, but soon all of it
        world.clock.seconds += 1
        assert not await collector.step()
        writer.write(whole[len(end) + cut :])
        with capture_logs() as told:
            await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert world.dead() == []
    assert landing.counts == {"done": 1, "grown": 1}
    [line] = told
    assert (line["log_level"], line["file"], line["bytes"]) == ("warning", "a.jsonl", len(whole) - len(end))
    # the whole of it is known if it comes again
    (folder / "a.jsonl").write_bytes(whole)
    await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert landing.counts["again"] == 1


async def test_a_file_that_grows_while_it_is_read_is_read_on(folder: Path) -> None:
    world = World()
    whole = raw(rows(0, 60))
    cut = len(raw(rows(0, 30))) + 50  # in the middle of a line
    (folder / "a.jsonl").write_bytes(raw(rows(0, 21)))
    collector, landing = await started(world, folder)
    await collector.step()
    world.clock.seconds += STABLE
    assert await collector.step()
    (folder / "a.jsonl").write_bytes(whole[:cut])
    while await collector.step():
        pass
    assert await ids(world) == list(range(30))
    with (folder / "done" / "a.jsonl").open("ab") as writer:
        writer.write(whole[cut:])
    await settle(world, collector)
    assert await ids(world) == list(range(60))
    assert world.dead() == []
    assert there(folder) == ["done/a.jsonl"]
    assert landing.counts == {"done": 1, "grown": 1}


class Killed(BaseException):
    """The process ends."""


async def killed(*_: object) -> None:
    raise Killed


async def test_a_collector_killed_while_its_files_grow_applies_each_row_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer holds its files open, writes pieces of lines, packed or not, and pauses as it likes."""
    dice = random.Random(5)
    world = World()
    contents = [raw(rows(number * 100, 100)) for number in range(4)]
    # a packed file grows by whole members, as of a writer that flushes; pieces of it may be cut anywhere
    packed = b"".join(gzip.compress(raw(rows(400 + number, 10))) for number in range(0, 100, 10))
    contents.append(packed)
    writers = [(folder / f"{number}.jsonl").open("ab", buffering=0) for number in range(5)]
    try:
        while any(contents):
            for number, writer in enumerate(writers):
                piece = dice.randint(0, 1_500)
                writer.write(contents[number][:piece])
                contents[number] = contents[number][piece:]
            collector, landing = await started(world, folder, batch=dice.randint(1, 9))
            with monkeypatch.context() as patched, suppress(Killed):
                if dice.random() < 0.3:  # what was read is durable, but the file not moved
                    patched.setattr(landing, "_put_away", killed)
                for _ in range(dice.randint(1, 6)):
                    world.clock.seconds += dice.choice([0.6, 0.6, STABLE])
                    await collector.step()
            await landing.close()
        collector, landing = await started(world, folder)
        await settle(world, collector)
        await settle(world, collector)
    finally:
        for writer in writers:
            writer.close()
    found = await ids(world)
    assert len(set(found)) == len(found)
    assert set(found) == set(range(500))
    # after a long pause within a line its beginning is refused, then it is read whole
    assert {letter["reason"] for letter in world.dead() if letter["file"] != "4.jsonl"} <= {"json"}


async def test_a_file_that_grew_before_a_killed_collector_had_moved_it_is_read_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    whole, half = raw(rows(0, 40)), raw(rows(0, 20))
    (folder / "a.jsonl").write_bytes(half)
    collector, landing = await started(world, folder)
    with monkeypatch.context() as patched:
        patched.setattr(landing, "_put_away", killed)
        with pytest.raises(Killed):
            await settle(world, collector)
    assert there(folder) == ["a.jsonl"]
    (folder / "a.jsonl").write_bytes(whole)
    collector, landing = await started(world, folder)
    assert there(folder) == ["done/a.jsonl"]
    await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert landing.counts == {"grown": 1}
    assert there(folder) == ["done/a.jsonl"]


async def test_one_that_came_again_is_told_though_the_one_that_was_moved_has_grown(folder: Path) -> None:
    world = World()
    whole, half = raw(rows(0, 40)), raw(rows(0, 20))
    (folder / "a.jsonl").write_bytes(half)
    await settle(world, (await started(world, folder))[0])
    (folder / "done" / "a.jsonl").write_bytes(whole)
    (folder / "a.jsonl").write_bytes(half)
    collector, landing = await started(world, folder)
    await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert landing.counts == {"again": 1, "grown": 1}
    assert there(folder) == ["done/a.jsonl", "done/a.jsonl.1"]


async def test_a_file_that_grew_while_its_collector_was_dead_is_read_no_further_than_to_a_line_end(
    folder: Path,
) -> None:
    world = World()
    whole = raw(rows(0, 40))
    half = len(raw(rows(0, 20)))
    (folder / "a.jsonl").write_bytes(whole[:half])
    collector, landing = await started(world, folder)
    await collector.step()
    world.clock.seconds += STABLE
    assert await collector.step()
    await landing.close()
    (folder / "a.jsonl").write_bytes(whole[: half + 50])
    collector, landing = await started(world, folder)
    while await collector.step():
        pass
    assert there(folder) == ["done/a.jsonl"]
    (folder / "done" / "a.jsonl").write_bytes(whole)
    await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert world.dead() == []
    assert landing.counts == {"done": 1, "grown": 1}


async def test_a_rest_that_was_read_in_part_is_gone_on_with_by_the_next_collector(folder: Path) -> None:
    world = World()
    (folder / "a.jsonl").write_bytes(raw(rows(0, 20)))
    collector, landing = await started(world, folder)
    await settle(world, collector)
    (folder / "done" / "a.jsonl").write_bytes(raw(rows(0, 40)))
    world.clock.seconds += 1
    assert not await collector.step()
    world.clock.seconds += STABLE
    assert await collector.step()
    assert len(await ids(world)) == 27
    await landing.close()
    collector, landing = await started(world, folder)
    await settle(world, collector)
    assert await ids(world) == list(range(40))


async def test_a_file_that_changes_before_its_turn_has_to_stand_still_again(folder: Path) -> None:
    world = World()
    whole = raw(rows(20, 20))
    (folder / "a.jsonl").write_bytes(raw(rows(0, 20)))
    (folder / "b.jsonl").write_bytes(raw(rows(20, 5)))
    collector, landing = await started(world, folder)
    await collector.step()
    world.clock.seconds += STABLE
    assert await collector.step()
    assert len(await ids(world)) == 7
    (folder / "b.jsonl").write_bytes(whole[: len(raw(rows(20, 10))) + 50])
    while await collector.step():
        pass
    assert there(folder) == ["b.jsonl", "done/a.jsonl"]
    (folder / "b.jsonl").write_bytes(whole)
    await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert world.dead() == []
    assert landing.counts == {"done": 2}


async def test_a_file_whose_last_line_has_no_end_has_to_stand_still_for_longer(folder: Path) -> None:
    world = World()
    line = raw(rows(3, 1))
    with (folder / "a.jsonl").open("ab", buffering=0) as writer:
        writer.write(raw(rows(0, 3)) + line[:50])  # a writer's buffer is full
        collector, landing = await started(world, folder)
        world.clock.seconds += STABLE
        assert not await collector.step()
        world.clock.seconds += LAST_LINE_SECONDS - 1
        assert not await collector.step()
        writer.write(line[50:] + raw(rows(4, 2)) + line[:30])
        await settle(world, collector)
        assert await ids(world) == []
        world.clock.seconds += 1
        writer.write(line[30:])
        await settle(world, collector)
    assert await ids(world) == [0, 1, 2, 3, 3, 4, 5]
    assert world.dead() == []
    assert landing.counts == {"done": 1}


async def test_a_line_torn_by_a_long_pause_is_read_once_more_whole(folder: Path) -> None:
    world = World()
    line = raw(rows(3, 1))
    with (folder / "a.jsonl").open("ab", buffering=0) as writer:
        writer.write(raw(rows(0, 3)) + line[:50])
        collector, _ = await started(world, folder)
        await settle(world, collector, LAST_LINE_SECONDS)
        assert [(letter["reason"], letter["position"]) for letter in world.dead()] == [("json", "a.jsonl:4")]
        writer.write(line[50:] + raw(rows(4, 2)) + b"{broken\n")
        await settle(world, collector)
    assert await ids(world) == [0, 1, 2, 3, 4, 5]
    assert [letter["position"] for letter in world.dead()] == ["a.jsonl:4", "a.jsonl:7"]


async def test_the_rest_of_a_line_whose_beginning_was_taken_is_refused(folder: Path) -> None:
    world = World()
    raw_rows = (samples.FOLDER / "s1-mme.txt").read_bytes().splitlines(keepends=True)
    columns = load_map("s1-mme")
    good = next(row for row in raw_rows if row.rstrip().endswith(b"|"))
    with (folder / "a.txt").open("ab", buffering=0) as writer:
        writer.write(good + good.rstrip())
        landing = Landing("landing", folder, columns, clock=world.clock.clock, choice=Choice(stable=STABLE))
        collector = world.collector(world.live(landing))
        await collector.start()
        await settle(world, collector, LAST_LINE_SECONDS)
        assert len(await world.records()) == 2
        writer.write(b"3\n" + good)
        await settle(world, collector)
    assert len(await world.records()) == 3
    assert [(letter["reason"], letter["position"]) for letter in world.dead()] == [("file", "a.txt:2")]


async def test_a_row_whose_line_end_comes_late_is_one_row(folder: Path) -> None:
    world = World()
    with (folder / "a.jsonl").open("ab", buffering=0) as writer:
        writer.write(raw(rows(0, 3))[:-1])
        collector, _ = await started(world, folder)
        await settle(world, collector, LAST_LINE_SECONDS)
        assert await ids(world) == [0, 1, 2]
        writer.write(b"\n" + raw(rows(3, 2)))
        await settle(world, collector)
    assert await ids(world) == [0, 1, 2, 3, 4]
    assert world.dead() == []


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_packed_file_that_was_cut_off_is_read_on_when_its_rest_comes(
    folder: Path, restarts: bool
) -> None:
    world = World()
    whole = gzip.compress(raw(rows(0, 500)))
    with (folder / "a.jsonl.gz").open("ab", buffering=0) as writer:
        writer.write(whole[: len(whole) // 2])
        collector, landing = await started(world, folder)
        await settle(world, collector)
        assert there(folder) == ["bad/a.jsonl.gz"]
        assert landing.counts == {"bad": 1}
        if restarts:
            collector, landing = await started(world, folder)
        writer.write(whole[len(whole) // 2 :])
        await settle(world, collector)
    assert await ids(world) == list(range(500))
    assert [letter["reason"] for letter in world.dead()] == ["file"]
    assert landing.counts["grown"] == 1


async def test_a_file_whose_name_ends_as_a_copy_is_known_after_a_restart(folder: Path) -> None:
    world = World()
    (folder / "s1mme.20260907").write_bytes(raw(rows(0, 20)))
    await settle(world, (await started(world, folder))[0])
    (folder / "done" / "s1mme.20260907").write_bytes(raw(rows(0, 40)))
    collector, landing = await started(world, folder)
    await settle(world, collector)
    assert await ids(world) == list(range(40))
    assert landing.counts == {"grown": 1}


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_file_that_came_again_and_then_grows_is_read_on(folder: Path, restarts: bool) -> None:
    world = World()
    (folder / "a.jsonl").write_bytes(b"")
    collector, landing = await started(world, folder)
    await settle(world, collector)
    for day in range(2):
        (folder / "a.jsonl").write_bytes(b"")
        await settle(world, collector)
        if restarts:
            assert landing.counts["again"] == 1
            collector, landing = await started(world, folder)
        (folder / "done" / f"a.jsonl.{day + 1}").write_bytes(raw(rows(day * 10, 10)))
        await settle(world, collector)
    assert await ids(world) == list(range(20))
    assert landing.counts == ({"grown": 1} if restarts else {"done": 1, "again": 2, "grown": 2})


async def test_what_is_written_anew_where_it_was_put_away_is_another_file(folder: Path) -> None:
    world = World()
    (folder / "a.jsonl").write_bytes(raw(rows(0, 5)))
    collector, landing = await started(world, folder)
    await settle(world, collector)
    (folder / "done" / "a.jsonl").write_bytes(raw(rows(10, 20)))  # by one that goes back to its beginning
    with capture_logs() as told:
        await settle(world, collector)
        await settle(world, collector)
    assert await ids(world) == [*range(5), *range(10, 30)]
    assert there(folder) == ["done/a.jsonl"]
    assert landing.counts == {"done": 2, "grown": 1}
    assert [line["log_level"] for line in told] == ["warning"]


async def test_the_time_of_the_row_before_is_known_where_a_file_is_read_on(folder: Path) -> None:
    def row(number: int) -> str:
        cells = [""] * 37
        cells[3], cells[5], cells[8], cells[32], cells[33] = (
            f"id{number}",
            "460001234567890",
            "5",
            "10CD",
            "65",
        )
        cells[10] = str(T // 1_000 + number) if number % 4 == 0 else "08:31.2"
        return "|".join(cells) + "\n"

    world = World(1)
    choice = Choice(stable=STABLE)
    with (folder / "a.txt").open("a") as writer:
        for begin, end in ((0, 3), (3, 4), (4, 7), (7, 8)):
            writer.write("".join(map(row, range(begin, end))))
            writer.flush()
            # one process reads what came, or several
            clock, columns = world.clock.clock, load_map("city-s1-mme")
            landing = Landing("landing", folder, columns, clock=clock, choice=choice)
            collector = world.collector(world.live(landing), pace=Pace(records=1, seconds=60))
            await collector.start()
            await settle(world, collector)
            await landing.close()
    records = await world.records()
    assert [(each["t"] - T) // 1_000 for each in records] == [0, 0, 0, 0, 4, 4, 4, 4]
    assert not world.dead()


async def test_one_written_anew_waits_for_its_name_and_has_its_marker(folder: Path) -> None:
    world = World()
    choice = Choice(marker=".ok")
    landing = Landing("landing", folder, clock=world.clock.clock, choice=choice)
    collector = world.collector(world.live(landing))
    (folder / "a.jsonl").write_bytes(raw(rows(0, 5)))
    (folder / "a.jsonl.ok").touch()
    await collector.start()
    await settle(world, collector)
    (folder / "a.jsonl").write_bytes(raw(rows(40, 2)))  # not whole yet
    (folder / "done" / "a.jsonl").write_bytes(raw(rows(10, 20)))
    await settle(world, collector)
    assert await ids(world) == list(range(5))
    (folder / "a.jsonl.ok").touch()
    await settle(world, collector)
    assert await ids(world) == [*range(5), *range(10, 30), 40, 41]
    assert [name for name in there(folder) if not name.startswith("done/")] == []
    assert landing.counts == {"done": 3, "grown": 1}


async def test_files_are_watched_in_bounded_memory_and_over_a_restart(folder: Path) -> None:
    world = World()
    name = f"S1MME_{IMSI}"
    for number in range(8):
        write(folder / f"{name}_{number}.jsonl", rows(number * 10, 5))
    collector, landing = await started(world, folder, batch=100, remembered=20)
    await settle(world, collector)
    assert len(landing.position["put"]) == 5
    await landing.close()
    for number in (0, 7):
        with (folder / "done" / f"{name}_{number}.jsonl").open("ab") as writer:
            writer.write(raw(rows(number * 10 + 5, 5)))
    collector, landing = await started(world, folder, remembered=20)
    await settle(world, collector)
    expected = {number * 10 + row for number in range(8) for row in range(5)} | set(range(75, 80))
    assert await ids(world) == sorted(expected)
    assert IMSI not in orjson.dumps(landing.position).decode()


async def test_a_file_that_grows_is_watched_for_longer_than_those_that_do_not(folder: Path) -> None:
    world = World()
    write(folder / "0.jsonl", rows(0, 5))
    collector, landing = await started(world, folder, remembered=20)
    for number in range(1, 10):  # five are watched
        await settle(world, collector)
        (folder / "done" / "0.jsonl").write_bytes(raw(rows(0, 5 + number)))
        write(folder / f"{number}.jsonl", rows(number * 100, 5))
    await settle(world, collector)
    assert [number for number in await ids(world) if number < 100] == list(range(14))
    assert landing.counts == {"done": 10, "grown": 9}


async def test_what_is_gone_or_shorter_or_another_one_is_watched_no_longer(folder: Path) -> None:
    world = World()
    for number in range(4):
        write(folder / f"{number}.jsonl", rows(number * 10, 5))
    collector, landing = await started(world, folder, batch=100)
    await settle(world, collector)
    (folder / "done" / "0.jsonl").unlink()
    os.truncate(folder / "done" / "1.jsonl", 3)
    write(folder / "done" / "2.jsonl", rows(20, 9))
    await settle(world, collector)
    assert len(landing.position["put"]) == 1
    assert landing.counts == {"done": 4}
    assert len(await ids(world)) == 20


async def test_a_file_that_is_old_is_taken_at_once(folder: Path) -> None:
    world = World()
    write(folder / "old.jsonl", rows(0, 3))
    os.utime(folder / "old.jsonl", (1_000_000_000, 1_000_000_000))
    write(folder / "new.jsonl", rows(3, 3))
    write(folder / "ahead.jsonl", rows(6, 3))
    os.utime(folder / "ahead.jsonl", (4_000_000_000, 4_000_000_000))
    collector, _ = await started(world, folder)
    assert await collector.step()
    while await collector.step():
        pass
    assert await ids(world) == [0, 1, 2]
    await settle(world, collector)
    assert await ids(world) == list(range(9))
