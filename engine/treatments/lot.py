"""Events kept back: each until its time is up or somebody wants it, none lost in a crash.

A step that parks has a `Lot` and hands on what `engine.treatments.step.Parks` asks for. In a pack, whatever
else a step puts there, its events stand under `events` as `packed` writes them: so they are set free even if
the step is taken out of the feeds file meanwhile (`orphans`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any

from engine.event import Event

EVENTS = "events"
"""Key of a step's pack under which the events it keeps back stand."""


class Lot:
    """Events that wait, in the order in which they came; each has a time at which it waits no longer."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, Event]] = {}
        """Number -> (until, event); numbers only go up."""
        self._by_key: dict[str, list[int]] = {}
        """Subscriber key -> numbers of its events."""
        self._ages: list[tuple[int, int]] = []
        """Heap of (t, number); those that wait no longer are left in it until they come to its top."""
        self._ends: list[tuple[int, int]] = []
        """Heap of (until, number), in the same way."""
        self._next = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest(self) -> int | None:
        """Least `t` of the events, µs; None without any."""
        ages = self._ages
        while ages and ages[0][1] not in self._waiting:
            heappop(ages)
        return ages[0][0] if ages else None

    def park(self, event: Event, until: int) -> None:
        """Keep an event back until the watermark has come to `until` (µs)."""
        self._waiting[self._next] = (until, event)
        self._by_key.setdefault(event.key, []).append(self._next)
        heappush(self._ages, (event.t, self._next))
        heappush(self._ends, (until, self._next))
        self._next += 1

    def waits(self, key: str) -> bool:
        """Say whether events of a subscriber wait."""
        return key in self._by_key

    def of(self, key: str) -> list[Event]:
        """Take out the events of a subscriber, oldest first."""
        return [self._waiting.pop(number)[1] for number in self._by_key.pop(key, ())]

    def due(self, watermark: int) -> list[Event]:
        """Take out the events whose time is up, in the order in which they came."""
        ends, numbers = self._ends, []
        while ends and (ends[0][0] <= watermark or ends[0][1] not in self._waiting):
            number = heappop(ends)[1]
            if number in self._waiting:
                numbers.append(number)
        return self._out(sorted(numbers))

    def let_go(self, keep: int = 0) -> list[Event]:
        """Take out all but the `keep` that came last."""
        return self._out(list(self._waiting)[: max(len(self._waiting) - keep, 0)])

    def pack(self) -> list[list[Any]] | None:
        """Return the events and their times as plain JSON; None without any."""
        return [[until, *packed(event)] for until, event in self._waiting.values()] or None

    def restore(self, packed: Sequence[Sequence[Any]] | None) -> None:
        """Go on where `pack` was called."""
        for kept in (self._waiting, self._by_key, self._ages, self._ends):
            kept.clear()
        for until, *rest in packed or ():
            self.park(unpacked(rest), until)

    def _out(self, numbers: Sequence[int]) -> list[Event]:
        found = []
        for number in numbers:
            event = self._waiting.pop(number)[1]
            found.append(event)
            left = self._by_key[event.key]
            left.remove(number)
            if not left:
                del self._by_key[event.key]
        return found


def packed(event: Event) -> list[Any]:
    """Return an event as plain JSON; nothing behind the intake names a person."""
    return [event.fields, event.key, event.position]


def unpacked(plain: Sequence[Any]) -> Event:
    """Return the event that `packed` was given."""
    fields, key, position = plain
    return Event(
        fields["kind"],
        fields["t"],
        key,
        fields,
        fields.get("cell"),
        fields.get("t_start", fields["t"]),
        fields.get("id") or None,
        fields.get("source", ""),
        position,
    )


def orphans(pack: Mapping[str, Any], known: Sequence[str]) -> list[Event]:
    """Return the events in a chain's pack that were kept back by steps which it has no longer."""
    return [
        unpacked(each[1:])
        for name, kept in pack.items()
        if name not in known and isinstance(kept, Mapping)
        for each in kept.get(EVENTS) or ()
    ]
