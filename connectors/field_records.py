"""Messages become records by a field map (`connectors.field_map`): the sibling of `Rows` of xDR files.

A bad record is refused with the place of its message, its number in it, the field and the path; the others of
the message are taken. Reasons are those of column maps (`time number value utf8 type`) and of intake; `size`:
a message of too many records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

import orjson

from connectors.column_spec import SLOT
from connectors.field_map import FieldMap, KindByPresence, KindByValue, PathSpec
from connectors.message_path import NOTHING, Envelope, Path
from connectors.message_values import taker, written
from connectors.xdr_values import column_reader
from engine.errors import InputError
from engine.event import Event
from engine.intake import Intake
from engine.refusals import Bad, describe, quote

RECORDS_AT_MOST = 20_000
"""Of one message. One of 1 MB has room for a few thousand; a schema may make it millions of empty ones."""

Find = Callable[[Any, Any, Any, dict[str, Any]], Any]
"""(part, message, envelope, fields found so far) -> the value, None if there is none. Raises `Bad`."""
FindKind = Callable[[Any, Any, Any], str | None]
"""(part, message, envelope) -> the kind, None for a record to be skipped. Raises `Bad`."""


class FieldRecords:
    """Takes messages by a field map; raises InputError for constants and `values` in it of a wrong type."""

    def __init__(self, fields: FieldMap, intake: Intake) -> None:
        self.fields = fields
        self._intake = intake
        self._each = None if fields.each is None else Path(fields.each)
        try:
            self.reader = RecordReader(fields, intake.identity.key)
        except Bad as bad:
            raise InputError(f"map {fields.map}", bad.expected, bad.was or "empty") from None

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
            event = None if fields is None else self._intake.record(fields, source, position + mark)
            if event is not None:
                events.append(event)
        return events

    def parts(self, message: Any) -> Iterator[tuple[Any, Any]]:
        """Yield (part that holds one record, message around it); for one without its array a `Bad` as part."""
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
        self._map = fields
        self.looks_outside = False
        """Whether any path begins with `@`."""
        self._looks_at_whole = False
        self._helpers = tuple(fields.helpers)
        self._hash = blake2b(fields.source.encode() + b"\0", digest_size=8, key=key)
        self._kind = self._kind_of(fields.kind)
        self._key = [self._picked(path) for path in fields.id]
        found: list[tuple[str, bool, tuple[Find, ...], int]] = []
        for name, ways in fields.ways():
            finds = tuple(self._finder(name, way) for way in ways)
            required = any(way.required for way in ways)
            found.append((name, required, finds, max(way.stage for way in ways)))
        # what is made of others comes after them
        self._values = [each[:3] for each in sorted(found, key=lambda each: each[3])]

    def read(self, part: Any, message: Any, envelope: Any, place: str) -> dict[str, Any] | None:
        """Return the fields of a record, None for one to be skipped; raise `Bad` for a bad one."""
        if part.__class__ is not dict and not self._looks_at_whole:
            raise Bad("an object", describe(part), field="record")
        kind = self._kind(part, message, envelope)
        if kind is None:
            return None
        fields: dict[str, Any] = {"kind": kind}
        for name, required, finds in self._values:
            for find in finds:
                value = find(part, message, envelope, fields)
                if value is not None:
                    fields[name] = value
                    break
            else:
                if required:
                    raise Bad("a value", "nothing", "type", self._named(name))
        for name in self._helpers:
            fields.pop(name, None)
        fields["id"] = self._id(part, message, envelope, place)
        return fields

    def _id(self, part: Any, message: Any, envelope: Any, place: str) -> str:
        values = [pick(part, message, envelope) for pick in self._key]
        if all(value is None for value in values):
            return place
        hashed = self._hash.copy()
        for value in values:
            hashed.update(_exactly(value) + b"\0")
        return hashed.hexdigest()

    # -- compiling -------------------------------------------------------------------------------------------

    def _named(self, name: str) -> str:
        """Name a field with the paths it comes from."""
        ways = {**self._map.fields, **self._map.helpers}[name]
        return " ".join([name, *(f"({way.path})" for way in ways if way.path is not None)])

    def _picked(self, text: str) -> Callable[[Any, Any, Any], Any]:
        """Return what gets the value at a path."""
        path = Path(text)
        get = path.get
        self._looks_at_whole |= path.root == "part" and not path.steps
        if path.root == "part":
            return lambda part, message, envelope: get(part)
        if path.root == "message":
            return lambda part, message, envelope: get(message)
        self.looks_outside = True
        return lambda part, message, envelope: get(envelope)

    def _finder(self, name: str, spec: PathSpec) -> Find:
        find = self._plain_finder(name, spec)
        if spec.when is None:
            return find
        pick, texts = self._picked(spec.when.path), frozenset(text.encode() for text in spec.when.texts)

        def when(part: Any, message: Any, envelope: Any, fields: dict[str, Any]) -> Any:
            value = pick(part, message, envelope)
            if value is None or isinstance(value, list | dict) or written(value).strip() not in texts:
                return None
            return find(part, message, envelope, fields)

        return when

    def _plain_finder(self, name: str, spec: PathSpec) -> Find:
        if spec.template is not None:
            return _templated(spec.template, spec.slots)
        if spec.sum is not None:
            return _summed(tuple(spec.sum.items()))
        # whether a value has to be there is known only after all ways to it
        optional = spec.model_copy(update={"required": False})
        read = column_reader(name, optional, self._map.utc_offset, self._map.filler)
        if spec.constant is not None:
            constant = read(spec.constant.encode())
            return lambda part, message, envelope, fields: constant
        assert spec.path is not None
        take = taker(spec, read, self._map.utc_offset, self._map.filler)
        where = name if spec.path == name else f"{name} ({spec.path})"
        pick, path = self._picked(spec.path), Path(spec.path)
        get = path.get

        def found(value: Any) -> Any:
            try:
                return take(value)
            except Bad as bad:
                bad.field = where
                raise

        if path.root == "part":

            def find(part: Any, message: Any, envelope: Any, fields: dict[str, Any]) -> Any:
                value = get(part)
                return None if value is None else found(value)

            return find

        def find_outside(part: Any, message: Any, envelope: Any, fields: dict[str, Any]) -> Any:
            value = pick(part, message, envelope)
            return None if value is None else found(value)

        return find_outside

    def _kind_of(self, kind: str | KindByValue | KindByPresence) -> FindKind:
        if isinstance(kind, str):
            return lambda part, message, envelope: kind
        skips = kind.otherwise == "skip"
        if isinstance(kind, KindByPresence):
            picks = [(self._picked(path), meant) for path, meant in kind.present.items()]
            expected = "one of " + ", ".join(kind.present)

            def by_presence(part: Any, message: Any, envelope: Any) -> str | None:
                for pick, meant in picks:
                    if pick(part, message, envelope) is not None:
                        return meant
                if skips:
                    return None
                raise Bad(expected, "none of them", "value", "kind")

            return by_presence
        pick, where = self._picked(kind.path), f"kind ({kind.path})"
        finds = {text: self._kind_of(meant) for text, meant in kind.values.items()}
        listed = "one of " + ", ".join(kind.values)

        def by_value(part: Any, message: Any, envelope: Any) -> str | None:
            value = pick(part, message, envelope)
            text = value.strip() if value.__class__ is str else _as_text(value, where)
            find = finds.get(text)
            if find is not None:
                return find(part, message, envelope)
            if skips:
                return None
            raise Bad(listed, quote(text) if text else "nothing", "value", where)

        return by_value


def _as_text(value: Any, where: str) -> str:
    if value is None:
        return ""
    try:
        return written(value).decode("utf-8", "replace").strip()
    except Bad as bad:
        bad.field = where
        raise


def _templated(template: str, slots: tuple[str, ...]) -> Find:
    def find(part: Any, message: Any, envelope: Any, fields: dict[str, Any]) -> Any:
        if all(slot in fields for slot in slots):
            return SLOT.sub(lambda slot: str(fields[slot[1]]), template)
        return None

    return find


def _summed(factors: tuple[tuple[str, int], ...]) -> Find:
    def find(part: Any, message: Any, envelope: Any, fields: dict[str, Any]) -> Any:
        if all(name in fields for name, _ in factors):
            return sum(fields[name] * factor for name, factor in factors)
        return None

    return find


def _exactly(value: Any) -> bytes:
    """Return a value so that others are never the same."""
    return value if isinstance(value, bytes) else shown(value) or repr(value).encode()


def shown(value: Any) -> bytes:
    """Return a value of a message as JSON, for a dead letter; empty if JSON has no way to say it."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return b""


def _plain(value: Any) -> str:
    """Say in text what JSON has no type for; of bytes nothing, they may be a packed number of somebody."""
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
