"""A lane: one partition, read in batches, folded, committed in one fenced step, then published.

The order of a step (design/protocol.md), each a named point at which a crash loses nothing:

    1 assign    token, offset and outbox from the store; republish what may not have been published
    2 fetch     records from where the fold stands on
    3 read      states not in the cache; due wake-ups
    4 decide    fold (engine.pipeline): pure
    5 commit    state, wake-ups, outbox, offset and a new random token, if the old token still stands
    6 publish   decisions, profiles
    7 prune     published entries leave the outbox with the next commit

A step that made an offer, a hold or a control commits at once; others wait for up to `commit_after` seconds,
so that a subscriber who is busy is written once for many records. A refused commit, a lost reply, any error:
throw the cache away, assign again, go on from the last commit. Replaying a batch gives the same decisions
with the same (id, at), which consumers drop.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from engine.codec import decode, encode
from engine.emit import Decision
from engine.errors import FencedError, StoreError
from engine.event import Event
from engine.expiry import expires
from engine.intake import Intake
from engine.lane_state import Counted, let_go, letters, note_of, pack_lane, same_log, unpack_lane
from engine.outbox import fill, tell
from engine.pipeline import Fold
from engine.ports import Commit, Control, DeadLetters, Log, LogRecord, Mark, Offers, OptOuts, Store
from engine.rebuild import REBUILDING, begin, is_lost
from engine.refusals import Refusal

IDLE = 0.05
"""Seconds a lane waits for a log that had nothing new."""
KEYS_AT_MOST = 1_500
"""Subscribers that wait for a commit, at most: what one script writes without holding the store up."""
MARK_EVERY = 2.0
"""Seconds between two marks."""

Point = Callable[[str], Awaitable[None]]
"""Called with a step's name before the step: tests crash a lane there."""


async def _go_on(_: str) -> None:
    """Do nothing at a point."""


class Lane:
    """Owns one partition. `make_fold` gives a fresh `Fold` for the hash of a rule set, None = the first.

    `commit_after`: seconds that changes may wait for a commit; 0 = every step commits. `intake` must be the
    lane's own: what it refuses goes to `dead`, before the commit that passes it.
    """

    def __init__(
        self,
        partition: int,
        log: Log,
        store: Store,
        offers: Offers,
        intake: Intake,
        make_fold: Callable[[str | None], Fold],
        *,
        batch: int = 500,
        cache: int = 200_000,
        commit_after: float = 0,
        mark_every: float = MARK_EVERY,
        optouts: OptOuts | None = None,
        dead: DeadLetters | None = None,
        await_rules: Callable[[str], Awaitable[None]] | None = None,
        point: Point = _go_on,
    ) -> None:
        self.partition = partition
        self.log = log
        self.store = store
        self.offers = offers
        self.intake = intake
        self.make_fold = make_fold
        self.batch = batch
        self.cache = cache
        self.commit_after = commit_after
        self.mark_every = mark_every
        self.optouts = optouts
        self.dead = dead
        self.await_rules = await_rules
        """Waits until a set of rules that a switch names has arrived."""
        self.point = point
        self.fold: Fold | None = None
        self.token = ""
        self.offset = 0
        """Up to where everything is committed and published."""
        self.next = 0
        """Up to where the log is folded."""
        self.waits = False
        """It has nothing to do and waits for records: cancelled now, it loses nothing."""
        self.mean_bytes = 0.0
        """Of the states in the last commit."""
        self.fenced = 0
        """Commits that were refused."""
        self.failed = 0
        """Commits that the store did not take, or did not answer: whether one stands is not known."""
        self.moved = time.monotonic()
        """When it last got on within a step that may take long: a rebuild."""
        self.rebuilt = 0
        """Times it found its store lost and began to build it anew."""
        self.published: list[str] = []
        self.refused: list[Refusal] = []
        """Refused by `intake` and not yet with the dead letters."""
        self.on_decisions: Callable[[list[Decision]], None] | None = None
        """Told of decisions once they are committed: the live display, counters."""
        self.on_offers: Callable[[list[int]], None] | None = None
        """Told of offers once they are published: append times (µs) of the records that brought them up."""
        self.on_counts: Callable[[Counted], None] | None = None
        """Told after each commit what it added to the counters of the fold."""
        self._told: Counted
        self._decisions: list[Decision] = []
        """Folded, not committed."""
        self._appended: list[int] = []
        self._ahead: list[LogRecord] = []
        """Fetched, not folded: a batch was full, or ended with a switch of rules."""
        self._waking: set[str] = set()
        self._since = 0.0
        self._marked = 0.0
        self._muted_until = -1
        """While a lost store is rebuilt: the offset from which on rules fire again; else -1."""
        self._unmuted = False
        """A rebuild is over, and the store does not say so yet: dispatchers wait for it."""
        self._known: frozenset[str] = frozenset()
        self._known_until = -1
        """Up to this offset offers may be made that were published before the store was lost or went back."""
        self._log_is = ""
        self._offers_at = 0
        self._floor = 0
        self._sweep: list[str] = []
        """After a rule switch: subscribers in the store who may not be armed for the new rules yet."""

    @property
    def ready(self) -> bool:
        """Say whether the lane decides: it has its partition and is not rebuilding."""
        return self.fold is not None and not self.fold.muted

    @property
    def sweeping(self) -> bool:
        """Say whether a rule switch still has silent subscribers to arm."""
        return bool(self._sweep)

    async def run(self, *, until_idle: bool = True) -> int:
        """Fold batches until the log has no more; return the number of records."""
        total = 0
        while True:
            count = await self.step(0 if until_idle else IDLE)
            total += count
            if count or self.fold is None or self._sweep:
                continue
            if until_idle:
                return total

    async def step(self, wait: float = 0) -> int:
        """Fold one batch, waiting up to `wait` seconds for it; return its size.

        A refused commit rewinds and counts as none. Whatever is raised, a lost reply or a bug: the lane has
        forgotten all it held and may be stepped on.
        """
        try:
            return await self._step(wait)
        except FencedError:
            self.fenced += 1
            self.forget()
            return 0
        except BaseException as error:
            # cancelled while it waited with nothing in hand: what it remembers is what is committed
            if not (self.waits and isinstance(error, asyncio.CancelledError)):
                self.forget()
            raise

    async def _step(self, wait: float) -> int:
        if self.fold is None:
            await self._assign()
        await self.point("fetch")
        records = await self._fetch(wait)
        if records:
            if self.next == self.offset:
                self._since = time.monotonic()
            records = await self._fold_batch(records)
        if self._sweep:
            await self._sweep_some()
        if self._must_commit(idle=not records and not wait):
            await self._commit()
        # what is noted beside the log is as of the last record that was folded
        if self.next == self.offset and time.monotonic() - self._marked >= self.mark_every:
            await self._mark()
        return len(records)

    async def flush(self) -> None:
        """Commit and publish what is folded, and leave a mark: the end of an orderly lane."""
        if self.fold is None:
            return
        try:
            if self.next != self.offset:
                await self._commit()
            await self._mark()
        except FencedError:
            self.forget()
        except BaseException:
            self.forget()
            raise

    def move(self) -> None:
        """Show that the lane gets on: a rebuild of many subscribers is no lane that hangs."""
        self.moved = time.monotonic()

    def forget(self) -> None:
        """Throw away everything held in memory: the store is the truth."""
        self.fold = None
        self.waits = self._unmuted = False
        self.published = []
        self.refused = []
        self._decisions = []
        self._appended = []
        self._waking = set()
        self._sweep, self._ahead = [], []

    # -- the steps -------------------------------------------------------------------------------------------

    async def _assign(self) -> None:
        await self.point("assign")
        control: Control = await self.store.open(self.partition)
        if REBUILDING in control.lane or (
            not control.token and await is_lost(self.partition, self.log, self.offers)
        ):
            doors = self.log, self.store, self.offers
            control = await begin(
                self.partition, control, *doors, self.make_fold, self._tell_optouts, self.move
            )
            self.rebuilt += 1
        lane: dict[str, Any] = orjson.loads(control.lane) if control.lane else {}
        self._log_is = same_log(lane, self.partition, await self.log.identity())
        fold = self.make_fold(lane.get("rules"))
        if lane:
            unpack_lane(fold, lane)
        self.token = control.token
        self.offset = self.next = control.offset if lane else await self.log.start(self.partition)
        self._offers_at, self._floor = control.offers_at, control.floor
        self._muted_until = lane.get("muted_until", -1)
        self._known_until = lane.get("known_until", -1)
        fold.muted = self.offset < self._muted_until
        building = self.offset < self._known_until
        known = await self._names(0 if building else control.offers_at)
        if not known <= control.outbox.keys():
            # offers were given out of which this store knows nothing: it is an older copy of itself, also one
            # of a rebuild; what was folded since is folded, and decided, once more
            self._known_until = max(self._known_until, await self.log.last(self.partition))
        if control.outbox:
            await self.point("republish")
            # in a cluster they stand on other servers, which may have lost what this one kept
            await self._tell_optouts(control.outbox)
            await self._publish(control.outbox, known)
        self._known = known if self.offset < self._known_until else frozenset()
        if lane.get("sweep"):
            self._sweep = await self.store.keys(self.partition)
        self._marked = time.monotonic()
        self._told = Counted.of(fold)
        self.fold = fold

    async def _fetch(self, wait: float) -> list[LogRecord]:
        fold = self.fold
        assert fold is not None
        if self._sweep:
            wait = 0
        elif self.next != self.offset:
            wait = max(min(wait, self._since + self.commit_after - time.monotonic()), 0)
        if fold.muted and self.next >= self._muted_until:
            fold.muted, self._unmuted = False, True
        self.waits = wait > 0 and self.next == self.offset
        records = self._ahead or await self.log.fetch(self.partition, self.next, self.batch, wait)
        self.waits = False
        if fold.muted and records and records[-1].offset >= self._muted_until:
            past = [record for record in records if record.offset < self._muted_until]
            if past:
                return past
            fold.muted, self._unmuted = False, True
        return records

    async def _fold_batch(self, records: list[LogRecord]) -> list[LogRecord]:
        """Fold messages up to `batch` records, or the first switch of rules; return those folded."""
        batch: list[tuple[LogRecord, list[Event]]] = []
        events, switches = list[Event](), list[str]()
        for record in records:
            read = self.intake.read_log(record.value, "log", f"{self.partition}:{record.offset}")
            events += read
            batch.append((record, read))
            switches = [event.fields["hash"] for event in read if event.kind == "rules.switch"]
            if switches or len(events) >= self.batch:
                break  # the silent are armed for one set of rules before the next comes
        self._ahead = records[len(batch) :]
        if self.await_rules is not None:
            for name in switches:
                await self.await_rules(name)
        while switches and self._sweep:
            await self._sweep_some()
            await self._commit()
        await self.point("read")
        await self._load(events)
        self._decide(batch)
        self.next = batch[-1][0].offset + 1
        fold = self.fold
        assert fold is not None
        if switches:
            held = fold.subscribers
            self._sweep = [key for key in await self.store.keys(self.partition) if key not in held]
        return [record for record, _ in batch]

    async def _load(self, events: list[Event]) -> None:
        """Read the states this batch needs: of its records, and of whoever wakes within it."""
        fold = self.fold
        assert fold is not None
        if len(fold.subscribers) > self.cache:
            if self.next != self.offset:
                await self._commit()
            fold.drop_cache()
        held = fold.subscribers
        needed = {event.key for event in events if event.key and event.key not in held}
        last = max((event.t for event in events if event.kind == "tick"), default=0)
        if last:
            waking = await self.store.due(self.partition, last)
            self._waking.update(waking)
            needed.update(key for key in waking if key not in held)
        await self._read(sorted(needed))

    async def _read(self, keys: list[str]) -> None:
        fold = self.fold
        assert fold is not None
        if not keys:
            return
        for key, blob in zip(keys, await self.store.read(self.partition, keys), strict=True):
            if blob is not None and key not in fold.gone:
                fold.adopt(decode(key, blob))

    async def _sweep_some(self) -> None:
        """Arm some of those whom a rule switch found silent: the first of their new timers may be due."""
        fold = self.fold
        assert fold is not None
        some = self._sweep[-self.batch :]
        del self._sweep[-self.batch :]  # from the end: a list of a million is not copied at every step
        await self._read([key for key in some if key not in fold.subscribers])
        for key in some:
            if key in fold.subscribers and key not in fold.gone:
                fold.subscriber(key)
        self._decisions += fold.decisions
        fold.decisions = []

    def _decide(self, batch: list[tuple[LogRecord, list[Event]]]) -> None:
        fold = self.fold
        assert fold is not None
        apply = fold.apply
        for record, events in batch:
            for event in events:
                apply(event)
            made = fold.decisions
            if made:
                self._decisions += made
                self._appended += [record.time for d in made if d["outcome"] == "offer"]
                fold.decisions = []

    def _must_commit(self, *, idle: bool) -> bool:
        """Say whether to commit now; `idle`: there is nothing more, and nobody waits for it."""
        fold = self.fold
        assert fold is not None
        if self._unmuted:
            return True
        if self.next == self.offset and not fold.touched and not self._decisions:
            return False
        if idle or not self.commit_after or len(fold.touched) >= KEYS_AT_MOST:
            return True
        if time.monotonic() - self._since >= self.commit_after:
            return True
        return any(decision["outcome"] != "refused" for decision in self._decisions)

    async def _commit(self) -> None:
        fold = self.fold
        assert fold is not None
        if self.dead is not None and self.refused:
            await self.dead.put(letters(self.refused, fold.base.hash, int(time.time() * 1e6)))
        self.refused = []
        let_go(fold, self._waking)
        self._waking = set()
        decisions, self._decisions = [*self._decisions, *fold.decisions], []
        fold.decisions = []
        appended, self._appended = self._appended, []
        touched, fold.touched = fold.touched, {}
        out = fill(fold, decisions, self.intake.identity.hash_number)
        states, wakes = {}, {}
        for key, sub in touched.items():
            states[key] = encode(sub)
            due = sub.wake or expires(sub, fold.side(sub))
            # an expiry that is filed too early is put right when it comes up
            if due < sub.filed or (sub.wake and due != sub.filed) or not sub.filed:
                wakes[key] = sub.filed = due
        if states:
            self.mean_bytes = sum(map(len, states.values())) / len(states)
        commit = Commit(
            token=self.token,
            next_token=secrets.token_hex(8),
            offset=self.next,
            lane=self._pack(fold),
            states=states,
            wakes=wakes,
            out=out,
            published=self.published,
            gone=tuple(fold.gone),
            offers_at=self._offers_at,
            floor=self._floor,
        )
        # first: whoever sees the commit takes it that the opt-outs before it are known (ADR 14)
        await self._tell_optouts(out)
        await self.point("commit")
        try:
            await self.store.commit(self.partition, commit)
        except StoreError as error:
            self.failed += not isinstance(error, FencedError)
            raise
        self._unmuted = False
        fold.profiles, fold.releases, fold.last_words = {}, [], {}
        fold.gone, fold.forgotten = set(), {}
        self.token, self.offset, self.published = commit.next_token, self.next, []
        self._tell_counts()
        if decisions and self.on_decisions is not None:
            self.on_decisions(decisions)
        if out:
            await self.point("publish")
            await self._publish(out, self._known)
        if appended and self.on_offers is not None:
            self.on_offers(appended)
        await self.point("prune")
        if self._known and self.offset >= self._known_until:
            self._known = frozenset()

    async def _publish(self, entries: Mapping[str, bytes], known: frozenset[str]) -> None:
        """Publish outbox entries."""
        end = await self.offers.publish(
            self.partition, list(entries.items()), offset=self.offset, known=known
        )
        if end is not None:
            self._offers_at = end
        self.published = list(entries)

    async def _names(self, since: int) -> frozenset[str]:
        names: set[str] = set()
        async for some in self.offers.names(self.partition, since):
            names.update(some)
            self.move()
        return frozenset(names)

    async def _tell_optouts(self, entries: Mapping[str, bytes]) -> None:
        if self.optouts is not None:
            await tell(self.optouts, entries, self.intake.identity.hash_number)

    def _tell_counts(self) -> None:
        fold = self.fold
        if fold is None or self.on_counts is None:
            return
        before, self._told = self._told, Counted.of(fold)
        self.on_counts(self._told.since(before))

    async def _mark(self) -> None:
        """Say beside the log how far everything is committed and published."""
        fold = self.fold
        assert fold is not None
        self._marked = time.monotonic()
        await self._check_token()
        if not self.token or fold.muted or self.offset < self._known_until:
            return  # the mark before the loss still is the one to rebuild from
        await self.log.mark(self.partition, Mark(self.offset, note_of(fold)))

    async def _check_token(self) -> None:
        """Notice that the store was lost, went back or has another owner, also without records to commit."""
        stands = (await self.store.ground(self.partition)).token
        if stands != self.token:
            raise FencedError(f"partition {self.partition}: expected token {self.token!r}, was {stands!r}")

    def _pack(self, fold: Fold) -> bytes:
        more: dict[str, Any] = {}
        if self._sweep:
            more["sweep"] = True
        if self.next < self._muted_until:
            more["muted_until"] = self._muted_until
        if self.next < self._known_until:
            more["known_until"] = self._known_until
        return pack_lane(fold, log=self._log_is, **more)
