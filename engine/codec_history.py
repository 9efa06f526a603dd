"""The packed history <-> bytes.

Head: segments far and near, sums (u16 each), sizes of words and tokens and first slot of the sums (u32 each).
Then words, tokens, segments, sums (slot from the first u16, 16 KB units u16). Per segment: start and clock
(i64), first seq, sizes of base and entries (u32 each). Writing is copying: all is held in this form
(`engine.history`), and not even that while nothing is added.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from engine.history import CROSSING, MARK, QUALITY, SPAN, WORDS, History, Segment, tokens_of, words_of

_HEAD = Struct("<HHHIII")
_SEGMENT = Struct("<qqIII")
_SUM = Struct("<HH")
_UNIT = 16 * 1024
_MOST = 0xFFFF


def pack_history(history: History) -> bytes:
    """Write what a history holds."""
    if history.packed is None:
        history.packed = _pack(history)
    return history.packed


def _pack(history: History) -> bytes:
    sums, far, near = history.sums, history.far, history.near
    first = min(sums, default=0)
    strings, rows = bytes(history.strings), bytes(history.rows)
    parts = [_HEAD.pack(len(far), len(near), len(sums), len(strings), len(rows), first), strings, rows]
    for segments in (far, near):
        for segment in segments:
            base, buffer = segment.base, bytes(segment.buffer)
            parts.append(_SEGMENT.pack(segment.start, segment.clock, segment.first, len(base), len(buffer)))
            parts.append(base)
            parts.append(buffer)
    parts += [_SUM.pack(slot - first, min(-(-size // _UNIT), _MOST)) for slot, size in sums.items()]
    return b"".join(parts)


def unpack_history(data: bytes) -> History:
    """Read what `pack_history` wrote."""
    history = History()
    far, near, sums, strings, rows, first = _HEAD.unpack_from(data)
    at = _HEAD.size
    history.strings = bytearray(data[at : at + strings])
    at += strings
    history.rows = bytearray(data[at : at + rows])
    at += rows
    words = list(words_of(history.strings))
    history.refs = {(word.__class__, word): number for number, word in enumerate(words)}
    history.table = _unpack_rows(words, history.rows)
    history.tokens = {token: index for index, token in enumerate(history.table)}
    for number in range(far + near):
        segment, at = _unpack_segment(data, at)
        segment.count = sum(1 for _ in tokens_of(segment, history.table))
        (history.far if number < far else history.near).append(segment)
    for _ in range(sums):
        slot, size = _SUM.unpack_from(data, at)
        history.sums[first + slot] = size * _UNIT
        at += _SUM.size
    if at != len(data):
        raise ValueError(f"expected a history of {at} bytes, was {len(data)}")
    if history.far:
        history.far_until = history.far[-1].start + SPAN
    history.packed = data
    return history


def _unpack_segment(data: bytes, at: int) -> tuple[Segment, int]:
    start, clock, first, base, size = _SEGMENT.unpack_from(data, at)
    at += _SEGMENT.size
    segment = Segment(start, first, data[at : at + base])
    at += base
    segment.buffer = bytearray(data[at : at + size])
    segment.clock = clock
    return segment, at + size


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
            # a crossing has five words, of which the last, the radio access, may be unknown
            size = max(5 if kind == CROSSING else 0, *(position + 1 for position, _ in pairs), 0)
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
