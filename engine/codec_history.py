"""The packed history <-> bytes.

Head: segments far and near (u8 each), sizes of words (u32) and sums (u16), the slot of the last sum (u32).
Then words, sums, segments. Per segment: its base with its size (u8, or 255 and u32; far ones only), start
(i64), how long it spans (40 bits, µs), first seq (u32), size of entries (24 bits). Writing is copying: all is
held in this form (`engine.history`), and not even that while nothing is added.
"""

from __future__ import annotations

from struct import Struct

from engine.history import SPAN, History, Segment
from engine.history_words import words_of

_HEAD = Struct("<BBIHI")
_SEGMENT = Struct("<qIBIHB")
_BASE, _COUNT = Struct("<BI"), Struct("<I")
_SHORT = 255
_LOW = 0xFFFFFFFF


def pack_history(history: History) -> bytes:
    """Write what a history holds."""
    if history.packed is None:
        history.packed = _pack(history)
    return history.packed


def _pack(history: History) -> bytes:
    far, near, strings, sums = history.far, history.near, history.strings, history.use.pairs
    parts: list[bytes | bytearray] = [
        _HEAD.pack(len(far), len(near), len(strings), len(sums), history.use.slot),
        strings,
        sums,
    ]
    for segments in (far, near):
        last = segments[-1] if segments else None
        for segment in segments:
            sealed = segment.sealed
            if sealed is None:
                sealed = _pack_segment(segment, segments is far)
                if segment is not last:
                    segment.sealed = sealed
            parts.append(sealed)
    return b"".join(parts)


def _pack_segment(segment: Segment, far: bool) -> bytes:
    span, size = segment.clock - segment.start, len(segment.buffer)
    head = _SEGMENT.pack(segment.start, span & _LOW, span >> 32, segment.first, size & 0xFFFF, size >> 16)
    if not far:
        return head + segment.buffer
    size = len(segment.base)
    sized = bytes((size,)) if size < _SHORT else _BASE.pack(_SHORT, size)
    return b"".join((sized, segment.base, head, segment.buffer))


def unpack_history(data: bytes) -> History:
    """Read what `pack_history` wrote."""
    history = History()
    far, near, strings, sums, history.use.slot = _HEAD.unpack_from(data)
    at = _HEAD.size
    history.strings = bytearray(data[at : at + strings])
    at += strings
    history.use.pairs = bytearray(data[at : at + sums])
    at += sums
    for word in words_of(history.strings):
        history.refs[word] = len(history.refs)
    for number in range(far + near):
        segment, at = _unpack_segment(data, at, number < far)
        (history.far if number < far else history.near).append(segment)
    if at != len(data):
        raise ValueError(f"expected a history of {at} bytes, was {len(data)}")
    if history.far:
        history.far_until = history.far[-1].start + SPAN
    history.packed = data
    return history


def _unpack_segment(data: bytes, at: int, far: bool) -> tuple[Segment, int]:
    base = b""
    if far:
        size = data[at]
        at += 1
        if size == _SHORT:
            (size,) = _COUNT.unpack_from(data, at)
            at += _COUNT.size
        base = data[at : at + size]
        at += size
    start, span, days, first, low, high = _SEGMENT.unpack_from(data, at)
    at += _SEGMENT.size
    segment = Segment(start, first, base)
    size = low | high << 16
    segment.buffer = bytearray(data[at : at + size])
    segment.clock = start + span + (days << 32)
    return segment, at + size
