"""What a map passes over is counted at every door, once and with the step; the role tells it by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from connectors.column_map import ColumnMap, load_map
from connectors.field_map import load_field_map
from connectors.landing import Landing
from connectors.push.door import Delivery, PushDoor
from connectors.push.options import TcpOptions
from connectors.push.tcp_lines import LineTaker
from connectors.push.tcp_server import Block
from connectors.topic_messages import TopicMessages
from engine.collector import Pace
from engine.deployment.collector import CollectorRole
from engine.deployment.common import Common
from engine.errors import LogError
from engine.event import Event
from engine.intake import Intake
from engine.settings import Settings
from tests.unit.collector.support import World
from tests.unit.collector.test_collector import brittle
from tests.unit.push.test_push_door import Sender
from tests.unit.topics.support import Sent

MAP = """map: small
source: small
kind: {column: 2, values: {"5": loc.update}, otherwise: skip}
separator: pipe
columns: {at_least: 4}
fields:
  imsi: {column: 1}
  t: {column: 3, type: time, format: epoch ms}
watch:
  imei: {column: 4, digits: 6}
"""
PATHS = """map: small
source: small
kind: {path: k, values: {"5": loc.update}, otherwise: skip}
fields:
  imsi: {path: imsi}
  t: {path: t, type: time, format: epoch ms}
"""
T = 1_788_740_000_123
ROWS = [
    f"460001234567890|5|{T}|123456",
    f"460001234567890|4|{T}|123456",
    f"460001234567890|4|{T}|1234",
    f"460001234567890|5|{T + 1}|",
    "460001234567890|5|12x|123456",
]
FATES = {"read": 2, "skipped": 2, "refused": 1, "damaged.imei": 2}


class Topic:
    """A topic as a source: its messages, all at once."""

    name = "feed"
    origin: Mapping[str, str] = {"topic": "feed"}  # as the protocol has it

    def __init__(self, folder: Path) -> None:
        (folder / "paths.yaml").write_text(PATHS, "utf-8")
        self._fields = load_field_map(folder / "paths.yaml")
        self.position: Mapping[str, Any] = {"read": 0}

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        self.position = position or {"read": 0}
        self._messages = TopicMessages("feed", intake, self._fields)

    async def read(self, limit: int) -> list[Event] | None:
        if self.position["read"]:
            return None
        self.position = {"read": 1}
        found = [{"imsi": row.split("|")[0], "k": row.split("|")[1], "t": row.split("|")[2]} for row in ROWS]
        return self._messages.read(Sent(orjson.dumps(found)), 0, 0)

    async def committed(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""


def columns_of(folder: Path) -> ColumnMap:
    (folder / "small.yaml").write_text(MAP, "utf-8")
    return load_map(folder / "small.yaml")


def source_of(door: str, folder: Path) -> Any:
    if door == "topic":
        return Topic(folder)
    columns = columns_of(folder)
    if door == "landing":
        (folder / "in").mkdir()
        (folder / "in" / "rows.txt").write_text("\n".join(ROWS) + "\n", "utf-8")
        return Landing("feed", folder / "in", columns)
    sender = Sender()
    options = TcpOptions(listen="127.0.0.1:0", unauthenticated=True)
    source = PushDoor("feed", sender, LineTaker("feed", columns, 1_000), options, clock=lambda: 1e9)
    lines = [row.encode() for row in ROWS]
    source.put(Delivery(Block(1, 1, lines), len(lines), 500, lambda answer: None))
    return source


@pytest.mark.parametrize("how", ["well", "before", "after"])
@pytest.mark.parametrize("door", ["landing", "tcp", "topic"])
async def test_what_is_passed_over_is_counted_once_at_every_door(door: str, how: str, tmp_path: Path) -> None:
    world = World()
    source = source_of(door, tmp_path)
    inlet = world.inlet() if how == "well" else brittle(world, {1: how}, LogError)
    collector = world.collector(world.live(source), pace=Pace(records=50, seconds=60), inlet=inlet)
    await collector.start()
    if how == "well":
        await collector.step()
    else:
        with pytest.raises(LogError):
            await collector.step()
        assert collector.fates["feed"] == {}
        await collector.start()
        while await collector.step():
            pass
    expected = dict(FATES)
    if door == "topic":
        del expected["damaged.imei"]
    if how == "after":  # the step was made, and who made it never heard of it
        expected = {}
    assert collector.fates["feed"] == expected


async def test_the_role_tells_it_with_the_name_of_the_column(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    settings = Settings(
        kafka_bootstrap="127.0.0.1:1",
        key=SecretStr("k" * 32),
        landing=tmp_path / "in",
        landing_map="gn-unicom-2015",
    )
    common = Common(settings)
    role = CollectorRole(common)
    [name] = role.collector.sources
    for _ in range(2):
        role.collector.fates[name].update({"read": 5, "skipped": 2, "headers": 1, "damaged.imei": 3})
        await role.look()
    shown = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in common.registry.collect()
        for sample in family.samples
    }
    rows, damaged = "touchpoint_collector_rows_total", "touchpoint_collector_damaged_total"
    assert shown[rows, "applied", name] == 10
    assert shown[rows, name, "skipped"] == 4
    assert shown[rows, "headers", name] == 2
    assert shown[damaged, "imei", name] == 6
    assert not any("damaged" in part for key in shown if key[0] == rows for part in key[1:])
