"""The collector role: live sources -> records and ticks in the log, every row once (semantics.md 1.8).

    1. read the source that is furthest behind          4. the ticks that go before and after each record
    2. intake: what it refuses becomes a dead letter    5. ONE step: records, dead letters, the checkpoint
    3. times ahead of the clock are clamped (7 r),      6. tell the sources (a file that is done is moved)
       then the source's treatments, if it has any

The checkpoint says for each source how far it was read and what its treatments keep back, and where the ticks
stand; a collector that starts goes on exactly there, so a crash at any point applies every row once and, with
no treatments, makes the same ticks. What treatments keep back is bounded by what fits into the checkpoint:
beyond it the oldest go on early. Of feeds that are gone it goes on at the next start.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
import structlog

from engine.admission import NOT_OF_SOURCES, admit
from engine.checkpoint import (
    BROKEN,
    CHECKPOINT_AT_MOST,
    GONE_AT_MOST,
    damaged,
    newest,
    read_checkpoint,
    write_checkpoint,
)
from engine.collect import VALUE_AT_MOST, spread
from engine.errors import LogError, StateError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.live import USUAL_PACE, Bindings, Live, Pace, Shared, Shut, Source
from engine.ports import Inlet
from engine.refusals import Bad, Refusal, dead_letter
from engine.sources import SourceTicks
from engine.ticks import CONTROL
from engine.treatments.course import Course
from engine.treatments.lot import orphans

__all__ = ["Bindings", "Live", "LiveCollector", "Pace", "Shared", "Source"]

STAGE = "collector"
PARKED_AT_MOST = 600_000
"""Bytes in the checkpoint of what treatments of all sources keep back and remember; less, where positions
need more than the rest of it."""
_OTHERS = 5_000
"""Bytes in it beside positions, ticks and treatments, about."""
Batch = list[tuple[int, bytes]]

log = structlog.get_logger("collector")


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
        shared: Shared | None = None,
        pace: Pace = USUAL_PACE,
    ) -> None:
        self.inlet = inlet
        self.sources = {live.source.name: live for live in sources}
        if len(self.sources) != len(sources):
            raise StateError("collector: expected a name of its own for each source, was one twice")
        self.counts: Counter[str] = Counter()
        """`read` (records written), `refused`, `clamped`, `ticks`, `commits`, `failures` since the start."""
        self.refused: Counter[str] = Counter()
        """Refused records by reason."""
        self.fates: dict[str, Counter[str]] = {name: Counter() for name in self.sources}
        """By source, a gone one of which something went on, too: rows that were `read`, `refused`, `clamped`,
        `unparked` (gone on early for want of room); a `gap`, or a `file` that can't be read to its end; lines
        that were `blank`, and what was `skipped` or `headers` by a map, and `damaged.NAME` by its `watch`
        (`Intake.passed`)."""
        self.treated: dict[str, Counter[str]] = {name: Counter() for name in self.sources}
        """By source: what its treatments did, as `STEP.DEED`."""
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
        self._shared = shared
        self._new_fates: dict[str, Counter[str]] = {name: Counter() for name in self.sources}
        # one for each, for a feed may want something of its own done there
        intake = partial(Intake, identity, on_refused=self._refused, hides_ids=True)
        self._intakes = {
            name: intake(edge=live.edge, passed=self._new_fates[name]) for name, live in self.sources.items()
        }
        self._reading: Source | None = None
        self._courses = {
            name: Course(live.chain, live.disorder)
            for name, live in self.sources.items()
            if live.chain is not None
        }
        self._orphans: list[tuple[str, Event]] = []
        """(source, event): kept back by treatments that are not asked for any more, to be written."""
        self._dead: list[bytes] = []
        self._reasons: Counter[str] = Counter()
        self._told: dict[str, Counter[str]] = {}
        """By source: the counts of its treatments when the last step was durable."""
        self._quiet: dict[str, float] = {}
        """Source -> since when it has had nothing to read, by `clock`."""
        self._shut: dict[str, Shut] = {}
        """Sources that could not be opened: each is tried again by itself, the others go on."""
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
        self._forget_step()
        self._told = {name: course.chain.counts for name, course in self._courses.items()}
        self._shut = {name: Shut(positions.get(name)) for name in self.sources}
        await self._open()
        gone = {name: place for name, place in positions.items() if name not in self.sources}
        self._kept = newest(gone, GONE_AT_MOST)
        self._quiet = dict.fromkeys(self.sources, self._clock())
        self.committed_at = self._clock()
        self.trouble = ""

    async def _open(self) -> None:
        """Open the sources that are not, and are to be tried now."""
        for name, shut in list(self._shut.items()):
            began = self._clock()
            if began < shut.again_at:
                continue
            self._reading = self.sources[name].source
            try:
                await self._reading.open(shut.position, self._intakes[name])
            except LogError as error:
                if str(error) != shut.trouble:  # what stays is said once
                    log.warning("can't open a feed, tried again", feed=name, problem=str(error))
                shut.trouble = str(error)
                self.counts["failures"] += 1
                # an attempt that takes long keeps the others waiting: a tenth of the time at most
                shut.again_at = self._clock() + max(self._pace.retry, 10 * (self._clock() - began))
            else:
                del self._shut[name]

    async def step(self) -> bool:
        """Read and commit once; False if no source had anything."""
        if self._bindings is not None:
            await self._bindings.poll()
        if self._shut:
            await self._open()
        batch: Batch = []
        counts: Counter[str] = Counter()
        for name, event in self._orphans:
            self._reading = self.sources[name].source if name in self.sources else None
            self._write(name, [event], batch, counts)
        self._orphans = []
        forgot = self._forget(batch, counts)
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
            # sources ahead of it may have kept it from being looked at
            late = await self._look_at(name, self._pace.records)
            if late is None:
                self._let_go(name, batch, counts)
                self._append_ticks(self.ticks.silent(name), batch, counts)
            else:
                read_any = True
                for event in late:
                    self._take(name, event, batch, counts)
        if read_any or batch or self._dead or forgot:
            await self._commit(batch, counts)
        return read_any

    async def drain(self) -> None:
        """Collect until no source has anything, then end time: one tick 1 µs after the newest record."""
        while await self.step():
            pass
        for shut in self._shut.values():
            raise LogError(shut.trouble)
        batch: Batch = []
        counts: Counter[str] = Counter()
        for name in self._courses:
            self._let_go(name, batch, counts)
        if batch:
            await self._commit(batch, counts)
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
            events = await self._look_at(name, limit)
            if events is not None:
                return name, events
        return None

    async def _look_at(self, name: str, limit: int) -> list[Event] | None:
        """Read one source."""
        self._reading = self.sources[name].source
        events = None if name in self._shut else await self._reading.read(limit)
        if events and any(event.kind not in CONTROL for event in events):
            self._quiet.pop(name, None)
        else:
            self._quiet.setdefault(name, self._clock())
        return events

    def _take(self, name: str, event: Event, batch: Batch, counts: Counter[str]) -> None:
        now = self._wall()
        if event.t > now or event.kind in NOT_OF_SOURCES:
            try:
                event = admit(event, now)
            except Bad as bad:
                detail = f"{bad.field}: expected {bad.expected}, was {bad.was}"
                raw = orjson.dumps(event.fields) if bad.reason == "time" else ""
                self._intakes[name].refuse(bad.reason, detail, event.source, event.position, raw)
                return
            counts["clamped"] += 1
            self._new_fates[name]["clamped"] += 1
        course = self._courses.get(name)
        if course is not None:
            self._treat(name, course, event, batch, counts)
            return
        records = spread(event, self.inlet.partitions)
        if len(records[0][1]) > VALUE_AT_MOST:
            self._refuse_size(name, event, records[0][1])
            return
        ticks = self.ticks.before(name, event)
        if ticks:
            self._append_ticks(ticks, batch, counts)
        if event.kind != "tick" or self.ticks.is_written(event):
            batch += records
            counts["read"] += 1
            self._new_fates[name]["read"] += 1
        ticks = self.ticks.after(name, event)
        if ticks:
            self._append_ticks(ticks, batch, counts)

    def _treat(self, name: str, course: Course, event: Event, batch: Batch, counts: Counter[str]) -> None:
        """Lead a record through the treatments of its source; time goes on with it, whatever they do."""
        ticks = self.ticks
        self._new_fates[name]["treated"] += 1
        self._append_ticks(ticks.before(name, event), batch, counts)
        held = course.oldest
        self._write(name, course.take(event), batch, counts)
        oldest = course.oldest
        if oldest != held:
            ticks.hold(name, oldest)
        self._append_ticks(ticks.after(name, event), batch, counts)
        if oldest != held:
            self._append_ticks(ticks.freed(), batch, counts)

    def _write(self, name: str, events: Sequence[Event], batch: Batch, counts: Counter[str]) -> None:
        """Write what a source's treatments let through."""
        for event in events:
            records = spread(event, self.inlet.partitions)
            if len(records[0][1]) > VALUE_AT_MOST:
                self._refuse_size(name, event, records[0][1])
            elif self.ticks.is_written(event):
                batch += records
                counts["read"] += 1
                self._new_fates.setdefault(name, Counter())["read"] += 1
                self.ticks.brought(name, event.kind)

    def _refuse_size(self, name: str, event: Event, value: bytes) -> None:
        detail = f"expected at most {VALUE_AT_MOST} bytes in the log, was {len(value)}"
        intake = self._intakes.get(name) or Intake(self._identity, on_refused=self._refused)
        intake.refuse("size", detail, event.source, event.position, value[:10_000])

    def _let_go(self, name: str, batch: Batch, counts: Counter[str], keep: int = 0) -> int:
        """Write what a source's treatments keep back, all but the newest `keep` of each; say how many."""
        course = self._courses.get(name)
        if course is None or not course.chain.parked:
            return 0
        before = course.chain.parked
        self._free(name, course.let_go(keep), batch, counts)
        return before - course.chain.parked

    def _forget(self, batch: Batch, counts: Counter[str]) -> bool:
        """Forget, in all that treatments remember, who asked for it; say whether anybody did."""
        keys = self._identity.take_forgotten()
        if not keys:
            return False
        for name, course in self._courses.items():
            self._free(name, course.forget(keys), batch, counts)
        if self._shared is not None:
            self._shared.forget(keys)
        return True

    def _free(self, name: str, events: Sequence[Event], batch: Batch, counts: Counter[str]) -> None:
        """Write what a source's treatments keep back no longer; time goes on with it."""
        self._reading = self.sources[name].source
        self._write(name, events, batch, counts)
        self.ticks.hold(name, self._courses[name].oldest)
        self._append_ticks(self.ticks.freed(), batch, counts)

    def _bound(self, taken: int, batch: Batch, counts: Counter[str]) -> dict[str, bytes]:
        """Let the oldest go on of what is kept back beyond what fits into the checkpoint.

        Return the rest by source, written for the checkpoint; `taken`: bytes of it that others need.
        """
        written: dict[str, bytes] = {}
        room = max(min(PARKED_AT_MOST, CHECKPOINT_AT_MOST - taken), 0)
        for name, course in self._courses.items():
            most = room // len(self._courses)
            while len(pack := course.written(most)) > most and (parked := course.chain.parked_at_most):
                keep = min(parked * most // len(pack), parked - 1)
                self._new_fates[name]["unparked"] += self._let_go(name, batch, counts, keep)
            if pack:
                written[name] = pack
        return written

    def _forget_step(self) -> None:
        """Begin to count the next step."""
        self._dead, self._reasons = [], Counter()
        for fates in self._new_fates.values():
            fates.clear()

    def _append_ticks(self, ticks: list[Event], batch: Batch, counts: Counter[str]) -> None:
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

    async def _commit(self, batch: Batch, counts: Counter[str]) -> None:
        """Write a step."""
        positions = self._positions()
        taken = len(orjson.dumps([positions, self.ticks.pack()])) + _OTHERS
        parked = self._bound(taken, batch, counts)
        await self.inlet.append(batch, self._checkpoint(positions, parked), self._dead)
        self.committed_at = self._clock()
        self.counts["refused"] += len(self._dead)
        self.refused.update(self._reasons)
        for name, fates in self._new_fates.items():
            self.fates.setdefault(name, Counter()).update(fates)
        for name, course in self._courses.items():
            done = course.chain.counts
            self.treated[name].update(done - self._told[name])
            self._told[name] = done
        self._forget_step()
        self.counts.update(counts)
        self.counts["commits"] += 1
        for name, live in self.sources.items():
            if name not in self._shut:
                await live.source.committed()

    def _refused(self, refusal: Refusal) -> None:
        self._reasons[refusal.reason] += 1
        origin = {} if self._reading is None else self._reading.origin
        if self._reading is not None:
            # neither a gap nor the end of a damaged file is a row
            fate = refusal.reason if refusal.reason in ("gap", "file") else "refused"
            name = self._reading.name
            self._new_fates[name][fate] += 1
            if self.sources[name].is_told:
                origin = {**origin, "feed": name}
        self._dead.append(dead_letter(refusal, STAGE, self._wall(), origin))

    # -- the checkpoint --------------------------------------------------------------------------------------

    def _new_ticks(self) -> SourceTicks:
        return SourceTicks({name: live.time for name, live in self.sources.items()})

    def _positions(self) -> dict[str, Any]:
        """Return where all sources stand; None of those that have not begun."""
        shut = {name: shut.position for name, shut in self._shut.items() if shut.position is not None}
        here = {n: live.source.position for n, live in self.sources.items() if n not in self._shut}
        return {**self._kept, **shut, **here}

    def _checkpoint(self, positions: Mapping[str, Any], parked: Mapping[str, bytes]) -> bytes:
        shared = None if self._shared is None else self._shared.pack()
        return write_checkpoint(self.ticks.pack(), positions, parked, self._key_check, shared)

    def _restore(self, checkpoint: bytes | None) -> dict[str, Any]:
        """Take the ticks from a checkpoint and return the positions in it."""
        self.ticks = self._new_ticks()
        if checkpoint is None:
            self._restore_treatments({})
            return {}
        read = read_checkpoint(checkpoint, self._key_check)
        try:
            self.ticks.restore(read["ticks"])
            self._restore_treatments(read)
            return dict(read["sources"])
        except BROKEN as error:
            raise damaged(error) from None

    def _restore_treatments(self, checkpoint: Mapping[str, Any]) -> None:
        """Take what treatments kept back; of those that are asked for no longer it goes on at once."""
        if self._shared is not None:
            self._shared.restore(checkpoint.get("shared"))
        parked = checkpoint.get("parked", {})
        self._orphans = []
        for name in {**self.sources, **parked}:
            course, kept = self._courses.get(name), parked.get(name)
            if course is not None:
                left = course.restore(kept)
                self.ticks.hold(name, course.oldest)
            else:
                left = orphans(kept["steps"], ()) if kept else []
            self._orphans += [(name, event) for event in left]
            if left and name not in self.sources:
                log.warning("a feed is gone, what was kept back of it goes on", feed=name, count=len(left))


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait, or return at once when `stop` is set; other tasks get their turn in any case."""
    if not seconds:
        await asyncio.sleep(0)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
