"""The packed history <-> bytes.

Per segment: start and clock u64, count u32, four u32 lengths, then base (JSON), strings (JSON list), tokens,
entries. A token is a length byte and references (u8, or u16 if there are more than 255 strings) to: kind,
places, cell, and word position + word for each word that is not null; its flags stand before them.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import orjson

from engine.event import Event
from engine.history import WORDS, History, Segment

_SEGMENT = Struct("<QQIIIII")
_NO_CLOCK = 1 << 63


def pack_history(history: History) -> bytes:
    """Write all segments; the tables of a segment keep their bytes until a token is added."""
    parts = []
    for segment in history.segments:
        if segment.packed_for != len(segment.table):
            segment.packed = _pack_tables(segment)
            segment.packed_for = len(segment.table)
        base, strings, tokens = segment.packed
        start = segment.start if segment.start >= 0 else _NO_CLOCK
        parts.append(
            _SEGMENT.pack(
                start,
                segment.clock,
                segment.count,
                len(base),
                len(strings),
                len(tokens),
                len(segment.buffer),
            )
        )
        parts += (base, strings, tokens, bytes(segment.buffer))
    return b"".join(parts)


def _pack_tables(segment: Segment) -> tuple[bytes, bytes, bytes]:
    strings: dict[str, int] = {}
    values: list[Any] = []

    def reference(value: Any) -> int:
        key = repr(value)
        if key not in strings:
            strings[key] = len(values)
            values.append(value)
        return strings[key]

    rows = []
    for token in segment.table:
        kind, flags, places, cell = token[:4]
        row = [reference(kind), reference(places), reference(cell)]
        for position, word in enumerate(token[4:]):
            if word is not None:
                row += (position, reference(word))
        rows.append((flags, row))
    wide = len(values) > 255
    size = 2 if wide else 1
    tokens = bytearray([size])
    for flags, row in rows:
        tokens += bytes((flags, len(row)))
        for number in row:
            tokens += number.to_bytes(size, "little")
    return orjson.dumps(segment.base), orjson.dumps(values), bytes(tokens)


def unpack_history(data: bytes) -> History:
    """Read what `pack_history` wrote."""
    history = History()
    at = 0
    while at < len(data):
        start, clock, count, *sizes = _SEGMENT.unpack_from(data, at)
        at += _SEGMENT.size
        parts = []
        for size in sizes:
            if at + size > len(data):
                raise ValueError("the history ends in the middle of a segment")
            parts.append(data[at : at + size])
            at += size
        segment = Segment(start if start != _NO_CLOCK else -1, orjson.loads(parts[0]))
        segment.clock = clock
        segment.count = count
        segment.table = _unpack_tokens(orjson.loads(parts[1]), parts[2])
        segment.tokens = {token: index for index, token in enumerate(segment.table)}
        segment.buffer = bytearray(parts[3])
        segment.packed = (parts[0], parts[1], parts[2])
        segment.packed_for = len(segment.table)
        history.segments.append(segment)
        history.total += count
    return history


def _unpack_tokens(values: list[Any], data: bytes) -> list[Any]:
    size = data[0]
    table = []
    at = 1
    while at < len(data):
        flags, length = data[at], data[at + 1]
        at += 2
        row = [int.from_bytes(data[at + i * size : at + (i + 1) * size], "little") for i in range(length)]
        at += length * size
        kind, places, cell = (values[number] for number in row[:3])
        pairs = list(zip(row[3::2], row[4::2], strict=True))
        words: list[Any]
        if kind in WORDS:
            words = [None] * len(WORDS[kind])
        else:
            words = [None] * len(pairs)
        for position, number in pairs:
            words[position] = values[number]
        table.append((kind, flags, tuple(places) if places is not None else None, cell, *words))
    return table


def plain_history(entries: list[list[Any]]) -> History:
    """Build a history from plain entries of version 1.

    [clock, kind, t, seen, cell, places, no_trigger, fields] each.
    """
    history = History()
    for clock, kind, time, seen, cell, places, no_trigger, fields in entries:
        if history.is_full(clock):
            history.begin(clock, None)
        event = Event(kind, time, "", fields, cell, seen)
        history.append(event, clock, tuple(places) if places is not None else None, no_trigger)
    return history
