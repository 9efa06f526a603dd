"""A capture made up, from attach to detach: what each procedure becomes, and whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.pcap import handsets
from connectors.pcap.records import read_capture
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from tests.unit.pcap import messages as m
from tests.unit.pcap.packets import ENB, ENB2, M2PA, M3UA, START, Made, Wire, data_chunk, ip, linked, sctp
from tests.unit.pcap.world import (
    ANNA,
    ANNAS_GUTI,
    ANNAS_PHONE,
    BEN,
    CARL,
    HLR,
    KEY,
    STRANGE,
    VLR,
    Reading,
    day_of_anna,
    day_of_ben,
    made,
    read,
    signaling_of_carl,
)


def cell(more: int) -> str:
    """A cell so many after the first."""
    return f"460-00-{m.ECI + more}"


def of(work: object, folder: Path) -> Reading:
    """Read what one of the stories puts on the wire."""
    wire = Wire()
    work(wire)  # type: ignore[operator]
    return read(folder, wire)


def test_a_day_in_plain_is_followed_through_all_identities(tmp_path: Path) -> None:
    reading = of(day_of_anna, tmp_path)
    assert reading.told("procedure", "kind", "cell", "cell_prev", "result") == [
        ("attach", "power.on", cell(0), None, "success"),
        ("service request", "loc.sight", cell(1), None, "success"),
        ("tracking area update", "loc.update", cell(2), None, "success"),
        ("service request", "loc.sight", cell(2), None, "success"),
        ("handover", "loc.handover", cell(3), cell(2), "success"),
        ("path switch", "loc.handover", cell(4), cell(3), "success"),
        ("detach", "power.off", cell(4), None, None),
    ]
    assert {(r["imsi"], r["imeisv"], r["rat"], r["plmn"], r["tac"]) for r in reading.records} == {
        (ANNA, ANNAS_PHONE, "LTE", "46000", m.TAC)
    }
    assert reading.records[-1]["switch_off"] is True
    assert reading.refusals == []
    times = [(r.get("t_start", r["t"]) - START, r["t"] - START) for r in reading.records]
    assert times[0] == (1_000_000, 5_000_000)
    assert times == sorted(times)


def test_ciphered_messages_are_left_alone_and_counted(tmp_path: Path) -> None:
    reading = of(day_of_ben, tmp_path)
    assert reading.told("procedure", "kind", "cell", "result", "imsi") == [
        ("attach", "power.on", cell(0), "success", BEN),
        ("tracking area update", "loc.update", cell(9), "success", BEN),
        ("release after detach", "power.off", cell(9), None, BEN),
    ]
    assert reading.packets.counts["NAS ciphered"] == 4
    assert reading.refusals == []


def test_map_becomes_registrations_and_messages(tmp_path: Path) -> None:
    reading = of(signaling_of_carl, tmp_path)
    assert reading.told("procedure", "kind", "result", "cause") == [
        ("updateLocation", "loc.update", "success", None),
        ("mo-forwardSM", "sms.out", "success", None),
        ("mt-forwardSM", "sms.in", "failure", "map: absentSubscriber"),
        ("updateLocation", "loc.update", "failure", "map: roamingNotAllowed"),
        ("purgeMS", "power.off", "unfinished", None),
    ]
    assert {record["imsi"] for record in reading.records} == {CARL}
    update, out, came, _, purge = reading.records
    assert (update["vlr"], update["msc"], update["msisdn"]) == ("+" + VLR, "+" + VLR, "+8613912345678")
    assert (out["msisdn"], out["number"], out["length"]) == ("+8613912345678", "10086", 4)
    assert (came["number"], came["length"]) == ("+8613700000009", 2)
    assert purge["implicit"] is True


def test_who_is_not_known_is_refused_with_its_place(tmp_path: Path) -> None:
    read(tmp_path, made())
    refusals: list[Refusal] = []
    events = list(read_capture(tmp_path / "made.pcap", Intake(Identity(KEY), on_refused=refusals.append)))
    assert [(r.reason, r.position, r.source) for r in refusals] == [("identity", "made.pcap:34", "s1ap")]
    assert len(events) == 15
    assert len({event.key for event in events}) == 3
    assert all("imsi" not in event.fields and "procedure" not in event.fields for event in events)
    assert [event.t for event in events] == sorted(event.t for event in events)


def test_ids_are_of_what_was_captured_not_of_the_file(tmp_path: Path) -> None:
    frames = made()
    whole = read(tmp_path, frames).records
    later = read(tmp_path, frames[12:], "another.pcap").records
    assert len({record["id"] for record in whole}) == len(whole)
    assert {record["id"] for record in later} <= {record["id"] for record in whole}


def test_the_same_on_two_interfaces_is_one(tmp_path: Path) -> None:
    frames = made()
    twice = [frame for frame in frames for _ in range(2)]
    strip = [{k: v for k, v in record.items() if k != "frame"} for record in read(tmp_path, frames).records]
    again = [{k: v for k, v in record.items() if k != "frame"} for record in read(tmp_path, twice).records]
    assert again == strip


def test_an_identity_that_is_asked_for_names_what_was_begun(tmp_path: Path) -> None:
    wire = Wire()
    wire.send(m.initial(1, m.protected(m.attach_request(m.guti(STRANGE)), 1)))
    wire.answer(m.down(11, 1, b"\x07\x55\x01"))
    wire.send(m.up(11, 1, b"\x07\x56" + m.lv(m.digits(ANNA, 1))))
    wire.answer(m.down(11, 1, b"\x07\x44\x0b"))
    wire.send(m.initial(2, m.SERVICE_REQUEST, s_tmsi=STRANGE))
    wire.answer(m.down(12, 2, b"\x07\x4e\x09"))
    reading = read(tmp_path, wire)
    assert reading.told("procedure", "result", "cause", "imsi") == [
        ("attach", "failure", "emm: 11", ANNA),
        # the S-TMSI of this MME is another name than a GUTI that may be of any
        ("service request", "failure", "emm: 9", None),
    ]


def test_a_temporary_identity_is_not_believed_for_long(tmp_path: Path) -> None:
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.answer(m.setup(11, 1, m.protected(m.attach_accept(m.guti(ANNAS_GUTI)))))
    wire.send(m.is_set_up(11, 1))
    wire.answer(m.release(11, 1))
    for enb_id, minutes in ((2, 59), (3, 59), (4, 61)):
        wire.send(m.initial(enb_id, m.SERVICE_REQUEST, s_tmsi=ANNAS_GUTI), wait=60 * minutes)
        wire.answer(m.setup(10 + enb_id, enb_id))
        wire.send(m.is_set_up(10 + enb_id, enb_id))
    assert [name for (name,) in read(tmp_path, wire).told("imsi")] == [ANNA, ANNA, ANNA, None]


def test_an_identity_given_to_somebody_else_is_no_longer_the_first_ones(tmp_path: Path) -> None:
    wire = Wire()
    for enb_id, imsi in ((1, ANNA), (2, BEN)):
        wire.send(m.initial(enb_id, m.attach_request(m.digits(imsi, 1))))
        wire.answer(m.setup(10 + enb_id, enb_id, m.protected(m.attach_accept(m.guti(ANNAS_GUTI)))))
        wire.send(m.is_set_up(10 + enb_id, enb_id))
    wire.send(m.initial(3, m.SERVICE_REQUEST, s_tmsi=ANNAS_GUTI))
    assert [name for (name,) in read(tmp_path, wire).told("imsi")] == [ANNA, BEN, BEN]


def test_ids_of_two_enodebs_are_two(tmp_path: Path) -> None:
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.send(m.initial(1, m.attach_request(m.digits(BEN, 1)), eci=m.ECI + 7), source=ENB2)
    wire.answer(m.setup(12, 1), target=ENB2)
    wire.send(m.is_set_up(12, 1), source=ENB2)
    wire.answer(m.setup(11, 1), target=ENB)
    wire.send(m.is_set_up(11, 1))
    assert read(tmp_path, wire).told("imsi", "cell") == [(BEN, cell(7)), (ANNA, cell(0))]


def test_what_is_not_answered_times_out_or_is_unfinished(tmp_path: Path) -> None:
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.send(m.initial(2, m.attach_request(m.digits(BEN, 1))), wait=10)
    wire.send(m.initial(3, m.attach_request(m.digits(CARL, 1))), wait=10)
    wire.answer(m.setup(13, 3, m.protected(m.attach_accept(m.guti(1)))))
    reading = read(tmp_path, wire)
    assert reading.told("imsi", "result", "frame") == [
        (ANNA, "timeout", 3),
        (BEN, "unfinished", 4),
        (CARL, "success", 4),  # accepted; what is missing is that the handset says so
    ]
    assert reading.records[0]["t"] - reading.records[0]["t_start"] == 15_000_000


def test_another_cell_without_a_procedure_is_a_sight(tmp_path: Path) -> None:
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.answer(m.setup(11, 1))
    wire.send(m.is_set_up(11, 1))
    wire.send(m.up(11, 1, m.protected(b"\x62\x00\xc2"), eci=m.ECI + 5))
    assert read(tmp_path, wire).told("kind", "cell")[1:] == [("loc.sight", cell(5))]


def test_short_messages_over_nas(tmp_path: Path) -> None:
    submit = b"\x01\x05" + bytes([5, 0x81]) + m.packed("10086") + b"\x00\x00\x07\x00"
    rp = b"\x00\x01\x00" + m.lv(m.international("8613800100500")) + m.lv(submit)
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.answer(m.setup(11, 1))
    wire.send(m.is_set_up(11, 1))
    wire.send(m.up(11, 1, m.protected(b"\x07\x63" + m.lv(b"\x09\x01" + m.lv(rp)), 1)))
    reading = read(tmp_path, wire)
    assert reading.told("kind", "number", "length", "imsi")[1:] == [("sms.out", "10086", 7, ANNA)]


def test_detaches_that_leave_a_handset_on_are_none(tmp_path: Path) -> None:
    wire = Wire()
    wire.send(m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    wire.answer(m.setup(11, 1))
    wire.send(m.is_set_up(11, 1))
    only_calls = b"\x07\x45\x72" + m.lv(m.guti(1))
    wire.send(m.up(11, 1, m.protected(only_calls, 1)))
    wire.answer(m.down(11, 1, m.protected(b"\x07\x45\x03", 1)))
    wire.answer(m.down(11, 1, m.protected(b"\x07\x45\x02", 1)))
    told = read(tmp_path, wire).told("kind", "implicit")
    assert told == [("power.on", None), ("power.off", True)]


def test_a_message_that_can_not_be_decoded_costs_only_itself(tmp_path: Path) -> None:
    wire = Wire()
    good = m.initial(1, m.attach_request(m.digits(ANNA, 1)))
    wire.send(good[:30], b"\x99\x99", m.initial(2, b"\x07\x41\x01"), m.initial(3, b"\x07\xff"), good)
    wire.send(
        m.m3ua(b"\x09\x00"), b"\x01\x00\x01\x01", m.m3ua(m.udt(b"\x62\x03\x48", b"", b"")), protocol=M3UA
    )
    reading = read(tmp_path, wire)
    assert reading.told("imsi") == [(ANNA,)]
    assert [(r.reason, r.position) for r in reading.refusals] == [("decode", "made.pcap:1")] * 4 + [
        ("decode", "made.pcap:2")
    ] * 2
    assert {refusal.raw for refusal in reading.refusals} == {""}


def test_map_in_segments_and_over_m2pa_and_seen_at_two_hops(tmp_path: Path) -> None:
    argument = {
        "imsi": m.packed(CARL),
        "msc-Number": m.international(VLR),
        "vlr-Number": m.international(VLR),
    }
    asked = m.tcap(
        "begin",
        [m.invoke(1, 2, ("MAP-MS-DataTypes", "UpdateLocationArg"), argument)],
        (1, 3),
        otid=b"\0\0\0\1",
    )
    sides = m.address(VLR, 7), m.address(HLR, 6)
    half = len(asked) // 2
    wire = Wire()
    wire.send(m.m2pa(m.xudt(asked[:half], *sides, b"\xc1\0\0\7")), protocol=M2PA)
    wire.send(m.m2pa(m.xudt(asked[half:], *sides, b"\x40\0\0\7")), protocol=M2PA)
    wire.send(m.m3ua(m.udt(asked, *sides)), source="10.9.9.9", protocol=M3UA)
    wire.send(m.m3ua(m.xudt(asked[half:], *sides, b"\x40\0\0\x09")), protocol=M3UA)
    reading = read(tmp_path, wire)
    assert reading.told("imsi", "result") == [(CARL, "unfinished")]
    assert reading.packets.counts["MAP seen at another hop"] == 1
    assert [(r.position, r.detail) for r in reading.refusals] == [
        (
            "made.pcap:4",
            "sccp: expected the first segment of an SCCP message before the others, was others only",
        )
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_a_frame_of_which_only_the_beginning_was_kept(whole: bool, tmp_path: Path) -> None:
    chunk = data_chunk(1, 18, m.initial(1, m.attach_request(m.digits(ANNA, 1))))
    data = linked(ip(sctp([chunk])))
    reading = read(tmp_path, [Made(START, data if whole else data[:60], len(data))])
    assert len(reading.records) == whole
    assert len(reading.refusals) == (not whole)
    for refusal in reading.refusals:
        assert refusal.detail.startswith("sctp: expected a whole chunk, was one of ")
        assert refusal.detail.endswith(" 14 are left, the capture kept only the beginning of the frame")


def test_tables_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handsets, "NAMES_AT_MOST", 3)
    monkeypatch.setattr(handsets, "HANDSETS_AT_MOST", 20)
    wire = Wire()
    for n in range(60):
        wire.send(m.initial(n, m.attach_request(m.digits(ANNA, 1))), wait=0)
    known = handsets.Handsets()
    assert known._by_enb._at_most == 20
    assert len(read(tmp_path, wire).records) == 60
    table = handsets.Bounded[int, int](3)
    for n in range(10):
        table.put(n, n)
        table.get(0)
    assert (len(table), table.get(0), table.get(9), table.get(7)) == (3, 0, 9, None)
