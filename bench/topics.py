"""`bench topics`: messages of a foreign topic into events: JSON, mapped JSON, Avro, Protobuf; CPU only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from time import process_time
from typing import Any

import fastavro
import orjson
from google.protobuf import descriptor_pool, message_factory

from bench.course import HOME_CC, KEY
from bench.report import Scale, Section, middle, tell
from connectors.avro_schema import AvroDecoder
from connectors.field_map import FieldMap
from connectors.protobuf_schema import ProtobufDecoder, compiled
from connectors.schema_registry import Registered
from connectors.schemas import Decoder
from connectors.topic_messages import TopicMessages
from engine.identity import Identity
from engine.intake import Intake

T = 1_788_740_000_000_000
IN_ARRAY = 50
"""Records of a message of the rows that say so."""
PREFIX = b"\0\0\0\0\1"
MAP = {
    "map": "bench",
    "source": "bench",
    "kind": {"path": "type", "values": {"TAU": "loc.update", "HO": "loc.handover"}, "otherwise": "skip"},
    "each": "events",
    "fields": {
        "t": {"path": "ts", "type": "time", "format": "epoch ms", "required": "yes"},
        "imsi": {"path": "header.imsi", "required": "yes"},
        "imei": {"path": "header.imei"},
        "tac": {"path": "loc.tac", "type": "int"},
        "cell": {"template": "460-00-{eci}"},
        "rat": {"path": "rat", "values": {"6": "LTE", "10": "NR"}},
        "result": {"path": "result"},
    },
    "helpers": {"eci": {"path": "loc.eci", "type": "int"}},
    "id": ["header.seq", "ts"],
}
_FIELDS = (("imsi", "string"), ("imei", "string"), ("seq", "long"))
AVRO = {
    "type": "record",
    "name": "Batch",
    "fields": [
        {
            "name": "events",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Event",
                    "fields": [
                        {"name": "type", "type": {"type": "enum", "name": "T", "symbols": ["TAU", "HO"]}},
                        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                        {
                            "name": "header",
                            "type": {
                                "type": "record",
                                "name": "Header",
                                "fields": [{"name": name, "type": ["null", type]} for name, type in _FIELDS],
                            },
                        },
                        {
                            "name": "loc",
                            "type": {
                                "type": "record",
                                "name": "Loc",
                                "fields": [{"name": "tac", "type": "int"}, {"name": "eci", "type": "long"}],
                            },
                        },
                        {"name": "rat", "type": "int"},
                        {"name": "result", "type": "int"},
                    ],
                },
            },
        }
    ],
}
PROTO = """
syntax = "proto3";
enum Type { TAU = 0; HO = 1; }
message Header { string imsi = 1; string imei = 2; int64 seq = 3; }
message Loc { int32 tac = 1; int64 eci = 2; }
message Event {
  Type type = 1; int64 ts = 2; Header header = 3; Loc loc = 4; int32 rat = 5; int32 result = 6;
}
message Batch { repeated Event events = 1; }
"""


@dataclass
class _Message:
    """A message of Kafka."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp: int = 0


@dataclass
class _Known:
    """The one schema of a topic."""

    decoder: Decoder

    def needs(self, raw: bytes) -> int | None:
        return None

    def decode(self, raw: bytes) -> Any:
        return self.decoder.decode(raw)

    async def learn(self, number: int) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""


def measure(scale: Scale) -> Section:
    """Read made messages, one record each and then many."""
    tell("topics: JSON, mapped JSON, Avro, Protobuf")
    section = Section("topics", "messages of a topic to events, CPU")
    fields = FieldMap.model_validate(MAP)
    files = compiled(Registered("PROTOBUF", PROTO, {}))
    avro = _Known(AvroDecoder(Registered("AVRO", orjson.dumps(AVRO).decode(), {})))
    protobuf = _Known(ProtobufDecoder(files))
    count = min(scale.rows, 50_000)
    for size in (1, IN_ARRAY):
        batches = [_events(at, size) for at in range(0, count, size)]
        many = f", {size} per message" if size > 1 else ""
        canonical = [orjson.dumps([_canonical(event) for event in batch]) for batch in batches]
        mapped = [orjson.dumps({"events": batch}) for batch in batches]
        _add(section, scale, f"JSON{many}", canonical, size, None, None)
        _add(section, scale, f"JSON, mapped{many}", mapped, size, fields, None)
        _add(section, scale, f"Avro, mapped{many}", _in_avro(batches), size, fields, avro)
        _add(section, scale, f"Protobuf, mapped{many}", _in_protobuf(batches, files), size, fields, protobuf)
    section.remarks.append("8 fields, some nested, an id of two paths, a template, two lists of values.")
    return section


def _events(at: int, size: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "TAU" if n % 3 else "HO",
            "ts": T // 1_000 + n,
            "header": {"imsi": f"46000{n % 9_973:010}", "imei": f"359254{n % 9_973:08}", "seq": n},
            "loc": {"tac": 1_000 + n % 97, "eci": 1_000_000 + n % 30_000},
            "rat": 6 if n % 5 else 10,
            "result": 0,
        }
        for n in range(at, at + size)
    ]


def _canonical(event: dict[str, Any]) -> dict[str, Any]:
    header, loc = event["header"], event["loc"]
    return {
        "id": f"{header['seq']}",
        "kind": "loc.update",
        "t": event["ts"] * 1_000,
        "imsi": header["imsi"],
        "imei": header["imei"],
        "tac": loc["tac"],
        "cell": f"460-00-{loc['eci']}",
        "rat": "LTE",
        "result": "0",
    }


def _in_avro(batches: list[list[dict[str, Any]]]) -> list[bytes]:
    schema = fastavro.parse_schema(AVRO)
    made = []
    for batch in batches:
        stream = BytesIO()
        fastavro.schemaless_writer(stream, schema, {"events": batch})
        made.append(PREFIX + stream.getvalue())
    return made


def _in_protobuf(batches: list[list[dict[str, Any]]], files: Any) -> list[bytes]:
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    made: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("Batch"))
    # which type of the file it is: the one after three others, in zigzag
    return [PREFIX + b"\x02\x06" + made(events=batch).SerializeToString() for batch in batches]


def _add(
    section: Section,
    scale: Scale,
    name: str,
    messages: list[bytes],
    size: int,
    fields: FieldMap | None,
    schemas: _Known | None,
) -> None:
    rates = []
    for _ in range(scale.runs):
        intake = Intake(Identity(KEY, HOME_CC))
        reader = TopicMessages("bench", intake, fields, schemas)
        sent = [_Message(raw) for raw in messages]
        began = process_time()
        events = sum(len(reader.read(message, 0, offset)) for offset, message in enumerate(sent))
        rates.append(events / (process_time() - began))
        assert events == len(messages) * size, dict(intake.refused)
    rate, note = middle(rates)
    section.add(
        name, rate, "records per second", f"{1e6 / rate:.1f} µs each; {len(messages):,} messages; {note}"
    )
