"""A change of a subscriber that waits until it is settled, and all that comes behind it.

`ping_pong` (mode `hold`) and `roaming` (with `hold`) keep back alike:

    1. A change waits until the watermark has come to its time, at most. All that comes behind it for the same
       subscriber waits with it, so that nothing is overtaken.
    2. What is settled goes on, first the change, and what was kept back behind it is taken anew: there may be
       another change in it.
    3. Of more than there is room for a tenth goes on early, the oldest (`overflowed`).
    4. Of a feed that is silent, or has ended, all goes on as if its time were up, one change after the other.

When a change is settled before its time, and as what it goes on, is for the step to say.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from engine.event import Event
from engine.treatments.lot import EVENTS, NEVER, Lot

V = TypeVar("V")

MOST_OF_ONE: Final = 200
"""Events of one subscriber that are kept back at most: what is behind a change is taken anew."""


class KeepsBack(ABC, Generic[V]):
    """Base of such a step. `V`: what it knows of a change while that waits; `at_most`: events kept back."""

    def __init__(self, counts: Counter[str], at_most: int) -> None:
        self.counts = counts
        self._most = at_most
        self._lot = Lot()
        self._changes: dict[str, V] = {}
        """Subscriber -> the change that is kept back, and with it all that came behind it."""
        self._watermark = -1
        self._retaken: deque[Event] | None = None
        """What is being taken anew and comes next; None: nothing is."""
        self._is_settling = False
        """Changes whose time is up are on their way out: nothing may be let go meanwhile."""

    # -- what a step says for itself -------------------------------------------------------------------------

    @abstractmethod
    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""

    @abstractmethod
    def _let_oldest_go(self, keep: int) -> Sequence[Event]:
        """Return all that is kept back but the newest `keep`, as if the changes had lasted."""

    @abstractmethod
    def _lasts(self, change: Event, behind: Iterable[Event]) -> list[Event]:
        """Return a change whose time is up, and what becomes of the events behind it."""

    @abstractmethod
    def _note(self, event: Event) -> None:
        """Take in an event that is kept back already, the change first."""

    @abstractmethod
    def _forget(self, key: str) -> None:
        """Forget a subscriber of whom nothing is kept back."""

    # -- as a step -------------------------------------------------------------------------------------------

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Let go of the changes that lasted."""
        self._watermark = watermark
        found: list[Event] = []
        self._is_settling = True
        for change in self._lot.due(watermark):
            found += self._lasts(change, self._lot.of(change.key))
        self._is_settling = False
        if len(self._lot) > self._most:
            found += self._overflow()
        return found

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return all that is kept back but the newest `keep`, as if its time were up."""
        return self._let_oldest_go(keep) if keep else self._last(list(self._changes))

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Forget some subscribers; what is kept back of them goes on as if the changes had lasted."""
        found = self._last(keys)
        for key in keys:
            self._forget(key)
        return found

    def pack(self) -> dict[str, Any]:
        """Return the events kept back, and the time."""
        return {"watermark": self._watermark, EVENTS: self._lot.pack()}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        packed = packed or {}
        self._watermark = packed.get("watermark", -1)
        self._changes.clear()
        self._lot.restore(packed.get(EVENTS))
        for event in self._lot.events():
            self._note(event)

    @property
    def parked(self) -> int:
        """Events kept back now."""
        return len(self._lot)

    @property
    def oldest(self) -> int | None:
        """Least `t` of them, µs; None without any."""
        return self._lot.oldest

    # -- what is kept back -----------------------------------------------------------------------------------

    def _keep(self, change: Event, until: int, known: V) -> Sequence[Event]:
        """Keep a change back until the watermark has come to `until` (µs)."""
        self._changes[change.key] = known
        return self._park(change, until)

    def _last(self, keys: Collection[str]) -> list[Event]:
        """Keep nothing of subscribers back any longer, as if their changes had lasted; return what was."""
        found: list[Event] = []
        for key in keys:
            while key in self._changes:  # there may be another one behind a change
                change, *behind = self._lot.of(key)
                found += self._lasts(change, behind)
        return found

    def _keep_behind(self, event: Event) -> Sequence[Event]:
        """Keep an event back behind the change of its subscriber, if there is room for more of them."""
        if self._lot.count(event.key) < MOST_OF_ONE:
            return self._park(event, NEVER)
        self.counts["overflowed"] += 1
        return self._settle(event)

    def _settle(self, event: Event) -> Sequence[Event]:
        """Take the change that is kept back for one that lasts, as an event behind it shows."""
        change, *behind = self._lot.of(event.key)
        return self._lasts(change, [*behind, event])

    def _end(self, key: str) -> list[Event]:
        """Keep nothing of a subscriber back any longer; return what was, the change first."""
        del self._changes[key]
        return self._lot.of(key)

    def _anew(self, events: Iterable[Event]) -> list[Event]:
        """Take events anew that were kept back; those behind a change that is settled meanwhile come next.

        Not by calls within calls: there may be as many changes behind each other as there is room for.
        """
        if self._retaken is not None:
            self._retaken.extendleft(reversed(list(events)))
            return []
        found: list[Event] = []
        self._retaken = deque(events)
        try:
            while self._retaken:
                found += self.take(self._retaken.popleft())
        finally:
            self._retaken = None
        return found

    def _park(self, event: Event, until: int) -> Sequence[Event]:
        self._lot.park(event, until)
        return self._overflow() if len(self._lot) > self._most and not self._is_settling else ()

    def _overflow(self) -> Sequence[Event]:
        self.counts["overflowed"] += 1
        return self._let_oldest_go(self._most * 9 // 10)
