"""Capture files: both formats in all their ways to be written, and what is told of damaged ones."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from connectors.pcap.capture import Capture, Frame, is_capture
from engine.errors import InputError
from tests.unit.pcap.packets import ETHERNET, START, Made, block, pcap, pcapng

FRAMES = [Made(START + n * 1_001, bytes([n]) * (20 + n)) for n in range(5)]


def frames(path: Path, content: bytes) -> list[Frame]:
    """Write a file and read it."""
    path.write_bytes(content)
    return list(Capture(path))


def until_damage(path: Path) -> tuple[list[bytes], InputError | None]:
    """Read a file as far as it goes."""
    found: list[bytes] = []
    try:
        found.extend(frame.data for frame in Capture(path))
    except InputError as error:
        return found, error
    return found, None


@pytest.mark.parametrize("write", [pcap, pcapng])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True], ids=["µs", "ns"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_frames_come_as_they_were_written(write, order, nano, pack, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    found = frames(tmp_path / "x", pack(write(FRAMES, ETHERNET, order, nano)))
    assert found == [Frame(n, made.t, ETHERNET, made.data) for n, made in enumerate(FRAMES, 1)]
    assert is_capture(tmp_path / "x")


@pytest.mark.parametrize("write", [pcap, pcapng])
def test_a_frame_of_which_the_beginning_was_kept_says_so(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    whole, short = frames(tmp_path / "x", write([Made(START, b"abcd"), Made(START, b"abcd", 99)]))
    assert (whole.is_whole, short.is_whole) == (True, False)


@pytest.mark.parametrize("write", [pcap, pcapng])
def test_a_file_cut_anywhere_gives_what_is_before_and_says_where(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    content = write(FRAMES)
    path = tmp_path / "x"
    ends = 0
    for size in range(4, len(content)):
        path.write_bytes(content[:size])
        found, error = until_damage(path)
        if error is None:
            ends += 1
        else:
            assert error.where == f"{path}:{len(found) + 1}"
            assert "end of the file" in str(error)
        assert found == [made.data for made in FRAMES[: len(found)]]
    # where a frame ends, nobody can tell that more were to come; before the first, one more place in pcapng
    assert ends in (len(FRAMES), len(FRAMES) + 1)


def test_other_blocks_sections_and_options_of_pcapng(tmp_path: Path) -> None:
    offset = struct.pack("<HHq", 14, 8, 3_600) + struct.pack("<HHBxxx", 9, 1, 0x80 | 10)
    interface = block(1, struct.pack("<HHI", 101, 0, 4) + offset)
    ticks = 1_788_000_000 << 10 | 512
    enhanced = block(6, struct.pack("<IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, 3, 3) + b"abc")
    simple = block(3, struct.pack("<I", 9) + b"wxyz")
    old = block(2, struct.pack("<HHIIII", 0, 0, ticks >> 32, ticks & 0xFFFFFFFF, 2, 2) + b"qq")
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    names = block(4, b"names of hosts: nothing for us  ")
    again = pcapng(FRAMES[:1], order=">")
    found = frames(tmp_path / "x", section + names + interface + enhanced + simple + old + again)
    at = (1_788_000_000 + 3_600) * 1_000_000 + 500_000
    assert found == [
        Frame(1, at, 101, b"abc"),
        Frame(2, 0, 101, b"wxyz", False),
        Frame(3, at, 101, b"qq"),
        Frame(4, FRAMES[0].t, ETHERNET, FRAMES[0].data),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a capture file, pcap or pcapng, was 'an empty file'"),
        (b'{"kind": "loc.update"}', "expected a capture file, pcap or pcapng, was 'other data'"),
        (pcap([])[:20], ":1: expected a file header of 20 bytes, was 'the end of the file after 16'"),
        (
            pcap([]) + struct.pack("<IIII", 1, 1, 1 << 30, 1 << 30),
            ":1: expected a frame of at most 262144 bytes, was 1073741824",
        ),
        (pcapng([]) + block(6, bytes(8)), ":1: expected a packet block of 20 bytes or more, was 8"),
        (
            pcapng([]) + block(6, struct.pack("<IIIII", 7, 0, 0, 0, 0)),
            ":1: expected a packet of an interface that was described, was 'interface 7'",
        ),
        (
            pcapng([]) + struct.pack("<II", 6, 13),
            ":1: expected a block of 12 to 16777216 bytes, a multiple of 4",
        ),
        (pcapng([]) + struct.pack("<III", 6, 12, 16), ":1: expected the length of a block again at its end"),
        (b"\x0a\x0d\x0d\x0a" + bytes(24), ":1: expected a byte-order mark of a section, was 'other data'"),
        (
            pcapng([]) + block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9) + b"ab"),
            ":1: expected a frame of 9 bytes, was '4 in its block'",
        ),
        (gzip.compress(pcap(FRAMES), mtime=0)[:-20], "expected gzip data to its end"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        frames(tmp_path / "x", content)
    assert message in str(caught.value)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file that can be read, was 'No such file or directory'"):
        list(Capture(tmp_path / "none"))
    assert not is_capture(tmp_path / "none")
