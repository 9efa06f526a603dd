"""The captures of real labs: their records, as golden files; test numbers, and shown as keys all the same."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from engine.cli.pcap import Look
from engine.identity import Identity
from tests.testdata import CHECKOUT, find
from tests.unit.pcap.world import KEY, Reading

GOLDEN = CHECKOUT / "tests" / "golden" / "pcap"
CAPTURES = ("lab_OppoMME-detach", "lab_quectelTAUtest", "s1ap_iphone6_volte", "tcap_map_eth")


def capture(name: str) -> Path:
    """The file of a capture."""
    path = find(f"data/pcap/{name}.pcap")
    assert path is not None
    return path


def shown(name: str) -> str:
    """What `touchpoint pcap` shows of a capture."""
    look = Look(Identity(KEY))
    lines = [*look.lines(capture(name)), ""]
    lines += [f"{count:>4} {row}" for row, count in look.rows()]
    lines += [f"{refusal.position}: {refusal.reason}: {refusal.detail}" for refusal in look.told]
    return "\n".join(lines) + "\n"


@pytest.mark.testdata("data/pcap")
@pytest.mark.parametrize("name", CAPTURES)
def test_the_records_of_a_capture(name: str) -> None:
    assert shown(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.testdata("data/pcap")
def test_what_the_captures_are_known_to_hold() -> None:
    found = {name: Reading(capture(name)) for name in CAPTURES}
    procedures = {record["procedure"] for reading in found.values() for record in reading.records}
    assert {"attach", "service request", "detach", "updateLocation", "mo-forwardSM"} <= procedures
    oppo, quectel = found["lab_OppoMME-detach"].records, found["lab_quectelTAUtest"].records
    assert {record["cell"] for record in oppo + quectel} == {"222-01-917760"}
    assert {len(record["imsi"]) for record in oppo + quectel} == {15}
    assert {len(record["imeisv"]) for record in oppo} == {16}
    assert oppo[0]["imsi"] == quectel[0]["imsi"]  # by attach in one, by identity response in the other
    # a capture that begins after the network learned who it is: what it is is known, not whose
    assert [record["procedure"] for record in found["s1ap_iphone6_volte"].records if "imsi" in record] == []


@pytest.mark.testdata("data/pcap")
@pytest.mark.parametrize("name", CAPTURES)
def test_no_capture_holds_a_tracking_area_update(name: str) -> None:
    """docs/doors/pcap.md says so. NAS is there in plain: types 72 to 75 stand behind 07, if anywhere."""
    data = capture(name).read_bytes()
    assert [kind for kind in range(72, 76) if bytes([7, kind]) in data] == []
    assert not any("tracking area update" in row for row in Reading(capture(name)).packets.counts)


def write() -> None:
    """Write the golden files anew: python -m tests.unit.pcap.test_lab."""
    GOLDEN.mkdir(exist_ok=True)
    for name in CAPTURES:
        (GOLDEN / f"{name}.txt").write_text(shown(name), encoding="utf-8")


@pytest.mark.testdata("data/pcap")
def test_no_number_is_shown() -> None:
    numbers = set()
    for name in CAPTURES:
        for record in Reading(capture(name)).records:
            numbers |= {record.get(field, "").lstrip("+") for field in ("imsi", "imeisv", "msisdn", "number")}
    numbers.discard("")
    assert len(numbers) > 10
    text = "".join(shown(name) for name in CAPTURES)
    assert [number for number in numbers if number in text] == []
    assert orjson.loads(text.partition("\n")[0])["tac8"] in {number[:8] for number in numbers}


if __name__ == "__main__":
    write()
