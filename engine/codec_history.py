"""The packed history and the counts of records <-> bytes.

Head: segments far and near, sums and counts (u16 each), sizes of words and tokens (u32), the day of the
counts (u32) and the first slot of the sums (u32). Then words, tokens, segments, sums (slot from the first u16,
KB u32) and counts (kind u8, three u16). Per segment: start and clock (i64), first seq (u32), entries (u32),
sizes of base and entries (u32 each). Writing is copying: all is held in this form (`engine.history`).
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import orjson

from engine.event_kinds import KINDS
from engine.heat import Heat
from engine.history import CROSSING, MARK, QUALITY, SPAN, WORDS, History, Segment

_HEAD = Struct("<HHHHIIII")
_SEGMENT = Struct("<qqIIII")
_SUM = Struct("<HI")
_COUNT = Struct("<BHHH")
_KINDS = tuple(KINDS)
"""Numbers of kinds in stored state: the order of the table, which only grows at its end."""
_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}
_MOST = 0xFFFF


def pack_history(history: History, heat: Heat) -> bytes:
    """Write what a history holds and how many records there were; times of hot kinds are not part of it."""
    sums, counts = history.sums, heat.counts
    first = next(iter(sums), 0)
    far, near = history.far, history.near
    strings, rows = bytes(history.strings), bytes(history.rows)
    head = _HEAD.pack(len(far), len(near), len(sums), len(counts), len(strings), len(rows), heat.day, first)
    parts = [head, strings, rows]
    for segments in (far, near):
        for segment in segments:
            buffer = bytes(segment.buffer)
            parts.append(
                _SEGMENT.pack(
                    segment.start,
                    segment.clock,
                    segment.first,
                    segment.count,
                    len(segment.base),
                    len(buffer),
                )
            )
            parts.append(segment.base)
            parts.append(buffer)
    if sums:
        first = min(sums)
        if first != next(iter(sums)):
            sums = history.sums = dict(sorted(sums.items()))
            parts[0] = _HEAD.pack(
                len(far), len(near), len(sums), len(counts), len(strings), len(rows), heat.day, first
            )
        parts += [_SUM.pack(slot - first, -(-size // 1024)) for slot, size in sums.items()]
    for kind, (today, before, earlier) in counts.items():
        parts.append(_COUNT.pack(_NUMBER[kind], min(today, _MOST), min(before, _MOST), min(earlier, _MOST)))
    return b"".join(parts)


def unpack_history(data: bytes) -> tuple[History, Heat]:
    """Read what `pack_history` wrote."""
    history, heat = History(), Heat()
    far, near, sums, counts, strings, rows, heat.day, first = _HEAD.unpack_from(data)
    at = _HEAD.size
    history.strings = bytearray(data[at : at + strings])
    at += strings
    history.rows = bytearray(data[at : at + rows])
    at += rows
    words = [_hashable(word) for word in orjson.loads(b"[" + history.strings[:-1] + b"]")]
    history.refs = {(word.__class__, word): number for number, word in enumerate(words)}
    history.table = _unpack_rows(words, history.rows)
    history.tokens = {token: index for index, token in enumerate(history.table)}
    for number in range(far + near):
        segment, at = _unpack_segment(data, at)
        (history.far if number < far else history.near).append(segment)
    for _ in range(sums):
        slot, size = _SUM.unpack_from(data, at)
        history.sums[first + slot] = size * 1024
        at += _SUM.size
    for _ in range(counts):
        kind, *of_days = _COUNT.unpack_from(data, at)
        heat.counts[_KINDS[kind]] = of_days
        at += _COUNT.size
    if at != len(data):
        raise ValueError(f"expected a history of {at} bytes, was {len(data)}")
    if history.far:
        history.far_until = history.far[-1].start + SPAN
    return history, heat


def _unpack_segment(data: bytes, at: int) -> tuple[Segment, int]:
    start, clock, first, count, base, size = _SEGMENT.unpack_from(data, at)
    at += _SEGMENT.size
    segment = Segment(start, first, data[at : at + base])
    at += base
    segment.buffer = bytearray(data[at : at + size])
    segment.clock = clock
    segment.count = count
    return segment, at + size


def _hashable(word: Any) -> Any:
    return tuple(word) if isinstance(word, list) else word


def _unpack_rows(words: list[Any], data: bytearray) -> list[Any]:
    table = []
    at = 0
    while at < len(data):
        flags, length = data[at], data[at + 1]
        row = _Row(data[at + 2 : at + 2 + length])
        at += 2 + length
        kind, places, cell = (words[row.reference()] for _ in range(3))
        pairs = []
        while row.at < length:
            position = row.byte()
            pairs.append((position, words[row.reference()]))
        if kind in (CROSSING, MARK):
            size = max((position for position, _ in pairs), default=-1) + 1
        else:
            size = len(WORDS[kind]) + bool(flags & QUALITY)
        columns: list[Any] = [None] * size
        for position, word in pairs:
            columns[position] = word
        table.append((kind, flags, places, cell, *columns))
    return table


class _Row:
    """Reads one row of tokens."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        """Read one byte."""
        self.at += 1
        return self.data[self.at - 1]

    def reference(self) -> int:
        """Read a reference: one byte, or 255 and two more."""
        number = self.byte()
        return number if number < 255 else self.byte() | self.byte() << 8
