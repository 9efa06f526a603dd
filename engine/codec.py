"""Subscriber state <-> bytes: one blob per subscriber, with a version byte.

Version 2 (written): 0x02, four u32 lengths, then core, identity and ledger, ids, history. The part that
changes with every record (core) is one JSON list; profile and ledger keep their bytes until they change; the
packed history is copied as it is (`engine.history`). Version 1 (still read): 0x01 and everything as one JSON
object, with the history as a list of plain entries. A blob of an older version is migrated as it is read and
written in the newest form at the next commit; one of a newer version, or a damaged one, raises `StateError`.
"""

from __future__ import annotations

from struct import Struct, error
from typing import Any

import orjson

from engine.codec_history import pack_history, plain_history, unpack_history
from engine.errors import StateError
from engine.snapshot import Subscriber

VERSION = 2
_HEAD = Struct("<BIIII")
_HEX = 16
"""Ids of this length in hex digits are packed to 8 bytes each."""


def encode(sub: Subscriber) -> bytes:
    """Write a subscriber's state, newest version."""
    if sub.gates_dirty:
        sub.packed_gates = orjson.dumps(_gates(sub))
        sub.gates_dirty = False
    core = orjson.dumps(_core(sub))
    ids = _pack_ids(sub)
    history = pack_history(sub.history)
    gates = sub.packed_gates
    return b"".join(
        (_HEAD.pack(VERSION, len(core), len(gates), len(ids), len(history)), core, gates, ids, history)
    )


def decode(key: str, blob: bytes) -> Subscriber:
    """Read a subscriber's state of any known version; raise `StateError` for anything else."""
    version = blob[0] if blob else 0
    reader = _READERS.get(version)
    if reader is None:
        raise StateError(f"state of {key}: expected version 1 to {VERSION}, was {version}")
    try:
        return reader(key, blob)
    except (ValueError, TypeError, KeyError, IndexError, error) as cause:
        raise StateError(f"state of {key}: expected a whole blob, was damaged ({cause})") from cause


def _core(sub: Subscriber) -> list[Any]:
    return [
        sub.rules,
        sub.clock,
        sub.seq,
        sub.seen_at,
        sub.seen_pos,
        sub.cell,
        sub.seen_late,
        sub.rat,
        sub.known_until,
        sub.offs,
        sub.inside,
        sub.visits,
        sub.nodes,
        [(*mark, due) for mark, due in sub.timers.items()],
        sorted(sub.overdue) if sub.overdue else (),
        # what fired matters only while the clock stands
        [sub.fired_at, sorted(sub.fired)] if sub.fired_at >= sub.clock and sub.fired else None,
        sub.business_ids or None,
        sub.history.recent,
    ]


def _set_core(sub: Subscriber, core: list[Any]) -> None:
    (
        sub.rules,
        sub.clock,
        sub.seq,
        sub.seen_at,
        sub.seen_pos,
        sub.cell,
        sub.seen_late,
        sub.rat,
        sub.known_until,
    ) = core[:9]
    sub.offs = [(time, seq) for time, seq in core[9]]
    sub.inside = tuple(core[10])
    sub.visits = {p: (opened, seq, (t[0], t[1], t[2])) for p, (opened, seq, t) in core[11].items()}
    sub.nodes = core[12]
    sub.timers = {(node, argument): due for node, argument, due in core[13]}
    sub.overdue = {(node, place) for node, place in core[14]}
    if core[15] is not None:
        sub.fired_at, sub.fired = core[15][0], set(core[15][1])
    sub.business_ids = core[16] or {}
    sub.history.recent = core[17]
    dues = [*sub.timers.values(), *(hold["due"] for hold in sub.holds)]
    sub.wake = min(dues) if dues else 0


def _gates(sub: Subscriber) -> list[Any]:
    return [
        sub.profile,
        sub.consent,
        sub.suppressed,
        sub.timezone,
        sub.bound,
        sub.contacts,
        sub.holds,
    ]


def _set_gates(sub: Subscriber, gates: list[Any]) -> None:
    (
        sub.profile,
        sub.consent,
        sub.suppressed,
        sub.timezone,
        sub.bound,
        sub.contacts,
        sub.holds,
    ) = gates


# -- ids of the last hour ------------------------------------------------------------------------------------


def _pack_ids(sub: Subscriber) -> bytes:
    """Write ids as 8 bytes and 4 of age each where they are 16 hex digits, else as JSON after a zero byte."""
    ids, clock = sub.ids, sub.clock
    limit = clock - 3_600_000_000
    if ids and next(iter(ids.values())) < limit:
        ids = sub.ids = {id: time for id, time in ids.items() if time >= limit}
    if not ids:
        return b""
    try:
        packed = bytes.fromhex("".join(ids))
        if len(packed) == 8 * len(ids) and "".join(ids).islower() and all(map(_is_packable, ids)):
            ages = Struct(f"<{len(ids)}I").pack(*[clock - time for time in ids.values()])
            return b"\x01" + packed + ages
    except (ValueError, error):
        pass
    return b"\x00" + orjson.dumps(ids)


def _is_packable(id: str) -> bool:
    return len(id) == _HEX


def _unpack_ids(data: bytes, clock: int) -> dict[str, int]:
    if not data:
        return {}
    if data[0] == 0:
        found: dict[str, int] = orjson.loads(data[1:])
        return found
    count = (len(data) - 1) // 12
    digits = data[1 : 1 + 8 * count].hex()
    ages = Struct(f"<{count}I").unpack_from(data, 1 + 8 * count)
    return {digits[i * _HEX : (i + 1) * _HEX]: clock - age for i, age in enumerate(ages)}


# -- versions ------------------------------------------------------------------------------------------------


def _read_2(key: str, blob: bytes) -> Subscriber:
    _, *sizes = _HEAD.unpack_from(blob)
    if len(blob) != _HEAD.size + sum(sizes):
        raise ValueError(f"expected {_HEAD.size + sum(sizes)} bytes, was {len(blob)}")
    parts = []
    at = _HEAD.size
    for size in sizes:
        parts.append(blob[at : at + size])
        at += size
    sub = Subscriber(key)
    sub.history = unpack_history(parts[3])
    _set_gates(sub, orjson.loads(parts[1]))
    _set_core(sub, orjson.loads(parts[0]))
    sub.ids = _unpack_ids(parts[2], sub.clock)
    return sub


def _read_1(key: str, blob: bytes) -> Subscriber:
    plain = orjson.loads(blob[1:])
    sub = Subscriber(key)
    sub.history = plain_history(plain["history"])
    _set_gates(sub, plain["gates"])
    _set_core(sub, plain["core"])
    sub.ids = plain["ids"]
    return sub


_READERS = {1: _read_1, 2: _read_2}
