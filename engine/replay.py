"""Replay: recorded events through the one engine (semantics.md 6). Rule tests and explain use it as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from engine.emit import Decision
from engine.event import Event
from engine.pipeline import Fold
from engine.ticks import TickMaker


class States(Protocol):
    """Where states are that memory has no room for."""

    def need(self, event: Event) -> None:
        """Have the subscriber of a record in memory."""
        ...

    def wake(self, time: int) -> None:
        """Have those in memory who wake before a time, µs."""
        ...


class Replay:
    """One run over records in their total order: profiles first, ticks derived, a closing tick at the end.

    `states`: None if the fold holds all subscribers.
    """

    def __init__(
        self, fold: Fold, *, disorder: int = 0, until: int | None = None, states: States | None = None
    ) -> None:
        self.fold = fold
        self.states = states
        self.ticks = TickMaker(disorder)
        self.until = until
        self.read = 0
        """Records read and not refused by intake."""

    def profiles(self, events: Iterable[Event]) -> None:
        """Apply profile lines: before the first record, and not counted as read."""
        for event in events:
            if self.states is not None:
                self.states.need(event)
            self.fold.apply(event)
            self.fold.outcomes["applied"] -= 1

    def feed(self, event: Event) -> None:
        """Apply one record and the tick that follows it; what `until` drops is not read."""
        if self.until is not None and event.t > self.until:
            return
        self.read += 1
        states = self.states
        if states is not None:
            states.need(event)
            if event.kind == "tick":
                states.wake(event.t)
        self.fold.apply(event)
        follows = self.ticks.after(event)
        if follows is not None:
            self._tick(follows.t)

    def _tick(self, time: int) -> None:
        if self.states is not None:
            self.states.wake(time)
        self.fold.tick(time, self.ticks.down)

    def close(self) -> None:
        """End with a tick one µs after the newest applied record, or after `until` (7 s)."""
        if self.until is not None:
            end = self.until + 1
        else:
            end = self.fold.newest + 1
        if end > 0:
            self._tick(end)

    def run(self, profiles: Iterable[Event], events: Iterable[Event]) -> Iterator[Decision]:
        """Apply everything; yield decisions as they are made."""
        self.profiles(profiles)
        for event in events:
            self.feed(event)
            if self.fold.decisions:
                yield from self.take()
        self.close()
        yield from self.take()

    def take(self) -> list[Decision]:
        """Hand over the decisions made so far."""
        made, self.fold.decisions = self.fold.decisions, []
        self.fold.touched.clear()
        return made

    def summary(self, refused: Counter[str]) -> dict[str, Any]:
        """Return `summary.json`: read = applied + duplicate + late + refused; decisions by rule and fate."""
        outcomes = self.fold.outcomes
        decisions: dict[str, dict[str, int]] = {}
        for (rule, fate), count in sorted(self.fold.counts.items()):
            decisions.setdefault(rule, {})[fate] = count
        total = sum(refused.values())
        return {
            "read": self.read + total,
            "applied": outcomes["applied"],
            "duplicate": outcomes["duplicate"],
            "late": outcomes["late"],
            "refused": total,
            "refused_by": dict(sorted(refused.items())),
            "decisions": decisions,
        }


def order_of(decision: Decision) -> tuple[int, str]:
    """Sort key of decision records: `at`, then id."""
    return decision["at"], decision["id"]
