"""Decision lines and receipts of one subscriber, put together: what was decided, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.last_gates import ENDS, REASONS

NEVER_SENT = {
    "control": "not sent: held out, to compare with",
    "shadow": "not sent: the rule is on trial",
    "refused": "",
}


@dataclass(slots=True)
class Told:
    """One decision."""

    line: dict[str, Any]
    offset: int = 0
    """Up to where the log was folded when it was published: its receipts come after that."""
    taken_back: int | None = None
    """When a receipt rejected it for good, so that it counts no more; µs."""
    ended: bool = False
    """Of a hold: its end was decided, too, and is a decision of its own."""
    receipts: list[dict[str, Any]] = field(default_factory=list)
    """{"t", "status", "cause"} in the order of the log."""
    standing: str = ""
    """How the dispatcher's ledger has it; empty: not asked, or it does not know it (any more)."""

    @property
    def sent(self) -> bool:
        """Whether it went to the dispatcher."""
        return bool(self.line["outcome"] == "offer")

    @property
    def end(self) -> dict[str, Any] | None:
        """The receipt that ended it; of several the first."""
        return next((receipt for receipt in self.receipts if receipt["status"] in ENDS), None)

    def became(self) -> str:
        """Say in a word or two what became of it; empty where nothing had to."""
        outcome = self.line["outcome"]
        if self.taken_back is not None:
            return "rejected, taken back: does not count"
        if not self.sent:
            if outcome == "held":
                return "decided anew when it ended" if self.ended else "waits for its end"
            return NEVER_SENT[outcome]
        receipt = self.end or (self.receipts[-1] if self.receipts else None)
        status = receipt["status"] if receipt is not None else self.standing
        if not status:
            return "not known"
        cause = f" ({receipt['cause']})" if receipt is not None and receipt.get("cause") else ""
        meaning = REASONS.get(status)
        return f"{status}{cause}: {meaning}" if meaning else f"{status}{cause}"


class Story:
    """Collects lines and receipts of some keys. Order of calls: `lines`, then `receipts`."""

    def __init__(self, keys: Collection[str], since: int = 0) -> None:
        self.keys = frozenset(keys)
        self.since = since
        """µs: what was decided before is left out."""
        self.forgotten: int | None = None
        """When one of the keys was forgotten last, µs: decisions before that are not told."""
        self._told: dict[tuple[str, int], Told] = {}
        self._taken_back: dict[str, int] = {}
        self._needles = [key.encode() for key in self.keys]

    def lines(self, messages: Iterable[tuple[int, bytes]]) -> None:
        """Take in messages of the topic of decisions, (`offset` of the message's header, value), in order."""
        for offset, value in messages:
            if not any(needle in value for needle in self._needles):
                continue
            read = orjson.loads(value)
            for line in read if isinstance(read, list) else [read]:
                if line.get("subscriber_key") in self.keys:
                    self._take(line, offset)

    def receipts(self, values: Iterable[bytes]) -> None:
        """Take in messages of the log, in order; what is no receipt of the subscriber is passed over."""
        by_id: dict[str, Told] = {told.line["id"]: told for told in self.all() if told.sent}
        for value in values:
            if b'"offer.receipt"' not in value or not any(needle in value for needle in self._needles):
                continue
            read = orjson.loads(value)
            for record in read if isinstance(read, list) else [read]:
                told = by_id.get(str(record.get("decision")))
                if record.get("kind") != "offer.receipt" or told is None:
                    continue
                receipt = {"t": record["t"], "status": record["status"], "cause": record.get("cause")}
                if receipt not in told.receipts:
                    told.receipts.append(receipt)

    def all(self) -> list[Told]:
        """Return the decisions, oldest first."""
        found = sorted(self._told.values(), key=lambda told: (told.line["at"], told.line["rule"]))
        last = {told.line["id"]: told for told in found}
        for told in found:
            told.ended = last[told.line["id"]] is not told
            told.taken_back = self._taken_back.get(told.line["id"]) if told.sent else None
        return found

    def _take(self, line: dict[str, Any], offset: int) -> None:
        if "forgotten" in line:
            told = self._told.items()
            key = line["forgotten"]
            self.forgotten = max(line["t"], self.forgotten or 0)
            self._told = {name: one for name, one in told if one.line["subscriber_key"] != key}
        elif "release" in line:
            self._taken_back.setdefault(line["release"], line["t"])
        elif line["at"] >= self.since:
            self._told.setdefault((line["id"], line["at"]), Told(line, offset))


def receipts_from(told: Iterable[Told]) -> int | None:
    """Return the offset of the log from which on receipts can stand; None if nothing was sent."""
    return min((one.offset for one in told if one.sent), default=None)


def to_json(told: Told, why: str) -> dict[str, Any]:
    """Return a decision with what became of it as plain data; times are µs UTC."""
    return {
        **told.line,
        "why": why,
        "became": told.became(),
        "taken_back": told.taken_back,
        "receipts": told.receipts,
        "standing": told.standing or None,
    }
