"""Messages become records by a field map (`connectors.field_map`): the sibling of `Rows` of xDR files.

A bad record is refused with the place of its message, its number in it, the field and the path; the others of
the message are taken. Reasons are those of column maps (`time number value utf8 type`) and of intake; `size`:
a message of too many records.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import orjson

from connectors.field_finders import (
    Find,
    Roots,
    conditional,
    first_of,
    kind_finder,
    picker,
    summed,
    templated,
    value_finder,
)
from connectors.field_map import FieldMap, PathSpec, kind_paths
from connectors.message_path import NOTHING, Envelope, Path
from connectors.message_values import taker
from connectors.xdr_values import known_of
from engine.event import Event
from engine.intake import Intake
from engine.refusals import Bad, describe

RECORDS_AT_MOST = 20_000
"""Of one message. One of 1 MB has room for a few thousand; a schema may make it millions of empty ones."""


class FieldRecords:
    """Takes messages by a field map; records to be skipped are counted in `Intake.passed`."""

    def __init__(self, fields: FieldMap, intake: Intake) -> None:
        self.fields = fields
        self._intake = intake
        self._each = None if fields.each is None else Path(fields.each)
        self.reader = RecordReader(fields, intake.identity.key)
        sure = {name: known_of(ways) for name, ways in fields.fields.items()}
        self._unsure = {kind: intake.unsure(kind, sure) for kind in fields.kinds}

    def take(
        self, message: Any, position: str, place: str = "", envelope: Envelope = NOTHING, only: int = 0
    ) -> list[Event]:
        """Return the events of a message, an object or an array of objects.

        `position`: for refusals; the k-th record of several, from 1, has `position#k`. `place`: what ids are
        made of where the map names no natural key: unique to the message. `only`: the number of the one
        record that is wanted; 0: all.
        """
        source = self.fields.source
        parts = list(self.parts(message))
        if len(parts) > RECORDS_AT_MOST:
            detail = f"records: expected at most {RECORDS_AT_MOST}, was {len(parts)}"
            self._intake.refuse("size", detail, source, position, "")
            return []
        record, unsure = self._intake.record, self._unsure
        outside = envelope.as_dict() if self.reader.looks_outside else None
        several = message.__class__ is list or self._each is not None
        events: list[Event] = []
        for number, (part, whole) in enumerate(parts, 1):
            if only not in (0, number):
                continue
            mark = f"#{number}" if several else ""
            try:
                if part.__class__ is Bad:
                    part, wrong = whole, part
                    mark = mark if message.__class__ is list else ""
                    raise wrong
                fields = self.reader.read(part, whole, outside, place + mark)
            except Bad as bad:
                detail = f"{bad.field}: expected {bad.expected}, was {bad.was or 'empty'}"
                self._intake.refuse(bad.reason, detail, source, position + mark, shown(part))
                continue
            if fields is None:
                self._intake.passed["skipped"] += 1
                continue
            event = record(fields, source, position + mark, unsure[fields["kind"]])
            if event is not None:
                events.append(event)
        return events

    def parts(self, message: Any) -> Iterator[tuple[Any, Any]]:
        """Yield (part that holds one record, message around it); a `Bad` as part where the array is none."""
        for whole in message if message.__class__ is list else (message,):
            if self._each is None:
                yield whole, whole
                continue
            array = self._each.get(whole)
            if array is None and self._each.is_null(whole):
                continue
            if array.__class__ is not list:
                yield Bad("an array", describe(array), field=f"each ({self._each})"), whole
                continue
            for part in array:
                yield part, whole


class RecordReader:
    """A field map, compiled: parts of messages into the fields of records."""

    def __init__(self, fields: FieldMap, key: bytes) -> None:
        paths = [Path(text) for text in _paths_of(fields)]
        self.looks_outside = any(path.root == "envelope" for path in paths)
        """Whether any path begins with `@`."""
        self._takes_anything = any(path.root == "part" and not path.steps for path in paths)
        self._helpers = tuple(fields.helpers)
        self._hash = blake2b(fields.source.encode() + b"\0", digest_size=8, key=key)
        self._kind = kind_finder(fields.kind)
        self._key = [picker(Path(path)) for path in fields.id]
        self._map = fields
        found: list[tuple[int, str, Find, bool]] = []
        for name, ways in fields.ways():
            find = first_of(tuple(conditional(self._finder(name, way), way) for way in ways))
            required = any(way.required for way in ways)
            found.append((max(way.stage for way in ways), name, find, required))
        # what is made of others comes after them
        self._values = [each[1:] for each in sorted(found, key=lambda each: each[0])]

    def read(self, part: Any, message: Any, envelope: Any, place: str) -> dict[str, Any] | None:
        """Return the fields of a record, None for one to be skipped; raise `Bad` for a bad one."""
        if part.__class__ is not dict and not self._takes_anything:
            raise Bad("an object", describe(part), field="record")
        roots = (part, message, envelope)
        kind = self._kind(roots)
        if kind is None:
            return None
        fields: dict[str, Any] = {"kind": kind}
        for name, find, required in self._values:
            value = find(roots, fields)
            if value is not None:
                fields[name] = value
            elif required:
                raise Bad("a value", "nothing", "type", self.named(name))
        for name in self._helpers:
            fields.pop(name, None)
        fields["id"] = self._id(roots, place) if self._key else place
        return fields

    def named(self, name: str) -> str:
        """Name a field or helper with the paths it comes from."""
        ways = self._map.fields.get(name) or self._map.helpers[name]
        return " ".join([name, *(f"({way.path})" for way in ways if way.path is not None)])

    def _id(self, roots: Roots, place: str) -> str:
        values = [pick(roots) for pick in self._key]
        if not any(value is not None for value in values):
            return place
        hashed = self._hash.copy()
        # tells text from numbers, and where one value ends
        hashed.update(repr(values).encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()

    def _finder(self, name: str, spec: PathSpec) -> Find:
        if spec.template is not None:
            return templated(spec.template)
        if spec.sum is not None:
            return summed(spec.sum)
        take = taker(name, spec, self._map.utc_offset, self._map.filler)
        if spec.constant is not None:
            constant = take(spec.constant)
            return lambda roots, fields: constant
        assert spec.path is not None
        return value_finder(name, Path(spec.path), take)


def _paths_of(fields: FieldMap) -> Iterator[str]:
    """Yield all paths that look at a record."""
    yield from fields.id
    yield from kind_paths(fields.kind)
    for _, ways in fields.ways():
        for way in ways:
            if way.path is not None:
                yield way.path
            if way.when is not None:
                yield way.when.path


def shown(value: Any) -> bytes:
    """Return a value of a message as JSON, for a dead letter; empty if JSON has no way to say it."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return b""


def _plain(value: Any) -> str:
    """Say in text what JSON has no type for; of bytes nothing, they may be a packed number of somebody."""
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
