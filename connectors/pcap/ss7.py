"""SS7: TCAP messages out of M3UA, M2PA, MTP3 and SCCP.

M3UA: RFC 4666, 3.3.1. M2PA: RFC 4165, 2.2. MTP3: ITU-T Q.704, 2.2. SCCP: Q.713; of its messages those
without connection carry TCAP: UDT, XUDT (also in segments, Q.714 4.1.1) and LUDT.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from connectors.pcap.handsets import Bounded
from engine.refusals import Bad

M3UA, M2PA = 3, 5
"""Payload protocol identifiers of SCTP."""
_SCCP_SERVICE: Final = 3
"""Service indicator of MTP3."""
_PROTOCOL_DATA: Final = 0x0210
_UDT, _XUDT, _LUDT = 0x09, 0x11, 0x13
_RETURNED: Final = frozenset({0x0A, 0x12, 0x14})
_SEGMENTATION: Final = 0x10
SEGMENTED_AT_MOST: Final = 1_000
"""Messages in segments that are put together at a time: 16 segments of 254 bytes at most each."""
TCAP_TAGS: Final = frozenset({0x61, 0x62, 0x64, 0x65, 0x67})
"""First bytes of TCAP messages: unidirectional, begin, end, continue, abort (Q.773)."""


class Tcap(NamedTuple):
    """A TCAP message, and the two ends of its dialogue."""

    data: bytes
    calling: bytes
    """Digits of the global title, packed as they came; empty if routed by subsystem number."""
    called: bytes
    subsystem: int
    """Called subsystem number: 6 HLR, 7 VLR, 8 MSC; 0 if not given."""


class _Message(NamedTuple):
    calling: bytes
    called: bytes
    data: bytes
    options: int
    """Where the optional part begins; 0: there is none."""


class Ss7Stack:
    """Takes messages of the lower layers, gives those of TCAP."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """What was no TCAP: `SCCP management`, `SCCP returned`, `SS7 other`."""
        self._segments: Bounded[bytes, bytes] = Bounded(SEGMENTED_AT_MOST)

    def of_sctp(self, protocol: int, data: bytes) -> Iterator[Tcap]:
        """Yield the TCAP message of a message of M3UA or M2PA; raise `Bad` for one that is malformed."""
        try:
            yield from self._m3ua(data) if protocol == M3UA else self._m2pa(data)
        except (struct.error, IndexError):
            raise _malformed(len(data)) from None

    def of_link(self, layer: str, data: bytes) -> Iterator[Tcap]:
        """Yield the same of a message that was captured without IP: layer `mtp3` or `sccp`."""
        try:
            yield from self._mtp3(data) if layer == "mtp3" else self._sccp(data)
        except (struct.error, IndexError):
            raise _malformed(len(data)) from None

    def _m3ua(self, data: bytes) -> Iterator[Tcap]:
        if (data[2], data[3]) != (1, 1):
            self.counts["SS7 other"] += 1
            return
        at = 8
        while at + 4 <= len(data):
            tag, size = struct.unpack_from(">HH", data, at)
            if size < 4:
                raise struct.error
            if tag == _PROTOCOL_DATA:
                if data[at + 12] & 15 == _SCCP_SERVICE:
                    yield from self._sccp(data[at + 16 : at + size])
                else:
                    self.counts["SS7 other"] += 1
            at += (size + 3) // 4 * 4

    def _m2pa(self, data: bytes) -> Iterator[Tcap]:
        if (data[2], data[3]) != (11, 1) or len(data) <= 17:
            self.counts["SS7 other"] += 1  # of the link itself, or an acknowledgement
            return
        yield from self._mtp3(data[17:])

    def _mtp3(self, data: bytes) -> Iterator[Tcap]:
        if data[0] & 15 == _SCCP_SERVICE:
            yield from self._sccp(data[5:])
        else:
            self.counts["SS7 other"] += 1

    def _sccp(self, data: bytes) -> Iterator[Tcap]:
        kind = data[0]
        if kind in _RETURNED:
            self.counts["SCCP returned"] += 1
            return
        if kind not in (_UDT, _XUDT, _LUDT):
            self.counts["SS7 other"] += 1
            return
        message = _long(data) if kind == _LUDT else _short(data, 2 if kind == _UDT else 3, kind == _XUDT)
        whole: bytes | None = message.data
        if message.options:
            whole = self._joined(data, message)
        if whole is None:
            return
        called, subsystem = _title(message.called)
        if not whole or whole[0] not in TCAP_TAGS:
            self.counts["SCCP management" if subsystem == 1 else "SS7 other"] += 1
            return
        yield Tcap(whole, _title(message.calling)[0], called, subsystem)

    def _joined(self, data: bytes, message: _Message) -> bytes | None:
        """Return the data of a message that may come in segments; None until the last one is there."""
        at = message.options
        while data[at] and data[at] != _SEGMENTATION:
            at += 2 + data[at + 1]
        if not data[at]:
            return message.data
        state, reference = data[at + 2], data[at + 3 : at + 6]
        if state & 0x8F == 0x80:
            return message.data  # the first, and none follows
        key = message.calling + b"\0" + message.called + b"\0" + reference
        so_far = b"" if state & 0x80 else self._segments.get(key)
        if so_far is None:
            raise Bad(
                "the first segment of an SCCP message before the others", "others only", "decode", "sccp"
            )
        if state & 15:
            self._segments.put(key, so_far + message.data)
            return None
        self._segments.drop(key)
        return so_far + message.data


def _short(data: bytes, at: int, has_options: bool) -> _Message:
    """Read a UDT or XUDT: each pointer counts from its own place."""
    parts = []
    for place in (at, at + 1, at + 2):
        start = place + data[place]
        end = start + 1 + data[start]
        if end > len(data):
            raise IndexError
        parts.append(data[start + 1 : end])
    options = at + 3 + data[at + 3] if has_options and data[at + 3] else 0
    return _Message(parts[1], parts[0], parts[2], options)


def _long(data: bytes) -> _Message:
    """Read a LUDT: pointers and the length of its data have two bytes, the low one first."""
    starts = [place + 1 + struct.unpack_from("<H", data, place)[0] for place in (3, 5, 7)]
    called, calling = (data[start + 1 : start + 1 + data[start]] for start in starts[:2])
    size = struct.unpack_from("<H", data, starts[2])[0]
    if starts[2] + 2 + size > len(data):
        raise IndexError
    return _Message(calling, called, data[starts[2] + 2 : starts[2] + 2 + size], 0)


def _title(address: bytes) -> tuple[bytes, int]:
    """Return the digits of the global title of an address, and its subsystem number (Q.713, 3.4)."""
    if not address:
        return b"", 0
    at, subsystem = 1, 0
    if address[0] & 1:
        at += 2
    if address[0] & 2:
        subsystem, at = address[at], at + 1
    at += {1: 1, 2: 1, 3: 2, 4: 3}.get(address[0] >> 2 & 15, len(address))
    return address[at:], subsystem


def _malformed(size: int) -> Bad:
    return Bad("an SS7 message with all of its parts", f"{size} bytes", "decode", "ss7")
