"""A frame in, the records that it completes out. Keeps what one capture has told; all of it is bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from connectors.pcap import links
from connectors.pcap.attachments import Attachments, Refuse
from connectors.pcap.capture import Frame
from connectors.pcap.procedures import Record, Stamp
from connectors.pcap.sctp import Assembler, Message
from connectors.pcap.ss7 import M2PA, M3UA, Ss7Stack, Tcap
from connectors.pcap.tcap import Dialogues
from engine.refusals import Bad

S1AP: Final = 18
"""Payload protocol identifier of SCTP."""
_PORT: Final = 36412
"""Of S1AP: some send it without the identifier."""


class Decoder:
    """Decodes one capture. Order of calls: `take` for each frame, then `finish`.

    `key`: the secret of subscriber keys, for ids. `refuse`: called for what can't be decoded, with the frame
    and "WHAT: expected X, was Y"; decoding goes on.
    """

    def __init__(self, key: bytes, refuse: Refuse) -> None:
        self._refuse = refuse
        self._frames: Counter[str] = Counter()
        self._sctp = Assembler()
        self._ss7 = Ss7Stack()
        stamp = Stamp(key)
        self._attachments = Attachments(stamp, refuse)
        self._dialogues = Dialogues(stamp, refuse)
        self._t = 0

    @property
    def counts(self) -> Counter[str]:
        """What the capture holds: `frames`, those of them without signaling, messages by name."""
        found = self._frames.copy()
        for name, count in self._sctp.counts.items():
            found[f"SCTP {name}"] = count
        return found + self._ss7.counts + self._attachments.counts + self._dialogues.counts

    def take(self, frame: Frame) -> Iterator[Record]:
        """Yield the records that a frame completes."""
        self._frames["frames"] += 1
        self._t = max(self._t, frame.t)
        try:
            packet = links.carried(frame)
            if packet is None:
                self._frames["frames of other protocols"] += 1
            elif isinstance(packet, links.Ss7):
                for tcap in self._ss7.of_link(packet.layer, packet.data):
                    yield from self._dialogues.take(frame, tcap)
            else:
                for message in self._sctp.take(packet, frame.number):
                    yield from self._message(frame, message)
        except Bad as bad:
            cut = "" if frame.is_whole else ", the capture kept only the beginning of the frame"
            self._refuse(frame.number, f"{bad.field}: expected {bad.expected}, was {bad.was}{cut}")
        self._tell_lost()

    def finish(self, frame: int) -> Iterator[Record]:
        """Yield records of procedures that the capture does not show the end of; `frame`: the last one."""
        yield from self._attachments.finish(self._t, frame)
        yield from self._dialogues.finish(self._t, frame)
        self._sctp.finish()
        self._tell_lost()

    def _message(self, frame: Frame, message: Message) -> Iterator[Record]:
        protocol = message.protocol
        if protocol == S1AP or (protocol == 0 and _PORT in (message.source[1], message.target[1])):
            yield from self._attachments.take(frame, message)
        elif protocol in (M3UA, M2PA):
            for tcap in self._tcap(frame, message):
                yield from self._dialogues.take(frame, tcap)
        else:
            self._frames["SCTP messages of other protocols"] += 1

    def _tcap(self, frame: Frame, message: Message) -> Iterator[Tcap]:
        """Yield the TCAP of a message; a malformed one must not take along the next of its packet."""
        try:
            yield from self._ss7.of_sctp(message.protocol, message.data)
        except Bad as bad:
            self._refuse(frame.number, f"{bad.field}: expected {bad.expected}, was {bad.was}")

    def _tell_lost(self) -> None:
        for number in self._sctp.lost:
            self._refuse(number, "sctp: expected all fragments of a message, was a part of them")
        self._sctp.lost.clear()
