"""Step `roaming` with `hold`: what a feed itself says of leaving is kept back until it is settled.

    1. A `roam.out` or `roam.country` of the feed that names a network of `neighbours` is kept back, and all
       that comes behind it for the same subscriber, so that nothing is overtaken. It is one record, however
       sure it sounds: phones close to a border register in the network of the other side for a moment.
    2. A record of a home network, `roam.home` too, at most `hold` after it takes it back: it is flagged
       `no_trigger` and `false_roaming`, and so is the `roam.home` that ends it (`taken_back`).
    3. A second record of the same country, `apart` or more after it, settles that it was true (`stands`). So
       does the watermark, when it has passed it by more than `hold`. It goes on as it came then.

The step's own changes are made as ever (5 above). At most 2,000 records are kept back, the oldest of more go
on as if they were true (`overflowed`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.event import Event
from engine.plmn import of_cell
from engine.treatments.flags import NO_TRIGGER, flag
from engine.treatments.lot import EVENTS, Lot
from engine.treatments.recent import Recent
from engine.treatments.roaming import Roaming, RoamingOptions

FLAG: Final = "false_roaming"
LEAVING: Final = frozenset({"roam.out", "roam.country"})
MOST: Final = 2_000
"""Events kept back at most, some 300 bytes each in every checkpoint."""
_BEHIND: Final = 1 << 62
"""Time at which an event behind a change is due by itself: never."""


class HeldRoaming:
    """Keeps back what the feed tells, in front of the step that derives the rest."""

    name = "roaming"

    def __init__(self, inner: Roaming, options: RoamingOptions) -> None:
        self.counts = inner.counts
        """Those of `Roaming`, and `taken_back`, `stands`, `overflowed`."""
        self._inner = inner
        self._hold, self._apart, self._home = options.hold, options.apart, options.home
        self._lot = Lot()
        self._kept: dict[str, tuple[int, str]] = {}
        """Subscriber of whom events are kept back -> time and MCC of the change."""
        self._false: Recent[int] = Recent(
            MOST, pack_value=lambda value: value, restore_value=lambda plain: plain, packed=MOST
        )
        """Subscriber -> until when their `roam.home` ends what was taken back, µs."""
        self._watermark = -1

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""
        kept = self._kept.get(event.key)
        if kept is not None:
            return self._behind(event, *kept)
        if event.kind in LEAVING:
            network = _network(event)
            if network and self._inner.near(network) and event.t + self._hold >= self._watermark:
                self._kept[event.key] = event.t, network[:3]
                return self._park(event, event.t + self._hold + 1)
        elif event.kind == "roam.home":
            until = self._false.get(event.key)
            if until is not None:
                self._false.drop(event.key)
                if event.t <= until:
                    flag(event, NO_TRIGGER, FLAG)
                    return (event,)
        return self._inner.take(event)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Let go of what nobody took back."""
        self._watermark = watermark
        found: list[Event] = []
        for change in self._lot.due(watermark):
            found += self._true(change.key, [change, *self._lot.of(change.key)])
        return found

    def pack(self) -> dict[str, Any]:
        """Return the events kept back, and who was not believed."""
        return {"false": self._false.pack(), "watermark": self._watermark, EVENTS: self._lot.pack()}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        packed = packed or {}
        self._false.restore(packed.get("false"))
        self._watermark = packed.get("watermark", -1)
        self._kept.clear()
        self._lot.restore(packed.get(EVENTS))
        for event in self._lot.let_go():  # the first of each subscriber is the change
            self._kept.setdefault(event.key, (event.t, _network(event)[:3]))
        self._lot.restore(packed.get(EVENTS))

    @property
    def parked(self) -> int:
        """Events kept back now."""
        return len(self._lot)

    @property
    def oldest(self) -> int | None:
        """Least `t` of them, µs; None without any."""
        return self._lot.oldest

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return all that is kept back but the newest `keep`, as if it were true."""
        found: list[Event] = []
        freed = self._lot.let_go(keep)
        for key in dict.fromkeys(event.key for event in freed):
            mine = [event for event in freed if event.key == key]
            found += self._true(key, [*mine, *self._lot.of(key)])
        return found

    # -- what is kept back -----------------------------------------------------------------------------------

    def _behind(self, event: Event, since: int, country: str) -> Sequence[Event]:
        """Take an event of a subscriber of whom others are kept back."""
        if event.t - since > self._hold:
            return [*self._true(event.key, self._lot.of(event.key)), *self.take(event)]
        network = _network(event)
        if network in self._home and event.t >= since:
            return self._taken_back(event, since)
        if network[:3] == country and event.t >= since + self._apart:
            return self._true(event.key, [*self._lot.of(event.key), event])
        return self._park(event, _BEHIND)

    def _taken_back(self, event: Event, since: int) -> Sequence[Event]:
        del self._kept[event.key]
        change, *rest = self._lot.of(event.key)
        self.counts["taken_back"] += 1
        flag(change, NO_TRIGGER, FLAG)
        if event.kind != "roam.home":
            self._false.put(event.key, since + self._hold)
            rest.append(event)
        found = [change]
        for each in rest:
            found += self._inner.take(each)
        if event.kind == "roam.home":
            flag(event, NO_TRIGGER, FLAG)
            found.append(event)
        return found

    def _true(self, key: str, events: Sequence[Event]) -> list[Event]:
        """Take a change for true; what was kept back behind it is taken anew."""
        del self._kept[key]
        self.counts["stands"] += 1
        change, *rest = events
        found = list(self._inner.take(change))
        for event in rest:
            found += self.take(event)
        return found

    def _park(self, event: Event, until: int) -> Sequence[Event]:
        self._lot.park(event, until)
        if len(self._lot) > MOST:
            self.counts["overflowed"] += 1
            return self.let_go(MOST * 9 // 10)
        return ()


def _network(event: Event) -> str:
    """Name the network of a record; empty: it names none."""
    return event.fields.get("plmn") or (event.cell and of_cell(event.cell)) or ""
