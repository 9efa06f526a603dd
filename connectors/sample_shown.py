"""How texts, values and mistakes of a sample are shown: what names a person is hidden unless asked for.

Of both checks of maps, `connectors.map_check` and `connectors.message_check`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engine.field_checks import PERSONAL
from engine.identity import Identity
from engine.refusals import Bad, Refusal, redact

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN: Final = 60
"""Characters of a text or a value that are shown."""


def tried(read: Callable[[], Any]) -> tuple[Any, str]:
    """Return what a reader gives, and what is wrong with it."""
    try:
        return read(), ""
    except Bad as bad:
        return None, f"{bad.reason}: expected {bad.expected}, was {bad.was or 'empty'}"


def why(refusal: Refusal | None) -> str:
    """Say why a record was refused; empty if it was not."""
    return "" if refusal is None else f"{refusal.reason}: {refusal.detail}"


def shown_text(name: str, text: str, *, open: bool, plain: bool) -> str:
    """Write the text that a field is made of. `plain`: a time, which may have many digits."""
    text = _printable(text)
    if open or plain:
        return text[:SHOWN]
    if (name in PERSONAL or name == "number") and text.strip():
        return f"<{len(text.strip())} characters>"
    return redact(text)[:SHOWN]


def shown_value(name: str, value: Any, identity: Identity, *, open: bool) -> str:
    """Write the value of a field; what names a person as the log has it, hashed, if not `open`."""
    if name in ("t", "t_start") and value.__class__ is int:  # a helper may have this name, too
        return moment(value)
    if name in PERSONAL or name == "number":
        return str(value) if open else _hashed(name, value, identity)
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    # hashes and what ids are made of hold no number of anybody, though digits may follow each other
    plain = (
        open
        or name in ("subscriber_key", "id")
        or (name in ("cell", "cell_prev") and all(len(part) < 10 for part in text.split("-")))
    )
    return (text if plain else redact(text))[:SHOWN]


def _hashed(name: str, value: Any, identity: Identity) -> str:
    if name in ("imei", "imeisv"):
        return "<a handset>"
    text = identity.number(str(value)) if name == "number" else identity.hash_number(str(value))
    return text if len(text) < 9 else f"~{text[:8]}"


def moment(micros: int) -> str:
    """Write a time as UTC; one that no calendar has as it is not."""
    try:
        return (_EPOCH + timedelta(microseconds=micros)).isoformat(" ", "milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return "out of range"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
