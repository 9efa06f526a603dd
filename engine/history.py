"""The behaviours of the last 48 hours, packed: what a new rule reads to see the past (warm start).

No raw signaling is kept (docs/decisions/0002). What is: for 48 hours calls, messages, power, roaming, handset
and business records, and what sightings changed about places; data sessions and location records exactly as
far as a loaded rule looks back at them (data at least 2 h), and data as 5-minute sums, which are shown and
never decided on. Nothing is decided on these bytes while the rules stay: they are folded again, in log order,
when a new pattern must be armed (`engine.warm`).

Everything is held in the form it is stored in, so that writing a subscriber's state is copying. Words (cells,
numbers, places …) are numbered once per subscriber. An entry is: kind u8, flags u8, seq u16 (from the
segment's first), the clock's advance u32 µs; lateness and sighting lateness if the flags say so (u32 µs);
with WIDE seq is u32 and the times are u64; a reference for places, cell and each word of the kind (u8, 0 =
none; u16 each with MANY); then numbers (u32 each, fractions f64; or a u16-prefixed JSON list). A crossing has
lateness and, i64, how long whereabouts were known before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from struct import error as StructError
from typing import Any

import orjson

from engine.data_use import DataUse
from engine.event import Event
from engine.event_kinds import KINDS
from engine.history_words import FIXED_WORDS, cut, length_of, words_of, write_word

HOUR = 3_600_000_000
WINDOW = 48 * HOUR
SPAN = 24 * HOUR
"""Length of a segment of the 48-hour part: two to three live ones."""
NEAR_SEGMENTS = 2
"""The near part reaches back its horizon and at most half more."""
MOST_BYTES = 128 * 1024
"""Size of a segment above which nothing more is kept: state stays bounded whatever a feed does."""
MOST_WORDS = 60_000
"""Words are numbered with 16 bits."""
CROWDED = 96
"""Words above which those that no entry uses are dropped, when a segment begins."""

WIDE, LATE, SEEN, SMALL, JSON, NO_TRIGGER, IDLE, MANY = 1, 2, 4, 8, 16, 32, 64, 128
"""Flags of an entry. IDLE: a power.off that changed nothing, being older than the last sighting; of a kind
with a duration: it was seen where it began, that long before its end."""

NEAR = ("data.", "loc.")
"""Kinds that are kept only as far as rules look back at them (docs/decisions/0002)."""

CROSSING, MARK = "@", "="
"""Kinds of entries that are no records: a sighting that changed something; a change of the catalogue."""
CODES = {kind: code for code, kind in enumerate(KINDS)} | {CROSSING: 126, MARK: 127}
"""Numbers of kinds in stored state: the order of the table, which only grows at its end."""
PLAIN = 128
"""Added to the number of a kind: its last two words, which are rarely given, are not."""
_RARE = 2
_KIND_OF = {code: kind for kind, code in CODES.items()}

_NUMERIC_TYPES = {"bytes", "duration", "money", "number"}
TECHNICAL = {"cell_prev", "plmn", "home_plmn", "lac", "tac", "result", "cause", "cell", "cell_end"}
"""Raw signaling, not behaviour: not kept, but for the cell and, of roaming records, the network."""
CLASSES = "number_class"
"""Stands with the number, of which it is told: one word, the number and its classes."""
WORDS: dict[str, tuple[str, ...]] = {
    CROSSING: ("known", "opened", "entered", "went_on", "rat"),
    MARK: ("changed",),
}
"""Kind -> its fields that hold words, in a fixed order."""
NUMBERS: dict[str, tuple[str, ...]] = {CROSSING: (), MARK: ()}
"""Kind -> its fields that hold numbers, in a fixed order."""
for _kind, _spec in KINDS.items():
    _kept = [n for n in _spec.fields if n not in TECHNICAL or (n == "plmn" and _kind.startswith("roam."))]
    NUMBERS[_kind] = tuple(n for n in _kept if _spec.fields[n].type in _NUMERIC_TYPES)
    WORDS[_kind] = tuple(n for n in _kept if n not in NUMBERS[_kind] and n != CLASSES)

LOOSE: dict[str, tuple[str, ...]] = dict.fromkeys(WORDS, ())
"""Kind -> its words that hardly ever come again: they stand in the entry itself, unnumbered."""
for _kind in WORDS:
    LOOSE[_kind] = tuple(n for n in WORDS[_kind] if n in ("host", "text", "about"))
    _rare = [n for n in WORDS[_kind] if n in ("phase", "quality")]
    WORDS[_kind] = tuple(n for n in WORDS[_kind] if n not in LOOSE[_kind] and n not in _rare) + tuple(_rare)

_NUMBERED = {word: number for number, word in enumerate(FIXED_WORDS)}

_ENTRY = Struct("<BBHI")
_WIDE_ENTRY = Struct("<BBIQ")
_LAG = Struct("<I")
_WIDE_LAG = Struct("<Q")
_SIGNED = Struct("<qq")
_SINCE = 6
"""Bytes of the time since whereabouts were known no more, µs, signed."""
_LONG_AGO, _MASK = (1 << 47) - 1, (1 << 48) - 1
_ABSENT = 0xFFFFFFFF
_LARGEST = _LAG.pack(_ABSENT)
_NAN = float("nan")
_FORMS: dict[str, tuple[Struct, tuple[int | float, ...]]] = {}
"""Kind -> how its numbers are packed, and what stands for an absent one: money as f64, durations as u32 ms,
all others as u32."""
TIMED = {kind for kind, names in NUMBERS.items() if "duration" in names}
"""Kinds with a duration, which is the last of their numbers."""
for _kind, _spec in KINDS.items():
    NUMBERS[_kind] = tuple(sorted(NUMBERS[_kind], key=lambda name: name == "duration"))
    _money = [_spec.fields[name].type == "money" for name in NUMBERS[_kind]]
    _FORMS[_kind] = (
        Struct("<" + "".join("d" if money else "I" for money in _money)),
        tuple(_NAN if money else _ABSENT for money in _money),
    )


_SHAPES = {kind: (NUMBERS[kind], *_FORMS[kind], WORDS[kind], LOOSE[kind], kind in TIMED) for kind in KINDS}
"""Kind -> all that `append` asks of it."""


class Segment:
    """A run of packed entries."""

    __slots__ = ("base", "buffer", "clock", "first", "sealed", "start")

    def __init__(self, start: int, first: int, base: bytes = b"") -> None:
        self.start = start
        """Clock before the first entry."""
        self.first = first
        """Seq that entries count from."""
        self.base = base
        """Visits open before the first entry, JSON, for folding again; only of the 48-hour part."""
        self.clock = start
        """Clock after the last entry."""
        self.buffer = bytearray()
        self.sealed: bytes | None = None
        """What `engine.codec_history` wrote, once nothing is added any more."""


class History:
    """Packed behaviours: `far` for 48 hours, `near` for what is kept only as long as rules look back."""

    __slots__ = ("far", "far_until", "near", "packed", "refs", "skipped", "strings", "use")

    def __init__(self) -> None:
        self.packed: bytes | None = None
        """What `engine.codec_history` wrote, good until something is added."""
        self.far: list[Segment] = []
        self.far_until = -1
        """A record after this clock must begin a segment of the 48-hour part first."""
        self.near: list[Segment] = []
        self.skipped = -1
        """Clock of the last record that was not kept, to stay bounded."""
        self.use = DataUse()
        self.refs: dict[Any, int] = _NUMBERED.copy()
        """Word -> its number."""
        self.strings = bytearray()
        """The words after `FIXED_WORDS`, see `write_word`."""

    def begin_far(self, clock: int, seq: int, visits: dict[str, Any]) -> None:
        """Begin a segment; `visits`: those open before its first record."""
        while self.far and self.far[0].clock <= clock - WINDOW:
            del self.far[0]
        base = {place: (opened, first) for place, (opened, first, _) in visits.items()}
        self.far.append(Segment(clock, seq, orjson.dumps(base) if base else b""))
        self.far_until = clock + SPAN
        self.packed = None
        self.use.forget(clock - WINDOW)
        if len(self.refs) > CROWDED:
            self._tidy()

    def near_segment(self, clock: int, seq: int, horizon: int) -> Segment:
        """Return the open segment of the near part; `horizon`: how far back it must reach, µs."""
        near = self.near
        if not near or clock - near[-1].start > horizon // NEAR_SEGMENTS or seq - near[-1].first > 60_000:
            while near and near[0].clock <= clock - horizon:
                del near[0]
            near.append(Segment(clock, seq))
            if len(self.refs) > CROWDED:
                self._tidy()
        return near[-1]

    def is_full(self, segment: Segment) -> bool:
        """Say whether nothing more is kept in a segment: state stays bounded whatever a feed does."""
        return (
            len(segment.buffer) > MOST_BYTES or len(self.strings) > MOST_BYTES or len(self.refs) > MOST_WORDS
        )

    def ref(self, word: Any) -> int:
        """Return the number of a word, adding it if it is new; of a very long one its beginning counts."""
        word = cut(word)
        number = self.refs.get(word)
        if number is None:
            number = self.refs[word] = len(self.refs)
            self.strings += write_word(word)
        return number

    def _tidy(self) -> None:
        """Drop the words that no entry uses any more."""
        words = list(self.refs)
        rows = [(s, list(entries_of(s, words))) for s in (*self.far, *self.near)]
        self.refs, self.strings = _NUMBERED.copy(), bytearray()
        for segment, entries in rows:
            segment.buffer.clear()
            segment.sealed = None
            segment.clock = segment.start
            for past in entries:
                past.write(self, segment)


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
    kind, fields = event.kind, event.fields
    names, form, absent, words, loose, timed = _SHAPES[kind]
    time = event.t
    seen = time - event.seen
    packed = b""
    if names:
        given = [fields.get(name) for name in names]
        numbers = [none if value is None else value for value, none in zip(given, absent, strict=True)]
        small, began = True, False
        if timed and given[-1] is not None:
            duration = numbers[-1]
            numbers[-1] = whole = round(duration * 1000)
            small = whole / 1000 == duration and whole != _ABSENT
            began = seen == whole * 1000 and seen > 0
        try:
            packed = form.pack(*numbers)
            # a counter at its end is not one that is absent
            small = small and (_LARGEST not in packed or _ABSENT not in given)
        except StructError:  # a fraction, or too large for u32
            small = False
        if not small:
            packed, flags = _pack_numbers(given, flags)
        else:
            flags |= SMALL
            if began:
                flags |= IDLE
                seen = 0
    for name in loose:
        packed += write_word(cut(fields.get(name)))
    found: list[Any] = [places, event.cell]
    for name in words:
        found.append(fields.get(name))
    if CLASSES in fields:
        found[2 + words.index("number")] = (fields.get("number") or "", *fields[CLASSES])
    code = CODES[kind]
    if found[-1] is None is found[-2] and len(words) >= _RARE:
        del found[-_RARE:]
        code |= PLAIN
    _write(history, segment, code, seq, clock, flags, clock - time, seen, found, packed)


def _pack_numbers(values: Sequence[Any], flags: int) -> tuple[bytes, int]:
    if values.count(None) == len(values):
        return b"", flags
    text = orjson.dumps(values)
    return len(text).to_bytes(2, "little") + text, flags | JSON


def append_crossing(
    history: History,
    places: tuple[str, ...],
    words: tuple[Any, ...],
    seq: int,
    clock: int,
    late: int,
    known_until: int,
) -> None:
    """Add what a sighting changed.

    `words`: known before, opened, entered, went on, rat; `known_until`: how long whereabouts were known
    before.
    """
    since = (min(clock - known_until, _LONG_AGO) & _MASK).to_bytes(_SINCE, "little")
    _write(history, history.far[-1], CODES[CROSSING], seq, clock, 0, late, 0, (places, *words), since)


def append_mark(
    history: History,
    places: tuple[str, ...],
    changed: tuple[str, ...],
    seq: int,
    clock: int,
    pair: tuple[int, int],
) -> None:
    """Add a change of the catalogue.

    `places`: those of the last sighting's cell from then on; `pair`: time and seq of that sighting.
    """
    words = (places, changed)
    _write(history, history.far[-1], CODES[MARK], seq, clock, 0, 0, 0, words, _SIGNED.pack(*pair))


def _write(
    history: History,
    segment: Segment,
    code: int,
    seq: int,
    clock: int,
    flags: int,
    late: int,
    seen: int,
    words: Sequence[Any],
    packed: bytes,
) -> None:
    advance = clock - segment.clock
    if late:
        flags |= LATE
    if seen:
        flags |= SEEN
    form, lag = _ENTRY, _LAG
    ahead = seq - segment.first
    if advance > _ABSENT or late > _ABSENT or seen > _ABSENT or ahead > 0xFFFF:
        flags |= WIDE
        form, lag = _WIDE_ENTRY, _WIDE_LAG
    known = history.refs
    try:
        refs = bytes([known[word] for word in words])
    except (KeyError, ValueError, TypeError):  # a new word; more than 255 words; a list
        numbers = [history.ref(word) for word in words]
        if max(numbers) > 255:
            flags |= MANY
            refs = b"".join(number.to_bytes(2, "little") for number in numbers)
        else:
            refs = bytes(numbers)
    entry = form.pack(code, flags, ahead, advance)
    if late:
        entry += lag.pack(late)
    if seen:
        entry += lag.pack(seen)
    segment.buffer += entry + refs + packed
    segment.clock = clock
    history.packed = None


# -- read back -----------------------------------------------------------------------------------------------


class Past:
    """One entry read back."""

    __slots__ = (
        "cell",
        "clock",
        "flags",
        "kind",
        "late",
        "packed",
        "pair",
        "places",
        "seen",
        "seq",
        "sized",
        "words",
    )

    kind: str
    seq: int
    clock: int
    """The subscriber's clock once this record was applied."""
    flags: int
    places: tuple[str, ...] | None
    """Of a record: places of its cell, or without one of the subscriber then; None = unknown."""
    cell: str | None
    words: tuple[Any, ...]
    late: int
    seen: int
    pair: tuple[int, int]
    """Of a crossing: lateness, how long whereabouts were known before it; of a mark: the last sighting."""
    packed: bytes
    """Numbers, then loose words."""
    sized: int
    """Bytes of the numbers."""

    def event(self) -> Event:
        """Build the record, as far as patterns can see it."""
        names = WORDS[self.kind]
        fields = {n: v for n, v in zip(names, self.words, strict=True) if v is not None}
        number = fields.get("number")
        if number.__class__ is tuple:
            del fields["number"]
            if number[0]:
                fields["number"] = number[0]
            fields[CLASSES] = list(number[1:])
        if self.flags & SMALL:
            form, absent = _FORMS[self.kind]
            row: Any = zip(NUMBERS[self.kind], form.unpack_from(self.packed), absent, strict=True)
            fields.update((n, v) for n, v, none in row if v != none and v == v)  # NaN is not itself
            if self.kind in TIMED and "duration" in fields:
                fields["duration"] = fields["duration"] / 1000
        elif self.flags & JSON:
            pairs = zip(NUMBERS[self.kind], orjson.loads(self.packed[2 : self.sized]), strict=True)
            fields.update((n, v) for n, v in pairs if v is not None)
        loose = zip(LOOSE[self.kind], words_of(self.packed[self.sized :]), strict=True)
        fields.update((n, v) for n, v in loose if v is not None)
        time = self.clock - self.late
        return Event(self.kind, time, "", fields, self.cell, time - self.seen)

    def write(self, history: History, segment: Segment) -> None:
        """Write this entry again, words numbered anew."""
        flags = self.flags & ~(WIDE | LATE | SEEN | MANY)
        seen = 0 if self.flags & IDLE and self.kind in TIMED else self.seen
        code = CODES[self.kind]
        own = (self.places,) if self.kind in (CROSSING, MARK) else (self.places, self.cell)
        words = (*own, *self.words)
        if len(self.words) >= _RARE and words[-1] is None is words[-2] and code < CODES[CROSSING]:
            words, code = words[:-_RARE], code | PLAIN
        _write(
            history,
            segment,
            code,
            self.seq,
            self.clock,
            flags,
            self.late,
            seen,
            words,
            self.packed,
        )


def read(history: History) -> list[Past]:
    """Return all entries of both parts in log order; a mark after the record it follows."""
    words = list(history.refs)
    entries = [past for segment in (*history.far, *history.near) for past in entries_of(segment, words)]
    entries.sort(key=lambda past: (past.seq, past.kind == MARK))
    return entries


def read_near(history: History) -> Iterator[Past]:
    """Yield the entries of the near part in log order."""
    words = list(history.refs)
    for segment in history.near:
        yield from entries_of(segment, words)


def entries_of(segment: Segment, words: list[Any]) -> Iterator[Past]:
    """Read a segment's entries back; `words` by number."""
    data = bytes(segment.buffer)
    clock, at = segment.start, 0
    while at < len(data):
        past = Past()
        past.flags = flags = data[at + 1]
        form, lag = (_WIDE_ENTRY, _WIDE_LAG) if flags & WIDE else (_ENTRY, _LAG)
        code, _, seq, advance = form.unpack_from(data, at)
        at += form.size
        past.kind = kind = _KIND_OF[code & ~PLAIN]
        past.seq = segment.first + seq
        past.clock = clock = clock + advance
        past.late = past.seen = 0
        past.pair = (0, 0)
        if flags & LATE:
            (past.late,) = lag.unpack_from(data, at)
            at += lag.size
        if flags & SEEN:
            (past.seen,) = lag.unpack_from(data, at)
            at += lag.size
        missing = _RARE if code & PLAIN else 0
        own = 1 if kind in (CROSSING, MARK) else 2
        count = len(WORDS[kind]) + own - missing
        if flags & MANY:
            numbers: Any = Struct(f"<{count}H").unpack_from(data, at)
            at += 2 * count
        else:
            numbers = data[at : at + count]
            at += count
        found = [words[number] for number in numbers]
        past.places = found[0]
        past.cell = found[1] if own == 2 else None
        rest = found[own:]
        past.words = (*rest, *(None,) * missing)
        size = 0
        if kind == CROSSING:
            size = _SINCE
            since = int.from_bytes(data[at : at + size], "little", signed=True)
            past.pair = (past.late, clock - since if since < _LONG_AGO else -1)
        elif kind == MARK:
            past.pair = _SIGNED.unpack_from(data, at)
            size = _SIGNED.size
        elif flags & SMALL:
            size = _FORMS[kind][0].size
        elif flags & JSON:
            size = 2 + (data[at] | data[at + 1] << 8)
        past.sized = size
        if flags & IDLE and kind in TIMED:
            past.seen = 1000 * _LAG.unpack_from(data, at + size - _LAG.size)[0]
        for _ in LOOSE[kind]:
            size += length_of(data, at + size)
        past.packed = data[at : at + size]
        at += size
        yield past
