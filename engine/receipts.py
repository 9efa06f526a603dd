"""What became of messages: to the log first, then to the ledger, then into the books.

Receipts come early (before the answer to the submit), twice, late, on another connection, or for a message of
an earlier life: whose they are stands in the ledger. The first end in the ledger counts; the log gets each
receipt, and of several ends of one decision in it the first holds.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import LogError, StoreError
from engine.event import Event
from engine.last_gates import ENDS
from engine.ports import Channel, Deliveries, Receipt
from engine.tally import Tally

Point = Callable[[str], Awaitable[None]]
"""Called with a step's name before the step: tests crash a dispatcher there."""

GRACE: Final = 60_000_000
"""µs after a deadline before the books ask the ledger who ended a decision."""
AT_MOST: Final = 1_000
"""Decisions ended by one sweep."""
_CAUSE = re.compile(r"(?!.*\d{5})[\w.:-]{1,32}")
"""Causes that go into the log: codes, never free text, in which a network may repeat a number."""


@dataclass(frozen=True, slots=True)
class Report:
    """One thing to tell: the log, the ledger, the books."""

    key: str
    receipt: Receipt
    deadline_us: int = 0
    """By when an open decision must have ended."""


class Receipts:
    """Tells log, ledger and books what became of messages; what fails is told again."""

    def __init__(
        self,
        deliveries: Deliveries,
        append: Callable[[list[Event]], Awaitable[None]],
        tally: Tally,
        clock: Callable[[], int],
        *,
        unmatched_us: int,
        deadline_us: int,
        point: Point,
    ) -> None:
        self.deliveries = deliveries
        self.append = append
        self.tally = tally
        self.clock = clock
        self.unmatched_us = unmatched_us
        self.deadline_us = deadline_us
        self.point = point
        self.logged = 0
        """Records handed to the log."""
        self.unmatched = 0
        """Receipts that no decision was found for."""
        self.backlog: list[Report] = []
        """Not in the log yet: while there is any, nothing is sent."""
        self._unsettled: list[Report] = []
        self._homeless: list[tuple[int, Receipt]] = []
        """(until, receipt) of receipts without a decision so far."""

    async def report(self, reports: Iterable[Report]) -> None:
        """Tell what is new, after what could not be told before."""
        self.backlog += reports
        if self.backlog:
            await self.point("report")
            try:
                await self.append([self._event(report) for report in self.backlog])
            except LogError:
                return
            self.logged += len(self.backlog)
            self._unsettled += self.backlog
            self.backlog = []
        await self._settle()

    async def collect(self, channels: Iterable[Channel]) -> int:
        """Take in what channels have received; return how much of it was new."""
        now = self.clock()
        fresh = [receipt for channel in channels for receipt in await channel.receipts()]
        waiting = [(now + self.unmatched_us, receipt) for receipt in fresh]
        waiting, self._homeless = self._homeless + waiting, []
        found: list[Report] = []
        for until, receipt in waiting:
            try:
                key = self.tally.open.get(receipt.decision) or await self.deliveries.find(receipt.decision)
            except StoreError:
                self._homeless.append((max(until, now + self.unmatched_us), receipt))
                continue
            if key is not None:
                found.append(Report(key, receipt))
            elif until > now:
                self._homeless.append((until, receipt))
            else:
                self.unmatched += 1
        await self.report(found)
        return len(fresh)

    async def sweep(self, busy: frozenset[str]) -> None:
        """End as `indeterminate` what is overdue, but for those of `busy`, which are being tried here."""
        now = self.clock()
        try:
            late = await self.deliveries.overdue(now, AT_MOST + len(busy))
            lost = await self._lost(now)
        except StoreError:
            return
        ends = {decision: key for decision, key in (*late, *lost) if decision not in busy}
        await self.report(Report(key, Receipt(decision, "indeterminate")) for decision, key in ends.items())

    async def _lost(self, now: int) -> list[tuple[str, str]]:
        """Close what others ended; name those that the ledger has lost, claimed anew so that they can end."""
        lost: list[tuple[str, str]] = []
        late = self.tally.late(now - GRACE, AT_MOST)
        for decision, _ in late:
            self.tally.watch(decision, now + self.deadline_us)  # also if the ledger does not answer
        for decision, key in late:
            standing = await self.deliveries.standing(decision)
            if standing in ENDS:
                self.tally.elsewhere(decision)
            elif not standing and not await self.deliveries.claim(decision, key, now, "lost"):
                lost.append((decision, key))
        return lost

    async def _settle(self) -> None:
        unsettled, self._unsettled = self._unsettled, []
        for place, report in enumerate(unsettled):
            decision, status = report.receipt.decision, report.receipt.status
            final = status in ENDS
            await self.point("settle")
            try:
                first = await self.deliveries.settle(decision, status, final, report.deadline_us)
            except StoreError:
                self._unsettled = unsettled[place:]
                return
            if not first:
                # it ended elsewhere, or the ledger has lost it: the next sweep finds out
                self.tally.watch(decision, 0)
            elif final:
                self.tally.end(decision, status)
            elif report.deadline_us:
                self.tally.watch(decision, report.deadline_us)

    def _event(self, report: Report) -> Event:
        receipt, now = report.receipt, self.clock()
        fields: dict[str, Any] = {
            "kind": "offer.receipt",
            "t": now,
            "subscriber_key": report.key,
            "decision": receipt.decision,
            "status": receipt.status,
        }
        if receipt.detail and _CAUSE.fullmatch(receipt.detail):
            fields["cause"] = receipt.detail
        return Event("offer.receipt", now, report.key, fields)
