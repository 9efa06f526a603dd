"""Values of cells: what a list or table holds -> what a field of the catalogue takes.

Cells are text where a file is text, else what Parquet or the database holds: whole numbers, floats, decimals,
booleans, times, lists. Every reader raises `Bad` with reason `value`, or returns `OUTSIDE` for a text that
its closed list does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from connectors.xdr_time import time_reader
from engine.language.model import FieldSpec
from engine.language.words import Unreadable, amount
from engine.refusals import Bad, describe, quote

Read = Callable[[Any], Any]

OUTSIDE: Final = object()
"""A text that is in no closed list: the map says what becomes of it."""


class _NoTime:
    def __repr__(self) -> str:
        return "<a time Python can't hold>"


NO_TIME: Final = _NoTime()
"""A time that no `datetime` holds: before year 1, after 9999, infinite."""

UNITS: Final[Mapping[str, Mapping[str, Decimal]]] = {
    "money": {"yuan": Decimal(1), "fen": Decimal("0.01")},
    "percent": {"%": Decimal(1), "share": Decimal(100)},
    "bytes": {"B": Decimal(1), "KB": Decimal(1024), "MB": Decimal(1024**2), "GB": Decimal(1024**3)},
    "duration": {"s": Decimal(1), "m": Decimal(60), "h": Decimal(3_600), "d": Decimal(86_400)},
}
"""Field type -> unit -> its worth in the type's own; the first is meant where a map names none."""
YES_NO: Final = {
    **dict.fromkeys(("yes", "true", "y", "t", "1", "是"), True),
    **dict.fromkeys(("no", "false", "n", "f", "0", "否"), False),
}
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(?:[eE][+-]?[0-9]{1,2})?")
_NAMES: Final = {
    "money": "an amount of money",
    "percent": "a percentage from 0 to 100",
    "bytes": "an amount of data of 0 or more",
    "duration": "a length of time of 0 or more",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**53
"""Beyond it sums would no longer be exact (`engine.field_checks`)."""


def reader_of(
    field: FieldSpec, values: Mapping[str, str] | None, unit: str | None, separator: str | None
) -> Read:
    """Return the reader of a field's cells; `values`: what texts stand for."""
    if field.type == "yes/no":
        return yes_no(values)
    if field.type == "set":
        return _set(values, field.values, separator or ";")
    if field.type in ("number", *UNITS):
        return _number(field.type, values, unit)
    return words(values, field.values)


def words(values: Mapping[str, str] | None, closed: tuple[str, ...]) -> Read:
    """Return a reader of text; with `values` or a closed list, of a text that is in it."""
    if values is None and not closed:
        return text_of
    known = dict.fromkeys(closed, "")
    kept = {word: word for word in known} if values is None else dict(values)

    def read(cell: Any) -> Any:
        found = text_of(cell)
        return kept.get(found, OUTSIDE)

    return read


def yes_no(values: Mapping[str, str] | None) -> Read:
    """Return a reader of yes and no; `values`: the list's own words for them."""
    own = {word: YES_NO.get(meant.lower()) for word, meant in (values or {}).items()}

    def read(cell: Any) -> Any:
        if cell is True or cell is False:
            return cell
        word = text_of(cell)
        if values is not None:
            said = own.get(word)
            return OUTSIDE if said is None else said
        said = YES_NO.get(word.lower())
        if said is None:
            raise Bad("yes or no (true false y n 1 0 是 否)", quote(word), "value")
        return said

    return read


def _set(values: Mapping[str, str] | None, closed: tuple[str, ...], separator: str) -> Read:
    one = words(values, closed)

    def read(cell: Any) -> Any:
        items = cell if cell.__class__ in (list, tuple) else text_of(cell).split(separator)
        found = []
        for item in items:
            word = item.strip() if item.__class__ is str else item
            if word is None or word == "":
                continue
            value = one(word)
            if value is OUTSIDE:
                return OUTSIDE
            found.append(value)
        return list(dict.fromkeys(found))

    return read


def _number(type: str, values: Mapping[str, str] | None, unit: str | None) -> Read:
    units = UNITS.get(type, {})
    worth = units[unit] if unit is not None else Decimal(1)
    expected = _NAMES.get(type, "a number")
    least, most = (-_MOST if type in ("money", "number") else 0), (100 if type == "percent" else _MOST)
    is_whole = type in ("bytes", "duration")

    def read(cell: Any) -> Any:
        if values is not None and cell.__class__ is str:
            if cell not in values:
                return OUTSIDE
            cell = values[cell]
        number = _decimal(cell)
        if number is not None:
            number *= worth
        elif cell.__class__ is str:
            try:
                number = Decimal(str(amount(cell, type)))  # type: ignore[arg-type]  # a field's type
            except Unreadable:
                raise Bad(expected, quote(cell), "value") from None
        else:
            raise Bad(expected, "a time" if cell is NO_TIME else describe(cell), "value")
        if not least <= number <= most:
            raise Bad(expected, "out of range", "value")
        if is_whole or number == number.to_integral_value():
            return int(number.to_integral_value())
        return float(number)

    return read


def _decimal(cell: Any) -> Decimal | None:
    """Return a cell as a number, None if it is none."""
    kind = cell.__class__
    if kind is str:
        return Decimal(cell) if _NUMBER.fullmatch(cell) else None
    if kind is int:
        return Decimal(cell)
    if kind is float:
        return Decimal(repr(cell)) if isfinite(cell) else None
    if kind is Decimal:
        return cell if cell.is_finite() else None
    return None


def text_of(cell: Any) -> str:
    """Return a cell as text; raise `Bad` for one that is none; a fraction may have lost digits."""
    kind = cell.__class__
    if kind is str:
        return str(cell)
    if kind is bool:
        return "true" if cell else "false"
    if kind is int:
        return str(cell)
    if kind is Decimal and cell == cell.to_integral_value():
        return str(int(cell))
    if isinstance(cell, date):
        return cell.isoformat()
    if kind is bytes:
        try:
            return str(cell.decode())
        except UnicodeDecodeError as error:
            raise Bad("UTF-8", f"not from byte {error.start}", "utf8") from None
    if cell is NO_TIME:
        raise Bad("a time of the years 1 to 9999", "another", "time")
    raise Bad("text or a whole number", describe(cell), "value")


def time(format: str, offset_us: int) -> Read:
    """Return a reader of times: µs UTC. `format`: `iso`, or of a column map; `offset_us`: of local times."""
    local = timezone(timedelta(microseconds=offset_us))
    read_text = None if format == "iso" else time_reader(format, offset_us)

    def read(cell: Any) -> int:
        if isinstance(cell, datetime):
            return _micros(cell, local)
        word = text_of(cell)
        if read_text is not None:
            return read_text(word.encode())
        try:
            return _micros(datetime.fromisoformat(word), local)
        except (ValueError, OverflowError):
            raise Bad("an ISO time such as 2026-09-05T10:00:00+08:00", quote(word), "time") from None

    return read


def _micros(moment: datetime, local: timezone) -> int:
    return ((moment if moment.tzinfo else moment.replace(tzinfo=local)) - _EPOCH) // timedelta(microseconds=1)
