"""The common door: what is acknowledged is durable, what is not is applied once when it comes again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.push.door import Delivery, PushDoor
from connectors.push.options import TcpOptions
from connectors.push.remembered import Remembered
from connectors.push.tcp_lines import LineTaker
from connectors.push.tcp_server import Block
from engine.collector import LiveCollector, Pace
from engine.errors import LogError, StateError
from tests.unit.collector.support import World, sight
from tests.unit.collector.test_collector import Crash, brittle
from tests.unit.push.support import ids


class Sender:
    """A server that is called by hand: what it was told, by what it sent."""

    port = 1

    def __init__(self) -> None:
        self.door: PushDoor
        self.told: dict[str, Any] = {}
        self.starts = self.stops = 0

    async def start(self, door: PushDoor) -> None:
        self.door = door
        self.starts += 1

    async def stop(self) -> None:
        self.stops += 1

    def send(self, name: str, records: Sequence[Any]) -> bool:
        """Send records, one per line, as one delivery."""
        lines = [orjson.dumps(record) for record in records]

        def settle(answer: Any) -> None:
            self.told[name] = answer

        return self.door.put(Delivery(Block(1, 1, lines), len(lines), sum(map(len, lines)), settle))


def made(**options: Any) -> tuple[PushDoor, Sender]:
    sender = Sender()
    given = TcpOptions(listen="127.0.0.1:0", unauthenticated=True, **options)
    return PushDoor("push", sender, LineTaker("push", None, 1_000), given, clock=lambda: 1e9), sender


async def started(world: World, door: PushDoor, inlet: Any = None, records: int = 7) -> LiveCollector:
    collector = world.collector(
        world.live(door),
        pace=Pace(records=records, seconds=60),
        **({} if inlet is None else {"inlet": inlet}),
    )
    await collector.start()
    return collector


def row(number: int) -> dict[str, Any]:
    return sight(number, number % 5, id=f"r{number}")


async def test_nothing_is_acknowledged_before_it_is_durable() -> None:
    world = World()
    door, sender = made()
    collector = await started(world, door)
    sender.send("a", [row(1), row(2)])
    assert sender.told == {}
    await collector.step()
    assert sender.told == {"a": True}
    assert ids(await world.records()) == ["r1", "r2"]


async def test_a_delivery_goes_into_one_step_and_the_step_takes_about_as_many_as_it_may() -> None:
    world = World()
    door, sender = made()
    collector = await started(world, door, records=3)
    for name in "abc":
        sender.send(name, [row(ord(name)) | {"id": f"{name}{n}"} for n in range(2)])
    await collector.step()
    assert list(sender.told) == ["a", "b"]
    await collector.step()
    assert list(sender.told) == ["a", "b", "c"]


async def test_what_has_no_room_is_told_and_room_comes_back_when_it_is_durable() -> None:
    door, sender = made(queue_records=100)
    collector = await started(World(), door)
    told: list[str] = []
    door.on_room.append(lambda: told.append("room"))
    assert sender.send("a", [row(n) for n in range(60)])
    assert not sender.send("b", [row(n) for n in range(60, 120)])
    rooms = [door.has_room]
    await collector.step()
    rooms.append(door.has_room)
    assert rooms == [False, True]
    while await collector.step():
        pass
    assert set(told) == {"room"}
    assert set(sender.told) == {"a", "b"}


async def test_what_is_read_and_not_yet_durable_takes_room_as_well() -> None:
    door, sender = made(queue_records=100)
    world = World()
    await started(world, door)
    sender.send("a", [row(n) for n in range(100)])
    assert await door.read(1_000)
    rooms = [door.has_room]
    await door.committed()
    rooms.append(door.has_room)
    assert rooms == [False, True]


async def test_on_the_way_down_the_unanswered_are_told_that_nobody_knows() -> None:
    world = World()
    door, sender = made()
    collector = await started(world, door)
    sender.send("read", [row(1)])
    await door.read(10)
    sender.send("queued", [row(2)])
    await collector.close()
    assert sender.told == {"read": None, "queued": None}
    assert (sender.starts, sender.stops) == (1, 1)
    assert not door.is_serving
    assert await world.records() == []


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_failing_log_keeps_the_server_and_what_it_holds(how: str) -> None:
    world = World()
    door, sender = made()
    collector = await started(world, door, brittle(world, {1: how}, LogError))
    sender.send("a", [row(1), row(2)])
    with pytest.raises(LogError):
        await collector.step()
    sender.send("b", [row(3)])
    assert sender.told == {}
    await collector.start()
    await collector.step()
    assert sender.told == {"a": True, "b": True}
    assert ids(await world.records()) == ["r1", "r2", "r3"]
    assert (sender.starts, sender.stops) == (1, 0)


@pytest.mark.parametrize("how", ["before", "after"])
async def test_refused_lines_are_dead_letters_once_whatever_happens(how: str) -> None:
    world = World()
    for fails in ({1: how}, {}):
        door, sender = made()
        collector = await started(world, door, brittle(world, fails))
        sender.send("a", [row(1), {"kind": "no.kind", "t": 1}, row(2)])
        try:
            await collector.step()
        except Crash:
            assert sender.told == {}
    assert sender.told == {"a": True}
    assert [(letter["reason"], letter["position"], letter["source"]) for letter in world.dead()] == [
        ("kind", "push#1:2", "push")
    ]
    assert ids(await world.records()) == ["r1", "r2"]


steps = st.lists(
    st.tuples(
        st.integers(0, 4),  # deliveries that come before it
        st.sampled_from(["well", "well", "before", "after", "away before", "away after", "lost"]),
    ),
    max_size=12,
)


@given(steps, st.integers(1, 5), st.integers(1, 9))
@settings(max_examples=60)
def test_whatever_is_acknowledged_is_there_and_everything_is_there_once(
    course: list[tuple[int, str]], size: int, records: int
) -> None:
    """Crashes before and after the append, a log that fails, answers that are lost; senders send again."""

    async def run() -> None:
        world = World()
        waiting: list[int] = []
        """Deliveries that their sender has no answer to."""
        answered: set[int] = set()
        new = 0

        async def life(how: str, arrive: list[int], until_answered: bool = False) -> None:
            door, sender = made()
            fault = {"before": "before", "after": "after"}.get(how.split()[-1], "")
            error = LogError if how.startswith("away") else Crash
            inlet = brittle(world, {1: fault} if fault else {}, error)
            collector = await started(world, door, inlet, records)
            for number in arrive:
                sender.send(str(number), [row(number * 10 + n) for n in range(size)])
            for _ in range(30):
                try:
                    if not await collector.step():
                        break
                except LogError:
                    await collector.start()
                except Crash:
                    break
            if how != "lost":
                answered.update(int(name) for name, told in sender.told.items() if told)

        for count, how in [*course, (1, "well")]:
            arriving = [number for number in waiting if number not in answered]
            arriving += range(new, new + count)
            waiting, new = arriving, new + count
            await life(how, arriving)
            there = Counter(record["id"] for record in await world.records())
            assert set(there.values()) <= {1}
            assert all(f"r{number * 10 + n}" in there for number in answered for n in range(size))
        assert answered == set(range(new))
        assert len(await world.records()) == new * size

    asyncio.run(run())


def test_marks_are_forgotten_by_number_and_by_time() -> None:
    now = 1_000.0
    remembered = Remembered(3, 60, lambda: now)
    marks = [bytes([n]) * 8 for n in range(5)]
    assert [remembered.is_new(mark) for mark in [*marks[:3], marks[0]]] == [True, True, True, False]
    assert remembered.is_new(marks[3])
    assert remembered.is_new(marks[0])  # pushed out by the fourth
    assert len(remembered) == 3
    now = 1_059
    assert not remembered.is_new(marks[0])
    now = 1_081
    assert remembered.is_new(marks[0])
    assert len(remembered) == 1


def test_marks_survive_in_the_position() -> None:
    now = 1_000.0
    one = Remembered(1_000, 60, lambda: now)
    for number in range(100):
        now += 0.5
        one.is_new(number.to_bytes(8, "big"))
    packed = orjson.loads(orjson.dumps({"seen": one.pack()}))
    assert len(packed["seen"]) == 6
    other = Remembered(1_000, 60, lambda: now)
    other.restore(packed, "push")
    assert not any(other.is_new(number.to_bytes(8, "big")) for number in range(100))
    smaller = Remembered(10, 60, lambda: now)
    smaller.restore(packed, "push")
    assert [smaller.is_new(number.to_bytes(8, "big")) for number in (99, 89)] == [False, True]


def test_without_memory_everything_is_new() -> None:
    remembered = Remembered(0, 60, lambda: 0.0)
    assert remembered.is_new(b"12345678")
    assert remembered.is_new(b"12345678")
    assert remembered.pack() == []


@pytest.mark.parametrize("seen", [7, [7], [[1, "?"]], [["x", ""]], [[1]]])
def test_a_damaged_position_is_told(seen: Any) -> None:
    with pytest.raises(StateError, match="source push: expected its position, was damaged"):
        Remembered(9, 60, lambda: 0.0).restore({"seen": seen}, "push")


async def test_a_checkpoint_names_nobody() -> None:
    world = World()
    door, sender = made()
    collector = await started(world, door)
    sender.send("a", [sight(1, msisdn="+8613912345678")])
    await collector.step()
    [checkpoint] = world.checkpoints.kept.values()
    assert b"460000000000001" not in checkpoint
    assert b"13912345678" not in checkpoint
