"""S1AP between eNodeB and MME (3GPP TS 36.413): what its messages say about one subscriber.

Procedures that say nothing about where a subscriber is - capabilities, bearers, paging, set-up of the link
itself - are told by their first two bytes and not decoded.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from connectors.pcap import library

_KINDS: Final = {0x00: "initiatingMessage", 0x20: "successfulOutcome", 0x40: "unsuccessfulOutcome"}
"""First byte of a PDU in aligned PER: the choice."""
WANTED: Final[dict[tuple[int, int], str]] = {
    (0x00, 12): "InitialUEMessage",
    (0x00, 13): "UplinkNASTransport",
    (0x00, 11): "DownlinkNASTransport",
    (0x00, 9): "InitialContextSetupRequest",
    (0x20, 9): "InitialContextSetupResponse",
    (0x40, 9): "InitialContextSetupFailure",
    (0x00, 0): "HandoverRequired",
    (0x00, 1): "HandoverRequest",
    (0x20, 1): "HandoverRequestAcknowledge",
    (0x00, 2): "HandoverNotify",
    (0x00, 3): "PathSwitchRequest",
    (0x20, 3): "PathSwitchRequestAcknowledge",
    (0x40, 3): "PathSwitchRequestFailure",
    (0x00, 23): "UEContextReleaseCommand",
}
"""(choice, procedure code) -> name of the message."""
_SOURCE_ID, _SOURCE = 88, "SourceMME-UE-S1AP-ID"
FROM_ENB: Final = frozenset(
    {
        "InitialUEMessage",
        "UplinkNASTransport",
        "InitialContextSetupResponse",
        "InitialContextSetupFailure",
        "HandoverRequired",
        "HandoverRequestAcknowledge",
        "HandoverNotify",
        "PathSwitchRequest",
    }
)
"""Messages that an eNodeB sends; the others come from the MME."""


class Cell(NamedTuple):
    """A cell of LTE."""

    plmn: str
    """MCC and MNC, 5 or 6 digits."""
    eci: int

    def __str__(self) -> str:
        """Return the canonical cell, `460-00-<eci>`."""
        return f"{self.plmn[:3]}-{self.plmn[3:]}-{self.eci}"


class S1Message(NamedTuple):
    """One message about one subscriber."""

    name: str
    enb_id: int | None
    """eNB-UE-S1AP-ID: of a subscriber within one eNodeB."""
    mme_id: int | None
    """MME-UE-S1AP-ID: of a subscriber within one MME."""
    nas: tuple[bytes, ...] = ()
    cell: Cell | None = None
    tac: int | None = None
    s_tmsi: tuple[int, int] | None = None
    """MME code, M-TMSI."""
    cause: str = ""
    """`nas: detach`."""
    container: bytes = b""
    """What the source of a handover sends its target; the MME passes it on unchanged."""
    source_mme_id: int | None = None
    """Of a path switch: the MME-UE-S1AP-ID so far."""


def name_of(data: bytes) -> str:
    """Return the name of a message by its first bytes: `UECapabilityInfoIndication`; empty: it is none."""
    if len(data) < 2 or data[0] not in _KINDS:
        return ""
    name = WANTED.get((data[0], data[1]))
    return name or _procedures().get(data[1], "")


def decode(data: bytes) -> S1Message | None:
    """Return a message of `WANTED`, None if it can't be decoded."""
    return library.attempt(lambda: _decode(data))


def plmn_of(octets: bytes) -> str:
    """Return the digits of a PLMN identity: MCC, and an MNC of 2 or 3 (TS 24.301, 9.9.3.32)."""
    nibbles = [half for octet in octets for half in (octet & 15, octet >> 4)]
    mcc, third, mnc = nibbles[:3], nibbles[3], nibbles[4:6]
    digits = [*mcc, *mnc] if third == 15 else [*mcc, *mnc, third]
    if len(octets) != 3 or max(digits) > 9:
        raise ValueError("expected digits of a PLMN, was other")
    return "".join(map(str, digits))


def _decode(data: bytes) -> S1Message:
    pdu = library.s1ap().S1AP_PDU_Descriptions.S1AP_PDU
    pdu.from_aper(data)
    _, outer = pdu.get_val()
    # pycrate names an element by its type: that of a path switch's source is the same as any other
    fields: dict[str, Any] = {
        _SOURCE if ie["id"] == _SOURCE_ID else ie["value"][0]: ie["value"][1]
        for ie in outer["value"][1]["protocolIEs"]
    }
    pair = fields.get("UE-S1AP-IDs")
    mme_id, enb_id = fields.get("MME-UE-S1AP-ID"), fields.get("ENB-UE-S1AP-ID")
    if pair is not None:
        whole = pair[0] == "uE-S1AP-ID-pair"
        mme_id = pair[1]["mME-UE-S1AP-ID"] if whole else pair[1]
        enb_id = pair[1]["eNB-UE-S1AP-ID"] if whole else None
    cell, tai, tmsi = fields.get("EUTRAN-CGI"), fields.get("TAI"), fields.get("S-TMSI")
    cause = fields.get("Cause")
    return S1Message(
        WANTED[data[0], data[1]],
        enb_id,
        mme_id,
        tuple(_nas(fields)),
        None if cell is None else Cell(plmn_of(cell["pLMNidentity"]), cell["cell-ID"][0]),
        None if tai is None else int.from_bytes(tai["tAC"], "big"),
        None if tmsi is None else (tmsi["mMEC"][0], int.from_bytes(tmsi["m-TMSI"], "big")),
        "" if cause is None else f"{cause[0]}: {cause[1]}",
        fields.get("Source-ToTarget-TransparentContainer", b""),
        fields.get(_SOURCE),
    )


def _nas(fields: dict[str, Any]) -> list[bytes]:
    """Return the NAS messages that a message carries, in it or in its bearers."""
    found = [fields["NAS-PDU"]] if "NAS-PDU" in fields else []
    for item in fields.get("E-RABToBeSetupListCtxtSUReq", ()):
        nas = item["value"][1].get("nAS-PDU")
        if nas is not None:
            found.append(nas)
    return found


@cache
def _procedures() -> dict[int, str]:
    constants = library.s1ap().S1AP_Constants
    found = {}
    for name in dir(constants):
        if name.startswith("id_"):
            constant = getattr(constants, name)
            if constant._typeref.called[1] == "ProcedureCode":
                found[constant.get_val()] = name[3].upper() + name[4:]
    return found
