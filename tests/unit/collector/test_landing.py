"""The door for a landing directory: whole files, each row once, whatever is killed when."""

from __future__ import annotations

import gzip
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors import landing_file as door
from connectors.column_map import ColumnMap, load_map
from connectors.landing import REMEMBERED, Landing
from connectors.landing_lines import lines_at
from engine.collector import LiveCollector, Pace
from engine.errors import InputError, StateError
from engine.identity import Identity
from engine.intake import Intake
from tests.unit.collector.support import KEY, T, World, sight, write
from tests.unit.doors.support import FILES


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [sight(number / 10, number % 7, id=f"r{number}") for number in range(first, first + count)]


async def run(
    world: World, folder: Path, *, batch: int = 7, steps: int = 10_000, **options: Any
) -> tuple[LiveCollector, Landing]:
    """Collect up to so many steps; it is not closed, as after a kill."""
    landing = Landing("landing", folder, clock=world.clock.clock, **options)
    collector = world.collector(world.live(landing), pace=Pace(records=batch, seconds=60))
    await collector.start()
    for _ in range(steps):
        if not await collector.step():
            break
    return collector, landing


def there(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def ids(world: World) -> list[int]:
    return sorted(int(record["id"][1:]) for record in await world.records())


async def test_files_are_taken_in_the_order_of_their_names_and_moved(folder: Path) -> None:
    world = World(1)
    write(folder / "b.jsonl.gz", rows(20, 10), packed=True)
    write(folder / "a.jsonl", rows(0, 20))
    for unfinished in ("c.jsonl.tmp", "d.part", ".e.jsonl"):
        (folder / unfinished).write_bytes(b"{half")
    (folder / "sub").mkdir()
    _, landing = await run(world, folder)
    assert [int(record["id"][1:]) for record in await world.records()] == list(range(30))
    assert {record["source"] for record in await world.records()} == {"a.jsonl", "b.jsonl.gz"}
    assert there(folder) == [".e.jsonl", "c.jsonl.tmp", "d.part", "done/a.jsonl", "done/b.jsonl.gz"]
    assert landing.counts == {"done": 2}


async def test_an_id_that_is_a_number_gets_hashed_into_the_log(folder: Path) -> None:
    world = World(1)
    given = ["460001234567890", "+8613912345678", "r3"]
    write(folder / "a.jsonl", [sight(number, id=each) for number, each in enumerate(given)])
    write(folder / "b.jsonl", [sight(3, id=given[0])])
    await run(world, folder)
    first, second, third, again = [record["id"] for record in await world.records()]
    assert (first, third) == (again, "r3")
    assert [len(each) for each in (first, second)] == [32, 32]
    stored = b"".join([record.value for record in await world.log.fetch(0, 0, 1_000)])
    assert not [each for each in given[:2] if each.encode() in stored]


async def test_letters_of_a_feeds_file_say_which_feed(folder: Path) -> None:
    for is_told in (False, True):
        world = World(1)
        write(folder / f"{is_told}.jsonl", [b"{broken"])
        live = replace(world.live(Landing("mme", folder, clock=world.clock.clock)), is_told=is_told)
        collector = world.collector(live)
        await collector.start()
        await collector.drain()
        assert [letter.get("feed") for letter in world.dead()] == (["mme"] if is_told else [None])


async def test_new_files_are_seen_at_the_next_look(folder: Path) -> None:
    world = World()
    collector, _ = await run(world, folder)
    write(folder / "a.jsonl", rows(0, 3))
    assert not await collector.step()
    world.clock.seconds += 0.5
    assert await collector.step()
    assert await ids(world) == [0, 1, 2]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("move", [True, False])
async def test_a_collector_that_is_killed_at_any_step_applies_each_row_once(
    folder: Path, packed: bool, move: bool
) -> None:
    world = World()
    dice = random.Random(4)
    for number in range(6):
        write(folder / f"{number}.jsonl", rows(number * 50, 50), packed)
    for _ in range(12):
        _, killed = await run(world, folder, steps=dice.randint(0, 4), batch=dice.randint(1, 9), move=move)
        await killed.close()  # the system closes the files of a process that is killed
    _, landing = await run(world, folder, move=move)
    assert await ids(world) == list(range(300))
    names = [f"{number}.jsonl" for number in range(6)]
    assert there(folder) == ([f"done/{name}" for name in names] if move else names)
    assert landing.counts["again"] == 0


async def test_a_file_whose_move_was_cut_off_is_moved_at_the_next_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Landing, "_put_away", killed)
        with pytest.raises(KeyboardInterrupt):
            await run(world, folder)
    assert there(folder) == ["a.jsonl"]
    _, landing = await run(world, folder)
    assert there(folder) == ["done/a.jsonl"]
    assert await ids(world) == [0, 1, 2]
    assert landing.counts == {}


async def test_a_file_that_comes_again_is_not_read_but_counted_and_kept_apart(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))
    await run(world, folder)
    write(folder / "a.jsonl", rows(0, 3))
    _, landing = await run(world, folder)
    assert landing.counts == {"again": 1}
    assert await ids(world) == [0, 1, 2]
    assert there(folder) == ["done/a.jsonl", "done/a.jsonl.1"]


async def test_another_file_of_the_same_name_is_read(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))
    await run(world, folder)
    write(folder / "a.jsonl", rows(3, 3))
    await run(world, folder)
    assert await ids(world) == [0, 1, 2, 3, 4, 5]


async def test_files_that_stay_are_known_as_long_as_they_do(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))
    collector, landing = await run(world, folder, move=False)
    write(folder / "b.jsonl", rows(3, 3))
    world.clock.seconds += 1
    assert await collector.step()
    world.clock.seconds += 1
    assert not await collector.step()
    assert there(folder) == ["a.jsonl", "b.jsonl"]
    assert await ids(world) == [0, 1, 2, 3, 4, 5]
    assert len(landing.position["seen"]) == 2
    (folder / "a.jsonl").unlink()
    world.clock.seconds += 1
    await collector.step()
    assert list(landing.position["seen"].values()) == ["b.jsonl"]
    assert landing.counts == {"done": 2}


async def test_a_cut_off_gzip_file_gives_its_good_rows_and_a_dead_letter(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 500), packed=True)
    whole = (folder / "a.jsonl").read_bytes()
    (folder / "a.jsonl").write_bytes(whole[: len(whole) // 2])
    write(folder / "b.jsonl", rows(500, 3))
    await run(world, folder)
    found = await ids(world)
    good = len(found) - 3
    assert 0 < good < 500
    assert found == [*range(good), 500, 501, 502]
    [letter] = world.dead()
    assert (letter["reason"], letter["file"]) == ("file", "a.jsonl")
    assert letter["position"] == f"a.jsonl:{good + 1}"
    assert there(folder) == ["bad/a.jsonl", "done/b.jsonl"]


async def test_bad_rows_are_dead_letters_of_their_file(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", [b"{broken", *rows(0, 2)])
    await run(world, folder)
    assert [(letter["reason"], letter["file"], letter["position"]) for letter in world.dead()] == [
        ("json", "a.jsonl", "a.jsonl:1")
    ]
    assert await ids(world) == [0, 1]


async def test_delimited_files_are_read_by_their_map_and_go_on_within_a_file(folder: Path) -> None:
    columns: ColumnMap = load_map(str(FILES / "s1mme.yaml"))
    raw = (FILES / "s1mme.txt").read_bytes()
    (folder / "s1mme.txt").write_bytes(raw)
    whole, pieces = World(1), World(1)
    await run(whole, folder, columns=columns, move=False)
    for _ in range(len(raw.splitlines())):
        await run(pieces, folder, columns=columns, move=False, batch=1, steps=1)
    await run(pieces, folder, columns=columns, move=False, batch=1)
    expected = await whole.partition(0)
    assert len(expected) > 2
    assert await pieces.partition(0) == expected
    assert [letter["position"] for letter in pieces.dead()] == [letter["position"] for letter in whole.dead()]


async def test_the_time_of_the_row_before_is_known_after_a_restart(folder: Path) -> None:
    columns = load_map("city-s1-mme")
    rows = [[""] * 37 for _ in range(6)]
    for number, row in enumerate(rows):
        row[3], row[5], row[8], row[32], row[33] = f"id{number}", "460001234567890", "5", "10CD", "65"
        row[10] = str(T // 1000 + number) if number % 3 == 0 else "08:31.2"
    (folder / "rows.txt").write_text("\n".join(map("|".join, rows)), "utf-8")
    world = World(1)
    for _ in range(len(rows)):
        await run(world, folder, columns=columns, move=False, batch=1, steps=1)
    records = await world.records()
    assert [(each["t"] - T) // 1000 for each in records] == [0, 0, 0, 3, 3, 3]
    assert ["guessed_time" in each.get("quality", ()) for each in records] == [False, True, True] * 2
    assert not world.dead()


async def test_what_is_remembered_is_bounded(folder: Path) -> None:
    world = World()
    for number in range(REMEMBERED + 5):
        write(folder / f"{number:04}.jsonl", rows(number, 1))
    _, landing = await run(world, folder)
    assert len(landing.position["seen"]) == REMEMBERED
    assert await ids(world) == list(range(REMEMBERED + 5))


async def test_no_more_files_than_are_remembered_wait_to_be_moved(folder: Path) -> None:
    """They are all in the checkpoint until then, whatever a step may take."""
    world = World()
    for number in range(25):
        write(folder / f"{number:04}.jsonl", rows(number, 1))
    collector, _ = await run(world, folder, remembered=10, batch=1_000, steps=0)
    moving = []
    while await collector.step():
        [checkpoint] = world.checkpoints.kept.values()
        moving.append(len(orjson.loads(checkpoint)["sources"]["landing"]["moving"]))
    assert moving == [10, 10, 5]
    assert await ids(world) == list(range(25))


async def test_the_position_of_another_door_is_told(folder: Path) -> None:
    landing = Landing("landing", folder)
    with pytest.raises(StateError, match="source landing: expected the position of a landing directory"):
        await landing.open({"seen": [["1", "AAAA"]]}, Intake(Identity(KEY)))


async def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a landing directory"):
        await run(World(), tmp_path / "missing")


async def test_a_file_that_can_not_be_read_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 2))
    with monkeypatch.context() as patched:
        patched.setattr(door, "look_at", lambda *_: None)  # tests may run as root, who reads everything
        collector, landing = await run(world, folder)
    assert landing.counts == {"unreadable": 1}
    world.clock.seconds += 1
    await collector.step()
    assert await ids(world) == [0, 1]


def test_single_lines_are_found_wherever_their_file_was_moved_to(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    whole = gzip.compress(b"one\n\nthree\n" + os.urandom(4_000).hex().encode() + b"\n", mtime=0)
    (tmp_path / "bad" / "a.gz").write_bytes(whole[:-9])
    (tmp_path / "b.csv").write_bytes(b"one\ntwo\n")
    assert lines_at(tmp_path, "a.gz", {1, 2, 3, 9}, KEY) == {1: b"one", 3: b"three"}
    assert lines_at(tmp_path, "b.csv", {2}, KEY) == {2: b"two"}
    assert lines_at(tmp_path, "gone.csv", {1}, KEY) == {}
    assert lines_at(tmp_path / "bad", "../b.csv", {1}, KEY) == {}
    (tmp_path / "bad" / "b.csv").write_bytes(b"another\n")
    assert lines_at(tmp_path, "b.csv", {1}, KEY) == {}
