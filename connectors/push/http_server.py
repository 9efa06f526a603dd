"""HTTP/1.1 and HTTP/2 for one application, in the running event loop, by hypercorn.

HTTP/2 is spoken over TLS (ALPN), and without it to senders that begin with it (prior knowledge, RFC 9113,
3.3), as network functions do. hypercorn's own `serve` knows no limit of connections and creates its sockets
itself; this drives its connections directly.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from typing import Any, Final

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

GRACE: Final = 2.0
"""Seconds that requests in flight get when the server ends."""
HANDSHAKE: Final = 10.0
HEAD_AT_MOST: Final = 16 << 10
"""Bytes of a request's head."""
STREAMS: Final = 100
"""Requests at a time on one HTTP/2 connection."""


class _Connection(TCPServer):
    """One connection. In hypercorn, one whose peer has gone stays until its idle time is over; not here."""

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()


class HttpServer:
    """Serves an ASGI application; `counts` gets `turned_away` and `broken` connections."""

    def __init__(self, application: Any, connections: int, idle_seconds: float, counts: Counter[str]) -> None:
        self._application = ASGIWrapper(application)
        self._most = connections
        self._counts = counts
        self._server: asyncio.Server | None = None
        self._context: WorkerContext | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        config = self._config = Config()
        config.accesslog = None
        config.errorlog = logging.getLogger("hypercorn.error")
        config.include_server_header = False
        config.h11_max_incomplete_size = HEAD_AT_MOST
        config.h2_max_header_list_size = HEAD_AT_MOST
        config.h2_max_concurrent_streams = STREAMS
        # also what the head of a request may take: until it is whole, a connection is idle
        config.keep_alive_timeout = idle_seconds
        config.keep_alive_max_requests = 1 << 31

    async def start(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Serve on a bound socket from now on."""
        self._context = WorkerContext(None)
        patience = None if tls is None else HANDSHAKE
        self._server = await asyncio.start_server(
            self._serve, sock=listening, ssl=tls, ssl_handshake_timeout=patience
        )

    async def stop(self) -> None:
        """Take no more; requests in flight get `GRACE` seconds."""
        server, context = self._server, self._context
        if server is None or context is None:
            return
        self._server = self._context = None
        server.close()
        await context.terminated.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context = self._context
        if context is None or len(self._tasks) >= self._most:
            self._counts["turned_away"] += 1
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        loop = asyncio.get_running_loop()
        try:
            await _Connection(self._application, loop, self._config, context, {}, reader, writer)
        except Exception:
            # Whatever a peer sends must end its own connection only: h2 and hypercorn raise all kinds of
            # errors for frames that come after the end of their stream.
            self._counts["broken"] += 1
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
