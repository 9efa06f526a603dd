"""How far the dispatcher has come in one partition of the queue, and whether it may trust the ledger.

Claims live in Redis, positions beside the queue. Both count passes: a pass claims some offers, then writes
its number into the ledger, then beside the queue, and only then sends. So a ledger that knows of a pass has
its claims, and if the queue knows of more passes than the ledger, that is an older copy of itself (restored,
or its last writes were lost): claims may be missing, and what could have been sent under them must not be
sent again. It is looked at again, and ends as `indeterminate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from engine.errors import LogError, StoreError
from engine.last_gates import LONGEST, Offer
from engine.ports import Deliveries, Progress, Queue

AGAIN: Final = LONGEST + 3_600_000_000
"""µs: offers that were published longer ago have ended."""


class Course:
    """One partition, from its assignment to its loss.

    `kept`: what the queue remembers; `remembered`: passes of which the ledger knows.
    """

    def __init__(self, term: int, kept: Progress, remembered: int) -> None:
        self.term = term
        self.kept = kept
        self.fresh_from = kept.reached
        """From here on nobody had sent anything before the assignment."""
        self.guard = max(kept.guard, kept.reached if remembered < kept.passes else 0)
        """Offers before this without a claim may have been sent: they end as `indeterminate`."""
        self.caution = self.guard
        """What the next owner must take for `guard`: what this one has sent is known to this one alone."""
        self.expected = remembered
        """At least so many passes the ledger must know of."""
        self.passes = max(kept.passes, remembered)
        self._number = self.passes
        self.relied: list[Offer] = []
        """Of these the ledger has a claim of another, and will see to their ends if it does not forget it: no
        pass may have written it. After the next one they are asked for again."""
        self.claimed_to = kept.reached
        self.taken_to = kept.done
        self._pending: dict[int, None] = {}
        """Offsets that need a second look, ascending, for offers come in order: unless they come `_again`."""
        self._again = False

    def take(self, offset: int) -> bool:
        """Enter an offer that was taken; False if it is here already."""
        self.taken_to = offset + 1
        if offset in self._pending:
            return False
        self._pending[offset] = None
        return True

    def take_again(self, position: int) -> None:
        """Take note that offers from a position on are taken once more."""
        self.taken_to = position
        self._again = True

    def finish(self, offset: int) -> None:
        """Say that an offer needs no second look."""
        self._pending.pop(offset, None)

    @property
    def progress(self) -> Progress:
        """What may be kept now."""
        if self._again:
            done = min(self._pending, default=self.taken_to)
        else:
            done = next(iter(self._pending), self.taken_to)
        guard = self.caution if done < self.caution else 0
        return Progress(done, max(self.claimed_to, done), self.passes, guard)

    def next_number(self) -> int:
        """Return the number of the next pass: a new one also if nobody knows whether the last was written."""
        self._number += 1
        return self._number

    def roll_back(self, remembered: int) -> None:
        """Take note that the ledger fell back while this partition was held."""
        # what came after the assignment was sent by this process or by nobody, and it knows by itself
        self.guard = max(self.guard, self.fresh_from)
        self.caution = max(self.guard, self.claimed_to)
        self.expected = remembered


class Courses:
    """All partitions held now."""

    def __init__(self, queue: Queue, deliveries: Deliveries, clock: Callable[[], int]) -> None:
        self.queue = queue
        self.deliveries = deliveries
        self.clock = clock
        self.held: dict[int, Course] = {}
        self.forgotten: list[Offer] = []
        """Claimed by another, and no longer: to be looked at again."""
        self.rewound: set[int] = set()
        """Partitions that are taken again: what was taken before, and not entered yet, comes once more."""
        self.rolled_back = 0
        """How often the ledger was found to be an older copy of itself."""
        self.on_roll_back: Callable[[], None] | None = None

    def of(self, offer: Offer) -> Course | None:
        """Return the course of an offer; None if its partition was lost since it was taken."""
        course = self.held.get(offer.partition)
        return course if course is not None and course.term == offer.term else None

    async def hold(self) -> list[int]:
        """Follow the queue in which partitions are held; return those that were lost.

        Raise `StoreError` or `LogError` if it can't be known yet how far a new one has come.
        """
        terms = self.queue.terms()
        lost = [partition for partition, course in self.held.items() if terms.get(partition) != course.term]
        for partition in lost:
            del self.held[partition]
        if lost:
            return lost
        for partition, term in terms.items():
            if partition not in self.held:
                kept = await self.queue.progress(partition)
                remembered = await self.deliveries.passes(partition)
                course = Course(term, kept, remembered)
                if remembered < kept.passes:
                    await self._fell_back(partition, course)
                self.held[partition] = course
        return []

    async def trusts(self, partition: int) -> bool:
        """Say whether what the ledger has just said of a partition holds: it has not fallen back."""
        course = self.held[partition]
        remembered = await self.deliveries.passes(partition)
        if remembered >= course.expected:
            return True
        await self._fell_back(partition, course)
        course.roll_back(remembered)
        return False

    async def ahead(self, claimed: Iterable[Offer]) -> set[int]:
        """Write a pass that has claimed offers and sent nothing yet; return the partitions it may send.

        Raise `StoreError` or `LogError` if that can't be done: nothing of it may be sent then.
        """
        partitions: dict[int, None] = {}
        for offer in claimed:
            course = self.of(offer)
            if course is not None:
                course.claimed_to = max(course.claimed_to, offer.offset + 1)
                partitions[offer.partition] = None
        return await self._keep(await self._pass(partitions))

    async def _pass(self, partitions: Iterable[int]) -> dict[int, Progress]:
        """Write a pass over some partitions into the ledger; return what is to be kept of it."""
        fresh: dict[int, Progress] = {}
        for partition in partitions:
            course = self.held[partition]
            await self._warn(partition, course)
            number = course.next_number()
            if not await self.deliveries.remember(partition, course.expected, number):
                await self._fell_back(partition, course)
                course.roll_back(await self.deliveries.passes(partition))
                raise StoreError(
                    f"ledger of partition {partition}: expected {course.passes} passes, was less"
                )
            course.passes = course.expected = number
            await self._ask_again(course)
            fresh[partition] = course.progress
        return fresh

    async def _ask_again(self, course: Course) -> None:
        """See whether the claims of others are still there, now that the ledger has this pass behind them."""
        while course.relied:
            offer = course.relied[-1]
            if await self.deliveries.standing(offer.id):
                course.finish(offer.offset)
            else:
                self.forgotten.append(offer)
            course.relied.pop()

    async def _warn(self, partition: int, course: Course) -> None:
        """Have the next owner know what not to trust, before the ledger looks as if it were to be trusted."""
        progress = course.progress
        if progress.guard > course.kept.guard and partition not in await self._keep({partition: progress}):
            raise LogError(f"partition {partition} of the queue: expected to be held, was lost")

    async def keep(self) -> None:
        """Keep beside the queue how far partitions have come; what fails is kept the next time."""
        changed = {p: course.progress for p, course in self.held.items() if course.progress != course.kept}
        try:
            changed.update(await self._pass([p for p, course in self.held.items() if course.relied]))
            if changed:
                await self._keep(changed)
        except (LogError, StoreError):
            return

    async def _keep(self, fresh: dict[int, Progress]) -> set[int]:
        """Keep progress; return the partitions that were held all the time."""
        await self.queue.done(fresh)
        terms = self.queue.terms()
        ours = {p for p in fresh if p in self.held and terms.get(p) == self.held[p].term}
        for partition in ours:
            self.held[partition].kept = fresh[partition]
        return ours

    async def _fell_back(self, partition: int, course: Course) -> None:
        """Look at everything again that may have lost its claim before it ended: nobody else would end it."""
        course.take_again(await self.queue.rewind(partition, self.clock() - AGAIN))
        self.rewound.add(partition)
        self.rolled_back += 1
        if self.on_roll_back is not None:
            self.on_roll_back()
