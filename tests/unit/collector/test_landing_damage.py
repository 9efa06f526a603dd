"""Damaged files of every layout in a landing directory: each line is a record, a dead letter, or counted."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from connectors.column_map import load_map, map_names
from connectors.landing import Landing
from engine.collector import Pace
from engine.errors import LogError
from tests.unit.collector.support import World, sight
from tests.unit.collector.test_collector import brittle
from tests.unit.doors import samples


@pytest.mark.parametrize("name", map_names())
async def test_every_line_of_a_damaged_file_is_accounted_for(tmp_path: Path, name: str) -> None:
    raw = (samples.FOLDER / f"{name}.txt").read_bytes()
    damaged = {"a.txt": raw, "b.txt.gz": gzip.compress(raw)}
    for file, data in damaged.items():
        (tmp_path / file).write_bytes(data)
    world = World(1)
    landing = Landing("landing", tmp_path, load_map(name), clock=world.clock.clock)
    collector = world.collector(world.live(landing), pace=Pace(records=3, seconds=60))
    await collector.start()
    await collector.drain()
    golden = [
        orjson.loads(line) for line in (samples.FOLDER / f"{name}.golden.jsonl").read_bytes().splitlines()
    ]
    refused = [each for each in golden if "refused" in each]
    assert [(letter["position"], letter["reason"]) for letter in world.dead()] == [
        (f"{file}:{each['line']}", each["refused"]) for file in damaged for each in refused
    ]
    records = [each for each in await world.partition(0) if each["kind"] != "tick"]
    applied = [each["record"] for each in golden if "record" in each]
    assert [each["t"] for each in records] == [each["t"] for each in applied] * 2
    assert collector.fates["landing"]["skipped"] == 2 * sum("skipped" in each for each in golden)
    blank = 2 * sum("blank" in each for each in golden)
    assert collector.fates["landing"]["blank"] == blank
    lines = 2 * len(raw.splitlines())
    assert len(records) + len(world.dead()) + collector.fates["landing"]["skipped"] + blank == lines
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == sorted(damaged)


@pytest.mark.parametrize("columns", [None, "s1-mme"])
async def test_counts_are_of_what_is_durable(tmp_path: Path, columns: str | None) -> None:
    """Every line has one fate, also where the log was away and lines were read once more."""
    row = (samples.FOLDER / "s1-mme.txt").read_bytes().splitlines()[0] if columns else orjson.dumps(sight(0))
    lines = [row, b"", b"  ", row[:20], b"\t", row, b""] * 3
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines) + b"\n")
    world = World(1)
    landing = Landing("landing", tmp_path, load_map(columns) if columns else None, clock=world.clock.clock)
    inlet = brittle(world, {2: "before", 4: "before"}, LogError)
    collector = world.collector(world.live(landing), pace=Pace(records=2, seconds=60), inlet=inlet)
    failures = 0
    await collector.start()
    while True:
        try:
            if not await collector.step():
                break
        except LogError:
            failures += 1
            await collector.start()
    assert failures == 2
    counted = {"read": 6, "refused": 3, "blank": 12}
    assert collector.fates["landing"] == counted
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines) + b"\n")  # it comes again: no line of it counts
    world.clock.seconds += 1
    await collector.step()
    await collector.step()
    assert landing.counts == {"done": 1, "again": 1}
    assert collector.fates["landing"] == counted
