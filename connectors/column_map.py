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
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from connectors.column_spec import (
    SLOT,
    WHOLE,
    ColumnSpec,
    Index,
    KindOrColumn,
    KindSpec,
    MapModel,
    Watch,
    Width,
    check_offset,
    offset_micros,
)
from connectors.yaml_plain import Marked
from engine.errors import InputError
from engine.event_kinds import KINDS
from engine.field_checks import PERSONAL
from engine.numbers import OPEN_DIGITS

__all__ = ["SLOT", "ColumnMap", "ColumnSpec", "load_map", "map_names", "offset_micros"]

MAPS = Path(__file__).resolve().parent / "maps"
SIZE_AT_MOST = 1 << 18

ENVELOPE = frozenset({"t", "t_start", "source", "imsi", "msisdn", "subscriber", "imei", "imeisv", "tac8"})
IDENTITY = ("imsi", "msisdn", "subscriber")
_SEPARATORS = {"tab": "\t", "\\t": "\t", "pipe": "|", "comma": ",", "\\1": "\x01", "\\x01": "\x01"}


def _alternatives(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Ways = Annotated[tuple[ColumnSpec, ...], BeforeValidator(_alternatives), Field(min_length=1)]
"""One way to a value, or several: the first that has one counts."""


class ColumnMap(MapModel):
    """One layout."""

    map: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    say: str = ""
    source: str = Field(min_length=1)
    kind: KindOrColumn
    separator: str
    utc_offset: str = "+00:00"
    header_lines: int = Field(default=0, ge=0)
    filler: str | None = None
    """A character: a column that holds nothing but it, in either case, is empty. Probes fill with F."""
    columns: Width
    fields: dict[str, Ways]
    helpers: dict[str, Ways] = Field(default_factory=dict)
    id: tuple[Index, ...] = ()
    watch: dict[str, Watch] = Field(default_factory=dict)
    layout: dict[Index, str] = Field(default_factory=dict)
    """Column -> its name in the vendor's documents, and what stands in it: for people only."""

    @field_validator("separator")
    @classmethod
    def _separator(cls, value: str) -> str:
        found = _SEPARATORS.get(value, value)
        if len(found) != 1 or not found.isascii():
            raise ValueError(f"expected one character or one of {', '.join(_SEPARATORS)}, was {value!r}")
        return found

    @field_validator("filler")
    @classmethod
    def _filler(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or not value.isascii() or value.isspace()):
            raise ValueError(f"expected one character, was {value!r}")
        return value

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str) -> str:
        return check_offset(value) or value

    @field_validator("kind")
    @classmethod
    def _kind(cls, value: str | KindSpec) -> str | KindSpec:
        for kind in _kinds(value):
            if kind not in KINDS or KINDS[kind].group == "control":
                raise ValueError(f"expected a signaling or business kind, was {kind!r}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> ColumnMap:
        known = set(ENVELOPE)
        for kind in self.kinds:
            known.update(KINDS[kind].fields)
        for name in self.fields:
            if name not in known:
                expected = f"expected a field of {', '.join(sorted(self.kinds))}"
                raise _At(("fields", name), f"{expected}, was {name!r}")
        self._check_names()
        self._check_identity()
        if not self._is_time("t"):
            raise _At(("fields", "t"), "expected field t of type time, was none")
        if not set(IDENTITY) & set(self.fields):
            raise _At(("fields",), "expected a field imsi, msisdn or subscriber, was none")
        self._check_width()
        return self

    def _is_time(self, name: str) -> bool:
        """Say whether a field is a time in all its ways: read as one, or a sum that begins with one."""
        ways = self.fields.get(name) or self.helpers.get(name, ())
        return bool(ways) and all(
            way.type == "time" or (way.sum is not None and self._is_time(next(iter(way.sum)))) for way in ways
        )

    def _check_names(self) -> None:
        twice = set(self.fields) & set(self.helpers)
        if twice:
            shown = ", ".join(sorted(twice))
            raise _At(
                ("helpers", min(twice)), f"expected each name in fields or helpers, was in both: {shown}"
            )
        plain = {name: ways for name, ways in self.ways() if not any(way.slots for way in ways)}
        texts = [name for name, ways in self.ways() if any(way.template is not None for way in ways)]
        for name, ways in self.ways():
            for way in ways:
                for slot in way.slots:
                    known = slot in self.fields or slot in self.helpers
                    if not known or slot in texts or (way.sum is not None and slot not in plain):
                        also = "" if way.sum is not None else ", sums"
                        expected = f"expected {name} of columns{also} and constants only"
                        raise _At((self._part(name), name), f"{expected}, was {{{slot}}}")
                for slot in way.sum or ():
                    if any(each.type not in WHOLE or each.divide for each in plain[slot]):
                        expected = "expected whole numbers and times in sum"
                        raise _At((self._part(name), name), f"{expected}, was {slot}")

    def _check_identity(self) -> None:
        """Let nothing but identity and the other party's number be made of a column that names a person."""
        own = PERSONAL | {"number"}
        named = {way.column: name for name, ways in self.ways() if name in PERSONAL for way in ways}
        for name, ways in self.ways():
            for way in ways:
                taken = way.taken
                is_short = (
                    taken is not None and taken.stop is not None and taken.stop - taken.start <= OPEN_DIGITS
                )
                whose = named.get(way.column) if way.column is not None else None
                if whose is not None and name not in own and not is_short:
                    expected = (
                        f"expected column {way.column} for {whose} only, or {OPEN_DIGITS} characters of it"
                    )
                    raise _At((self._part(name), name), f"{expected}, was {name}")
                if PERSONAL & set(way.slots):
                    expected = "expected nothing that names a person in a template or sum"
                    raise _At((self._part(name), name), f"{expected}, was {min(PERSONAL & set(way.slots))}")

    def _part(self, name: str) -> str:
        return "fields" if name in self.fields else "helpers"

    def _check_width(self) -> None:
        last = max((*self.used, *self.id))
        if last > self.columns.at_least:
            expected = f"expected columns.at_least of {last} or more"
            raise _At(("columns",), f"{expected}, was {self.columns.at_least}")

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


class _At(ValueError):
    """A mistake that more than one part of the map makes, with the way to the part where it shows."""

    def __init__(self, steps: tuple[str, ...], message: str) -> None:
        self.steps = steps
        super().__init__(message)


def _kinds(kind: str | KindSpec) -> list[str]:
    return [kind] if isinstance(kind, str) else list(kind.kinds())


def map_names() -> list[str]:
    """Return the names of the maps that ship."""
    return sorted(found.stem for found in MAPS.glob("*.yaml"))


def load_map(name_or_path: str | Path) -> ColumnMap:
    """Load a map of `connectors/maps` by its name, or any other by the path of its file (`.yaml`).

    Raises InputError: no such map, or what is wrong in the file and where.
    """
    found, problems = read_map(name_or_path)
    if found is not None:
        return found
    first = problems[0]
    if len(problems) > 1:
        first = InputError(
            first.where, f"{first.expected} (and {len(problems) - 1} more mistakes)", first.was
        )
    raise first


def read_map(name_or_path: str | Path) -> tuple[ColumnMap | None, list[InputError]]:
    """Return a map, or None and all mistakes that can be told at once, each with line and column.

    Raises InputError if there is no such map, or its file can't be read as YAML.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        if str(name_or_path) not in map_names():
            expected = f"a .yaml file or one of the maps {', '.join(map_names())}"
            raise InputError("map", expected, str(name_or_path))
        path = MAPS / f"{name_or_path}.yaml"
    try:
        with path.open("rb") as stream:
            text = stream.read(SIZE_AT_MOST + 1)
    except OSError as error:
        raise InputError(str(path), "a column map that can be read", error.strerror or str(error)) from None
    if len(text) > SIZE_AT_MOST:
        raise InputError(str(path), f"at most {SIZE_AT_MOST} bytes", "more")
    marked = Marked(path, text, "a column map")
    try:
        return ColumnMap.model_validate(marked.data), []
    except ValidationError as error:
        return None, [_mistake(marked, problem) for problem in error.errors(include_url=False)]


def _mistake(marked: Marked, problem: Any) -> InputError:
    """Tell one mistake in our words."""
    steps = [step for step in problem["loc"] if step not in ("<kind>", "<column>", "[key]")]
    was: object = problem["input"]
    if problem["type"] == "missing":
        expected, was = "a value", "nothing"
    elif problem["type"] == "extra_forbidden":
        expected, was = "a known key", str(steps[-1])
    elif problem["type"] == "value_error":
        cause = problem["ctx"]["error"]
        steps += cause.steps if isinstance(cause, _At) else ()
        expected, _, was = problem["msg"].removeprefix("Value error, expected ").partition(", was ")
    else:
        expected = problem["msg"].removeprefix("Input should be ")
    return InputError(marked.where(steps), expected, was)
