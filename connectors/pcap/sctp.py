"""SCTP: the messages of packets, put together from fragments, each once (RFC 9260, 3.3.1 and 6.9).

A captured packet may hold several DATA chunks, and be there twice: sent again, or seen on two interfaces. A
chunk is known by its direction and its TSN.
"""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from connectors.pcap.links import Packet
from engine.refusals import Bad

DIRECTIONS_AT_MOST: Final = 4_096
"""Directions of associations that are known at a time; those heard of longest ago are forgotten."""
REMEMBERED: Final = 1_024
"""TSNs of a direction by which repeated chunks are told."""
FRAGMENTS_AT_MOST: Final = 256
"""Fragments of a direction that wait for the others of their message: 16 MB at the very most."""
_HEAD: Final = 12
_DATA: Final = 0
_BEGIN, _END = 2, 1
_TSNS: Final = 1 << 32

Endpoint = tuple[bytes, int]
"""IP address, port."""


class Message(NamedTuple):
    """One message of the protocol above."""

    source: Endpoint
    target: Endpoint
    protocol: int
    """Payload protocol identifier: 3 M3UA, 5 M2PA, 18 S1AP."""
    data: bytes


class _Fragment(NamedTuple):
    frame: int
    flags: int
    data: bytes


class _Direction:
    __slots__ = ("fragments", "order", "seen")

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.order: deque[int] = deque()
        self.fragments: OrderedDict[int, _Fragment] = OrderedDict()
        """By TSN."""

    def is_new(self, tsn: int) -> bool:
        if tsn in self.seen:
            return False
        self.seen.add(tsn)
        self.order.append(tsn)
        if len(self.order) > REMEMBERED:
            self.seen.discard(self.order.popleft())
        return True


class Assembler:
    """Takes packets, gives messages."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """`chunks` (of data), `again` (chunks that had been there before)."""
        self.lost: list[int] = []
        """Frames whose fragments never became a message: to be told, then cleared, by the caller."""
        self._directions: OrderedDict[tuple[Endpoint, Endpoint, int], _Direction] = OrderedDict()

    def take(self, packet: Packet, frame: int) -> Iterator[Message]:
        """Yield the messages that a packet completes; raise `Bad`, after those before it, where it is cut."""
        data = packet.data
        if len(data) < _HEAD:
            raise Bad("an SCTP packet", f"{len(data)} bytes", "decode", "sctp")
        from_port, to_port, tag = struct.unpack_from(">HHI", data)
        source, target = (packet.source, from_port), (packet.target, to_port)
        at = _HEAD
        while at + 4 <= len(data):
            kind, flags, size = struct.unpack_from(">BBH", data, at)
            if size < 4 or (kind == _DATA and (size < 17 or at + size > len(data))):
                raise Bad(
                    "a whole chunk", f"one of {size} bytes, {len(data) - at} are left", "decode", "sctp"
                )
            if kind == _DATA:
                self.counts["chunks"] += 1
                tsn, protocol = struct.unpack_from(">I4xI", data, at + 4)
                whole = self._whole((source, target, tag), tsn, flags, data[at + 16 : at + size], frame)
                if whole is not None:
                    yield Message(source, target, protocol, whole)
            at += (size + 3) // 4 * 4

    def finish(self) -> None:
        """Tell all fragments that still wait as lost."""
        for direction in self._directions.values():
            self.lost += [fragment.frame for fragment in direction.fragments.values()]
        self._directions.clear()

    def _whole(
        self, key: tuple[Endpoint, Endpoint, int], tsn: int, flags: int, data: bytes, frame: int
    ) -> bytes | None:
        """Return the message that a chunk completes, None if it is a repetition or others are missing."""
        directions = self._directions
        direction = directions.get(key)
        if direction is None:
            direction = directions[key] = _Direction()
            if len(directions) > DIRECTIONS_AT_MOST:
                _, oldest = directions.popitem(last=False)
                self.lost += [fragment.frame for fragment in oldest.fragments.values()]
        else:
            directions.move_to_end(key)
        if not direction.is_new(tsn):
            self.counts["again"] += 1
            return None
        if flags & _BEGIN and flags & _END:
            return data
        fragments = direction.fragments
        fragments[tsn] = _Fragment(frame, flags, data)
        if len(fragments) > FRAGMENTS_AT_MOST:
            self.lost.append(fragments.popitem(last=False)[1].frame)
        return _joined(fragments, tsn)


def _joined(fragments: OrderedDict[int, _Fragment], tsn: int) -> bytes | None:
    """Return the message around a fragment if all of it is there, and take it out of those that wait."""
    first = last = tsn
    while (found := fragments.get(first)) is not None and not found.flags & _BEGIN:
        first = (first - 1) % _TSNS
    if found is None:
        return None
    while (found := fragments.get(last)) is not None and not found.flags & _END:
        last = (last + 1) % _TSNS
    if found is None:
        return None
    parts = [first]
    while parts[-1] != last:
        parts.append((parts[-1] + 1) % _TSNS)
    return b"".join(fragments.pop(part).data for part in parts)
