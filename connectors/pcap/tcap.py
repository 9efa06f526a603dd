"""MAP over TCAP: operations that say where a subscriber registers, or that a message was sent.

    updateLocation, updateGprsLocation    loc.update        mo-forwardSM    sms.out
    purgeMS, cancelLocation (withdrawn)   power.off         mt-forwardSM    sms.in

MAP: 3GPP TS 29.002, 17.6. TCAP: ITU-T Q.773. An operation is one record, at its answer. The same one seen
again at another hop of the signaling network is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from connectors.pcap import library
from connectors.pcap.attachments import Refuse
from connectors.pcap.capture import Frame
from connectors.pcap.handsets import Bounded
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
from connectors.pcap.sms import address, bcd, read_tpdu
from connectors.pcap.ss7 import Tcap

SOURCE: Final = "map"
DIALOGUES_AT_MOST: Final = 50_000
_MAP_CONTEXTS: Final = (0, 4, 0, 0, 1, 0)
"""How names of application contexts of MAP begin (TS 29.002, 17.1.4); those of CAP and INAP do not."""
_MAP_SUBSYSTEMS: Final = frozenset({5, 6, 7, 8, 9, 10, 145, 146, 147, 148, 149, 150})
NAMES: Final[dict[int, str]] = {
    2: "updateLocation",
    3: "cancelLocation",
    7: "insertSubscriberData",
    8: "deleteSubscriberData",
    22: "sendRoutingInfo",
    23: "updateGprsLocation",
    24: "sendRoutingInfoForGprs",
    44: "mt-forwardSM",
    45: "sendRoutingInfoForSM",
    46: "mo-forwardSM",
    47: "reportSM-DeliveryStatus",
    55: "sendIdentification",
    56: "sendAuthenticationInfo",
    57: "restoreData",
    59: "processUnstructuredSS-Request",
    60: "unstructuredSS-Request",
    63: "informServiceCentre",
    64: "alertServiceCentre",
    66: "readyForSM",
    67: "purgeMS",
    70: "provideSubscriberInfo",
    71: "anyTimeInterrogation",
}
"""Operation codes."""
_ERRORS: Final[dict[int, str]] = {
    1: "unknownSubscriber",
    5: "unidentifiedSubscriber",
    6: "absentSubscriberSM",
    8: "roamingNotAllowed",
    9: "illegalSubscriber",
    12: "illegalEquipment",
    21: "facilityNotSupported",
    27: "absentSubscriber",
    31: "subscriberBusyForMT-SMS",
    32: "sm-DeliveryFailure",
    34: "systemFailure",
    35: "dataMissing",
    36: "unexpectedDataValue",
}
"""Error codes (17.6.6); one that is not listed is told as its number."""
_INSERT_SUBSCRIBER_DATA: Final = 7
_WITHDRAWN: Final = "subscriptionWithdraw"


class _Dialogue:
    __slots__ = ("is_map", "msisdn", "opener", "operations", "t")

    def __init__(self, is_map: bool, opener: bytes, t: int) -> None:
        self.is_map = is_map
        self.t = t
        """When it began, µs."""
        self.opener = opener
        """Transaction id of who began it."""
        self.msisdn = ""
        """Which the HLR tells within the dialogue, with what it knows of the subscriber."""
        self.operations: dict[tuple[bool, int], Procedure | None] = {}
        """(whether its opener asks, invoke id) -> procedure; None: one that is no record. Each of the two
        sides numbers its own."""

    def is_opener(self, body: dict[str, Any]) -> bool:
        """Say whether a message comes from who began."""
        ours = body.get("otid")
        return bool(ours == self.opener if ours is not None else body.get("dtid") != self.opener)


class Dialogues:
    """Takes TCAP messages, gives records."""

    def __init__(self, stamp: Stamp, refuse: Refuse) -> None:
        self.counts: Counter[str] = Counter()
        """Operations by name; `MAP seen at another hop`."""
        self._dialogues: Bounded[tuple[bytes, bytes], _Dialogue] = Bounded(DIALOGUES_AT_MOST)
        """By transaction id of who began it, and his global title."""
        self._waiting = Waiting()
        self._stamp = stamp
        self._refuse = refuse

    def take(self, frame: Frame, message: Tcap) -> Iterator[Record]:
        """Yield the records that a message completes."""
        for overdue in self._waiting.overdue(frame.t):
            yield _ended(overdue, overdue.t + PATIENCE, frame.number, TIMEOUT)
        decoded = library.attempt(lambda: _decode(message.data))
        if decoded is None:
            self._refuse(frame.number, "tcap: expected TCAP with MAP, was one that can't be decoded")
            return
        kind, body = decoded
        dialogue = self._dialogue(kind, body, message, frame.t)
        if not dialogue.is_map:
            self.counts["TCAP of other applications"] += 1
            return
        for component in body.get("components", ()):
            yield from self._component(dialogue, component, frame, message.data, body)
        if kind in ("end", "abort"):
            for procedure in [found for found in dialogue.operations.values() if found is not None]:
                result = FAILURE if kind == "abort" else UNFINISHED
                yield from self._end(procedure, frame, result, "abort" if kind == "abort" else "")
            dialogue.operations.clear()

    def finish(self, t: int, frame: int) -> Iterator[Record]:
        """Yield records of what has no answer when the capture ends at `t`."""
        for procedure in self._waiting.rest():
            yield _ended(procedure, t, frame, UNFINISHED)

    def _dialogue(self, kind: str, body: dict[str, Any], message: Tcap, t: int) -> _Dialogue:
        """Return the dialogue of a message, a new one if its beginning was not seen.

        Its operations go with it: what is invoked by either side is answered within it.
        """
        theirs, ours = body.get("dtid"), body.get("otid")
        keys = [(theirs, message.called)] if theirs is not None else []
        if ours is not None:
            keys.append((ours, message.calling))
        context = _context(body)
        found = None
        for key in keys:
            found = found or self._dialogues.get((key[0], key[1])) or self._dialogues.get((key[0], b""))
        if found is None or (kind == "begin" and t - found.t > PATIENCE):  # ids are used again
            is_map = message.subsystem in _MAP_SUBSYSTEMS or kind != "begin"
            opener = (ours if kind == "begin" else theirs) or ours or b""
            found = _Dialogue(context[:6] == _MAP_CONTEXTS if context else is_map, opener, t)
        for key in keys:
            self._dialogues.put(key, found)
        return found

    def _component(
        self, dialogue: _Dialogue, component: Any, frame: Frame, data: bytes, body: dict[str, Any]
    ) -> Iterator[Record]:
        kind, content = component[1] if component[0] == "basicROS" else component
        number = content.get("invokeId", ("absent", None))[1]
        if kind == "invoke":
            yield from self._invoked(dialogue, (dialogue.is_opener(body), number), content, frame, data)
            return
        asked = (not dialogue.is_opener(body), number)
        procedure = dialogue.operations.get(asked)
        if kind in ("returnResult", "returnError", "reject") and procedure is not None:
            dialogue.operations[asked] = None
            cause = ""
            if kind == "returnError":
                code = content["errcode"][1]
                cause = f"map: {_ERRORS.get(code, code)}"
            elif kind == "reject":
                cause = "reject"
            if dialogue.msisdn:
                procedure.fields.setdefault("msisdn", dialogue.msisdn)
            yield from self._end(procedure, frame, FAILURE if cause else SUCCESS, cause)

    def _invoked(
        self,
        dialogue: _Dialogue,
        number: tuple[bool, Any],
        content: dict[str, Any],
        frame: Frame,
        data: bytes,
    ) -> Iterator[Record]:
        operation = content["opcode"][1]
        if number in dialogue.operations:
            self.counts["MAP seen at another hop"] += 1
            return
        name = NAMES.get(operation, f"operation {operation}")
        self.counts[f"MAP {name}"] += 1
        argument = content.get("argument", (None, None))[1]
        if operation == _INSERT_SUBSCRIBER_DATA and isinstance(argument, dict) and "msisdn" in argument:
            dialogue.msisdn = address(argument["msisdn"])
        told = _RECORDS[operation](argument) if operation in _RECORDS and isinstance(argument, dict) else None
        procedure = None
        if told is not None:
            kind, fields = told
            stamp = self._stamp.id(frame, data, f"{name} {number[1]}")
            procedure = Procedure(name, kind, SOURCE, frame.t, frame.number, stamp, fields)
            oldest = self._waiting.add(procedure)
            if oldest is not None:
                yield _ended(oldest, frame.t, frame.number, UNFINISHED)
        dialogue.operations[number] = procedure

    def _end(self, procedure: Procedure, frame: Frame, result: str, cause: str = "") -> Iterator[Record]:
        if self._waiting.end(procedure):
            yield _ended(procedure, frame.t, frame.number, result, cause)


def _decode(data: bytes) -> tuple[str, dict[str, Any]]:
    message = library.tcap_map().TCAP_MAP_Messages.TCAP_MAP_Message
    message.from_ber(data)
    kind, body = message.get_val()
    return kind, body


def _context(body: dict[str, Any]) -> tuple[int, ...]:
    """Return the name of the application context, empty if the message is without."""
    try:
        return tuple(body["dialoguePortion"]["encoding"][1][1][1]["application-context-name"])
    except (KeyError, IndexError, TypeError):
        return ()


def _ended(procedure: Procedure, t: int, frame: int, result: str, cause: str = "") -> Record:
    return record_of(procedure, t, frame, result, cause)


# -- arguments -> kind and fields ----------------------------------------------------------------------------

_Told = tuple[str, dict[str, Any]] | None


def _update(argument: dict[str, Any]) -> _Told:
    fields = {"imsi": bcd(argument["imsi"])}
    for name, shown in (("vlr-Number", "vlr"), ("msc-Number", "msc"), ("sgsn-Number", "sgsn")):
        if name in argument:
            fields[shown] = address(argument[name])
    return "loc.update", fields


def _purge(argument: dict[str, Any]) -> _Told:
    return "power.off", {"imsi": bcd(argument["imsi"]), "implicit": True}


def _cancel(argument: dict[str, Any]) -> _Told:
    """A subscription that is withdrawn ends here; one that moves on is told of by its update elsewhere."""
    if argument.get("cancellationType") != _WITHDRAWN:
        return None
    identity = argument["identity"]
    imsi = identity[1] if identity[0] == "imsi" else identity[1]["imsi"]
    return "power.off", {"imsi": bcd(imsi), "implicit": True}


def _message(argument: dict[str, Any]) -> _Told:
    """Which way a message goes is told by its ends, not by the operation: MAP 2 has one for both."""
    target, origin = argument["sm-RP-DA"], argument["sm-RP-OA"]
    submit = origin[0] == "msisdn"
    told = read_tpdu(argument["sm-RP-UI"], submit=submit)
    if told is None:
        return None
    fields: dict[str, Any] = dict(told)
    if submit:
        fields["msisdn"] = address(origin[1])
    elif target[0] == "imsi":
        fields["imsi"] = bcd(target[1])
    if "imsi" in argument:
        fields["imsi"] = bcd(argument["imsi"])
    return "sms.out" if submit else "sms.in", fields


_RECORDS: Final = {
    2: _update,
    3: _cancel,
    23: _update,
    44: _message,
    46: _message,
    67: _purge,
}
"""Operation code -> kind and fields out of its argument."""
