"""Values of messages, as JSON, Avro and Protobuf have them, made values of records by the words of a map.

A value that is not text is written as the text that JSON would have for it and read by the readers of columns
(`connectors.xdr_values`): both kinds of maps mean the same. What needs no reading goes straight through.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.column_spec import ValueSpec, offset_micros
from connectors.xdr_values import Read
from engine.field_checks import MOST
from engine.refusals import Bad, describe

Take = Callable[[Any], Any]
"""A value of a message, not None, to one of a record; None: there is none. Raises `Bad`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # local times of a schema have no zone
_MICROSECOND = timedelta(microseconds=1)


def taker(spec: ValueSpec, read: Read, utc_offset: str, filler: str | None) -> Take:
    """Return what takes values by a spec; `read`: what reads them from text."""
    plain = not (spec.values or spec.empty or spec.slice or spec.until or spec.divide or spec.lower or filler)
    as_text = plain and spec.type == "text"
    as_whole = plain and spec.type in ("int", "bytes", "hex")
    least = 0 if spec.type == "bytes" else -MOST
    is_time, is_hex = spec.type == "time", spec.type == "hex"
    offset = offset_micros(spec.utc_offset or utc_offset)

    def take(value: Any) -> Any:
        found = value.__class__
        if found is str:
            if as_text:
                return value.strip() or None
            return read(value.encode("utf-8", "surrogatepass"))
        if found is int:
            if as_whole and least <= value <= MOST:
                return value
            return read(b"%d" % value)
        if is_time and found is datetime:
            return micros_of(value, offset)
        if is_hex and found is bytes:
            return read(value.hex().encode())
        return read(written(value))

    return take


def micros_of(value: datetime, utc_offset: int) -> int:
    """Return a time of a schema as µs UTC; `utc_offset` (µs) of one without a zone."""
    if value.tzinfo is None:
        return (value - _NAIVE_EPOCH) // _MICROSECOND - utc_offset
    return (value - _EPOCH) // _MICROSECOND


def written(value: Any) -> bytes:
    """Return a single value as text; raise `Bad` for lists and mappings."""
    if value is True or value is False:
        return b"true" if value else b"false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) <= MOST
        return (b"%d" % int(value)) if whole else repr(value).encode()
    if isinstance(value, bytes):
        return value
    if isinstance(value, datetime | date | time_of_day):
        return value.isoformat().encode()
    if isinstance(value, Decimal):
        return format(value, "f").encode()
    if isinstance(value, int | str | UUID):
        return str(value).encode("utf-8", "surrogatepass")
    raise Bad("a single value", describe(value))
