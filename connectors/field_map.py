"""Field maps: how foreign messages (JSON, Avro, Protobuf) become records. Siblings of column maps.

A map is a YAML file, checked when it is loaded. What is done with a value is written as in a column map
(`connectors.column_spec`); where it comes from is a path (`connectors.message_path`):

    map: probe-json                # its name
    say: ...                       # what it reads
    source: probe                  # source of the records
    kind: loc.update               # or {path: event.type, values: {TAU: loc.update}, otherwise: skip}
                                   # or {present: {attach: power.on, detach: power.off}, otherwise: skip}
    utc_offset: "+08:00"           # of local times
    each: events                   # an array inside the message: one record per element
    fields:                        # fields of engine/event_kinds.py
      t: {path: ts, type: time, format: epoch ms}
      imsi: {path: $.header.imsi, required: yes}     # `$.`: from the message, though there is `each`
      cell: {template: "460-00-{tac}-{ci}"}
      msisdn: [{path: user.msisdn}, {path: user.number}]     # the first that has a value
    helpers:                       # read only to be used in templates and sums
      tac: {path: loc.tac, type: hex}
      ci: {path: loc.ci, type: int}
    id: [$.header.seq, ts]         # paths of the natural key; without it where the message stands

A message that is an array holds a message per element, in any case (micro-batch).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from connectors.column_spec import Filler, MapModel, Texts, ValueSpec, check_offset
from connectors.map_model import (
    MapFiles,
    Wrong,
    alternatives,
    check_kinds,
    find_map,
    is_field_map,
    wrong_fields,
)
from connectors.message_path import Path
from engine.errors import InputError

__all__ = ["FieldMap", "is_field_map", "load_field_map", "read_field_map"]


def _checked_path(value: str) -> str:
    Path(value)
    return value


PathText = Annotated[str, AfterValidator(_checked_path)]


class PathWhen(MapModel):
    """Messages that a value is looked for in: those with one of these texts at a path."""

    path: PathText
    texts: Texts = Field(alias="is", min_length=1)


class PathSpec(ValueSpec):
    """Where one value comes from: exactly one of `path`, `template`, `sum` and `constant`."""

    ORIGINS: ClassVar[tuple[str, ...]] = ("path", "template", "sum", "constant")

    path: PathText | None = None
    when: PathWhen | None = None
    """Only in these messages; in others it is missing."""


Ways = Annotated[tuple[PathSpec, ...], BeforeValidator(alternatives), Field(min_length=1)]
"""One way to a value, or several: the first that has one counts."""


class KindByValue(MapModel):
    """A path whose text says of which kind a record is; where that is not enough, it names another path."""

    path: PathText
    values: dict[str, Kind] = Field(min_length=1)
    otherwise: Literal["refuse", "skip"] = "refuse"
    """Text that `values` does not list, or none: refuse the record, or skip it, for what says nothing of a
    subscriber."""

    def kinds(self) -> Iterator[str]:
        """Yield the kinds that records may be of."""
        for value in self.values.values():
            yield from kinds_of(value)


class KindByPresence(MapModel):
    """Paths of which the first that is there says the kind: a `oneof`, a union of records."""

    present: dict[PathText, str] = Field(min_length=1)
    otherwise: Literal["refuse", "skip"] = "refuse"

    def kinds(self) -> Iterator[str]:
        """Yield the kinds that records may be of."""
        yield from self.present.values()


def _tag(value: Any) -> str:
    if isinstance(value, KindByPresence) or (isinstance(value, dict) and "present" in value):
        return "<present>"
    return "<value>" if isinstance(value, dict | KindByValue) else "<kind>"


Kind = Annotated[
    Annotated[str, Tag("<kind>")]
    | Annotated[KindByValue, Tag("<value>")]
    | Annotated[KindByPresence, Tag("<present>")],
    Discriminator(_tag),
]
KindByValue.model_rebuild()


def kinds_of(kind: str | KindByValue | KindByPresence) -> Iterator[str]:
    """Yield the kinds that `kind` of a map may stand for."""
    if isinstance(kind, str):
        yield kind
    else:
        yield from kind.kinds()


def kind_paths(kind: str | KindByValue | KindByPresence) -> Iterator[str]:
    """Yield the paths that `kind` of a map looks at."""
    if isinstance(kind, KindByPresence):
        yield from kind.present
    elif isinstance(kind, KindByValue):
        yield kind.path
        for value in kind.values.values():
            yield from kind_paths(value)


class FieldMap(MapModel):
    """One layout of messages."""

    map: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    say: str = ""
    source: str = Field(min_length=1)
    kind: Kind
    utc_offset: str = "+00:00"
    filler: Filler | None = None
    """A text that holds nothing but it, in either case, is empty."""
    each: PathText | None = None
    fields: dict[str, Ways]
    helpers: dict[str, Ways] = Field(default_factory=dict)
    id: tuple[PathText, ...] = ()

    @field_validator("kind")
    @classmethod
    def _kind(cls, value: str | KindByValue | KindByPresence) -> str | KindByValue | KindByPresence:
        check_kinds(tuple(kinds_of(value)))
        return value

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str) -> str:
        return check_offset(value) or value

    @field_validator("each")
    @classmethod
    def _each(cls, value: str | None) -> str | None:
        if value is not None and Path(value).root == "envelope":
            raise ValueError(f"expected a path inside of the message, was {value!r}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> FieldMap:
        wrong = [*wrong_fields(self.kinds, self.fields, self.helpers, "path", self._place)]
        if wrong:
            raise Wrong(wrong)
        return self

    def _place(self, way: PathSpec) -> Path | None:
        """Return the path of a way; without `each` the message and its part are the same."""
        if way.path is None:
            return None
        alike = self.each is None and way.path.startswith("$")
        return Path(way.path[1:].lstrip(".") or ".") if alike else Path(way.path)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that its records may be of, each once."""
        return tuple(dict.fromkeys(kinds_of(self.kind)))

    def ways(self) -> Iterable[tuple[str, tuple[PathSpec, ...]]]:
        """Fields and helpers with their names."""
        return (*self.fields.items(), *self.helpers.items())


_FILES = MapFiles(FieldMap, "a field map", of_messages=True)


def load_field_map(name_or_path: str | FilePath) -> FieldMap:
    """Load a map of `connectors/maps` by its name, or any other by the path of its file (`.yaml`).

    Raises InputError: no such map, or what is wrong in the file and where.
    """
    return _FILES.load(find_map(name_or_path))


def read_field_map(name_or_path: str | FilePath) -> tuple[FieldMap | None, list[InputError]]:
    """Return a map, or None and all its mistakes, each with line and column.

    Raises InputError if there is no such map, or its file can't be read as YAML.
    """
    return _FILES.read(find_map(name_or_path))
