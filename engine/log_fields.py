"""What may stand in a log, and how: the list of fields, and the hiding of numbers in texts.

Logs are read by many and kept long, so nothing in them may name a person: no number, and no subscriber key.
A field that is not on the list is left out and counted; texts lose every long run of digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from engine.refusals import redact, without_last_number

FIELDS: Final[Mapping[str, str]] = {
    "partition": "number of a partition",
    "partitions": "numbers of partitions, or how many",
    "topic": "name of a topic",
    "topics": "names of topics",
    "group": "name of a consumer group",
    "offset": "position in a partition",
    "since": "position from which something is read",
    "records": "how many records",
    "offers": "how many offers",
    "decisions": "how many decisions",
    "messages": "how many messages",
    "subscribers": "how many subscribers",
    "rows": "how many rows of a file",
    "count": "how many of anything else",
    "lag": "records that wait",
    "bytes": "size",
    "seconds": "how long something took",
    "wait": "seconds until the next try",
    "attempt": "number of a try",
    "rule": "name of a rule",
    "rules": "how many rules, or their names",
    "hash": "hash of a rule set",
    "canary": "who moves to another rule set: a share, or a place of the catalogue",
    "by": "who published a rule set: a name of the staff, as given",
    "decision": "id of a decision: a keyed hash that names nobody",
    "channel": "name of a channel",
    "status": "what became of a message",
    "outcome": "what became of a record",
    "fate": "what became of a row",
    "reason": "named reason of a refusal",
    "source": "name of a feed",
    "kind": "kind of a record",
    "file": "name of a file of a feed",
    "folder": "a folder",
    "line": "number of a line in a file",
    "host": "address of a server",
    "port": "port of a server",
    "op": "what was asked of Redis or Kafka",
    "page": "livez or readyz",
    "check": "name of a check of /livez or /readyz",
    "problem": "sentence about what is wrong, without values of records",
    "problems": "such sentences",
    "expected": "what was expected, in plain words",
    "was": "what was there instead, described",
    "signal": "name of a signal",
    "step": "what the role was doing",
    "state": "in which state a part of the program is",
    "role": "role of the process",
    "version": "version of the program or of a server",
    "error": "an exception: class, message without numbers, positions in the code",
    "setting": "name of a setting, never its value",
    "lane": "name of a lane",
    "task": "name of a task",
    "pid": "number of a process",
    "code": "exit code",
}
"""Field -> what it holds, which is why it may be logged."""
ALLOWED: Final = frozenset(FIELDS)

MAY_BE_BIG: Final = frozenset(("offset", "since", "bytes"))
"""Whole numbers here are positions and sizes: they may have 12 digits, less than any IMSI or IMEI has."""
HASHES: Final = frozenset(("hash", "decision"))
"""Hexadecimal here is shown as it is, though it may hold a long run of digits."""

LONGEST: Final = 2_000
"""Characters of a text."""
HIDDEN: Final = "<digits>"
BIG, POSITIONS = 10**8, 10**12
"""From here on a whole number is hidden: of any field, of those of `MAY_BE_BIG`."""
ITEMS, DEPTH, FRAMES, CHAIN = 20, 4, 20, 5
"""Of lists, of lists in lists, of positions, of causes: what is shown at most."""

_LEFT = re.compile(
    r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3}:\d{1,5})(?!\d)"
    r"|(?<![0-9A-Za-z])((?=(?:[0-9]*[a-f]){4})(?![0-9a-f]*\d{10})[0-9a-f]{32})(?![0-9A-Za-z])"
)
"""An IPv4 address with its port: which broker does not answer is worth knowing, and it is no phone number. A
keyed hash: which rules, whose state; nobody can tell a number from it. One in 13 has a run of digits as long
as a number, and is not left."""
_HEX = re.compile(r"(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}\Z")


def hide(text: str) -> str:
    """Return a text without its long runs of digits, cut to what a log should hold of it."""
    if len(text) > LONGEST:
        text = without_last_number(text[:LONGEST]) + "…"
    text = text.encode("utf-8", "replace").decode()  # JSON has no lone surrogates
    shown, at = [], 0
    for left in _LEFT.finditer(text):
        shown += [redact(text[at : left.start()]), left[0]]
        at = left.end()
    return "".join((*shown, redact(text[at:])))


def allowed(fields: Mapping[Any, Any], depth: int = 0) -> tuple[dict[str, Any], int]:
    """Return the fields that may be logged, as they may be, and how many were left out."""
    kept: dict[str, Any] = {}
    dropped = 0
    for name, value in fields.items():
        if name in ALLOWED:
            kept[name], inner = _shown(name, value, depth)
            dropped += inner
        else:
            dropped += 1
    return kept, dropped


def _shown(name: str, value: Any, depth: int) -> tuple[Any, int]:
    """Return a value as it may be logged, and how many fields in it were left out."""
    if value is None or isinstance(value, bool):
        return value, 0
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, int):
        return (value if abs(value) < (POSITIONS if name in MAY_BE_BIG else BIG) else HIDDEN), 0
    if isinstance(value, float):
        return (round(value, 6) if abs(value) < BIG else HIDDEN), 0
    if isinstance(value, str | Path):
        text = str(value)
        return (text if name in HASHES and _HEX.match(text) else hide(text)), 0
    if isinstance(value, bytes):
        return hide(value.decode("utf-8", "replace")), 0
    if isinstance(value, BaseException):
        return shown_exception(value), 0
    if depth < DEPTH and isinstance(value, Mapping):
        return allowed(value, depth + 1)
    if depth < DEPTH and isinstance(value, list | tuple | set | frozenset):
        items = [_shown(name, item, depth + 1) for item in list(value)[:ITEMS]]
        return [item for item, _ in items], sum(count for _, count in items)
    return f"<{type(value).__name__}>", 0


def shown_exception(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """Describe an exception: class, message without numbers, and where in the code it came from.

    No values of variables and no lines of source. Causes are described alike.
    """
    shown: dict[str, Any] = {
        "class": type(error).__qualname__,
        "message": _message(error),
        "at": _positions(error.__traceback__),
    }
    if depth < CHAIN:
        if isinstance(error, BaseExceptionGroup):
            shown["group"] = [shown_exception(part, depth + 1) for part in error.exceptions[:CHAIN]]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            shown["cause"] = shown_exception(cause, depth + 1)
    return shown


def _message(error: BaseException) -> str:
    if hasattr(error, "error_count"):  # pydantic repeats the input that it refused
        return f"{error.error_count()} errors of validation"
    try:
        return hide(str(error))
    except Exception as another:  # a broken __str__ must not hide the first error
        return f"<no message: {type(another).__name__}>"


def _positions(traceback: TracebackType | None) -> list[str]:
    """Name the last code positions, innermost last: `module:line function`."""
    found = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__", "?"))
        found.append(f"{module}:{traceback.tb_lineno} {frame.f_code.co_name}")
        traceback = traceback.tb_next
    return found[-FRAMES:]
