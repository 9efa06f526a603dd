"""CAMARA's notifications -> records: geofencing, roaming, reachability, SIM swap.

Event types are `org.camaraproject.API.VERSION.EVENT` (CAMARA API design guidelines, event notification).
APIs have changed their names between releases (`geofencing` -> `geofencing-subscriptions`, `device-status` ->
one each for roaming and reachability); the payloads of v0 and v1 that are read here have not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
import structlog

from connectors.push.cloud_events import events_of, is_binary, unknown_media
from connectors.push.http_door import Answer, Request
from connectors.push.notices import Fields, Notices, Rule, micros, object_of, text_of
from connectors.push.options import CamaraOptions, circle_of, is_area
from connectors.push.three_gpp import imsi_of_nai
from engine.countries import COUNTRIES
from engine.refusals import Bad, describe, quote

VERSIONS: Final = frozenset(("v0", "v1"))
KINDS: Final = frozenset("loc.sight roam.out roam.home roam.country power.on power.off sim.change".split())
"""Kinds of records that come out of it."""

_TYPE = re.compile(r"org\.camaraproject\.([a-z0-9-]+)\.(v\d+)(?:\.\d+)*\.([a-z0-9-]+)\Z")
_LIFECYCLE: Final = frozenset(
    ("subscription-ends", "subscription-ended", "subscription-started", "subscription-updated")
)
_CODES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "UNAVAILABLE",
}

log = structlog.get_logger("push")


class Camara(Notices):
    """Takes CloudEvents of CAMARA's APIs. `signed`: bodies are, so attributes in headers are not taken."""

    what = "cloudevents"

    def __init__(self, name: str, options: CamaraOptions, *, signed: bool) -> None:
        super().__init__(name)
        self._signed = signed
        self._areas = {circle_of(circle): area for area, circle in options.areas.items()}

    def unknown_media(self, request: Request) -> str:
        """Say what was expected in place of the request's media type; empty if it is a known one."""
        if self._signed and is_binary(request):
            return (
                "expected a structured event, was one with attributes in headers, which no signature covers"
            )
        return unknown_media(request)

    def problem(self, answer: Answer) -> tuple[bytes, bytes]:
        """Return a problem as CAMARA's ErrorInfo."""
        code = _CODES.get(answer.status, "INTERNAL")
        error = {"status": answer.status, "code": code, "message": answer.detail}
        return b"application/json", orjson.dumps(error)

    def notices(self, request: Request) -> list[Any]:
        """Return the events of a request."""
        return events_of(request)

    def mark_of(self, notice: Mapping[str, Any], request: Request, number: int) -> bytes:
        """Return what an event is known by: `source` and `id` (CloudEvents 1.0, 3.1)."""
        version = notice.get("specversion")
        if version != "1.0":
            was = quote(version) if isinstance(version, str) else describe(version)
            raise Bad("1.0", was, field="specversion")
        return self.mark(text_of(notice, "source").encode(), text_of(notice, "id").encode())

    def records(self, notice: Mapping[str, Any], request: Request) -> Iterable[Fields]:
        """Return the record of an event; none for those about the subscription itself."""
        given = text_of(notice, "type")
        found = _TYPE.match(given)
        if found is None or found[2] not in VERSIONS:
            raise Bad("a CAMARA event of version v0 or v1", quote(given), "kind", "type")
        api, event = found[1], found[3]
        if event in _LIFECYCLE:
            self._tell_lifecycle(event, notice.get("data"))
            return []
        rule = _RULES.get((api, event))
        if rule is None:
            raise Bad("a CAMARA event that is known here", quote(given), "kind", "type")
        data = object_of(notice, "data")
        fields: Fields = {"t": micros(notice.get("time"), "time")}
        if rule is _entered or rule is _left:
            fields["cell"] = f"area:{self._area(data, request)}"
        rule(data, fields)
        _identify(data, fields)
        return [fields]

    def _area(self, data: Mapping[str, Any], request: Request) -> str:
        """Name the area: as the sink's address does, the table, the event, or else by the circle itself."""
        area = data.get("area")
        area = area if isinstance(area, dict) else {}
        name = request.query.get("area") or area.get("areaId")
        if name is None:
            circle = _circle(area)
            name = self._areas.get(circle) or ",".join(f"{part:.10g}" for part in circle)
        if not isinstance(name, str) or not is_area(name):
            was = quote(name) if isinstance(name, str) else describe(name)
            raise Bad("a name of 1 to 54 letters, digits, . _ , + -", was, "value", "area")
        return name

    def _tell_lifecycle(self, event: str, data: Any) -> None:
        if event.startswith("subscription-end"):
            reason = data.get("terminationReason") if isinstance(data, dict) else None
            self.door.counts["ended"] += 1
            log.warning(
                "a subscription has ended: no more notifications of it will come",
                source=self.name,
                reason=reason if isinstance(reason, str) and len(reason) <= 60 else "not given",
            )


def _circle(area: Mapping[str, Any]) -> tuple[float, float, float]:
    centre = area.get("center")
    parts = [centre.get("latitude"), centre.get("longitude")] if isinstance(centre, dict) else []
    numbers = [
        float(part)
        for part in (*parts, area.get("radius"))
        if isinstance(part, int | float) and not isinstance(part, bool)
    ]
    if len(numbers) != 3:
        raise Bad("a circle, or ?area=NAME in the address of the sink", "neither", "value", "data.area")
    return numbers[0], numbers[1], numbers[2]


def _identify(data: Mapping[str, Any], fields: Fields) -> None:
    device = data.get("device")
    device = device if isinstance(device, dict) else data
    number, name = device.get("phoneNumber"), device.get("networkAccessIdentifier")
    if isinstance(number, str) and number:
        fields["msisdn"] = number
    elif isinstance(name, str) and name:
        imsi = imsi_of_nai(name)
        fields["imsi" if imsi else "subscriber"] = imsi or name
    else:
        expected = "phoneNumber or networkAccessIdentifier: name the device when you subscribe"
        raise Bad(expected, "neither", "identity", "data.device")


def _entered(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "loc.sight"


def _left(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "loc.sight"
    fields["cell"] += ":out"


def _roams(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "roam.out"
    _country(data, fields)


def _is_home(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "roam.home"


def _changes_country(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "roam.country"
    _country(data, fields)


def _roaming_status(data: Mapping[str, Any], fields: Fields) -> None:
    roaming = data.get("roaming")
    if not isinstance(roaming, bool):
        raise Bad("true or false", describe(roaming), field="data.roaming")
    (_roams if roaming else _is_home)(data, fields)


def _country(data: Mapping[str, Any], fields: Fields) -> None:
    """Take the country if it is one: a mobile country code may belong to several."""
    names = data.get("countryName")
    if isinstance(names, list) and len(names) == 1 and names[0] in COUNTRIES:
        fields["country"] = names[0]


def _reachable(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "power.on"


def _unreachable(data: Mapping[str, Any], fields: Fields) -> None:
    fields.update(kind="power.off", implicit=True)


def _swapped(data: Mapping[str, Any], fields: Fields) -> None:
    fields["kind"] = "sim.change"


def _of(apis: str, rules: Mapping[str, Rule]) -> dict[tuple[str, str], Rule]:
    return {(api, event): rule for api in apis.split() for event, rule in rules.items()}


_RULES: Final[Mapping[tuple[str, str], Rule]] = {
    **_of("geofencing geofencing-subscriptions", {"area-entered": _entered, "area-left": _left}),
    **_of(
        "device-roaming-status-subscriptions device-status device-status-subscriptions",
        {
            "roaming-on": _roams,
            "roaming-off": _is_home,
            "roaming-change-country": _changes_country,
            "roaming-status": _roaming_status,
        },
    ),
    **_of(
        "device-reachability-status-subscriptions",
        {
            "reachability-data": _reachable,
            "reachability-sms": _reachable,
            "reachability-disconnected": _unreachable,
        },
    ),
    **_of(
        "device-status device-status-subscriptions",
        {
            "connectivity-data": _reachable,
            "connectivity-sms": _reachable,
            "connectivity-disconnected": _unreachable,
        },
    ),
    **_of("sim-swap sim-swap-subscriptions sim-swap-notification-subscription", {"swapped": _swapped}),
}
"""(API, event) -> what it makes of the event's data."""
EVENTS: Final = tuple(sorted(f"{api}.{event}" for api, event in _RULES))
"""All that become records, for the documentation."""
