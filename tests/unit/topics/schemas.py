"""Schemas of tests, and messages as producers write them."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import fastavro
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from connectors.protobuf_schema import compiled
from connectors.registry_options import RegistryAccess
from connectors.schema_registry import Registered, Registry
from connectors.schemas import Schemas

EVENT = {
    "type": "record",
    "name": "Event",
    "namespace": "probe",
    "fields": [
        {"name": "type", "type": {"type": "enum", "name": "Type", "symbols": ["TAU", "HO", "PAGING"]}},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {
            "name": "header",
            "type": {
                "type": "record",
                "name": "Header",
                "fields": [
                    {"name": "imsi", "type": ["null", "string"]},
                    {"name": "msisdn", "type": ["null", "string"], "default": None},
                ],
            },
        },
        {"name": "eci", "type": ["null", "long", "string"]},
    ],
}
"""Nested records, unions, an enum, a logical type."""

PROTO = """
syntax = "proto3";
package probe;

import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";

enum Rat { UNKNOWN = 0; LTE = 6; NR = 10; }

message Batch {
  message Attach { string result = 1; }
  map<string, string> labels = 1;
  message Event {
    google.protobuf.Timestamp at = 1;
    string imsi = 2;
    oneof what { Attach attach = 3; Attach detach = 4; }
    Rat rat = 5;
    uint64 eci = 6;
    optional uint32 cause = 7;
    google.protobuf.Duration took = 8;
    google.protobuf.StringValue apn = 9;
    map<int32, Attach> by = 10;
    repeated Rat seen = 11;
    bytes raw = 12;
    google.protobuf.Struct free = 13;
    Event inner = 14;
    bool flag = 15;
    map<string, Rat> rats = 16;
  }
  repeated Event events = 2;
}

message Other { string imsi = 1; }
"""


def avro(number: int, schema: Any, value: Any) -> bytes:
    """Return a message as a serializer of Avro writes it."""
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return b"\0" + number.to_bytes(4, "big") + stream.getvalue()


def message_class(text: str, name: str, **references: str) -> type[Message]:
    """Compile a .proto text and return the class of one of its messages."""
    pool = descriptor_pool.DescriptorPool()
    for file in compiled(Registered("PROTOBUF", text, references)).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def protobuf(number: int, message: Message, steps: bytes = b"\0") -> bytes:
    """Return a message as a serializer of Protobuf writes it; `steps`: which type of the file it is."""
    return b"\0" + number.to_bytes(4, "big") + steps + message.SerializeToString()


def schemas_at(url: str, **options: Any) -> Schemas:
    """Return the schemas of a registry."""
    return Schemas(Registry(RegistryAccess(urls=(url,), **options)))


def learned(url: str, *numbers: int, **options: Any) -> Schemas:
    """Return the schemas of a registry, these learned."""

    async def learn() -> Schemas:
        schemas = schemas_at(url, **options)
        for number in numbers:
            await schemas.learn(number)
        await schemas.close()
        return schemas

    return asyncio.run(learn())


__all__ = ["EVENT", "PROTO", "avro", "learned", "message_class", "protobuf", "schemas_at"]
