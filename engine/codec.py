"""Subscriber state <-> bytes: one blob per subscriber, with a version byte.

Version 2 (written): 0x02, a fixed part (rule set, clock, presence, lengths), then the parts: the cell last
seen, patterns (lists of whole numbers packed, the rest JSON), identity and ledger (JSON, deflated against a
dictionary), ids, ids of business records, counts by kind, what fired at the clock, history; at the end CRC-32
of all that stands before it. Parts keep their bytes until they change.
Version 1 (still read): 0x01 and one JSON object with everything in the open, the
history as a list of plain entries. A blob of an older version is migrated as it is read and written in the
newest form at the next commit; one of a newer version, or a damaged one, raises `StateError`.
"""

from __future__ import annotations

import zlib
from array import array
from functools import lru_cache
from struct import Struct, error
from typing import Any, Final

import orjson

from engine import copies
from engine.codec_history import pack_history, unpack_history
from engine.codec_v1 import plain_history
from engine.errors import StateError
from engine.event_kinds import RATS
from engine.history_words import words_of, write_word
from engine.residence import Habits
from engine.snapshot import HOURS_48, NEVER, Subscriber

VERSION = 2
_FIXED = Struct("<B16sqIqIIBBBB")
_LENGTHS, _WIDE_LENGTHS = Struct("<HHHHBB"), Struct("<IIIIII")
_CHECK = Struct("<I")
_STAMP = Struct("<q")
_LONGEST = (1 << 40) - 1
"""µs: 12 days, longer than anything counts."""
_COLUMN = Struct("<IBH")
"""A packed list of whole numbers: key of its pattern, place in the pattern's state, how many."""
_KEY = 8
"""Hex digits of a pattern's key, but for the very few that need more."""
_LAST = 0xFF
_END = _COLUMN.pack(0, _LAST, 0)
_WITH_DOUBTS = 8
"""Parts of the patterns' JSON where visits are in doubt (ADR 19); else it has one less."""
GAP, WIDE, MARKED = 1, 2, 4
"""MARKED: behind the lengths stands the mark of a canary's switch (`HASH@MARK`), its length in a byte."""
_RATS: tuple[str | None, ...] = (None, *RATS)
_RAT = {rat: number for number, rat in enumerate(_RATS)}

_DICTIONARY: Final = (
    b'"student""has-data-plan","do-not-disturb"],"products":["offer",false]"control","held",true,"shadow",null,'
    b'"data-upsell","data.ever":false,"sms.bundle_left":,{"marketing":true,"location":true},true,null,'
    b'{"profiling":true,[{"brand":"M-Zone","tier":"silver","arpu":[{"brand":"GoTone","tier":"gold","arpu":"vip",'
    b'"arpu":[{"brand":"EasyOwn","tier":"ordinary","arpu":,"age":,"rfm":"222","rfm":"111","tags":[],'
    b'"products":[],"group":"none","handset.network":"4G","handset.mms":false,"handset.mms":true,'
    b'"handset.price":"tags":[],"products":[],"group":"none","handset.network":"5G","handset.mms":true,'
    b'"handset.price":1,"data.month":,"data.left":.,"data.ever":true,"sms.bundle_left":1,"network.months":1'
    b'},{"marketing":true,"profiling":true,"location":true},false,null,"+8613",[],[]]'
)
"""Words that profiles and ledgers repeat. Part of version 2: another dictionary is another version."""


def encode(sub: Subscriber) -> bytes:
    """Write a subscriber's state, newest version."""
    if sub.gates_dirty:
        sub.packed_gates = _deflate(orjson.dumps(_gates(sub)))
        sub.gates_dirty = False
    if sub.core_dirty:
        sub.packed_core = _pack_core(sub)
        # then it holds what changes without saying so, and must be written anew the next time, too
        sub.core_dirty = _has_gaps(sub)
    core, gates, spot, heat = (
        sub.packed_core,
        sub.packed_gates,
        write_word(sub.cell) if sub.cell is not None else b"",
        sub.heat.pack(),
    )
    ids, business = sub.ids, sub.business_ids
    # what fired matters only while the clock stands
    fired = b""
    if sub.fired and sub.fired_at >= sub.clock:
        fired = _STAMP.pack(sub.fired_at) + "\0".join(sorted(sub.fired)).encode()
    sizes = len(core), len(gates), len(ids), len(business), len(heat), len(fired)
    small = max(sizes) <= 0xFFFF and len(heat) <= 0xFF and len(fired) <= 0xFF
    lengths = _LENGTHS if small else _WIDE_LENGTHS
    rules, _, mark = sub.rules.partition("@")
    known = min(sub.known_until - sub.seen_at, _LONGEST)
    fixed = _FIXED.pack(
        VERSION,
        _rules_of(rules),
        sub.clock,
        sub.seq,
        sub.seen_at,
        sub.seen_pos,
        known & 0xFFFFFFFF,
        known >> 32,
        (GAP if sub.gap else 0) | (0 if lengths is _LENGTHS else WIDE) | (MARKED if mark else 0),
        _RAT[sub.rat],
        len(spot),
    )
    body = b"".join(
        (
            fixed,
            lengths.pack(*sizes),
            bytes((len(mark.encode()),)) + mark.encode() if mark else b"",
            spot,
            core,
            gates,
            ids,
            business,
            heat,
            fired,
            pack_history(sub.history),
        )
    )
    return body + _CHECK.pack(zlib.crc32(body))


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


def _pack_core(sub: Subscriber) -> bytes:
    """Write presence and patterns: packed lists, what ends them, then JSON; nothing for nothing."""
    parts: list[Any] = []
    nodes: dict[str, list[Any]] = {}
    for key, state in sub.nodes.items():
        if state[0].__class__ is array and state[-1].__class__ is array and len(key) == _KEY:
            number = int(key, 16)
            for place, column in enumerate(state):
                parts.append(_COLUMN.pack(number, place, len(column)))
                parts.append(column)
        else:
            nodes[key] = _plain(state)
    plain: list[Any] = [
        sub.offs or 0,
        sub.inside or 0,
        sub.visits or 0,
        nodes or 0,
        [(*mark, due) for mark, due in sub.timers.items()] if sub.timers else 0,
        sorted(sub.overdue) if sub.overdue else 0,
        {key: _plain(state) for key, state in sub.derived.items()} if _has_gaps(sub) else 0,
    ]
    if sub.doubts:
        plain.append(sub.doubts)
    if any(plain):
        parts += (_END, orjson.dumps(plain))
    elif parts:
        parts.append(_END)
    return b"".join(parts)


def _plain(state: list[Any]) -> list[Any]:
    return [column.tolist() if column.__class__ is array else column for column in state]


def _has_gaps(sub: Subscriber) -> bool:
    """Say whether the history lacks records of the last 48 hours: then it is not enough to derive from."""
    skipped = sub.history.skipped
    return skipped != NEVER and skipped > sub.clock - HOURS_48


def _unpack_core(sub: Subscriber, data: bytes) -> None:
    at = 0
    packed: dict[str, list[Any]] = {}
    while data:
        number, place, count = _COLUMN.unpack_from(data, at)
        at += _COLUMN.size
        if place == _LAST:
            break
        state = packed.setdefault(f"{number:08x}", [])
        state.append(array("q", data[at : at + 8 * count]))
        at += 8 * count
        if len(state) != place + 1 or len(state[-1]) != count:
            raise ValueError("a packed list is not where it belongs")
    core: list[Any] = orjson.loads(data[at:]) if at < len(data) else [0] * 7
    _set_core(sub, core)
    sub.nodes.update(packed)
    sub.bare = not core[6]
    if core[6]:
        sub.derived, sub.history.skipped = core[6], sub.clock


def _set_core(sub: Subscriber, core: list[Any]) -> None:
    sub.offs = [(time, seq) for time, seq in core[0] or ()]
    sub.inside = tuple(core[1] or ())
    visits = core[2] or {}
    sub.visits = {p: (opened, seq, (t[0], t[1], t[2])) for p, (opened, seq, t) in visits.items()}
    sub.nodes = core[3] or {}
    sub.timers = {(node, argument): due for node, argument, due in core[4] or ()}
    sub.overdue = {(node, place) for node, place in core[5] or ()}
    doubts = core[7] if len(core) == _WITH_DOUBTS else {}
    sub.doubts = {p: (since, count, (t[0], t[1], t[2])) for p, (since, count, t) in doubts.items()}
    dues = [*sub.timers.values(), *(hold["due"] for hold in sub.holds)]
    sub.wake = min(dues) if dues else 0


def _gates(sub: Subscriber) -> list[Any]:
    gates: list[Any] = [
        sub.profile,
        sub.consent,
        sub.suppressed,
        sub.timezone,
        sub.bound,
        sub.contacts,
        sub.holds,
    ]
    habits = sub.habits.pack() if sub.habits is not None else None
    if sub.choice or sub.bound_at or habits:
        gates.append(sub.choice)
    if sub.bound_at or habits:
        gates.append(sub.bound_at)
    if habits:
        gates.append(habits)
    return gates


def _set_gates(sub: Subscriber, gates: list[Any]) -> None:
    sub.profile, sub.consent, sub.suppressed, sub.timezone, sub.bound = gates[:5]
    sub.contacts, sub.holds = gates[5:7]
    sub.choice = gates[7] if len(gates) > 7 else 0
    sub.bound_at = gates[8] if len(gates) > 8 else 0
    sub.habits = Habits.unpack(gates[9]) if len(gates) > 9 else None


# -- versions ------------------------------------------------------------------------------------------------


def _read_2(key: str, blob: bytes) -> Subscriber:
    body = memoryview(blob)[: -_CHECK.size]
    if zlib.crc32(body) != _CHECK.unpack_from(blob, len(body))[0]:
        raise ValueError("its checksum is not the one it was written with")
    sub = Subscriber(key)
    _, rules, sub.clock, sub.seq, sub.seen_at, sub.seen_pos, known, days, flags, rat, spot = (
        _FIXED.unpack_from(blob)
    )
    sub.known_until = sub.seen_at + known + (days << 32)
    sub.rules, sub.gap, sub.rat = rules.hex(), bool(flags & GAP), _RATS[rat]
    lengths = _WIDE_LENGTHS if flags & WIDE else _LENGTHS
    at = _FIXED.size
    sizes = (spot, *lengths.unpack_from(blob, at))
    at += lengths.size
    if flags & MARKED:
        end = at + 1 + blob[at]
        sub.rules += "@" + blob[at + 1 : end].decode()
        at = end
    parts = []
    for size in sizes:
        parts.append(blob[at : at + size])
        at += size
    cell, core, gates, ids, business, heat, fired = parts
    sub.cell = next(words_of(cell)) if cell else None
    sub.history = unpack_history(blob[at : len(body)])
    _set_gates(sub, orjson.loads(_inflate(gates)))
    _unpack_core(sub, core)
    sub.heat.unpack(heat)
    sub.ids, sub.business_ids = bytearray(ids), bytearray(business)
    if fired:
        (sub.fired_at,) = _STAMP.unpack_from(fired)
        sub.fired = set(fired[_STAMP.size :].decode().split("\0"))
    sub.packed_gates, sub.gates_dirty = gates, False
    sub.packed_core, sub.core_dirty = core, _has_gaps(sub)
    return sub


def _read_1(key: str, blob: bytes) -> Subscriber:
    plain = orjson.loads(blob[1:])
    sub = Subscriber(key)
    core = plain["core"]
    sub.rules, sub.clock, sub.seq, sub.seen_at, sub.seen_pos, sub.cell, sub.gap, sub.rat = core[:8]
    sub.known_until = core[8]
    sub.history = plain_history(plain["history"], sub)
    _set_gates(sub, plain["gates"])
    _set_core(sub, core[9:15])
    if core[15]:
        sub.fired_at, sub.fired = core[15][0], set(core[15][1])
    # its history is all in one part, nothing is derived from that
    sub.derived, sub.history.skipped = dict(sub.nodes), sub.clock
    for packed, ids in ((sub.ids, plain["ids"]), (sub.business_ids, core[16] or {})):
        for id, time in ids.items():
            copies.note(packed, copies.name_of(id), time)
    return sub


_READERS = {1: _read_1, 2: _read_2}
