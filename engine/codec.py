"""Subscriber state <-> bytes: one blob per subscriber, with a version byte.

Version 2 (written): 0x02, CRC-32 of all that follows it, then a fixed part (rule set, clock, presence), four
u32 lengths, and the parts: patterns (JSON), identity and ledger (JSON, deflated against a dictionary), ids,
history. Only the first changes with every record; the others keep their bytes until they change. Version 1
(still read): 0x01 and one JSON object with everything in the open, the history as a list of plain entries. A
blob of an older version is migrated as it is read and written in the newest form at the next commit; one of a
newer version, or a damaged one, raises `StateError`.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from itertools import islice
from struct import Struct, error
from typing import Any, Final

import orjson

from engine.codec_history import pack_history, unpack_history
from engine.codec_v1 import plain_history
from engine.errors import StateError
from engine.snapshot import Subscriber

VERSION = 2
_HEAD = Struct("<BI")
_FIXED = Struct("<16sqIqIqBHIIII")
_ID = Struct("<Qq")
_HEX = 16
"""Ids of this length in hex digits are packed to 8 bytes each."""
HOUR = 3_600_000_000
FORGET = HOUR + HOUR // 4
"""Ids are let go by the quarter of an hour, not one by one."""

_DICTIONARY: Final = (
    b"handset.pricehandset.mmshandset.networkdata.monthdata.leftdata.eversms.bundle_leftnetwork.months"
    b'"student","do-not-disturb","has-data-plan"],"products":[],"tags":["group":"none","rfm":"age":"arpu":'
    b'"tier":"ordinary","silver","gold","vip","brand":"GoTone","EasyOwn","M-Zone","handset.network":"5G","4G",'
    b'"handset.mms":true,"handset.price":"data.month":"data.left":"data.ever":true,"sms.bundle_left":'
    b'"network.months":0,"offer",false,"control","held",true,"shadow",null,"data-upsell",'
    b'[{"brand":"},{"marketing":true,"profiling":true,"location":true},false,null,"+8613",[],[]]'
)
"""Words that profiles and ledgers repeat. Part of version 2: another dictionary is another version."""


def encode(sub: Subscriber) -> bytes:
    """Write a subscriber's state, newest version."""
    if sub.gates_dirty:
        sub.packed_gates = _deflate(orjson.dumps(_gates(sub)))
        sub.gates_dirty = False
    gates = sub.packed_gates
    if sub.core_dirty:
        sub.packed_core = orjson.dumps(_core(sub))
        sub.core_dirty = False
    core = sub.packed_core
    spot = f"{sub.cell or ''}\0{sub.rat or ''}".encode()
    ids = _pack_ids(sub)
    history = pack_history(sub.history)
    fixed = _FIXED.pack(
        _rules_of(sub.rules),
        sub.clock,
        sub.seq,
        sub.seen_at,
        sub.seen_pos,
        sub.known_until,
        sub.gap,
        len(spot),
        len(core),
        len(gates),
        len(ids),
        len(history),
    )
    body = b"".join((fixed, spot, core, gates, ids, history))
    return _HEAD.pack(VERSION, zlib.crc32(body)) + body


def decode(key: str, blob: bytes) -> Subscriber:
    """Read a subscriber's state of any known version; raise `StateError` for anything else."""
    version = blob[0] if blob else 0
    reader = _READERS.get(version)
    if reader is None:
        raise StateError(f"state of {key}: expected version 1 to {VERSION}, was {version}")
    try:
        return reader(key, blob)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, error, zlib.error) as cause:
        raise StateError(f"state of {key}: expected a whole blob, was damaged ({cause})") from cause


@lru_cache(maxsize=64)
def _rules_of(rules: str) -> bytes:
    return bytes.fromhex(rules)


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return packer.compress(data) + packer.flush()


def _inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15, _DICTIONARY).decompress(data)


def _core(sub: Subscriber) -> list[Any]:
    return [
        sub.offs or 0,
        sub.inside or 0,
        sub.visits or 0,
        sub.nodes,
        [(*mark, due) for mark, due in sub.timers.items()] if sub.timers else 0,
        sorted(sub.overdue) if sub.overdue else 0,
        # what fired matters only while the clock stands
        [sub.fired_at, sorted(sub.fired)] if sub.fired_at >= sub.clock and sub.fired else 0,
        sub.business_ids or 0,
        sub.heat.pack() or 0,
    ]


def _set_core(sub: Subscriber, core: list[Any]) -> None:
    sub.offs = [(time, seq) for time, seq in core[0] or ()]
    sub.inside = tuple(core[1] or ())
    visits = core[2] or {}
    sub.visits = {p: (opened, seq, (t[0], t[1], t[2])) for p, (opened, seq, t) in visits.items()}
    sub.nodes = core[3]
    sub.timers = {(node, argument): due for node, argument, due in core[4] or ()}
    sub.overdue = {(node, place) for node, place in core[5] or ()}
    if core[6]:
        sub.fired_at, sub.fired = core[6][0], set(core[6][1])
    sub.business_ids = core[7] or {}
    sub.heat.unpack(core[8] or [])
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
    sub.profile, sub.consent, sub.suppressed, sub.timezone, sub.bound = gates[:5]
    sub.contacts, sub.holds = gates[5:]


# -- ids of the last hour ------------------------------------------------------------------------------------


def _pack_ids(sub: Subscriber) -> bytes:
    """Write ids and their times: u64 and i64 each if all are 16 hex digits, else JSON after a zero byte.

    Only what was added since the last time is packed: ids stand in the order they came.
    """
    ids = sub.ids
    if ids and next(iter(ids.values())) < sub.clock - FORGET:
        ids = sub.ids = {id: time for id, time in ids.items() if time >= sub.clock - HOUR}
        sub.packed_ids = bytearray(b"\x01")
    packed = sub.packed_ids
    done = (len(packed) - 1) // _ID.size
    if done > len(ids):  # pruned meanwhile
        packed = sub.packed_ids = bytearray(b"\x01")
        done = 0
    for id, time in islice(ids.items(), done, None):
        try:
            number = int(id, 16)
            if len(id) != _HEX or id != f"{number:016x}":
                raise ValueError
        except ValueError:
            return b"\x00" + orjson.dumps(ids)
        packed += _ID.pack(number, time)
    return bytes(packed)


def _unpack_ids(data: bytes) -> dict[str, int]:
    if data[0] == 0:
        found: dict[str, int] = orjson.loads(data[1:])
        return found
    return {f"{number:016x}": time for number, time in _ID.iter_unpack(data[1:])}


# -- versions ------------------------------------------------------------------------------------------------


def _read_2(key: str, blob: bytes) -> Subscriber:
    _, check = _HEAD.unpack_from(blob)
    if zlib.crc32(memoryview(blob)[_HEAD.size :]) != check:
        raise ValueError("its checksum is not the one it was written with")
    sub = Subscriber(key)
    rules, sub.clock, sub.seq, sub.seen_at, sub.seen_pos, sub.known_until, late, *sizes = _FIXED.unpack_from(
        blob, _HEAD.size
    )
    parts = []
    at = _HEAD.size + _FIXED.size
    for size in sizes:
        parts.append(blob[at : at + size])
        at += size
    sub.rules = rules.hex()
    sub.gap = bool(late)
    spot, core, gates, ids, history = parts
    cell, rat = spot.decode().split("\0")
    sub.cell, sub.rat = cell or None, rat or None
    sub.history = unpack_history(history)
    _set_gates(sub, orjson.loads(_inflate(gates)))
    _set_core(sub, orjson.loads(core))
    sub.ids = _unpack_ids(ids)
    if ids[0]:
        sub.packed_ids = bytearray(ids)
    sub.packed_gates, sub.gates_dirty = gates, False
    sub.packed_core, sub.core_dirty = core, False
    return sub


def _read_1(key: str, blob: bytes) -> Subscriber:
    plain = orjson.loads(blob[1:])
    sub = Subscriber(key)
    core = plain["core"]
    sub.rules, sub.clock, sub.seq, sub.seen_at, sub.seen_pos, cell, sub.gap, rat, known = core[:9]
    sub.known_until = known
    sub.history = plain_history(plain["history"], sub)
    _set_gates(sub, plain["gates"])
    sub.cell, sub.rat = cell, rat
    _set_core(sub, core[9:])
    sub.ids = dict(plain["ids"].items())
    return sub


_READERS = {1: _read_1, 2: _read_2}
