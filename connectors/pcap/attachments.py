"""Procedures of the S1 interface, from request to outcome: attach, updates, services, handovers, detach.

    attach request              power.on       (extended) service request       loc.sight
    tracking area update        loc.update     message from another cell        loc.sight
    handover, path switch       loc.handover   SMS over NAS                     sms.out, sms.in
    detach, context released with cause `nas: detach`                           power.off

With ciphered NAS the answers are not seen; then what S1AP says counts: a context set up means that the
request was granted, and how it is released says how it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from connectors.pcap import nas as naslib
from connectors.pcap import s1ap
from connectors.pcap.capture import Frame
from connectors.pcap.handsets import Handset, Handsets
from connectors.pcap.nas import Nas
from connectors.pcap.procedures import (
    FAILURE,
    PATIENCE,
    SUCCESS,
    TIMEOUT,
    UNFINISHED,
    Procedure,
    Record,
    Stamp,
    Waiting,
    record_of,
)
from connectors.pcap.s1ap import S1Message
from connectors.pcap.sctp import Message
from connectors.pcap.sms import read_rp

SOURCE: Final = "s1ap"
Refuse = Callable[[int, str], None]
"""(frame, "WHAT: expected X, was Y")"""

_UPDATE: Final = "tracking area update"
_BEGINS: Final = {
    "attach request": ("attach", "power.on"),
    "tracking area update request": (_UPDATE, "loc.update"),
    "service request": ("service request", "loc.sight"),
    "extended service request": ("extended service request", "loc.sight"),
    "control plane service request": ("control plane service request", "loc.sight"),
}
_GRANTS: Final = {"tracking area update accept": _UPDATE, "service accept": "control plane service request"}
_REJECTS: Final = frozenset({"attach reject", "tracking area update reject", "service reject"})
_ENDED_WELL: Final = frozenset({"nas: normal-release", "nas: detach", "radioNetwork: user-inactivity"})
"""Causes of a release after an update whose answer was ciphered."""
_ENDED_BY_CS: Final = "radioNetwork: cs-fallback-triggered"
_ONLY_CALLS: Final = 2
"""Detach type of a handset that stays attached for data: IMSI detach (TS 24.301, 9.9.3.7)."""
_ONLY_CALLS_BY_NETWORK: Final = 3


class Attachments:
    """Takes S1AP messages, gives records."""

    def __init__(self, stamp: Stamp, refuse: Refuse) -> None:
        self.counts: Counter[str] = Counter()
        """Messages by name, of S1AP and NAS: what a capture holds."""
        self._handsets = Handsets()
        self._waiting = Waiting()
        self._stamp = stamp
        self._refuse = refuse

    def take(self, frame: Frame, message: Message) -> Iterator[Record]:
        """Yield the records that a message of S1AP completes."""
        for overdue in self._waiting.overdue(frame.t):
            result = SUCCESS if overdue.is_accepted else TIMEOUT
            yield self._ended(overdue, overdue.t + PATIENCE, frame.number, result)
        name = s1ap.name_of(message.data)
        self.counts[f"S1AP {name or 'unknown'}"] += 1
        if not name:
            self._refuse(frame.number, "s1ap: expected an S1AP message, was other data")
            return
        if (message.data[0], message.data[1]) not in s1ap.WANTED:
            return
        found = s1ap.decode(message.data)
        if found is None:
            self._refuse(frame.number, f"s1ap: expected an {name}, was one that can't be decoded")
            return
        from_enb = name in s1ap.FROM_ENB
        enb, mme = (message.source, message.target) if from_enb else (message.target, message.source)
        handset = self._handsets.of(found, enb, mme)
        if found.s_tmsi is not None:
            self._handsets.called(handset, (mme[0], *found.s_tmsi), frame.t, given=False)
        elsewhere = handset.cell is not None and found.cell not in (None, handset.cell)
        records = list(self._moved(handset, found, frame, message.data))
        for data in found.nas:
            told = naslib.read(data, uplink=from_enb, cipher=handset.cipher)
            self.counts[f"NAS {told.name}"] += 1
            if told is naslib.BROKEN:
                self._refuse(frame.number, "nas: expected a NAS message, was one that can't be decoded")
            elif told is not naslib.CIPHERED:
                self._learn(handset, told, mme[0], frame.t)
                records += self._told(handset, told, frame, message.data, from_enb)
        if elsewhere and not records and handset.procedure is None:
            sight = self._new(handset, "message from another cell", "loc.sight", frame, message.data)
            records.append(self._ended(sight, frame.t, frame.number, ""))
        yield from records
        yield from self._answered(handset, found, frame, message.data)

    def finish(self, t: int, frame: int) -> Iterator[Record]:
        """Yield records of what has no outcome when the capture ends at `t`."""
        for procedure in self._waiting.rest():
            result = SUCCESS if procedure.is_accepted else UNFINISHED
            yield self._ended(procedure, t, frame, result)

    # -- what messages say -----------------------------------------------------------------------------------

    def _learn(self, handset: Handset, told: Nas, mme: bytes, t: int) -> None:
        handsets = self._handsets
        if told.cipher is not None:
            handset.cipher = told.cipher
        if told.imsi or told.imei:
            handsets.learn(handset, told.imsi, told.imei, t)
        if told.old is not None:
            handsets.called(handset, told.old, t, given=False)
        if told.new is not None:
            handsets.called(handset, told.new, t, given=True)
            handsets.called(handset, (mme, told.new.mme, told.new.m_tmsi), t, given=True)

    def _moved(self, handset: Handset, said: S1Message, frame: Frame, data: bytes) -> Iterator[Record]:
        """Take in where a handset is; yield a handover."""
        before = handset.cell
        if said.cell is None:
            return
        handset.cell = said.cell
        handset.tac = handset.tac if said.tac is None else said.tac
        if said.name == "HandoverNotify":
            handover = self._new(handset, "handover", "loc.handover", frame, data)
            if before is not None and before != said.cell:
                handover.fields["cell_prev"] = str(before)
            yield self._ended(handover, frame.t, frame.number, SUCCESS)
        elif said.name == "PathSwitchRequest":
            yield from self._begin(handset, "path switch", "loc.handover", frame, data)
            if handset.procedure is not None and before is not None and before != said.cell:
                handset.procedure.fields["cell_prev"] = str(before)

    def _told(
        self, handset: Handset, told: Nas, frame: Frame, data: bytes, from_enb: bool
    ) -> Iterator[Record]:
        name = told.name
        if name in _BEGINS and from_enb:
            yield from self._begin(handset, *_BEGINS[name], frame, data)
        elif name == "attach accept":
            procedure = handset.procedure
            if procedure is not None and procedure.name == "attach":
                procedure.is_accepted = True
        elif name in _GRANTS or name == "attach complete":
            yield from self._end(handset, frame, SUCCESS, only=_GRANTS.get(name, "attach"))
        elif name in _REJECTS:
            yield from self._end(handset, frame, FAILURE, told.cause)
        elif name == "detach request":
            yield from self._detached(handset, told, frame, data, from_enb)
        elif told.sms:
            message = read_rp(told.sms, uplink=from_enb)
            if message is not None:
                kind = "sms.out" if from_enb else "sms.in"
                sms = self._new(handset, "SMS over NAS", kind, frame, data)
                sms.fields.update(message)
                yield self._ended(sms, frame.t, frame.number, "")

    def _detached(
        self, handset: Handset, told: Nas, frame: Frame, data: bytes, from_enb: bool
    ) -> Iterator[Record]:
        if told.kind == (_ONLY_CALLS if from_enb else _ONLY_CALLS_BY_NETWORK):
            return
        yield from self._end(handset, frame, UNFINISHED)
        off = self._new(handset, "detach", "power.off", frame, data)
        off.fields["switch_off" if from_enb else "implicit"] = told.switch_off if from_enb else True
        yield self._ended(off, frame.t, frame.number, "", told.cause)
        handset.is_off = True

    def _answered(self, handset: Handset, said: S1Message, frame: Frame, data: bytes) -> Iterator[Record]:
        """Take in what S1AP says of an outcome."""
        if said.name in ("InitialContextSetupResponse", "PathSwitchRequestAcknowledge"):
            yield from self._end(handset, frame, SUCCESS)
        elif said.name in ("InitialContextSetupFailure", "PathSwitchRequestFailure"):
            yield from self._end(handset, frame, FAILURE, said.cause)
        elif said.name == "UEContextReleaseCommand":
            procedure = handset.procedure
            if procedure is not None:
                good = procedure.is_accepted or (procedure.name == _UPDATE and said.cause in _ENDED_WELL)
                good = good or said.cause == _ENDED_BY_CS
                yield from self._end(handset, frame, SUCCESS if good else FAILURE, "" if good else said.cause)
            if said.cause == "nas: detach" and not handset.is_off:
                off = self._new(handset, "release after detach", "power.off", frame, data)
                yield self._ended(off, frame.t, frame.number, "", said.cause)
            self._handsets.forget(handset)

    # -- procedures ------------------------------------------------------------------------------------------

    def _new(self, handset: Handset, name: str, kind: str, frame: Frame, data: bytes) -> Procedure:
        fields: dict[str, Any] = {"rat": "LTE"}
        if handset.cell is not None:
            fields["cell"] = str(handset.cell)
            fields["plmn"] = handset.cell.plmn
        if handset.tac is not None:
            fields["tac"] = handset.tac
        stamp = self._stamp.id(frame, data, name)
        return Procedure(name, kind, SOURCE, frame.t, frame.number, stamp, fields, owner=handset)

    def _begin(self, handset: Handset, name: str, kind: str, frame: Frame, data: bytes) -> Iterator[Record]:
        """Begin a procedure; one said again goes on, another one before it has come to no end."""
        before = handset.procedure
        if before is not None and before.name == name:
            return
        yield from self._end(handset, frame, UNFINISHED)
        procedure = handset.procedure = self._new(handset, name, kind, frame, data)
        oldest = self._waiting.add(procedure)
        if oldest is not None:
            yield self._ended(oldest, frame.t, frame.number, UNFINISHED)

    def _end(
        self, handset: Handset, frame: Frame, result: str, cause: str = "", only: str = ""
    ) -> Iterator[Record]:
        procedure = handset.procedure
        if procedure is not None and only in ("", procedure.name):
            yield self._ended(procedure, frame.t, frame.number, result, cause)

    def _ended(self, procedure: Procedure, t: int, frame: int, result: str, cause: str = "") -> Record:
        """Return the record, with what is known by now of who it is."""
        handset: Handset = procedure.owner
        self._waiting.end(procedure)
        if handset.procedure is procedure:
            handset.procedure = None
        if handset.imsi is not None:
            procedure.fields["imsi"] = handset.imsi
        if handset.imei is not None:
            procedure.fields["imeisv" if len(handset.imei) == 16 else "imei"] = handset.imei
        return record_of(procedure, t, frame, result, cause)
