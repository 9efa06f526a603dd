"""Why records of a replay are late: behind their own subscriber's records, or only behind a tick."""

from __future__ import annotations

from engine.event import Event
from engine.event_kinds import KINDS
from engine.replay import Replay
from engine.snapshot import NEVER

_CONTROL = frozenset(kind for kind, spec in KINDS.items() if spec.group == "control")


class Lateness:
    """Feeds a replay and counts what is late by its own subscriber's order.

    How late, and what becomes of it, the fold counts itself; a record it calls late that is not behind its
    own subscriber's newest is late by a tick: a larger `--disorder` would have it in time.
    """

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.own = 0
        self._newest: dict[str, int] = {}
        """Subscriber key -> greatest t of its records applied: the clock without ticks."""

    def feed(self, event: Event) -> None:
        """Apply one record."""
        replay = self.replay
        outcomes = replay.fold.outcomes
        read, copies, dropped = replay.read, outcomes["duplicate"], outcomes["late"]
        replay.feed(event)
        if event.kind in _CONTROL or replay.read == read or outcomes["duplicate"] != copies:
            return
        if event.t < self._newest.get(event.key, NEVER):
            self.own += 1
        elif outcomes["late"] == dropped:
            self._newest[event.key] = event.t

    def summary(self) -> dict[str, int]:
        """Return late records (no copies) by cause, and, over the same records, by what became of them."""
        outcomes = self.replay.fold.outcomes
        applied, beyond, dropped = outcomes["applied late"], outcomes["beyond patience"], outcomes["late"]
        return {
            "late_by_own_order": self.own,
            "late_by_ticks": applied + dropped - self.own,
            "within_patience": applied - beyond,
            "beyond_patience": beyond,
            "dropped": dropped,
        }
