"""Messages of a topic into events: JSON, or by a schema registry Avro and Protobuf; canonical, or by a map.

No message stops the topic: what is wrong with one is refused with its place, TOPIC:PARTITION:OFFSET, and `#k`
for the k-th record of several. Reasons, beside those of intake and of field maps:

    schema      the message names no schema, the registry does not know it, or it can't be used
    decode      the message is not what its schema says
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import orjson

from connectors.cloud_events import Attributes, Headers, attributes
from connectors.field_map import FieldMap
from connectors.field_records import FieldRecords, shown
from connectors.message_path import Envelope
from connectors.message_values import micros_of, written
from engine.event import Event
from engine.intake import SIZE_AT_MOST, Intake
from engine.refusals import Bad, describe


class Message(Protocol):
    """One message of Kafka, as aiokafka gives it."""

    @property
    def value(self) -> bytes | None:
        """None: a tombstone, it tells nothing."""
        ...

    @property
    def key(self) -> bytes | None:
        """Its key."""
        ...

    @property
    def headers(self) -> Headers:
        """Its headers."""
        ...

    @property
    def timestamp(self) -> int:
        """Epoch ms."""
        ...


class SchemaSource(Protocol):
    """Schemas by id: `connectors.schemas.Schemas`."""

    def needs(self, raw: bytes) -> int | None:
        """Return the id of a schema that has to be learned before a message is decoded."""
        ...

    def decode(self, raw: bytes) -> Any:
        """Return what a message holds; raise `Bad`."""
        ...

    async def learn(self, number: int) -> None:
        """Get a schema; raise LogError: try again later."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class TopicMessages:
    """Reads the messages of one topic.

    `fields`: how they become records; None: they are canonical records. `schemas`: of the registry that the
    producers use; None: messages are plain JSON.
    """

    def __init__(
        self, topic: str, intake: Intake, fields: FieldMap | None = None, schemas: SchemaSource | None = None
    ) -> None:
        self.topic = topic
        self.id = ""
        """Kafka's of the topic, which ids of records are made of; empty: not known."""
        self._intake = intake
        self._source = topic if fields is None else fields.source
        self._records = None if fields is None else FieldRecords(fields, intake)
        self._schemas = schemas

    def needs(self, raw: bytes) -> int | None:
        """Return the id of a schema that has to be learned first; None: the message can be read."""
        return None if self._schemas is None else self._schemas.needs(raw)

    def read(self, message: Message, partition: int, offset: int, only: int = 0) -> list[Event]:
        """Return the events of a message. `only`: the number of the one record that is wanted; 0: all."""
        raw = message.value
        if raw is None:
            return []
        position = f"{self.topic}:{partition}:{offset}"
        headers = message.headers
        if self._records is None and self._schemas is None and not only:
            given = attributes(headers) if headers else None
            if given is None:
                return self._intake.read(raw, self.topic, position)
        content = self._content(raw, position)
        if content is _REFUSED:
            return []
        if self._records is not None:
            envelope = Envelope(message.key, message.timestamp, headers, self.topic)
            place = f"{self.id or self.topic}:{partition}:{offset}"
            return self._records.take(content, position, place, envelope, only)
        return self._canonical(content, position, attributes(headers), only)

    def _content(self, raw: bytes, position: str) -> Any:
        """Return what a message holds; `_REFUSED` if it was."""
        if len(raw) > SIZE_AT_MOST:
            detail = f"expected at most {SIZE_AT_MOST} bytes, was {len(raw)}"
            self._intake.refuse("size", detail, self._source, position, "")
            return _REFUSED
        if self._schemas is None:
            try:
                return orjson.loads(raw)
            except orjson.JSONDecodeError:
                # intake says what is wrong with it
                self._intake.read(raw, self._source, position)
                return _REFUSED
        try:
            return self._schemas.decode(raw)
        except Bad as bad:
            # not its bytes: packed numbers would not be seen as such
            detail = f"{bad.field}: expected {bad.expected}, was {bad.was}"
            self._intake.refuse(bad.reason, detail, self._source, position, f"<{len(raw)} bytes>")
            return _REFUSED

    def _canonical(self, content: Any, position: str, given: Attributes | None, only: int) -> list[Event]:
        several = content.__class__ is list
        events: list[Event] = []
        for number, record in enumerate(content if several else (content,), 1):
            if only not in (0, number):
                continue
            place = f"{position}#{number}" if several else position
            if record.__class__ is not dict:
                detail = f"expected an object{_OR_ARRAY[several]}, was {describe(record)}"
                self._intake.refuse("type", detail, self._source, place, shown(record))
                continue
            try:
                if given is not None:
                    given.fill(record, number if several else 0)
            except Bad as bad:
                detail = f"{bad.field}: expected {bad.expected}, was {bad.was}"
                self._intake.refuse(bad.reason, detail, self._source, place, shown(record))
                continue
            fields = record if self._schemas is None else _plain(record)
            event = self._intake.record(fields, self._source, place)
            if event is not None:
                events.append(event)
        return events


_REFUSED = object()
_OR_ARRAY = {True: "", False: " or an array of them"}


def _plain(value: Any) -> Any:
    """Return a decoded value as a record has it: times in µs, the rest as JSON would have it."""
    found = value.__class__
    if found is dict:
        return {name: _plain(inner) for name, inner in value.items()}
    if found is list:
        return [_plain(inner) for inner in value]
    if value is None or found in (str, int, float, bool):
        return value
    if isinstance(value, datetime):
        return micros_of(value, 0)
    return written(value).decode("utf-8", "replace")
