"""The ledger of what is being sent, in memory: the twin of Redis for the embedded run and for tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Claim:
    key: str
    claimer: str
    turn: int
    status: str = "claimed"
    ended: bool = False
    met: bool = False
    """Another was refused because of it."""


class MemoryDeliveries:
    """One entry per decision, for good: a run in memory is over before an entry could lapse."""

    def __init__(self) -> None:
        self._claims: dict[str, _Claim] = {}
        self._deadlines: dict[str, int] = {}
        """Open decision -> deadline, µs."""
        self._passes: dict[int, int] = {}

    async def claim(
        self, decision: str, subscriber_key: str, deadline_us: int, claimer: str, turn: int = 0
    ) -> str:
        """Claim a decision."""
        held = self._claims.get(decision)
        if held is None:
            held = self._claims[decision] = _Claim(subscriber_key, claimer, turn)
        elif held.status != "claimed" or held.claimer != claimer:
            held.met = True
            return held.status
        held.turn = max(held.turn, turn)
        self._deadlines[decision] = deadline_us
        return ""

    async def release(self, decision: str, claimer: str, turn: int = 0) -> bool:
        """Give a claim back."""
        held = self._claims.get(decision)
        if held is None or held.met or (held.status, held.claimer, held.turn) != ("claimed", claimer, turn):
            return False
        del self._claims[decision], self._deadlines[decision]
        return True

    async def settle(self, decision: str, status: str, final: bool, deadline_us: int = 0) -> bool:
        """Write how a decision stands."""
        held = self._claims.get(decision)
        if held is None or held.ended:
            return False
        held.status, held.ended = status, final
        if final:
            self._deadlines.pop(decision, None)
        elif deadline_us:
            self._deadlines[decision] = deadline_us
        return True

    async def find(self, decision: str) -> str | None:
        """Return whose a decision is."""
        held = self._claims.get(decision)
        return held.key if held is not None else None

    async def standing(self, decision: str) -> str:
        """Return the status that stands."""
        held = self._claims.get(decision)
        return held.status if held is not None else ""

    async def overdue(self, now_us: int, limit: int) -> list[tuple[str, str]]:
        """Name open decisions past their deadline."""
        late = [decision for decision, deadline in self._deadlines.items() if deadline <= now_us]
        return [(decision, self._claims[decision].key) for decision in late[:limit]]

    async def open(self) -> int:
        """Count what has not ended."""
        return len(self._deadlines)

    async def passes(self, partition: int) -> int:
        """Return the number of the last pass over a partition."""
        return self._passes.get(partition, 0)

    async def remember(self, partition: int, expected: int, number: int) -> bool:
        """Write the number of a pass."""
        known = self._passes.get(partition, 0)
        if known < expected:
            return False
        self._passes[partition] = max(known, number)
        return True
