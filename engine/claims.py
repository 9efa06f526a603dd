"""The claims of one dispatcher: taken before anything is written, given back if nothing was.

A claim that is neither given back nor followed by a write ends as `indeterminate`: of a process that is gone
nobody can say what it did. So whoever knows that it wrote nothing says so here before it lets an offer wait.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import StoreError
from engine.last_gates import Offer
from engine.ports import Deliveries
from engine.receipts import Point


class Claims:
    """Claims decisions in the ledger. `clock`: wall clock, µs UTC; `claim_us`: µs until one is overdue."""

    def __init__(self, deliveries: Deliveries, clock: Callable[[], int], claim_us: int, point: Point) -> None:
        self.deliveries = deliveries
        self.clock = clock
        self.claim_us = claim_us
        self.point = point
        self.busy: set[str] = set()
        """Decisions that are, or may be, claimed here and not yet sent."""

    async def take(self, offer: Offer) -> str:
        """Claim an offer: "" if it may be sent, else the status that stands. A `StoreError`: ask again."""
        await self.point("claim")
        self.busy.add(offer.id)
        offer.deadline = self.clock() + self.claim_us
        offer.turn += 1
        return await self.deliveries.claim(offer.id, offer.key, offer.deadline, offer.claimer, offer.turn)

    async def give_back(self, offer: Offer) -> None:
        """Have the ledger forget a claim under which nothing was sent; it stands if that fails."""
        await self.point("release")
        if self.clock() >= offer.deadline:
            return  # a sweep may be ending it just now
        try:
            if await self.deliveries.release(offer.id, offer.claimer, offer.turn):
                self.busy.discard(offer.id)
        except StoreError:
            return

    def done(self, offer: Offer) -> None:
        """Say that an offer is sent, has ended, or is another's."""
        self.busy.discard(offer.id)
