"""Every kind of record: its fields, their types and units. The one place that defines them.

Intake checks records against this table, `engine.schema` writes JSON Schema from it and the rule language
takes the fields of `where` from it (kinds: facts/signals.md; groups: semantics.md 1.2).

Types are those of the rule language: `text`, `number`, `money` (yuan), `bytes`, `percent` (0 to 100),
`duration` (seconds), `yes/no`, `set` (list of text), `phone` (digits; of more than 8 only a keyed hash is
kept), `place`. A JSON null means "not given", except inside `profile`, where it means "now unknown".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.countries import COUNTRIES

FieldType = Literal[
    "text", "number", "money", "bytes", "percent", "duration", "yes/no", "set", "phone", "place"
]
Group = Literal["signaling", "business", "control"]


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field of a kind."""

    name: str
    type: FieldType
    say: str
    """Meaning and unit, in words."""
    required: bool = False
    values: tuple[str, ...] = ()
    """The closed list of a text field, if it has one."""
    known: tuple[str, ...] = ()
    """The words that are known, where records may bring more: another one in a rule is a warning."""


@dataclass(frozen=True, slots=True)
class MapDef:
    """A field that holds a mapping: only in control records, never in rules."""

    name: str
    values: Literal["any", "yes/no"]
    """`any`: text, number, yes/no, list of text, or null; `yes/no`: true or false."""
    say: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of record."""

    name: str
    group: Group
    say: str
    fields: Mapping[str, FieldDef]
    """What a record of this kind may carry beside the envelope (`kind t t_start id source` and identity)."""
    derived: Mapping[str, FieldDef] = field(default_factory=dict)
    """What rules may test as well though no record carries it: `place`, `bytes` = up + down."""
    maps: Mapping[str, MapDef] = field(default_factory=dict)
    about_subscriber: bool = True
    """False for ticks and rule switches: they have no identity and an empty key."""


RATS = ("GSM", "UMTS", "LTE", "NR", "WLAN")
PHASES = ("start", "update", "stop")
PHASED = ("call.", "sms.", "mms.", "data.")
"""Kinds whose records may be the start, an update or the end of one call, message or session (1.4)."""

_CELL = FieldDef("cell", "text", "canonical cell: 460-00-<lac>-<ci>, 460-00-<eci>, 460-00-<nci> or area:ID")
_CELL_END = FieldDef("cell_end", "text", "the cell at the end, where the feed names both")
_QUALITY = FieldDef(
    "quality",
    "set",
    "flags of the collector (docs/signals.md)",
    known=(
        *("no_msisdn", "no_imsi", "bad_imei", "unknown_cell", "late", "dup", "synthetic", "no_trigger"),
        *("clamped", "ping_pong", "impossible_move", "start_cell", "false_roaming", "guessed_time"),
    ),
)
_COMMON = (
    _CELL,
    FieldDef("cell_prev", "text", "the cell before, where the feed names it"),
    FieldDef("rat", "text", "radio access", values=RATS),
    FieldDef("plmn", "text", "serving network, MCC and MNC: 46000"),
    FieldDef("home_plmn", "text", "home network of an inbound roamer"),
    FieldDef("lac", "number", "location area code"),
    FieldDef("tac", "number", "tracking area code"),
    FieldDef("result", "text", "outcome of the procedure, as the feed names it"),
    FieldDef("cause", "text", "cause, as the feed names it"),
    FieldDef("phase", "text", "of a call, message or session; its end is `stop` or none", values=PHASES),
    _QUALITY,
)
_NUMBER = FieldDef("number", "phone", "the other party's number")
_NUMBER_CLASS = FieldDef(
    "number_class",
    "set",
    "lists of catalog/numbers.yaml that the number belongs to, also by its beginning; set by the collector",
)
_DURATION = FieldDef("duration", "duration", "seconds, of the whole, at its end")
_LENGTH = FieldDef("length", "number", "length of the message, characters (SMS) or bytes (MMS)")
_SESSION = (
    FieldDef("apn", "text", "access point name"),
    FieldDef("up", "bytes", "bytes sent by the subscriber, of the whole, at its end"),
    FieldDef("down", "bytes", "bytes received, of the whole, at its end"),
    _DURATION,
    FieldDef("host", "text", "host name, without path or query"),
    FieldDef("app", "text", "application, as the feed's classifier names it"),
)
_HANDSET = (
    FieldDef("from.tac", "text", "type allocation code of the old handset, 8 digits"),
    FieldDef("to.tac", "text", "type allocation code of the new handset, 8 digits"),
    FieldDef("to.model", "text", "model of the new handset"),
    FieldDef(
        "to.network", "text", "best network of the new handset: 2G 3G 4G 5G", known=("2G", "3G", "4G", "5G")
    ),
)
_ROAMING = (FieldDef("country", "text", "country of the serving network, ISO 3166 alpha-2", known=COUNTRIES),)
_PLACE = FieldDef("place", "place", "a place that holds the record's cell, or else where the subscriber is")
_BYTES = FieldDef("bytes", "bytes", "up + down")
_AMOUNT = FieldDef("amount", "money", "yuan")
_PRODUCT = FieldDef("product", "text", "key of the product in the catalogue", required=True)


def _spec(kind: str, group: Group, say: str, *own: FieldDef, derived: tuple[FieldDef, ...] = ()) -> KindSpec:
    common: tuple[FieldDef, ...] = ()
    if group == "signaling":
        common = _COMMON
    elif group == "business":
        common = (_CELL, _QUALITY)
    if group != "control":
        derived = (_PLACE, *derived)
    if kind.startswith(PHASED):
        common = (_CELL_END, *common)
    return KindSpec(
        kind, group, say, {f.name: f for f in (*own, *common)}, derived={f.name: f for f in derived}
    )


def _network(kind: str, say: str, *own: FieldDef, derived: tuple[FieldDef, ...] = ()) -> KindSpec:
    return _spec(kind, "signaling", say, *own, derived=derived)


def _business(kind: str, say: str, *own: FieldDef) -> KindSpec:
    return _spec(kind, "business", say, *own)


def _control(
    kind: str, say: str, *own: FieldDef, maps: tuple[MapDef, ...] = (), about_subscriber: bool = True
) -> KindSpec:
    return KindSpec(
        kind,
        "control",
        say,
        {f.name: f for f in own},
        maps={m.name: m for m in maps},
        about_subscriber=about_subscriber,
    )


_CONSENT = "by purpose: marketing, profiling, location"

_ALL = (
    # A LU, S1-MME TAU (Procedure_Type 5), AMF LOCATION_REPORT, MAP updateLocation; S1-MME 14/15/16, A HO
    _network("loc.update", "location update: normal, periodic, attach, combined"),
    _network("loc.handover", "handover from cell_prev to cell"),
    _network("loc.sight", "any other procedure that names a cell"),
    _network("power.on", "attach"),
    _network(
        "power.off",
        "detach, purge, loss of connectivity",
        FieldDef("switch_off", "yes/no", "the handset was switched off"),
        FieldDef("implicit", "yes/no", "concluded by the network, not told by the handset"),
    ),
    # calls and messages: A, IMS, MSC CDR; A, SGs, S1-MME, CDR
    _network("call.out", "call made", _NUMBER, _NUMBER_CLASS, _DURATION),
    _network("call.in", "call received", _NUMBER, _NUMBER_CLASS, _DURATION),
    _network("sms.out", "SMS sent", _NUMBER, _NUMBER_CLASS, _LENGTH),
    _network("sms.in", "SMS received", _NUMBER, _NUMBER_CLASS, _LENGTH),
    _network("mms.out", "MMS sent", _NUMBER, _NUMBER_CLASS, _LENGTH),
    _network("mms.in", "MMS received", _NUMBER, _NUMBER_CLASS, _LENGTH),
    # data: S11/Gn, S1-U, PGW-CDR
    _network("data.session", "data session", *_SESSION, derived=(_BYTES,)),
    _network("data.http", "one HTTP transaction", *_SESSION, derived=(_BYTES,)),
    # derived; PEI association; sim-swap
    _network("handset.change", "the SIM is in another handset", *_HANDSET),
    _network("sim.change", "the subscription has another SIM", *_HANDSET),
    # S6a/MAP, CAMARA device-roaming-status, AMF ROAMING_STATUS
    _network("roam.out", "a subscriber of ours registers abroad or in another network", *_ROAMING),
    _network("roam.in", "a guest registers with us", *_ROAMING),
    _network("roam.home", "a subscriber of ours is back", *_ROAMING),
    _network("roam.country", "a roamer changes country", *_ROAMING),
    _business("product.bought", "a product was bought", _PRODUCT, _AMOUNT),
    _business(
        "sms.reply",
        "the subscriber answered one of our messages",
        FieldDef("number", "phone", "the number the answer was sent to"),
        FieldDef("text", "text", "the answer as written", required=True),
    ),
    _business("complaint", "a complaint", FieldDef("about", "text", "what it is about")),
    _business("recharge", "the account was topped up", _AMOUNT),
    _business("bill", "a bill was issued", _AMOUNT),
    _control(
        "profile.update",
        "merges by field; null makes a field unknown",
        FieldDef("timezone", "text", "the subscriber's timezone, IANA name"),
        maps=(
            MapDef("profile", "any", "subscriber fields of the catalogue"),
            MapDef("consent", "yes/no", _CONSENT),
        ),
    ),
    _control(
        "consent.change",
        "consent given or withdrawn",
        maps=(MapDef("consent", "yes/no", _CONSENT, required=True),),
    ),
    _control(
        "send.request",
        "a person asks for a message to be sent",
        _PRODUCT,
        FieldDef("channel", "text", "sms or mms", values=("sms", "mms")),
        FieldDef("rule", "text", "the rule whose message is wanted"),
        FieldDef("by", "text", "who asked"),
    ),
    _control(
        "offer.receipt",
        "what became of an offer",
        FieldDef("decision", "text", "id of the decision", required=True),
        FieldDef("status", "text", "delivered, failed, rejected, ...", required=True),
        FieldDef("channel", "text", "the channel that reports"),
        FieldDef("part", "number", "part of a long message, from 1"),
        FieldDef("cause", "text", "cause, as the channel names it"),
    ),
    _control("subscriber.forget", "erasure: state, profile and ledger of the subscriber end here"),
    _control(
        "rules.switch",
        "from here on the engine works with another set of rules",
        FieldDef("hash", "text", "of the set of rules, 32 hex digits", required=True),
        FieldDef("by", "text", "who published it"),
        FieldDef("canary", "text", "only for these: a share such as `5%`, or a place of the set"),
        about_subscriber=False,
    ),
    _control(
        "tick",
        "all sources have passed this time",
        FieldDef("down", "set", "kinds whose feed is down"),
        about_subscriber=False,
    ),
)

KINDS: dict[str, KindSpec] = {spec.name: spec for spec in _ALL}
"""By name, in the order of facts/signals.md."""
