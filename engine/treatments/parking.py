"""Records wait a little for their number or their IMSI, then go on flagged.

1. `identity` marks the records that wait: `no_imsi`, one with only an MSISDN, goes on under the key of the
   IMSI, without the mark, once a record of any feed or a profile tells that; `no_msisdn`, one with an IMSI
   or IMEI only, once the number is known, and behind the `profile.update` that tells it.
2. A record waits for `wait` at most, by the watermark of its feed. Then it goes on with the mark: one with
   an IMSI under its key, one without under the key of the MSISDN.
3. What comes of the same identity meanwhile waits behind it: those of one stay in their order.
4. Somebody whose records were given up once waits no more until they had none for `again`.
5. At most `at_most` wait at once; beyond, whoever has waited longest goes on with the mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from engine.event import Event
from engine.ticks import CONTROL
from engine.treatments.correlation import Correlation
from engine.treatments.derived import unflag
from engine.treatments.identity import NO_IMSI, NO_MSISDN
from engine.treatments.lot import EVENTS, Lot
from engine.treatments.memory import Memories
from engine.treatments.who_options import ParkingOptions


class Parking:
    """Step `parking`; behind `identity`."""

    name: ClassVar[str] = "parking"

    def __init__(self, correlation: Correlation, memories: Memories, options: ParkingOptions) -> None:
        self.counts: Counter[str] = Counter()
        self._correlation = correlation
        self._wait, self._at_most = options.wait, options.at_most
        self._given_up = memories.memory("given_up", options.again, options.remembered)
        """Key -> used."""
        self._lot = Lot()
        self._keys: dict[str, int] = {}
        """Keys that wait, and until when; who has waited longest first."""
        self._known: list[tuple[str, str]] = []
        """Keys of which something was learned, and the key of the IMSI."""
        self._now = 0

    @property
    def parked(self) -> int:
        """Records that wait."""
        return len(self._lot)

    @property
    def oldest(self) -> int | None:
        """Least `t` of them."""
        return self._lot.oldest

    def take(self, event: Event) -> Sequence[Event]:
        """Return what need not wait any longer, and the record if it need not."""
        out = self._resolved() if self._known else []
        if event.kind in CONTROL:
            return (event, *out)  # the number first, then what waited for it
        until = self._keys.get(event.key) if self._keys else None
        if until is None:
            if not _waits(event):
                return (*out, event) if out else (event,)
            given_up = self._given_up.get(event.key, event.t)
            if given_up is not None or not self._wait:
                if given_up is not None:
                    self._given_up.use(event.key, given_up, event.t)
                self.counts["not_parked"] += 1
                return (*out, event)
            until = self._keys[event.key] = self._now + self._wait
            self._correlation.wanted.setdefault(event.key, []).append(self._tell)
        self._lot.park(event, until)
        self.counts["parked"] += 1
        while len(self._lot) > self._at_most:
            oldest = self._give_up(next(iter(self._keys)))
            self.counts["overflowed"] += len(oldest)
            out += oldest
        return out

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return what has waited long enough."""
        self._now = max(self._now, watermark)
        out = self._resolved() if self._known else []
        while self._keys:
            key, until = next(iter(self._keys.items()))
            if until > watermark:
                break
            out += self._give_up(key)
        return out

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return what waits, whoever has waited longest first, until at most `keep` wait."""
        out = self._resolved()
        while len(self._lot) > keep:
            out += self._give_up(next(iter(self._keys)))
        return out

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Let what waits of some subscribers go on with the mark."""
        out = self._resolved()
        for key in keys:
            if key in self._keys:
                events = self._leave(key)
                self.counts["given_up"] += len(events)
                out += events
        return out

    def pack(self) -> Any:
        """Return what waits, and the time."""
        packed = {"now": self._now}
        events = self._lot.pack()
        return packed if events is None else {**packed, "keys": self._keys, EVENTS: events}

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called."""
        for key in self._keys:
            self._wanted_no_more(key)
        self._known = []
        self._now = (packed or {}).get("now", 0)
        self._keys = dict((packed or {}).get("keys", {}))
        self._lot.restore((packed or {}).get(EVENTS))
        for key in self._keys:
            self._correlation.wanted.setdefault(key, []).append(self._tell)

    def _tell(self, wanted: str, key: str) -> None:
        self._known.append((wanted, key))

    def _resolved(self) -> list[Event]:
        known, self._known = self._known, []
        out: list[Event] = []
        for wanted, key in known:
            if wanted in self._keys:
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
        del self._keys[key]
        self._wanted_no_more(key)
        return self._lot.of(key)

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
