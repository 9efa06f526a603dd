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
from connectors.xdr_time import EPOCHS
from connectors.xdr_values import (
    KEPT_AT_MOST,
    KEPT_LENGTH,
    NUMBERS_AT_MOST,
    Kept,
    Read,
    column_reader,
    is_kept,
    stripped,
)
from engine.refusals import Bad, describe

Take = Callable[[Any], Any]
"""A value of a message, not None, to one of a record; None: there is none. Raises `Bad`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # local times of a schema have no zone
_MICROSECOND = timedelta(microseconds=1)
_WHOLE_AT_MOST = 1 << 53
"""Larger numbers are left to those who name what is wrong with them."""


def taker(name: str, spec: ValueSpec, utc_offset: str, filler: str | None) -> Take:
    """Return what takes values of a field by a spec. What comes again and again is kept, as of columns."""
    # whether a value has to be there is known only after all ways to it
    optional = spec.model_copy(update={"required": False})
    plain = not (spec.values or spec.empty or spec.slice or spec.until or spec.divide or spec.lower or filler)
    if spec.type == "time":
        return _times(column_reader(name, optional, utc_offset, filler), spec, utc_offset)
    if plain and spec.type == "text":
        return _texts(stripped(name, optional, utc_offset, filler))
    read = stripped(name, optional, utc_offset, filler)
    if spec.type in ("int", "bytes", "hex"):
        least = -_WHOLE_AT_MOST if spec.type == "int" else 0
        return _numbers(read, least, as_they_are=plain, is_hex=spec.type == "hex")
    return _kept(read) if is_kept(name, spec) else lambda value: read(_bytes_of(value))


def _texts(read: Read) -> Take:
    def take(value: Any) -> Any:
        return value.strip() or None if value.__class__ is str else read(written(value))

    return take


def _times(read: Read, spec: ValueSpec, utc_offset: str) -> Take:
    offset = offset_micros(spec.utc_offset or utc_offset)
    unit = EPOCHS.get(spec.format or "", 0)

    def take(value: Any) -> Any:
        found = value.__class__
        if found is int and unit and 0 <= value < _WHOLE_AT_MOST:
            return value * unit
        # a schema says itself what its number means, whatever the map says
        return micros_of(value, offset) if found is datetime else read(_bytes_of(value))

    return take


def _numbers(read: Read, least: int, *, as_they_are: bool, is_hex: bool) -> Take:
    kept = Kept(read, NUMBERS_AT_MOST)

    def take(value: Any) -> Any:
        found = value.__class__
        if found is int and as_they_are and least <= value <= _WHOLE_AT_MOST:
            return value
        if found is bytes and is_hex:
            return kept[value.hex().encode()]
        return kept[_bytes_of(value)]

    return take


def _kept(read: Read) -> Take:
    texts: dict[str, Any] = {}
    whole: dict[int, Any] = {}

    def take(value: Any) -> Any:
        found = value.__class__
        if found is str:
            if value in texts:
                return texts[value]
            return _remember(texts, value, read(_bytes_of(value)))
        if found is int:
            if value in whole:
                return whole[value]
            return _remember(whole, value, read(_bytes_of(value)))
        return read(written(value))

    return take


def _remember(kept: dict[Any, Any], value: Any, meant: Any) -> Any:
    if len(kept) >= KEPT_AT_MOST:
        kept.clear()
    if value.__class__ is int or len(value) <= KEPT_LENGTH:
        kept[value] = meant
    return meant


def _bytes_of(value: Any) -> bytes:
    return value.encode("utf-8", "surrogatepass") if value.__class__ is str else written(value)


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
        whole = value.is_integer() and abs(value) <= _WHOLE_AT_MOST
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
