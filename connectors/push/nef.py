"""Monitoring events of a NEF or SCEF (MonitoringNotification, TS 29.122, 5.3.2.3; TS 29.522) -> records.

    LOCATION_REPORTING                 loc.update
    LOSS_OF_CONNECTIVITY               power.off, implicit, with its cause
    UE_REACHABILITY                    power.on
    ROAMING_STATUS                     roam.out, roam.home
    CHANGE_OF_IMSI_IMEI_ASSOCIATION    handset.change
    PDN_CONNECTIVITY_STATUS            data.session, start or stop
    any other of a subscriber          loc.sight, if it names a cell, else nothing

Some send one report without the notification around it; that is taken, too. A test notification (5.2.5.3) and
one about the subscription itself are acknowledged and make no record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import orjson
import structlog

from connectors.push.http_door import Request
from connectors.push.nef_cells import read_cell
from connectors.push.notices import (
    Fields,
    Notices,
    micros,
    object_of,
    parsed,
    text_of,
    whole,
)
from connectors.push.options import NefOptions
from connectors.push.three_gpp import MINUTE, identify, plmn_of
from engine.refusals import Bad, describe, quote

KINDS: Final = frozenset(
    "loc.update loc.sight power.on power.off roam.out roam.home handset.change data.session".split()
)
_SEES: Final = frozenset(
    (
        *("COMMUNICATION_FAILURE", "AVAILABILITY_AFTER_DDN_FAILURE", "DOWNLINK_DATA_DELIVERY_STATUS"),
        *(
            "NUMBER_OF_UES_IN_AN_AREA",
            "API_SUPPORT_CAPABILITY",
            "NUM_OF_REGD_UES",
            "NUM_OF_ESTD_PDU_SESSIONS",
        ),
        *("AREA_OF_INTEREST", "GROUP_MEMBER_LIST_CHANGE", "APPLICATION_START", "APPLICATION_STOP"),
        *("SESSION_INACTIVITY_TIME", "TRAFFIC_VOLUME", "UL_DL_DATA_RATE"),
    )
)
_WHOSE: Final = ("msisdn", "externalId", "supi", "gpsi")
"""What a report names its subscriber by."""
_ABOUT_MANY: Final = frozenset(("NUMBER_OF_UES_IN_AN_AREA", "NUM_OF_REGD_UES", "NUM_OF_ESTD_PDU_SESSIONS"))

log = structlog.get_logger("push")


class Nef(Notices):
    """Takes MonitoringNotification."""

    what = "nef"

    def __init__(self, name: str, options: NefOptions) -> None:
        super().__init__(name)
        self._plmn = plmn_of(options.plmn)
        self._base = 16 if options.cells == "hex" else 10

    def notices(self, request: Request) -> list[Any]:
        """Return the reports of a notification."""
        body = parsed(request.body)
        if not isinstance(body, dict):
            raise Bad("a MonitoringNotification", describe(body), field="body")
        if body.get("cancelInd") is True:
            self.door.counts["ended"] += 1
            log.warning("a subscription has ended: no more notifications of it will come", source=self.name)
        reports = body.get("monitoringEventReports")
        if reports is None and "monitoringType" in body:
            return [{key: value for key, value in body.items() if key != "subscription"}]
        if reports is None and "subscription" in body:
            self.door.counts["notices"] += 1
            return []
        if not isinstance(reports, list):
            raise Bad("a list of reports", describe(reports), field="monitoringEventReports")
        return reports

    def mark_of(self, notice: Mapping[str, Any], request: Request, number: int) -> bytes:
        """Return what a report is known by: all it says, and when it came if it does not say when it was."""
        said = self.mark(_written(notice))
        if _has_time(notice):
            return said
        return self.mark(said, b"%d %d %d" % (request.arrived, request.number, number))

    def repeated(self, found: list[Any], request: Request) -> Collection[int]:
        """Return the reports without a time that have come before.

        A report may well say what an earlier one said: somebody is back in a cell. So those of a request
        about one subscriber are a repeat only if nothing else came of them since; or if the request was
        signed and is the same, byte for byte. Of two that are the same, one after the other in a request,
        the second is one.
        """
        theirs: dict[bytes, list[tuple[int, Mapping[str, Any]]]] = {}
        for number, notice in enumerate(found, 1):
            if isinstance(notice, dict):
                whose = self.mark(b"whose", _written({name: notice.get(name) for name in _WHOSE}))
                theirs.setdefault(whose, []).append((number, notice))
        again: set[int] = set()
        is_copy: bool | None = None
        for whose, reports in theirs.items():
            if all(_has_time(notice) for _, notice in reports):
                self.door.forget_latest(whose)
                continue
            if is_copy is None:
                is_copy = self._is_copy(request)
            written = [_written(notice) for _, notice in reports]
            is_repeat = is_copy or self.door.is_latest(whose, self.mark(b"reports", *written))
            for (number, notice), said, before in zip(reports, written, [b"", *written], strict=False):
                if not _has_time(notice) and (is_repeat or said == before):
                    again.add(number)
        return again

    def _is_copy(self, request: Request) -> bool:
        signed = request.signed.encode()
        return bool(signed) and not self.door.is_new(self.mark(b"signed", signed, request.body))

    def records(self, notice: Mapping[str, Any], request: Request) -> Iterable[Fields]:
        """Return the record of a report. One without a time is of the moment it came."""
        kind = text_of(notice, "monitoringType")
        if kind in _ABOUT_MANY:
            return []
        given = notice.get("eventTime")
        fields: Fields = {"t": request.arrived if given is None else micros(given, "eventTime")}
        self._identify(notice, fields)
        self._locate(notice, fields)
        made = _record(kind, notice, fields)
        return [] if made is None else [made]

    def _identify(self, notice: Mapping[str, Any], fields: Fields) -> None:
        number, name = notice.get("msisdn"), notice.get("externalId")
        if isinstance(number, str) and number:
            # E.164 digits by TS 29.122, without the plus
            fields["msisdn"] = number if number.startswith("+") else f"+{number}"
        elif isinstance(name, str) and name:
            fields["subscriber"] = name
        if "supi" in notice or "gpsi" in notice:
            identify(notice, fields)
        if not {"imsi", "msisdn", "subscriber"} & fields.keys():
            raise Bad("msisdn or externalId", "neither", "identity", "msisdn")

    def _locate(self, notice: Mapping[str, Any], fields: Fields) -> None:
        if "locationInfo" not in notice:
            return
        info = object_of(notice, "locationInfo")
        plmn = plmn_of(info.get("plmnId")) or plmn_of(notice.get("plmnId")) or self._plmn
        cell = info.get("cellId")
        if isinstance(cell, str) and cell:
            fields["cell"], rat, plmn = read_cell(cell, plmn, self._base)
            if rat:
                fields["rat"] = rat
        if plmn is not None:
            fields["plmn"] = "".join(plmn)
        age = whole(info.get("ageOfLocationInfo"))
        if age is not None and age > 0:
            fields["t_start"] = fields["t"] - age * MINUTE


def _has_time(notice: Mapping[str, Any]) -> bool:
    return notice.get("eventTime") is not None


def _written(part: Mapping[str, Any]) -> bytes:
    return orjson.dumps(part, option=orjson.OPT_SORT_KEYS)


def _record(kind: str, notice: Mapping[str, Any], fields: Fields) -> Fields | None:
    if kind == "LOCATION_REPORTING":
        if "cell" not in fields:
            expected = "a cell: subscribe with accuracy CGI_ECGI"
            raise Bad(expected, "none", "value", "locationInfo.cellId")
        return {**fields, "kind": "loc.update"}
    if kind == "LOSS_OF_CONNECTIVITY":
        reason = whole(notice.get("lossOfConnectReason"))
        if reason is not None:
            fields["cause"] = str(reason)
        return {**fields, "kind": "power.off", "implicit": True}
    if kind == "UE_REACHABILITY":
        return {**fields, "kind": "power.on"}
    if kind == "ROAMING_STATUS":
        # "set to true if the UE is on roaming status, to false or omitted otherwise"
        plmn = plmn_of(notice.get("plmnId"))
        if plmn is not None:
            fields["plmn"] = "".join(plmn)
        return {**fields, "kind": "roam.out" if notice.get("roamingStatus") is True else "roam.home"}
    if kind == "CHANGE_OF_IMSI_IMEI_ASSOCIATION":
        return {**fields, "kind": "handset.change"}
    if kind == "PDN_CONNECTIVITY_STATUS":
        return _session(notice, fields)
    if kind in _SEES:
        return {**fields, "kind": "loc.sight"} if "cell" in fields else None
    raise Bad("an event of TS 29.122 that is known here", quote(kind), "kind", "monitoringType")


def _session(notice: Mapping[str, Any], fields: Fields) -> Fields:
    info = object_of(notice, "pdnConnInfo")
    phase = {"CREATED": "start", "RELEASED": "stop"}.get(str(info.get("status")))
    if phase is None:
        raise Bad("CREATED or RELEASED", "another", "value", "pdnConnInfo.status")
    if isinstance(info.get("apn"), str):
        fields["apn"] = info["apn"]
    return {**fields, "kind": "data.session", "phase": phase}
