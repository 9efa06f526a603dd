"""From the text of a column to its value, as a map asks for it.

A reader takes the bytes of a column as they are in the file; it gives the value, None where there is none, or
raises `Bad`. What comes again and again (cells, areas, codes, names of access points) is kept by its text: a
look-up instead of a conversion. What does not (identities, phone numbers, volumes, fractions) is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from connectors.column_spec import NUMBERS, ValueSpec, offset_micros
from connectors.xdr_time import quick_time, time_reader
from engine.field_checks import MOST
from engine.intake import Sure
from engine.refusals import Bad, quote

Read = Callable[[bytes], Any]
"""Bytes of a column, not empty, to a value."""
ZEROS_AT_MOST: Final = 16
"""Digits of a zero of fixed width: 64 bits in hex."""

KEPT_AT_MOST = 10_000
"""Texts kept per column, with their values about 200 bytes each. When they are more, all are let go."""
NUMBERS_AT_MOST = 100_000
"""The same, of numbers: a large network has as many cells."""
KEPT_LENGTH = 64
"""Longer texts are not kept: URLs hardly ever come again."""
_PYTHON: dict[str, type] = {
    **dict.fromkeys(("text", "host", "phone"), str),
    **dict.fromkeys(("int", "hex", "bytes", "time"), int),
    "float": float,
    "yes/no": bool,
}
_CHANGING = frozenset({"imsi", "msisdn", "subscriber", "imei", "imeisv", "number"})
"""Fields whose texts differ from row to row."""
_KEPT_TYPES = frozenset({"text", "int", "hex", "host", "yes/no"})

_NUMBER = re.compile(rb"[+-]?\d{1,19}\Z", re.ASCII)
_FRACTION = re.compile(rb"[+-]?\d{1,19}(\.\d{1,19})?\Z", re.ASCII)
_HEX = re.compile(rb"(0[xX])?[0-9a-fA-F]{1,16}\Z")
_PHONE = re.compile(rb"[+*#]?[\d ().*#/-]*\d[\d ().*#/-]*\Z", re.ASCII)
_HOST = re.compile(rb"\"?(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?(?:[^/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[^/?#:\s\"]+)")


class Kept(dict[bytes, Any]):
    """The values of a column by its text: subscripting it reads a text that is new."""

    __slots__ = ("_at_most", "_read")

    def __init__(self, read: Read, at_most: int) -> None:
        super().__init__()
        self._read = read
        self._at_most = at_most

    def __missing__(self, cell: bytes) -> Any:
        """Read a text for the first time; what raises `Bad` is not kept."""
        value = self._read(cell)
        if len(cell) <= KEPT_LENGTH:
            if len(self) >= self._at_most:
                self.clear()
            self[cell] = value
        return value


def types_of(way: ValueSpec) -> frozenset[type]:
    """Return the types that values of a way to a field may have."""
    if way.template is not None:
        return frozenset({str})
    if way.sum is not None:
        return frozenset({int})
    return frozenset({int, float} if way.divide is not None else {_PYTHON[way.type]})


def known_of(ways: Sequence[ValueSpec]) -> Sure:
    """Return what is known of every value of a field: its type, or the texts it is one of; None: nothing."""
    types: set[type] = set()
    texts: set[str] = set()
    listed = True
    for way in ways:
        types |= types_of(way)
        found = _texts_of(way)
        listed = listed and found is not None
        texts.update(found or ())
    if listed:
        return frozenset(texts)
    return types.pop() if len(types) == 1 else None


def _texts_of(way: ValueSpec) -> list[str] | None:
    """Return the texts that a way to a value can give; None if they are not known."""
    if way.type != "text":
        return None
    if way.constant is not None:
        found = [way.constant]
    elif way.values is not None and way.otherwise != "keep":
        found = list(way.values.values())
    else:
        return None
    return [text.lower() for text in found] if way.lower else found


def column_reader(name: str, spec: ValueSpec, utc_offset: str, filler: str | None) -> Read:
    """Return a function from the raw bytes of the column of a field (or helper) to its value or None.

    It reads as `stripped` does, by a shorter way where there is one.
    """
    read = stripped(name, spec, utc_offset, filler)
    if is_kept(name, spec):
        return kept(read, NUMBERS_AT_MOST if spec.type in NUMBERS else KEPT_AT_MOST)
    cut = spec.taken or spec.until or spec.lower or spec.divide or spec.values or spec.empty
    if cut or (filler is not None and filler.isdigit()):
        return read
    if spec.type == "time":
        assert spec.format is not None
        return quick_time(spec.format, offset_micros(spec.utc_offset or utc_offset), read)  # type: ignore[no-any-return]
    return _QUICK[spec.type](read) if spec.type in _QUICK else read


def is_kept(name: str, spec: ValueSpec) -> bool:
    """Say whether texts of a field come again so often that it pays to keep their values."""
    return spec.type in _KEPT_TYPES and name not in _CHANGING


def kept(read: Read, at_most: int = KEPT_AT_MOST) -> Read:
    """Return a reader that keeps what it has read."""
    return Kept(read, at_most).__getitem__


def stripped(name: str, spec: ValueSpec, utc_offset: str, filler: str | None) -> Read:
    """Return the reader of a column without memory: spaces around its text, and fillers, are nothing."""
    convert = converter(spec, utc_offset)
    part, required = spec.taken, spec.required
    end = None if spec.until is None else spec.until.encode()
    fill = None if filler is None else (filler.lower() + filler.upper()).encode()
    refuses = spec.unreadable == "refuse"

    def read(cell: bytes) -> Any:
        cell = cell.strip()
        if fill is not None and not cell.strip(fill):
            cell = b""
        if end is not None:
            cell = cell.partition(end)[0].strip()
        if part is not None:
            cell = cell[part].strip()
        try:
            value = convert(cell) if cell else None
        except Bad as bad:
            if not refuses:
                return None
            bad.field = name
            raise
        if value is None and required:
            raise Bad("a value", "empty", "type", name)
        return value

    return read


def quick_digits(careful: Read) -> Read:
    """Return a reader of text that asks `careful` for all but digits alone: identities as they should be."""

    def read(cell: bytes) -> Any:
        return cell.decode() if cell.isdigit() else careful(cell)

    return read


def quick_amount(careful: Read) -> Read:
    """Return a reader of whole numbers that asks `careful` for all but digits alone."""

    def read(cell: bytes) -> Any:
        return int(cell) if cell.isdigit() and len(cell) <= 15 else careful(cell)

    return read


def converter(spec: ValueSpec, utc_offset: str) -> Read:
    """Return a function from a column's text, not empty, to its value; None where the map says so."""
    if spec.type == "time":
        assert spec.format is not None
        convert: Read = time_reader(spec.format, offset_micros(spec.utc_offset or utc_offset))
    else:
        convert = _TYPES[spec.type]
    if spec.divide is not None:
        convert = _divided(convert, spec.divide)
    if spec.lower:
        convert = _lowered(convert)
    if spec.values is not None:
        convert = _listed(convert, spec)
    if spec.empty:
        convert = _unless(convert, _nothing(spec))
    return convert


def _nothing(spec: ValueSpec) -> frozenset[bytes]:
    """Return the texts that mean "not given". A number that does is written with zeros in front, too."""
    found = {text.encode() for text in spec.empty}
    if spec.type in NUMBERS and any(text.isdigit() and not int(text) for text in spec.empty):
        found |= {b"0" * digits for digits in range(1, ZEROS_AT_MOST + 1)}
    return frozenset(found)


def _listed(convert: Read, spec: ValueSpec) -> Read:
    values = {given.encode(): convert(meant.encode()) for given, meant in (spec.values or {}).items()}
    expected = "one of " + ", ".join(spec.values or ())

    def look_up(cell: bytes) -> Any:
        found = values.get(cell)
        if found is not None:
            return found
        if spec.otherwise == "refuse":
            raise Bad(expected, quote(cell.decode("utf-8", "replace")), "value")
        return convert(cell) if spec.otherwise == "keep" else None

    return look_up


def _unless(convert: Read, empty: frozenset[bytes]) -> Read:
    return lambda cell: None if cell in empty else convert(cell)


def _lowered(convert: Read) -> Read:
    return lambda cell: convert(cell.lower())


def _divided(convert: Read, by: int) -> Read:
    def divide(cell: bytes) -> int | float:
        value: int | float = convert(cell)
        return value // by if value % by == 0 and value.__class__ is int else value / by

    return divide


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


def _phone(cell: bytes) -> str | None:
    return None if _PHONE.match(cell) is None else cell.decode()


def _yes_no(cell: bytes) -> bool:
    word = cell.lower()
    if word in (b"1", b"yes", b"true", b"y"):
        return True
    if word in (b"0", b"no", b"false", b"n"):
        return False
    raise Bad("yes or no, true or false, 1 or 0", quote(cell.decode("utf-8", "replace")), "value")


def _not_number(expected: str, cell: bytes) -> Bad:
    return Bad(expected, quote(cell.decode("utf-8", "replace")), "number")


_TYPES: dict[str, Read] = {
    "text": _text,
    "int": _whole,
    "float": _fraction,
    "bytes": _amount,
    "hex": _hexadecimal,
    "host": _host,
    "phone": _phone,
    "yes/no": _yes_no,
}
_QUICK: dict[str, Callable[[Read], Read]] = {"text": quick_digits, "bytes": quick_amount}
