"""A Confluent-compatible schema registry (Confluent, Karapace, Apicurio's ccompat, Redpanda): schemas by id.

What is asked, by the API as Confluent documents it ("Schema Registry API Reference"):

    GET /schemas/ids/{id}                                        {schema, schemaType?, references?}
    GET /subjects/{subject}/versions/{version}?deleted=true      the same, of a schema that is referred to

A schema never changes under its id, so it is asked for once. That the registry does not know an id (404 with
`error_code` 40403, 40402 or 40401) is an answer; everything else that is no schema is trouble of the
registry, which passes: down, no rights, another address. Needs the extra `schemas` (httpx).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import httpx
import orjson

from connectors.registry_options import RegistryAccess
from engine.errors import InputError, LogError

ANSWER_AT_MOST = 4 << 20
"""Bytes of an answer."""
REFERENCES_AT_MOST = 200
"""Schemas that one is made of, all together."""
_UNKNOWN = frozenset({40401, 40402, 40403})
"""Subject, version, schema not found."""
_ACCEPT = "application/vnd.schemaregistry.v1+json, application/json"

SchemaType = Literal["AVRO", "PROTOBUF", "JSON"]
TYPES: tuple[SchemaType, ...] = ("AVRO", "PROTOBUF", "JSON")


@dataclass(frozen=True, slots=True)
class Registered:
    """A schema as it was registered, with all that it refers to."""

    type: SchemaType
    text: str
    references: Mapping[str, str]
    """Name, by which it is referred to, -> text; what others need comes before them."""


class UnknownSchemaError(Exception):
    """The registry has no such schema, or none that can be used. Never leaves the doors."""

    def __init__(self, expected: str, was: str = "unknown there") -> None:
        self.expected = expected
        self.was = was
        super().__init__(f"expected {expected}, was {was}")


class Registry:
    """A client of one registry. `close` when done; may be used again after it."""

    def __init__(self, access: RegistryAccess) -> None:
        """Raise InputError for certificates that can't be read."""
        self._access = access
        self._verify = _tls(access)
        self._client: httpx.AsyncClient | None = None

    async def schema(self, number: int) -> Registered:
        """Return the schema of an id with its references.

        Raises UnknownSchemaError, or LogError while the registry can't be asked.
        """
        answer = await self._ask(f"/schemas/ids/{number}", "its schema")
        found: dict[str, str] = {}
        await self._follow(answer, found)
        return Registered(_type_of(answer), answer["schema"], found)

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _follow(self, answer: Mapping[str, Any], found: dict[str, str]) -> None:
        """Get what a schema refers to, depth first, each once."""
        for reference in answer.get("references") or ():
            try:
                name, subject, version = reference["name"], reference["subject"], int(reference["version"])
            except (KeyError, TypeError, ValueError):
                raise UnknownSchemaError("references of a name, a subject and a version", "other") from None
            if name in found:
                continue
            if len(found) >= REFERENCES_AT_MOST:
                raise UnknownSchemaError(f"a schema of at most {REFERENCES_AT_MOST} references", "more")
            found[name] = ""  # a circle ends here
            place = f"/subjects/{quote(subject, safe='')}/versions/{version}?deleted=true"
            inner = await self._ask(place, f"{subject} version {version}, to which its schema refers,")
            await self._follow(inner, found)
            found[name] = found.pop(name) or inner["schema"]

    async def _ask(self, place: str, what: str) -> dict[str, Any]:
        trouble = ""
        for url in self._access.urls:
            try:
                status, raw = await self._get(url + place)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
                trouble = f"{type(error).__name__} {error}".strip()
                continue
            answer = _parsed(raw)
            if status == 200 and isinstance(answer.get("schema"), str):
                return answer
            if status == 404 and answer.get("error_code") in _UNKNOWN:
                raise UnknownSchemaError(f"{what} in the registry")
            trouble = _trouble(status)
        raise LogError(f"schema registry: expected to be asked, was not possible: {trouble}")

    async def _get(self, url: str) -> tuple[int, bytes]:
        if self._client is None:
            self._client = self._connect()
        async with self._client.stream("GET", url) as response:
            raw = b""
            async for piece in response.aiter_bytes():
                raw += piece
                if len(raw) > ANSWER_AT_MOST:
                    raise httpx.DecodingError(f"expected at most {ANSWER_AT_MOST} bytes, was more")
            return response.status_code, raw

    def _connect(self) -> httpx.AsyncClient:
        access = self._access
        headers = {"Accept": _ACCEPT}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        auth = (access.username, access.password) if access.username else None
        return httpx.AsyncClient(
            headers=headers, auth=auth, verify=self._verify, timeout=access.timeout_seconds, trust_env=False
        )


def _tls(access: RegistryAccess) -> ssl.SSLContext:
    where = "schema registry"
    try:
        context = ssl.create_default_context(cafile=None if access.ca is None else str(access.ca))
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{where}: ca", "a file of certificates", error.strerror or str(error)) from None
    if access.cert is not None:
        try:
            context.load_cert_chain(access.cert, access.key)
        except (OSError, ssl.SSLError) as error:
            expected = "a certificate and its key"
            raise InputError(f"{where}: cert", expected, error.strerror or str(error)) from None
    return context


def _type_of(answer: Mapping[str, Any]) -> SchemaType:
    """Return the type; one that is not named is Avro, the first that there was."""
    found = answer.get("schemaType") or "AVRO"
    for known in TYPES:
        if found == known:
            return known
    raise UnknownSchemaError(f"a schema of type {', '.join(TYPES)}", str(found)[:40])


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _trouble(status: int) -> str:
    if status in (401, 403):
        return f"HTTP {status}: it does not take these credentials"
    if status == 404:
        return "HTTP 404: there is no schema registry at this address"
    return f"HTTP {status}" if status != 200 else "an answer without a schema"
