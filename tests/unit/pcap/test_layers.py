"""From frames to messages: links, IP, SCTP with its fragments and repetitions."""

from __future__ import annotations

import pytest

from connectors.pcap.capture import Frame
from connectors.pcap.links import Packet, Ss7, carried
from connectors.pcap.sctp import FRAGMENTS_AT_MOST, Assembler
from engine.refusals import Bad
from tests.unit.pcap import packets as p

CHUNK = p.data_chunk(1, 18, b"hello")
PACKET = p.ip(p.sctp([CHUNK]))
SIX = p.ip(p.sctp([CHUNK]), "2001:db8::1", "2001:db8::2")


def frame(data: bytes, link: int = p.ETHERNET) -> Frame:
    """A frame to look into."""
    return Frame(1, p.START, link, data)


@pytest.mark.parametrize("link", [p.ETHERNET, p.LINUX_COOKED, p.LINUX_COOKED2, p.RAW, p.LOOPBACK])
@pytest.mark.parametrize("packet", [PACKET, SIX], ids=["IPv4", "IPv6"])
def test_sctp_is_found_behind_any_link(link: int, packet: bytes) -> None:
    found = carried(frame(p.linked(packet, link), link))
    assert isinstance(found, Packet)
    assert found.data == p.sctp([CHUNK])


def test_vlan_tags_and_padding_are_taken_off() -> None:
    found = carried(frame(p.linked(PACKET, vlans=2) + bytes(9)))
    assert isinstance(found, Packet)
    assert found.data == p.sctp([CHUNK])


def test_headers_of_ipv6_before_sctp_are_passed_over() -> None:
    packet = p.ip(bytes([132, 0]) + bytes(6) + p.sctp([CHUNK]), "2001:db8::1", "2001:db8::2", protocol=0)
    found = carried(frame(packet, p.RAW))
    assert isinstance(found, Packet)
    assert found.data == p.sctp([CHUNK])


def test_other_protocols_are_nothing_to_us() -> None:
    assert carried(frame(p.linked(p.ip(b"tcp", protocol=6)))) is None
    assert carried(frame(bytes(12) + b"\x08\x06" + bytes(28))) is None


def test_ss7_without_ip() -> None:
    assert carried(frame(b"\x83abc", 141)) == Ss7("mtp3", b"\x83abc")
    assert carried(frame(b"\x80\x80\x05\x83abc", 140)) == Ss7("mtp3", b"\x83abc")
    assert carried(frame(b"\x80\x80\x00", 140)) is None
    assert carried(frame(b"\x09abc", 142)) == Ss7("sccp", b"\x09abc")


@pytest.mark.parametrize(
    ("data", "link", "message"),
    [
        (b"short", p.ETHERNET, "whole headers"),
        (PACKET[:9], p.RAW, "whole headers"),
        (p.ip(b"x", fragment=0x2000), p.RAW, "whole IP packets"),
        (p.ip(b"x", fragment=0x0010), p.RAW, "whole IP packets"),
        (
            p.ip(bytes([132, 0, 0, 9]) + bytes(8), "2001:db8::1", "2001:db8::2", protocol=44),
            p.RAW,
            "whole IP packets",
        ),
        (b"any", 147, "a link type of"),
    ],
)
def test_what_can_not_be_looked_into_is_refused(data: bytes, link: int, message: str) -> None:
    with pytest.raises(Bad, match=message):
        carried(frame(data, link))


def messages(assembler: Assembler, *chunks: bytes, number: int = 1) -> list[bytes]:
    """Put chunks into a packet and return the messages that come of it."""
    return [found.data for found in assembler.take(Packet(b"a", b"b", p.sctp(chunks)), number)]


def test_several_messages_of_one_packet() -> None:
    control = b"\x03\x00\x00\x10" + bytes(12)
    chunks = [p.data_chunk(1, 18, b"one"), control, p.data_chunk(2, 18, b"other")]
    assert messages(Assembler(), *chunks) == [b"one", b"other"]


def test_a_chunk_that_comes_again_is_none() -> None:
    assembler = Assembler()
    assert messages(assembler, CHUNK) == [b"hello"]
    assert messages(assembler, CHUNK) == []
    assert assembler.counts == {"chunks": 2, "again": 1}
    other_way = Packet(b"b", b"a", p.sctp([CHUNK]))
    assert len(list(assembler.take(other_way, 3))) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_fragments_are_put_together_in_any_order(order: tuple[int, ...]) -> None:
    last = (1 << 32) - 1
    parts = [p.data_chunk(last, 18, b"a", 2), p.data_chunk(0, 18, b"b", 0), p.data_chunk(1, 18, b"c", 1)]
    assembler = Assembler()
    found = [message for place in order for message in messages(assembler, parts[place])]
    assert found == [b"abc"]
    assembler.finish()
    assert assembler.lost == []


def test_fragments_without_the_others_are_told_and_bounded() -> None:
    assembler = Assembler()
    for number in range(FRAGMENTS_AT_MOST + 2):
        assert messages(assembler, p.data_chunk(2 * number, 18, b"x", 2), number=number) == []
    assert assembler.lost == [0, 1]
    assembler.finish()
    assert len(assembler.lost) == FRAGMENTS_AT_MOST + 2


@pytest.mark.parametrize(
    "damage", [b"\x00\x03\x00\x02", b"\x00\x03\x00\x10" + bytes(12), CHUNK[:-4], CHUNK[:18]]
)
def test_a_chunk_that_is_cut_costs_only_itself(damage: bytes) -> None:
    packet = Packet(b"a", b"b", p.sctp([p.data_chunk(9, 18, b"good"), damage]))
    taken = Assembler().take(packet, 1)
    assert next(taken).data == b"good"
    with pytest.raises(Bad, match="a whole chunk"):
        next(taken)


def test_a_packet_without_a_header() -> None:
    with pytest.raises(Bad, match="an SCTP packet"):
        list(Assembler().take(Packet(b"a", b"b", b"short"), 1))
