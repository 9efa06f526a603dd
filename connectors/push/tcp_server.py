"""Connections that bring lines: bounded in number, length of a line, and what is held of all of them.

What comes is handed on in blocks of whole lines. When the door is full no connection is read any more: TCP
makes the senders wait. Acknowledgements count the lines of the connection that are durable, refused and blank
ones too, so that a sender can compare them with the line ends it has sent.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any, Final

import structlog

from connectors.push.door import Delivery, PushDoor
from connectors.push.listening import listen, tls_context
from connectors.push.options import SECOND, TcpOptions
from connectors.push.secrets import Secrets, has_token
from engine.log_pace import LogPace

HANDSHAKE: Final = 10.0
BLOCK: Final = 1_000
"""Lines of one delivery at most."""
SIGN_IN: Final = b"AUTH "
SHOWN: Final = 1 << 16
"""Bytes of a line that is too long that are looked at for its dead letter."""

log = structlog.get_logger("push")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one connection, without their ends."""

    connection: int
    """Number of the connection since the start."""
    first: int
    """Number of the first line in its connection, from 1."""
    lines: list[bytes]
    problem: str = ""
    """Why the lines, of which there is one then, can't be taken: `size` or `file`."""
    size: int = 0
    """Bytes of that line, if not all of it is here."""


class TcpServer:
    """Listens for lines; the server of a `PushDoor`. Raises InputError as `tls_context` does."""

    def __init__(self, name: str, options: TcpOptions, tokens: Secrets | None) -> None:
        self.name = name
        self.options = options
        self.tokens = tokens
        self.pace = LogPace()
        self.door: PushDoor
        self.open: set[Connection] = set()
        self._tls = tls_context(name, options)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._number = 0

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        return self._port

    async def start(self, door: PushDoor) -> None:
        """Serve from now on."""
        bound = await listen(self.name, self.options)
        self.door = door
        door.on_room.append(self._go_on)
        patience = None if self._tls is None else HANDSHAKE
        self._server = await asyncio.get_running_loop().create_server(
            self._connected, sock=bound, ssl=self._tls, ssl_handshake_timeout=patience
        )
        self._port = bound.getsockname()[1]

    async def stop(self) -> None:
        """Serve no longer: connections are closed, what was not acknowledged has not come."""
        server, self._server = self._server, None
        self._port = 0
        if server is None:
            return
        self.door.on_room.remove(self._go_on)
        server.close()
        closing = [connection.closed for connection in self.open]
        for connection in list(self.open):
            connection.end()
        if closing:
            await asyncio.wait(closing, timeout=1.0)
        for connection in list(self.open):
            connection.abort()
        await server.wait_closed()

    def _connected(self) -> Connection:
        self._number += 1
        return Connection(self, self._number)

    def _go_on(self) -> None:
        for connection in self.open:
            connection.go_on()


class Connection(asyncio.Protocol):
    """One sender."""

    def __init__(self, server: TcpServer, number: int) -> None:
        self._server = server
        self._number = number
        self._transport: Any = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rest = b""
        """What came since the last line end."""
        self._skipped = 0
        """Bytes so far of a line that is too long, while its end has not come."""
        self._lines = 0
        self._durable = 0
        self._told = 0
        self._signed_in = server.tokens is None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        """Nothing more comes from the sender."""
        self._writable = True

    # -- of the transport ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or turn it away."""
        self._transport = transport
        server, door = self._server, self._server.door
        if len(server.open) >= server.options.connections or not door.is_serving:
            door.counts["turned_away"] += 1
            self.abort()
            return
        server.open.add(self)
        door.counts["connections"] += 1
        found = transport.get_extra_info("socket")
        if found is not None:
            # a probe that was cut off the network says nothing for ever
            found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not self._signed_in:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(server.options.sign_in_time / SECOND, self._stranger)
        if not door.has_room:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(self._rest + data)
            return
        rest = data[end + 1 :]
        lines = (self._rest + data[:end] if self._rest else data[:end]).split(b"\n")
        self._rest = b""
        if self._skipped:
            size, self._skipped = self._skipped + len(lines[0]), 0
            self._put([lines.pop(0)[:SHOWN]], "size", size)
        if not self._signed_in and lines:
            self._sign_in(lines.pop(0))
        if self._signed_in:
            for at in range(0, len(lines), BLOCK):
                self._put(lines[at : at + BLOCK])
        self._keep(rest)

    def eof_received(self) -> bool:
        """Take in that no more comes; a half line is refused. The connection stays for acknowledgements."""
        self._end_of_lines()
        # asyncio can't keep the one direction of an encrypted connection open
        encrypted = self._server.options.tls_cert is not None
        return self._server.options.acknowledge and not encrypted and self._durable < self._lines

    def connection_lost(self, error: Exception | None) -> None:
        """Take in that the connection is gone."""
        self._end_of_lines()
        self._server.open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """Keep acknowledgements back: the sender does not read them, and the next one counts for all."""
        self._writable = False

    def resume_writing(self) -> None:
        """Tell what was kept back."""
        self._writable = True
        self._acknowledge()

    # -- of the server ---------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Read again: there is room."""
        if not self._ended and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def end(self) -> None:
        """Close the connection once what was written to it has left."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    # -- lines -----------------------------------------------------------------------------------------------

    def _sign_in(self, line: bytes) -> None:
        """Take the first line: `AUTH TOKEN`. It does not count as a line."""
        tokens = self._server.tokens
        assert tokens is not None
        text = line.strip().decode("utf-8", "replace")
        if not line.startswith(SIGN_IN) or not has_token(tokens, text[len(SIGN_IN) :].strip()):
            self._stranger()
            return
        self._signed_in = True
        if self._timer is not None:
            self._timer.cancel()

    def _stranger(self) -> None:
        door = self._server.door
        door.counts["strangers"] += 1
        if self._server.pace.allows("stranger"):
            problem = "expected AUTH and a token that is good here as the first line, was another or none"
            log.warning("a connection was not signed in", source=self._server.name, problem=problem)
        self._ended = True
        self.abort()

    def _put(self, lines: list[bytes], problem: str = "", size: int = 0) -> None:
        block = Block(self._number, self._lines + 1, lines, problem, size)
        count = 0 if problem == "file" else len(lines)  # no line, for its end never came
        self._lines += count
        held = sum(map(len, lines)) + 100 * count
        if not self._server.door.put(
            Delivery(block, len(lines), held, lambda told: self._settled(count, told))
        ):
            self._server.door.counts["full"] += 1
            if not self._transport.is_closing():
                self._transport.pause_reading()

    def _settled(self, count: int, told: Any) -> None:
        if told is None:
            return  # the door closes, and this connection with it
        self._durable += count
        self._acknowledge()

    def _acknowledge(self) -> None:
        transport = self._transport
        if not self._server.options.acknowledge or transport.is_closing():
            return
        if self._writable and self._durable > self._told:
            self._told = self._durable
            transport.write(b"ACK %d\n" % self._told)
        if self._ended and self._told == self._lines:
            transport.close()

    def _keep(self, rest: bytes) -> None:
        """Keep the beginning of a line, or skip the rest of one that is too long."""
        self._rest = b""
        if self._skipped:
            self._skipped += len(rest)
        elif len(rest) > self._server.options.line_bytes or (not self._signed_in and len(rest) > 10_000):
            if not self._signed_in:
                self._stranger()
            self._skipped = len(rest)
        else:
            self._rest = rest

    def _end_of_lines(self) -> None:
        if self._ended:
            return
        self._ended = True
        half, skipped = self._rest, self._skipped
        self._rest = b""
        if (half or skipped) and self._signed_in and self._server.door.is_serving:
            self._put([half[:SHOWN]], "file", skipped or len(half))
