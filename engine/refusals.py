"""Refused records: a named reason, where, what was expected, and the record without anything personal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from engine.numbers import keyed_hash

KEPT_CHARACTERS = 2_000
"""Of a refused record in a dead letter; the start of it tells what it was."""

_SCANNED = 2 * KEPT_CHARACTERS

_ESCAPED_DIGIT = re.compile(r"\\u003([0-9])")
_LONG_NUMBER = re.compile(r"\d(?:[ ().\-/]{0,3}\d){8,}")
"""Nine digits or more, also written in groups: an IMSI, MSISDN or IMEI has at least ten."""
HIDDEN = "<digits>"
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record that was not taken: what a dead letter holds.

    `reason`: `utf8 json nan depth size type kind identity time`; doors add `columns number value`, `file` (it
    can't be read to its end) and `gap` (rows are gone before they were read).
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

    Also runs with separators between the digits, digits written as JSON escapes, and those of other scripts.
    """
    text = raw[:_SCANNED].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:_SCANNED]
    if len(raw) > _SCANNED:  # the cut may have left a piece of a number that is too short to be seen as one
        text = text.rstrip("0123456789 ().-/\\u")
    text = _LONG_NUMBER.sub(HIDDEN, _ESCAPED_DIGIT.sub(r"\1", text))
    return text if len(text) <= KEPT_CHARACTERS else text[: KEPT_CHARACTERS - 1] + "…"


def shown_name(name: str, key: bytes) -> str:
    """Return the name of a file or feed as anybody may read it: long numbers hidden as `redact` does.

    Names that look alike then are told apart by what follows: a hash of the whole name under `key`, the
    secret of subscriber keys. It is all letters, or it might itself be taken for a number.
    """
    shown = redact(name)
    return name if shown == name else f"{shown}~{keyed_hash(key, 'name ' + name)[:12].translate(_LETTERS)}"


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
    shown = redact(text[:60])
    return repr(shown if len(shown) <= 40 else shown[:39] + "…")
