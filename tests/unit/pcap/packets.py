"""Captures made in tests: files, frames and SCTP packets around given messages."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

ENB, ENB2, MME = "10.0.0.1", "10.0.0.2", "10.0.0.100"
S1AP, M3UA, M2PA = 18, 3, 5
ETHERNET, RAW, LINUX_COOKED, LINUX_COOKED2, LOOPBACK = 1, 101, 113, 276, 0
START = 1_788_220_800_000_000
"""µs UTC: 1 September 2026."""


@dataclass(frozen=True)
class Made:
    """A frame to be written."""

    t: int
    data: bytes
    size: int | None = None
    """On the wire; None: all of it was kept."""


def data_chunk(tsn: int, protocol: int, data: bytes, flags: int = 3) -> bytes:
    """A DATA chunk; flags 3: a whole message, 2: its first part, 0, 1: its last."""
    chunk = struct.pack(">BBHIHHI", 0, flags, 16 + len(data), tsn, 0, 0, protocol) + data
    return chunk + bytes(-len(chunk) % 4)


def sctp(chunks: Sequence[bytes], ports: tuple[int, int] = (36412, 36412), tag: int = 7) -> bytes:
    """An SCTP packet."""
    return struct.pack(">HHII", *ports, tag, 0) + b"".join(chunks)


def ip(payload: bytes, source: str = ENB, target: str = MME, protocol: int = 132, fragment: int = 0) -> bytes:
    """An IP packet, of version 4 or 6 as the addresses are."""
    sides = ip_address(source).packed + ip_address(target).packed
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + sides + payload
    size = 20 + len(payload)
    return struct.pack(">BBHHHBBH", 0x45, 0, size, 1, fragment, 64, protocol, 0) + sides + payload


def linked(packet: bytes, link: int = ETHERNET, vlans: int = 0) -> bytes:
    """A frame of a link type around an IP packet."""
    kind = struct.pack(">H", 0x86DD if packet[0] >> 4 == 6 else 0x0800)
    if link == ETHERNET:
        tags = b"".join(struct.pack(">HH", 0x8100, 100 + n) for n in range(vlans))
        return bytes(12) + tags + kind + packet
    if link == LINUX_COOKED:
        return bytes(14) + kind + packet
    if link == LINUX_COOKED2:
        return kind + bytes(18) + packet
    return bytes(4) + packet if link == LOOPBACK else packet


def pcap(frames: Iterable[Made], link: int = ETHERNET, order: str = "<", nano: bool = False) -> bytes:
    """A pcap file."""
    file = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link)]
    for frame in frames:
        seconds, micros = divmod(frame.t, 1_000_000)
        size = len(frame.data) if frame.size is None else frame.size
        file += [struct.pack(order + "IIII", seconds, micros * (1000 if nano else 1), len(frame.data), size)]
        file += [frame.data]
    return b"".join(file)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block of pcapng."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(frames: Iterable[Made], link: int = ETHERNET, order: str = "<", nano: bool = False) -> bytes:
    """A pcapng file; `nano`: times in ns, else the default, µs."""
    options = struct.pack(order + "HHBxxxHH", 9, 1, 9, 0, 0) if nano else b""
    file = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)]
    file += [block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)]
    for frame in frames:
        ticks = frame.t * (1000 if nano else 1)
        size = len(frame.data) if frame.size is None else frame.size
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), size)
        file += [block(6, head + frame.data, order)]
    return b"".join(file)


class Wire:
    """Puts messages into frames, one a second, with TSNs that go up."""

    def __init__(self, start: int = START) -> None:
        self.frames: list[Made] = []
        self.now = start
        self._tsn = 1000

    def send(
        self, *messages: bytes, source: str = ENB, target: str = MME, protocol: int = S1AP, wait: int = 1
    ) -> None:
        """Send messages in one packet, `wait` seconds after the one before."""
        chunks = []
        for message in messages:
            self._tsn += 1
            chunks.append(data_chunk(self._tsn, protocol, message))
        self.now += wait * 1_000_000
        self.frames.append(Made(self.now, linked(ip(sctp(chunks), source, target))))

    def answer(self, *messages: bytes, target: str = ENB) -> None:
        """Send messages from the MME."""
        self.send(*messages, source=MME, target=target)
