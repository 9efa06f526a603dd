"""Tracking area updates, of which no capture of a lab has one: bytes made by pycrate (TS 24.301, 8.2.26-29).

Of each type of update (9.9.3.14), without a security header and with each, with all elements that a request
may have or with none, in the first message of a handset and in a later one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from connectors.pcap import library
from tests.unit.pcap import messages as m
from tests.unit.pcap.packets import Wire
from tests.unit.pcap.world import ANNA, ANNAS_GUTI, ANNAS_NEXT, ANNAS_PHONE, Reading, read

TYPES: Final = {"normal": 0, "combined": 1, "combined with IMSI attach": 2, "periodic": 3}
HEADERS: Final = {"none": 0, "integrity": 1, "ciphered": 2}
"""Security header types (9.3.1)."""
ACTIVE: Final = 8
"""Flag of an update that wants a bearer as well: the network then sets a context up."""
ALL: Final[dict[str, Any]] = {
    "Native_NAS_KSI": 2,
    "GPRS_CKSN": 3,
    "OldPTMSISign": b"\x12\x34\x56",
    "AddGUTI": m.guti(0xC3C3C3C3, mme=2),
    "NonceUE": b"\x01\x02\x03\x04",
    "UENetCap": b"\xf0\xf0\xc0\x40\x19",
    "OldTAI": m.PLMN + b"\x12\x68",
    "DRXParam": b"\x0a\x00",
    "UERACapUpdateNeed": 1,
    "EPSBearerCtxtStat": b"\x20\x00",
    "MSNetCap": b"\xe5\xc0\x3e",
    "OldLAI": m.PLMN + b"\x12\x67",
    "TMSIStatus": 1,
    "VoiceDomPref": b"\x03",
    "T3324": b"\x21",
    "T3412Ext": b"\x24",
}
"""Elements that a request may have (8.2.29), most of them."""


def request(kind: int, *, old: int = ANNAS_GUTI, **more: Any) -> bytes:
    """Return a tracking area update request."""
    emm = library.emm()
    message = emm.EMMTrackingAreaUpdateRequest(
        val={"NAS_KSI": 0, "EPSUpdateType": kind, "OldGUTI": m.guti(old), **more}
    )
    found: bytes = message.to_bytes()
    return found


def accept(result: int = 0, new: int | None = None) -> bytes:
    """Return a tracking area update accept; `new`: it gives another GUTI."""
    emm = library.emm()
    given = {} if new is None else {"GUTI": m.guti(new)}
    message = emm.EMMTrackingAreaUpdateAccept(
        val={"EPSUpdateResult": result, "T3412": b"\x49", "TAIList": b"\x00" + m.PLMN + b"\x12\x67", **given}
    )
    found: bytes = message.to_bytes()
    return found


def complete() -> bytes:
    """Return a tracking area update complete."""
    found: bytes = library.emm().EMMTrackingAreaUpdateComplete().to_bytes()
    return found


def reject(cause: int) -> bytes:
    """Return a tracking area update reject."""
    found: bytes = library.emm().EMMTrackingAreaUpdateReject(val={"EMMCause": bytes([cause])}).to_bytes()
    return found


def under(header: str, nas: bytes) -> bytes:
    """Put a security header in front of a message."""
    return m.protected(nas, HEADERS[header]) if HEADERS[header] else nas


def attached(cipher: int = 0) -> Wire:
    """Anna has attached, with this algorithm, and is idle again."""
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.answer(m.down(11, 1, m.protected(m.security_mode_command(cipher), 3)))
    wire.send(m.up(11, 1, m.protected(m.security_mode_complete(ANNAS_PHONE), 4)))
    wire.answer(m.setup(11, 1, m.protected(m.attach_accept(m.guti(ANNAS_GUTI)))))
    wire.send(m.is_set_up(11, 1), m.up(11, 1, m.protected(m.ATTACH_COMPLETE)))
    wire.answer(m.release(11, 1, ("radioNetwork", "user-inactivity")))
    return wire


def updates(reading: Reading) -> list[tuple[Any, ...]]:
    """What the capture tells behind the attach."""
    assert reading.refusals == []
    told = reading.told("procedure", "kind", "cell", "tac", "result", "cause", "imsi", "imeisv")
    assert told[0][:2] == ("attach", "power.on")
    return told[1:]


def told(more: int, result: str = "success", cause: str | None = None) -> tuple[Any, ...]:
    """What an update of Anna's becomes, in a cell so many after the first."""
    cell = f"460-00-{m.ECI + more}"
    return ("tracking area update", "loc.update", cell, m.TAC, result, cause, ANNA, ANNAS_PHONE)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("more", [{}, ALL], ids=["bare", "all"])
def test_an_update_of_each_type_is_an_update(
    tmp_path: Path, kind: str, header: str, more: dict[str, Any]
) -> None:
    wire = attached()
    wire.send(m.initial(3, under(header, request(TYPES[kind], **more)), eci=m.ECI + 2), wait=600)
    wire.answer(m.down(13, 3, under(header, accept(TYPES[kind] & 1))))
    wire.answer(m.release(13, 3))
    reading = read(tmp_path, wire)
    assert updates(reading) == [told(2)]
    counts = reading.packets.counts
    assert counts["NAS tracking area update request"] == counts["NAS tracking area update accept"] == 1
    (update,) = reading.records[1:]
    assert update["t"] - update["t_start"] > 0


@pytest.mark.parametrize("header", ["integrity", "ciphered"])
def test_a_new_guti_is_followed_to_the_next_update(tmp_path: Path, header: str) -> None:
    wire = attached()
    wire.send(m.initial(3, under(header, request(0)), eci=m.ECI + 2), wait=600)
    wire.answer(m.down(13, 3, under(header, accept(0, ANNAS_NEXT))))
    wire.send(m.up(13, 3, under(header, complete()), eci=m.ECI + 2))
    wire.answer(m.release(13, 3))
    wire.send(
        m.initial(4, under(header, request(TYPES["periodic"], old=ANNAS_NEXT)), eci=m.ECI + 2), wait=600
    )
    wire.answer(m.down(14, 4, under(header, accept())))
    wire.answer(m.release(14, 4))
    reading = read(tmp_path, wire)
    assert updates(reading) == [told(2), told(2)]
    assert reading.packets.counts["NAS tracking area update complete"] == 1


def test_an_update_that_wants_a_bearer_ends_with_its_context(tmp_path: Path) -> None:
    wire = attached()
    wire.send(m.initial(3, m.protected(request(ACTIVE), 1), eci=m.ECI + 2), wait=600)
    wire.answer(m.setup(13, 3, m.protected(accept())))
    wire.send(m.is_set_up(13, 3))
    wire.answer(m.release(13, 3, ("radioNetwork", "user-inactivity")))
    assert updates(read(tmp_path, wire)) == [told(2)]


def test_an_update_in_a_later_message_is_in_the_cell_of_that(tmp_path: Path) -> None:
    wire = attached()
    wire.send(m.initial(3, m.SERVICE_REQUEST, s_tmsi=ANNAS_GUTI), wait=600)
    wire.answer(m.setup(13, 3))
    wire.send(m.is_set_up(13, 3))
    wire.send(m.up(13, 3, m.protected(request(TYPES["combined"])), eci=m.ECI + 2))
    wire.answer(m.down(13, 3, m.protected(accept(1))))
    wire.answer(m.release(13, 3))
    assert updates(read(tmp_path, wire))[-1] == told(2)


@pytest.mark.parametrize(("cause", "said"), [(9, "emm: 9"), (12, "emm: 12")])
def test_an_update_that_is_refused_says_why(tmp_path: Path, cause: int, said: str) -> None:
    wire = attached()
    wire.send(m.initial(3, m.protected(request(0), 1), eci=m.ECI + 2), wait=600)
    wire.answer(m.down(13, 3, reject(cause)))  # may come without protection (4.4.4.2)
    wire.answer(m.release(13, 3))
    assert updates(read(tmp_path, wire)) == [told(2, "failure", said)]


def test_of_an_update_with_a_ciphered_answer_the_release_tells_the_outcome(tmp_path: Path) -> None:
    """Requests are never ciphered in a first message (4.4.5), answers are."""
    wire = attached(cipher=2)
    wire.send(
        m.initial(3, m.protected(request(TYPES["periodic"], old=0xB2B2B2B2), 1), s_tmsi=ANNAS_GUTI), wait=60
    )
    wire.answer(m.down(13, 3, m.protected(bytes.fromhex("3ab1c4d99e77"))))
    wire.answer(m.release(13, 3))
    reading = read(tmp_path, wire)
    found = reading.told("procedure", "kind", "result")
    assert found[-1] == ("tracking area update", "loc.update", "success")
    assert reading.packets.counts["NAS ciphered"] >= 1


def test_a_request_is_written_as_the_clause_has_it() -> None:
    assert request(TYPES["periodic"]) == b"\x07\x48\x03" + m.lv(m.guti(ANNAS_GUTI))
    assert request(TYPES["combined"] | ACTIVE) == b"\x07\x48\x09" + m.lv(m.guti(ANNAS_GUTI))
    assert accept(1, ANNAS_NEXT) == (
        b"\x07\x49\x01\x5a\x49\x50"
        + m.lv(m.guti(ANNAS_NEXT))
        + b"\x54"
        + m.lv(b"\x00" + m.PLMN + b"\x12\x67")
    )
    assert (complete(), reject(9)) == (b"\x07\x4a", b"\x07\x4b\x09")
