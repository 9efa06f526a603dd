"""The collector role: live sources -> records and ticks in the log, every row once (semantics.md 1.8).

    1. read the source that is furthest behind          4. the ticks that go before and after each record
    2. intake: what it refuses becomes a dead letter    5. ONE step: records, dead letters, the checkpoint
    3. times ahead of the clock are clamped (7 r)       6. tell the sources (a file that is done is moved)

The checkpoint says for each source how far it was read, and where the ticks stand; a collector that starts
goes on exactly there, so a crash at any point applies every row once and makes the same ticks.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
import structlog

from engine.collect import VALUE_AT_MOST, spread
from engine.errors import LogError, SettingsError, StateError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.ports import Inlet
from engine.refusals import Refusal, dead_letter
from engine.sources import SourceTicks, SourceTime
from engine.ticks import CONTROL, SECOND
from engine.treatments.step import Chain

AHEAD_AT_MOST = 3_600_000_000
"""µs that a record's time may be ahead of the clock: clamped up to that, refused beyond (7 r)."""
CLAMPED = "clamped"
"""Flag in `quality` of a record whose time was."""
NOT_OF_SOURCES = frozenset({"rules.switch", "subscriber.forget"})
"""Kinds that commands alone write, `rules publish` and `forget`: they ask who does it."""
STAGE = "collector"
_VERSION = 1

log = structlog.get_logger("collector")


class Source(Protocol):
    """Where records come from: a landing directory, somebody else's topic. Keeps nothing of its own."""

    @property
    def name(self) -> str:
        """Its name in the checkpoint; stays the same over restarts."""
        ...

    @property
    def position(self) -> Mapping[str, Any]:
        """How far it was read, as plain JSON: what `open` goes on from."""
        ...

    @property
    def origin(self) -> Mapping[str, str]:
        """Where the record just read came from: `file`, or `topic`; for dead letters."""
        ...

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        """Go on from a position, or from the beginning; after a failure, too: forget what was read since."""
        ...

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of up to `limit` rows that are there now; None if there are none. Never wait."""
        ...

    async def committed(self) -> None:
        """Take in that everything read so far is durable."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...


class Bindings(Protocol):
    """Numbers bound to subscriber keys by profiles that others wrote."""

    async def load(self, identity: Identity) -> None:
        """Bind all that are known by now."""
        ...

    async def poll(self) -> None:
        """Bind those that have come since, without waiting."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


@dataclass(frozen=True, slots=True)
class Live:
    """A source, and what time needs to know about it."""

    source: Source
    kinds: frozenset[str] = frozenset()
    """The kinds it brings, to be named while it is down; empty: those it has brought."""
    disorder: int = 0
    """µs that its watermark stays behind its newest record."""
    idle_seconds: float = 0.0
    """Wall-clock seconds without a record after which it is down; 0: never."""
    chain: Chain | None = None
    """What is done to its records before they go into the log; None: nothing."""

    @property
    def time(self) -> SourceTime:
        """The same, for the ticks."""
        return SourceTime(self.kinds, self.disorder, round(self.idle_seconds * SECOND))


@dataclass(frozen=True, slots=True)
class Pace:
    """How much goes into one step, and how often the collector looks."""

    records: int = 2_000
    """Rows of one step at most, about."""
    seconds: float = 0.1
    """A step is not made larger once it took so long to gather."""
    rest: float = 0.05
    """Seconds until it looks again when no source had anything."""
    retry: float = 1.0
    """Seconds until it tries again when the log can't be written."""


class LiveCollector:
    """Reads sources into the log. Order of calls: `run`, or `start`, then `step` as often as wanted, `close`.

    `wall`: µs now; `clock`: seconds that only go up. Raises `FencedError` if another collector of this name
    has taken over: the process must end. A `LogError` is waited out by `run`: nothing is lost, sources wait.
    """

    def __init__(
        self,
        inlet: Inlet,
        sources: Sequence[Live],
        identity: Identity,
        *,
        wall: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
        bindings: Bindings | None = None,
        pace: Pace = Pace(),
    ) -> None:
        self.inlet = inlet
        self.sources = {live.source.name: live for live in sources}
        if len(self.sources) != len(sources):
            raise StateError("collector: expected a name of its own for each source, was one twice")
        self.counts: Counter[str] = Counter()
        """`read` (records written), `refused`, `clamped`, `ticks`, `commits`, `failures` since the start."""
        self.refused: Counter[str] = Counter()
        """Refused records by reason."""
        self.trouble = ""
        """Why the log can't be written, or a source not be read, just now; empty if all is well."""
        self.committed_at = 0.0
        """By `clock`: when the last step was made, or the collector started."""
        self.ticks = self._new_ticks()
        self._identity = identity
        self._key_check = identity.hash_number(STAGE)
        """From which the key can't be told; with another one every subscriber would be a stranger."""
        self._wall = wall
        self._clock = clock
        self._bindings = bindings
        self._pace = pace
        self._intake = Intake(identity, on_refused=self._refused)
        self._reading: Source | None = None
        self._dead: list[bytes] = []
        self._reasons: Counter[str] = Counter()
        self._quiet: dict[str, float] = {}
        """Source -> since when it has had nothing to read, by `clock`."""
        self._kept: dict[str, Any] = {}
        """Positions of sources that are not configured now: they may come back."""

    @property
    def silent(self) -> list[str]:
        """Names of the sources that are down."""
        return [n for n, live in self.sources.items() if live.time.moves_time and n not in self.ticks.live]

    @property
    def time_stands(self) -> bool:
        """Whether all sources are down: no tick is made, nothing that waits for time happens. An alarm."""
        return bool(self.silent) and not self.ticks.live

    # -- the role --------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Collect until `stop` is set; what was read is committed then."""
        started = False
        try:
            while not stop.is_set():
                rest = self._pace.rest
                try:
                    if not started:
                        await self.start()
                        started = True
                    if await self.step():
                        rest = 0.0
                except LogError as error:
                    if str(error) != self.trouble:  # what stays is said once
                        log.warning("can't collect, tried again", problem=str(error), wait=self._pace.retry)
                    self.trouble = str(error)
                    self.counts["failures"] += 1
                    started = False
                    rest = self._pace.retry
                await _rest(stop, rest)
        finally:
            await self.close()

    async def start(self) -> None:
        """Take the name over and go on from the checkpoint; also after a failure."""
        checkpoint = await self.inlet.resume()
        positions = self._restore(checkpoint)
        if self._bindings is not None:
            await self._bindings.load(self._identity)
        self._dead, self._reasons = [], Counter()
        for name, live in self.sources.items():
            self._reading = live.source
            await live.source.open(positions.get(name), self._intake)
        self._kept = {name: place for name, place in positions.items() if name not in self.sources}
        self._quiet = dict.fromkeys(self.sources, self._clock())
        self.committed_at = self._clock()
        self.trouble = ""

    async def step(self) -> bool:
        """Read and commit once; False if no source had anything."""
        if self._bindings is not None:
            await self._bindings.poll()
        batch: list[tuple[int, bytes]] = []
        counts: Counter[str] = Counter()
        room, until = self._pace.records, self._clock() + self._pace.seconds
        read_any = False
        while room > 0 and (not read_any or self._clock() < until):
            found = await self._read(room)
            if found is None:
                break
            read_any = True
            name, events = found
            room -= max(len(events), 1)
            for event in events:
                self._take(name, event, batch, counts)
        for name in self._idle():
            self._append_ticks(self.ticks.silent(name), batch, counts)
        if read_any or batch or self._dead:
            await self._commit(batch, counts)
        return read_any

    async def drain(self) -> None:
        """Collect until no source has anything, then end time: one tick 1 µs after the newest record."""
        while await self.step():
            pass
        closing = self.ticks.closing()
        if closing is not None:
            batch = spread(closing, self.inlet.partitions)
            await self._commit(batch, Counter(ticks=1))

    async def close(self) -> None:
        """Let go of the sources, and of the name."""
        for live in self.sources.values():
            await live.source.close()
        if self._bindings is not None:
            await self._bindings.close()
        await self.inlet.close()

    # -- one step --------------------------------------------------------------------------------------------

    async def _read(self, limit: int) -> tuple[str, list[Event]] | None:
        """Read the source furthest behind of those that have something: they come out nearly merged."""
        for name in sorted(self.sources, key=lambda name: self.ticks.greatest[name]):
            self._reading = self.sources[name].source
            events = await self._reading.read(limit)
            if events and any(event.kind not in CONTROL for event in events):
                self._quiet.pop(name, None)
            else:
                self._quiet.setdefault(name, self._clock())
            if events is not None:
                return name, events
        return None

    def _take(self, name: str, event: Event, batch: list[tuple[int, bytes]], counts: Counter[str]) -> None:
        if event.kind in NOT_OF_SOURCES:
            detail = f"kind: expected one that sources may bring, was {event.kind}"
            self._intake.refuse("kind", detail, event.source, event.position, "")
            return
        now = self._wall()
        if event.t > now:
            if event.t - now > AHEAD_AT_MOST:
                detail = "t: expected at most 1 h ahead of the clock, was later"
                self._intake.refuse("time", detail, event.source, event.position, orjson.dumps(event.fields))
                return
            event = clamped(event, now)
            counts["clamped"] += 1
        records = spread(event, self.inlet.partitions)
        if len(records[0][1]) > VALUE_AT_MOST:
            detail = f"expected at most {VALUE_AT_MOST} bytes in the log, was {len(records[0][1])}"
            self._intake.refuse("size", detail, event.source, event.position, records[0][1][:10_000])
            return
        self._append_ticks(self.ticks.before(name, event), batch, counts)
        if self.ticks.is_written(event):
            batch += records
            counts["read"] += 1
        self._append_ticks(self.ticks.after(name, event), batch, counts)

    def _append_ticks(self, ticks: list[Event], batch: list[tuple[int, bytes]], counts: Counter[str]) -> None:
        for each in ticks:
            counts["ticks"] += 1
            batch += spread(each, self.inlet.partitions)

    def _idle(self) -> list[str]:
        now = self._clock()
        return [
            name
            for name, since in self._quiet.items()
            if 0 < self.sources[name].idle_seconds <= now - since and name in self.ticks.live
        ]

    async def _commit(self, batch: list[tuple[int, bytes]], counts: Counter[str]) -> None:
        await self.inlet.append(batch, self._checkpoint(), self._dead)
        self.committed_at = self._clock()
        self.counts["refused"] += len(self._dead)
        self.refused.update(self._reasons)
        self._dead, self._reasons = [], Counter()
        self.counts.update(counts)
        self.counts["commits"] += 1
        for live in self.sources.values():
            await live.source.committed()

    def _refused(self, refusal: Refusal) -> None:
        self._reasons[refusal.reason] += 1
        origin = {} if self._reading is None else self._reading.origin
        self._dead.append(dead_letter(refusal, STAGE, self._wall(), origin))

    # -- the checkpoint --------------------------------------------------------------------------------------

    def _new_ticks(self) -> SourceTicks:
        return SourceTicks({name: live.time for name, live in self.sources.items()})

    def _checkpoint(self) -> bytes:
        positions = {name: live.source.position for name, live in self.sources.items()}
        return orjson.dumps(
            {
                "v": _VERSION,
                "ticks": self.ticks.pack(),
                "sources": {**self._kept, **positions},
                "key": self._key_check,
            }
        )

    def _restore(self, checkpoint: bytes | None) -> dict[str, Any]:
        """Take the ticks from a checkpoint and return the positions in it."""
        self.ticks = self._new_ticks()
        if checkpoint is None:
            return {}
        try:
            read = orjson.loads(checkpoint)
            version = read["v"]
            if version == _VERSION and read.get("key", self._key_check) != self._key_check:
                raise SettingsError(
                    ["TOUCHPOINT_KEY: expected the one that this collector has used before, was another"]
                )
            if version == _VERSION:
                self.ticks.restore(read["ticks"])
                return dict(read["sources"])
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise StateError(f"collector: expected its checkpoint, was damaged ({error})") from None
        raise StateError(f"collector: expected a checkpoint of version {_VERSION}, was {version!r}")


def clamped(event: Event, now: int) -> Event:
    """Return a record whose times are ahead of the clock as one of now, flagged."""
    fields = dict(event.fields)
    fields["t"] = now
    if "t_start" in fields:
        fields["t_start"] = min(fields["t_start"], now)
    if event.kind not in CONTROL:
        fields["quality"] = [*fields.get("quality", ()), CLAMPED]
    return Event(
        event.kind,
        now,
        event.key,
        fields,
        event.cell,
        min(event.seen, now),
        event.id,
        event.source,
        event.position,
    )


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait, or return at once when `stop` is set; other tasks get their turn in any case."""
    if not seconds:
        await asyncio.sleep(0)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
