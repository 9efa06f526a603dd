"""The behaviours of the last 48 hours, packed: what a new rule reads to see the past (warm start).

Each applied signaling or business record becomes a few bytes: a token (kind, flags, cell and other words, the
places it was resolved to) from a small table, the advance of the clock, and its numbers. Nothing names a
person and nothing is decided on these bytes while the rules stay; they are folded again, in log order, when a
new pattern must be armed (`engine.warm`). Records are appended to the open segment; a segment is dropped as a
whole once its newest clock is 48 h old.

Entry: token u8, clock advance u32 µs (u64 with WIDE), then as the token's flags say: lateness u64 µs,
sighting lateness u64 µs, numbers (u32 each, or a u16-prefixed JSON list).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from struct import Struct
from typing import Any

import orjson

from engine.event import Event
from engine.event_kinds import KINDS

WINDOW = 48 * 3_600_000_000
SPAN = 24 * 3_600_000_000
"""Length of a segment: two to three live ones cover 48 h."""
HOT = 2000

WIDE, LATE, SEEN, SMALL, JSON, NO_TRIGGER = 1, 2, 4, 8, 16, 32

MARK = "="
"""Token kind of a catalogue change."""

_NUMERIC_TYPES = {"bytes", "duration", "money", "number"}
_SKIP = {"quality", "cell"}
WORDS: dict[str, tuple[str, ...]] = {}
"""Kind -> its fields that hold words, in a fixed order: part of the token."""
NUMBERS: dict[str, tuple[str, ...]] = {}
"""Kind -> its fields that hold numbers, in a fixed order: written beside the token."""
for _kind, _spec in KINDS.items():
    NUMBERS[_kind] = tuple(
        n for n, f in _spec.fields.items() if f.type in _NUMERIC_TYPES and n not in ("lac", "tac")
    )
    WORDS[_kind] = tuple(n for n in _spec.fields if n not in NUMBERS[_kind] and n not in _SKIP)

_NARROW = Struct("<BI")
_BROAD = Struct("<BQ")
_LONG = Struct("<Q")
_UINTS = [Struct(f"<{n}I") for n in range(9)]
_ABSENT = 0xFFFFFFFF

Token = tuple[Any, ...]
"""(kind, flags, places, cell, words …)"""


class Segment:
    """A run of packed entries with the tables they refer to."""

    __slots__ = ("base", "buffer", "clock", "count", "packed", "packed_for", "start", "table", "tokens")

    def __init__(self, start: int, base: Any) -> None:
        self.start = start
        """Clock before the first entry."""
        self.base = base
        """Presence before the first entry (plain JSON), for folding again."""
        self.clock = start
        """Clock after the last entry."""
        self.count = 0
        self.buffer = bytearray()
        self.tokens: dict[Token, int] = {}
        self.table: list[Token] = []
        self.packed: tuple[bytes, bytes, bytes] = (b"", b"", b"")
        """Base, strings and tokens as bytes (engine.codec_history), good while the table has
        `packed_for` tokens."""
        self.packed_for = -1


class Past:
    """One entry read back: a record as far as patterns can see it."""

    __slots__ = ("changed", "clock", "event", "no_trigger", "places")

    def __init__(
        self,
        event: Event | None,
        clock: int,
        places: tuple[str, ...] | None,
        no_trigger: bool,
        changed: tuple[str, ...] = (),
    ) -> None:
        self.event = event
        """None: no record but a change of the catalogue."""
        self.changed = changed
        """Places whose cells changed then; `places` are those of the last sighting's cell from then on."""
        self.clock = clock
        """The subscriber's clock once this record was applied."""
        self.places = places
        """Places of its cell, or without a cell of the subscriber then; None = unknown."""
        self.no_trigger = no_trigger


class History:
    """Packed records of 48 h in segments, oldest first."""

    __slots__ = ("recent", "segments", "total")

    def __init__(self) -> None:
        self.recent: dict[str, list[int]] | None = None
        """Kind -> its 2,001 greatest times, sorted; kept only once there are more records than that."""
        self.segments: list[Segment] = []
        self.total = 0

    def is_full(self, clock: int) -> bool:
        """Say whether the next record must begin a segment."""
        segments = self.segments
        return not segments or clock - segments[-1].start > SPAN or len(segments[-1].table) > 250

    def begin(self, clock: int, base: Any) -> None:
        """Begin a segment; `base`: presence before its first record."""
        self.expire(clock)
        self.segments.append(Segment(clock, base))

    def mark(self, clock: int, places: tuple[str, ...], changed: frozenset[str]) -> None:
        """Note that the catalogue's places changed."""
        if self.segments:
            segment = self.segments[-1]
            token = (MARK, WIDE, places, None, *sorted(changed))
            if len(segment.table) < 256:
                segment.table.append(token)
                segment.buffer += _BROAD.pack(len(segment.table) - 1, clock - segment.clock)
                segment.clock = clock

    def append(self, event: Event, clock: int, places: tuple[str, ...] | None, no_trigger: bool) -> None:
        """Add a record just applied; call `is_full` and `begin` before its presence was."""
        if self.recent is not None and self.is_hot(event.kind, clock):
            # bounded: what a hot subscriber does more of is counted, not kept (docs/decisions)
            self._note(event.kind, event.t)
            return
        segment = self.segments[-1]
        fields = event.fields
        kind = event.kind
        get = fields.get
        flags = NO_TRIGGER if no_trigger else 0
        late = clock - event.t
        if late:
            flags |= LATE
        seen = event.t - event.seen
        if seen:
            flags |= SEEN
        advance = clock - segment.clock
        if advance > _ABSENT:
            flags |= WIDE
        packed = b""
        names = NUMBERS[kind]
        if names:
            values = [get(name) for name in names]
            if values.count(None) != len(values):
                try:
                    packed = _UINTS[len(values)].pack(*[_ABSENT if v is None else v for v in values])
                    flags |= SMALL
                except Exception:
                    packed = orjson.dumps(values)
                    packed = len(packed).to_bytes(2, "little") + packed
                    flags |= JSON
        token = (kind, flags, places, event.cell, *[get(name) for name in WORDS[kind]])
        index = segment.tokens.get(token)
        if index is None:
            index = segment.tokens[token] = len(segment.table)
            segment.table.append(token)
        buffer = segment.buffer
        buffer += _BROAD.pack(index, advance) if flags & WIDE else _NARROW.pack(index, advance)
        if flags:
            if late:
                buffer += _LONG.pack(late)
            if seen:
                buffer += _LONG.pack(seen)
            buffer += packed
        segment.clock = clock
        segment.count += 1
        self.total += 1
        if self.total > HOT:
            self._note(kind, event.t)

    def expire(self, clock: int) -> None:
        """Drop segments whose newest entry is 48 h old."""
        while self.segments and self.segments[0].clock <= clock - WINDOW:
            self.total -= self.segments.pop(0).count
        if self.total <= HOT and self.recent is not None:
            self.recent = None

    def read(self) -> Iterator[Past]:
        """Yield every entry in log order."""
        for segment in self.segments:
            yield from unpack(segment)

    def is_hot(self, kind: str, clock: int) -> bool:
        """Say whether `kind` has more than 2,000 records in (clock - 48 h, clock] (semantics 3)."""
        if self.recent is None:
            return False
        times = self.recent.get(kind, ())
        return len(times) > HOT and times[0] > clock - WINDOW

    def _note(self, kind: str, time: int) -> None:
        if self.recent is None:
            self.recent = {}
            for past in self.read():
                if past.event is not None:
                    self._note(past.event.kind, past.event.t)
            return
        times = self.recent.setdefault(kind, [])
        insort(times, time)
        if len(times) > HOT + 1:
            del times[0]


def unpack(segment: Segment) -> Iterator[Past]:
    """Read a segment's entries back."""
    data = bytes(segment.buffer)
    clock = segment.start
    at = 0
    while at < len(data):
        token = segment.table[data[at]]
        kind, flags, places, cell, *words = token
        if flags & WIDE:
            _, advance = _BROAD.unpack_from(data, at)
            at += 9
        else:
            _, advance = _NARROW.unpack_from(data, at)
            at += 5
        clock += advance
        if kind == MARK:
            yield Past(None, clock, places, False, tuple(words))
            continue
        late = seen = 0
        if flags & LATE:
            (late,) = _LONG.unpack_from(data, at)
            at += 8
        if flags & SEEN:
            (seen,) = _LONG.unpack_from(data, at)
            at += 8
        fields = {n: v for n, v in zip(WORDS[kind], words, strict=True) if v is not None}
        if flags & (SMALL | JSON):
            names = NUMBERS[kind]
            values: Any
            if flags & SMALL:
                form = _UINTS[len(names)]
                values = [None if v == _ABSENT else v for v in form.unpack_from(data, at)]
                at += form.size
            else:
                size = int.from_bytes(data[at : at + 2], "little")
                values = orjson.loads(data[at + 2 : at + 2 + size])
                at += 2 + size
            fields.update((n, v) for n, v in zip(names, values, strict=True) if v is not None)
        event = Event(kind, clock - late, "", fields, cell, clock - late - seen)
        yield Past(event, clock, places, bool(flags & NO_TRIGGER))
