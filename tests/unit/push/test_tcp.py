"""Lines over TCP: whole lines, acknowledged when durable; many connections; those who do it wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from bench.doors import MAP
from bench.xdr_rows import gn_rows
from connectors.column_map import load_map
from connectors.map_model import MAPS
from connectors.memory_inlet import MemoryInlet
from connectors.push.door import PushDoor
from connectors.push.doors import tcp_door
from connectors.push.options import TcpOptions
from engine.collector import Pace
from tests.servers.eventually import eventually
from tests.unit.collector.support import World, sight
from tests.unit.collector.test_collector import Crash, brittle
from tests.unit.push.support import ENVIRON, FAST, TLS, TOKEN, collecting, ids

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def door(**options: Any) -> PushDoor:
    given: dict[str, Any] = {"listen": "127.0.0.1:0", "acknowledge": True}
    if not {"tokens_variable", "tls_client_ca"} & options.keys():
        given["unauthenticated"] = True
    columns = load_map(options.pop("map")) if "map" in options else None
    return tcp_door("tcp", TcpOptions(**{**given, **options}), columns, environ=ENVIRON, clock=lambda: 1e9)


@asynccontextmanager
async def served(source: PushDoor, world: World | None = None, **options: Any) -> AsyncIterator[World]:
    world = world or World()
    async with collecting(world.collector(world.live(source), **{"pace": FAST, **options})):
        yield world


OPENED: list[asyncio.StreamWriter] = []


@pytest.fixture(autouse=True)
async def _connections_are_closed() -> AsyncIterator[None]:
    yield
    for writer in OPENED:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
    OPENED.clear()


async def connect(source: PushDoor, **options: Any) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", source.server.port, **options)
    OPENED.append(writer)
    return reader, writer


def lines(*numbers: int) -> bytes:
    return b"".join(orjson.dumps(sight(number, id=f"r{number}")) + b"\n" for number in numbers)


async def acknowledged(reader: asyncio.StreamReader, count: int) -> None:
    """Read acknowledgements up to one of so many lines; they only go up."""
    last = 0
    while last < count:
        word, number = (await asyncio.wait_for(reader.readline(), 10)).split()
        assert word == b"ACK"
        assert last < int(number) <= count
        last = int(number)


async def test_lines_are_acknowledged_when_they_are_durable() -> None:
    source = door()
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(lines(1, 2) + b"\n" + orjson.dumps([sight(3, id="r3"), sight(4, id="r4")]) + b"\r\n")
        await acknowledged(reader, 4)
        assert ids(await world.records()) == ["r1", "r2", "r3", "r4"]
        writer.write(lines(5)[:10])
        writer.write(lines(5)[10:])
        await acknowledged(reader, 5)
        writer.close()
    assert source.counts["lines"] == 5


async def test_a_sender_that_says_it_is_done_gets_its_last_acknowledgement_and_the_end() -> None:
    source = door()
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(lines(*range(50)))
        writer.write_eof()
        await acknowledged(reader, 50)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert len(await world.records()) == 50


async def test_a_half_line_at_the_end_is_refused() -> None:
    source = door()
    whole = lines(2)
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(lines(1) + whole[:-1])  # valid JSON, but who knows what was to follow
        writer.write_eof()
        await acknowledged(reader, 1)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        await eventually(world.dead)
        assert ids(await world.records()) == ["r1"]
        # sent again it is a whole line
        reader, writer = await connect(source)
        writer.write(lines(1) + whole)
        await acknowledged(reader, 2)
        assert ids(await world.records()) == ["r1", "r2"]
        writer.close()
    assert [(letter["reason"], letter["position"], letter["source"]) for letter in world.dead()] == [
        ("file", "tcp#1:2", "tcp")
    ]


async def test_wrong_lines_are_refused_by_connection_and_line_and_acknowledged() -> None:
    source = door()
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(lines(1) + b"{broken\n" + b'{"kind":"no.kind"}\n' + lines(2))
        await acknowledged(reader, 4)
        writer.close()
        assert ids(await world.records()) == ["r1", "r2"]
    assert [(letter["reason"], letter["position"]) for letter in world.dead()] == [
        ("json", "tcp#1:2"),
        ("kind", "tcp#1:3"),
    ]


@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_line_that_is_too_long_is_refused_without_being_held(pieces: int) -> None:
    source = door(line_bytes=1_000)
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(lines(1))
        await acknowledged(reader, 1)
        for _ in range(pieces):
            writer.write(b"x" * 100_000)
            await writer.drain()
        writer.write(b"\n" + lines(2) + b"y" * 1_001 + b"\n" + lines(3))
        await acknowledged(reader, 5)
        writer.close()
        assert ids(await world.records()) == ["r1", "r2", "r3"]
    dead = [(letter["reason"], letter["position"], letter["detail"]) for letter in world.dead()]
    assert dead == [
        ("size", "tcp#1:2", f"expected at most 1000 bytes, was {pieces * 100_000}"),
        ("size", "tcp#1:4", "expected at most 1000 bytes, was 1001"),
    ]


async def test_rows_of_a_column_map() -> None:
    source = door(map=MAP)
    async with served(source) as world:
        reader, writer = await connect(source)
        rows = [row.encode() for row in gn_rows(300)]
        writer.write(b"".join(rows) + b"too,short\n")
        await acknowledged(reader, 301)
        writer.close()
        found = await world.records()
        assert len(found) == 300
        assert {record["source"] for record in found} == {MAP}
    assert [letter["reason"] for letter in world.dead()] == ["columns"]


async def test_lines_have_no_header_whatever_their_map_says_of_files(tmp_path: Path) -> None:
    columns = MAPS / f"{MAP}.yaml"
    given = columns.read_text("utf-8").replace("separator:", "header_lines: 1000\nseparator:", 1)
    (tmp_path / "own.yaml").write_text(given, "utf-8")
    source = door(map=tmp_path / "own.yaml")
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write("".join(gn_rows(3)).encode())
        await acknowledged(reader, 3)
        writer.close()
        assert len(await world.records()) == 3


async def test_many_connections_at_once() -> None:
    source = door()

    async def send(number: int) -> None:
        reader, writer = await connect(source)
        for at in range(5):
            writer.write(lines(*(number * 1_000 + at * 20 + n for n in range(20))))
            await writer.drain()
        await acknowledged(reader, 100)
        writer.close()
        await writer.wait_closed()

    async with served(source) as world:
        await asyncio.gather(*(send(number) for number in range(40)))
        assert len(await world.records()) == 4_000
        server: Any = source.server
        await eventually(lambda: not server.open)


class Slow(MemoryInlet):
    """Appends when it is let."""

    def __init__(self, world: World) -> None:
        super().__init__(world.log, "c1", world.checkpoints)
        self.go = asyncio.Event()

    async def append(self, *given: Any, **named: Any) -> None:
        await self.go.wait()
        await super().append(*given, **named)


async def test_a_full_door_makes_senders_wait_and_loses_nothing() -> None:
    world = World()
    source = door(queue_records=1_000)
    inlet = Slow(world)
    padded = (orjson.dumps(sight(n, id=f"r{n}", pad="x" * 4_000)) + b"\n" for n in range(4_000))
    payload = b"".join(padded)
    async with served(source, world, inlet=inlet, pace=Pace(500, 60, 0.001, 0.01)):
        reader, writer = await connect(source)
        writer.write(payload)
        await eventually(lambda: not source.has_room)
        left = []

        def still() -> bool:
            left.append(writer.transport.get_write_buffer_size())
            return len(left) > 3 and len(set(left[-3:])) == 1

        await eventually(still)
        assert left[-1] > 0, "the kernel took everything: send more"
        assert source.counts["lines"] < 4_000
        inlet.go.set()
        await acknowledged(reader, 4_000)
        writer.close()
    assert len(await world.records()) == 4_000


@pytest.mark.parametrize("how", ["before", "after"])
async def test_what_was_not_acknowledged_is_sent_again_and_applied_once(how: str) -> None:
    """The collector dies before the append, or between it and the acknowledgement."""
    world = World()
    source = door()
    collector = world.collector(world.live(source), pace=FAST, inlet=brittle(world, {1: how}))
    await collector.start()
    reader, writer = await connect(source)
    writer.write(lines(*range(100)))
    await eventually(lambda: source._queue)
    with pytest.raises(Crash):
        await collector.step()
    await collector.close()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert len(await world.records()) == (100 if how == "after" else 0)
    again = door()
    async with served(again, world):
        reader, writer = await connect(again)
        writer.write(lines(*range(120)))
        await acknowledged(reader, 120)
        writer.close()
    assert again.counts["again"] == (100 if how == "after" else 0)
    assert ids(await world.records()) == ids([{"id": f"r{n}"} for n in range(120)])


async def test_without_acknowledgements_nothing_is_written_back() -> None:
    source = door(acknowledge=False)
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(lines(1))
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        await eventually(world.records)


async def test_a_sender_that_reads_no_acknowledgements_holds_nobody_up() -> None:
    source = door()
    async with served(source) as world:
        _, deaf = await connect(source, limit=1)
        for number in range(200):
            deaf.write(lines(number))
            await deaf.drain()
        reader, writer = await connect(source)
        writer.write(lines(*range(1_000, 1_010)))
        await acknowledged(reader, 10)
        await eventually(lambda: source.counts["lines"] == 210)
        writer.close()
        deaf.transport.abort()
        assert len(await world.records()) == 210


async def test_over_tls_with_a_certificate_of_the_sender() -> None:
    source = door(tls_cert=TLS / "cert.pem", tls_key=TLS / "key.pem", tls_client_ca=TLS / "cert.pem")
    known = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    known.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    async with served(source) as world:
        reader, writer = await connect(source, ssl=known)
        writer.write(lines(1))
        await acknowledged(reader, 1)
        writer.write(lines(2))
        writer.close()
        await eventually(lambda: source.counts["lines"] == 2)
        stranger = ssl.create_default_context(cafile=str(TLS / "cert.pem"))

        async def push() -> bytes:
            reader, writer = await connect(source, ssl=stranger)
            writer.write(lines(3))
            return await reader.readexactly(1)

        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await push()
        assert ids(await world.records()) == ["r1", "r2"]


async def test_the_first_line_signs_in_where_tokens_are_asked_for() -> None:
    source = door(tokens_variable="TOKENS")
    async with served(source) as world:
        reader, writer = await connect(source)
        writer.write(f"AUTH {TOKEN}\r\n".encode() + lines(1))
        await acknowledged(reader, 1)
        writer.close()
        assert ids(await world.records()) == ["r1"]


@pytest.mark.parametrize(
    "first",
    [
        lines(1),
        b"AUTH\n",
        f"AUTH {TOKEN}x\n".encode(),
        b"AUTH \xff\xff\n",
        b"A" * 20_000,
        TOKEN.encode() + b"\n",
    ],
)
async def test_who_does_not_sign_in_is_cut_off(first: bytes) -> None:
    source = door(tokens_variable="TOKENS")
    with capture_logs() as told:
        async with served(source) as world:
            reader, writer = await connect(source)
            writer.write(first + lines(2))
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), 5)
            writer.close()
            assert await world.records() == []
    assert source.counts["strangers"] == 1
    assert [line["source"] for line in told] == ["tcp"]
    assert TOKEN not in str(told)
    assert world.dead() == []


async def test_who_says_nothing_is_cut_off_before_signing_in() -> None:
    source = door(tokens_variable="TOKENS", sign_in_time=100_000)
    async with served(source):
        reader, _ = await connect(source)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)


async def test_more_connections_than_allowed_are_turned_away() -> None:
    source = door(connections=2)
    server: Any = source.server
    async with served(source):
        held = [await connect(source) for _ in range(2)]
        await eventually(lambda: len(server.open) == 2)
        reader, _ = await connect(source)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), 5)
        assert source.counts["turned_away"] == 1
        held[0][1].close()
        await eventually(lambda: len(server.open) == 1)
        reader, writer = await connect(source)
        writer.write(lines(1))
        await acknowledged(reader, 1)


async def test_when_the_door_closes_connections_end_without_an_acknowledgement() -> None:
    world = World()
    source = door()
    collector = world.collector(world.live(source), pace=FAST)
    await collector.start()
    reader, writer = await connect(source)
    writer.write(lines(1, 2))
    await eventually(lambda: source._queue)
    await collector.close()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert await world.records() == []
