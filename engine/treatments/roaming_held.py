"""Step `roaming` with `hold`: what a feed itself says of leaving is kept back until it is settled.

    1. A `roam.out` or `roam.country` of the feed that names a network of `neighbours` is kept back, and all
       that comes behind it for the same subscriber, so that nothing is overtaken. It is one record, however
       sure it sounds: phones close to a border register in the network of the other side for a moment.
    2. A record of a home network, `roam.home` too, at most `hold` after it takes it back: it is flagged
       `no_trigger` and `false_roaming`, and so is the `roam.home` that ends it (`taken_back`).
    3. A second record of the same country, `apart` or more after it, settles that it was true (`stands`). So
       does the watermark, when it has passed it by more than `hold`. It goes on as it came then, and what is
       kept back behind it is taken anew: there may be another change in it, and its return behind that.

The step's own changes are made as ever (5 above). A subscriber with 200 records kept back, and the oldest of
more than 2,000 in all, go on as if they were true (`overflowed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.plmn import of_cell
from engine.treatments.flags import NO_TRIGGER, flag
from engine.treatments.kept_back import KeepsBack
from engine.treatments.recent import Recent
from engine.treatments.roaming import Roaming
from engine.treatments.who_options import RoamingOptions

FLAG: Final = "false_roaming"
LEAVING: Final = frozenset({"roam.out", "roam.country"})
MOST: Final = 2_000
"""Events kept back at most, some 300 bytes each in every checkpoint."""


class HeldRoaming(KeepsBack[tuple[int, str]]):
    """Keeps back what the feed tells, in front of the step that derives the rest.

    Of a change its time and MCC are known. `counts`: those of `Roaming`, and `taken_back`, `stands`,
    `overflowed`.
    """

    name: ClassVar[str] = "roaming"

    def __init__(self, inner: Roaming, options: RoamingOptions) -> None:
        super().__init__(inner.counts, MOST)
        self._inner = inner
        self._hold: int = options.hold
        self._apart: int = options.apart
        self._home: frozenset[str] = options.home
        self._false: Recent[int] = Recent(
            MOST, pack_value=lambda value: value, restore_value=lambda plain: plain, packed=MOST
        )
        """Subscriber -> until when their `roam.home` ends what was taken back, µs."""

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""
        change = self._changes.get(event.key)
        if change is not None:
            return self._behind(event, *change)
        if event.kind in LEAVING:
            network = _network(event)
            # what is taken anew may have its return behind it, however late it is by now
            in_time = event.t + self._hold >= self._watermark or self._retaken is not None
            if network and in_time and self._inner.near(network):
                return self._keep(event, event.t + self._hold + 1, (event.t, network[:3]))
        elif event.kind == "roam.home":
            until = self._false.get(event.key)
            if until is not None:
                self._false.drop(event.key)
                if event.t <= until:
                    flag(event, NO_TRIGGER, FLAG)
                    return (event,)
        return self._inner.take(event)

    def pack(self) -> dict[str, Any]:
        """Return the events kept back, and who was not believed."""
        return {"false": self._false.pack(), **super().pack()}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        self._false.restore((packed or {}).get("false"))
        super().restore(packed)

    def _let_oldest_go(self, keep: int) -> Sequence[Event]:
        freed: dict[str, list[Event]] = {}
        for event in self._lot.let_go(keep):
            freed.setdefault(event.key, []).append(event)
        found: list[Event] = []
        for key, (change, *behind) in freed.items():
            found += self._lasts(change, [*behind, *self._lot.of(key)])
        return found

    # -- what is kept back -----------------------------------------------------------------------------------

    def _note(self, event: Event) -> None:
        self._changes.setdefault(event.key, (event.t, _network(event)[:3]))

    def _forget(self, key: str) -> None:
        self._false.drop(key)

    def _behind(self, event: Event, since: int, country: str) -> Sequence[Event]:
        """Take an event of a subscriber of whom others are kept back."""
        network = _network(event)
        over = event.t - since > self._hold
        if not over and network in self._home and event.t >= since:
            return self._taken_back(event, since)
        if over or (network[:3] == country and event.t >= since + self._apart):
            return self._settle(event)
        return self._keep_behind(event)

    def _taken_back(self, event: Event, since: int) -> Sequence[Event]:
        change, *behind = self._end(event.key)
        self.counts["taken_back"] += 1
        flag(change, NO_TRIGGER, FLAG)
        if event.kind != "roam.home":
            self._false.put(event.key, since + self._hold)
            behind.append(event)
        found = [change]
        for each in behind:
            found += self._inner.take(each)
        if event.kind == "roam.home":
            flag(event, NO_TRIGGER, FLAG)
            found.append(event)
        return found

    def _lasts(self, change: Event, behind: Iterable[Event]) -> list[Event]:
        """Take a change for true; what was kept back behind it is taken anew."""
        del self._changes[change.key]
        self.counts["stands"] += 1
        return [*self._inner.take(change), *self._anew(behind)]


def _network(event: Event) -> str:
    """Name the network of a record; empty: it names none."""
    return event.fields.get("plmn") or (event.cell and of_cell(event.cell)) or ""
