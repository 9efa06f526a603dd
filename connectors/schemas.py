"""Schemas by id, as they come to be needed: got from the registry once, made ready, kept.

What a registry has no schema for, and schemas that can't be used, are remembered for a while: the messages
are refused, and the registry is not asked for each of them. Needs the extra `schemas`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

import orjson

from connectors.avro_schema import AvroDecoder
from connectors.protobuf_schema import ProtobufDecoder, compiled
from connectors.schema_registry import Registered, Registry, UnknownSchemaError
from connectors.schema_wire import PREFIX, schema_id
from engine.refusals import Bad

KEPT_AT_MOST = 1_000
"""Schemas, and ids without one, that are kept; a topic has a few."""
UNKNOWN_SECONDS = 60.0
"""How long an id without a schema is taken for that: a registry's followers learn of new ones a bit later."""


class Decoder(Protocol):
    """Makes messages of one schema plain values."""

    def decode(self, raw: bytes) -> Any:
        """Decode a message with its prefix; raise `Bad` with reason `decode`."""
        ...


class JsonDecoder:
    """Decodes JSON behind the prefix; the JSON Schema itself is the producer's business."""

    def decode(self, raw: bytes) -> Any:
        """Decode a message."""
        try:
            return orjson.loads(raw[PREFIX:])
        except orjson.JSONDecodeError as error:
            raise Bad("JSON", f"not at character {error.pos}", "decode", "message") from None


class Schemas:
    """The schemas of one registry. Ask `needs` first: `decode` knows only what was learned."""

    def __init__(self, registry: Registry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._decoders: dict[int, Decoder] = {}
        self._refused: dict[int, tuple[float, Bad]] = {}
        """Id -> until when, by the clock, and why."""

    def needs(self, raw: bytes) -> int | None:
        """Return the id of a schema that has to be learned before a message is decoded; None: none."""
        try:
            number = schema_id(raw)
        except Bad:
            return None
        if number in self._decoders:
            return None
        refused = self._refused.get(number)
        return number if refused is None or refused[0] < self._clock() else None

    def decode(self, raw: bytes) -> Any:
        """Return what a message holds; raise `Bad` with reason `schema` or `decode`."""
        number = schema_id(raw)
        decoder = self._decoders.get(number)
        if decoder is not None:
            try:
                return decoder.decode(raw)
            except Bad as bad:
                bad.expected = f"{bad.expected} (schema {number})"
                raise
        refused = self._refused.get(number)
        if refused is None:
            raise Bad("a schema that was learned", f"schema {number}", "schema", "message")
        _, why = refused
        raise Bad(f"{why.expected} (schema {number})", why.was, "schema", why.field)

    async def learn(self, number: int) -> None:
        """Get a schema and make it ready, or remember why there is none. Raises LogError: try again later."""
        try:
            decoder = await self._made(number)
        except UnknownSchemaError as unknown:
            self._refuse(number, Bad(unknown.expected, unknown.was, "schema", "message"))
        except Bad as bad:
            self._refuse(number, bad)
        else:
            _make_room(self._decoders)
            self._decoders[number] = decoder
            self._refused.pop(number, None)

    async def close(self) -> None:
        """Let go of connections; schemas are kept."""
        await self._registry.close()

    async def _made(self, number: int) -> Decoder:
        registered: Registered = await self._registry.schema(number)
        if registered.type == "AVRO":
            return AvroDecoder(registered)
        if registered.type == "PROTOBUF":
            return ProtobufDecoder(await asyncio.to_thread(compiled, registered))
        return JsonDecoder()

    def _refuse(self, number: int, why: Bad) -> None:
        self._refused.pop(number, None)
        _make_room(self._refused)
        self._refused[number] = (self._clock() + UNKNOWN_SECONDS, why)


def _make_room(kept: dict[int, Any]) -> None:
    """Let the oldest go."""
    while len(kept) >= KEPT_AT_MOST:
        del kept[next(iter(kept))]
