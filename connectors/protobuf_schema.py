"""Protobuf messages by the .proto text of the registry: plain values, well-known types as what they mean.

The text is compiled by grpcio-tools, which is Google's own compiler as a wheel: it takes what producers'
compilers take. (protoxy, the other one, is tied to a protobuf of 2024; parsers in Python leave out how names
are resolved.) It runs once per schema in a process of its own, so that no text can bring this one down.

    message            a mapping by the names of the .proto file; a field that was not set is missing, or has
                       its default where Protobuf can't tell the two apart (proto3 without `optional`)
    oneof              the member that was set; the others are missing
    enum               the name; a number that the schema does not know stays a number
    Timestamp          a time in UTC; Duration: seconds
    map                a mapping, keys as text
    Int32Value, ...    the value; Struct, Value, ListValue: as JSON
    bytes              bytes

Needs the extra `schemas`. Source: Protocol Buffers Language Specification (proto2, proto3, editions).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message

from connectors.schema_registry import Registered
from connectors.schema_wire import message_type
from engine.refusals import Bad

COMPILE_SECONDS = 60.0
_MAIN = "touchpoint-schema.proto"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAID_AT_MOST = 200

Plain = Callable[[Any], Any]


def compiled(registered: Registered) -> FileDescriptorSet:
    """Compile a schema; raise `Bad` with reason `schema` and the compiler's words if it can't be. Waits."""
    with TemporaryDirectory(prefix="touchpoint-proto-") as folder:
        root = Path(folder).resolve()
        for name, text in {**registered.references, _MAIN: registered.text}.items():
            path = (root / name).resolve()
            if not path.is_relative_to(root) or path == root:
                raise Bad("references that are names of .proto files", "other", "schema", "schema")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        made = root / "touchpoint-schema.bin"
        options = [f"-I{root}", "--include_imports", f"--descriptor_set_out={made}"]
        command = [sys.executable, "-m", "grpc_tools.protoc", *options, _MAIN]
        try:
            done = subprocess.run(command, capture_output=True, timeout=COMPILE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Bad("a schema that compiles", "one that does not end", "schema", "schema") from None
        if done.returncode != 0 or not made.exists():
            words = done.stderr.decode("utf-8", "replace").replace(f"{root}/", "").strip()
            raise Bad("a schema of Protobuf", words[:_SAID_AT_MOST] or "other", "schema", "schema")
        return FileDescriptorSet.FromString(made.read_bytes())


class ProtobufDecoder:
    """Decodes messages of one schema. Raises `Bad` with reason `schema` for one that can't be used."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        try:
            for file in files.file:
                self._pool.Add(file)
        except TypeError as error:
            raise Bad("a schema of Protobuf", str(error)[:_SAID_AT_MOST], "schema", "schema") from None
        self._file = files.file[-1]
        self._types: dict[tuple[int, ...], tuple[type[Message], Plain]] = {}
        self._plains: dict[str, Plain] = {}

    def decode(self, raw: bytes) -> Any:
        """Return what a message holds; raise `Bad` with reason `decode` if it is not of this schema."""
        steps, at = message_type(raw)
        found = self._types.get(steps) or self._type(steps)
        try:
            return found[1](found[0].FromString(raw[at:]))
        except Exception as error:  # bytes that are anything, in types that others made
            raise Bad("a message of its schema", type(error).__name__, "decode", "message") from None

    def _type(self, steps: tuple[int, ...]) -> tuple[type[Message], Plain]:
        name = _name_of(self._file, steps)
        descriptor = self._pool.FindMessageTypeByName(name)
        found = message_factory.GetMessageClass(descriptor), self._plain_of(descriptor)
        self._types[steps] = found
        return found

    def _plain_of(self, descriptor: Descriptor) -> Plain:
        """Return what makes messages of a type plain."""
        name = descriptor.full_name
        if name in _WELL_KNOWN:
            return _WELL_KNOWN[name]
        if name not in self._plains:
            fields: list[tuple[str, bool, Plain | None]] = []

            def plain(message: Any) -> dict[str, Any]:
                found = {}
                for field, may_be_missing, convert in fields:
                    if may_be_missing and not message.HasField(field):
                        continue
                    value = getattr(message, field)
                    found[field] = value if convert is None else convert(value)
                return found

            # known before its fields are: a type may be within itself
            self._plains[name] = plain
            fields += [
                (field.name, not field.is_repeated and field.has_presence, self._field_of(field))
                for field in descriptor.fields
            ]
        return self._plains[name]

    def _field_of(self, field: FieldDescriptor) -> Plain | None:
        """Return what makes values of a field plain; None: they are."""
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            one = self._single_of(inner.fields_by_name["value"])
            return lambda items: {str(key): items[key] if one is None else one(items[key]) for key in items}
        single = self._single_of(field)
        if not field.is_repeated:
            return single
        return list if single is None else lambda items: [single(item) for item in items]

    def _single_of(self, field: FieldDescriptor) -> Plain | None:
        if field.message_type is not None:
            return self._plain_of(field.message_type)
        if field.enum_type is None:
            return None
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)


def _name_of(file: FileDescriptorProto, steps: tuple[int, ...]) -> str:
    """Return the full name of the message type that the steps lead to."""
    names = [file.package] if file.package else []
    types = list(file.message_type)
    for step in steps:
        # what stands for a map is no message of the .proto file
        types = [each for each in types if not each.options.map_entry]
        if step >= len(types):
            was = ".".join(map(str, steps))
            raise Bad("the place of its type in the schema", was, "decode", "message")
        found: DescriptorProto = types[step]
        names.append(found.name)
        types = list(found.nested_type)
    return ".".join(names)


def _timestamp(message: Any) -> datetime:
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1_000)


def _duration(message: Any) -> int | float:
    return message.seconds + message.nanos / 1e9 if message.nanos else int(message.seconds)


def _wrapped(message: Any) -> Any:
    return message.value


def _json(message: Message) -> Any:
    return json_format.MessageToDict(message)


_WRAPPERS = ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")
_WELL_KNOWN: dict[str, Plain] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    **{f"google.protobuf.{name}Value": _wrapped for name in _WRAPPERS},
    **dict.fromkeys(("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"), _json),
}
