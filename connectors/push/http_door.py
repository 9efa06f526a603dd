"""One request of a webhook: limits, sign-in and body before it is queued, the answer once it is durable.

    204  durable, or known to be so from before          408  the body took too long
    400  not a notification at all                       413  the body is too large
    401  no good token or signature                      415  another media type, or packed
    404  another path        405  another method         431  the head is too large
    503  come again after Retry-After seconds

An answer of 4xx says what was expected; sending the same again would not help.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

import structlog

from connectors.push.door import Delivery, PushDoor
from connectors.push.http_server import HEAD_AT_MOST, HttpServer
from connectors.push.listening import listen, tls_context
from connectors.push.options import SECOND, HttpOptions
from connectors.push.secrets import TIMESTAMP, Secrets, bearer, has_token, wrong_signature
from engine.event import Event
from engine.intake import Intake
from engine.log_pace import LogPace

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

DRAIN_SECONDS: Final = 2.0
"""Given to a body that is not wanted: who is still sending it does not read the answer."""
DRAIN_AT_LEAST: Final = 1 << 20
"""Bytes of such a body that are read, if not more by its limit."""
_CORRELATOR = re.compile(r"[a-zA-Z0-9_:;./<>{}-]{1,256}\Z")

log = structlog.get_logger("push")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told; `detail`: "expected X, was Y", without any value that names a person."""

    status: int
    detail: str = ""


DURABLE: Final = Answer(204)
AGAIN: Final = Answer(503, "expected room, was full or on its way down: send it again")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole."""

    number: int
    """Of the door, from 1 since the start."""
    headers: Mapping[str, str]
    """Names in lower case; of a header that came twice both values, comma between."""
    query: Mapping[str, str]
    body: bytes
    arrived: int
    """µs UTC."""
    signed: str = ""
    """The time stamp that its body is signed with; empty: no signature is asked for."""

    @property
    def media(self) -> str:
        """The media type, lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Format(Protocol):
    """What one kind of sender writes."""

    def open(self, intake: Intake, door: PushDoor) -> None:
        """Work with an intake from now on."""
        ...

    def unknown_media(self, request: Request) -> str:
        """Say what was expected in place of the request's media type; empty if it is a known one."""
        ...

    def take(self, request: Request, events: list[Event]) -> Answer:
        """Add the events of a request to `events` and return its answer."""
        ...

    def problem(self, answer: Answer) -> tuple[bytes, bytes]:
        """Return media type and body of an answer that tells of a problem."""
        ...


class Webhook:
    """Listens for requests of one format; the server of a `PushDoor`.

    Raises InputError for secrets or certificates that are not what they have to be.
    """

    def __init__(
        self, name: str, options: HttpOptions, form: Format, tokens: Secrets | None, keys: Secrets | None
    ) -> None:
        self._name = name
        self._options = options
        self._form = form
        self._tokens = tokens
        self._keys = keys
        self._tls = tls_context(name, options, ("h2", "http/1.1"))
        self._door: PushDoor | None = None
        self._server: HttpServer | None = None
        self._port = 0
        self._number = 0
        self._pace = LogPace()

    # -- as a server -----------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        return self._port

    async def start(self, door: PushDoor) -> None:
        """Serve from now on."""
        bound = await listen(self._name, self._options)
        self._door = door
        idle = self._options.idle_time / SECOND
        self._server = HttpServer(self, self._options.connections, idle, door.counts)
        await self._server.start(bound, self._tls)
        self._port = bound.getsockname()[1]

    async def stop(self) -> None:
        """Serve no longer."""
        server, self._server = self._server, None
        self._port = 0
        if server is not None:
            await server.stop()

    # -- one request -----------------------------------------------------------------------------------------

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve a request, as an ASGI application."""
        door = self._door
        if scope["type"] != "http" or door is None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close"})
            return
        headers: dict[str, str] = {}
        for raw, value in scope["headers"]:
            name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
        door.counts["requests"] += 1
        body = _Body(receive, door)
        try:
            answer = await self._answer(scope, headers, body, door)
            if answer is not None:
                if not body.ended:
                    await body.drain(max(4 * self._options.body_bytes, DRAIN_AT_LEAST))
                await self._send(answer, headers, send)
        finally:
            body.let_go()

    async def _answer(
        self, scope: Mapping[str, Any], headers: dict[str, str], body: _Body, door: PushDoor
    ) -> Answer | None:
        """Return the answer; None if nobody waits for one."""
        wrong = self._wrong_head(scope, headers, door)
        if wrong is not None:
            return wrong
        options = self._options
        if not door.is_serving or not door.has_room:
            door.counts["full"] += 1
            return AGAIN
        try:
            async with asyncio.timeout(options.body_time / SECOND):
                raw = await body.read(options.body_bytes)
        except TimeoutError:
            door.counts["slow"] += 1
            return Answer(408, f"expected the body within {options.body_time / SECOND:g} s, was slower")
        except _TooLarge:
            return self._too_large(door)
        except _Full:
            door.counts["full"] += 1
            return AGAIN
        except _Gone:
            return None
        if self._keys is not None:
            window = options.signature_window // SECOND
            why = wrong_signature(self._keys, headers, raw, door.clock(), window)
            if why:
                return self._stranger(door, why)
        self._number += 1
        query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        signed = "" if self._keys is None else headers[TIMESTAMP]
        request = Request(self._number, headers, query, raw, round(door.clock() * 1e6), signed)
        expected = self._form.unknown_media(request)
        if expected:
            return Answer(415, expected)
        body.let_go()
        return await self._durable(request, door)

    def _wrong_head(
        self, scope: Mapping[str, Any], headers: Mapping[str, str], door: PushDoor
    ) -> Answer | None:
        """Return the answer to a request whose body is not even looked at; None if it is."""
        options = self._options
        if sum(len(name) + len(value) for name, value in headers.items()) > HEAD_AT_MOST:
            return Answer(431, f"expected a head of at most {HEAD_AT_MOST} bytes, was more")
        method = scope["method"]
        if scope["path"].rstrip("/") != options.path.rstrip("/"):
            return Answer(404, "expected another path, was this one")
        if method not in ("POST", "OPTIONS"):
            return Answer(405, f"expected POST, was {method[:20]}")
        if self._tokens is not None and not has_token(self._tokens, bearer(headers)):
            return self._stranger(door, "expected a bearer token that is good here, was another or none")
        if method == "OPTIONS":
            return Answer(200)
        if headers.get("content-encoding", "identity").lower() != "identity":
            return Answer(415, "expected a body that is not packed, was one with a content-encoding")
        announced = headers.get("content-length", "").lstrip("0")
        if announced.isdecimal() and (len(announced) > 15 or int(announced) > options.body_bytes):
            return self._too_large(door)
        return None

    async def _durable(self, request: Request, door: PushDoor) -> Answer:
        """Queue a request and return its answer once it is durable."""
        if not door.is_serving:
            return AGAIN
        told: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

        def settle(answer: Answer | None) -> None:
            if not told.done():
                told.set_result(answer)

        # an event has 300 bytes at least
        door.put(Delivery(request, 1 + len(request.body) // 300, len(request.body) + 1_000, settle))
        try:
            async with asyncio.timeout(self._options.answer_time / SECOND):
                answer = await told
        except TimeoutError:
            # It stays queued: when it is sent again it is known, or applied then.
            door.counts["late"] += 1
            return AGAIN
        if answer is None:
            return AGAIN
        door.counts["durable"] += 1
        return answer

    def _stranger(self, door: PushDoor, why: str) -> Answer:
        door.counts["strangers"] += 1
        if self._pace.allows("stranger"):
            log.warning("a request was not signed in", source=self._name, problem=why)
        return Answer(401, why)

    def _too_large(self, door: PushDoor) -> Answer:
        door.counts["too_large"] += 1
        return Answer(413, f"expected a body of at most {self._options.body_bytes} bytes, was more")

    async def _send(self, answer: Answer, headers: Mapping[str, str], send: Send) -> None:
        out: list[tuple[bytes, bytes]] = []
        body = b""
        status = answer.status
        if status == 503:
            out.append((b"retry-after", b"%d" % (self._options.retry_after // SECOND)))
        elif status == 401:
            out.append((b"www-authenticate", b"Bearer"))
        elif status == 405:
            out.append((b"allow", b"POST, OPTIONS"))
        elif status == 200:
            out += [(b"allow", b"POST, OPTIONS")]
            origin = headers.get("webhook-request-origin", "")
            if origin.isascii() and origin.isprintable() and 0 < len(origin) <= 256:
                # CloudEvents HTTP webhooks, 4: whoever is to push asks first
                out += [(b"webhook-allowed-origin", origin.encode()), (b"webhook-allowed-rate", b"*")]
        if status >= 400:
            media, body = self._form.problem(answer)
            out.append((b"content-type", media))
        if status != 204:
            out.append((b"content-length", b"%d" % len(body)))
        correlator = headers.get("x-correlator", "")
        if _CORRELATOR.match(correlator):
            out.append((b"x-correlator", correlator.encode()))
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": body})


class _TooLarge(Exception):
    """More than the limit has come."""


class _Full(Exception):
    """All doors' bodies together are too many."""


class _Gone(Exception):
    """The sender has gone before its request was whole: half a request is none."""


class _Body:
    """The body of one request; what it holds is counted by the door."""

    def __init__(self, receive: Receive, door: PushDoor) -> None:
        self._receive = receive
        self._door = door
        self._held = 0
        self.ended = False

    async def read(self, most: int) -> bytes:
        parts: list[bytes] = []
        while True:
            part, more = await self._next()
            if self._held + len(part) > most:
                raise _TooLarge
            if part and not self._door.has_room_for(len(part)):
                raise _Full
            self._hold(len(part))
            parts.append(part)
            if not more:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    async def drain(self, most: int) -> None:
        """Read on to the end, within limits, and keep nothing."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while most > 0 and not self.ended:
                    part, _ = await self._next()
                    most -= len(part)
        except (TimeoutError, _Gone):
            return

    def let_go(self) -> None:
        self._hold(-self._held)

    def _hold(self, size: int) -> None:
        self._door.hold(size)
        self._held += size

    async def _next(self) -> tuple[bytes, bool]:
        message = await self._receive()
        if message["type"] != "http.request":
            self.ended = True
            raise _Gone
        more = bool(message.get("more_body", False))
        self.ended = not more
        return message.get("body", b""), more
