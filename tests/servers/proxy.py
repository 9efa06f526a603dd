"""A TCP proxy with faults, to stand before Redis or Kafka: `async with Proxy(server.port) as proxy: ...`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from types import TracebackType
from typing import Literal

from tests.servers.process import free_port

CHUNK = 65_536
HOST = "127.0.0.1"
RESET_AT_CLOSE = struct.pack("ii", 1, 0)

Mode = Literal["open", "cut", "half-open"]


class Proxy:
    """Listens on `port` of 127.0.0.1 and passes bytes on to `target`, as faithfully as it is told.

    Faults hold for connections there are and to come, until `heal`.
    """

    def __init__(self, target: int, port: int | None = None, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: speak it with clients, and plainly with the server."""
        self._tls = tls
        self.target = target
        self.port = port or free_port()
        self.accepted = 0
        self._mode: Mode = "open"
        self._up = self._down = 0.0
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"{HOST}:{self.port}"

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._links)

    async def __aenter__(self) -> Proxy:
        """Begin to listen."""
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and close every connection."""
        await self.cut()

    def delay(self, up: float = 0, down: float = 0) -> None:
        """Hold bytes back: `up` ms on the way to the server, `down` ms on the way to the client."""
        self._up, self._down = up / 1000, down / 1000

    async def reset(self) -> None:
        """Break every open connection by RST on both sides; new ones are welcome."""
        for writers in self._links.values():
            for writer in writers:
                with contextlib.suppress(OSError):
                    told: socket.socket = writer.get_extra_info("socket")
                    told.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                writer.transport.abort()
        await self._drop()

    async def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._mode = "cut"
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._drop()

    def half_open(self) -> None:
        """Accept connections and bytes, pass nothing on, never answer."""
        self._mode = "half-open"

    async def heal(self) -> None:
        """End all faults. Connections that were half open are reset: they have lost bytes."""
        mode, self._mode = self._mode, "open"
        self.delay()
        if mode == "half-open":
            await self.reset()
        elif mode == "cut":
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, ssl=self._tls)

    async def _drop(self) -> None:
        """End the tasks of all connections, which closes them."""
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self.accepted += 1
        writers = self._links[link] = [writer]
        # A client or server that goes away, and `_drop`, are the ways in which a connection ends here.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            try:
                await self._connect(reader, writer, writers)
            finally:
                del self._links[link]
                for one in writers:
                    one.close()

    async def _connect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, writers: list[asyncio.StreamWriter]
    ) -> None:
        if self._mode == "half-open":
            while await reader.read(CHUNK):
                pass
            return
        back, forth = await asyncio.open_connection(HOST, self.target)
        writers.append(forth)
        pumps = [
            asyncio.create_task(self._pump(reader, forth, is_up=True)),
            asyncio.create_task(self._pump(back, writer, is_up=False)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_up: bool) -> None:
        """Pass bytes on in one direction, each after its delay and none waiting for those before it."""
        loop = asyncio.get_running_loop()
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)

        async def write() -> None:
            while True:
                due, chunk = await held.get()
                await asyncio.sleep(due - loop.time())
                if not chunk:
                    return
                if self._mode == "open":
                    writer.write(chunk)
                    await writer.drain()

        writing = asyncio.create_task(write())
        try:
            chunk = b"-"
            while chunk:
                chunk = await reader.read(CHUNK)
                await held.put((loop.time() + (self._up if is_up else self._down), chunk))
            await writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
