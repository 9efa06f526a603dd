"""An AMF's event reports: what becomes of each, who and where."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from connectors.push.amf import KINDS, Amf
from tests.unit.collector.support import SECOND, T
from tests.unit.push.support import IMSI, NUMBER, Taken, at, taken

PLMN = {"mcc": "460", "mnc": "00"}
NR = {
    "nrLocation": {
        "tai": {"plmnId": PLMN, "tac": "00A1B2"},
        "ncgi": {"plmnId": PLMN, "nrCellId": "0123456AB"},
    }
}
NR_FIELDS = {"rat": "NR", "plmn": "46000", "tac": 0xA1B2, "cell": f"460-00-{0x0123456AB}"}
EUTRA = {
    "eutraLocation": {
        "tai": {"plmnId": {"mcc": "310", "mnc": "410"}, "tac": "1A2B"},
        "ecgi": {"plmnId": {"mcc": "310", "mnc": "410"}, "eutraCellId": "00A1B01"},
    }
}


def report(kind: str = "LOCATION_REPORT", **fields: Any) -> dict[str, Any]:
    given = {
        "type": kind,
        "state": {"active": True, "remainReports": 9},
        "timeStamp": at(0),
        "supi": f"imsi-{IMSI}",
        **fields,
    }
    return {name: value for name, value in given.items() if value is not None}


def of(*reports: Any) -> Taken:
    return taken(Amf("amf"), {"notifyCorrelationId": "n1", "reportList": list(reports)})


def test_a_location_becomes_an_update_with_its_decimal_cell() -> None:
    found = of(report(location=NR, gpsi=f"msisdn-{NUMBER[1:]}", pei="imeisv-8626670312345678"))
    assert found.records == [{"kind": "loc.update", "t": T, "tac8": "86266703", **NR_FIELDS}]
    assert found.answer.status == 204
    assert found.events[0].key == of(report(location=NR)).events[0].key


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (EUTRA, {"rat": "LTE", "plmn": "310410", "tac": 0x1A2B, "cell": f"310-410-{0x00A1B01}"}),
        (
            {"utraLocation": {"cgi": {"plmnId": PLMN, "lac": "1A2B", "cellId": "3C4D"}}},
            {"rat": "UMTS", "plmn": "46000", "lac": 0x1A2B, "cell": f"460-00-{0x1A2B}-{0x3C4D}"},
        ),
        (
            {"geraLocation": {"cgi": {"plmnId": PLMN, "lac": "0001", "cellId": "0002"}}},
            {"rat": "GSM", "plmn": "46000", "lac": 1, "cell": "460-00-1-2"},
        ),
        ({"n3gaLocation": {"n3IwfId": "1"}, **NR}, NR_FIELDS),
    ],
)
def test_every_radio_access_has_its_cells(location: dict[str, Any], expected: dict[str, Any]) -> None:
    assert of(report(location=location)).records == [{"kind": "loc.update", "t": T, **expected}]


def test_a_cell_may_be_in_the_additional_location() -> None:
    found = of(report(location={"n3gaLocation": {"n3IwfId": "1"}}, additionalLocation=NR))
    assert found.records == [{"kind": "loc.update", "t": T, **NR_FIELDS}]


def test_an_old_location_says_when_the_subscriber_was_there() -> None:
    inside = dict(NR["nrLocation"])
    aged = of(report(location={"nrLocation": {**inside, "ageOfLocationInformation": 3}}))
    stamped = of(report(location={"nrLocation": {**inside, "ueLocationTimestamp": at(-180)}}))
    assert aged.records[0]["t_start"] == stamped.records[0]["t_start"] == T - 180 * SECOND
    ahead = of(report(location={"nrLocation": {**inside, "ueLocationTimestamp": at(5)}}))
    assert "t_start" not in ahead.records[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            report(
                "REGISTRATION_STATE_REPORT",
                rmInfoList=[{"rmState": "REGISTERED", "accessType": "3GPP_ACCESS"}],
            ),
            {"kind": "power.on"},
        ),
        (
            report(
                "REGISTRATION_STATE_REPORT",
                rmInfoList=[
                    {"rmState": "REGISTERED", "accessType": "NON_3GPP_ACCESS"},
                    {"rmState": "DEREGISTERED", "accessType": "3GPP_ACCESS"},
                ],
            ),
            {"kind": "power.off"},
        ),
        (report("REACHABILITY_REPORT", reachability="REACHABLE"), {"kind": "power.on"}),
        (report("REACHABILITY_REPORT", reachability="UNREACHABLE"), {"kind": "power.off", "implicit": True}),
        (
            report("LOSS_OF_CONNECTIVITY", lossOfConnectReason="PURGED"),
            {"kind": "power.off", "implicit": True, "cause": "PURGED"},
        ),
        (report("LOSS_OF_CONNECTIVITY"), {"kind": "power.off", "implicit": True}),
        (report("CONNECTIVITY_STATE_REPORT", location=NR), {"kind": "loc.sight", **NR_FIELDS}),
        (
            report(
                "PRESENCE_IN_AOI_REPORT",
                areaList=[{"presenceInfo": {"praId": "7", "presenceState": "IN_AREA"}}],
            ),
            {"kind": "loc.sight", "cell": "area:7"},
        ),
        (
            report(
                "PRESENCE_IN_AOI_REPORT",
                areaList=[
                    {"presenceInfo": {"praId": "7", "presenceState": "OUT_OF_AREA"}},
                    {"presenceInfo": {"praId": "8", "presenceState": "UNKNOWN"}},
                    {"ladnInfo": {"ladn": "x"}},
                ],
            ),
            {"kind": "loc.sight", "cell": "area:7:out"},
        ),
    ],
)
def test_each_report_becomes_its_kind(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = of(given)
    assert found.records == [{"t": T, **expected}]
    assert expected["kind"] in KINDS


def test_several_areas_are_several_records_each_with_an_id() -> None:
    areas = [{"presenceInfo": {"praId": str(n), "presenceState": "IN_AREA"}} for n in range(3)]
    found = of(report("PRESENCE_IN_AOI_REPORT", areaList=areas))
    assert [record["cell"] for record in found.records] == ["area:0", "area:1", "area:2"]
    assert len({event.id for event in found.events}) == 3


@pytest.mark.parametrize(
    "given",
    [
        report("CONNECTIVITY_STATE_REPORT"),
        report("LOCATION_REPORT", location={"n3gaLocation": {"n3IwfId": "1"}}),
        report("SUBSCRIPTION_ID_CHANGE", supi=None),
        report("UES_IN_AREA_REPORT", supi=None, numberOfUes=4),
        report(
            "REGISTRATION_STATE_REPORT",
            rmInfoList=[{"rmState": "REGISTERED", "accessType": "NON_3GPP_ACCESS"}],
        ),
    ],
)
def test_what_says_nothing_of_a_subscriber_is_acknowledged_and_counted(given: dict[str, Any]) -> None:
    found = of(given)
    assert (found.records, found.reasons, found.answer.status) == ([], [], 204)
    assert found.door.counts["notices"] == 1


def test_the_end_of_a_subscription_is_told() -> None:
    with capture_logs() as told:
        found = of(report("SUBSCRIPTION_TERMINATION", supi=None))
    assert (found.records, found.door.counts["ended"], len(told)) == ([], 1, 1)


def test_who_it_is_about() -> None:
    by_gpsi = of(report(supi=None, gpsi=f"msisdn-{NUMBER[1:]}", location=NR))
    by_name = of(report(supi=None, gpsi="extid-meter-7@example.com", location=NR))
    by_nai = of(report(supi=f"nai-0{IMSI}@nai.5gc.mnc000.mcc460.3gppnetwork.org", location=NR))
    by_imsi = of(report(location=NR))
    assert by_nai.events[0].key == by_imsi.events[0].key
    assert len({found.events[0].key for found in (by_gpsi, by_name, by_imsi)}) == 3


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        (report(supi=None, location=NR), "identity", "supi"),
        (report(supi="imsi-46000", location=NR), "identity", "supi"),
        (report(supi="suci-0-460-00-0-0-0-1", location=NR), "identity", "supi"),
        (report(timeStamp=None, location=NR), "time", "timeStamp"),
        (report(timeStamp="2026-09-07T08:30:00", location=NR), "time", "timeStamp"),
        (report(timeStamp="1970-01-01T00:00:00Z", location=NR), "time", "t"),
        (report(), "value", "location"),
        (
            report(location={"nrLocation": {"ncgi": {"plmnId": PLMN, "nrCellId": "12G"}}}),
            "value",
            "ncgi.nrCellId",
        ),
        (report(location={"nrLocation": {"ncgi": {"nrCellId": "1"}}}), "value", "ncgi.plmnId"),
        (report(location={"eutraLocation": {"ecgi": {"plmnId": PLMN}}}), "value", "ecgi.eutraCellId"),
        (report("REACHABILITY_REPORT", reachability="MAYBE"), "value", "reachability"),
        (report("REACHABILITY_REPORT"), "value", "reachability"),
        (report("NEW_REPORT"), "kind", "type"),
        ({"state": {}}, "type", "type"),
        ("text", "type", "amf"),
        (
            report("PRESENCE_IN_AOI_REPORT", areaList=[{"presenceInfo": {"presenceState": "IN_AREA"}}]),
            "type",
            "areaList.presenceInfo.praId",
        ),
    ],
)
def test_a_wrong_report_is_refused_with_its_place_and_the_others_are_applied(
    given: Any, reason: str, field: str
) -> None:
    found = of(report(location=NR), given, report("LOSS_OF_CONNECTIVITY"))
    assert found.reasons == [(reason, field)]
    assert found.refusals[0].position == "amf:1#2"
    assert len(found.records) == 2
    assert found.answer.status == 204
    assert IMSI not in orjson.dumps(found.refusals[0].as_dict()).decode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "type"),
        (b"{}", "type"),
        (b'{"reportList":{}}', "type"),
        (b"<xml/>", "json"),
        (b'{"reportList":' + b"[" * 300 + b"]" * 300 + b"}", "depth"),
    ],
)
def test_a_body_that_is_no_notification_is_refused_whole(body: bytes, reason: str) -> None:
    found = taken(Amf("amf"), body)
    assert found.answer.status == 400
    assert [name for name, _ in found.reasons] == [reason]


def test_the_same_report_of_another_subscription_is_known() -> None:
    one = report(location=NR, subscriptionId="http://amf/1")
    two = report(location=NR, subscriptionId="http://amf/2", state={"active": False})
    assert len(of(one, two).records) == 1
    assert len(of(one, {**two, "timeStamp": at(1)}).records) == 2


def test_a_synchronisation_of_subscriptions_is_acknowledged() -> None:
    body: dict[str, Any] = {"eventSubsSyncInfo": {"subscriptionList": []}}
    assert taken(Amf("amf"), body).answer.status == 204
