"""`parking`: a record whose number or IMSI is not known yet waits a little, then goes on flagged.

Two kinds wait (the hook at intake marks them, `engine.treatments.edge`): `no_imsi`, a record with only an
MSISDN, goes on under the key of the IMSI once that is learned, else under the MSISDN's own; `no_msisdn`, a
record with only an IMSI, goes on once its number is known and can be written to, else flagged. Those of one
subscriber stay in their order. Who was given up once waits no more, until `again`.

What waits is in the checkpoint, as it goes into the log: nothing in it names a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.event import Event
from engine.ticks import CONTROL
from engine.treatments.correlation import Correlation
from engine.treatments.derived import unflag
from engine.treatments.memory import Memories

SECOND, DAY = 1_000_000, 86_400_000_000
NO_IMSI, NO_MSISDN = "no_imsi", "no_msisdn"


@dataclass(frozen=True, slots=True)
class ParkingOptions:
    """Settings of the step."""

    wait: int = 30 * SECOND
    """µs that a record waits at most, by the time of its source."""
    at_most: int = 1_000
    """Records that wait at once, about 250 bytes each in every checkpoint; beyond, whoever has waited longest
    goes on."""
    again: int = DAY
    """µs after its last record that a subscriber who was given up may wait again."""
    remembered: int = 1_000_000
    """Subscribers given up that are remembered, about 200 bytes each."""


class Parking:
    """The step; of one source."""

    name = "parking"

    def __init__(
        self, correlation: Correlation, memories: Memories, options: ParkingOptions = ParkingOptions()
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Records: `parked`, `resolved`, `given_up`, `overflow` (of those: too many waited), `not_parked`
        (their subscriber was given up before)."""
        self._correlation = correlation
        self._options = options
        self._given_up = memories.memory("given_up", options.again, options.remembered)
        """Key -> used."""
        self._parked: dict[str, list[Event]] = {}
        """Key -> what waits; who has waited longest first."""
        self._until: dict[str, int] = {}
        """Key -> until when."""
        self._new: list[str] = []
        """Keys that wait since time was told last: their wait begins when it is told next."""
        self._number = 0
        self._known: list[tuple[str, str]] = []
        """Keys of which something was learned, and the key of the IMSI."""

    def take(self, event: Event) -> Sequence[Event]:
        """Return what need not wait any longer, and the record if it need not."""
        out = self._resolved() if self._known else []
        if event.kind in CONTROL:
            return (event, *out)  # the number first, then what waited for it
        waiting = self._parked.get(event.key) if self._parked else None
        if waiting is None:
            if not _waits(event):
                return (*out, event) if out else (event,)
            given_up = self._given_up.get(event.key, event.t)
            if given_up is not None or self._options.wait <= 0:
                if given_up is not None:
                    self._given_up.use(event.key, given_up, event.t)
                self.counts["not_parked"] += 1
                return (*out, event)
            waiting = self._parked[event.key] = []
            self._new.append(event.key)
            self._correlation.wanted.setdefault(event.key, []).append(self._tell)
        waiting.append(event)
        self._number += 1
        self.counts["parked"] += 1
        while self._number > self._options.at_most:
            oldest = next(iter(self._parked))
            self.counts["overflow"] += len(self._parked[oldest])
            out += self._give_up(oldest)
        return out

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return what has waited long enough."""
        out = self._resolved() if self._known else []
        if self._new:
            self._until.update(dict.fromkeys(self._new, watermark + self._options.wait))
            self._new.clear()
        while self._until:
            key, until = next(iter(self._until.items()))
            if until > watermark:
                break
            out += self._give_up(key)
        return out

    def pack(self) -> Any:
        """Return what waits."""
        if not self._parked:
            return None
        return [
            [self._until.get(key), [_packed(event) for event in events]]
            for key, events in self._parked.items()
        ]

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called."""
        for key in self._parked:
            self._wanted_no_more(key)
        self._known = []
        self._parked, self._until, self._new = {}, {}, []
        for until, events in packed or ():
            waiting = [_unpacked(each) for each in events]
            key = waiting[0].key
            self._parked[key] = waiting
            if until is None:
                self._new.append(key)
            else:
                self._until[key] = until
            self._correlation.wanted.setdefault(key, []).append(self._tell)
        self._number = sum(map(len, self._parked.values()))

    def _tell(self, wanted: str, key: str) -> None:
        self._known.append((wanted, key))

    def _resolved(self) -> list[Event]:
        known, self._known = self._known, []
        out: list[Event] = []
        for wanted, key in known:
            if wanted in self._parked:
                events = self._leave(wanted)
                self.counts["resolved"] += len(events)
                out += [_freed(event, key) for event in events]
        return out

    def _give_up(self, key: str) -> list[Event]:
        events = self._leave(key)
        self.counts["given_up"] += len(events)
        self._given_up.put(key, (max(event.t for event in events),))
        return events

    def _leave(self, key: str) -> list[Event]:
        events = self._parked.pop(key)
        self._number -= len(events)
        if self._until.pop(key, None) is None:
            self._new.remove(key)
        self._wanted_no_more(key)
        return events

    def _wanted_no_more(self, key: str) -> None:
        wanted = self._correlation.wanted
        others = [tell for tell in wanted.get(key, ()) if tell != self._tell]
        if others:
            wanted[key] = others
        else:
            wanted.pop(key, None)


def _waits(event: Event) -> bool:
    quality = event.fields.get("quality", ())
    return NO_IMSI in quality or NO_MSISDN in quality


def _freed(event: Event, key: str) -> Event:
    """Take off the mark; a record with only an MSISDN becomes one of its IMSI."""
    unflag(event, NO_MSISDN)
    unflag(event, NO_IMSI)
    if event.key == key:
        return event
    event.fields["subscriber_key"] = key
    return Event(
        event.kind, event.t, key, event.fields, event.cell, event.seen, event.id, event.source, event.position
    )


def _packed(event: Event) -> list[Any]:
    place = (event.cell, event.seen, event.id, event.source, event.position)
    return [event.kind, event.t, event.key, event.fields, *place]


def _unpacked(packed: list[Any]) -> Event:
    return Event(*packed)
