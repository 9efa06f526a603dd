"""Rows of cells by a map -> records: profiles, consents, opt-outs, complaints.

What a row becomes is what a line without a map would: the same intake, the same opt-outs. Dead letters of
rows hold the map's columns only, identities hidden.

A complaint has an id made of who complains, when and what about, or of its ticket: the same list loaded again
brings copies, which engines drop. One that engines would drop as late, or that lies ahead, is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from connectors.loads.load_map import IDENTITIES, PURPOSES, Column, FileMap
from connectors.loads.rows import BadRow
from connectors.loads.values import OUTSIDE
from engine.intake import Intake
from engine.loading import Loaded, consent, opt_out, whole_digits
from engine.numbers import keyed_hash
from engine.refusals import Bad, quote

HOUR: Final = 3_600_000_000
AHEAD_AT_MOST: Final = HOUR
"""µs that a complaint may be ahead of the clock, taken as now: semantics.md 7 r."""
OLDEST: Final = 48 * HOUR
"""Later than that engines drop business records (semantics.md 1.5)."""
_LEAVE: Final = object()
_HIDDEN: Final = "<hidden>"
OUTSIDE_KEPT = 20
"""Texts outside of a closed list that are told, of each field."""


class _Cell:
    """One part of a map: which cell it is, and what is done with it."""

    __slots__ = ("at", "column", "empty", "name", "nulls", "read", "value")

    def __init__(self, name: str, loc: tuple[str, ...], column: Column, file_map: FileMap) -> None:
        model = file_map.model
        self.name = name
        self.column = column
        self.read = read = file_map.reader(loc, column)
        self.nulls = frozenset(("", *model.nulls))
        self.empty = None if (column.empty or model.empty) == "unknown" else _LEAVE
        self.at = -1 if column.column is None else file_map.columns.index(column.column)
        self.value = None if column.constant is None else read(column.constant)


class MapReader:
    """Reads rows by a map. `outside`: counts (field, text) that are in no closed list and were let go."""

    def __init__(self, file_map: FileMap, intake: Intake, source: str) -> None:
        self.outside: Counter[tuple[str, str]] = Counter()
        self._map = file_map
        self._intake = intake
        self._source = source
        model = file_map.model
        self._take: Callable[[Any, str, int], Loaded | None] = getattr(self, f"_{model.load}")
        cells = {
            loc: _Cell(".".join(loc[-1:] if loc[0] == "fields" else loc), loc, column, file_map)
            for loc, column in model.parts()
        }
        self._who = [cells[name,] for name in IDENTITIES if (name,) in cells]
        self._zone, self._t, self._about, self._id = map(
            cells.get, (("timezone",), ("t",), ("about",), ("id",))
        )
        self._consent = [cells["consent", purpose] for purpose in PURPOSES if ("consent", purpose) in cells]
        self._fields = [cell for loc, cell in cells.items() if loc[0] == "fields"]
        named = {getattr(model, name).column for name in (*IDENTITIES, "id") if getattr(model, name)}
        self._shown = [(name, name in named) for name in file_map.columns]

    def take(self, number: int, line: Any, position: str, t: int) -> Loaded | None:
        """Take a row; None if it was refused."""
        try:
            if line.__class__ is BadRow:
                raise line.bad
            return self._take(line, position, t)
        except Bad as bad:
            detail = f"{bad.field}: expected {bad.expected}, was {bad.was or 'nothing'}"
            raw = line.raw if line.__class__ is BadRow else self._raw(line)
            self._intake.refuse(bad.reason, detail, self._source, position, raw)
            return None

    # -- kinds -----------------------------------------------------------------------------------------------

    def _profiles(self, row: Any, position: str, t: int) -> Loaded | None:
        record: dict[str, Any] = {"kind": "profile.update", "t": t, **self._identity(row)}
        if self._zone is not None and (zone := self._value(self._zone, row)) is not _LEAVE:
            record["timezone"] = zone
        consents = self._values(self._consent, row)
        if consents:
            record["consent"] = {name.removeprefix("consent."): value for name, value in consents.items()}
        record["profile"] = self._values(self._fields, row)
        event = self._intake.record(record, self._source, position)
        return None if event is None else Loaded([event])

    def _consents(self, row: Any, position: str, t: int) -> Loaded | None:
        given = self._values(self._consent, row)
        said = {name.removeprefix("consent."): value for name, value in given.items() if value is not None}
        if not said:
            raise Bad("a value for marketing, profiling or location", "none", field="consent")
        return consent(self._intake, {**self._identity(row), "consent": said}, self._source, position, t)

    def _optouts(self, row: Any, position: str, t: int) -> Loaded:
        number = self._identity(row).get("msisdn", "")
        return opt_out(self._intake.identity, number, self._source, position, t)

    def _complaints(self, row: Any, position: str, t: int) -> Loaded | None:
        assert self._t is not None
        record = self._identity(row)
        when = self._value(self._t, row)
        if when is _LEAVE or when is None:
            raise Bad("the time of the complaint", "nothing", "time", "t")
        if when > t + AHEAD_AT_MOST:
            raise Bad("a time that is over", "more than an hour ahead", "time", "t")
        if when < t - OLDEST:
            days = (t - when) // (24 * HOUR)
            raise Bad("a time of the last 48 hours (opt-outs may be older)", f"{days} days ago", "late", "t")
        about = _LEAVE if self._about is None else self._value(self._about, row)
        record["id"] = self._complaint_id(row, record, when, about)
        if about is not _LEAVE and about is not None:
            record["about"] = about
        record.update(kind="complaint", t=min(when, t))
        event = self._intake.record(record, self._source, position)
        return None if event is None else Loaded([event])

    def _complaint_id(self, row: Any, record: dict[str, Any], when: int, about: Any) -> str:
        identity = self._intake.identity
        ticket = _LEAVE if self._id is None else self._value(self._id, row)
        if ticket is not _LEAVE and ticket is not None:
            return keyed_hash(identity.key, f"complaint\0{ticket}")
        # never by the subscriber key: it changes when the number is bound to an IMSI
        who = record.get("imsi") or identity.e164(record.get("msisdn", "")) or record.get("subscriber")
        said = about if about.__class__ is str else ""
        return keyed_hash(identity.key, f"complaint\0{who}\0{when}\0{said}")

    # -- cells -----------------------------------------------------------------------------------------------

    def _identity(self, row: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for cell in self._who:
            value = self._value(cell, row)
            if value is not _LEAVE and value is not None:
                found[cell.name] = whole_digits(cell.name, value)
        return found

    def _values(self, cells: list[_Cell], row: Any) -> dict[str, Any]:
        found = {}
        for cell in cells:
            value = self._value(cell, row)
            if value is not _LEAVE:
                found[cell.name] = value
        return found

    def _value(self, cell: _Cell, row: Any) -> Any:
        """Return the value of a cell, None for unknown, `_LEAVE` for nothing; raise `Bad` with its name."""
        if cell.at < 0:
            return cell.value
        given = row[cell.at]
        # a NaN, which is not itself, is how data frames write that there is nothing
        if given is None or given != given or (given.__class__ is str and given.strip() in cell.nulls):
            if cell.column.required:
                raise Bad("a value", "nothing", field=cell.name)
            return cell.empty
        if given.__class__ is str:
            given = given.strip()
        try:
            value = cell.read(given)
        except Bad as bad:
            bad.field = cell.name
            raise
        return value if value is not OUTSIDE else self._outside(cell, given)

    def _outside(self, cell: _Cell, given: Any) -> Any:
        word = quote(str(given))
        if cell.column.otherwise == "refuse":
            field = self._map.fields.get(cell.name)
            known = cell.column.values or (field.values if field is not None else ())
            raise Bad(f"one of {', '.join(known)}", word, "value", cell.name)
        if len(self.outside) < OUTSIDE_KEPT * (len(self._fields) + 1) or (cell.name, word) in self.outside:
            self.outside[cell.name, word] += 1
        else:
            self.outside[cell.name, "others"] += 1
        return None if cell.column.otherwise == "unknown" else _LEAVE

    def _raw(self, row: Any) -> str:
        pairs = zip(self._shown, row, strict=True)
        return str({name: _HIDDEN if hidden else cell for (name, hidden), cell in pairs})
