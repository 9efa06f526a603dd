"""Records in, events out: checks a record, finds its subscriber, takes off what names a person.

One pass over each record, no exception for bad data: what is wrong is refused with a named reason, counted
and handed to `on_refused` for the dead letters, and reading goes on. Records come in the *intake* shape (what
feeds bring); events leave in the *log* shape: no `imsi msisdn imei imeisv subscriber` (an MSISDN only in
`profile.update`), but `subscriber_key` and `tac8`, and of phone numbers over 8 digits only the keyed hash
(protocol.md, retention). Fields that `event_kinds` does not know are dropped.

Reasons: `utf8`, `json`, `nan`, `depth`, `size` of the text; `type`: a field is missing or not what it takes;
`kind`; `identity`; `time`: before 2000, from 2100 on, or a start after the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from engine.event import Event
from engine.event_kinds import KINDS, KindSpec
from engine.field_checks import (
    AMOUNT_AT_MOST,
    CELL_AT_MOST,
    DEPTH_AT_MOST,
    PERSONAL,
    Check,
    check_of,
    deeper_than,
    id_check_of,
    map_check_of,
    positive_number,
    tac,
    text,
    whole,
)
from engine.identity import Identity
from engine.numbers import HASH_LENGTH
from engine.refusals import Bad, Refusal, describe, quote, redact, shown_name
from engine.subject import Tacs, key_of, own_number, profile_key_of

SIZE_AT_MOST = 1 << 20
"""Bytes of one message: a record, or an array of them."""

SOURCES_REMEMBERED = 1_000
"""Names of sources whose shown names are kept: a feed has a few."""

YEAR_2000 = 946_684_800_000_000
YEAR_2100 = 4_102_444_800_000_000
"""µs UTC; times in [2000, 2100) are taken (semantics.md 7 r)."""


Sure = type | frozenset[str] | None
"""What a door knows of all values of a field: their type, a list of texts, or nothing."""


class _Table:
    """What a kind takes, compiled: plain types to compare with, checks for the rest."""

    __slots__ = (
        "about_subscriber",
        "amounts",
        "at_edge",
        "checks",
        "closed",
        "from_log",
        "is_profile",
        "keeps_tac",
        "plain",
        "required",
    )

    def __init__(
        self, spec: KindSpec, identity: Identity, *, from_log: bool = False, hides_ids: bool = False
    ) -> None:
        self.from_log = from_log
        self.about_subscriber = spec.about_subscriber
        self.keeps_tac = spec.group != "control"
        self.at_edge = self.keeps_tac and not from_log
        self.is_profile = spec.name == "profile.update"
        self.plain: dict[str, type] = {"kind": str, "t": int, "t_start": int, "id": str, "source": str}
        """A value of exactly this type is taken without a call."""
        self.closed: dict[str, tuple[str, ...]] = {}
        """Text that is one of these is taken without a call."""
        self.amounts: set[str] = set()
        """A number of 0 or more, up to 2⁵³, is taken without a call."""
        self.checks: dict[str, Check] = {
            "kind": text,
            "t": whole,
            "t_start": whole,
            "id": text,
            "source": text,
        }
        if hides_ids:
            del self.plain["id"]
            self.checks["id"] = id_check_of(identity)
        if self.keeps_tac:
            self.checks["tac8"] = tac
        if from_log:
            self.plain["subscriber_key"] = str
            self.checks["subscriber_key"] = text
        for field in spec.fields.values():
            check = self.checks[field.name] = check_of(field, identity, from_log=from_log)
            if check is text:
                self.plain[field.name] = str
            elif check is positive_number:
                self.amounts.add(field.name)
            elif field.values:
                self.closed[field.name] = field.values
        for mapping in spec.maps.values():
            self.checks[mapping.name] = map_check_of(mapping)
        required = [name for name, field in spec.fields.items() if field.required]
        required += [name for name, mapping in spec.maps.items() if mapping.required]
        if from_log and spec.about_subscriber:
            required.insert(0, "subscriber_key")
        self.required = tuple(required)

    def takes(self, name: str, known: Sure) -> bool:
        """Say whether a field takes every value of a type, or all of some texts, as they are."""
        if name in PERSONAL:
            return True  # taken off before any look
        if isinstance(known, frozenset):
            return known <= frozenset(self.closed.get(name, ())) or self.plain.get(name) is str
        return known is not None and self.plain.get(name) is known


Edge = Callable[[dict[str, Any]], str | None]
"""What a feed wants done while a record still says whose it is (`engine.treatments.identity`): it may put
other values into the record, and returns the subscriber's key if it knows it better. The record is as the
door read it, unchecked; nothing that names a person may be left in a field that stays."""


class Intake:
    """Turns records of feeds, and of the log itself, into events.

    `on_refused` is called once for every refused record; `refused` counts them by reason. Profiles bind IMSI
    and MSISDN in `identity` at once, so read them before the records that need the binding. `edge`: see
    `Edge`; records of the log and control records don't pass it. `hides_ids`: of a live feed, whose records
    go into the log: ids that may be numbers of somebody are hashed (`engine.refusals.shown_id`). `passed`:
    where doors count what they pass over.
    """

    __slots__ = (
        "_feed",
        "_keep_tac",
        "_keys",
        "_log",
        "_on_refused",
        "_sources",
        "edge",
        "identity",
        "passed",
        "refused",
    )

    def __init__(
        self,
        identity: Identity,
        *,
        on_refused: Callable[[Refusal], None] | None = None,
        edge: Edge | None = None,
        hides_ids: bool = False,
        passed: Counter[str] | None = None,
    ) -> None:
        self.identity = identity
        self.edge = edge
        self.refused: Counter[str] = Counter()
        self.passed: Counter[str] = Counter() if passed is None else passed
        """Counted by doors that read by a map: `skipped` and `headers`, which became no record and were not
        refused; `damaged.NAME`, rows with other text in a column than the map's `watch` says; `damaged.t`,
        rows that have the time of the row before."""
        self._on_refused = on_refused
        self._feed = {name: _Table(spec, identity, hides_ids=hides_ids) for name, spec in KINDS.items()}
        self._log = {name: _Table(spec, identity, from_log=True) for name, spec in KINDS.items()}
        self._keep_tac = Tacs().keep
        self._keys = identity.keys
        self._sources: dict[str, str] = {}
        """Source as a feed's record names it -> as the log may."""

    # -- doors -----------------------------------------------------------------------------------------------

    def read(self, raw: bytes, source: str, position: str) -> list[Event]:
        """Read one message in intake shape: a JSON object, or an array of them.

        The k-th record of an array, from 1, has `position#k`. `source` serves records without their own.
        """
        return self._read(raw, source, position, self._feed)

    def read_log(self, raw: bytes, source: str, position: str) -> list[Event]:
        """Read one message of our own log: as `read`, but `subscriber_key` says whose a record is."""
        return self._read(raw, source, position, self._log)

    def record(
        self, fields: dict[str, Any], source: str, position: str, unsure: tuple[str, ...] | None = None
    ) -> Event | None:
        """Take a record that a door has built; the mapping becomes the event's and must not be used again.

        `unsure`: the fields that are looked at, from `unsure` for the record's kind; None: all.
        """
        return self._take(fields, source, position, self._feed, None, unsure)

    def unsure(self, kind: str, sure: Mapping[str, Sure]) -> tuple[str, ...]:
        """Return which fields of a kind `record` still has to look at, if a door vouches for others.

        `sure`: field -> what each value of it is known to be: of exactly a type, or one of some texts; None:
        not known. A field that is what its kind takes needs no look at each record: what a column map reads
        as text is text. Identity is looked at in any case. Raises KeyError for a kind that is not known.
        """
        table = self._feed[kind]
        return tuple(name for name, known in sure.items() if not table.takes(name, known))

    def profile_line(self, raw: bytes, source: str, position: str, t: int = YEAR_2000) -> Event | None:
        """Read a line of a profiles file (semantics.md 6) as a `profile.update` record of time `t` (µs).

        `subscriber` (or `imsi`) says whose it is, `msisdn` where to send; `timezone` and `consent` are
        theirs; every other field is one of the subscriber's.
        """
        line = self._parse(raw, source, position)
        if line is None:
            return None
        if line.__class__ is not dict:
            self.refuse("type", f"expected an object, was {describe(line)}", source, position, raw)
            return None
        fields: dict[str, Any] = {"kind": "profile.update", "t": t}
        for name in ("imsi", "subscriber", "msisdn", "timezone", "consent"):
            if name in line:
                fields[name] = line.pop(name)
        fields["profile"] = line
        return self._take(fields, source, position, self._feed, raw)

    def refuse(self, reason: str, detail: str, source: str, position: str, raw: bytes | str) -> None:
        """Count a refused record and hand it on, redacted; also for doors that find out themselves."""
        self.refused[reason] += 1
        if self._on_refused is not None:
            self._on_refused(Refusal(reason, detail, source, position, redact(raw)))

    # -- messages --------------------------------------------------------------------------------------------

    def _read(self, raw: bytes, source: str, position: str, tables: Mapping[str, _Table]) -> list[Event]:
        try:
            message = orjson.loads(raw) if len(raw) <= SIZE_AT_MOST else None
        except orjson.JSONDecodeError:
            message = None
        if message is None:
            message = self._parse(raw, source, position)
        if message.__class__ is dict:
            event = self._take(message, source, position, tables, raw)
            return [] if event is None else [event]
        if message.__class__ is not list:
            if message is not None:
                expected = "an object or an array of them"
                self.refuse("type", f"expected {expected}, was {describe(message)}", source, position, raw)
            return []
        events = []
        for number, fields in enumerate(message, 1):
            place = f"{position}#{number}"
            if fields.__class__ is dict:
                event = self._take(fields, source, place, tables, None)
                if event is not None:
                    events.append(event)
            else:
                reason = "depth" if deeper_than(fields, DEPTH_AT_MOST) else "type"
                detail = f"expected an object, was {describe(fields)}"
                self.refuse(reason, detail, source, place, str(fields))
        return events

    def _parse(self, raw: bytes, source: str, position: str) -> Any:
        """Return the parsed message, or None after a refusal. A bare `null` is refused as well."""
        if len(raw) > SIZE_AT_MOST:
            detail = f"expected at most {SIZE_AT_MOST} bytes, was {len(raw)}"
            self.refuse("size", detail, source, position, raw)
            return None
        try:
            message = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            self.refuse(*_diagnose(raw, error), source, position, raw)
            return None
        if message is None:
            self.refuse("type", "expected an object, was nothing", source, position, raw)
        return message

    # -- one record ------------------------------------------------------------------------------------------

    def _take(  # noqa: C901 - one pass without calls, for it runs once for every record of the network
        self,
        fields: dict[str, Any],
        source: str,
        position: str,
        tables: Mapping[str, _Table],
        raw: bytes | None,
        unsure: tuple[str, ...] | None = None,
    ) -> Event | None:
        """Check and finish one record in place. `raw`: as it came, for the dead letter; `unsure`: the fields
        to look at, None: all.
        """
        try:
            kind = fields.get("kind")
            table = tables.get(kind) if kind.__class__ is str else None
            if table is None:
                raise Bad("a known kind", quote(kind) if kind.__class__ is str else None, "kind", "kind")
            known = None
            if self.edge is not None and table.at_edge:
                known = self.edge(fields)
            # Identity comes off first: nothing below can keep it by mistake.
            pop = fields.pop
            imsi = pop("imsi", None)
            msisdn = pop("msisdn", None)
            subscriber = pop("subscriber", None)
            imei = pop("imei", None)
            imeisv = pop("imeisv", None)

            if table.is_profile and fields.get("timezone", "") is None:
                _unset_timezone(fields)
            plain, amounts, closed = table.plain, table.amounts, table.closed
            dropped = None
            looked_at = (
                fields.items()
                if unsure is None
                else [(name, fields[name]) for name in unsure if name in fields]
            )
            for name, value in looked_at:
                found = value.__class__
                if plain.get(name) is found:
                    continue
                if found is int or found is float:
                    if name in amounts and 0 <= value <= AMOUNT_AT_MOST:
                        continue
                elif found is str and name in closed and value in closed[name]:
                    continue
                if not _settle(fields, name, value, table):
                    dropped = [*dropped, name] if dropped else [name]
            if dropped is not None:
                for name in dropped:
                    del fields[name]
            if table.required:
                _check_required(fields, table)

            t = fields.get("t", 0)
            start = fields.get("t_start", t)
            if not YEAR_2000 <= start <= t < YEAR_2100:
                raise _bad_time(fields, t, start)
            cell = fields.get("cell")
            if cell is not None and not 1 <= len(cell) <= CELL_AT_MOST:
                raise Bad(f"1 to {CELL_AT_MOST} characters", str(len(cell)), field="cell")

            if not table.about_subscriber:
                key = ""
            elif table.from_log:
                key = fields["subscriber_key"]
                if len(key) != HASH_LENGTH:
                    raise Bad(f"{HASH_LENGTH} hex digits", f"{len(key)}", "identity", "subscriber_key")
            elif table.is_profile:
                key = fields["subscriber_key"] = profile_key_of(self.identity, imsi, msisdn, subscriber, t)
            elif imsi.__class__ is str and imsi in self._keys:
                key = fields["subscriber_key"] = self._keys[imsi]
            else:
                key = known or key_of(self.identity, imsi, msisdn, subscriber)
                fields["subscriber_key"] = key
            if (imei or imeisv) and table.keeps_tac:
                self._keep_tac(fields, imeisv or imei)
            if table.is_profile and msisdn not in (None, ""):
                fields["msisdn"] = own_number(self.identity, msisdn)
        except Bad as bad:
            self._refuse_bad(bad, fields, source, position, raw)
            return None
        if "source" in fields:
            source = fields["source"]
            if not table.from_log:
                source = fields["source"] = self._sources.get(source) or self._source(source)
        elif source:
            fields["source"] = source
        return Event(
            kind,  # type: ignore[arg-type]  # a known kind is text
            t,
            key,
            fields,
            cell,
            start,
            fields.get("id") or None,
            source,
            position,
        )

    def _source(self, given: str) -> str:
        """Return a record's source as the log may hold it: often it is the name of a file."""
        if len(self._sources) >= SOURCES_REMEMBERED:
            self._sources.clear()
        shown = shown_name(given, self.identity.key)
        self._sources[given] = shown
        return shown

    def _refuse_bad(
        self, bad: Bad, fields: dict[str, Any], source: str, position: str, raw: bytes | None
    ) -> None:
        value = fields.get(bad.field)
        reason = bad.reason
        if reason == "type" and deeper_than(value, DEPTH_AT_MOST):
            reason = "depth"
        detail = f"{bad.field}: expected {bad.expected}, was {bad.was or describe(value)}"
        self.refuse(reason, detail, source, position, str(fields) if raw is None else raw)


def _unset_timezone(fields: dict[str, Any]) -> None:
    """Say in the profile that the timezone is now unknown: elsewhere a null is not kept."""
    profile = fields.get("profile")
    if profile is None or profile.__class__ is dict:
        fields["profile"] = {**(profile or {}), "timezone": None}


def _settle(fields: dict[str, Any], name: str, value: Any, table: _Table) -> bool:
    """Check a field that is not plainly right, in place; False if it is unknown or null and to be dropped."""
    check = table.checks.get(name)
    if check is None or value is None:
        if deeper_than(value, DEPTH_AT_MOST):
            raise Bad(f"at most {DEPTH_AT_MOST} levels", "deeper", "depth", "a field")
        return False
    try:
        fields[name] = check(value)
    except Bad as bad:
        bad.field = name
        raise
    return True


def _check_required(fields: dict[str, Any], table: _Table) -> None:
    for name in table.required:
        if name not in fields:
            raise Bad("a value", reason="identity" if name == "subscriber_key" else "type", field=name)


def _bad_time(fields: dict[str, Any], t: int, start: int) -> Bad:
    """Say what is wrong with the times of a record, never the number: it may be an IMSI out of place."""
    if "t" not in fields:
        return Bad("µs since 1970 (UTC)", field="t")
    for name, time in (("t", t), ("t_start", start)):
        if YEAR_2000 <= time < YEAR_2100:
            continue
        if YEAR_2000 <= time * 1_000 < YEAR_2100:
            was = "what looks like milliseconds"
        elif YEAR_2000 <= time * 1_000_000 < YEAR_2100:
            was = "what looks like seconds"
        else:
            was = "earlier" if time < YEAR_2000 else "later"
        return Bad("µs since 1970 (UTC) from 2000 to 2099", was, "time", name)
    return Bad("a time not later than t", "later", "time", "t_start")


def _diagnose(raw: bytes, error: orjson.JSONDecodeError) -> tuple[str, str]:
    """Return reason and detail for text that orjson could not read."""
    try:
        around = raw.decode()[max(0, error.pos - 1) : error.pos + 8]
    except UnicodeDecodeError as broken:
        return "utf8", f"expected UTF-8, was not from byte {broken.start}"
    if "depth" in error.msg:
        return "depth", f"expected at most {DEPTH_AT_MOST} levels, was deeper"
    if around[1:4] == "NaN" or "Infinity" in around or "infinity" in error.msg:
        return "nan", f"expected finite numbers, was none at character {error.pos}"
    return "json", f"expected JSON, was not at character {error.pos}: {error.msg}"
