"""CAMARA's events: what becomes of each type, of each way to send it, and of what is wrong."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from connectors.push.camara import EVENTS, KINDS, Camara
from connectors.push.cloud_events import BATCH, STRUCTURED
from connectors.push.options import CamaraOptions
from engine.language.cells_table import CELL
from tests.unit.collector.support import SECOND, T
from tests.unit.push.support import IMSI, NUMBER, Taken, camara_event, taken


def form(*, signed: bool = False, **options: Any) -> Camara:
    return Camara("c", CamaraOptions(listen="127.0.0.1:0", unauthenticated=True, **options), signed=signed)


def of(event: str, **data: Any) -> Taken:
    return taken(form(), camara_event(event, **data))


def test_entering_and_leaving_an_area_are_sightings_at_virtual_cells() -> None:
    entered = of("geofencing-subscriptions.v0.area-entered")
    left = of("geofencing-subscriptions.v0.area-left")
    cell = "area:39.9,116.4,2000"
    assert entered.records == [{"kind": "loc.sight", "t": T, "cell": cell}]
    assert left.records == [{"kind": "loc.sight", "t": T, "cell": f"{cell}:out"}]
    assert CELL.fullmatch(cell)
    assert entered.events[0].key == left.events[0].key


@pytest.mark.parametrize("version", ["v0", "v1", "v1.2"])
def test_old_and_new_names_of_the_apis_are_taken(version: str) -> None:
    for api in ("geofencing", "geofencing-subscriptions"):
        assert of(f"{api}.{version}.area-entered").records[0]["kind"] == "loc.sight"


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("device-roaming-status-subscriptions.v0.roaming-on", {}, {"kind": "roam.out"}),
        ("device-roaming-status-subscriptions.v1.roaming-off", {}, {"kind": "roam.home"}),
        (
            "device-roaming-status-subscriptions.v0.roaming-change-country",
            {"countryCode": 450, "countryName": ["KR"]},
            {"kind": "roam.country", "country": "KR"},
        ),
        (
            "device-roaming-status-subscriptions.v0.roaming-change-country",
            {"countryCode": 340, "countryName": ["GP", "MQ"]},
            {"kind": "roam.country"},
        ),
        ("device-status.v0.roaming-status", {"roaming": True}, {"kind": "roam.out"}),
        ("device-roaming-status-subscriptions.v0.roaming-status", {"roaming": False}, {"kind": "roam.home"}),
        ("device-reachability-status-subscriptions.v0.reachability-data", {}, {"kind": "power.on"}),
        ("device-reachability-status-subscriptions.v0.reachability-sms", {}, {"kind": "power.on"}),
        (
            "device-reachability-status-subscriptions.v0.reachability-disconnected",
            {},
            {"kind": "power.off", "implicit": True},
        ),
        ("device-status.v0.connectivity-disconnected", {}, {"kind": "power.off", "implicit": True}),
        ("sim-swap-subscriptions.v0.swapped", {}, {"kind": "sim.change"}),
    ],
)
def test_each_type_becomes_its_kind(event: str, data: dict[str, Any], expected: dict[str, Any]) -> None:
    found = of(event, **data)
    assert found.records == [{"t": T, **expected}]
    assert found.answer.status == 204


def test_all_types_that_are_documented_become_one_of_the_kinds() -> None:
    kinds = set()
    for name in EVENTS:
        api, _, event = name.partition(".")
        kinds |= {record["kind"] for record in of(f"{api}.v0.{event}", roaming=True).records}
    assert kinds == KINDS


def test_areas_get_their_names_by_the_address_the_table_or_the_event() -> None:
    event = camara_event()
    named = form(areas={"airport": "39.9,116.4,2000", "mall": "1,2,3"})
    assert taken(named, event).records[0]["cell"] == "area:airport"
    assert taken(named, event, query={"area": "gate-7"}).records[0]["cell"] == "area:gate-7"
    other = camara_event(area={"areaId": "A17"})
    assert taken(form(), other).records[0]["cell"] == "area:A17"


@pytest.mark.parametrize("area", ["two words", "a:out", "x" * 55, "地铁"])
def test_an_area_whose_name_can_be_no_cell_is_refused(area: str) -> None:
    assert taken(form(), camara_event(), query={"area": area}).reasons == [("value", "area")]


@pytest.mark.parametrize("area", [{}, {"areaType": "POLYGON", "boundary": []}, {"center": 3, "radius": 4}])
def test_an_area_without_a_name_or_a_circle_is_refused(area: dict[str, Any]) -> None:
    assert of("geofencing-subscriptions.v0.area-entered", area=area).reasons == [("value", "data.area")]


def test_who_it_is_about_may_be_named_in_several_ways() -> None:
    def key(**data: Any) -> str:
        return taken(form(), camara_event(**data)).events[0].key

    number = key(device={"phoneNumber": NUMBER})
    assert key(device={"phoneNumber": NUMBER, "networkAccessIdentifier": "x@example.com"}) == number
    assert key(device={"networkAccessIdentifier": "x@example.com"}) != number
    nai = f"0{IMSI}@nai.epc.mnc000.mcc460.3gppnetwork.org"
    assert key(device={"networkAccessIdentifier": nai}) == key(device={"networkAccessIdentifier": nai[1:]})
    swap = camara_event("sim-swap-subscriptions.v0.swapped")
    swap["data"] = {"phoneNumber": NUMBER, "subscriptionId": "1"}
    assert taken(form(), swap).events[0].key == number


@pytest.mark.parametrize("device", [None, {}, {"ipv4Address": {"publicAddress": "84.125.93.10"}}, 7])
def test_an_event_that_names_nobody_is_refused(device: Any) -> None:
    assert of("sim-swap-subscriptions.v0.swapped", device=device).reasons == [("identity", "data.device")]


def test_the_end_of_a_subscription_makes_no_record_and_is_told() -> None:
    with capture_logs() as told:
        found = of("geofencing-subscriptions.v0.subscription-ended", terminationReason="MAX_EVENTS_REACHED")
    assert (found.records, found.reasons, found.answer.status) == ([], [], 204)
    assert (found.door.counts["ended"], found.door.counts["notices"]) == (1, 1)
    assert [line["reason"] for line in told] == ["MAX_EVENTS_REACHED"]
    started = of("geofencing-subscriptions.v0.subscription-started")
    assert (started.records, started.door.counts["ended"]) == ([], 0)


@pytest.mark.parametrize(
    "event",
    [
        "geofencing-subscriptions.v2.area-entered",
        "geofencing-subscriptions.v0.area-moved",
        "sim-swap-subscriptions.v0.area-entered",
        "congestion-insights.v0.congestion-info",
        "area-entered",
    ],
)
def test_a_type_that_is_not_known_is_kept_as_a_dead_letter_and_acknowledged(event: str) -> None:
    found = of(event)
    assert found.reasons == [("kind", "type")]
    assert found.answer.status == 204


def test_a_batch_applies_the_good_ones_and_refuses_the_others_by_position() -> None:
    batch = [
        camara_event(id="1"),
        camara_event(id="2", seconds=1) | {"time": "yesterday"},
        "no event",
        camara_event(id="4", seconds=2) | {"specversion": "0.3"},
        camara_event(id="5", seconds=3),
    ]
    found = taken(form(), batch, {"content-type": BATCH})
    assert [record["t"] for record in found.records] == [T, T + 3 * SECOND]
    assert [(r.reason, r.position) for r in found.refusals] == [
        ("time", "c:1#2"),
        ("type", "c:1#3"),
        ("type", "c:1#4"),
    ]
    assert found.answer.status == 204


def test_attributes_in_headers_are_the_same_event() -> None:
    event = camara_event()
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    headers = {**headers, "content-type": "application/json; charset=utf-8"}
    binary = taken(form(), event["data"], headers)
    structured = taken(form(), event, {"content-type": STRUCTURED})
    assert binary.records == structured.records
    assert binary.events[0].id == structured.events[0].id
    encoded = {**headers, "ce-id": "%65%31"}
    assert taken(form(), event["data"], encoded).events[0].id == structured.events[0].id


def test_with_signatures_attributes_in_headers_are_not_taken() -> None:
    headers = {"content-type": "application/json", "ce-type": "x"}
    assert taken(form(), {}, headers).unknown_media == ""
    assert "signature" in taken(form(signed=True), {}, headers).unknown_media


@pytest.mark.parametrize(
    ("media", "known"),
    [
        (STRUCTURED, True),
        (BATCH, True),
        ("application/json", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_other_media_types_are_not_read(media: str, known: bool) -> None:
    assert (taken(form(), [], {"content-type": media}).unknown_media == "") is known


@pytest.mark.parametrize(
    ("body", "media", "reason"),
    [
        (b"{broken", STRUCTURED, "json"),
        (b"\xff", STRUCTURED, "json"),
        (b"[]", STRUCTURED, "type"),
        (b"{}", BATCH, "type"),
        (b"7", "application/json", "type"),
        (b"[" * 500 + b"]" * 500, BATCH, "depth"),
    ],
)
def test_a_body_that_holds_no_event_is_refused_whole(body: bytes, media: str, reason: str) -> None:
    found = taken(form(), body, {"content-type": media})
    assert found.answer.status == 400
    assert found.answer.detail.startswith("body: expected ")
    assert [r for r, _ in found.reasons] == [reason]


def test_an_event_is_known_by_its_source_and_id() -> None:
    one = form()
    batch = [camara_event(id="1"), camara_event(id="1"), camara_event(id="2")]
    other = camara_event(id="1") | {"source": "https://elsewhere.example.com"}
    assert len(taken(one, [*batch, other], {"content-type": BATCH}).events) == 3


def test_what_is_refused_says_nothing_about_the_person() -> None:
    short, name = "+861234", "ada.lovelace@example.com"
    bad = [
        camara_event("x.v0.y", device={"phoneNumber": short}),
        camara_event(id="2", device={"networkAccessIdentifier": name}) | {"time": NUMBER},
        camara_event(id="3", device={"phoneNumber": NUMBER}) | {"time": ""},
        {"data": {"device": name}},
    ]
    found = taken(form(), bad, {"content-type": BATCH})
    shown = orjson.dumps([refusal.as_dict() for refusal in found.refusals]).decode()
    assert len(found.refusals) == 4
    assert [word for word in (short, name, NUMBER[1:], "lovelace") if word in shown] == []
