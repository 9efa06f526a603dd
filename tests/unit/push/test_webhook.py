"""Webhooks over real connections: HTTP/1.1, HTTP/2, TLS; what is answered, and when."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from connectors.memory_inlet import MemoryInlet
from connectors.push.door import PushDoor
from connectors.push.doors import amf_door, camara_door
from connectors.push.options import AmfOptions, CamaraOptions
from engine.errors import LogError, SettingsError
from tests.servers.eventually import eventually
from tests.unit.collector.support import SECOND, World
from tests.unit.push.support import (
    AUTHORIZED,
    ENVIRON,
    FAST,
    TLS,
    TOKEN,
    camara_event,
    collecting,
    served,
)

JSON = {"content-type": "application/cloudevents+json"}
GOOD = {**AUTHORIZED, **JSON}


def door(**options: Any) -> PushDoor:
    given: dict[str, Any] = {"listen": "127.0.0.1:0", "path": "/camara"}
    if not {"tokens_file", "tls_client_ca", "unauthenticated", "signature_variable"} & options.keys():
        given["tokens_variable"] = "TOKENS"
    return camara_door("camara", CamaraOptions(**{**given, **options}), environ=ENVIRON, clock=time.time)


async def post(sender: httpx.AsyncClient, event: Any = None, **options: Any) -> httpx.Response:
    body = orjson.dumps(camara_event() if event is None else event)
    return await sender.post("/camara", **{"content": body, "headers": GOOD, **options})


@pytest.mark.parametrize("version", ["1.1", "2 without TLS", "2", "1.1 with TLS"])
async def test_a_notification_is_answered_204_when_it_is_durable(version: str) -> None:
    options: dict[str, Any] = {"http1": not version.startswith("2"), "http2": version.startswith("2")}
    tls = "without" not in version and version != "1.1"
    source = door(tls_cert=TLS / "cert.pem", tls_key=TLS / "key.pem") if tls else door()
    if tls:
        options["verify"] = ssl.create_default_context(cafile=str(TLS / "cert.pem"))
    async with served(source, tls=tls, **options) as (sender, world):
        said = await post(sender)
        assert (said.status_code, said.content) == (204, b"")
        assert said.http_version == f"HTTP/{version.split()[0]}"
        [record] = await world.records()
    assert record["kind"] == "loc.sight"
    assert source.counts["durable"] == source.counts["requests"] == 1


async def test_many_at_once_on_one_connection_of_http_2() -> None:
    source = door()
    async with served(source, http1=False, http2=True) as (sender, world):
        said = await asyncio.gather(*(post(sender, camara_event(id=str(n), seconds=n)) for n in range(200)))
        assert {answer.status_code for answer in said} == {204}
        assert len(await world.records()) == 200


async def test_the_same_again_is_acknowledged_and_not_applied() -> None:
    world = World()
    source = door()
    async with served(source, world) as (sender, _):
        assert [(await post(sender)).status_code for _ in range(3)] == [204, 204, 204]
    async with served(door(), world) as (sender, _):
        assert (await post(sender)).status_code == 204
    assert len(await world.records()) == 1
    assert source.counts["again"] == 2


class Hanging(MemoryInlet):
    """Appends when it is let."""

    go: asyncio.Event

    async def append(self, *given: Any, **named: Any) -> None:
        await self.go.wait()
        await super().append(*given, **named)


async def hanging(world: World) -> Hanging:
    inlet = Hanging(world.log, "c1", world.checkpoints)
    inlet.go = asyncio.Event()
    return inlet


@pytest.fixture
async def stuck() -> AsyncIterator[tuple[PushDoor, httpx.AsyncClient, Hanging, World]]:
    """A door with little room, before a log that does not answer yet."""
    world = World()
    source = door(queue_records=100, answer_time=300_000, retry_after=7_000_000)
    inlet = await hanging(world)
    collector = world.collector(world.live(source), pace=FAST, inlet=inlet)
    async with collecting(collector):
        base = f"http://127.0.0.1:{source.server.port}"
        async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as sender:
            yield source, sender, inlet, world
            inlet.go.set()


async def test_who_is_not_durable_in_time_is_told_to_come_again_and_is_applied_once(
    stuck: tuple[PushDoor, httpx.AsyncClient, Hanging, World],
) -> None:
    source, sender, inlet, world = stuck
    said = await post(sender)
    assert (said.status_code, said.headers["retry-after"]) == (503, "7")
    assert source.counts["late"] == 1
    inlet.go.set()
    assert (await post(sender)).status_code == 204
    assert len(await world.records()) == 1


async def test_when_there_is_no_room_a_sender_is_told_to_come_again(
    stuck: tuple[PushDoor, httpx.AsyncClient, Hanging, World],
) -> None:
    source, sender, inlet, world = stuck
    many = [camara_event(id=str(n), seconds=n) for n in range(200)]
    waiting = asyncio.create_task(
        post(sender, many, headers={**AUTHORIZED, "content-type": "application/cloudevents-batch+json"})
    )
    await eventually(lambda: not source.has_room)
    said = await post(sender)
    assert (said.status_code, said.headers["retry-after"]) == (503, "7")
    assert source.counts["full"] == 1
    inlet.go.set()
    assert (await waiting).status_code == 204
    await eventually(lambda: source.has_room)
    assert (await post(sender, camara_event(id="0", seconds=0))).status_code == 204
    assert len(await world.records()) == 200


async def test_on_the_way_down_the_unanswered_get_503_and_nothing_is_in_the_log() -> None:
    world = World()
    source = door()
    collector = world.collector(world.live(source), pace=FAST)
    await collector.start()
    base = f"http://127.0.0.1:{source.server.port}"
    async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as sender:
        waiting = [asyncio.create_task(post(sender, camara_event(id=str(n)))) for n in range(3)]
        await eventually(lambda: source.counts["requests"] == 3)
        await collector.close()
        assert {(await one).status_code for one in waiting} == {503}
        with pytest.raises(httpx.ConnectError):
            await post(sender)
    assert await world.records() == []


class Flaky(MemoryInlet):
    """Fails every other time, before the append or after it."""

    appends = 0

    async def append(self, *given: Any, **named: Any) -> None:
        self.appends += 1
        if self.appends % 4 == 1:
            raise LogError("away before")
        await super().append(*given, **named)
        if self.appends % 4 == 3:
            raise LogError("away after")


async def test_a_log_that_comes_and_goes_loses_and_doubles_nothing() -> None:
    world = World()
    source = door()
    inlet = Flaky(world.log, "c1", world.checkpoints)
    async with collecting(world.collector(world.live(source), pace=FAST, inlet=inlet)):
        base = f"http://127.0.0.1:{source.server.port}"
        async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False) as sender:
            for number in range(12):
                event = camara_event(id=str(number), seconds=number)
                assert (await post(sender, event)).status_code == 204
    assert inlet.appends > 12
    assert len(await world.records()) == 12


# -- what is taken ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("http2", [False, True])
async def test_what_is_wrong_with_a_request_is_answered(http2: bool) -> None:
    source = door(body_bytes=1_024)
    async with served(source, http1=not http2, http2=http2) as (sender, world):

        async def status(method: str = "POST", path: str = "/camara", **options: Any) -> int:
            given = {"content": orjson.dumps(camara_event()), "headers": GOOD, **options}
            said = await sender.request(method, path, **given)
            if said.status_code >= 400:
                error = said.json()
                assert error["status"] == said.status_code
                assert error["message"].startswith("expected ") or ": expected " in error["message"]
            return said.status_code

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b" " * 100

        assert await status(path="/") == 404
        assert await status(path="/camara/") == 204
        assert await status("GET") == 405
        assert await status("DELETE") == 405
        assert await status(headers={**AUTHORIZED, "content-type": "text/xml"}) == 415
        assert await status(headers={**GOOD, "content-encoding": "gzip"}) == 415
        assert await status(content=b" " * 1_025) == 413
        assert await status(content=pieces()) == 413
        assert await status(content=b"{") == 400
        assert await status(content=b"") == 400
        assert await status(content=orjson.dumps(camara_event("x.v0.y", id="2"))) == 204
        assert await status() == 204
        assert len(await world.records()) == 1
    assert [letter["reason"] for letter in world.dead()] == ["json", "json", "kind"]
    assert source.counts["too_large"] == 2


@pytest.mark.parametrize(
    ("length", "status"),
    [("1025", 413), ("9" * 15, 413), ("9" * 20, 413), ("0" * 12 + "1025", 413), ("9" * 21, 400)],
)
async def test_a_length_that_is_too_large_is_answered_without_its_body(length: str, status: int) -> None:
    source = door(body_bytes=1_024, body_time=60 * SECOND)
    async with served(source):
        reader, writer = await asyncio.open_connection("127.0.0.1", source.server.port)
        head = "".join(f"{name}: {value}\r\n" for name, value in GOOD.items())
        writer.write(f"POST /camara HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {length}\r\n\r\n".encode())
        async with asyncio.timeout(20):
            said = await reader.readline()
        writer.transport.abort()
    assert said.split()[1] == b"%d" % status


async def test_the_handshake_of_webhooks_is_answered_and_correlators_come_back() -> None:
    async with served(door()) as (sender, _):
        asked = {**AUTHORIZED, "webhook-request-origin": "eventemitter.example.com"}
        said = await sender.options("/camara", headers=asked)
        assert said.status_code == 200
        assert said.headers["webhook-allowed-origin"] == "eventemitter.example.com"
        assert said.headers["allow"] == "POST, OPTIONS"
        assert (await sender.options("/camara")).status_code == 401
        said = await post(sender, headers={**GOOD, "x-correlator": "b4333c46-49c0"})
        assert said.headers["x-correlator"] == "b4333c46-49c0"
        said = await post(sender, headers={**GOOD, "x-correlator": "with space"})
        assert "x-correlator" not in said.headers


async def test_problems_of_3gpp_doors_are_problem_details() -> None:
    source = amf_door("amf", AmfOptions(listen="127.0.0.1:0", unauthenticated=True))
    async with served(source, http1=False, http2=True) as (sender, _):
        said = await sender.post("/", content=b"{}", headers={"content-type": "application/json"})
    assert (said.status_code, said.headers["content-type"]) == (400, "application/problem+json")
    assert said.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "reportList: expected a list of reports, was nothing",
        "cause": "INVALID_MSG_FORMAT",
    }


# -- those who keep it busy --------------------------------------------------------------------------------


async def test_a_body_that_trickles_is_given_up() -> None:
    source = door(body_time=100_000)

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await eventually(lambda: source.counts["slow"] == 1)
        yield b"}"

    async with served(source) as (sender, _):
        said = await post(sender, content=trickle())
        assert said.status_code == 408
        assert (await post(sender)).status_code == 204


async def test_a_head_that_trickles_is_given_up_and_a_large_one_refused() -> None:
    source = door(idle_time=200_000)
    async with served(source) as (sender, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", source.server.port)
        writer.write(b"POST /camara HTTP/1.1\r\nhost: x\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        said = await post(sender, headers={**GOOD, "x-long": "y" * 20_000})
        assert said.status_code == 431
        assert (await post(sender)).status_code == 204


async def test_half_a_request_is_none() -> None:
    source = door()
    async with served(source) as (sender, world):
        reader, writer = await asyncio.open_connection("127.0.0.1", source.server.port)
        head = f"POST /camara HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n"
        writer.write(f"{head}content-type: application/json\r\ncontent-length: 100\r\n\r\n[1,2".encode())
        await eventually(lambda: source.counts["requests"] == 1)
        writer.close()
        await writer.wait_closed()
        assert (await post(sender)).status_code == 204
        assert reader.at_eof() or await reader.read() == b""
        assert (len(await world.records()), world.dead()) == (1, [])
    assert source.has_room_for(1 << 20)


async def test_more_connections_than_allowed_are_turned_away() -> None:
    source = door(connections=2)
    server: Any = source.server
    async with served(source) as (sender, _):
        held = [await asyncio.open_connection("127.0.0.1", source.server.port) for _ in range(2)]
        await eventually(lambda: len(server._server._tasks) == 2)
        with pytest.raises(httpx.TransportError):
            await post(sender)
        assert source.counts["turned_away"] == 1
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await eventually(lambda: not server._server._tasks)
        assert (await post(sender)).status_code == 204


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x04\x09\x00\x00\x00\x00\x07junk",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
        b"POST /camara HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /camara HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /camara HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ],
)
async def test_garbage_ends_its_own_connection_only(raw: bytes) -> None:
    source = door()
    async with served(source) as (sender, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", source.server.port)
        writer.write(raw)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert (await post(sender)).status_code == 204


# -- what is told before it starts -------------------------------------------------------------------------


async def test_an_address_that_is_taken_is_told_by_its_option() -> None:
    one = door()
    async with served(one):
        two = door(listen=f"127.0.0.1:{one.server.port}")
        world = World()
        with pytest.raises(SettingsError, match=r"camara: listen: expected an address to listen at, was 127"):
            await world.collector(world.live(two)).start()
