"""Refused records: a named reason, where, what was expected, and the record without anything personal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from engine.numbers import keyed_hash

KEPT_CHARACTERS = 2_000
"""Of a refused record in a dead letter; the start of it tells what it was."""

_SCANNED = 2 * KEPT_CHARACTERS
_QUOTED = 60

_BETWEEN: Final = "".join(
    (
        r" ()./_*\-",
        "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000",  # spaces
        "\u00ad\u200b-\u200f\u2060\ufeff",  # nothing that could be seen
        "\u2010-\u2015\u2212\ufe58\ufe63\uff0d",  # hyphens, dashes, minus signs
        "\u00b7\u2022\u2027\u22c5\u30fb\uff65",  # dots in the middle
        "\uff08-\uff0a\uff0e\uff0f\uff3f",  # fullwidth ( ) * . / _
        "\0\ufffd",  # text of another encoding, read as UTF-8
    )
)
"""What may stand between the groups of a number, as in a class of `re`. Not tab, comma, semicolon, colon and
`|`: they part fields and times."""
_LONG_NUMBER = re.compile(rf"\d(?:[{_BETWEEN}]{{0,3}}\d){{8,}}")
"""Nine digits or more, also written in groups: an IMSI, MSISDN or IMEI has at least ten."""
_DATE_AND_TIME = re.compile(
    r"(?a:20[23]\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])_(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)"
)
"""`20260907_0830`, `2026-09-07_083000`: as names of files have it. No phone number of 12 digits begins like
that (code 20 is Egypt, its numbers of this length go on with 1)."""
_DIGITS = 9
_HEX = re.compile("[0-9a-fA-F]+")
_UUIDS = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID = 36
_IMEISV = 16
_TACS = ("01", "35", "86", "91", "99")
"""How TACs begin: the bodies that give them out (3GPP TS 23.003, 6.2; GSMA TS.06)."""
_MADE = frozenset({16, 32, 40, 64, _UUID})
"""Lengths of ids that programs make: hashes in hex, UUIDs."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|/)")
_CUT_ESCAPE = re.compile(r"\\u?[0-9a-fA-F]{0,3}\Z")
_OF_NUMBER = re.compile(rf"[\d{_BETWEEN}]")
"""A character that a number may be written with."""
HIDDEN = "<digits>"
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record that was not taken: what a dead letter holds.

    `reason`: `utf8 json nan depth size type kind identity time`; doors add `columns number value`, `schema`
    (a message's is not known, or can't be used), `decode` (the message is not of its schema or
    protocol), `file` (it can't be read to its end, or the end of a line came after its beginning was taken)
    and `gap` (rows are gone before they were read).
    `detail`: "FIELD: expected X, was Y". `raw`: the start of the record, long numbers hidden.
    """

    reason: str
    detail: str
    source: str
    position: str
    raw: str

    def as_dict(self) -> dict[str, str]:
        """Return the fields, ready for JSON."""
        return {
            "reason": self.reason,
            "detail": self.detail,
            "source": self.source,
            "position": self.position,
            "raw": self.raw,
        }


def dead_letter(refusal: Refusal, stage: str, failed_at: int, origin: Mapping[str, str | int]) -> bytes:
    """Return the dead letter of a refused record. `failed_at`: µs; `origin`: file, or topic and place."""
    return orjson.dumps({**refusal.as_dict(), **origin, "stage": stage, "failed_at": failed_at})


class Bad(Exception):
    """A value is not what its field takes: `expected`, and `was` where its bare type does not say enough.

    Raised by field checks and caught by the doors; never leaves them.
    """

    def __init__(
        self, expected: str, was: str | None = None, reason: str = "type", field: str = "identity"
    ) -> None:
        self.expected = expected
        self.was = was
        self.reason = reason
        self.field = field
        super().__init__(expected)


def redact(raw: bytes | str) -> str:
    """Return the start of a record as text with every run of nine or more digits hidden.

    Also runs with spaces, dashes and the like between the digits, with JSON escapes, and digits of other
    scripts. A date with a time, as names of files have it, is left.
    """
    text = raw[:_SCANNED].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:_SCANNED]
    if len(raw) > _SCANNED:
        text = without_last_number(text)
    text = _LONG_NUMBER.sub(_hidden, _ESCAPE.sub(_unescaped, text))
    return text if len(text) <= KEPT_CHARACTERS else text[: KEPT_CHARACTERS - 1] + "…"


def without_last_number(text: str) -> str:
    """Return a text that was cut without what may be a piece of a number: too short to be seen as one."""
    text = _CUT_ESCAPE.sub("", _ESCAPE.sub(_unescaped, text))
    end = len(text)
    while end and _OF_NUMBER.match(text[end - 1]):
        end -= 1
    return text[:end]


def _hidden(found: re.Match[str]) -> str:
    return found[0] if _DATE_AND_TIME.fullmatch(found[0]) else HIDDEN


def _unescaped(found: re.Match[str]) -> str:
    """Return what a JSON escape stands for, if a number may be written with it."""
    character = "/" if found[1] is None else chr(int(found[1], 16))
    return character if _OF_NUMBER.match(character) else found[0]


def shown_name(name: str, key: bytes) -> str:
    """Return the name of a file or feed as anybody may read it: long numbers hidden as `redact` does.

    Bytes of a name that are not UTF-8 are shown as `?`, for JSON has no such text. Names that look alike then
    are told apart by what follows: a hash of the whole name under `key`, the secret of subscriber keys. It is
    all letters, or it might itself be taken for a number.
    """
    shown = redact(name.encode("utf-8", "replace").decode())
    return name if shown == name else f"{shown}~{keyed_hash(key, 'name ' + name)[:12].translate(_LETTERS)}"


def shown_id(given: str, key: bytes) -> str:
    """Return the id that a feed gives a record as the log may hold it.

    One that may be, or hold, a number of somebody (what `redact` hides) becomes its hash under `key`, the
    secret of subscriber keys: the same for each copy. Hashes in hex and UUIDs stay, though digits may follow
    each other in them, and so do 16 digits, which no IMSI or MSISDN has.
    """
    if len(given) < _DIGITS:
        return given
    if len(given) in _MADE:  # the usual ones first: this runs for every record of a live feed
        bare = given.replace("-", "") if len(given) == _UUID and _UUIDS.fullmatch(given) else given
        if _HEX.fullmatch(bare) and not _may_be_number(bare):
            return given
    if _LONG_NUMBER.sub(_hidden, given) == given:
        return given
    return keyed_hash(key, "id " + given)


def _may_be_number(made: str) -> bool:
    """Say whether hex digits are a number filled up with F, as networks do it, or an IMEISV."""
    digits = made.rstrip("fF")
    if not digits.isdecimal():
        return False
    return len(digits) != _IMEISV or made[:2] in _TACS


def describe(value: Any) -> str:
    """Name the type of a value of a record, in the words of JSON; never the value itself."""
    if value is None:
        return "nothing"
    if value is True or value is False:
        return "true or false"
    for kind, word in (
        (int, "a whole number"),
        (float, "a fraction"),
        (str, "text"),
        (list, "a list"),
        (dict, "a mapping"),
    ):
        if isinstance(value, kind):
            return word
    return type(value).__name__


def quote(text: str) -> str:
    """Quote a short wrong text for a message, long numbers hidden."""
    shown = redact(text if len(text) <= _QUOTED else without_last_number(text[:_QUOTED]))
    return repr(shown if len(shown) <= 40 else shown[:39] + "…")
