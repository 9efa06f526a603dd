"""Event notifications of an AMF (Namf_EventExposure_Notify, TS 29.518, 5.3.2.4 and 6.2.6.2.4-5) -> records.

LOCATION_REPORT                       loc.update
PRESENCE_IN_AOI_REPORT                loc.sight at `area:PRA-ID`, or `area:PRA-ID:out`
REGISTRATION_STATE_REPORT             power.on, power.off (of 3GPP access)
REACHABILITY_REPORT                   power.on; power.off, implicit
LOSS_OF_CONNECTIVITY                  power.off, implicit, with its cause
any other of a subscriber             loc.sight, if it names a cell, else nothing
about subscriptions, or many          nothing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
import structlog

from connectors.push.http_door import Request
from connectors.push.notices import (
    Fields,
    Notices,
    micros,
    object_of,
    objects_of,
    parsed,
    text_of,
)
from connectors.push.options import is_area
from connectors.push.three_gpp import identify, locate
from engine.refusals import Bad, describe, quote

KINDS: Final = frozenset("loc.update loc.sight power.on power.off".split())
_SEES: Final = frozenset(
    (
        *(
            "ACCESS_TYPE_REPORT",
            "TIMEZONE_REPORT",
            "CONNECTIVITY_STATE_REPORT",
            "COMMUNICATION_FAILURE_REPORT",
        ),
        *("5GS_USER_STATE_REPORT", "AVAILABILITY_AFTER_DDN_FAILURE", "TYPE_ALLOCATION_CODE_REPORT"),
        *("FREQUENT_MOBILITY_REGISTRATION_REPORT", "UE_LOCATION_TRENDS", "UE_ACCESS_BEHAVIOR_TRENDS"),
        "UE_MM_TRANSACTION_REPORT",
    )
)
_SILENT: Final = frozenset(
    (
        *("SUBSCRIPTION_ID_CHANGE", "SUBSCRIPTION_ID_ADDITION", "SUBSCRIPTION_TERMINATION"),
        *("UES_IN_AREA_REPORT", "SNSSAI_TA_MAPPING_REPORT"),
    )
)
_REACHABLE: Final = {
    "REACHABLE": {"kind": "power.on"},
    "UNREACHABLE": {"kind": "power.off", "implicit": True},
    "REGULATORY_ONLY": {"kind": "power.off", "implicit": True},
}
_AREA: Final = {"IN_AREA": "", "OUT_OF_AREA": ":out"}

log = structlog.get_logger("push")


class Amf(Notices):
    """Takes AmfEventNotification."""

    what = "amf"

    def notices(self, request: Request) -> list[Any]:
        """Return the reports of a notification."""
        body = parsed(request.body)
        if not isinstance(body, dict):
            raise Bad("an AmfEventNotification", describe(body), field="body")
        reports = body.get("reportList")
        if reports is None and "eventSubsSyncInfo" in body:
            return []
        if not isinstance(reports, list):
            raise Bad("a list of reports", describe(reports), field="reportList")
        return reports

    def mark_of(self, notice: Mapping[str, Any], request: Request, number: int) -> bytes:
        """Return what a report is known by: all it says, but what is of the subscription."""
        said = {key: notice[key] for key in sorted(notice) if key not in ("state", "subscriptionId", "refId")}
        return self.mark(orjson.dumps(said, option=orjson.OPT_SORT_KEYS))

    def records(self, notice: Mapping[str, Any], request: Request) -> Iterable[Fields]:
        """Return the records of a report."""
        kind = text_of(notice, "type")
        if kind in _SILENT:
            if kind == "SUBSCRIPTION_TERMINATION":
                self.door.counts["ended"] += 1
                log.warning(
                    "a subscription has ended: no more notifications of it will come", source=self.name
                )
            return []
        fields: Fields = {"t": micros(notice.get("timeStamp"), "timeStamp")}
        identify(notice, fields)
        if kind == "PRESENCE_IN_AOI_REPORT":
            return _areas(notice, fields)
        fields.update(locate([notice.get("location"), notice.get("additionalLocation")], fields["t"]))
        made = _record(kind, notice, fields)
        return [] if made is None else [made]


def _record(kind: str, notice: Mapping[str, Any], fields: Fields) -> Fields | None:
    if kind == "LOCATION_REPORT":
        if "cell" not in fields and fields.get("rat") != "WLAN":
            raise Bad("a cell: ncgi, ecgi or cgi", "none", "value", "location")
        return {**fields, "kind": "loc.update"} if "cell" in fields else None
    if kind == "REGISTRATION_STATE_REPORT":
        for info in objects_of(notice, "rmInfoList"):
            if info.get("accessType") == "3GPP_ACCESS":
                on = _word(info, "rmState", {"REGISTERED": True, "DEREGISTERED": False})
                return {**fields, "kind": "power.on" if on else "power.off"}
        return None
    if kind == "REACHABILITY_REPORT":
        return {**fields, **_word(notice, "reachability", _REACHABLE)}
    if kind == "LOSS_OF_CONNECTIVITY":
        reason = notice.get("lossOfConnectReason")
        if isinstance(reason, str) and reason:
            fields["cause"] = reason
        return {**fields, "kind": "power.off", "implicit": True}
    if kind in _SEES:
        return {**fields, "kind": "loc.sight"} if "cell" in fields else None
    raise Bad("an event of TS 29.518 that is known here", quote(kind), "kind", "type")


def _areas(notice: Mapping[str, Any], fields: Fields) -> list[Fields]:
    """Return a sighting for each area of interest of which the AMF knows."""
    made: list[Fields] = []
    for area in objects_of(notice, "areaList"):
        if "presenceInfo" not in area:
            continue
        info = object_of(area, "presenceInfo", field="areaList.presenceInfo")
        state = info.get("presenceState")
        if state not in _AREA:
            continue  # UNKNOWN, INACTIVE: says nothing
        name = text_of(info, "praId", field="areaList.presenceInfo.praId")
        if not is_area(name):
            raise Bad(
                "1 to 54 letters, digits, . _ , + -", quote(name), "value", "areaList.presenceInfo.praId"
            )
        made.append({**fields, "kind": "loc.sight", "cell": f"area:{name}{_AREA[state]}"})
    return made


def _word(notice: Mapping[str, Any], name: str, words: Mapping[str, Any]) -> Any:
    given = notice.get(name)
    if not isinstance(given, str) or given not in words:
        was = quote(given) if isinstance(given, str) else describe(given)
        raise Bad(f"one of {', '.join(words)}", was, "value", name)
    return words[given]
