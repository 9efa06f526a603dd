"""The dispatcher's books: what was taken, what is open, how it ended. They balance at any moment:

taken == sum(statuses.values()) + len(open)
"""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush


class Tally:
    """Counts each decision once; what another dispatcher counts ends here as `elsewhere`."""

    def __init__(self) -> None:
        self.taken = 0
        """Offers read, each once, and decisions of earlier lives that ended here."""
        self.statuses: Counter[str] = Counter()
        """How they ended (`last_gates.REASONS`)."""
        self.open: dict[str, str] = {}
        """Decision -> subscriber key, of those that have not ended."""
        self._deadlines: list[tuple[int, str]] = []
        self._until: dict[str, int] = {}

    def take(self, decision: str, key: str) -> None:
        """Enter an offer that was read."""
        self.taken += 1
        self.open[decision] = key

    def broken(self) -> None:
        """Enter an offer that can't be read."""
        self.taken += 1
        self.statuses["broken"] += 1

    def watch(self, decision: str, deadline_us: int) -> None:
        """Say by when the ledger has ended an open decision: `late` names it after that."""
        if decision in self.open:
            self._until[decision] = deadline_us
            heappush(self._deadlines, (deadline_us, decision))

    def end(self, decision: str, status: str) -> None:
        """Enter an end; of a decision that was not taken here both its taking and its end."""
        self._until.pop(decision, None)
        if self.open.pop(decision, None) is None:
            self.taken += 1
        self.statuses[status] += 1

    def elsewhere(self, decision: str) -> None:
        """Leave a decision to whoever counts its end; nothing if it is not open here."""
        if decision in self.open:
            self.end(decision, "elsewhere")

    def late(self, before_us: int, limit: int) -> list[tuple[str, str]]:
        """Take out up to `limit` open decisions whose deadline was before a time: (decision, key)."""
        found: list[tuple[str, str]] = []
        while self._deadlines and self._deadlines[0][0] < before_us and len(found) < limit:
            deadline, decision = heappop(self._deadlines)
            if self._until.get(decision) == deadline:
                del self._until[decision]
                found.append((decision, self.open[decision]))
        return found
