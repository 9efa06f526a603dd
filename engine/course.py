"""How far the dispatcher has come in one partition of the queue, and from where on it may trust the ledger.

Claims live in Redis, positions beside the queue. If the queue knows of more sending than Redis does, Redis is
an older copy of itself (restored, or a failover lost its last writes): claims may be missing, and what could
have been sent under them must not be sent again.
"""

from __future__ import annotations

from engine.errors import LogError, StoreError
from engine.ports import Deliveries, Progress, Queue


class Course:
    """One partition, from its assignment to its loss.

    `kept`: what the queue remembers; `remembered`: what the ledger does; `end`: of the queue, at assignment.
    """

    def __init__(self, term: int, kept: Progress, remembered: int, end: int) -> None:
        self.term = term
        self.kept = kept
        self.fresh_from = end
        """What is published from here on came after the assignment: nobody sent it before."""
        self.guard = end if kept.reached > remembered else 0
        """Offers before this without a claim may have been sent: they end as `indeterminate`."""
        self.silent_until = self.guard
        """Nothing is kept before this is done: a crash in between must find the ledger behind again."""
        self.expected = remembered
        """At least this the ledger must remember."""
        self.taken_to = kept.done
        self._pending: dict[int, None] = {}
        """Offsets that need a second look, ascending: offers come in order."""

    def take(self, offset: int) -> None:
        """Enter an offer that was taken."""
        self._pending[offset] = None
        self.taken_to = offset + 1

    def finish(self, offset: int) -> None:
        """Say that an offer needs no second look."""
        self._pending.pop(offset, None)

    @property
    def progress(self) -> Progress:
        """What may be kept now."""
        return Progress(next(iter(self._pending), self.taken_to), self.taken_to)

    def roll_back(self, remembered: int) -> None:
        """Take note that the ledger fell back while this partition was held."""
        # what came after the assignment was sent by this process or by nobody, and it knows by itself
        self.guard = max(self.guard, self.fresh_from)
        self.silent_until = self.taken_to
        self.expected = remembered


class Courses:
    """All partitions held now."""

    def __init__(self, queue: Queue, deliveries: Deliveries) -> None:
        self.queue = queue
        self.deliveries = deliveries
        self.held: dict[int, Course] = {}
        self.rolled_back = 0
        """How often the ledger was found to be an older copy of itself."""

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
                end = await self.queue.end(partition)
                kept = await self.queue.progress(partition)
                course = Course(term, kept, await self.deliveries.reached(partition), end)
                self.rolled_back += course.guard > 0
                self.held[partition] = course
        return []

    async def keep(self) -> None:
        """Remember how far partitions were sent: first in the ledger, then beside the queue.

        What fails is kept the next time.
        """
        fresh: dict[int, Progress] = {}
        try:
            for partition, course in self.held.items():
                progress = course.progress
                if progress == course.kept or progress.done < course.silent_until:
                    continue
                if await self.deliveries.remember(partition, course.expected, progress.reached):
                    course.expected = progress.reached
                    fresh[partition] = progress
                else:
                    self.rolled_back += 1
                    course.roll_back(await self.deliveries.reached(partition))
        except StoreError:
            pass  # what was remembered before it stands
        if not fresh:
            return
        try:
            await self.queue.done(fresh)
        except LogError:
            return
        for partition, progress in fresh.items():
            self.held[partition].kept = progress
