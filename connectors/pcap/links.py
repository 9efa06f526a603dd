"""From a frame to what it carries for signaling: an SCTP packet, or a message of MTP3 or SCCP.

Links: Ethernet with any VLAN tags, Linux "cooked" captures (v1 and v2), raw IP, BSD loopback, and captures
of SS7 without IP. All else - ARP, TCP, UDP - is none of ours.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from connectors.pcap.capture import Frame
from engine.refusals import Bad

SCTP: Final = 132
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLANS: Final = frozenset({0x8100, 0x88A8, 0x9100})
_EXTENSIONS: Final = frozenset({0, 43, 60})
"""IPv6 headers between its own and the next protocol: hop by hop, routing, destination options."""
_FRAGMENT: Final = 44


class Packet(NamedTuple):
    """An SCTP packet and where it comes from and goes to."""

    source: bytes
    """IP address, packed."""
    target: bytes
    data: bytes


class Ss7(NamedTuple):
    """A message of SS7 that was captured without IP."""

    layer: str
    """`mtp3` or `sccp`."""
    data: bytes


def carried(frame: Frame) -> Packet | Ss7 | None:
    """Return what a frame carries, None if nothing of ours; raise `Bad` for one that is cut or malformed."""
    strip = _LINKS.get(frame.link)
    if strip is None:
        expected = "a link type of Ethernet, Linux cooked, raw IP, MTP2, MTP3 or SCCP"
        raise Bad(expected, f"link type {frame.link}", "decode", "frame")
    try:
        return strip(frame.data)
    except (struct.error, IndexError):
        raise Bad("whole headers", f"{len(frame.data)} bytes", "decode", "frame") from None


def _ethernet(data: bytes) -> Packet | None:
    return _by_type(struct.unpack_from(">H", data, 12)[0], data, 14)


def _by_type(kind: int, data: bytes, at: int) -> Packet | None:
    while kind in _VLANS:
        kind = struct.unpack_from(">H", data, at + 2)[0]
        at += 4
    if kind == _IPV4:
        return _ipv4(data[at:])
    return _ipv6(data[at:]) if kind == _IPV6 else None


def _cooked(data: bytes) -> Packet | None:
    return _by_type(struct.unpack_from(">H", data, 14)[0], data, 16)


def _cooked2(data: bytes) -> Packet | None:
    return _by_type(struct.unpack_from(">H", data, 0)[0], data, 20)


def _loopback(data: bytes) -> Packet | None:
    return _ip(data[4:])


def _ip(data: bytes) -> Packet | None:
    version = data[0] >> 4
    if version == 4:
        return _ipv4(data)
    return _ipv6(data) if version == 6 else None


def _ipv4(data: bytes) -> Packet | None:
    head = (data[0] & 0x0F) * 4
    size, fragment, protocol = struct.unpack_from(">2xH2xHxB", data, 0)
    if protocol != SCTP:
        return None
    if fragment & 0x3FFF:
        raise _fragment()
    if len(data) < 20 or head < 20:
        raise struct.error
    # a size of 0 was left to the network card to fill in; what is longer than the packet is padding
    end = size if size >= head else len(data)
    return Packet(data[12:16], data[16:20], data[head:end])


def _ipv6(data: bytes) -> Packet | None:
    size, following = struct.unpack_from(">4xHB", data, 0)
    end = 40 + size if size else len(data)
    at = 40
    while following in _EXTENSIONS or following == _FRAGMENT:
        if following == _FRAGMENT:
            offset = struct.unpack_from(">2xH", data, at)[0]
            if offset & ~0x6:
                if data[at] != SCTP:
                    return None
                raise _fragment()
            following, at = data[at], at + 8
        else:
            following, at = data[at], at + 8 + data[at + 1] * 8
    return Packet(data[8:24], data[24:40], data[at:end]) if following == SCTP else None


def _fragment() -> Bad:
    return Bad("whole IP packets", "a fragment of one", "decode", "frame")


def _mtp2(data: bytes) -> Ss7 | None:
    """Take off BSN, FSN and the length indicator; of 2 or less it is no message unit (Q.703)."""
    return Ss7("mtp3", data[3:]) if data[2] & 0x3F > 2 else None


def _mtp2_with_head(data: bytes) -> Ss7 | None:
    return _mtp2(data[4:])


_LINKS: Final[dict[int, Callable[[bytes], Packet | Ss7 | None]]] = {
    0: _loopback,
    1: _ethernet,
    12: _ip,
    14: _ip,
    101: _ip,
    108: _loopback,
    113: _cooked,
    139: _mtp2_with_head,
    140: _mtp2,
    141: lambda data: Ss7("mtp3", data),
    142: lambda data: Ss7("sccp", data),
    228: _ip,
    229: _ip,
    276: _cooked2,
}
"""Link type -> how its head is taken off."""
