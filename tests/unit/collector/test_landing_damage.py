"""Damaged files of every layout in a landing directory: each line is a record, a dead letter, or counted."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from connectors.column_map import load_map, map_names
from connectors.landing import Landing
from engine.collector import Pace
from tests.unit.collector.support import World
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
    lines = 2 * len(raw.splitlines())
    assert len(records) + len(world.dead()) + collector.fates["landing"]["skipped"] + blank == lines
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == sorted(damaged)
