"""Files of a name that was there before: a corrected one is read, the same one is put aside and told."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from connectors import landing_file as door
from connectors.lines import Lines
from tests.unit.collector.support import World, sight, write
from tests.unit.collector.test_landing import ids, rows, run, there
from tests.unit.doors.support import IMSI

ROWS = 900
"""More than the 64 KiB by whose beginning files were once told apart."""


def corrected() -> list[dict[str, Any]]:
    """The rows of `rows(0, ROWS)` with another last one of the same length."""
    last = sight(0, id=f"r{ROWS}")
    found = [*rows(0, ROWS - 1), {**rows(ROWS - 1, 1)[0], "id": last["id"]}]
    assert len(orjson.dumps(found)) == len(orjson.dumps(rows(0, ROWS))) > 1 << 16
    return found


@pytest.fixture(params=["at once", "in a thread"])
def _how_it_is_looked_at(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in a thread":
        monkeypatch.setattr(door, "AT_ONCE", 0)


@pytest.mark.usefixtures("_how_it_is_looked_at")
@pytest.mark.parametrize("move", [True, False])
async def test_a_file_of_which_only_a_late_row_was_corrected_is_read(folder: Path, move: bool) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, ROWS))
    await run(world, folder, batch=500, move=move)
    stood = (folder / "done" / "a.jsonl" if move else folder / "a.jsonl").stat()
    write(folder / "a.jsonl", corrected())
    os.utime(folder / "a.jsonl", ns=(stood.st_atime_ns, stood.st_mtime_ns))  # as `cp -p` and `rsync -t` do
    _, landing = await run(world, folder, batch=500, move=move)
    assert landing.counts == {"done": 1}
    assert set(await ids(world)) == {*range(ROWS + 1)}
    assert there(folder) == (["done/a.jsonl", "done/a.jsonl.1"] if move else ["a.jsonl"])


async def test_a_file_that_came_again_is_told_by_the_name_that_may_be_shown(folder: Path) -> None:
    world = World()
    name = f"S1MME_{IMSI}.jsonl"
    write(folder / name, rows(0, 3))
    await run(world, folder)
    write(folder / name, rows(0, 3))
    with capture_logs() as told:
        _, landing = await run(world, folder)
    assert landing.counts == {"again": 1}
    [line] = told
    assert line["log_level"] == "warning"
    assert line["file"] == landing._shown(name)
    assert IMSI not in str(told)
    with capture_logs() as told:
        await run(world, folder)
    assert told == []


async def test_a_damaged_file_is_told_once_by_the_name_that_may_be_shown(folder: Path) -> None:
    world = World()
    name = f"S1MME_{IMSI}.jsonl.gz"
    write(folder / name, rows(0, 3), packed=True)
    (folder / name).write_bytes((folder / name).read_bytes()[:-9])
    with capture_logs() as told:
        _, landing = await run(world, folder)
    assert there(folder) == [f"bad/{name}"]
    [line] = told
    assert (line["log_level"], line["file"], line["folder"]) == ("warning", landing._shown(name), "bad")
    assert line["problem"].startswith("expected ")
    assert IMSI not in str(told)


async def test_an_unchanged_file_is_read_again_under_another_name(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))
    await run(world, folder)
    (folder / "done" / "a.jsonl").rename(folder / "a-2.jsonl")
    _, landing = await run(world, folder)
    assert landing.counts == {"done": 1}
    assert await ids(world) == [0, 0, 1, 1, 2, 2]
    assert there(folder) == ["done/a-2.jsonl"]


@pytest.mark.parametrize("steps", [1, 3])
async def test_what_took_the_place_of_a_file_while_it_was_read_is_read_too(folder: Path, steps: int) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 7 * 3))
    collector, landing = await run(world, folder, steps=steps)
    write(folder / "a.jsonl", rows(50, 3))
    while await collector.step():
        world.clock.seconds += 1
    assert landing.counts == {"done": 2}
    assert await ids(world) == [*range(21), 50, 51, 52]
    assert there(folder) == ["done/a.jsonl"]


async def test_a_file_that_was_replaced_while_it_was_looked_at_is_not_taken_for_a_known_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))
    looked = door.look_at

    def replaced(*given: Any) -> Any:
        found = looked(*given)
        write(folder / "a.jsonl", rows(3, 3))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(door, "look_at", replaced)
        collector, _ = await run(world, folder)
    world.clock.seconds += 1
    while await collector.step():
        pass
    assert await ids(world) == [3, 4, 5]
    write(folder / "a.jsonl", rows(0, 3))  # the first one, of which nothing was read, is sent again
    await run(world, folder)
    assert await ids(world) == [0, 1, 2, 3, 4, 5]


async def test_nothing_is_lost_of_one_that_came_again_and_grows_as_it_is_put_aside(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 3))
    await run(world, folder)
    write(folder / "a.jsonl", rows(0, 3))

    class Growing(Lines):
        def __iter__(self) -> Iterator[tuple[int, bytes]]:
            with (folder / "a.jsonl").open("ab") as writer:
                writer.writelines(orjson.dumps(row) + b"\n" for row in rows(3, 2))
            return super().__iter__()

    with monkeypatch.context() as patched:
        patched.setattr("connectors.landing.Lines", Growing)
        await run(world, folder, steps=1)
    _, landing = await run(world, folder)
    assert set(await ids(world)) == {0, 1, 2, 3, 4}
    assert landing.counts == {"done": 1}  # as another file, from its beginning


async def test_what_took_the_place_of_a_file_while_the_collector_was_dead_is_read(folder: Path) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, ROWS))
    await run(world, folder, batch=500, steps=1)
    write(folder / "a.jsonl", corrected())
    _, landing = await run(world, folder, batch=500)
    assert landing.counts == {"done": 1}
    assert ROWS in await ids(world)


@pytest.mark.usefixtures("_how_it_is_looked_at")
async def test_kills_with_copies_and_corrections_in_between_apply_each_content_once(folder: Path) -> None:
    world = World()
    dice = random.Random(9)
    for version in range(12):
        write(folder / "a.jsonl", rows(version * 10, 10))
        for _ in range(dice.randint(0, 2)):
            await run(world, folder, steps=dice.randint(0, 2), batch=dice.randint(1, 9))
        await run(world, folder)
        write(folder / "a.jsonl", rows(dice.randint(0, version) * 10, 10))
        await run(world, folder)
    assert await ids(world) == list(range(120))
    assert len(there(folder)) == 24


@pytest.mark.parametrize("move", [True, False])
async def test_a_checkpoint_of_before_whole_files_were_looked_at_is_gone_on_from(
    folder: Path, move: bool
) -> None:
    world = World()
    write(folder / "a.jsonl", rows(0, 20))
    write(folder / "b.jsonl", rows(20, 20))
    await run(world, folder, steps=4, move=move)
    [(name, checkpoint)] = world.checkpoints.kept.items()
    place = orjson.loads(checkpoint)
    landing = place["sources"]["landing"]
    assert landing["file"]["name"] == "b.jsonl"
    landing["file"]["mark"] = landing["file"]["mark"][:16]
    for part in ("seen", "moving"):
        landing[part] = {mark[:16]: value for mark, value in landing[part].items()}
    world.checkpoints.kept[name] = orjson.dumps(place)
    await run(world, folder, move=move)
    assert await ids(world) == list(range(40))
    write(folder / "a.jsonl", rows(0, 20))
    await run(world, folder, move=move)
    assert await ids(world) == list(range(40))
