"""3GPP's identities and locations -> fields of records (TS 29.571, common data types; TS 23.003, identities).

supi  imsi-460001234567890 | nai-...         gpsi  msisdn-8613912345678 | extid-NAME@DOMAIN
pei   imei-... | imeisv-...                  plmnId  {mcc, mnc}
nrLocation    ncgi.nrCellId, 9 hex digits    -> 460-00-<nci>, decimal, as all cells are written here
eutraLocation ecgi.eutraCellId, 7            -> 460-00-<eci>
utraLocation, geraLocation  cgi.lac, cgi.cellId, 4 each -> 460-00-<lac>-<ci>
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from connectors.push.notices import Fields, micros, whole
from engine.refusals import Bad, describe

MINUTE: Final = 60_000_000

_SUPI = re.compile(r"imsi-(\d{15})\Z", re.ASCII)
_GPSI = re.compile(r"msisdn-(\d{5,15})\Z", re.ASCII)
_PEI = re.compile(r"(imei|imeisv)-(\d{14,16})\Z", re.ASCII)
_NAI = re.compile(r"\d?(\d{15})@[\w.-]*3gppnetwork\.org\Z", re.ASCII | re.IGNORECASE)
_PLMN = re.compile(r"(\d{3})\D?(\d{2,3})\Z", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{1,9}\Z")

_NR = ("nrLocation", "NR", "ncgi", "nrCellId", 9)
_EUTRA = ("eutraLocation", "LTE", "ecgi", "eutraCellId", 7)


def imsi_of_nai(name: str) -> str:
    """Return the IMSI in a network access identifier of TS 23.003, 19.3; empty: it is another one."""
    found = _NAI.match(name)
    return found[1] if found else ""


def identify(report: Mapping[str, Any], fields: Fields) -> None:
    """Take over whom a report is about, and the handset; raise `Bad` if it names nobody."""
    supi, gpsi, pei = report.get("supi"), report.get("gpsi"), report.get("pei")
    if isinstance(supi, str) and supi:
        found = _SUPI.match(supi)
        kind, _, rest = supi.partition("-")
        if found is not None:
            fields["imsi"] = found[1]
        elif kind in ("nai", "gci", "gli") and rest:
            imsi = imsi_of_nai(rest)
            fields["imsi" if imsi else "subscriber"] = imsi or rest
        else:
            raise Bad("imsi- and 15 digits, nai-, gci- or gli-", "another text", "identity", "supi")
    if isinstance(gpsi, str) and gpsi:
        number = _GPSI.match(gpsi)
        if number is not None:
            fields["msisdn"] = "+" + number[1]
        elif gpsi.startswith("extid-") and "imsi" not in fields and "subscriber" not in fields:
            fields["subscriber"] = gpsi.removeprefix("extid-")
    if not {"imsi", "msisdn", "subscriber"} & fields.keys():
        raise Bad("a supi or gpsi", "neither", "identity", "supi")
    handset = _PEI.match(pei) if isinstance(pei, str) else None
    if handset is not None:
        fields[handset[1]] = handset[2]


def plmn_of(value: Any) -> tuple[str, str] | None:
    """Return (MCC, MNC) of a PlmnId, `{mcc, mnc}` or `46000` or `460-00`; None if it is none."""
    if isinstance(value, dict):
        value = f"{value.get('mcc')}-{value.get('mnc')}"
    found = _PLMN.match(value) if isinstance(value, str) else None
    return None if found is None else (found[1], found[2])


def locate(locations: list[Any], t: int) -> Fields:
    """Return what the first of some UserLocations with a cell says: cell, rat, plmn, tac or lac, t_start.

    `t`: of the report, µs; the location may be older. Raises `Bad` for a cell that can't be one.
    """
    found: Fields = {}
    for location in locations:
        if not isinstance(location, dict):
            continue
        for key, rat, group, name, digits in (_NR, _EUTRA):
            if isinstance(location.get(key), dict):
                here = _packet(location[key], rat, group, name, digits, t)
                if "cell" in here:
                    return here
                found = found or here
        for key, rat in (("utraLocation", "UMTS"), ("geraLocation", "GSM")):
            if isinstance(location.get(key), dict):
                here = _circuit(location[key], rat, t)
                if "cell" in here:
                    return here
                found = found or here
        if isinstance(location.get("n3gaLocation"), dict) and not found:
            found = {"rat": "WLAN"}
    return found


def _packet(part: Mapping[str, Any], rat: str, group: str, name: str, digits: int, t: int) -> Fields:
    """Return what an NR or E-UTRA location says."""
    fields: Fields = {"rat": rat}
    ignored = part.get("ignore" + group.capitalize()) is True
    cell = part.get(group)
    if isinstance(cell, dict) and not ignored:
        plmn = plmn_of(cell.get("plmnId"))
        if plmn is None:
            raise Bad("mcc and mnc", "other", "value", f"{group}.plmnId")
        fields["plmn"] = "".join(plmn)
        fields["cell"] = f"{plmn[0]}-{plmn[1]}-{hexadecimal(cell.get(name), f'{group}.{name}', digits)}"
    area = part.get("tai")
    if isinstance(area, dict):
        plmn = plmn_of(area.get("plmnId"))
        if plmn is not None:
            fields.setdefault("plmn", "".join(plmn))
        fields["tac"] = hexadecimal(area.get("tac"), "tai.tac", 6)
    _age(part, fields, t)
    return fields


def _circuit(part: Mapping[str, Any], rat: str, t: int) -> Fields:
    """Return what a UTRA or GERA location says."""
    fields: Fields = {"rat": rat}
    for group, name in (("cgi", "cellId"), ("sai", "sac"), ("lai", "")):
        area = part.get(group)
        if not isinstance(area, dict):
            continue
        plmn = plmn_of(area.get("plmnId"))
        if plmn is None:
            raise Bad("mcc and mnc", "other", "value", f"{group}.plmnId")
        fields["plmn"] = "".join(plmn)
        fields["lac"] = hexadecimal(area.get("lac"), f"{group}.lac", 4)
        if group == "cgi":
            number = hexadecimal(area.get(name), "cgi.cellId", 4)
            fields["cell"] = f"{plmn[0]}-{plmn[1]}-{fields['lac']}-{number}"
        break
    _age(part, fields, t)
    return fields


def _age(part: Mapping[str, Any], fields: Fields, t: int) -> None:
    """Tell when the subscriber was there, if that is earlier than the report."""
    seen: int | None = None
    if "ueLocationTimestamp" in part:
        seen = micros(part["ueLocationTimestamp"], "ueLocationTimestamp")
    else:
        age = whole(part.get("ageOfLocationInformation"))
        if age is not None and age > 0:
            seen = t - age * MINUTE
    if seen is not None and seen < t:
        fields["t_start"] = seen


def hexadecimal(value: Any, field: str, digits: int) -> int:
    """Return the number that hex digits stand for, at most so many; raise `Bad`."""
    if not isinstance(value, str) or _HEX.match(value) is None or len(value) > digits:
        was = "another text" if isinstance(value, str) else describe(value)
        raise Bad(f"{digits} hex digits", was, "value", field)
    return int(value, 16)
