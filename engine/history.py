"""The behaviours of the last 48 hours, packed: what a new rule reads to see the past (warm start).

No raw signaling is kept (docs/decisions/0004). What is: for 48 hours calls, messages, power, roaming, handset
and business records, and what sightings changed about places; data sessions and location records exactly as
far as a loaded rule looks back at them (data at least 2 h), older data as 5-minute sums, which are shown and
never decided on. Nothing is decided on these bytes while the rules stay: they are folded again, in log order,
when a new pattern must be armed (`engine.warm`).

Everything is held in the form it is stored in, so that writing a subscriber's state is copying. Words are
numbered once per subscriber; a token stands for (kind, flags, cell and other words, the places it was resolved
to); an entry is a token u16, the seq u16 (from the segment's first), the clock's advance u32 µs, then as the
token's flags say: lateness, sighting lateness (u32 µs; all three u64 with WIDE), numbers (u32 each, or a
u16-prefixed JSON list). A crossing has lateness and, i64, how long whereabouts were known before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Any

import orjson

from engine.event import Event
from engine.event_kinds import KINDS

HOUR = 3_600_000_000
WINDOW = 48 * HOUR
SPAN = 24 * HOUR
"""Length of a segment of the 48-hour part: two to three live ones."""
NEAR_SEGMENTS = 3
"""The near part reaches back its horizon and at most a third more."""
SLOT = 300_000_000
"""Length of a sum of data use, µs."""
MANY = 16
"""Tokens above which the tables are rid of those no entry uses, when a segment begins."""

WIDE, LATE, SEEN, SMALL, JSON, NO_TRIGGER, IDLE, QUALITY = 1, 2, 4, 8, 16, 32, 64, 128
"""Flags of a token. IDLE: a power.off that changed nothing, being older than the last sighting. QUALITY: the
last word is the record's `quality`."""

CROSSING, MARK = "@", "="
"""Token kinds that are no records: a sighting that changed something; a change of the catalogue."""

_NUMERIC_TYPES = {"bytes", "duration", "money", "number"}
_TECHNICAL = {"cell_prev", "plmn", "home_plmn", "lac", "tac", "result", "cause", "quality", "cell"}
"""Raw signaling, not behaviour: not kept, but for the cell and, of roaming records, the network."""
WORDS: dict[str, tuple[str, ...]] = {}
"""Kind -> its fields that hold words, in a fixed order: part of the token."""
NUMBERS: dict[str, tuple[str, ...]] = {}
"""Kind -> its fields that hold numbers, in a fixed order: written beside the token."""
for _kind, _spec in KINDS.items():
    _kept = [n for n in _spec.fields if n not in _TECHNICAL or (n == "plmn" and _kind.startswith("roam."))]
    NUMBERS[_kind] = tuple(n for n in _kept if _spec.fields[n].type in _NUMERIC_TYPES)
    WORDS[_kind] = tuple(n for n in _kept if n not in NUMBERS[_kind])

_ENTRY = Struct("<HHI")
_WIDE_ENTRY = Struct("<HHQ")
_LAG = Struct("<I")
_WIDE_LAG = Struct("<Q")
_SIGNED = Struct("<qq")
_UINTS = [Struct(f"<{n}I") for n in range(9)]
_ABSENT = 0xFFFFFFFF

Token = tuple[Any, ...]
"""(kind, flags, places, cell, words …)"""


class Segment:
    """A run of packed entries."""

    __slots__ = ("base", "buffer", "clock", "count", "first", "start")

    def __init__(self, start: int, first: int, base: bytes = b"") -> None:
        self.start = start
        """Clock before the first entry."""
        self.first = first
        """Seq that entries count from."""
        self.base = base
        """Visits open before the first entry, JSON, for folding again; only of the 48-hour part."""
        self.clock = start
        """Clock after the last entry."""
        self.count = 0
        self.buffer = bytearray()


class History:
    """Packed behaviours: `far` for 48 hours, `near` for what is kept only as long as rules look back."""

    __slots__ = ("far", "far_until", "near", "packed", "refs", "rows", "strings", "sums", "table", "tokens")

    def __init__(self) -> None:
        self.packed: bytes | None = None
        """What `engine.codec_history` wrote, good until something is added."""
        self.far: list[Segment] = []
        self.far_until = -1
        """A record after this clock must begin a segment of the 48-hour part first."""
        self.near: list[Segment] = []
        self.sums: dict[int, int] = {}
        """5-minute number since 1970 -> bytes of data sessions that are no longer kept."""
        self.tokens: dict[Token, int] = {}
        self.table: list[Token] = []
        self.refs: dict[Any, int] = {}
        """Word -> its number."""
        self.strings = bytearray()
        """The words, see `_word`."""
        self.rows = bytearray()
        """The tokens: flags, length, then references: kind, places, cell, (position, word) …; see `_byte`."""

    def begin_far(self, clock: int, seq: int, visits: dict[str, Any]) -> None:
        """Begin a segment; `visits`: those open before its first record."""
        while self.far and self.far[0].clock <= clock - WINDOW:
            del self.far[0]
        base = {place: (opened, first) for place, (opened, first, _) in visits.items()}
        self.far.append(Segment(clock, seq, orjson.dumps(base) if base else b""))
        self.far_until = clock + SPAN
        self.packed = None
        if len(self.table) > MANY:
            self._tidy()

    def near_segment(self, clock: int, seq: int, horizon: int) -> Segment:
        """Return the open segment of the near part; `horizon`: how far back it must reach, µs."""
        near = self.near
        if not near or clock - near[-1].start > horizon // NEAR_SEGMENTS or seq - near[-1].first > 60_000:
            while near and near[0].clock <= clock - horizon:
                self._sum_up(near.pop(0))
            near.append(Segment(clock, seq))
            if len(self.table) > MANY:
                self._tidy()
        return near[-1]

    def token(self, token: Token) -> int:
        """Return the number of a token, adding it to the tables if it is new."""
        index = self.tokens.get(token)
        if index is None:
            index = self.tokens[token] = len(self.table)
            self.table.append(token)
            row = bytearray()
            for word in token[:1] + token[2:4]:
                row += _byte(self._ref(word))
            for position, word in enumerate(token[4:]):
                if word is not None:
                    row.append(position)
                    row += _byte(self._ref(word))
            self.rows += bytes((token[1], len(row)))
            self.rows += row
        return index

    def _ref(self, word: Any) -> int:
        # 1 == 1.0 == True in a dictionary: the type is part of the key
        key = (word.__class__, word)
        number = self.refs.get(key)
        if number is None:
            number = self.refs[key] = len(self.refs)
            self.strings += _word(word)
        return number

    def _tidy(self) -> None:
        """Rid the tables of tokens that no entry uses any more."""
        segments = (*self.far, *self.near)
        places = [(s.buffer, at, token) for s in segments for at, token in tokens_of(s, self.table)]
        table = self.table
        self.tokens, self.table, self.refs = {}, [], {}
        self.strings, self.rows = bytearray(), bytearray()
        for buffer, at, index in places:
            buffer[at : at + 2] = self.token(table[index]).to_bytes(2, "little")

    def _sum_up(self, segment: Segment) -> None:
        for past in entries_of(segment, self.table):
            event = past.event
            if event is not None and event.kind == "data.session":
                size = event.fields.get("up", 0) + event.fields.get("down", 0)
                if size:
                    slot = event.t // SLOT
                    self.sums[slot] = self.sums.get(slot, 0) + int(size)
        oldest = (segment.clock - WINDOW) // SLOT
        if self.sums and next(iter(self.sums)) < oldest:
            self.sums = {slot: size for slot, size in self.sums.items() if slot >= oldest}


def _word(word: Any) -> bytes:
    """Write a word: length and UTF-8; 255 and 16 bytes for a keyed hash; 254, length u16 and JSON for others."""
    if isinstance(word, str):
        if len(word) == 32:
            try:
                packed = bytes.fromhex(word)
                if packed.hex() == word:
                    return b"\xff" + packed
            except ValueError:
                pass
        text = word.encode()
        if len(text) < 254:
            return bytes((len(text),)) + text
    text = orjson.dumps(word)
    return b"\xfe" + len(text).to_bytes(2, "little") + text


def words_of(data: bytearray) -> Iterator[Any]:
    """Read words back; lists as tuples."""
    at = 0
    while at < len(data):
        size = data[at]
        at += 1
        if size == 255:
            yield data[at : at + 16].hex()
            at += 16
        elif size == 254:
            size = data[at] | data[at + 1] << 8
            word = orjson.loads(data[at + 2 : at + 2 + size])
            yield tuple(word) if isinstance(word, list) else word
            at += 2 + size
        else:
            yield data[at : at + size].decode()
            at += size


def _byte(number: int) -> bytes:
    """Write a reference: one byte up to 254, else 255 and two more."""
    return bytes((number,)) if number < 255 else b"\xff" + number.to_bytes(2, "little")


def append(
    history: History,
    segment: Segment,
    event: Event,
    seq: int,
    clock: int,
    places: tuple[str, ...] | None,
    flags: int,
) -> None:
    """Add a record just applied; `flags`: NO_TRIGGER, IDLE."""
    kind = event.kind
    get = event.fields.get
    late = clock - event.t
    seen = event.t - event.seen
    if late:
        flags |= LATE
    if seen:
        flags |= SEEN
    advance = clock - segment.clock
    if advance > _ABSENT or late > _ABSENT or seen > _ABSENT:
        flags |= WIDE
    packed = b""
    names = NUMBERS[kind]
    if names:
        values = [get(name) for name in names]
        if values.count(None) != len(values):
            try:
                packed = _UINTS[len(values)].pack(*[_ABSENT if v is None else v for v in values])
                flags |= SMALL
            except Exception:  # struct.error: a fraction, or too large for u32
                packed = orjson.dumps(values)
                packed = len(packed).to_bytes(2, "little") + packed
                flags |= JSON
    quality = get("quality")
    token: Token
    if quality:
        flags |= QUALITY
        token = (kind, flags, places, event.cell, *[get(name) for name in WORDS[kind]], tuple(quality))
    else:
        token = (kind, flags, places, event.cell, *[get(name) for name in WORDS[kind]])
    index = history.token(token)
    form, lag = (_WIDE_ENTRY, _WIDE_LAG) if flags & WIDE else (_ENTRY, _LAG)
    buffer = segment.buffer
    buffer += form.pack(index, seq - segment.first, advance)
    if late:
        buffer += lag.pack(late)
    if seen:
        buffer += lag.pack(seen)
    buffer += packed
    segment.clock = clock
    segment.count += 1
    history.packed = None


def append_crossing(history: History, token: Token, seq: int, clock: int, late: int, known: int) -> None:
    """Add what a sighting changed; `token` without flags: (CROSSING, places, words …)."""
    _append_other(history, token, seq, clock)
    history.far[-1].buffer += _SIGNED.pack(late, known)


def append_mark(history: History, token: Token, seq: int, clock: int) -> None:
    """Add a change of the catalogue; `token` without flags: (MARK, places, changed …)."""
    _append_other(history, token, seq, clock)


def _append_other(history: History, token: Token, seq: int, clock: int) -> None:
    segment = history.far[-1]
    advance = clock - segment.clock
    form, flags = (_WIDE_ENTRY, WIDE) if advance > _ABSENT else (_ENTRY, 0)
    index = history.token((token[0], flags, token[1], None, *token[2:]))
    segment.buffer += form.pack(index, seq - segment.first, advance)
    segment.clock = clock
    segment.count += 1
    history.packed = None


# -- read back -----------------------------------------------------------------------------------------------


class Past:
    """One entry read back."""

    __slots__ = ("clock", "event", "flags", "kind", "known_until", "places", "seq", "time", "token")

    def __init__(self, kind: str, seq: int, clock: int, flags: int, places: tuple[str, ...] | None) -> None:
        self.kind = kind
        self.seq = seq
        self.clock = clock
        """The subscriber's clock once this record was applied."""
        self.flags = flags
        self.places = places
        """Of a record: places of its cell, or without one of the subscriber then; None = unknown."""
        self.event: Event | None = None
        """The record, as far as patterns can see it; None for a crossing or a mark."""
        self.token: tuple[Any, ...] = ()
        """Of a crossing or a mark: its words."""
        self.time = 0
        """Of a crossing: the sighting's time."""
        self.known_until = 0
        """Of a crossing: how long whereabouts were known before it."""


def read(history: History) -> list[Past]:
    """Return all entries of both parts in log order; a mark after the record it follows."""
    segments = (*history.far, *history.near)
    entries = [past for segment in segments for past in entries_of(segment, history.table)]
    entries.sort(key=lambda past: (past.seq, past.kind == MARK))
    return entries


def entries_of(segment: Segment, table: list[Token]) -> Iterator[Past]:
    """Read a segment's entries back."""
    data = bytes(segment.buffer)
    clock = segment.start
    for at, index in tokens_of(segment, table):
        kind, flags, places, cell, *words = table[index]
        form, lag = (_WIDE_ENTRY, _WIDE_LAG) if flags & WIDE else (_ENTRY, _LAG)
        _, seq, advance = form.unpack_from(data, at)
        at += form.size
        clock += advance
        past = Past(kind, segment.first + seq, clock, flags, places)
        if kind == CROSSING:
            past.token = tuple(words)
            late, past.known_until = _SIGNED.unpack_from(data, at)
            past.time = clock - late
        elif kind == MARK:
            past.token = tuple(words)
        else:
            late = seen = 0
            if flags & LATE:
                (late,) = lag.unpack_from(data, at)
                at += lag.size
            if flags & SEEN:
                (seen,) = lag.unpack_from(data, at)
                at += lag.size
            fields = {n: v for n, v in zip(WORDS[kind], words, strict=False) if v is not None}
            if flags & QUALITY:
                fields["quality"] = list(words[-1])
            fields.update(_numbers(data, at, kind, flags))
            past.event = Event(kind, clock - late, "", fields, cell, clock - late - seen)
        yield past


def _numbers(data: bytes, at: int, kind: str, flags: int) -> dict[str, Any]:
    names = NUMBERS[kind]
    if flags & SMALL:
        values: Any = _UINTS[len(names)].unpack_from(data, at)
        return {n: v for n, v in zip(names, values, strict=True) if v != _ABSENT}
    if flags & JSON:
        size = int.from_bytes(data[at : at + 2], "little")
        values = orjson.loads(data[at + 2 : at + 2 + size])
        return {n: v for n, v in zip(names, values, strict=True) if v is not None}
    return {}


def tokens_of(segment: Segment, table: list[Token]) -> Iterator[tuple[int, int]]:
    """Walk a segment's entries: yield (where it begins, number of its token)."""
    data, at = segment.buffer, 0
    while at < len(data):
        index = data[at] | data[at + 1] << 8
        yield at, index
        kind, flags = table[index][:2]
        wide = flags & WIDE
        at += 12 if wide else 8
        if kind == CROSSING:
            at += _SIGNED.size
        elif kind != MARK:
            at += ((flags & LATE != 0) + (flags & SEEN != 0)) * (8 if wide else 4)
            if flags & SMALL:
                at += 4 * len(NUMBERS[kind])
            elif flags & JSON:
                at += 2 + (data[at] | data[at + 1] << 8)
