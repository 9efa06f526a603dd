"""What holds for every source of the collector: positions, and each row once whatever happens.

One body over the landing directory and the doors that others push into, each with a sender as it is meant to
be: files that appear by a rename, requests that are sent again until they are answered, lines that are sent
again from the last acknowledgement on.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from connectors.landing import Landing
from connectors.push.door import PushDoor
from connectors.push.doors import amf_door, camara_door, tcp_door
from connectors.push.options import AmfOptions, CamaraOptions, TcpOptions
from engine.collector import Pace, Source
from engine.errors import LogError
from engine.identity import Identity
from engine.intake import Intake
from tests.servers.eventually import eventually
from tests.unit.collector.support import KEY, SECOND, T, World, sight, write
from tests.unit.collector.test_collector import Crash, brittle
from tests.unit.push.support import at, camara_event

ROWS = 24
WRONG = 4
"""Rows in between that are refused."""
TOGETHER = 4
"""Rows of a file, request or write."""
OPEN: dict[str, Any] = {"listen": "127.0.0.1:0", "unauthenticated": True}


class Hand(ABC):
    """Brings rows to a source, and goes on over its restarts until all have been taken."""

    first = 0
    """Number of the first row: the next ones go on from there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source: Source = self.make()

    @abstractmethod
    def make(self) -> Source:
        """Return a new source, as a process that starts does."""

    @abstractmethod
    async def send(self) -> None:
        """Bring all rows; return when the source has taken every one."""

    def restart(self) -> Source:
        self.source = self.make()
        return self.source

    @property
    def port(self) -> int:
        assert isinstance(self.source, PushDoor)
        return self.source.server.port


def parts(make: Callable[[int], Any], first: int = 0) -> list[list[Any]]:
    """Return all rows in order, some together; some are followed by a wrong one."""
    rows: list[Any] = []
    for number in range(first, first + ROWS):
        rows.append(make(number))
        if number % (ROWS // WRONG) == 1:
            rows.append({"wrong": number})
    return [rows[begin : begin + TOGETHER] for begin in range(0, len(rows), TOGETHER)]


class Files(Hand):
    """A landing directory."""

    def make(self) -> Source:
        return Landing("source", self.folder, scan_seconds=0)

    async def send(self) -> None:
        for number, rows in enumerate(parts(lambda number: sight(number, number % 3))):
            write(self.folder / f"f{number:03}.jsonl", rows)
        await eventually(lambda: not list(self.folder.glob("*.jsonl")), within=30, every=0.005)


class Posts(Hand):
    """A webhook: a request is sent again until it is answered."""

    media = "application/cloudevents-batch+json"
    http2 = False

    def make(self) -> Source:
        return camara_door("source", CamaraOptions(**OPEN))

    def body(self, rows: Sequence[Any]) -> Any:
        return rows

    def row(self, number: int) -> Any:
        return camara_event(id=f"e{number}", seconds=number)

    async def send(self) -> None:
        async with httpx.AsyncClient(
            http1=not self.http2, http2=self.http2, timeout=5, trust_env=False
        ) as client:
            waiting = [orjson.dumps(self.body(rows)) for rows in parts(self.row, self.first)]

            async def post(body: bytes) -> bool:
                try:
                    said = await client.post(
                        f"http://127.0.0.1:{self.port}/", content=body, headers={"content-type": self.media}
                    )
                except httpx.TransportError:
                    await asyncio.sleep(0.005)  # nobody listens just now
                    return False
                assert said.status_code in (204, 503)
                return said.status_code == 204

            for begin in range(0, len(waiting), 2):
                both = waiting[begin : begin + 2]
                while both:
                    done = await asyncio.gather(*map(post, both))
                    both = [body for body, taken in zip(both, done, strict=True) if not taken]


class Reports(Posts):
    """A webhook of 3GPP: reports have no id."""

    media = "application/json"
    http2 = True

    def make(self) -> Source:
        return amf_door("source", AmfOptions(**OPEN))

    def body(self, rows: Sequence[Any]) -> Any:
        return {"reportList": rows}

    def row(self, number: int) -> Any:
        return {
            "type": "LOSS_OF_CONNECTIVITY",
            "timeStamp": at(number),
            "supi": f"imsi-46000{number % 3:010}",
        }


class Lines(Hand):
    """Lines over TCP: what was not acknowledged is sent again."""

    def make(self) -> Source:
        return tcp_door("source", TcpOptions(**OPEN, acknowledge=True))

    async def send(self) -> None:
        made = parts(lambda number: sight(number, number % 3, id=f"l{number}"), self.first)
        left = [orjson.dumps(row) + b"\n" for rows in made for row in rows]
        while left:
            taken = 0
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.005)  # nobody listens just now
                continue
            try:
                for begin in range(0, len(left), TOGETHER):
                    writer.write(b"".join(left[begin : begin + TOGETHER]))
                    await writer.drain()
                while taken < len(left):
                    line = await reader.readline()
                    if not line.endswith(b"\n"):
                        break
                    taken = int(line.split()[1])
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()
            left = left[taken:]


HANDS: dict[str, type[Hand]] = {"landing": Files, "camara": Posts, "amf": Reports, "tcp": Lines}


@pytest.fixture(params=HANDS)
def hand(request: pytest.FixtureRequest, tmp_path: Path) -> Hand:
    return HANDS[request.param](tmp_path)


async def life(
    world: World, source: Source, sending: asyncio.Task[None], fails: dict[int, str], error: type[Exception]
) -> None:
    """Collect until all is sent or the process dies; with LogError it does not, it tries again."""
    stop = asyncio.Event()
    collector = world.collector(
        world.live(source),
        pace=Pace(records=5, seconds=60, rest=0.001, retry=0.001),
        inlet=brittle(world, fails, error),
    )
    task = asyncio.create_task(collector.run(stop))
    await asyncio.wait([task, sending], return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    try:
        await task
    except Crash:
        return


async def whole(hand: Hand, kills: Sequence[tuple[int, str]], error: type[Exception]) -> World:
    """Bring all rows through kills; return what came of it."""
    world = World()
    sending = asyncio.create_task(hand.send())
    for step, how in kills:
        if not sending.done():
            await life(world, hand.restart(), sending, {step: how}, error)
    while not sending.done():
        await life(world, hand.restart(), sending, {}, error)
    await sending
    return world


def times(records: Sequence[dict[str, Any]]) -> Counter[int]:
    return Counter((record["t"] - T) // SECOND for record in records)


@pytest.mark.parametrize("error", [Crash, LogError])
@pytest.mark.parametrize("how", ["before", "after"])
async def test_each_row_is_there_once_whenever_it_is_stopped(
    hand: Hand, how: str, error: type[Exception]
) -> None:
    world = await whole(hand, [(step, how) for step in (1, 2, 1, 3, 1)], error)
    assert times(await world.records()) == dict.fromkeys(range(ROWS), 1)
    assert len(world.dead()) == WRONG
    assert len({letter["position"] for letter in world.dead()}) <= WRONG


async def test_without_a_stop_it_is_the_same(hand: Hand) -> None:
    world = await whole(hand, [], Crash)
    assert times(await world.records()) == dict.fromkeys(range(ROWS), 1)
    assert len(world.dead()) == WRONG
    assert all({"reason", "position", "source", "stage"} <= letter.keys() for letter in world.dead())


async def test_a_position_is_plain_and_names_nobody(hand: Hand) -> None:
    world = await whole(hand, [], Crash)
    [checkpoint] = world.checkpoints.kept.values()
    position = orjson.loads(checkpoint)["sources"]["source"]
    assert position
    assert b"46000000" not in checkpoint
    assert b"13912345678" not in checkpoint


async def test_with_nothing_there_reading_does_not_wait_and_closing_is_harmless(hand: Hand) -> None:
    source = hand.source
    intake = Intake(Identity(KEY))
    for _ in range(2):
        await source.open(None, intake)
        assert await asyncio.wait_for(source.read(10), 0.5) is None
        await source.committed()
        position = orjson.loads(orjson.dumps(source.position))
        await source.open(position, intake)
        assert await source.read(10) is None
        await source.close()
    await source.close()
