"""`bench captures`: frames of packet captures into records; CPU only, pycrate imported before."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from time import process_time
from typing import Final

from bench.course import KEY
from bench.report import Scale, Section, middle, tell
from connectors.pcap.capture import Frame
from connectors.pcap.decoder import Decoder
from engine.errors import StateError

T: Final = 1_788_740_000_000_000
_ATTACH: Final = [
    (
        True,
        "000c403e000005000800020001001a00161507417108490600214305001002e0e000040201d011006400080064f000123450"
        "10004300060064f00012670086000130",
    ),
    (
        False,
        "000940808100000600000002000b000800020001004200060803e82003e80018003700003400324500093c0f80c0a812c700"
        "0000012327aabbccdd0107420149060064f000126700030201c1500bf664f00000040100000001006b00050000000000004900200"
        "000000000000000000000000000000000000000000000000000000000000001",
    ),
    (True, "2009402200000300000002000b0008000200010033000f000032400a0a1fc0a812c700000002"),
    (
        True,
        "000d403700000500000002000b000800020001001a000e0d27aabbccdd01074300035200c2006400080064f0001234501000430"
        "0060064f0001267",
    ),
    (False, "0017401100000200630004000b0001000200020280"),
]
"""(from the eNodeB, an S1AP message): attach of a handset, from request to release."""
_UPDATE: Final = [
    (
        True,
        "01000101000000880210007e0000000100000002030200000900030f1b0c1206001204683108000000f10c12070012046831080"
        "00000f24e624c4804000000016b1a2818060700118605010101a00d600ba1090607040000010001036c28a1260201010201"
        "02301e040864001032540000f3810891683108000000f2040891683108000000f20000",
    ),
    (
        False,
        "01000101000000480210003f0000000100000002030200000900030f1b0c1207001204683108000000f20c12060012046831080"
        "00000f10f640d4904000000016c05a20302010100",
    ),
]
"""(from the VLR, an M3UA message): updateLocation and its answer."""
_ETHERNET: Final = bytes(12) + b"\x08\x00"


def measure(scale: Scale) -> Section:
    """Decode messages over and over, each in a frame of its own."""
    tell("captures: S1AP and NAS, MAP")
    section = Section("captures", "frames of packet captures to records, CPU")
    count = max(scale.calls // 50, 100)
    for name, messages, protocol, unit in (
        ("S1AP and NAS", _ATTACH, 18, "messages"),
        ("TCAP and MAP", _UPDATE, 3, "messages"),
    ):
        frames = list(_frames(messages, protocol, count))
        _add(section, scale, name, frames, unit, records=count // len(messages))
    other = _ETHERNET + struct.pack(">BBHHHBBH", 0x45, 0, 60, 1, 0, 64, 6, 0) + bytes(48)
    frames = [Frame(n, T + n, 1, other) for n in range(1, count * 5)]
    _add(section, scale, "frames without signaling", frames, "frames", records=0)
    return section


def _frames(messages: Sequence[tuple[bool, str]], protocol: int, count: int) -> Iterator[Frame]:
    sides = b"\x0a\0\0\1", b"\x0a\0\0\2"
    for number in range(1, count // len(messages) * len(messages) + 1):
        forth, text = messages[(number - 1) % len(messages)]
        data = bytes.fromhex(text)
        chunk = struct.pack(">BBHIHHI", 0, 3, 16 + len(data), number, 0, 0, protocol) + data
        packet = struct.pack(">HHII", 36412, 36412, 7, 0) + chunk + bytes(-len(chunk) % 4)
        source, target = sides if forth else sides[::-1]
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(packet), 1, 0, 64, 132, 0)
        yield Frame(number, T + number * 1_000, 1, _ETHERNET + head + source + target + packet)


def _add(
    section: Section, scale: Scale, name: str, frames: Sequence[Frame], unit: str, *, records: int
) -> None:
    rates = []
    for lap in range(scale.runs + 1):  # the first one imports
        refused: list[str] = []
        decoder = Decoder(KEY, lambda _, detail, refused=refused: refused.append(detail))  # type: ignore[misc]
        began = process_time()
        found = sum(1 for frame in frames for _ in decoder.take(frame))
        seconds = process_time() - began
        if refused or found != records:
            raise StateError(f"bench captures: expected {records} records of {name}, was {found}")
        if lap:
            rates.append(len(frames) / seconds)
    rate, note = middle(rates)
    section.add(name, rate, f"{unit} per second", f"{1e6 / rate:.0f} µs each; {len(frames):,} {unit}; {note}")
