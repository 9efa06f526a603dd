"""Rolling names of a landing directory: order, gaps, late files, counters that wrap, time slots."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from connectors.landing import Landing
from connectors.landing_scan import Choice
from connectors.landing_sequence import RANGES_AT_MOST, SERIES_AT_MOST, Sequence
from engine.collector import Pace
from tests.unit.collector.support import World, sight, write

SEQ = re.compile(r"_(?P<seq>[0-9]+)[.]jsonl$")


def put(folder: Path, *numbers: int, name: str = "x_{}.jsonl") -> None:
    for number in numbers:
        write(folder / name.format(number), [sight(number, id=str(number))])


class Desk:
    """A landing directory, read again and again; `kill` loses all but what is durable."""

    def __init__(self, folder: Path, **choice: object) -> None:
        self.world = World(1)
        self.folder = folder
        self.choice = Choice(**{"sequence": SEQ, **choice})  # type: ignore[arg-type]
        self.landing: Landing | None = None

    async def read(self, *, batch: int = 7, steps: int = 10_000) -> list[str]:
        """Read all that is there with a collector of its own; return the ids in the log so far."""
        landing = Landing("landing", self.folder, clock=self.world.clock.clock, choice=self.choice)
        self.landing = landing
        collector = self.world.collector(self.world.live(landing), pace=Pace(records=batch, seconds=60))
        await collector.start()
        for _ in range(steps):
            if not await collector.step():
                break
        self.collector = collector
        return await self.ids()

    async def again(self) -> list[str]:
        """Go on with the same collector, half a second later."""
        self.world.clock.seconds += 0.5
        while await self.collector.step():
            pass
        return await self.ids()

    async def ids(self) -> list[str]:
        return [record["id"] for record in await self.world.records()]

    def gaps(self) -> list[str]:
        return [letter["detail"] for letter in self.world.dead() if letter["reason"] == "gap"]

    @property
    def counts(self) -> dict[str, int]:
        assert self.landing is not None
        return dict(self.landing.counts)


async def test_numbers_are_numbers_and_a_gap_is_told_once(folder: Path) -> None:
    desk = Desk(folder)
    put(folder, 8, 9, 10, 13)
    assert await desk.read() == ["8", "9", "10", "13"]
    assert desk.gaps() == ["sequence: expected number 11, was number 13: 2 missing"]
    assert desk.counts == {"done": 4, "gap": 2}
    assert desk.collector.fates["landing"] == {"read": 4, "gap": 1}
    put(folder, 14)
    await desk.read()
    assert len(desk.gaps()) == 1
    assert desk.landing is not None
    assert desk.landing.missing == 2


async def test_a_file_that_comes_late_is_taken_and_closes_the_gap(folder: Path) -> None:
    desk = Desk(folder)
    put(folder, 1, 4)
    await desk.read()
    put(folder, 3)
    assert await desk.read() == ["1", "4", "3"]
    assert desk.counts == {"done": 1, "closed": 1}
    assert desk.landing is not None
    assert desk.landing.missing == 1
    put(folder, 2)
    assert await desk.again() == ["1", "4", "3", "2"]
    assert desk.landing.missing == 0
    assert len(desk.gaps()) == 1


async def test_files_wait_for_a_missing_one_as_long_as_they_are_told(folder: Path) -> None:
    desk = Desk(folder, gap_wait=60.0)
    put(folder, 1, 3, 4)
    assert await desk.read() == ["1"]
    desk.world.clock.seconds += 30
    assert await desk.again() == ["1"]
    put(folder, 2)
    assert await desk.again() == ["1", "2", "3", "4"]
    put(folder, 6)
    assert await desk.again() == ["1", "2", "3", "4"]
    desk.world.clock.seconds += 60
    assert await desk.again() == ["1", "2", "3", "4", "6"]
    assert desk.gaps() == ["sequence: expected number 5, was number 6: 1 missing"]


async def test_a_counter_that_wraps_goes_on_at_zero(folder: Path) -> None:
    desk = Desk(folder, wraps=100)
    put(folder, 98, 0, 99, 1)
    assert await desk.read() == ["98", "99", "0", "1"]
    put(folder, 3)
    await desk.read()
    assert desk.gaps() == ["sequence: expected number 2, was number 3: 1 missing"]
    put(folder, 2, 4)
    assert (await desk.read())[-2:] == ["2", "4"]


async def test_a_counter_that_begins_anew_is_no_gap(folder: Path) -> None:
    desk = Desk(folder)
    put(folder, 5_000)
    await desk.read()
    put(folder, 1, 2)
    await desk.read()
    assert desk.gaps() == []
    put(folder, 4)
    await desk.read()
    assert desk.gaps() == ["sequence: expected number 3, was number 4: 1 missing"]


async def test_series_count_for_themselves_and_name_nobody(folder: Path) -> None:
    pattern = re.compile(r"^(?P<probe>[^_]+)_(?P<seq>[0-9]+)[.]jsonl$")
    desk = Desk(folder, sequence=pattern)
    for name in ("a_1", "460001234567890_7", "460001234567890_9", "a_2", "no number"):
        write(folder / f"{name}.jsonl", [sight(0, id=name.replace("460001234567890", "b"))])
    assert set(await desk.read()) == {"a_1", "a_2", "b_7", "b_9", "no number"}
    assert desk.gaps() == ["sequence: expected number 8, was number 9: 1 missing"]
    assert b"460001234567890" not in desk.world.checkpoints.kept["c1"] + b"".join(desk.world.checkpoints.dead)


async def test_time_slots(folder: Path) -> None:
    desk = Desk(folder, sequence=re.compile(r"(?P<time>[0-9]{8}_[0-9]{4})"), every=300)
    for name in ("b_20260907_2355", "a_20260908_0000", "a_20260907_2355", "x_20261399_0000"):
        write(folder / f"{name}.jsonl", [sight(0, id=name.replace("20261399_0000", "never"))])
    # all of a slot before the next; two files of one slot are no mistake
    assert await desk.read() == ["x_never", "a_20260907_2355", "b_20260907_2355", "a_20260908_0000"]
    write(folder / "a_20260908_0010.jsonl", [sight(0, id="late")])
    await desk.read()
    slots = "expected the slot 2026-09-08 00:05, was the slot 2026-09-08 00:10"
    assert desk.gaps() == [f"sequence: {slots}: 1 missing"]


async def test_a_collector_killed_at_any_step_tells_each_gap_once(folder: Path) -> None:
    desk = Desk(folder)
    dice = random.Random(5)
    numbers = [number for number in range(60) if number % 5]
    for begin in range(0, len(numbers), 6):
        put(folder, *numbers[begin : begin + 6])
        await desk.read(steps=dice.randint(0, 3), batch=dice.randint(1, 3))
    await desk.read()
    assert sorted(map(int, await desk.ids())) == numbers
    assert len(desk.gaps()) == 11
    assert desk.landing is not None
    assert desk.landing.missing == 11


def test_what_is_remembered_is_bounded() -> None:
    sequence = Sequence(re.compile(r"^(?P<probe>.+)_(?P<seq>[0-9]+)$"))
    for number in range(0, 4 * RANGES_AT_MOST, 2):
        sequence.take(f"a_{number}")
    assert sequence.missing == RANGES_AT_MOST
    for probe in range(3 * SERIES_AT_MOST):
        sequence.take(f"b{probe}_1")
    assert len(sequence.pack()) == SERIES_AT_MOST


@pytest.mark.parametrize("wraps", [None, 50])
def test_gaps_against_a_plain_count(wraps: int | None) -> None:
    dice = random.Random(wraps)
    sequence = Sequence(SEQ, wraps=wraps)
    missing: set[int] = set()
    number, told, closed = 30, 0, 0
    sequence.take(f"x_{number}.jsonl")
    for _ in range(3_000):
        if missing and dice.random() < 0.3:
            late = dice.choice(sorted(missing))
            missing.discard(late)
            shown = late
            closed += 1
        else:
            skipped = dice.choice([0, 0, 0, 1, 2]) if len(missing) < 4 else 0
            missing |= set(range(number + 1, number + 1 + skipped))
            number += skipped + 1
            shown = number
            # a counter that wraps can't tell a number that is half a round late from the next one
            missing = {each for each in missing if wraps is None or number - each < wraps // 2 - 3}
        gap = sequence.take(f"x_{shown if wraps is None else shown % wraps}.jsonl")
        if gap is not None:
            told += gap.files if gap.kind == "gap" else 0
            closed -= gap.kind == "closed"
        sequence.restore(sequence.pack())
    assert closed == 0
    assert told > 300
    if wraps is None:
        assert sequence.missing == len(missing)
