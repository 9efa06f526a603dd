"""Messages by the schemas of a registry, a twin and a real one: Avro, Protobuf, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.avro_schema import AvroDecoder
from connectors.schema_registry import Registered
from engine.refusals import Bad
from tests.servers.registry import Twin, register
from tests.unit.topics.schemas import EVENT, PROTO, avro, learned, message_class, protobuf
from tests.unit.topics.support import IMSI, Desk, T, map_of

AT = datetime.fromtimestamp(T // 1_000_000, UTC)
Subject = Callable[[str], str]
EVENT_MAP = {
    "map": "event",
    "source": "event",
    "kind": {"path": "type", "values": {"TAU": "loc.update", "HO": "loc.handover"}, "otherwise": "skip"},
    "fields": {
        "t": {"path": "ts", "type": "time", "format": "iso", "required": "yes"},
        "imsi": {"path": "header.imsi"},
        "msisdn": {"path": "header.msisdn"},
        "cell": {"template": "460-00-{eci}"},
    },
    "helpers": {"eci": {"path": "eci", "type": "int"}},
}
BATCH_MAP = {
    "map": "batch",
    "source": "batch",
    "kind": {"present": {"attach": "power.on", "detach": "power.off"}, "otherwise": "skip"},
    "each": "events",
    "fields": {
        "t": {"path": "at", "type": "time", "format": "iso", "required": "yes"},
        "imsi": {"path": "imsi", "required": "yes"},
        "cell": {"template": "460-00-{eci}"},
        "rat": {"path": "rat", "empty": ["UNKNOWN"]},
        "cause": {"path": "cause"},
        "result": [{"path": "attach.result"}, {"path": "detach.result"}],
    },
    "helpers": {"eci": {"path": "eci", "type": "int"}},
}


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "TAU", "ts": AT, "header": {"imsi": IMSI}, "eci": 77, **fields}


def record_of(field: Any) -> dict[str, Any]:
    """A record N of one field."""
    return {"type": "record", "name": "N", "fields": [{"name": "n", "type": field}]}


# -- Avro ----------------------------------------------------------------------------------------------------


def test_avro_becomes_records(registry_url: str, subject: Subject, tmp_path: Path) -> None:
    number = register(registry_url, subject("value"), EVENT)
    desk = Desk(map_of(tmp_path, EVENT_MAP), learned(registry_url, number))
    found = desk.fields(avro(number, EVENT, event()))
    assert {"kind": "loc.update", "t": T, "cell": "460-00-77", "id": "feed:0:0"}.items() <= found.items()
    assert desk.fields(avro(number, EVENT, event(eci="78", type="HO")))["cell"] == "460-00-78"
    assert "cell" not in desk.fields(avro(number, EVENT, event(eci=None)))
    assert desk.read(avro(number, EVENT, event(type="PAGING"))) == []
    assert desk.read(avro(number, EVENT, event(header={"imsi": None}))) == []
    [(place, reason, _)] = desk.said()
    assert (place, reason) == ("feed:0:4", "identity")


def test_schemas_evolve_and_the_map_stays(registry_url: str, subject: Subject, tmp_path: Path) -> None:
    fields: Any = [
        {"name": "added", "type": {"type": "array", "items": "string"}},
        *EVENT["fields"][1:],
        {"name": "type", "type": "string"},
    ]
    newer = {**EVENT, "fields": fields}
    first, second = (register(registry_url, subject("value"), schema) for schema in (EVENT, newer))
    desk = Desk(map_of(tmp_path, EVENT_MAP), learned(registry_url, first, second))
    assert desk.fields(avro(first, EVENT, event()))["kind"] == "loc.update"
    assert desk.fields(avro(second, newer, event(added=["x"])))["kind"] == "loc.update"


def test_references_of_avro(registry_url: str, subject: Subject) -> None:
    inner = {"type": "record", "name": "Inner", "namespace": "n", "fields": [{"name": "x", "type": "long"}]}
    middle = {
        "type": "record",
        "name": "Middle",
        "namespace": "n",
        "fields": [{"name": "i", "type": "n.Inner"}],
    }
    outer = {
        "type": "record",
        "name": "Outer",
        "namespace": "n",
        "fields": [{"name": "m", "type": "n.Middle"}, {"name": "i", "type": "n.Inner"}],
    }
    register(registry_url, subject("inner"), inner)
    register(registry_url, subject("middle"), middle, **{"n.Inner": subject("inner")})
    references = {"n.Middle": subject("middle"), "n.Inner": subject("inner")}
    number = register(registry_url, subject("outer"), outer, **references)
    schemas = learned(registry_url, number)
    assert schemas.decode(b"\0" + number.to_bytes(4, "big") + b"\x02\x04") == {
        "m": {"i": {"x": 1}},
        "i": {"x": 2},
    }


LOGICAL: list[tuple[Any, Any]] = [
    ({"type": "long", "logicalType": "timestamp-millis"}, AT),
    ({"type": "long", "logicalType": "timestamp-micros"}, AT),
    ({"type": "long", "logicalType": "local-timestamp-millis"}, AT.replace(tzinfo=None)),
    ({"type": "int", "logicalType": "date"}, date(2026, 9, 7)),
    ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Decimal("12.50")),
    ({"type": "string", "logicalType": "uuid"}, UUID(int=7)),
    ({"type": "long", "logicalType": "nobodys"}, 5),
    ({"type": "map", "values": ["null", "int"]}, {"a": 1, "b": None}),
    ({"type": "fixed", "name": "F", "size": 2}, b"\1\2"),
]


@pytest.mark.parametrize(("schema", "value"), LOGICAL, ids=lambda x: str(x)[:40])
def test_logical_types(schema: Any, value: Any) -> None:
    decoder = AvroDecoder(Registered("AVRO", json.dumps(schema), {}))
    assert decoder.decode(avro(1, schema, value)) == value


def test_canonical_records_in_avro(twin: Twin) -> None:
    schema = {
        "type": "record",
        "name": "Canonical",
        "fields": [
            {"name": "kind", "type": "string"},
            {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "imsi", "type": "string"},
            {"name": "cell", "type": ["null", "string"]},
            {"name": "lac", "type": "int"},
        ],
    }
    number = register(twin.url, "value", schema)
    desk = Desk(schemas=learned(twin.url, number))
    record = {"kind": "loc.sight", "t": AT, "imsi": IMSI, "cell": "460-00-1-1", "lac": 5}
    found = desk.fields(avro(number, schema, record))
    assert {"t": T, "cell": "460-00-1-1", "lac": 5, "source": "feed"}.items() <= found.items()
    assert "cell" not in desk.fields(avro(number, schema, {**record, "cell": None}))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (record_of(["null", "N"]), "without recursion"),
        (record_of({"type": "array", "items": "N"}), "without recursion"),
        (record_of({"type": "map", "values": "N"}), "without recursion"),
        ({"type": "array", "items": "null"}, "elements of a byte or more"),
        ({"type": "array", "items": record_of("null")}, "elements of a byte or more"),
        ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, "elements of a byte or more"),
        ({"type": "nobody"}, "a schema of Avro"),
        ({"type": "array", "items": "missing.Name"}, "a schema of Avro"),
        ("[", "a schema of Avro"),
        (5, "a schema of Avro"),
    ],
)
def test_schemas_of_avro_that_are_refused(schema: Any, expected: str, twin: Twin) -> None:
    number = register(twin.url, "value", schema)
    desk = Desk(schemas=learned(twin.url, number))
    for _ in range(2):
        assert desk.read(b"\0" + number.to_bytes(4, "big") + b"\x02" * 100_000 + b"\0") == []
    said = desk.said()
    assert [(place, reason) for place, reason, _ in said] == [("feed:0:0", "schema"), ("feed:0:1", "schema")]
    assert expected in said[0][2]
    assert f"(schema {number})" in said[0][2]


def test_a_record_that_is_used_twice_is_no_recursion() -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}
    schema = {
        "type": "record",
        "name": "O",
        "fields": [{"name": "a", "type": inner}, {"name": "b", "type": "I"}],
    }
    decoder = AvroDecoder(Registered("AVRO", json.dumps(schema), {}))
    assert decoder.decode(b"\0\0\0\0\1\x02\x04") == {"a": {"x": 1}, "b": {"x": 2}}


@pytest.mark.parametrize(
    "left", [b"", b"\0", b"\x08", b"\0\0\0", b"\xff" * 40, b"\0\0\x02\xfe\xff\xff\xff\xff\x01"]
)
def test_what_is_no_avro_of_its_schema(left: bytes) -> None:
    decoder = AvroDecoder(Registered("AVRO", json.dumps(EVENT), {}))
    with pytest.raises(Bad) as raised:
        decoder.decode(b"\0\0\0\0\1" + left)
    assert raised.value.reason == "decode"


def test_bytes_that_are_left_over_are_an_error(twin: Twin) -> None:
    decoder = AvroDecoder(Registered("AVRO", json.dumps(EVENT), {}))
    with pytest.raises(Bad) as raised:
        decoder.decode(avro(1, EVENT, event()) + b"xx")
    assert raised.value.was == "2 bytes more"


# -- Protobuf ------------------------------------------------------------------------------------------------


def test_protobuf_becomes_records(registry_url: str, subject: Subject, tmp_path: Path) -> None:
    number = register(registry_url, subject("value"), PROTO, "PROTOBUF")
    made: Any = message_class(PROTO, "probe.Batch")
    batch = made()
    for order, what in enumerate(("attach", "detach", None)):
        one = batch.events.add(imsi=IMSI, eci=77 + order, rat=6 if order else 0)
        one.at.FromMicroseconds(T + order)
        if what:
            getattr(one, what).result = f"r{order}"
    batch.events[1].cause = 0
    desk = Desk(map_of(tmp_path, BATCH_MAP), learned(registry_url, number))
    first, second = desk.read(protobuf(number, batch))
    assert desk.refusals == []
    assert (first.kind, first.t, first.cell, first.position) == ("power.on", T, "460-00-77", "feed:0:0#1")
    assert (first.fields["result"], "rat" in first.fields, "cause" in first.fields) == ("r0", False, False)
    assert (second.kind, second.t, second.fields["rat"]) == ("power.off", T + 1, "LTE")
    assert (second.fields["result"], second.fields["cause"]) == ("r1", "0")


def test_all_of_protobuf_is_plain(twin: Twin) -> None:
    number = register(twin.url, "value", PROTO, "PROTOBUF")
    made: Any = message_class(PROTO, "probe.Batch.Event")
    one = made(imsi=IMSI, rat=99, eci=1 << 63, raw=b"\xff", seen=[6, 7])
    one.took.FromMilliseconds(1_500)
    one.apn.value = ""
    one.by[3].result = "x"
    one.rats["a"] = 10
    one.free.update({"a": [1, None, {"b": "c"}]})
    one.inner.inner.imsi = "i"
    schemas = learned(twin.url, number)
    # the second type within the first of the file, the entry of the map aside: 2 steps, 0, 1
    found = schemas.decode(protobuf(number, one, b"\x04\x00\x02"))
    inner = found.pop("inner")
    assert found == {
        "imsi": IMSI,
        "rat": 99,
        "eci": 1 << 63,
        "took": 1.5,
        "apn": "",
        "by": {"3": {"result": "x"}},
        "seen": ["LTE", 7],
        "raw": b"\xff",
        "free": {"a": [1.0, None, {"b": "c"}]},
        "flag": False,
        "rats": {"a": "NR"},
    }
    assert inner["inner"]["imsi"] == "i"
    other: Any = message_class(PROTO, "probe.Other")
    assert schemas.decode(protobuf(number, other(imsi="o"), b"\x02\x02")) == {"imsi": "o"}


def test_references_of_protobuf(registry_url: str, subject: Subject) -> None:
    common = 'syntax = "proto3"; package c; message Header { string imsi = 1; }'
    text = 'syntax = "proto3"; package d; import "lib/common.proto"; message M { c.Header header = 1; }'
    register(registry_url, subject("common"), common, "PROTOBUF")
    number = register(
        registry_url, subject("value"), text, "PROTOBUF", **{"lib/common.proto": subject("common")}
    )
    made: Any = message_class(text, "d.M", **{"lib/common.proto": common})
    message = made()
    message.header.imsi = "i"
    assert learned(registry_url, number).decode(protobuf(number, message)) == {"header": {"imsi": "i"}}


def test_proto2_has_defaults_and_groups(twin: Twin) -> None:
    text = (
        'syntax = "proto2"; message M { required int32 a = 1; optional string b = 2 [default = "x"]; '
        "optional group G = 3 { optional int32 c = 4; } repeated int32 d = 5 [packed = true]; }"
    )
    number = register(twin.url, "value", text, "PROTOBUF")
    schemas, made = learned(twin.url, number), message_class(text, "M")
    message: Any = made(a=1, d=[1, 2])
    message.g.c = 4
    assert schemas.decode(protobuf(number, message)) == {"a": 1, "g": {"c": 4}, "d": [1, 2]}
    # what is required and missing is the business of the map
    assert schemas.decode(b"\0" + number.to_bytes(4, "big") + b"\0") == {"d": []}


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (b"", "the place of its type"),
        (b"\x01", "the place of its type"),
        (b"\x02\x0a", "the place of its type"),
        (b"\x04\x00\x06", "the place of its type"),
        (b"\xff\xff\xff\xff\xff\x01", "the place of its type"),
        (b"\x80", "the place of its type"),
        (b"\x7e" + b"\0" * 63, "the place of its type"),
        (b"\0\x12\x05ab", "a message of its schema"),
        (b"\0\xff", "a message of its schema"),
        (b"\0\x12\x0b\x0a\x09\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "a message of its schema"),
        (b"\0" + b"\x12\x80\x80\x10" + b"\x72" * 100, "a message of its schema"),
    ],
)
def test_what_is_no_protobuf_of_its_schema(left: bytes, expected: str, twin: Twin) -> None:
    number = register(twin.url, "value", PROTO, "PROTOBUF")
    desk = Desk(schemas=learned(twin.url, number))
    assert desk.read(b"\0" + number.to_bytes(4, "big") + left) == []
    [(place, reason, detail)] = desk.said()
    assert (place, reason) == ("feed:0:0", "decode")
    assert expected in detail
    assert desk.refusals == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('syntax = "proto3"; message M { strings a = 1; }', '"strings" is not defined'),
        ('syntax = "proto3"; import "missing.proto"; message M {}', "missing.proto"),
        ("no proto at all", "schema: expected a schema of Protobuf"),
        ("", "decode"),
    ],
)
def test_schemas_of_protobuf_that_are_refused(text: str, said: str, twin: Twin) -> None:
    number = register(twin.url, "value", text, "PROTOBUF")
    desk = Desk(schemas=learned(twin.url, number))
    assert desk.read(b"\0" + number.to_bytes(4, "big") + b"\0") == []
    [refusal] = desk.said()
    assert said in " ".join(refusal)


# -- the rest ------------------------------------------------------------------------------------------------


def test_json_behind_the_prefix(twin: Twin) -> None:
    number = register(twin.url, "value", '{"type": "object"}', "JSON")
    desk = Desk(schemas=learned(twin.url, number))
    prefix = b"\0" + number.to_bytes(4, "big")
    record = b'{"kind": "loc.sight", "t": %d, "imsi": "%s", "cell": "c"}' % (T, IMSI.encode())
    assert desk.fields(prefix + record)["cell"] == "c"
    assert [event.cell for event in desk.read(prefix + b"[" + record + b"," + record + b"]")] == ["c", "c"]
    assert desk.read(prefix + b"[1]") == desk.read(prefix + b"{") == []
    assert [(place, reason) for place, reason, _ in desk.said()] == [
        ("feed:0:2#1", "type"),
        ("feed:0:3", "decode"),
    ]


@pytest.mark.parametrize("raw", [b"", b"\0\0\0\0", b"{}", b'{"kind": "loc.sight"}', b"\1\0\0\0\7x"])
def test_messages_without_the_prefix(raw: bytes, twin: Twin) -> None:
    desk = Desk(schemas=learned(twin.url))
    assert desk.messages.needs(raw) is None
    assert desk.read(raw) == []
    [(_, reason, detail)] = desk.said()
    assert reason == "schema"
    assert detail.startswith("message: expected a 0 and the id of a schema at its beginning, was ")


def test_packed_numbers_are_not_in_a_refusal(twin: Twin) -> None:
    number = register(twin.url, "value", PROTO, "PROTOBUF")
    desk = Desk(schemas=learned(twin.url, number))
    desk.read(b"\0" + number.to_bytes(4, "big") + b"\0\xff" + IMSI.encode())
    [refusal] = desk.refusals
    assert refusal.raw == "<22 bytes>"
