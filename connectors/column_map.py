"""Column maps: how the columns of a delimited xDR layout become the fields of a record.

A map is a YAML file, checked when it is loaded; `docs/doors/maps.md` is the page on its language and the maps
that ship:

    map: gn-unicom-2015            # its name
    say: ...                       # what it reads
    source: gn                     # source of the records
    kind: data.session             # or {column: 9, values: {"5": loc.update}, otherwise: skip}
    separator: ","                 # one character, or: tab, pipe, comma, \\1
    utc_offset: "+08:00"           # of local times
    header_lines: 0
    filler: F                      # a text of nothing but this means "not given"
    columns: {at_least: 18, at_most: 40}      # rows of other widths are refused
    fields:                        # fields of engine/event_kinds.py
      t: {column: 9, type: time, format: "%Y-%m-%d %H:%M:%S.%f"}
      rat: {column: 13, values: {"1": UMTS, "2": GSM}}
      cell: {template: "460-01-{lac}-{ci}"}
      plmn: {constant: "46001"}
    helpers:                       # read only to be used in templates and sums
      ci: {column: 3, type: int}
    id: [1, 8, 9]                  # columns of the natural key; without it the whole line
    watch:                         # columns without a field whose damage is counted
      imei: {column: 5, digits: 6}
    layout:                        # what stands in the columns, for people
      1: phone number, hashed

Columns count from 1. Layouts differ from province to province (facts/signals.md): none of them is code.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.column_spec import (
    SLOT,
    ColumnSpec,
    Filler,
    Index,
    KindOrColumn,
    KindSpec,
    MapModel,
    Watch,
    Width,
    check_offset,
    offset_micros,
)
from connectors.map_model import (
    IDENTITY,
    At,
    MapFiles,
    Wrong,
    alternatives,
    check_kinds,
    find_map,
    map_names,
    wrong_fields,
)
from engine.errors import InputError

__all__ = [
    "IDENTITY",
    "SLOT",
    "ColumnMap",
    "ColumnSpec",
    "load_map",
    "map_names",
    "name_and_meaning",
    "offset_micros",
    "read_map",
]

HEADERS_AT_MOST = 1_000
WATCHED_AT_MOST = 20
"""Columns: each is a time series of its own."""
WatchName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,39}$")]
_SEPARATORS = {"tab": "\t", "\\t": "\t", "pipe": "|", "comma": ",", "\\1": "\x01", "\\x01": "\x01"}


Ways = Annotated[tuple[ColumnSpec, ...], BeforeValidator(alternatives), Field(min_length=1)]
"""One way to a value, or several: the first that has one counts."""


class ColumnMap(MapModel):
    """One layout."""

    map: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    say: str = ""
    source: str = Field(min_length=1)
    kind: KindOrColumn
    separator: str
    utc_offset: str = "+00:00"
    header_lines: int = Field(default=0, ge=0, le=HEADERS_AT_MOST)
    filler: Filler | None = None
    """A column that holds nothing but it, in either case, is empty. Probes fill with F."""
    columns: Width
    fields: dict[str, Ways]
    helpers: dict[str, Ways] = Field(default_factory=dict)
    id: tuple[Index, ...] = ()
    watch: dict[WatchName, Watch] = Field(default_factory=dict, max_length=WATCHED_AT_MOST)
    layout: dict[Index, str] = Field(default_factory=dict)
    """Column -> its name in the vendor's documents, and what stands in it: for people only."""

    @field_validator("separator")
    @classmethod
    def _separator(cls, value: str) -> str:
        found = _SEPARATORS.get(value, value)
        if len(found) != 1 or not found.isascii() or found in "\r\n":
            raise ValueError(f"expected one character or one of {', '.join(_SEPARATORS)}, was {value!r}")
        return found

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str) -> str:
        return check_offset(value) or value

    @field_validator("kind")
    @classmethod
    def _kind(cls, value: str | KindSpec) -> str | KindSpec:
        check_kinds(_kinds(value))
        return value

    @model_validator(mode="after")
    def _consistent(self) -> ColumnMap:
        origin = "column"
        wrong = [*wrong_fields(self.kinds, self.fields, self.helpers, origin, lambda way: way.column)]
        for name, ways in self.ways():
            if any(way.unreadable == "before" for way in (ways[:-1] if name == "t" else ways)):
                part = "fields" if name in self.fields else "helpers"
                expected = "expected unreadable: before only of t, in the last way to it"
                wrong.append(At((part, name), f"{expected}, was other"))
        last = max((*self.used, *self.id), default=0)
        if last > self.columns.at_least:
            expected = f"expected columns.at_least of {last} or more"
            wrong.append(At(("columns",), f"{expected}, was {self.columns.at_least}"))
        if wrong:
            raise Wrong(wrong)
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that its rows may be of, each once."""
        return tuple(dict.fromkeys(_kinds(self.kind)))

    @property
    def used(self) -> tuple[int, ...]:
        """The columns that are looked at, from 1, in order; those of `id` aside."""
        used = [column for _, ways in self.ways() for way in ways for column in way.columns]
        if isinstance(self.kind, KindSpec):
            used += self.kind.columns()
        used += [watch.column for watch in self.watch.values()]
        return tuple(sorted(set(used)))

    def ways(self) -> Iterable[tuple[str, tuple[ColumnSpec, ...]]]:
        """Fields and helpers with their names."""
        return (*self.fields.items(), *self.helpers.items())


def name_and_meaning(said: str) -> tuple[str, str]:
    """Part what `layout` says of a column: its name ends at a comma or semicolon outside of parentheses."""
    depth = 0
    for at, char in enumerate(said):
        depth += (char == "(") - (char == ")")
        if char in ",;" and depth <= 0:
            return said[:at], said[at:].lstrip(",; ")
    return said, ""


def _kinds(kind: str | KindSpec) -> list[str]:
    return [kind] if isinstance(kind, str) else list(kind.kinds())


_FILES = MapFiles(ColumnMap, "a column map", of_messages=False)


def load_map(name_or_path: str | Path) -> ColumnMap:
    """Load a map of `connectors/maps` by its name, or any other by the path of its file (`.yaml`).

    Raises InputError: no such map, or what is wrong in the file and where.
    """
    return _FILES.load(find_map(name_or_path))


def read_map(name_or_path: str | Path) -> tuple[ColumnMap | None, list[InputError]]:
    """Return a map, or None and all its mistakes, each with line and column.

    Raises InputError if there is no such map, or its file can't be read as YAML.
    """
    return _FILES.read(find_map(name_or_path))
