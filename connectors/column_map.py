"""Column maps: how the columns of a delimited xDR layout become the fields of a record.

A map is a YAML file, checked when it is loaded:

    map: gn-unicom-2015            # its name
    say: ...                       # what it reads
    source: gn                     # source of the records
    kind: data.session             # or {column: 5, values: {"5": loc.update}, otherwise: skip}
    separator: ","                 # one character, or: tab, pipe, comma, \\1
    utc_offset: "+08:00"           # of local times
    header_lines: 0
    columns: {at_least: 18, at_most: 40}      # rows of other widths are refused
    fields:                        # fields of engine/event_kinds.py
      t: {column: 9, type: time, format: "%Y-%m-%d %H:%M:%S.%f"}
      rat: {column: 13, values: {"1": UMTS, "2": GSM}}
      cell: {template: "460-01-{lac}-{ci}"}
      plmn: {constant: "46001"}
    helpers:                       # read only to be used in templates
      ci: {column: 3, type: int}
    id: [1, 8, 9]                  # columns of the natural key; without it the whole line

Columns count from 1. Layouts differ from province to province (facts/signals.md): none of them is code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.xdr_time import time_reader
from engine.errors import InputError
from engine.event_kinds import KINDS

MAPS = Path(__file__).resolve().parent / "maps"
SIZE_AT_MOST = 1 << 18

ColumnType = Literal["text", "int", "float", "time", "bytes", "hex", "host", "yes/no"]
ENVELOPE = frozenset({"t", "t_start", "source", "imsi", "msisdn", "subscriber", "imei", "imeisv", "tac8"})
_SEPARATORS = {"tab": "\t", "\\t": "\t", "pipe": "|", "comma": ",", "\\1": "\x01", "\\x01": "\x01"}
SLOT = re.compile(r"\{([a-z_0-9.]+)\}")
_OFFSET = re.compile(r"([+-])(\d{2}):?([0-5]\d)\Z")

Index = Annotated[int, Field(ge=1, le=10_000)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnSpec(_Model):
    """Where one value comes from: exactly one of `column`, `template` and `constant`."""

    column: Index | None = None
    template: str | None = None
    """Text with `{name}` for other fields and helpers; if one of them is missing, so is this."""
    constant: str | None = None
    type: ColumnType = "text"
    """`bytes`: whole number of 0 or more; `hex`: hexadecimal whole number; `host`: host name out of a URL."""
    format: str | None = None
    """Of a time: see `connectors.xdr_time.time_reader`."""
    utc_offset: str | None = None
    """Of this time, if not the map's."""
    values: dict[str, str] | None = None
    """What the column's text stands for; replaced before `type` is looked at."""
    otherwise: Literal["refuse", "drop", "keep", "skip"] = "refuse"
    """Text that `values` does not list: refuse the row, drop the field, keep the text; of `kind` only: skip
    the row uncounted, for procedures that say nothing about the subscriber."""
    empty: tuple[str, ...] = ()
    """Texts that mean "not given", beside the empty one."""
    required: bool = False
    """A row without it is refused."""
    lower: bool = False
    """Make it lower case."""

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnSpec:
        if self.otherwise != "refuse" and self.values is None:
            raise ValueError("expected otherwise only beside values, was alone")
        given = [name for name in ("column", "template", "constant") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected one of column, template, constant, was {' and '.join(given) or 'none'}"
            )
        if (self.type == "time") != (self.format is not None):
            raise ValueError("expected a format with type time, and only there, was other")
        if self.format is not None:
            time_reader(self.format, 0)
        return self

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str | None) -> str | None:
        return check_offset(value)

    @property
    def slots(self) -> tuple[str, ...]:
        """Names that the template uses."""
        return tuple(SLOT.findall(self.template or ""))


class Width(_Model):
    """How many columns a row may have."""

    at_least: Index
    at_most: Index | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Width:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"expected at_most of {self.at_least} or more, was {self.at_most}")
        return self


class ColumnMap(_Model):
    """One layout."""

    map: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    say: str = ""
    source: str = Field(min_length=1)
    kind: str | ColumnSpec
    separator: str
    utc_offset: str = "+00:00"
    header_lines: int = Field(default=0, ge=0)
    columns: Width
    fields: dict[str, ColumnSpec]
    helpers: dict[str, ColumnSpec] = {}
    id: tuple[Index, ...] = ()

    @field_validator("separator")
    @classmethod
    def _separator(cls, value: str) -> str:
        found = _SEPARATORS.get(value, value)
        if len(found) != 1 or not found.isascii():
            raise ValueError(f"expected one character or one of {', '.join(_SEPARATORS)}, was {value!r}")
        return found

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str) -> str:
        return check_offset(value) or value

    @field_validator("kind")
    @classmethod
    def _kind(cls, value: str | ColumnSpec) -> str | ColumnSpec:
        if isinstance(value, ColumnSpec) and (value.column is None or not value.values):
            raise ValueError("expected a kind, or a column with values that are kinds, was other")
        for kind in _kinds(value):
            if kind not in KINDS or KINDS[kind].group == "control":
                raise ValueError(f"expected a signaling or business kind, was {kind!r}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> ColumnMap:
        known = set(ENVELOPE)
        for kind in _kinds(self.kind):
            known.update(KINDS[kind].fields)
        for name in self.fields:
            if name not in known:
                raise ValueError(f"expected a field of {', '.join(sorted(_kinds(self.kind)))}, was {name!r}")
        if "t" not in self.fields or self.fields["t"].type != "time":
            raise ValueError("expected field t of type time, was none")
        if not {"imsi", "msisdn", "subscriber"} & set(self.fields):
            raise ValueError("expected a field imsi, msisdn or subscriber, was none")
        self._check_names()
        self._check_width()
        return self

    def _check_names(self) -> None:
        twice = set(self.fields) & set(self.helpers)
        if twice:
            raise ValueError(
                f"expected each name in fields or helpers, was in both: {', '.join(sorted(twice))}"
            )
        plain = {name for name, spec in self.specs() if spec.template is None}
        for name, spec in self.specs():
            for slot in spec.slots:
                if slot not in plain:
                    raise ValueError(f"expected {name} of columns and constants only, was {{{slot}}}")

    def _check_width(self) -> None:
        used = [spec.column for _, spec in self.specs() if spec.column is not None]
        if isinstance(self.kind, ColumnSpec) and self.kind.column is not None:
            used.append(self.kind.column)
        last = max((*used, *self.id))
        if last > self.columns.at_least:
            raise ValueError(f"expected columns.at_least of {last} or more, was {self.columns.at_least}")

    def specs(self) -> Iterable[tuple[str, ColumnSpec]]:
        """Fields and helpers with their names."""
        return (*self.fields.items(), *self.helpers.items())


def _kinds(kind: str | ColumnSpec) -> set[str]:
    return {kind} if isinstance(kind, str) else set((kind.values or {}).values())


def check_offset(value: str | None) -> str | None:
    """Return the offset if it is one; raise ValueError if not."""
    if value is not None and _OFFSET.match(value) is None:
        raise ValueError(f"expected an offset such as +08:00, was {value!r}")
    return value


def offset_micros(value: str) -> int:
    """Return a checked UTC offset in µs."""
    match = _OFFSET.match(value)
    assert match is not None
    minutes = int(match[2]) * 60 + int(match[3])
    return (-minutes if match[1] == "-" else minutes) * 60_000_000


def load_map(name_or_path: str | Path) -> ColumnMap:
    """Load a map of `connectors/maps` by its name, or any other by the path of its file (`.yaml`).

    Raises InputError: no such map, or what is wrong in the file and where.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        known = sorted(found.stem for found in MAPS.glob("*.yaml"))
        if str(name_or_path) not in known:
            expected = f"a .yaml file or one of the maps {', '.join(known)}"
            raise InputError("map", expected, str(name_or_path))
        path = MAPS / f"{name_or_path}.yaml"
    try:
        with path.open("rb") as stream:
            text = stream.read(SIZE_AT_MOST + 1)
    except OSError as error:
        raise InputError(str(path), "a column map that can be read", error.strerror or str(error)) from None
    if len(text) > SIZE_AT_MOST:
        raise InputError(str(path), f"at most {SIZE_AT_MOST} bytes", "more")
    try:
        # Scalars as text: YAML's own types would turn `1` into a number and `no` into false.
        data = _plain(yaml.compose(text, Loader=yaml.CSafeLoader), path)
        return ColumnMap.model_validate(data)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise InputError(where, "YAML", getattr(error, "problem", None) or str(error)) from None
    except RecursionError:
        raise InputError(str(path), "a column map", "nested too deep") from None
    except ValidationError as error:
        raise _first(path, error) from None


def _plain(node: Any, path: Path) -> Any:
    """Turn YAML nodes into mappings, lists and text; refuse keys given twice and aliases."""
    seen: set[int] = set()

    def walk(node: Any) -> Any:
        where = f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
        if id(node) in seen:
            raise InputError(where, "no aliases", "an alias")
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode):
            return [walk(item) for item in node.value]
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in mapping:
                line = key.start_mark.line + 1
                raise InputError(f"{path}:{line}", f"{name} once", "twice")
            mapping[name] = walk(value)
        return mapping

    return {} if node is None else walk(node)


def _first(path: Path, error: ValidationError) -> InputError:
    """Name the first mistake, and how many more there are."""
    problems = error.errors(include_url=False, include_context=False)
    problem = problems[0]
    steps = [str(step) for step in problem["loc"] if step not in ("str", "ColumnSpec")]
    was: object = problem["input"]
    if problem["type"] == "missing":
        expected, was = "a value", "nothing"
    elif problem["type"] == "extra_forbidden":
        expected, was = "a known key", steps[-1]
    elif problem["type"] == "value_error":
        expected, _, was = problem["msg"].removeprefix("Value error, expected ").partition(", was ")
    else:
        expected = problem["msg"].removeprefix("Input should be ")
    if len(problems) > 1:
        expected += f" (and {len(problems) - 1} more mistakes)"
    return InputError(f"{path}: {'.'.join(steps)}" if steps else str(path), expected, was)
