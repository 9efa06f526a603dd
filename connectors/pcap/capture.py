"""Capture files: pcap and pcapng, of both byte orders, plain or gzip, read frame by frame.

Formats: draft-ietf-opsawg-pcap (times in µs or ns) and draft-ietf-opsawg-pcapng (blocks of sections and
interfaces, enhanced, simple and old packets). What other blocks hold is passed over.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

from engine.errors import InputError

FRAME_AT_MOST: Final = 1 << 18
"""Bytes of a frame, as libpcap has it (MAXIMUM_SNAPLEN). More means that the file is damaged."""
_BLOCK_AT_MOST: Final = 1 << 24
_INTERFACES_AT_MOST: Final = 1_000
_MICRO: Final = 1_000_000
_GZIP: Final = b"\x1f\x8b"
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", _MICRO),
    b"\xa1\xb2\xc3\xd4": (">", _MICRO),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
"""First bytes -> byte order, ticks per second."""
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_RESOLUTION, _OFFSET = 9, 14
"""Options of an interface: if_tsresol, if_tsoffset."""
FORMATS: Final = "a capture file, pcap or pcapng"


class Frame(NamedTuple):
    """One captured frame."""

    number: int
    """From 1, as Wireshark counts."""
    t: int
    """µs UTC."""
    link: int
    """Link-layer type (the list of LINKTYPE_ values)."""
    data: bytes
    is_whole: bool = True
    """False: the capture kept only its beginning (snaplen)."""


class _Interface(NamedTuple):
    link: int
    ticks: int
    """Per second."""
    offset: int
    """Seconds to add to its times."""
    snaplen: int


def is_capture(path: Path) -> bool:
    """Say whether a file begins as captures do; False if it can't be read."""
    try:
        with path.open("rb") as plain:
            stream = _unpacked(plain)
            return _is_magic(stream.read(4))
    except (OSError, EOFError, zlib.error):
        return False


class Capture:
    """The frames of one file."""

    def __init__(self, path: Path, *, opener: Callable[[str, int], int] | None = None) -> None:
        self.path = path
        self._opener = opener
        self.number = 0
        """Of the last frame given."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames.

        Raises InputError if the file can't be read or is no capture, and, after the frames before it, where
        it is cut off or damaged: `FILE:FRAME: expected …`.
        """
        try:
            with open(self.path, "rb", opener=self._opener) as plain:
                stream = _unpacked(plain)
                magic = stream.read(4)
                if not _is_magic(magic):
                    was = "an empty file" if not magic else "other data"
                    raise InputError(str(self.path), FORMATS, was)
                frames = self._pcapng(stream) if magic == _PCAPNG else self._pcap(stream, *_PCAP[magic])
                for frame in frames:
                    self.number = frame.number
                    yield frame
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._damaged("gzip data to its end", str(error)) from None
        except OSError as error:
            was = error.strerror or str(error)
            raise InputError(str(self.path), "a file that can be read", was) from None

    def _damaged(self, expected: str, was: object) -> InputError:
        return InputError(f"{self.path}:{self.number + 1}", expected, was)

    def _exactly(self, stream: IO[bytes], size: int, what: str) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            raise self._damaged(f"{what} of {size} bytes", f"the end of the file after {len(data)}")
        return data

    # -- pcap ------------------------------------------------------------------------------------------------

    def _pcap(self, stream: IO[bytes], order: str, ticks: int) -> Iterator[Frame]:
        head = self._exactly(stream, 20, "a file header")
        link = struct.unpack(order + "HHiIII", head)[5] & 0x0FFFFFFF
        record = struct.Struct(order + "IIII")
        number = 0
        while first := stream.read(16):
            if len(first) < 16:
                raise self._damaged("a frame header of 16 bytes", f"the end of the file after {len(first)}")
            seconds, fraction, kept, size = record.unpack(first)
            self._check_size(kept)
            data = self._exactly(stream, kept, "a frame")
            number += 1
            yield Frame(number, seconds * _MICRO + fraction * _MICRO // ticks, link, data, kept >= size)

    def _check_size(self, kept: int) -> None:
        if kept > FRAME_AT_MOST:
            raise self._damaged(f"a frame of at most {FRAME_AT_MOST} bytes", kept)

    # -- pcapng ----------------------------------------------------------------------------------------------

    def _pcapng(self, stream: IO[bytes]) -> Iterator[Frame]:
        order, number = "<", 0
        interfaces: list[_Interface] = []
        head: bytes = _PCAPNG
        while head:
            if len(head) < 4:
                raise self._damaged("a block header of 8 bytes", f"the end of the file after {len(head)}")
            if head == _PCAPNG:
                length_bytes = self._exactly(stream, 4, "a block length")
                mark = self._exactly(stream, 4, "a byte-order mark")
                if mark not in (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"):
                    raise self._damaged("a byte-order mark of a section", "other data")
                order = "<" if mark[0] == 0x4D else ">"
                self._body(stream, order, length_bytes, taken=12)
                interfaces = []
            else:
                kind = struct.unpack(order + "I", head)[0]
                body = self._body(stream, order, self._exactly(stream, 4, "a block length"), taken=8)
                if kind == _INTERFACE:
                    if len(interfaces) >= _INTERFACES_AT_MOST:
                        raise self._damaged(f"at most {_INTERFACES_AT_MOST} interfaces", "more")
                    interfaces.append(self._interface(body, order))
                elif kind in (_ENHANCED, _SIMPLE, _OLD_PACKET):
                    number += 1
                    yield self._packet(kind, body, order, interfaces, number)
            head = stream.read(4)

    def _body(self, stream: IO[bytes], order: str, length_bytes: bytes, taken: int) -> bytes:
        length = struct.unpack(order + "I", length_bytes)[0]
        if length < taken + 4 or length % 4 or length > _BLOCK_AT_MOST:
            raise self._damaged(f"a block of {taken + 4} to {_BLOCK_AT_MOST} bytes, a multiple of 4", length)
        body = self._exactly(stream, length - taken, "a block")
        if body[-4:] != length_bytes:
            raise self._damaged("the length of a block again at its end", "other data")
        return body[:-4]

    def _interface(self, body: bytes, order: str) -> _Interface:
        if len(body) < 8:
            raise self._damaged("an interface block of 8 bytes or more", len(body))
        link, _, snaplen = struct.unpack(order + "HHI", body[:8])
        ticks, offset, at = _MICRO, 0, 8
        while at + 4 <= len(body):
            code, size = struct.unpack(order + "HH", body[at : at + 4])
            value = body[at + 4 : at + 4 + size]
            if code == _RESOLUTION and size == 1:
                ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == _OFFSET and size == 8:
                offset = struct.unpack(order + "q", value)[0]
            elif code == 0:
                break
            at += 4 + (size + 3) // 4 * 4
        return _Interface(link, ticks, offset, snaplen)

    def _packet(self, kind: int, body: bytes, order: str, interfaces: list[_Interface], number: int) -> Frame:
        index, t, at = 0, 0, 4
        try:
            if kind == _SIMPLE:
                size = struct.unpack(order + "I", body[:4])[0]
                kept = min(size, len(body) - 4, interfaces[0].snaplen or size)
            else:
                shape = "IIIII" if kind == _ENHANCED else "HxxIIII"
                index, high, low, kept, size = struct.unpack(order + shape, body[:20])
                at = 20
                face = interfaces[index]
                t = face.offset * _MICRO + (high << 32 | low) * _MICRO // face.ticks
            link = interfaces[index].link
        except struct.error:
            raise self._damaged("a packet block of 20 bytes or more", len(body)) from None
        except IndexError:
            raise self._damaged("a packet of an interface that was described", f"interface {index}") from None
        self._check_size(kept)
        if kept > len(body) - at:
            raise self._damaged(f"a frame of {kept} bytes", f"{len(body) - at} in its block")
        return Frame(number, t, link, body[at : at + kept], kept >= size)


def _is_magic(first: bytes) -> bool:
    return first == _PCAPNG or first in _PCAP


def _unpacked(plain: IO[bytes]) -> IO[bytes]:
    magic = plain.read(len(_GZIP))
    plain.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=plain)) if magic == _GZIP else plain
