"""Events kept back: each until its time is up or somebody wants it, none lost in a crash.

A step that parks has a `Lot` and hands on what `engine.treatments.step.Parks` asks for. In a pack, whatever
else a step puts there, its events stand under `events` as `packed` writes them: so they are set free even if
the step is taken out of the feeds file meanwhile (`orphans`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Final

import orjson

from engine.event import Event

EVENTS = "events"
"""Key of a step's pack under which the events it keeps back stand."""
NEVER: Final = 1 << 62
"""`until` of an event whose time is not up by itself."""


class _Waiting:
    """An event that waits."""

    __slots__ = ("event", "row", "until")

    def __init__(self, event: Event, until: int) -> None:
        self.event = event
        self.until = until
        self.row: orjson.Fragment | None = None
        """What stands in packs, once it has been in one."""


class Lot:
    """Events that wait, in the order in which they came; each has a time at which it waits no longer.

    Nobody changes an event while it waits: it is written for the first checkpoint, and not again for others.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}
        """By number; numbers only go up."""
        self._by_key: dict[str, list[int]] = {}
        """Subscriber key -> numbers of its events."""
        self._ages: list[tuple[int, int]] = []
        """Heap of (t, number); those that wait no longer are left in it until they come to its top."""
        self._ends: list[tuple[int, int]] = []
        """Heap of (until, number), in the same way; without those that wait for ever."""
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
        number = self._next
        self._waiting[number] = _Waiting(event, until)
        numbers = self._by_key.get(event.key)
        if numbers is None:
            self._by_key[event.key] = [number]
        else:
            numbers.append(number)
        heappush(self._ages, (event.t, number))
        if until < NEVER:
            heappush(self._ends, (until, number))
        self._next = number + 1

    def hasten(self, key: str, until: int) -> None:
        """Let the oldest event of a subscriber wait until `until` (µs) at most."""
        number = self._by_key[key][0]
        waiting = self._waiting[number]
        if until < waiting.until:
            waiting.until, waiting.row = until, None
            heappush(self._ends, (until, number))

    def count(self, key: str) -> int:
        """Say how many events of a subscriber wait."""
        return len(self._by_key.get(key, ()))

    def events(self) -> list[Event]:
        """Return all events, oldest first; they go on waiting."""
        return [each.event for each in self._waiting.values()]

    def of(self, key: str) -> list[Event]:
        """Take out the events of a subscriber, oldest first."""
        return [self._waiting.pop(number).event for number in self._by_key.pop(key, ())]

    def due(self, watermark: int) -> list[Event]:
        """Take out the events whose time is up, in the order in which they came."""
        ends, numbers = self._ends, set()
        while ends and (ends[0][0] <= watermark or ends[0][1] not in self._waiting):
            number = heappop(ends)[1]
            if number in self._waiting:
                numbers.add(number)  # one that was hastened stands there twice
        return self._out(sorted(numbers))

    def let_go(self, keep: int = 0) -> list[Event]:
        """Take out all but the `keep` that came last."""
        return self._out(list(islice(self._waiting, max(len(self._waiting) - keep, 0))))

    def pack(self) -> list[orjson.Fragment] | None:
        """Return the events and their times as JSON; None without any."""
        rows = []
        for each in self._waiting.values():
            if each.row is None:
                each.row = orjson.Fragment(orjson.dumps([each.until, *packed(each.event)]))
            rows.append(each.row)
        return rows or None

    def restore(self, packed: Sequence[Sequence[Any]] | None) -> None:
        """Go on where `pack` was called; `packed`: what its JSON says."""
        for kept in (self._waiting, self._by_key, self._ages, self._ends):
            kept.clear()
        for until, *rest in packed or ():
            self.park(unpacked(rest), until)

    def _out(self, numbers: Sequence[int]) -> list[Event]:
        found = []
        for number in numbers:
            event = self._waiting.pop(number).event
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
