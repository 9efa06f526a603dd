"""Avro messages by their writer's schema: plain Python values, logical types as what they mean (fastavro).

    timestamp-millis, -micros          a time in UTC; local-timestamp-*: one without a zone
    date, time-*, uuid, decimal        such values of Python
    enum                               the symbol
    union                              the value of the branch that was written
    bytes, fixed                       bytes

No reader's schema is needed: a field map names what it wants. Two kinds of schemas are refused, for messages
under them could stop the reader: recursive ones (fastavro 1.13 recurses in C without a limit: a message of
some kB crashes the process) and arrays or maps of what may take no bytes at all (a few bytes would be read
as 2⁶³ elements). Needs the extra `schemas`. Source: Apache Avro 1.12 specification.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro
import orjson
from fastavro.schema import SchemaParseException, UnknownType

from connectors.schema_registry import Registered
from connectors.schema_wire import PREFIX
from engine.refusals import Bad

_ZERO_BYTES = frozenset({"null"})


class AvroDecoder:
    """Decodes messages of one schema. Raises `Bad` with reason `schema` for one that can't be used."""

    def __init__(self, registered: Registered) -> None:
        named: dict[str, Any] = {}
        try:
            for text in registered.references.values():
                fastavro.parse_schema(orjson.loads(text), named_schemas=named)
            self._schema = fastavro.parse_schema(orjson.loads(registered.text), named_schemas=named)
        except (orjson.JSONDecodeError, SchemaParseException, UnknownType) as error:
            raise Bad("a schema of Avro", type(error).__name__, "schema", "schema") from None
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            # what the parser says of schemas that are built wrongly
            raise Bad("a schema of Avro", type(error).__name__, "schema", "schema") from None
        _Walk(named).check(self._schema)

    def decode(self, raw: bytes) -> Any:
        """Return what a message holds; raise `Bad` with reason `decode` if it is not of this schema."""
        stream = BytesIO(raw)
        stream.seek(PREFIX)
        try:
            value = fastavro.schemaless_reader(stream, self._schema, None)
        except Exception as error:  # bytes that are anything give errors of any kind
            raise Bad("a message of its schema", type(error).__name__, "decode", "message") from None
        if stream.tell() != len(raw):
            was = f"{len(raw) - stream.tell()} bytes more"
            raise Bad("a message of its schema", was, "decode", "message")
        return value


class _Walk:
    """Looks through a parsed schema for what may not be read."""

    def __init__(self, named: dict[str, Any]) -> None:
        self._named = named
        self._inside: list[str] = []
        self._sizes: dict[str, bool] = {}

    def check(self, schema: Any) -> bool:
        """Return whether a value may take no bytes; raise `Bad` for a schema that is refused."""
        if isinstance(schema, str):
            if schema in self._named:
                return self._check_named(schema, self._named[schema])
            return schema in _ZERO_BYTES
        if isinstance(schema, list):
            for branch in schema:
                self.check(branch)
            return False  # the number of the branch is always written
        kind = schema["type"]
        if isinstance(kind, dict | list):
            return self.check(kind)
        if kind in ("record", "error", "enum", "fixed"):
            return self._check_named(schema["name"], schema)
        if kind in ("array", "map"):
            # a key of a map takes a byte at least
            if self.check(schema["items"] if kind == "array" else schema["values"]) and kind == "array":
                raise Bad("elements of a byte or more", "an array of nothing", "schema", "schema")
            return False
        return self.check(kind)

    def _check_named(self, name: str, schema: Any) -> bool:
        if name in self._inside:
            raise Bad("a schema without recursion", "a record within itself", "schema", "schema")
        if name not in self._sizes:
            if schema["type"] == "fixed":
                self._sizes[name] = schema["size"] == 0
            elif schema["type"] == "enum":
                self._sizes[name] = False
            else:
                self._inside.append(name)
                # every field is looked at, also behind one that takes bytes
                fields = [self.check(field["type"]) for field in schema["fields"]]
                self._sizes[name] = all(fields)
                self._inside.pop()
        return self._sizes[name]
