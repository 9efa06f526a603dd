"""Maps of loads: which column of a list or table is what of a subscriber.

    map: crm-gold                  # its name
    load: profiles                 # or consents, optouts, complaints
    say: ...                       # what it reads
    csv: {separator: ",", encoding: utf-8, header: yes, skip: 0}
    postgres: {table: crm.people, since: updated_at, key: id, lag: 5m}    # or query: SELECT ...
    utc_offset: "+08:00"           # of local times
    empty: leave                   # what an empty cell means: leave the field as it is, or unknown
    nulls: [NULL, "-"]             # texts that are empty cells, beside the empty one
    imsi: IMSI                     # short for {column: IMSI}
    msisdn: {column: MSISDN}
    timezone: {constant: Asia/Shanghai}
    consent: {marketing: {column: mkt, values: {Y: yes, N: no}}}
    fields:                        # fields of catalog/fields.yaml, by its types
      tier: {column: vip, values: {"1": gold, "2": vip}, otherwise: unknown}
      arpu: {column: arpu_fen, unit: fen}
      tags: {column: labels, separator: ";"}
    t: {column: time, format: iso} # complaints: when
    about: TOPIC                   # complaints: what about
    id: TICKET                     # complaints: the number of the ticket, if there is one

Columns go by the names of the header, or by their numbers from 1 where there is none. Columns that no line
names are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.column_spec import check_offset, offset_micros
from connectors.loads.values import (
    OUTSIDE,
    UNITS,
    YES_NO,
    Read,
    reader_of,
    text_of,
    time,
    words,
    yes_no,
)
from connectors.map_model import MapFiles, read_marked
from connectors.xdr_time import time_reader
from connectors.yaml_plain import Steps
from engine.errors import InputError
from engine.field_checks import timezone
from engine.language.model import FieldSpec
from engine.language.suggest import did_you_mean
from engine.language.words import Unreadable, duration
from engine.refusals import Bad

Kind = Literal["profiles", "consents", "optouts", "complaints"]
PURPOSES = ("marketing", "profiling", "location")
IDENTITIES = ("imsi", "msisdn", "subscriber")
OF_KIND: Mapping[str, frozenset[str]] = {
    "profiles": frozenset({*IDENTITIES, "timezone", "consent", "fields"}),
    "consents": frozenset({*IDENTITIES, "consent"}),
    "optouts": frozenset({"msisdn"}),
    "complaints": frozenset({*IDENTITIES, "t", "about", "id"}),
}
"""What a map of each kind may say of columns."""
WHAT = "a map of a load"
_SEPARATORS = {"tab": "\t", "\\t": "\t", "pipe": "|", "comma": ",", "semicolon": ";", "\\1": "\x01"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Model):
    """Where one value comes from: `column`, or `constant`."""

    column: str | None = None
    constant: str | None = None
    values: dict[str, str] | None = None
    """What the text of a cell stands for; of a set, the text of each item."""
    otherwise: Literal["refuse", "leave", "unknown"] = "refuse"
    """What a text means that is not in `values` or in the field's closed list: the row is refused, the field
    is left as it is, or unknown."""
    empty: Literal["leave", "unknown"] | None = None
    """Of this column, if not the map's."""
    unit: str | None = None
    """Of a number without one of its own."""
    separator: str | None = None
    """Between the items of a set; `;` if not given."""
    format: str | None = None
    """Of a time: `iso`, or as in a column map."""
    required: bool = False
    """A row without it is refused."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        if (self.column is None) == (self.constant is None):
            was = "none" if self.column is None else "both"
            raise ValueError(f"expected one of column and constant, was {was}")
        if self.column == "":
            raise ValueError("expected the name of a column, was nothing")
        return self

    @field_validator("format")
    @classmethod
    def _format(cls, value: str | None) -> str | None:
        if value not in (None, "iso"):
            time_reader(str(value), 0)
        return value


class Csv(_Model):
    """How a delimited file is written."""

    separator: str = ","
    encoding: Literal["utf-8", "gbk", "gb18030"] = "utf-8"
    header: bool = True
    """Whether a line with names stands above the rows; without it columns are numbers."""
    skip: int = Field(default=0, ge=0, le=1_000)
    """Lines before the header, or before the rows."""
    quotes: bool = True
    """Whether a cell may stand in double quotes."""

    @field_validator("separator")
    @classmethod
    def _one_character(cls, value: str) -> str:
        found = _SEPARATORS.get(value, value)
        if len(found) != 1 or found in '"\r\n':
            raise ValueError(f"expected one character or one of {', '.join(_SEPARATORS)}, was {value!r}")
        return found


class Postgres(_Model):
    """What of a database is read."""

    table: str | None = None
    query: str | None = None
    since: str | None = None
    """A column that only grows, such as a time of change: the next load reads what is newer."""
    key: str | None = None
    """A column of which no two rows have the same: with it, a load that was cut off goes on where it was."""
    lag: str | None = None
    """How old a row has to be by `since` to be read: longer than transactions of the writers take."""

    @model_validator(mode="after")
    def _consistent(self) -> Postgres:
        if (self.table is None) == (self.query is None):
            raise ValueError(f"expected table or query, was {'none' if self.table is None else 'both'}")
        for name in ("since", "lag"):
            needed = "key" if name == "since" else "since"
            if getattr(self, name) is not None and getattr(self, needed) is None:
                raise ValueError(f"expected {needed} beside {name}, was none")
        return self

    @field_validator("lag")
    @classmethod
    def _length(cls, value: str | None) -> str | None:
        try:
            duration(value or "0m")
        except Unreadable:
            raise ValueError(f"expected a length of time such as 5m, was {value!r}") from None
        return value

    @property
    def lag_us(self) -> int:
        """The lag in µs."""
        return 0 if self.lag is None else duration(self.lag)


class LoadMap(_Model):
    """One list or table."""

    map: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    load: Kind
    say: str = ""
    csv: Csv = Csv()
    postgres: Postgres | None = None
    utc_offset: str = "+00:00"
    empty: Literal["leave", "unknown"] = "leave"
    nulls: tuple[str, ...] = ()
    imsi: Column | None = None
    msisdn: Column | None = None
    subscriber: Column | None = None
    timezone: Column | None = None
    consent: dict[Literal["marketing", "profiling", "location"], Column] = {}
    fields: dict[str, Column] = {}
    t: Column | None = None
    about: Column | None = None
    id: Column | None = None

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str) -> str:
        return check_offset(value) or value

    @property
    def offset_us(self) -> int:
        """What local times are ahead of UTC, µs."""
        return offset_micros(self.utc_offset)

    def parts(self) -> Iterator[tuple[tuple[str, ...], Column]]:
        """Give each column with its path in the map."""
        for name in (*IDENTITIES, "timezone", "t", "about", "id"):
            column: Column | None = getattr(self, name)
            if column is not None:
                yield (name,), column
        for purpose, column in self.consent.items():
            yield ("consent", purpose), column
        for name, column in self.fields.items():
            yield ("fields", name), column

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, each once, in the order of the map."""
        return tuple(dict.fromkeys(part.column for _, part in self.parts() if part.column is not None))


class FileMap:
    """A map as a file: the model, and where in the file what stands.

    `fields`: of the catalogue. Raises InputError with file, line and column of the first mistake.
    """

    def __init__(self, path: Path, kind: str, fields: Mapping[str, FieldSpec]) -> None:
        self._marked = read_marked(path, WHAT)
        self.fields = fields
        if not isinstance(self._marked.data, dict):
            raise self.wrong((), f"{WHAT}: names with a colon each", "something else")
        self.model = MapFiles(LoadMap, WHAT).load(path)
        if self.model.load != kind:
            raise self.wrong(("load",), f"{kind}, as the command says", self.model.load)
        self._check_parts()
        self._check_fields()
        self._check_consents()
        for loc, column in self.model.parts():
            self._check_constant(loc, column)

    def wrong(self, steps: Steps, expected: str, was: object) -> InputError:
        """Return the error for a part of the map, with its line and column."""
        return InputError(self._marked.where(steps), expected, was)

    @property
    def columns(self) -> tuple[str, ...]:
        """See `LoadMap.columns`."""
        return self.model.columns

    def reader(self, loc: tuple[str, ...], column: Column) -> Read:
        """Return what reads the cells of a part of the map."""
        if loc[0] == "fields":
            return reader_of(self.fields[loc[1]], column.values, column.unit, column.separator)
        if loc[0] == "consent":
            return yes_no(column.values)
        if loc == ("t",):
            return time(column.format or "iso", self.model.offset_us)
        return words(column.values, ()) if loc == ("about",) else text_of

    def no_column(self, name: str, known: tuple[str, ...]) -> InputError:
        """Return the error for a column that the list does not have."""
        hint = did_you_mean(name, known)
        return self.wrong(self._of(name), f"a column of the list{f' ({hint})' if hint else ''}", name)

    def number_of(self, name: str) -> int:
        """Return a column of a list without header, from 0."""
        if not (name.isascii() and name.isdecimal() and 1 <= int(name) <= 10_000):
            raise self.wrong(self._of(name), "the number of a column, from 1 (header: no)", name)
        return int(name) - 1

    def _of(self, column: str) -> Steps:
        for loc, part in self.model.parts():
            if part.column == column:
                return loc if isinstance(self._at(loc), str) else (*loc, "column")
        for name in ("since", "key"):
            if self.model.postgres is not None and getattr(self.model.postgres, name) == column:
                return ("postgres", name)
        return ()

    def _at(self, loc: Steps) -> Any:
        found: Any = self._marked.data
        for step in loc:
            found = found[step]
        return found

    def _check_parts(self) -> None:
        model, allowed = self.model, OF_KIND[self.model.load]
        for loc, column in model.parts():
            if loc[0] not in allowed:
                raise self.wrong(loc, f"{', '.join(sorted(allowed))} in a map of {model.load}", loc[0])
            for name in ("unit", "separator"):
                if getattr(column, name) is not None and loc[0] != "fields":
                    raise self.wrong((*loc, name), f"{name} only in fields", getattr(column, name))
            if (column.format is not None) != (loc == ("t",)):
                raise self.wrong(loc, "a format with t, and only there", "other")
        if not any(getattr(model, name) for name in IDENTITIES):
            raise self.wrong((), "imsi, msisdn or subscriber", "none of them")
        for name in ("imsi", "msisdn", "subscriber"):
            column = getattr(model, name)
            if column is not None and (column.column is None or column.values):
                raise self.wrong((name,), "a column, as it is", "something else")
        if model.load == "consents" and not model.consent:
            raise self.wrong((), f"consent with {', '.join(PURPOSES)}", "none")
        if model.load == "complaints" and model.t is None:
            raise self.wrong((), "t, the time of the complaint", "none")

    def _check_fields(self) -> None:
        for name, column in self.model.fields.items():
            loc = ("fields", name)
            spec = self.fields.get(name)
            if spec is None:
                hint = did_you_mean(name, self.fields)
                expected = f"a field of catalog/fields.yaml{f' ({hint})' if hint else ''}"
                raise self.wrong(loc, expected, name)
            units = UNITS.get(spec.type, {})
            if column.unit is not None and column.unit not in units:
                expected = (
                    f"a unit of {spec.type}: {', '.join(units)}" if units else f"no unit of {spec.type}"
                )
                raise self.wrong((*loc, "unit"), expected, column.unit)
            if column.separator is not None and spec.type != "set":
                raise self.wrong((*loc, "separator"), "it with a field of type set only", spec.type)
            for text, value in (column.values or {}).items():
                if spec.values and value not in spec.values:
                    hint = did_you_mean(value, spec.values)
                    expected = f"a value of {name}{f' ({hint})' if hint else ''}"
                    raise self.wrong((*loc, "values", text), expected, value)
                if spec.type == "yes/no" and value.lower() not in YES_NO:
                    raise self.wrong((*loc, "values", text), "yes or no", value)

    def _check_consents(self) -> None:
        for purpose, column in self.model.consent.items():
            for text, value in (column.values or {}).items():
                if value.lower() not in YES_NO:
                    raise self.wrong(("consent", purpose, "values", text), "yes or no", value)

    def _check_constant(self, loc: tuple[str, ...], column: Column) -> None:
        if column.constant is None:
            return
        try:
            value = self.reader(loc, column)(column.constant)
            if loc == ("timezone",):
                timezone(value)
        except Bad as bad:
            raise self.wrong((*loc, "constant"), bad.expected, column.constant) from None
        if value is OUTSIDE:
            known = self.fields[loc[1]].values if loc[0] == "fields" else ()
            expected = f"one of {', '.join(column.values or known)}"
            raise self.wrong((*loc, "constant"), expected, column.constant)
