"""NAS messages of mobility (3GPP TS 24.301): who it is, what is asked, what is answered.

A message is protected by a header of six bytes, its inside ciphered or not. Ciphered ones are left alone.
With the null algorithm (EEA0) "ciphered" ones stand there in plain: the security mode command says so, and
where it was not seen, a message that reads as one of mobility management does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from connectors.pcap import library
from connectors.pcap.s1ap import plmn_of

_EMM, _ESM = 7, 2
_INTEGRITY_ONLY: Final = frozenset({1, 3})
_CIPHERED: Final = frozenset({2, 4})
_SERVICE_REQUEST: Final = 12
"""Security header types (9.3.1)."""
_IMSI, _IMEI, _IMEISV, _GUTI = 1, 2, 3, 6
"""Types of identity (9.9.3.12, TS 24.008 10.5.1.4)."""

NAMES: Final[dict[int, str]] = {
    65: "attach request",
    66: "attach accept",
    67: "attach complete",
    68: "attach reject",
    69: "detach request",
    70: "detach accept",
    72: "tracking area update request",
    73: "tracking area update accept",
    74: "tracking area update complete",
    75: "tracking area update reject",
    76: "extended service request",
    77: "control plane service request",
    78: "service reject",
    79: "service accept",
    80: "GUTI reallocation command",
    81: "GUTI reallocation complete",
    82: "authentication request",
    83: "authentication response",
    84: "authentication reject",
    85: "identity request",
    86: "identity response",
    92: "authentication failure",
    93: "security mode command",
    94: "security mode complete",
    95: "security mode reject",
    96: "EMM status",
    97: "EMM information",
    98: "downlink NAS transport",
    99: "uplink NAS transport",
    100: "CS service notification",
    104: "downlink generic NAS transport",
    105: "uplink generic NAS transport",
}
"""Message types (9.8)."""
_WANTED: Final = frozenset({65, 66, 68, 69, 72, 73, 75, 76, 77, 78, 80, 86, 93, 94, 98, 99})


class Guti(NamedTuple):
    """A temporary identity, unique in the world (TS 23.003, 2.8)."""

    plmn: str
    group: int
    mme: int
    """MME code."""
    m_tmsi: int


@dataclass(frozen=True, slots=True)
class Nas:
    """One message; what it does not say is None."""

    name: str
    imsi: str | None = None
    imei: str | None = None
    """14 to 16 digits: an IMEI or IMEISV."""
    old: Guti | None = None
    """By which the subscriber is known so far."""
    m_tmsi: int | None = None
    new: Guti | None = None
    """By which it is known from now on."""
    cause: str = ""
    cipher: int | None = None
    """Number of the algorithm: 0 none."""
    switch_off: bool = False
    kind: int = 0
    """Type of an attach, update or detach."""
    sms: bytes = b""
    """A message between the handset and the short message service (TS 24.011)."""


CIPHERED: Final = Nas("ciphered")
SESSION: Final = Nas("session management")
BROKEN: Final = Nas("broken")


def read(data: bytes, *, uplink: bool, cipher: int | None) -> Nas:
    """Return what a message says. `cipher`: the algorithm of the subscriber's context, None if not known.

    `CIPHERED`, `SESSION` (sessions are not asked for here), or `BROKEN`: it can't be decoded.
    """
    if not data:
        return BROKEN
    protection = data[0] >> 4
    if data[0] & 15 != _EMM or protection == 0:
        return _plain(data, uplink, sure=True)
    if protection >= _SERVICE_REQUEST:
        return Nas("service request") if len(data) == 4 else BROKEN
    if protection in _INTEGRITY_ONLY:
        return _plain(data[6:], uplink, sure=True)
    if protection not in _CIPHERED or cipher:
        return CIPHERED
    return _plain(data[6:], uplink, sure=cipher == 0)


def _plain(data: bytes, uplink: bool, sure: bool) -> Nas:
    """`sure`: it is known to be plain; else what does not read as a message is taken for ciphered."""
    otherwise = BROKEN if sure else CIPHERED
    if len(data) < 2:
        return otherwise
    if data[0] & 15 == _ESM:
        return SESSION if sure else CIPHERED
    if data[0] != _EMM or data[1] not in NAMES:
        return otherwise
    if data[1] not in _WANTED:
        return Nas(NAMES[data[1]])
    return library.attempt(lambda: _decode(data, uplink)) or otherwise


def _decode(data: bytes, uplink: bool) -> Nas:
    emm = library.emm()
    kind = data[1]
    message = (emm.EMMTypeMOClasses if uplink else emm.EMMTypeMTClasses)[kind]()
    message.from_bytes(data)
    name = NAMES[kind]
    if kind == 93:
        return Nas(name, cipher=_inner(message, "NASSecAlgo")["CiphAlgo"].get_val())
    if kind in (66, 73, 80):
        return Nas(name, new=_identity(message, "GUTI").get("old"), cause=_cause(message))
    if kind in (68, 75, 78):
        return Nas(name, cause=_cause(message))
    if kind in (98, 99):
        return Nas(name, sms=_inner(message, "NASContainer").to_bytes())
    if kind == 69 and not uplink:
        return Nas(name, kind=_inner(message, "EPSDetachType")["Type"].get_val(), cause=_cause(message))
    found = Nas(name, **_identity(message, _IDENTITY[kind]))
    if kind == 69:
        detach = _inner(message, "EPSDetachType")
        return _with(found, switch_off=bool(detach["SwitchOff"].get_val()), kind=detach["Type"].get_val())
    return found


_IDENTITY: Final = {65: "EPSID", 69: "EPSID", 72: "OldGUTI", 76: "MTMSI", 77: "", 86: "ID", 94: "IMEISV"}
"""Type of message -> element that says whose it is."""


def _with(nas: Nas, *, switch_off: bool, kind: int) -> Nas:
    return Nas(
        nas.name,
        imsi=nas.imsi,
        imei=nas.imei,
        old=nas.old,
        m_tmsi=nas.m_tmsi,
        switch_off=switch_off,
        kind=kind,
    )


def _inner(message: Any, name: str) -> Any:
    return message[name][-1]


def _identity(message: Any, name: str) -> dict[str, Any]:
    """Return the identity that an element holds, as fields of `Nas`; empty if the message is without it."""
    if not name or message[name].get_trans():
        return {}
    octets = _inner(message, name).to_bytes()
    kind = octets[0] & 7
    if kind in (_IMSI, _IMEI, _IMEISV):
        nibbles = [octets[0] >> 4, *(half for octet in octets[1:] for half in (octet & 15, octet >> 4))]
        if not octets[0] & 8:
            nibbles.pop()
        if nibbles and max(nibbles) > 9:
            raise ValueError("expected digits, was other")
        return {"imsi" if kind == _IMSI else "imei": "".join(map(str, nibbles))}
    if kind == _GUTI and len(octets) == 11:
        group, mme = int.from_bytes(octets[4:6], "big"), octets[6]
        return {"old": Guti(plmn_of(octets[1:4]), group, mme, int.from_bytes(octets[7:], "big"))}
    if kind == 4 and len(octets) == 5:
        return {"m_tmsi": int.from_bytes(octets[1:], "big")}
    return {}


def _cause(message: Any) -> str:
    if "EMMCause" not in message._by_name or message["EMMCause"].get_trans():
        return ""
    return f"emm: {_inner(message, 'EMMCause').to_bytes()[0]}"
