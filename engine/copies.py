"""Ids of applied records, packed: is a record a copy of one that was applied? (semantics.md 1.6)

An entry has 14 bytes, in the order of application: 8 of the id (its 16 hex digits, else their hash) and the
low 48 bits of the record's `t`. Nothing is built or torn down to ask or to store: the bytes are the state.
"""

from __future__ import annotations

from hashlib import blake2b

SIZE = 14
LOOK = 4 * SIZE
"""Whenever so many bytes were added it is worth asking whether some may go."""
_NAME = 8
_TIMES = (1 << 48) - 1
"""Times are told apart for 8.9 years."""
MOST = 4_000
"""Ids a subscriber's state keeps, one a second for an hour: it stays bounded whatever a feed does."""


def name_of(id: str) -> bytes:
    """Return the 8 bytes an id is known by."""
    if len(id) == 2 * _NAME:
        try:
            name = bytes.fromhex(id)
        except ValueError:
            name = b""
        # capitals and spaces are read, too, but make another id
        if len(name) == _NAME and name.hex() == id:
            return name
    return blake2b(id.encode(), digest_size=_NAME).digest()


def is_copy(ids: bytearray, name: bytes, clock: int, limit: int) -> bool:
    """Say whether an id was applied with `t` >= clock - limit (µs)."""
    at = ids.find(name)
    while at >= 0:
        if at % SIZE == 0 and _age(ids, at, clock) <= limit:
            return True
        at = ids.find(name, at + 1)
    return False


def note(ids: bytearray, name: bytes, time: int) -> None:
    """Remember an id that was just applied with `t` = time."""
    ids += name + (time & _TIMES).to_bytes(6, "little")


def forget(ids: bytearray, clock: int, limit: int) -> None:
    """Drop what stands before the first id applied with `t` >= clock - limit, and the oldest of more than
    `MOST`.

    A late one may be dropped later than it could be: what is too old is no copy anyway.
    """
    size = len(ids)
    at = max(0, size - MOST * SIZE)
    while at < size and _age(ids, at, clock) > limit:
        at += SIZE
    if at:
        del ids[:at]


def times(ids: bytearray, clock: int) -> list[int]:
    """Return the times of all ids, in the order of application."""
    return [clock - _age(ids, at, clock) for at in range(0, len(ids), SIZE)]


def _age(ids: bytearray, at: int, clock: int) -> int:
    return (clock - int.from_bytes(ids[at + _NAME : at + SIZE], "little")) & _TIMES
