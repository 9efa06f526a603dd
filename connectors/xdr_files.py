"""The door for delimited xDR files: rows become records by a column map (`connectors.column_map`).

Lines are split raw, quoting off: User-Agents hold stray quotes on which CSV readers fail, and rows are of
uneven length, on which strict readers do (facts/signals.md). A bad row is refused with file, line and reason
and never stops the file: `columns` (how many), `time`, `number`, `value` (not in the map's list), `utf8`, and
the reasons of intake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from connectors.column_map import SLOT, ColumnMap, ColumnSpec, load_map, offset_micros
from connectors.lines import read_lines
from connectors.xdr_time import time_reader
from engine.errors import InputError
from engine.event import Event
from engine.field_checks import MOST
from engine.intake import Intake
from engine.refusals import Bad, quote, shown_name

__all__ = ["Rows", "load_map", "rows"]

Convert = Callable[[bytes], Any]
_NUMBER = re.compile(rb"[+-]?\d{1,19}\Z", re.ASCII)
_FRACTION = re.compile(rb"[+-]?\d{1,19}(\.\d{1,19})?\Z", re.ASCII)
_HEX = re.compile(rb"(0[xX])?[0-9a-fA-F]{1,16}\Z")
_HOST = re.compile(rb"\"?(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?(?:[^/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[^/?#:\s\"]+)")
_SKIP = object()


def rows(path: Path, columns: ColumnMap, intake: Intake) -> Iterator[Event]:
    """Yield the events of a file in its order, with `FILE:LINE` as position and the map's `source`.

    Ids are keyed hashes of the map's source and the columns of its natural key, so the same row of another
    copy of the file is a duplicate. Raises InputError as `read_lines` does, and as `Rows` does.
    """
    taker = Rows(columns, intake)
    name = shown_name(path.name, intake.identity.key)
    for number, line in read_lines(path, intake, source=columns.source, name=name):
        event = taker.take(number, line, f"{name}:{number}")
        if event is not None:
            yield event


class Rows:
    """Takes rows by a column map; raises InputError for constants and `values` in it of a wrong type."""

    def __init__(self, columns: ColumnMap, intake: Intake) -> None:
        self.columns = columns
        self._intake = intake
        try:
            self._reader = _RowReader(columns, intake.identity.key)
        except Bad as bad:
            raise InputError(f"map {columns.map}", bad.expected, bad.was or "empty") from None

    def take(self, number: int, line: bytes, position: str) -> Event | None:
        """Return the event of row `number` (from 1); None for a header, a row to skip, or one refused."""
        source = self.columns.source
        if number <= self.columns.header_lines:
            return None
        try:
            fields = self._reader.read(line)
        except Bad as bad:
            detail = f"{bad.field}: expected {bad.expected}, was {bad.was or 'empty'}"
            self._intake.refuse(bad.reason, detail, source, position, line)
            return None
        return None if fields is None else self._intake.record(fields, source, position)


class _RowReader:
    """A column map, compiled."""

    def __init__(self, columns: ColumnMap, key: bytes) -> None:
        self._separator = columns.separator.encode()
        self._at_least = columns.columns.at_least
        self._at_most = columns.columns.at_most
        self._key_columns = tuple(index - 1 for index in columns.id)
        self._hash = blake2b(columns.source.encode() + b"\0", digest_size=8, key=key)
        self._kind = columns.kind if isinstance(columns.kind, str) else None
        self._columns: list[tuple[str, int, bool, Convert]] = []
        """(name, index from 0, whether required, conversion); `kind` first, if it is a column."""
        if isinstance(columns.kind, ColumnSpec):
            self._add("kind", columns.kind, columns.utc_offset)
        self._templates: list[tuple[str, str, tuple[str, ...], bool]] = []
        self._constants: dict[str, Any] = {}
        self._helpers = tuple(columns.helpers)
        for name, spec in columns.specs():
            if spec.column is not None:
                self._add(name, spec, columns.utc_offset)
            elif spec.template is not None:
                self._templates.append((name, spec.template, spec.slots, spec.required))
            elif spec.constant is not None:
                self._constants[name] = _converter(spec, columns.utc_offset)(spec.constant.encode())

    def _add(self, name: str, spec: ColumnSpec, utc_offset: str) -> None:
        assert spec.column is not None
        required = spec.required or name == "kind"
        self._columns.append((name, spec.column - 1, required, _converter(spec, utc_offset)))

    def read(self, line: bytes) -> dict[str, Any] | None:
        """Return the fields of a row, None for one to be skipped; raise `Bad` for a bad one."""
        cells = line.split(self._separator)
        if len(cells) < self._at_least or (self._at_most is not None and len(cells) > self._at_most):
            most = "or more" if self._at_most is None else f"to {self._at_most}"
            raise Bad(f"{self._at_least} {most}", str(len(cells)), "columns", "columns")
        fields: dict[str, Any] = {"kind": self._kind, **self._constants}
        name = ""
        try:
            for name, index, required, convert in self._columns:
                cell = cells[index].strip()
                value = convert(cell) if cell else None
                if value is _SKIP:
                    return None
                if value is not None:
                    fields[name] = value
                elif required:
                    raise Bad("a value", "empty", "type")
        except Bad as bad:
            bad.field = name
            raise
        for name, template, slots, required in self._templates:
            if all(slot in fields for slot in slots):
                fields[name] = SLOT.sub(lambda slot: str(fields[slot[1]]), template)
            elif required:
                raise Bad(f"values of {' and '.join(slots)}", "empty", "type", name)
        for name in self._helpers:
            fields.pop(name, None)
        fields["id"] = self._id(line, cells)
        return fields

    def _id(self, line: bytes, cells: list[bytes]) -> str:
        hashed = self._hash.copy()
        hashed.update(
            b"\0".join([cells[index] for index in self._key_columns]) if self._key_columns else line
        )
        return hashed.hexdigest()


def _converter(spec: ColumnSpec, utc_offset: str) -> Convert:
    """Return a function from a column's bytes, not empty, to its value.

    The function gives None where there is no value, `_SKIP` where there is no record, or raises `Bad`.
    """
    if spec.type == "time":
        assert spec.format is not None
        convert: Convert = time_reader(spec.format, offset_micros(spec.utc_offset or utc_offset))
    else:
        convert = _TYPES[spec.type]
    if spec.lower:
        convert = _lowered(convert)
    if spec.values is not None:
        convert = _listed(convert, spec)
    if spec.empty:
        convert = _unless(convert, frozenset(text.encode() for text in spec.empty))
    return convert


def _listed(convert: Convert, spec: ColumnSpec) -> Convert:
    values = {given.encode(): convert(meant.encode()) for given, meant in (spec.values or {}).items()}
    expected = "one of " + ", ".join(spec.values or ())

    def look_up(cell: bytes) -> Any:
        found = values.get(cell)
        if found is not None:
            return found
        if spec.otherwise == "refuse":
            raise Bad(expected, quote(cell.decode("utf-8", "replace")), "value")
        if spec.otherwise == "keep":
            return convert(cell)
        return _SKIP if spec.otherwise == "skip" else None

    return look_up


def _unless(convert: Convert, empty: frozenset[bytes]) -> Convert:
    return lambda cell: None if cell in empty else convert(cell)


def _lowered(convert: Convert) -> Convert:
    return lambda cell: convert(cell.lower())


def _text(cell: bytes) -> str:
    try:
        return cell.decode()
    except UnicodeDecodeError as error:
        raise Bad("UTF-8", f"not from byte {error.start} of the column", "utf8") from None


def _whole(cell: bytes) -> int:
    if _NUMBER.match(cell) is None or abs(int(cell)) > MOST:
        raise _not_number("a whole number", cell)
    return int(cell)


def _amount(cell: bytes) -> int:
    if not cell.isdigit() or len(cell) > 19 or int(cell) > MOST:
        raise _not_number("a whole number of 0 or more", cell)
    return int(cell)


def _fraction(cell: bytes) -> float:
    if _FRACTION.match(cell) is None:
        raise _not_number("a number", cell)
    return float(cell)


def _hexadecimal(cell: bytes) -> int:
    if _HEX.match(cell) is None:
        raise _not_number("a hexadecimal number", cell)
    return int(cell, 16)


def _host(cell: bytes) -> str | None:
    match = _HOST.match(cell)
    return None if match is None else match[1].decode("ascii", "replace").lower()


def _yes_no(cell: bytes) -> bool:
    word = cell.lower()
    if word in (b"1", b"yes", b"true", b"y"):
        return True
    if word in (b"0", b"no", b"false", b"n"):
        return False
    raise Bad("yes or no, true or false, 1 or 0", quote(cell.decode("utf-8", "replace")), "value")


def _not_number(expected: str, cell: bytes) -> Bad:
    return Bad(expected, quote(cell.decode("utf-8", "replace")), "number")


_TYPES: dict[str, Convert] = {
    "text": _text,
    "int": _whole,
    "float": _fraction,
    "bytes": _amount,
    "hex": _hexadecimal,
    "host": _host,
    "yes/no": _yes_no,
}
