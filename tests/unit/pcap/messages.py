"""Messages of S1AP, NAS and MAP, made by pycrate's encoder."""

from __future__ import annotations

import struct
from typing import Any

from connectors.pcap import library

PLMN = b"\x64\xf0\x00"
"""460-00."""
ECI = 0x1234501
TAC = 4711
_CRITICALITY = "reject"
_IES = {
    "MME-UE-S1AP-ID": 0,
    "HandoverType": 1,
    "Cause": 2,
    "TargetID": 4,
    "ENB-UE-S1AP-ID": 8,
    "E-RABToBeSetupListCtxtSUReq": 24,
    "NAS-PDU": 26,
    "SecurityContext": 40,
    "E-RABSetupListCtxtSURes": 51,
    "TAI": 67,
    "UEAggregateMaximumBitrate": 66,
    "SecurityKey": 73,
    "SourceMME-UE-S1AP-ID": 88,
    "E-RABToBeSwitchedDLList": 22,
    "E-RABToBeSetupListHOReq": 53,
    "E-RABAdmittedList": 18,
    "Target-ToSource-TransparentContainer": 123,
    "S-TMSI": 96,
    "UE-S1AP-IDs": 99,
    "EUTRAN-CGI": 100,
    "Source-ToTarget-TransparentContainer": 104,
    "UESecurityCapabilities": 107,
    "RRC-Establishment-Cause": 134,
}
_CODES = {
    "HandoverRequestAcknowledge": 1,
    "HandoverNotify": 2,
    "PathSwitchRequest": 3,
    "PathSwitchRequestAcknowledge": 3,
    "PathSwitchRequestFailure": 3,
    "InitialContextSetupRequest": 9,
    "InitialContextSetupResponse": 9,
    "InitialContextSetupFailure": 9,
    "DownlinkNASTransport": 11,
    "InitialUEMessage": 12,
    "UplinkNASTransport": 13,
    "HandoverRequired": 0,
    "HandoverRequest": 1,
    "UEContextReleaseCommand": 23,
}
_OUTCOMES = {
    "Response": "successfulOutcome",
    "Acknowledge": "successfulOutcome",
    "Failure": "unsuccessfulOutcome",
}
_BEARER = {
    "e-RAB-ID": 5,
    "e-RABlevelQoSParameters": {
        "qCI": 9,
        "allocationRetentionPriority": {
            "priorityLevel": 15,
            "pre-emptionCapability": "shall-not-trigger-pre-emption",
            "pre-emptionVulnerability": "not-pre-emptable",
        },
    },
    "transportLayerAddress": (3232240327, 32),
    "gTP-TEID": b"\0\0\0\1",
}


def s1(name: str, **fields: Any) -> bytes:
    """An S1AP message; `_` in names of elements stands for `-`."""
    ies = []
    for given, value in fields.items():
        element = given.replace("_", "-")
        type_of = element.removeprefix("Source") if element.endswith("ID") else element
        ies.append({"id": _IES[element], "criticality": _CRITICALITY, "value": (type_of, value)})
    kind = next((outcome for end, outcome in _OUTCOMES.items() if name.endswith(end)), "initiatingMessage")
    pdu = library.s1ap().S1AP_PDU_Descriptions.S1AP_PDU
    body = {"procedureCode": _CODES[name], "criticality": "ignore", "value": (name, {"protocolIEs": ies})}
    pdu.set_val((kind, body))
    found: bytes = pdu.to_aper()
    return found


def where(eci: int = ECI, tac: int = TAC) -> dict[str, Any]:
    """Elements that say in which cell."""
    return {
        "EUTRAN_CGI": {"pLMNidentity": PLMN, "cell-ID": (eci, 28)},
        "TAI": {"pLMNidentity": PLMN, "tAC": tac.to_bytes(2, "big")},
    }


def initial(enb_id: int, nas: bytes, eci: int = ECI, s_tmsi: int | None = None) -> bytes:
    """The first message of a handset."""
    named = {} if s_tmsi is None else {"S_TMSI": {"mMEC": b"\x01", "m-TMSI": s_tmsi.to_bytes(4, "big")}}
    return s1(
        "InitialUEMessage",
        ENB_UE_S1AP_ID=enb_id,
        NAS_PDU=nas,
        **where(eci),
        RRC_Establishment_Cause="mo-Signalling",
        **named,
    )


def down(mme_id: int, enb_id: int, nas: bytes) -> bytes:
    """A NAS message to a handset."""
    return s1("DownlinkNASTransport", MME_UE_S1AP_ID=mme_id, ENB_UE_S1AP_ID=enb_id, NAS_PDU=nas)


def up(mme_id: int, enb_id: int, nas: bytes, eci: int = ECI) -> bytes:
    """A NAS message from a handset."""
    return s1("UplinkNASTransport", MME_UE_S1AP_ID=mme_id, ENB_UE_S1AP_ID=enb_id, NAS_PDU=nas, **where(eci))


def setup(mme_id: int, enb_id: int, nas: bytes | None = None) -> bytes:
    """The MME has a context made, with an answer to the handset in it."""
    bearer = _BEARER if nas is None else {**_BEARER, "nAS-PDU": nas}
    item = {"id": 52, "criticality": "reject", "value": ("E-RABToBeSetupItemCtxtSUReq", bearer)}
    return s1(
        "InitialContextSetupRequest",
        MME_UE_S1AP_ID=mme_id,
        ENB_UE_S1AP_ID=enb_id,
        UEAggregateMaximumBitrate={"uEaggregateMaximumBitRateDL": 1000, "uEaggregateMaximumBitRateUL": 1000},
        E_RABToBeSetupListCtxtSUReq=[item],
        UESecurityCapabilities={"encryptionAlgorithms": (0, 16), "integrityProtectionAlgorithms": (0, 16)},
        SecurityKey=(1, 256),
    )


def is_set_up(mme_id: int, enb_id: int) -> bytes:
    """The eNodeB has made the context."""
    bearer = {"e-RAB-ID": 5, "transportLayerAddress": (3232240327, 32), "gTP-TEID": b"\0\0\0\2"}
    item = {"id": 50, "criticality": "ignore", "value": ("E-RABSetupItemCtxtSURes", bearer)}
    return s1(
        "InitialContextSetupResponse",
        MME_UE_S1AP_ID=mme_id,
        ENB_UE_S1AP_ID=enb_id,
        E_RABSetupListCtxtSURes=[item],
    )


def release(mme_id: int, enb_id: int, cause: tuple[str, str] = ("nas", "normal-release")) -> bytes:
    """The MME lets a context go."""
    pair = {"mME-UE-S1AP-ID": mme_id, "eNB-UE-S1AP-ID": enb_id}
    return s1("UEContextReleaseCommand", UE_S1AP_IDs=("uE-S1AP-ID-pair", pair), Cause=cause)


def handover_required(mme_id: int, enb_id: int, container: bytes) -> bytes:
    """The source eNodeB wants a handover over the MME."""
    enb = {"pLMNidentity": PLMN, "eNB-ID": ("macroENB-ID", (1, 20))}
    tai = {"pLMNidentity": PLMN, "tAC": b"\x12\x67"}
    return s1(
        "HandoverRequired",
        MME_UE_S1AP_ID=mme_id,
        ENB_UE_S1AP_ID=enb_id,
        HandoverType="intralte",
        Cause=("radioNetwork", "s1-inter-system-handover-triggered"),
        TargetID=("targeteNB-ID", {"global-ENB-ID": enb, "selected-TAI": tai}),
        Source_ToTarget_TransparentContainer=container,
    )


def handover_request(mme_id: int, container: bytes) -> bytes:
    """The MME asks the target eNodeB, under an id of its own."""
    bearer = {"e-RAB-ID": 5, "transportLayerAddress": (1, 32), "gTP-TEID": b"\0\0\0\1"}
    bearer |= {"e-RABlevelQosParameters": _BEARER["e-RABlevelQoSParameters"]}
    item = {"id": 27, "criticality": "reject", "value": ("E-RABToBeSetupItemHOReq", bearer)}
    return s1(
        "HandoverRequest",
        MME_UE_S1AP_ID=mme_id,
        HandoverType="intralte",
        Cause=("radioNetwork", "s1-inter-system-handover-triggered"),
        UEAggregateMaximumBitrate={"uEaggregateMaximumBitRateDL": 1000, "uEaggregateMaximumBitRateUL": 1000},
        E_RABToBeSetupListHOReq=[item],
        Source_ToTarget_TransparentContainer=container,
        UESecurityCapabilities={"encryptionAlgorithms": (0, 16), "integrityProtectionAlgorithms": (0, 16)},
        SecurityContext={"nextHopChainingCount": 1, "nextHopParameter": (1, 256)},
    )


def handover_acknowledged(mme_id: int, enb_id: int) -> bytes:
    """The target eNodeB is ready."""
    bearer = {"e-RAB-ID": 5, "transportLayerAddress": (1, 32), "gTP-TEID": b"\0\0\0\1"}
    item = {"id": 20, "criticality": "ignore", "value": ("E-RABAdmittedItem", bearer)}
    return s1(
        "HandoverRequestAcknowledge",
        MME_UE_S1AP_ID=mme_id,
        ENB_UE_S1AP_ID=enb_id,
        E_RABAdmittedList=[item],
        Target_ToSource_TransparentContainer=b"\0",
    )


def handover_notify(mme_id: int, enb_id: int, eci: int) -> bytes:
    """The handset has come over."""
    return s1("HandoverNotify", MME_UE_S1AP_ID=mme_id, ENB_UE_S1AP_ID=enb_id, **where(eci))


def path_switch(enb_id: int, source_mme_id: int, eci: int) -> bytes:
    """The handset has come over X2."""
    bearer = {"e-RAB-ID": 5, "transportLayerAddress": (1, 32), "gTP-TEID": b"\0\0\0\1"}
    item = {"id": 23, "criticality": "reject", "value": ("E-RABToBeSwitchedDLItem", bearer)}
    return s1(
        "PathSwitchRequest",
        ENB_UE_S1AP_ID=enb_id,
        E_RABToBeSwitchedDLList=[item],
        SourceMME_UE_S1AP_ID=source_mme_id,
        **where(eci),
        UESecurityCapabilities={"encryptionAlgorithms": (0, 16), "integrityProtectionAlgorithms": (0, 16)},
    )


def path_switched(mme_id: int, enb_id: int) -> bytes:
    """The MME has taken in the same."""
    return s1(
        "PathSwitchRequestAcknowledge",
        MME_UE_S1AP_ID=mme_id,
        ENB_UE_S1AP_ID=enb_id,
        SecurityContext={"nextHopChainingCount": 1, "nextHopParameter": (1, 256)},
    )


# -- NAS -----------------------------------------------------------------------------------------------------


def guti(m_tmsi: int, mme: int = 1) -> bytes:
    """An identity element with a GUTI of 460-00 (TS 24.301, 9.9.3.12)."""
    return b"\xf6" + PLMN + struct.pack(">HBI", 4, mme, m_tmsi)


def digits(number: str, kind: int) -> bytes:
    """An identity element with an IMSI (1), IMEI (2) or IMEISV (3)."""
    halves = [int(digit) for digit in number]
    first = halves[0] << 4 | (8 if len(halves) % 2 else 0) | kind
    rest = halves[1:] if len(halves) % 2 else [*halves[1:], 15]
    return bytes([first, *(rest[n] | rest[n + 1] << 4 for n in range(0, len(rest), 2))])


def lv(value: bytes) -> bytes:
    """A value with its length before it."""
    return bytes([len(value)]) + value


def protected(nas: bytes, kind: int = 2) -> bytes:
    """A NAS message with a security header: 1 integrity, 2 ciphered as well, 4 with a new context."""
    return bytes([kind << 4 | 7]) + b"\xaa\xbb\xcc\xdd\x01" + nas


def attach_request(identity: bytes) -> bytes:
    """An attach request, with a PDN connectivity request in it."""
    return b"\x07\x41\x71" + lv(identity) + lv(b"\xe0\xe0") + b"\x00\x04\x02\x01\xd0\x11"


def attach_accept(new: bytes) -> bytes:
    """An attach accept that gives a GUTI."""
    return (
        b"\x07\x42\x01\x49" + lv(b"\x00" + PLMN + b"\x12\x67") + b"\x00\x03\x02\x01\xc1" + b"\x50" + lv(new)
    )


def update_request(old: bytes) -> bytes:
    """A tracking area update request."""
    return b"\x07\x48\x70" + lv(old)


def update_accept(new: bytes | None = None) -> bytes:
    """A tracking area update accept."""
    return b"\x07\x49\x00" + (b"" if new is None else b"\x50" + lv(new))


def detach_request(identity: bytes, switch_off: bool) -> bytes:
    """A detach request of a handset."""
    return b"\x07\x45" + bytes([0x79 if switch_off else 0x71]) + lv(identity)


def security_mode_command(cipher: int) -> bytes:
    """A security mode command that chooses an algorithm."""
    return b"\x07\x5d" + bytes([cipher << 4 | 2]) + b"\x00" + lv(b"\xe0\xe0") + b"\xc1"


def security_mode_complete(imeisv: str) -> bytes:
    """A security mode complete with an IMEISV."""
    return b"\x07\x5e\x23" + lv(digits(imeisv, 3))


SERVICE_REQUEST = b"\xc7\x03\x8b\xd3"
ATTACH_COMPLETE = b"\x07\x43\x00\x03\x52\x00\xc2"


# -- MAP -----------------------------------------------------------------------------------------------------


def tcap(kind: str, components: list[Any], context: tuple[int, ...] | None = None, **ids: bytes) -> bytes:
    """A TCAP message with components of MAP."""
    body: dict[str, Any] = {**ids, "components": [("basicROS", component) for component in components]}
    if context is not None:
        name = "dialogueRequest" if kind == "begin" else "dialogueResponse"
        pdu: dict[str, Any] = {"application-context-name": (0, 4, 0, 0, 1, 0, *context)}
        if name == "dialogueResponse":
            pdu |= {"result": 0, "result-source-diagnostic": ("dialogue-service-user", 0)}
        body["dialoguePortion"] = {
            "direct-reference": (0, 0, 17, 773, 1, 1, 1),
            "encoding": ("single-ASN1-type", ("DialoguePDU", (name, pdu))),
        }
    message = library.tcap_map().TCAP_MAP_Messages.TCAP_MAP_Message
    message.set_val((kind, body))
    found: bytes = message.to_ber()
    return found


def invoke(number: int, operation: int, argument_type: tuple[str, str], argument: Any) -> Any:
    """An operation that is asked for."""
    return (
        "invoke",
        {
            "invokeId": ("present", number),
            "opcode": ("local", operation),
            "argument": (argument_type, argument),
        },
    )


def result(number: int) -> Any:
    """An operation that has succeeded."""
    return ("returnResult", {"invokeId": ("present", number)})


def error(number: int, code: int) -> Any:
    """An operation that has failed."""
    return ("returnError", {"invokeId": ("present", number), "errcode": ("local", code)})


def packed(number: str) -> bytes:
    """Digits as packed BCD."""
    padded = number + "f" * (len(number) % 2)
    return bytes(int(padded[n + 1] + padded[n], 16) for n in range(0, len(padded), 2))


def international(number: str) -> bytes:
    """An address string of an international number."""
    return b"\x91" + packed(number)


def address(title: str, subsystem: int) -> bytes:
    """An SCCP address with a global title."""
    return bytes([0x12, subsystem, 0x00, 0x12, 0x04]) + packed(title)


def udt(data: bytes, calling: bytes, called: bytes) -> bytes:
    """An SCCP unitdata message."""
    first = 3
    second = first + len(called)
    third = second + len(calling)
    return bytes([9, 0, first, second, third]) + lv(called) + lv(calling) + lv(data)


def xudt(data: bytes, calling: bytes, called: bytes, segmentation: bytes) -> bytes:
    """An SCCP extended unitdata message, a segment."""
    first = 4
    second = first + len(called)
    third = second + len(calling)
    fourth = third + len(data)
    head = bytes([0x11, 0x80, 15, first, second, third, fourth])
    return head + lv(called) + lv(calling) + lv(data) + b"\x10" + lv(segmentation) + b"\x00"


def m3ua(sccp: bytes) -> bytes:
    """An M3UA message around one of SCCP."""
    data = struct.pack(">IIBBBB", 1, 2, 3, 2, 0, 0) + sccp
    parameter = struct.pack(">HH", 0x0210, 4 + len(data)) + data + bytes(-len(data) % 4)
    return struct.pack(">BBBBI", 1, 0, 1, 1, 8 + len(parameter)) + parameter


def m2pa(sccp: bytes) -> bytes:
    """An M2PA message around the same."""
    data = b"\x00" + b"\x83" + bytes(4) + sccp
    return struct.pack(">BBBBIII", 1, 0, 11, 1, 16 + len(data), 1, 1) + data
