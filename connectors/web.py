"""Pages of a role: `/metrics` for Prometheus, `/livez` and `/readyz` for whoever starts and stops processes.

    /metrics   text format of Prometheus
    /livez     200 while the role gets on with its work, else 503: it should be started anew
    /readyz    200 when it can do its work, else 503: it should be left alone, and not be counted on

Both answer `{"ready": true, "checks": {NAME: "ok"}}` (`"live"` on `/livez`), with a sentence in place of "ok"
for what is wrong. What is asked is up to the role; by `/livez` never Kafka or Redis,
which a new start of the role does not mend.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import SettingsError

Checks = Callable[[], Mapping[str, str]]
"""Name of a check -> "" if all is well, else a sentence. Called at each request: it must be quick."""

GRACE = 2
"""Seconds that requests in flight get when the pages end."""


def application(registry: CollectorRegistry, live: Checks, ready: Checks) -> Starlette:
    """Return the three pages as an ASGI application."""

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    async def livez(_: Request) -> Response:
        return _answer("live", live())

    async def readyz(_: Request) -> Response:
        return _answer("ready", ready())

    return Starlette(routes=[Route(f"/{page.__name__}", page) for page in (metrics, livez, readyz)])


def _answer(word: str, checks: Mapping[str, str]) -> JSONResponse:
    well = not any(checks.values())
    shown = {name: sentence or "ok" for name, sentence in checks.items()}
    return JSONResponse(
        {word: well, "checks": shown}, 200 if well else 503, headers={"cache-control": "no-store"}
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: SIGTERM is the role's, which drains first."""
        yield


class Pages:
    """Serves the pages inside the running event loop, whichever it is; signals stay with the role."""

    def __init__(self, registry: CollectorRegistry, live: Checks, ready: Checks) -> None:
        self._application = application(registry, live, ready)
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0
        """Where they are served; 0 while they are not."""

    async def start(self, host: str, port: int) -> None:
        """Serve from now on; port 0 picks a free one. Raise `SettingsError` if it can't be listened there."""
        listening = await _listen(host, port)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._application,
            log_config=None,  # engine.logs routes uvicorn's loggers
            access_log=False,
            lifespan="off",
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([listening]), name="pages")

    async def stop(self) -> None:
        """Serve no longer; requests in flight get `GRACE` seconds. Harmless if they were never started."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._server = self._task = None
        self.port = 0


async def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; uvicorn would end the process where a port is taken."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        sentence = f"expected an address to listen at, was {host} port {port} ({why})"
        raise SettingsError([f"TOUCHPOINT_WEB_HOST, TOUCHPOINT_WEB_PORT: {sentence}"]) from None
    listening.setblocking(False)
    return listening
