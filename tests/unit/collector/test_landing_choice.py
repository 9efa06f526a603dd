"""Which files of a landing directory are taken, and when: names, markers, files that still grow, links."""

from __future__ import annotations

import os
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from connectors.door import House
from connectors.landing import Landing
from connectors.landing_door import LandingOptions, make
from connectors.landing_scan import AT_ONCE, Choice, Scan
from engine.collector import LiveCollector
from tests.unit.collector.support import World, sight, write


async def opened(world: World, folder: Path, **choice: Any) -> tuple[LiveCollector, Landing]:
    landing = Landing("landing", folder, clock=world.clock.clock, choice=Choice(**choice))
    collector = world.collector(world.live(landing))
    await collector.start()
    return collector, landing


async def read(world: World, collector: LiveCollector, seconds: float = 0.5) -> set[str]:
    """Let some time go by, read what is there, return the ids in the log."""
    world.clock.seconds += seconds
    while await collector.step():
        pass
    return {record["id"] for record in await world.records()}


async def test_feeds_share_a_folder_by_names(folder: Path) -> None:
    world = World()
    for name in ("a_1.txt", "b_1.txt", "a_2.txt.filepart"):
        write(folder / name, [sight(0, id=name)])
    collector, _ = await opened(world, folder, files="a_*", unfinished=(".filepart",))
    assert await read(world, collector) == {"a_1.txt"}
    assert (folder / "b_1.txt").exists()


@pytest.mark.parametrize("marker", ["x.txt.ok", "x.ok"])
async def test_a_file_with_a_marker_is_whole_when_that_comes(folder: Path, marker: str) -> None:
    world = World()
    collector, landing = await opened(world, folder, marker=".ok")
    write(folder / "x.txt", [sight(0, id="1")])
    assert await read(world, collector) == set()
    (folder / marker).touch()
    assert await read(world, collector) == {"1"}
    assert sorted(path.name for path in (folder / "done").iterdir()) == sorted(["x.txt", marker])
    # one of the same name is not whole before its own marker comes
    write(folder / "x.txt", [sight(0, id="2")])
    assert await read(world, collector) == {"1"}
    assert landing.counts == {"done": 1}


async def test_a_file_that_grows_is_taken_when_it_has_stood_still(folder: Path) -> None:
    world = World()
    collector, _ = await opened(world, folder, stable=10.0)
    path = folder / "x.jsonl"
    for number in range(3):
        with path.open("ab") as growing:
            growing.write(b'{"kind": "loc.sight", "t": 1788740000000000, "imsi": "460000000000001", ')
            growing.write(b'"cell": "460-00-1-1", "id": "%d"}\n' % number)
        assert await read(world, collector, 9) == set()
        assert await read(world, collector, 9) == set() or number == 3
    assert await read(world, collector, 9) == {"0", "1", "2"}


def test_files_have_to_stand_still_unless_a_marker_says_that_they_are_whole(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = [{}, {"stable": "0s"}, {"marker": ".ok"}, {"marker": ".ok", "stable": "2s"}]
    assert [LandingOptions(folder=tmp_path, **each).choice.stable for each in asked] == [5, 0, 0, 2]


@pytest.mark.parametrize(("feeds", "known"), [(1, 200), (80, 50), (1_000, 20)])
async def test_feeds_share_how_many_files_are_known(folder: Path, feeds: int, known: int) -> None:
    """Those that come again are told, as far as the checkpoint has room for those of all feeds."""
    world = World()
    landing = make("landing", LandingOptions(folder=folder, stable=0), None, House(feeds=feeds))
    for number in range(known + 2):
        write(folder / f"{number:03}.jsonl", [sight(number, id=str(number))])
    collector = world.collector(world.live(landing))
    await collector.start()
    while await collector.step():
        pass
    assert landing.counts == {"done": known + 2}
    assert len(landing.position["seen"]) == known


async def test_links_and_pipes_are_not_read(folder: Path, tmp_path: Path) -> None:
    world = World()
    write(tmp_path / "secret.jsonl", [sight(0, id="secret")])
    (folder / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    os.mkfifo(folder / "pipe.jsonl")
    write(folder / "z.jsonl", [sight(0, id="z")])
    collector, landing = await opened(world, folder)
    assert await read(world, collector) == {"z"}
    assert await read(world, collector) == {"z"}
    assert landing.counts == {"done": 1, "links": 1}
    assert (tmp_path / "secret.jsonl").exists()


async def test_a_link_that_takes_the_place_of_a_file_is_not_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    write(tmp_path / "secret.jsonl", [sight(0, id="secret")])
    write(folder / "x.jsonl", [sight(0, id="x")])
    looked = Scan.look

    def swapped(scan: Scan, known: Any) -> list[str]:
        found = looked(scan, known)
        (folder / "x.jsonl").unlink()
        (folder / "x.jsonl").symlink_to(tmp_path / "secret.jsonl")
        return found

    monkeypatch.setattr(Scan, "look", swapped)
    collector, landing = await opened(world, folder)
    world.clock.seconds += 0.5
    assert not await collector.step()
    assert await world.records() == []
    assert landing.counts == {"unreadable": 1}


async def test_more_files_than_one_look_hands_out_are_all_read_in_their_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.landing_scan.AT_ONCE", 5)
    monkeypatch.setattr("connectors.landing.IN_A_THREAD", 10)
    world = World(1)
    for number in range(33):
        write(folder / f"{number:02}.jsonl", [sight(number, id=f"{number:02}")])
    collector, _ = await opened(world, folder)
    assert len(await read(world, collector, 0)) == 33  # all at once: no look had to be waited for
    assert [record["id"] for record in await world.records()] == [f"{number:02}" for number in range(33)]


@pytest.mark.parametrize("sequence", [None, re.compile(r"_(?P<seq>[0-9]+)")])
def test_a_folder_of_any_size_is_looked_at_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sequence: re.Pattern[str] | None
) -> None:
    class Entry:
        def __init__(self, number: int) -> None:
            self.name = f"x_{number}.txt"

        def is_symlink(self) -> bool:
            return False

        def is_file(self, *, follow_symlinks: bool) -> bool:
            return True

    class Folder:
        def __init__(self, path: Path) -> None:
            self.entries = (Entry(number * 7_919 % 20_000) for number in range(20_000))

        def __enter__(self) -> Any:
            return self.entries

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr(os, "scandir", Folder)
    scan = Scan(tmp_path, Choice(sequence=sequence), lambda: 0.0)
    tracemalloc.start()
    try:
        found = scan.look(())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == AT_ONCE
    assert scan.more
    first = [f"x_{number}.txt" for number in range(20_000)]
    assert found == (first if sequence else sorted(first))[:AT_ONCE]
    assert peak < 500_000
