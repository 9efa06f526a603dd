"""The dispatcher: published offers -> channels, and what became of them back into the log.

At most once towards the subscriber (design/protocol.md). The order of a pass, each step a named point at
which a crash sends nothing twice and loses no end:

    1 take      offers from the queue; repeats by (id, at) are dropped
    2 wait      until the partition is ready, and until quiet time is over: nothing is claimed yet
    3 claim     the decision in the ledger: whoever finds it claimed never sends it
    4 ahead     that this was claimed, into the ledger and beside the queue: what forgets it is found out
    5 gates     state, rules, wall clock, opt-outs: right before the write
    6 submit    to the channel
    7 report    receipts to the log
    8 settle    the ledger, then the books
    9 keep      how far the queue needs no second look

Whatever fails before 6, or is turned away there by a channel that has no room, is tried again later: nothing
is sent while the store, the ledger, the opt-outs or the log do not answer. Its claim is given back before it
waits (a point of its own, `release`), so that another dispatcher or the next life may send it. What was
claimed and has not ended by its deadline, whoever claimed it, ends as `indeterminate`; a receipt may settle
it before.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

import orjson

from engine.claims import Claims
from engine.course import Courses
from engine.errors import LogError, StateError, StoreError, ThrottledError
from engine.event import Event
from engine.last_gates import ENDS, RECEIPTS, Offer, expiry, refuse, valid_until, waits_until
from engine.patience import Patience
from engine.ports import (
    Channel,
    Deliveries,
    Ground,
    Message,
    OptOuts,
    Queue,
    Queued,
    Receipt,
    Store,
)
from engine.receipts import Point, Receipts, Report
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from engine.tally import Tally
from engine.view import View

IDLE: Final = 0.1
"""Seconds between two looks at a queue that had nothing new."""
REMEMBERED: Final = 200_000
"""(id, at) of offers read lately; the ledger knows the rest."""


FRESH: Final = 2_000_000
"""µs for which what the gates were told holds: a process that was stopped meanwhile asks again."""


async def _go_on(_: str) -> None:
    """Do nothing at a point."""


class Dispatcher:
    """Sends the offers of the partitions it holds.

    `book`: the rules in force for a subscriber, given `Subscriber.rules`; None while they are not known
    (nothing is sent then). `clock`: wall clock, µs
    UTC. `number_hash`: E.164 with its `+` -> the keyed hash under which lanes keep opt-outs. `at_once`: a run
    on the time of its records, in which nothing is ever on the way: gates look at the moment of the decision.
    """

    def __init__(
        self,
        queue: Queue,
        store: Store,
        deliveries: Deliveries,
        optouts: OptOuts,
        channels: Mapping[str, Channel],
        append_receipts: Callable[[list[Event]], Awaitable[None]],
        book: Callable[[str], Rulebook | None],
        clock: Callable[[], int],
        *,
        number_hash: Callable[[str], str],
        patience: Patience | None = None,
        at_once: bool = False,
        point: Point = _go_on,
    ) -> None:
        self.queue = queue
        self.store = store
        self.deliveries = deliveries
        self.optouts = optouts
        self.channels = channels
        self.book = book
        self.clock = clock
        self.number_hash = number_hash
        self.patience = patience or Patience()
        self.at_once = at_once
        self.point = point
        self.tally = Tally()
        self.reports = Receipts(
            deliveries,
            append_receipts,
            self.tally,
            clock,
            unmatched_us=self.patience.unmatched_us,
            deadline_us=self.patience.claim_us,
            point=point,
        )
        self.claims = Claims(deliveries, clock, self.patience.claim_us, point)
        self.courses = Courses(queue, deliveries, clock)
        self.stood: dict[int, int] = {}
        """Partition -> how far it was folded when it was looked at last."""
        self.went_back = False
        """A partition was found less far: its store is an older copy of itself, and may lack opt-outs.
        Nothing is sent until whoever looks after the store has cleared this."""
        self.unknown = 0
        """Submits whose answer was lost."""
        self._incoming: list[Queued] = []
        self._waiting: list[tuple[int, int, Offer]] = []
        """Heap of (when to look, order, offer)."""
        self._order = count()
        self._seen: dict[tuple[str, int], None] = {}
        self._swept = self._kept = 0

    @property
    def taken(self) -> int:
        """Offers read, each once."""
        return self.tally.taken

    @property
    def statuses(self) -> Counter[str]:
        """How they ended."""
        return self.tally.statuses

    @property
    def open(self) -> dict[str, str]:
        """Those that have not ended: decision -> subscriber key."""
        return self.tally.open

    @property
    def receipts(self) -> int:
        """Records handed to the log."""
        return self.reports.logged

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; what is under way then is brought to its end."""
        while not stop.is_set():
            try:
                if not await self.step(IDLE) and self._is_full():
                    await asyncio.sleep(IDLE)
            except (LogError, StoreError):
                await asyncio.sleep(self.patience.retry_us / 1e6)
        await self.reports.report(())
        # a claim that could not be given back when its offer was put off
        owed = [offer for _, _, offer in self._waiting if offer.id in self.claims.busy]
        await self._each(owed, self.claims.give_back)
        await self.point("keep")
        await self.courses.keep()

    async def step(self, wait: float = 0) -> int:
        """Make one pass; return how much there was to do. Raise `LogError` if the queue does not answer."""
        await self.reports.report(())
        worked = 0
        if not self.reports.backlog:
            worked = await self._take(wait) + await self._send()
        worked += await self.reports.collect(dict.fromkeys(self.channels.values()))
        now = self.clock()
        if now - self._swept >= self.patience.sweep_us:
            await self.reports.sweep(frozenset(self.claims.busy))
            self._swept = now
        if now - self._kept >= self.patience.keep_us:
            await self.point("keep")
            await self.courses.keep()
            self._kept = now
        return worked

    # -- 1 take ----------------------------------------------------------------------------------------------

    def _is_full(self) -> bool:
        return len(self._waiting) >= self.patience.waiting

    async def _take(self, wait: float) -> int:
        if not self._incoming and not self._is_full():
            self.courses.rewound.clear()
            self._incoming = await self.queue.take(self.patience.batch, wait)
        while self.courses.forgotten:  # before those of lost partitions are let go
            self._put_off(self.courses.forgotten.pop())
        try:
            while lost := await self.courses.hold():
                for partition in lost:
                    self._let_go(partition)
        except StoreError:
            return 0  # not known yet what the ledger remembers: what was taken waits
        incoming, self._incoming = self._incoming, []
        for queued in incoming:
            course = self.courses.held.get(queued.partition)
            if course is None or course.term != queued.term or queued.partition in self.courses.rewound:
                continue  # lost meanwhile: the new owner takes it; or it comes once more
            if not course.take(queued.offset):
                continue  # it waits here
            offer = self._read(queued)
            if offer is None:
                course.finish(queued.offset)
            else:
                heappush(self._waiting, (0, next(self._order), offer))
        return len(incoming)

    def _let_go(self, partition: int) -> None:
        """Leave what waits of a partition to its next owner."""
        for _, _, offer in self._waiting:
            if offer.partition == partition:
                self._seen.pop((offer.id, offer.at), None)
                self.claims.done(offer)
                self.tally.elsewhere(offer.id)
        self._waiting = [entry for entry in self._waiting if entry[2].partition != partition]
        heapify(self._waiting)

    def _read(self, queued: Queued) -> Offer | None:
        """Read an offer; None if it is a repeat, is none, or can't be read."""
        try:
            line = orjson.loads(queued.payload)
            if line["outcome"] != "offer":
                return None
            offer = Offer(queued.partition, queued.offset, queued.term, line, secrets.token_hex(8))
        except (KeyError, TypeError, ValueError):
            self.tally.broken()
            return None
        name = (offer.id, offer.at)
        if name in self._seen or offer.id in self.tally.open:
            return None
        self._seen[name] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.tally.take(offer.id, offer.key)
        return offer

    # -- 2 wait ----------------------------------------------------------------------------------------------

    async def _send(self) -> int:
        """Bring what is due on its way; return how many left the queue for good."""
        now, due = self.clock(), list[Offer]()
        while self._waiting and self._waiting[0][0] <= now and len(due) < self.patience.batch:
            due.append(heappop(self._waiting)[2])
        if not due:
            return 0
        going: list[Offer] = []
        try:
            views = await self._look(due)
        except StoreError:
            for offer in due:
                self._put_off(offer)
            return 0
        for offer in due:
            if await self._may_go(offer, views[offer.partition]):
                going.append(offer)
        claimed: list[Offer] = []
        await self._each(going, lambda offer: self._claim(offer, claimed))
        if claimed and (safe := await self._ahead(claimed)):
            await self._finish(safe)
        return len(going)

    async def _may_go(self, offer: Offer, view: View) -> bool:
        """Say whether an offer goes on to the claim; if not it waits."""
        if self.book("") is None or not view.ground.token:
            self._put_off(offer)
            return False
        if self.at_once or self._lost_reason(offer, view.ground) is not None:
            return True
        now = self._now(offer)
        try:
            sub = view.subscriber(offer.key)
            book = self.book(sub.rules)
            assert book is not None
            until = waits_until(offer, sub, book, now)
        except StateError:
            until = now if now >= expiry(offer, None) else now + self.patience.retry_most_us
        if until <= now:
            return True
        try:
            if await self._known_before(offer):
                return True
        except (LogError, StoreError):
            self._put_off(offer)
            return False
        self._wait(offer, until)
        return False

    async def _known_before(self, offer: Offer) -> bool:
        """Say whether an offer, before it waits, has a claim: one that is seen now may be lost until then."""
        if offer.untouched or offer.offset >= self.courses.held[offer.partition].fresh_from:
            return False
        if await self.deliveries.standing(offer.id) or not await self.courses.trusts(offer.partition):
            return True
        offer.untouched = True
        return False

    def _wait(self, offer: Offer, until: int) -> None:
        heappush(self._waiting, (until, next(self._order), offer))

    def _put_off(self, offer: Offer) -> None:
        """Try an offer again later; if it is still claimed, by the same claim."""
        patience = self.patience
        pause = min(patience.retry_us << min(offer.tries, 16), patience.retry_most_us)
        offer.tries += 1
        self._wait(offer, self.clock() + pause)

    # -- 3 claim ---------------------------------------------------------------------------------------------

    async def _claim(self, offer: Offer, claimed: list[Offer]) -> None:
        try:
            stands = await self.claims.take(offer)
        except StoreError:
            self._put_off(offer)
            return
        if not stands:
            claimed.append(offer)
        elif stands in ENDS:
            self.tally.elsewhere(offer.id)
            self._done_with(offer)
        else:
            # claimed by an earlier life or another dispatcher: never sent again, the ledger ends it
            self.tally.watch(offer.id, offer.deadline)
            self.claims.done(offer)
            course = self.courses.of(offer)
            if course is not None:
                course.relied.append(offer)

    async def _put_back(self, offer: Offer) -> None:
        """Try a claimed offer again later, by whoever has it then."""
        await self.claims.give_back(offer)
        self._put_off(offer)

    def _done_with(self, offer: Offer) -> None:
        self.claims.done(offer)
        course = self.courses.of(offer)
        if course is not None:
            course.finish(offer.offset)

    # -- 4 ahead ---------------------------------------------------------------------------------------------

    async def _ahead(self, claimed: list[Offer]) -> list[Offer]:
        """Write down that these were claimed; return those that may go on, the others wait."""
        await self.point("ahead")
        try:
            safe = await self.courses.ahead(claimed)
        except (LogError, StoreError):
            safe = set()
        sure: list[Offer] = []
        await self._each(claimed, lambda offer: self._still_claimed(offer, safe, sure))
        return sure

    async def _still_claimed(self, offer: Offer, safe: set[int], sure: list[Offer]) -> None:
        """Ask whether a claim stands: the ledger may have forgotten it before the pass was written."""
        try:
            if offer.partition in safe and await self.deliveries.standing(offer.id):
                sure.append(offer)
                return
        except StoreError:
            pass  # it waits as others do
        await self._put_back(offer)

    # -- 5 gates, 6 submit -----------------------------------------------------------------------------------

    async def _finish(self, claimed: list[Offer]) -> None:
        """Ask the last gates of claimed offers, submit those that pass, report what became of all."""
        await self.point("gates")
        try:
            views = await self._look(claimed)
        except StoreError:
            await self._each(claimed, self._put_back)
            return
        reports: list[Report] = []
        await self._each(claimed, lambda offer: self._last(offer, views[offer.partition], reports))
        await self.reports.report(reports)

    async def _last(self, offer: Offer, view: View, reports: list[Report]) -> None:
        try:
            message = await self._message(offer, view)
        except (StoreError, StateError):
            await self._put_back(offer)
            return
        if message.__class__ is str:
            reports.append(Report(offer.key, Receipt(offer.id, message)))
        elif isinstance(message, Message) and not await self._submit(offer, message, reports):
            return
        self._done_with(offer)

    async def _message(self, offer: Offer, view: View) -> Message | str:
        """Ask the last gates; return the message, or the reason why there is none."""
        if self.book("") is None or not view.ground.token:
            raise StoreError(f"partition {offer.partition}: expected its state, was none")
        lost = self._lost_reason(offer, view.ground)
        if lost is not None:
            return lost
        if offer.channel not in self.channels:
            return "channel"
        try:
            sub = view.subscriber(offer.key)
        except StateError:
            if self._now(offer) < expiry(offer, None):
                raise
            sub = Subscriber(offer.key)
        book = self.book(sub.rules)
        assert book is not None
        reason = refuse(offer, sub, book, self._now(offer))
        if reason is not None:
            return reason
        names = [offer.key] if sub.bound is None else [self.number_hash(sub.bound), offer.key]
        if any(await self.optouts.holds(names)):
            return "suppressed"
        if not (await self._ground(offer.partition)).token:
            raise StoreError(f"partition {offer.partition}: expected its state, was lost")
        # from here to the write nothing is awaited; the clock went on while the opt-outs were asked
        if self.clock() >= min(view.at + FRESH, offer.deadline):
            raise StoreError(f"partition {offer.partition}: expected answers of this second, were older")
        now = self._now(offer)
        reason = refuse(offer, sub, book, now)
        if reason is not None:
            return reason
        until = valid_until(offer, sub, book, now)
        return Message(offer.id, offer.channel, sub.bound, offer.text, offer.subject, until)

    async def _submit(self, offer: Offer, message: Message, reports: list[Report]) -> bool:
        """Write a message, once; False if the channel took nothing."""
        try:
            async with asyncio.timeout(self.patience.submit_s):
                receipt = await self.channels[offer.channel].submit(message)
        except ThrottledError:
            await self._put_back(offer)
            return False
        except (OSError, EOFError):
            self.unknown += 1
            self.tally.watch(offer.id, offer.deadline)
            return True
        last = max(message.valid_until_us + RECEIPTS, offer.deadline)
        reports.append(Report(offer.key, receipt, 0 if receipt.status in ENDS else last))
        return True

    # -- what all of them ask --------------------------------------------------------------------------------

    def _now(self, offer: Offer) -> int:
        return offer.at if self.at_once else self.clock()

    def _lost_reason(self, offer: Offer, ground: Ground) -> str | None:
        """Return how an offer ends that has no claim now but may have had one, None for all others."""
        if offer.offset < ground.floor:
            return "rebuild"
        course = self.courses.held.get(offer.partition)
        if course is not None and offer.offset < course.guard and not offer.untouched:
            return "indeterminate"
        return None

    async def _look(self, offers: Sequence[Offer]) -> dict[int, View]:
        """Read where partitions stand, and the states of subscribers."""
        wanted: dict[int, dict[str, None]] = {}
        for offer in offers:
            wanted.setdefault(offer.partition, {})[offer.key] = None
        views: dict[int, View] = {}
        now = self.clock()
        for partition, keys in wanted.items():
            ground = await self._ground(partition)
            blobs = await self.store.read(partition, list(keys)) if ground.token else [None] * len(keys)
            views[partition] = View(now, ground, dict(zip(keys, blobs, strict=True)))
        return views

    async def _ground(self, partition: int) -> Ground:
        """Ask where a partition stands; raise `StoreError` if it is less far than it was."""
        stood = self.stood.get(partition, 0)
        ground = await self.store.ground(partition)
        if self.went_back or ground.offset < stood:
            self.went_back = True
            raise StoreError(f"partition {partition}: expected offset {stood} or more, was {ground.offset}")
        self.stood[partition] = max(ground.offset, self.stood.get(partition, 0))
        return ground

    async def _each(self, offers: Iterable[Offer], act: Callable[[Offer], Awaitable[None]]) -> None:
        """Do something with all offers, `at_a_time` at a time."""
        most = self.patience.at_a_time
        if most == 1:
            for offer in offers:
                await act(offer)
            return
        free = asyncio.Semaphore(most)

        async def one(offer: Offer) -> None:
            async with free:
                await act(offer)

        async with asyncio.TaskGroup() as group:
            for offer in offers:
                group.create_task(one(offer))
