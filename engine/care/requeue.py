"""Refused records once more through intake, and into the log if they are taken now.

A record comes late by now: the engine drops signaling more than an hour behind its subscriber's clock, and
business records more than 48 hours (semantics.md 1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.admission import AHEAD_AT_MOST, clamped
from engine.collect import VALUE_AT_MOST, spread
from engine.event import Event
from engine.identity import Identity
from engine.intake import Edge, Intake
from engine.refusals import Refusal


class Requeue:
    """Turns what is read again into records of the log. `wall`: µs now.

    Whoever reads does it with an intake of `intake`, so that what is refused is heard of here.
    """

    def __init__(self, partitions: int, wall: Callable[[], int]) -> None:
        self._refusals: list[Refusal] = []
        self._partitions = partitions
        self._wall = wall

    def intake(self, identity: Identity, edge: Edge | None = None) -> Intake:
        """Return an intake to read with."""
        return Intake(identity, on_refused=self._refusals.append, edge=edge, hides_ids=True)

    def take(self, read: Callable[[], Sequence[Event] | None]) -> list[tuple[int, bytes]] | str | None:
        """Return (partition, value) pairs for the log, or in words why the record is not taken.

        None: there is none, as `read` says.
        """
        self._refusals.clear()
        events = read()
        if events is None:
            return None
        if self._refusals:
            return f"refused again: {self._refusals[0].detail}"
        pairs: list[tuple[int, bytes]] = []
        for event in events:
            taken = self._finish(event)
            if isinstance(taken, str):
                return taken
            pairs += taken
        return pairs or "there is no record in it"

    def _finish(self, event: Event) -> list[tuple[int, bytes]] | str:
        if not event.key:
            return f"a {event.kind} belongs to its place in the log"
        now = self._wall()
        if event.t - now > AHEAD_AT_MOST:
            return "refused again: t: expected at most 1 h ahead of the clock, was later"
        pairs = spread(clamped(event, now) if event.t > now else event, self._partitions)
        if len(pairs[0][1]) > VALUE_AT_MOST:
            return f"refused again: expected at most {VALUE_AT_MOST} bytes in the log, was more"
        return pairs
