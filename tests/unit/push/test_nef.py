"""Monitoring events of exposure functions: what becomes of each, and how cells are written."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from connectors.push.nef import KINDS, Nef
from connectors.push.nef_cells import read_cell
from connectors.push.options import NefOptions
from engine.refusals import Bad
from tests.unit.collector.support import LATER, SECOND, T
from tests.unit.push.support import IMSI, NUMBER, Taken, at, taken

CELL = {"cellId": "460-00-0123456AB"}
CELL_FIELDS = {"cell": f"460-00-{0x0123456AB}", "rat": "NR", "plmn": "46000"}


def form(**options: Any) -> Nef:
    return Nef("nef", NefOptions(listen="127.0.0.1:0", unauthenticated=True, **options))


def report(kind: str = "LOCATION_REPORTING", **fields: Any) -> dict[str, Any]:
    given = {"monitoringType": kind, "msisdn": NUMBER[1:], "eventTime": at(0), **fields}
    return {name: value for name, value in given.items() if value is not None}


def of(*reports: Any, **options: Any) -> Taken:
    body = {"subscription": "https://nef/subscriptions/1", "monitoringEventReports": list(reports)}
    return taken(form(**options), body)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (report(locationInfo=CELL), {"kind": "loc.update", **CELL_FIELDS}),
        (
            report("LOSS_OF_CONNECTIVITY", lossOfConnectReason=6),
            {"kind": "power.off", "implicit": True, "cause": "6"},
        ),
        (report("UE_REACHABILITY", reachabilityType="DATA"), {"kind": "power.on"}),
        (
            report("ROAMING_STATUS", roamingStatus=True, plmnId={"mcc": "450", "mnc": "05"}),
            {"kind": "roam.out", "plmn": "45005"},
        ),
        (report("ROAMING_STATUS", roamingStatus=False), {"kind": "roam.home"}),
        (report("ROAMING_STATUS"), {"kind": "roam.home"}),
        (report("CHANGE_OF_IMSI_IMEI_ASSOCIATION", imeiChange="IMEI"), {"kind": "handset.change"}),
        (
            report("PDN_CONNECTIVITY_STATUS", pdnConnInfo={"status": "CREATED", "apn": "cmnet"}),
            {"kind": "data.session", "phase": "start", "apn": "cmnet"},
        ),
        (
            report("PDN_CONNECTIVITY_STATUS", pdnConnInfo={"status": "RELEASED"}),
            {"kind": "data.session", "phase": "stop"},
        ),
        (report("COMMUNICATION_FAILURE", locationInfo=CELL), {"kind": "loc.sight", **CELL_FIELDS}),
    ],
)
def test_each_event_becomes_its_kind(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = of(given)
    assert found.records == [{"t": T, **expected}]
    assert found.answer.status == 204
    assert expected["kind"] in KINDS


def test_who_it_is_about() -> None:
    plus = of(report(msisdn=NUMBER, locationInfo=CELL))
    digits = of(report(locationInfo=CELL))
    name = of(report(msisdn=None, externalId="10001@example.com", locationInfo=CELL))
    supi = of(report(msisdn=None, supi=f"imsi-{IMSI}", locationInfo=CELL))
    assert plus.events[0].key == digits.events[0].key
    assert len({found.events[0].key for found in (digits, name, supi)}) == 3


def test_one_report_alone_is_taken() -> None:
    body = {"subscription": "s", "ipv4Addr": "10.0.0.1", **report(locationInfo=CELL)}
    assert taken(form(), body).records == of(report(locationInfo=CELL)).records


def test_an_old_location_says_when_the_subscriber_was_there() -> None:
    found = of(report(locationInfo={**CELL, "ageOfLocationInfo": 2}))
    assert found.records[0]["t_start"] == T - 120 * SECOND


def test_an_event_without_a_time_is_of_the_moment_it_came() -> None:
    found = of(report("UE_REACHABILITY", eventTime=None))
    assert found.records == [{"kind": "power.on", "t": LATER}]


def test_tests_and_ends_of_subscriptions_are_acknowledged() -> None:
    with capture_logs() as told:
        test = taken(form(), {"subscription": "https://nef/subscriptions/1"})
        end = taken(form(), {"subscription": "s", "cancelInd": True})
    assert [found.answer.status for found in (test, end)] == [204, 204]
    assert (test.door.counts["ended"], end.door.counts["ended"], len(told)) == (0, 1, 1)


def test_what_is_about_many_makes_no_record() -> None:
    found = of(report("NUMBER_OF_UES_IN_AN_AREA", msisdn=None), report("DOWNLINK_DATA_DELIVERY_STATUS"))
    assert (found.records, found.reasons, found.door.counts["notices"]) == ([], [], 2)


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        (report(msisdn=None, locationInfo=CELL), "identity", "msisdn"),
        (report(msisdn="12", locationInfo=CELL), "identity", "identity"),
        (report(), "value", "locationInfo.cellId"),
        (report(locationInfo={"trackingAreaId": "1"}), "value", "locationInfo.cellId"),
        (report(locationInfo={"cellId": "0123456AB"}), "value", "cellId"),
        (report(locationInfo=7), "type", "locationInfo"),
        (report(eventTime="soon"), "time", "eventTime"),
        (report("NEW_EVENT"), "kind", "monitoringType"),
        (report("PDN_CONNECTIVITY_STATUS"), "type", "pdnConnInfo"),
        (report("PDN_CONNECTIVITY_STATUS", pdnConnInfo={}), "value", "pdnConnInfo.status"),
        (None, "type", "nef"),
    ],
)
def test_a_wrong_report_is_refused_with_its_place_and_the_others_are_applied(
    given: Any, reason: str, field: str
) -> None:
    found = of(report(locationInfo=CELL), given, report("LOSS_OF_CONNECTIVITY"))
    assert found.reasons == [(reason, field)]
    assert found.refusals[0].position == "nef:1#2"
    assert len(found.records) == 2
    assert NUMBER[1:] not in orjson.dumps(found.refusals[0].as_dict()).decode()


@pytest.mark.parametrize("body", [b"7", b"{}", b'{"monitoringEventReports":1}', b"", b"{"])
def test_a_body_that_is_no_notification_is_refused_whole(body: bytes) -> None:
    found = taken(form(), body)
    assert (found.answer.status, len(found.refusals)) == (400, 1)


P = ("460", "00")


@pytest.mark.parametrize(
    ("text", "plmn", "expected"),
    [
        ("460-00-0123456AB", None, (f"460-00-{0x0123456AB}", "NR", P)),
        ("460.00.00A1B01", None, (f"460-00-{0x00A1B01}", "LTE", P)),
        ("460-00-1A2B-3C4D", None, (f"460-00-{0x1A2B}-{0x3C4D}", "", P)),
        ("460000123456AB", P, (f"460-00-{0x0123456AB}", "NR", P)),
        ("4600000A1B01", None, (f"460-00-{0x00A1B01}", "LTE", P)),
        ("3104100123456AB", None, (f"310-410-{0x0123456AB}", "NR", ("310", "410"))),
        ("460001A2B3C4D", P, (f"460-00-{0x1A2B}-{0x3C4D}", "", P)),
        ("0123456AB", P, (f"460-00-{0x0123456AB}", "NR", P)),
        ("AAAAA1001", P, (f"460-00-{0xAAAAA1001}", "NR", P)),
        ("1A2B3C4D", P, (f"460-00-{0x1A2B}-{0x3C4D}", "", P)),
    ],
)
def test_cells_are_read_however_they_are_written(text: str, plmn: Any, expected: Any) -> None:
    assert read_cell(text, plmn, 16) == expected


def test_cells_in_decimal_digits() -> None:
    assert read_cell("460-00-4886718", None, 10) == ("460-00-4886718", "", P)
    assert read_cell("4886718", P, 10) == ("460-00-4886718", "", P)
    assert read_cell("460-00-6699-15437", None, 10) == ("460-00-6699-15437", "", P)


@pytest.mark.parametrize(
    ("text", "plmn", "base"),
    [
        ("0123456AB", None, 16),
        ("4600000123456", None, 16),
        ("46000XYZ", P, 16),
        ("460-00-XYZ", None, 16),
        ("460-00-FFFFFFFFFF", None, 16),
        ("460-00-12AB", None, 10),
        ("460-00-٣٤", None, 10),
        ("460-00-1-2_3", None, 10),
        ("", P, 16),
        ("-", P, 16),
        ("4" * 5_000, P, 10),
    ],
)
def test_what_is_no_cell_is_refused(text: str, plmn: Any, base: int) -> None:
    with pytest.raises(Bad):
        read_cell(text, plmn, base)
