"""The dispatcher: published offers -> channels, and what became of them back into the log.

At most once towards the subscriber (design/protocol.md): claim the decision, ask the last gates right before
the write, submit, let receipts go through the log. Every decision ends under one name: `delivered failed
rejected expired indeterminate`, or `suppressed consent.marketing unbound` where a last gate stopped it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from engine.codec import decode
from engine.event import Event
from engine.ports import Channel, Message, Offers, Receipt, Store

ENDS = frozenset(
    (
        "delivered",
        "failed",
        "rejected",
        "expired",
        "indeterminate",
        "suppressed",
        "unbound",
        "consent.marketing",
    )
)
"""Statuses after which nothing more is expected."""


class Dispatcher:
    """Sends the offers of all partitions; `now` gives log time for receipts."""

    def __init__(
        self,
        partitions: int,
        offers: Offers,
        store: Store,
        channels: Mapping[str, Channel],
        now: Callable[[], int],
    ) -> None:
        self.offers = offers
        self.store = store
        self.channels = channels
        self.now = now
        self.offsets = [0] * partitions
        self.seen: set[str] = set()
        """(id, at) of lines read: repeats are dropped."""
        self.open: dict[str, str] = {}
        """Decision id -> subscriber key, until its last receipt."""
        self.statuses: Counter[str] = Counter()
        """How decisions ended."""
        self.taken = 0
        """Offers read, each once."""
        self.receipts = 0
        """Receipts handed to the log."""

    async def step(self) -> list[Event]:
        """Send what is new; return receipts as records for the log."""
        receipts: list[tuple[str, Receipt]] = []
        for partition, offset in enumerate(self.offsets):
            payloads = await self.offers.read(partition, offset, 1000)
            self.offsets[partition] += len(payloads)
            for payload in payloads:
                decision = orjson.loads(payload)
                if decision["outcome"] == "offer":
                    receipt = await self._send(partition, decision)
                    if receipt is not None:
                        receipts.append((decision["subscriber_key"], receipt))
        for channel in dict.fromkeys(self.channels.values()):
            for receipt in await channel.receipts():
                key = self.open.get(receipt.decision)
                if key is not None:
                    receipts.append((key, receipt))
        return [self._event(key, receipt) for key, receipt in receipts]

    async def _send(self, partition: int, decision: dict[str, Any]) -> Receipt | None:
        name = f"{decision['id']}@{decision['at']}"
        if name in self.seen:
            return None
        self.seen.add(name)
        self.taken += 1
        id, key = decision["id"], decision["subscriber_key"]
        if not await self.store.claim(id):
            return None
        self.open[id] = key
        [blob] = await self.store.read(partition, [key])
        state = decode(key, blob) if blob is not None else None
        channel = self.channels[decision["channel"]]
        if state is None or state.suppressed:
            return Receipt(id, "suppressed")
        if not state.consent.get("marketing"):
            return Receipt(id, "consent.marketing")
        if state.bound is None and decision["channel"] != "manual":
            return Receipt(id, "unbound", "no profile binds a number")
        message = Message(id, decision["channel"], state.bound, decision["text"], decision.get("subject"))
        return await channel.submit(message)

    def _event(self, key: str, receipt: Receipt) -> Event:
        self.receipts += 1
        if receipt.status in ENDS and self.open.pop(receipt.decision, None) is not None:
            self.statuses[receipt.status] += 1
        fields: dict[str, Any] = {
            "kind": "offer.receipt",
            "t": self.now(),
            "subscriber_key": key,
            "decision": receipt.decision,
            "status": receipt.status,
        }
        return Event("offer.receipt", fields["t"], key, fields)
