"""The words of a column map for one value: where it comes from, and what is made of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from connectors.xdr_time import time_reader

ColumnType = Literal["text", "int", "float", "time", "bytes", "hex", "host", "phone", "yes/no"]
NUMBERS = frozenset({"int", "float", "bytes", "hex"})
WHOLE = frozenset({"int", "bytes", "hex", "time"})
"""Types whose values `sum` may add up."""
FACTOR_AT_MOST = 1 << 53
"""Of sums and quotients: numbers stay such that they can be written."""
SLOT = re.compile(r"\{([a-z_0-9.]+)\}")
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):?([0-5]\d)\Z", re.ASCII)
_SLICE = re.compile(r"([1-9]\d{0,3})-([1-9]\d{0,3})?\Z", re.ASCII)

_Slice = slice  # the word of the map hides it below

Index = Annotated[int, Field(ge=1, le=10_000)]


Factor = Annotated[int, Field(ge=-FACTOR_AT_MOST, le=FACTOR_AT_MOST)]
"""What a number is multiplied by."""


class MapModel(BaseModel):
    """Base of the parts of a map: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_tuple(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One text, or a list of them."""


class When(MapModel):
    """Rows that a value is looked for in: those with one of these texts in a column."""

    column: Index
    texts: Texts = Field(alias="is", min_length=1)


class ValueSpec(MapModel):
    """What is made of a value, wherever it comes from: a column here, a path in `connectors.field_map`."""

    ORIGINS: ClassVar[tuple[str, ...]]
    """Where it comes from, exactly one of these; the first is where its text is read."""

    template: str | None = None
    """Text with `{name}` for other fields and helpers; if one of them is missing, so is this."""
    sum: dict[str, Factor] | None = None
    """Names of whole numbers and times, each with what it is multiplied by: `{enb: 256, sector: 1}`."""
    constant: str | None = None
    type: ColumnType = "text"
    """`bytes`: whole number of 0 or more; `hex`: hexadecimal whole number; `host`: host name out of a URL;
    `phone`: text that is a phone number, anything else (a mail address) is not given."""
    format: str | None = None
    """Of a time: see `connectors.xdr_time.time_reader`."""
    utc_offset: str | None = None
    """Of this time, if not the map's."""
    slice: str | None = None
    """Characters of the column's text to take, from 1: `1-5`, or `6-` for all from the 6th on."""
    until: str | None = Field(default=None, min_length=1, max_length=16)
    """Take the text before this, if it is there: `/` of `13912345678/TYPE=PLMN`."""
    divide: int | None = Field(default=None, ge=2, le=FACTOR_AT_MOST)
    """What a number is divided by, for units: milliseconds to seconds 1000."""
    values: dict[str, str] | None = None
    """What the column's text stands for; replaced before `type` is looked at."""
    otherwise: Literal["refuse", "drop", "keep"] = "refuse"
    """Text that `values` does not list: refuse the row, drop the field, keep the text."""
    empty: tuple[str, ...] = ()
    """Texts that mean "not given", beside the empty one."""
    unreadable: Literal["refuse", "drop", "before"] = "refuse"
    """Text that is not of its type: refuse the row, drop the field, or, of `t`, take that of the row before
    (`connectors.xdr_times`)."""
    required: bool = False
    """A row without it is refused."""
    lower: bool = False
    """Make it lower case."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.otherwise != "refuse" and self.values is None:
            raise ValueError("expected otherwise only beside values, was alone")
        names = self.ORIGINS
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of {', '.join(names)}, was {' and '.join(given) or 'none'}")
        if (self.type == "time") != (self.format is not None):
            raise ValueError("expected a format with type time, and only there, was other")
        if self.format is not None:
            time_reader(self.format, 0)
        read = given[0] == names[0]
        if not read:
            self._check_made(given[0])
        if (self.slice is not None or self.until is not None) and not read:
            raise ValueError(f"expected slice and until only beside {names[0]}, was other")
        if self.divide is not None and (self.type not in NUMBERS or not read):
            expected = f"expected divide only for a {names[0]} of type int, float, bytes or hex"
            raise ValueError(f"{expected}, was other")
        if self.sum is not None and not self.sum:
            raise ValueError("expected names in sum, was none")
        if self.unreadable != "refuse":
            if given != ["column"] or self.type == "text" or self.values is not None:
                expected = (
                    "expected unreadable only beside a column of another type than text, without values"
                )
                raise ValueError(f"{expected}, was other")
            if self.required:
                raise ValueError(f"expected required or unreadable: {self.unreadable}, was both")
        return self

    def _check_made(self, origin: str) -> None:
        """Raise ValueError for words that say nothing of what is not read, as it would not be as they say."""
        words = ("values", "empty") if origin == "constant" else ("values", "empty", "lower", "type")
        spare = [word for word in words if word in self.model_fields_set]
        if spare:
            raise ValueError(f"expected {' and '.join(spare)} only beside {self.ORIGINS[0]}, was {origin}")

    @field_validator("template")
    @classmethod
    def _template(cls, value: str | None) -> str | None:
        left = SLOT.sub("", value or "")
        if "{" in left or "}" in left:
            raise ValueError(f"expected braces only around a name, such as {{eci}}, was {value}")
        if left == value:
            raise ValueError(f"expected a {{name}} at least (a text without is a constant), was {value}")
        return value

    @field_validator("utc_offset")
    @classmethod
    def _offset(cls, value: str | None) -> str | None:
        return check_offset(value)

    @field_validator("slice")
    @classmethod
    def _slice(cls, value: str | None) -> str | None:
        match = _SLICE.match(value or "1-")
        if match is None or int(match[2] or 10_000) < int(match[1]):
            raise ValueError(f"expected characters such as 1-5 or 6-, was {value!r}")
        return value

    @property
    def taken(self) -> _Slice | None:
        """The part of the text that is taken; None: all."""
        if self.slice is None:
            return None
        match = _SLICE.match(self.slice)
        assert match is not None
        return _Slice(int(match[1]) - 1, int(match[2]) if match[2] else None)

    @property
    def slots(self) -> tuple[str, ...]:
        """Names that the template or the sum uses, each once."""
        return tuple(dict.fromkeys(SLOT.findall(self.template or ""))) + tuple(self.sum or ())

    @property
    def stage(self) -> int:
        """When it can be made: what is read, then sums of that, then templates over both."""
        return 2 if self.template is not None else 1 if self.sum is not None else 0


class ColumnSpec(ValueSpec):
    """Where one value comes from: exactly one of `column`, `template`, `sum` and `constant`."""

    ORIGINS: ClassVar[tuple[str, ...]] = ("column", "template", "sum", "constant")

    column: Index | None = None
    when: When | None = None
    """Only in these rows; in others it is missing."""

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns it looks at by itself."""
        own = () if self.column is None else (self.column,)
        return own if self.when is None else (*own, self.when.column)


class KindSpec(MapModel):
    """A column that says of which kind a row is; where that is not enough, it names another column."""

    column: Index
    values: dict[str, KindOrColumn] = Field(min_length=1)
    otherwise: Literal["refuse", "skip"] = "refuse"
    """Text that `values` does not list: refuse the row, or skip it, for what says nothing of a subscriber."""

    def kinds(self) -> Iterator[str]:
        """Yield the kinds that rows may be of."""
        for value in self.values.values():
            if isinstance(value, str):
                yield value
            else:
                yield from value.kinds()

    def columns(self) -> Iterator[int]:
        """Yield the columns it looks at."""
        yield self.column
        for value in self.values.values():
            if isinstance(value, KindSpec):
                yield from value.columns()


def _tag(value: Any) -> str:
    return "<column>" if isinstance(value, dict | KindSpec) else "<kind>"


KindOrColumn = Annotated[
    Annotated[str, Tag("<kind>")] | Annotated[KindSpec, Tag("<column>")], Discriminator(_tag)
]
KindSpec.model_rebuild()


class Watch(MapModel):
    """A column that no field is made of, but whose damage is counted: another text is no reason to refuse."""

    column: Index
    digits: Annotated[int, Field(ge=1, le=100)]
    """It should hold so many digits."""


class Width(MapModel):
    """How many columns a row may have."""

    at_least: Index
    at_most: Index | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Width:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"expected at_most of {self.at_least} or more, was {self.at_most}")
        return self


def _checked_filler(value: str) -> str:
    if len(value) != 1 or not value.isascii() or value.isspace():
        raise ValueError(f"expected one character of ASCII, no space, was {value}")
    return value


Filler = Annotated[str, AfterValidator(_checked_filler)]
"""A character: a text of nothing but it means "not given"."""


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
