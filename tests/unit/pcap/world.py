"""A lab made up: what its captures say, and a reader for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from connectors.pcap.records import Packets
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from tests.unit.pcap import messages as m
from tests.unit.pcap.packets import ENB2, M3UA, MME, Made, Wire, pcap

KEY = b"a key for tests"
ANNA, BEN, CARL = "460001234500001", "460001234500002", "460001234500003"
ANNAS_PHONE = "8612345678901234"
ANNAS_GUTI, ANNAS_NEXT, STRANGE = 0xA1A1A1A1, 0xA2A2A2A2, 0xEEEEEEEE
HLR, VLR, SMSC = "8613800000001", "8613800000002", "8613800100500"


class Reading:
    """What a capture gave: records in intake shape with the frame of each, and refusals."""

    def __init__(self, path: Path) -> None:
        self.refusals: list[Refusal] = []
        self.intake = Intake(Identity(KEY), on_refused=self.refusals.append)
        self.packets = Packets(path, self.intake, name=path.name)
        self.records: list[dict[str, Any]] = []
        for _, records in self.packets:
            self.records += [{**record.fields, "frame": record.frame} for record in records]

    def told(self, *names: str) -> list[tuple[Any, ...]]:
        """Return these fields of all records."""
        return [tuple(record.get(name) for name in names) for record in self.records]


def read(folder: Path, frames: Sequence[Made] | Wire, name: str = "made.pcap") -> Reading:
    """Write frames as a capture and read it."""
    path = folder / name
    path.write_bytes(pcap(frames.frames if isinstance(frames, Wire) else frames))
    return Reading(path)


def day_of_anna(wire: Wire) -> None:
    """Attach by IMSI, service, update by GUTI, a handover over X2 and one over the MME, switched off."""
    attach = m.attach_request(m.digits(ANNA, 1))
    wire.send(m.initial(1, attach))
    wire.answer(m.down(11, 1, m.protected(m.security_mode_command(0), 3)))
    wire.send(m.up(11, 1, m.protected(m.security_mode_complete(ANNAS_PHONE), 4)))
    wire.answer(m.setup(11, 1, m.protected(m.attach_accept(m.guti(ANNAS_GUTI)))))
    wire.send(m.is_set_up(11, 1), m.up(11, 1, m.protected(m.ATTACH_COMPLETE)))
    wire.answer(m.release(11, 1, ("radioNetwork", "user-inactivity")))

    wire.send(m.initial(2, m.SERVICE_REQUEST, eci=m.ECI + 1, s_tmsi=ANNAS_GUTI), wait=600)
    wire.answer(m.setup(12, 2))
    wire.send(m.is_set_up(12, 2))
    wire.answer(m.release(12, 2))

    update = m.protected(m.update_request(m.guti(ANNAS_GUTI)), 1)
    wire.send(m.initial(3, update, eci=m.ECI + 2), wait=600)
    wire.answer(m.down(13, 3, m.protected(m.update_accept(m.guti(ANNAS_NEXT)))))
    wire.answer(m.release(13, 3))

    wire.send(m.initial(4, m.SERVICE_REQUEST, eci=m.ECI + 2, s_tmsi=ANNAS_NEXT), wait=600)
    wire.answer(m.setup(14, 4))
    wire.send(m.is_set_up(14, 4))
    wire.send(m.handover_required(14, 4, b"\x40\x01 here"))
    wire.answer(m.handover_request(15, b"\x40\x01 here"), target=ENB2)
    wire.send(m.handover_acknowledged(15, 77), source=ENB2)
    wire.send(m.handover_notify(15, 77, m.ECI + 3), source=ENB2)
    wire.send(m.path_switch(78, 15, m.ECI + 4), source=ENB2)
    wire.answer(m.path_switched(15, 78), target=ENB2)
    off = m.protected(m.detach_request(m.guti(ANNAS_NEXT), switch_off=True))
    wire.send(m.up(15, 78, off, eci=m.ECI + 4), source=ENB2)
    wire.answer(m.release(15, 78, ("nas", "detach")), target=ENB2)


def day_of_ben(wire: Wire) -> None:
    """All that can be ciphered is: an attach, an update, a detach that only its release tells of."""
    secret = bytes.fromhex("3ab1c4d99e77")
    wire.send(m.initial(21, m.attach_request(m.digits(BEN, 1))))
    wire.answer(m.down(31, 21, m.protected(m.security_mode_command(2), 3)))
    wire.answer(m.setup(31, 21, m.protected(secret)))
    wire.send(m.is_set_up(31, 21), m.up(31, 21, m.protected(secret)))
    update = m.update_request(m.guti(0xB1B1B1B1))
    wire.send(m.up(31, 21, m.protected(update, 1), eci=m.ECI + 9), wait=60)
    wire.answer(m.down(31, 21, m.protected(secret)))
    wire.send(m.up(31, 21, m.protected(secret), eci=m.ECI + 9))
    wire.answer(m.release(31, 21, ("nas", "detach")))


def signaling_of_carl(wire: Wire) -> None:
    """MAP: a registration, a message out and one in, a registration that fails, a purge."""

    def ask(data: bytes) -> None:
        message = m.m3ua(m.udt(data, m.address(VLR, 7), m.address(HLR, 6)))
        wire.send(message, source="10.1.0.1", target="10.1.0.2", protocol=M3UA)

    def answer(data: bytes) -> None:
        message = m.m3ua(m.udt(data, m.address(HLR, 6), m.address(VLR, 7)))
        wire.send(message, source="10.1.0.2", target="10.1.0.1", protocol=M3UA)

    imsi, vlr = m.packed(CARL), m.international(VLR)
    update = ("MAP-MS-DataTypes", "UpdateLocationArg")
    argument = {"imsi": imsi, "msc-Number": vlr, "vlr-Number": vlr}
    ask(m.tcap("begin", [m.invoke(1, 2, update, argument)], (1, 3), otid=b"\0\0\0\1"))
    told = ("MAP-MS-DataTypes", "InsertSubscriberDataArg")
    insert = m.invoke(1, 7, told, {"msisdn": m.international("8613912345678")})
    answer(m.tcap("continue", [insert], (1, 3), otid=b"\0\0\0\2", dtid=b"\0\0\0\1"))
    ask(m.tcap("continue", [m.result(1)], otid=b"\0\0\0\1", dtid=b"\0\0\0\2"))
    answer(m.tcap("end", [m.result(1)], dtid=b"\0\0\0\1"))

    submit = (
        bytes.fromhex("0105") + bytes([5, 0x81]) + m.packed("10086") + b"\x00\x00\x04" + b"\xd4\xf2\x9c\x0e"
    )
    sent = {
        "sm-RP-DA": ("serviceCentreAddressDA", m.international(SMSC)),
        "sm-RP-OA": ("msisdn", m.international("8613912345678")),
        "sm-RP-UI": submit,
        "imsi": imsi,
    }
    forward = m.invoke(1, 46, ("MAP-SM-DataTypes", "MO-ForwardSM-Arg"), sent)
    ask(m.tcap("begin", [forward], (21, 3), otid=b"\0\0\0\3"))
    answer(m.tcap("end", [m.result(1)], dtid=b"\0\0\0\3"))

    deliver = (
        b"\x04"
        + bytes([13, 0x91])
        + m.packed("8613700000009")
        + b"\x00\x08"
        + bytes(7)
        + b"\x04\x4f\x60\x59\x7d"
    )
    came = {
        "sm-RP-DA": ("imsi", imsi),
        "sm-RP-OA": ("serviceCentreAddressOA", m.international(SMSC)),
        "sm-RP-UI": deliver,
    }
    forward = m.invoke(1, 44, ("MAP-SM-DataTypes", "MT-ForwardSM-Arg"), came)
    ask(m.tcap("begin", [forward], (25, 3), otid=b"\0\0\0\4"))
    answer(m.tcap("end", [m.error(1, 27)], dtid=b"\0\0\0\4"))

    ask(m.tcap("begin", [m.invoke(1, 2, update, argument)], (1, 3), otid=b"\0\0\0\5"))
    answer(m.tcap("end", [m.error(1, 8)], dtid=b"\0\0\0\5"))
    purge = m.invoke(1, 67, ("MAP-MS-DataTypes", "PurgeMS-Arg"), {"imsi": imsi, "vlr-Number": vlr})
    ask(m.tcap("begin", [purge], (27, 3), otid=b"\0\0\0\6"))


@cache
def made() -> tuple[Made, ...]:
    """Return the frames of all three, and of a stranger who is known by a GUTI alone."""
    wire = Wire()
    day_of_anna(wire)
    day_of_ben(wire)
    wire.send(m.initial(40, m.update_request(m.guti(STRANGE))), target=MME)
    wire.answer(m.down(50, 40, m.update_accept()))
    signaling_of_carl(wire)
    return tuple(wire.frames)
