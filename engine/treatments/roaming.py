"""`roaming`: who has left the home network, has come back, or is a guest (facts/signals.md, "false roaming").

Where a record was made says its `plmn`, else its cell; whose it is says `home_plmn` (`engine.treatments.edge`
puts it into records of guests), else it is one of ours. From these follow, on a change:

    roam.out       one of ours is in another network, at home or abroad
    roam.country   one of ours has gone on to another country
    roam.home      one of ours is back
    roam.in        a guest is in our network, who was not there lately

Close to a border phones hear the network of the other side and register there for a moment. A network from
beyond a border counts only once a second record, some time after the first, names it; so does coming home
from one. Networks in no country (901: planes, ships, satellites) are left and entered without `country`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.event import Event
from engine.plmn import country_of, is_plmn, of_cell
from engine.ticks import CONTROL
from engine.treatments.derived import derived_of, flags_of
from engine.treatments.memory import USED_EVERY, Memories

SECOND, DAY = 1_000_000, 86_400_000_000
HOME = "home"
TOLD = frozenset({"roam.out", "roam.home", "roam.country", "roam.in"})
"""Kinds by which a feed says itself what has changed: nothing is derived from them."""


@dataclass(frozen=True, slots=True)
class RoamingOptions:
    """Settings of the step."""

    home: frozenset[str]
    """Our PLMNs: 46000, 46002, ..."""
    neighbours: frozenset[str] | None = None
    """PLMNs, or MCCs for all of a country, that are heard across our borders; None: all may be."""
    updates: int = 2
    """Records that have to name such a network before it counts."""
    apart: int = 30 * SECOND
    """µs that each of them is later than the one before: one procedure makes several records."""
    guest_gone: int = DAY
    """µs after its last record that a guest's next one is an arrival again."""
    ttl: int = 60 * DAY
    """µs after its last record that it is forgotten where a subscriber was."""
    at_most: int = 1_000_000
    """Subscribers remembered, about 350 bytes each."""


class Roaming:
    """The step. Value in memory: used, where, country, since, candidate, its last time, its times.

    `where` is `home`, a PLMN, or of a guest `in`; the country is the last one known.
    """

    name = "roaming"

    def __init__(self, memories: Memories, options: RoamingOptions) -> None:
        self.counts: Counter[str] = Counter()
        """`first`, `roam.out`, ..., `suppressed` (networks that did not come again), `network` (another one
        of the same country), `late`, `odd_plmn` (test networks, and what is none)."""
        self._options = options
        self._memory = memories.memory("roaming", options.ttl, options.at_most)
        self._zones: dict[str, str] = dict.fromkeys(options.home, HOME)
        """PLMN -> zone; empty: it is none."""

    def take(self, event: Event) -> Sequence[Event]:
        """Look at the network of a record; return it, and the change that it completes behind it."""
        plmn = event.fields.get("plmn") or (event.cell and of_cell(event.cell))
        if not plmn or not event.key or event.kind in CONTROL:
            return (event,)
        zone = self._zones.get(plmn)
        if zone is None:
            zone = self._zone(plmn)
        if not zone:
            self.counts["odd_plmn"] += 1
            return (event,)
        guest = self._is_guest(event)
        if guest and zone != HOME:
            return (event,)  # somebody else's subscriber in somebody else's network
        known = self._memory.get(event.key, event.t)
        if event.kind in TOLD:
            if known is None or event.t > known[3]:
                self._put(event, zone, plmn)
            return (event,)
        if guest:
            return self._guest(event, plmn, known)
        return self._own(event, zone, plmn, known)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Nothing waits."""
        return ()

    def pack(self) -> Any:
        """All is in the memory."""
        return None

    def restore(self, packed: Any) -> None:
        """All is in the memory."""

    def _own(self, event: Event, zone: str, plmn: str, known: tuple[Any, ...] | None) -> Sequence[Event]:
        if known is None:
            self.counts["first"] += 1
            self._put(event, zone, plmn)
            return (event,)
        _, where, country, since, *_ = known
        if zone == where:
            self._stay(event, known)
            return (event,)
        if event.t <= since:
            self.counts["late"] += 1
            return (event,)
        if not self._counts(event, known, zone, self._near(where if zone == HOME else zone)):
            return (event,)
        to = country_of(plmn)
        self._put(event, zone, plmn, to or country)
        if zone == HOME:
            kind = "roam.home"
        elif where == HOME:
            kind = "roam.out"
        elif to is None or to == country:
            self.counts["network"] += 1
            return (event,)
        else:
            kind = "roam.country"
        return (event, self._made(event, kind, plmn, where, to))

    def _guest(self, event: Event, plmn: str, known: tuple[Any, ...] | None) -> Sequence[Event]:
        gone = self._options.guest_gone
        if known is None or (known[1] == "in" and event.t - known[0] > gone):
            known = (event.t, "", "", 0, "", 0, 0)
        if known[1] == "in":
            if event.t - known[0] > gone // USED_EVERY:
                self._memory.put(event.key, (event.t, *known[1:]))
            return (event,)
        home = event.fields["home_plmn"]
        if not self._counts(event, known, "in", self._near(home)):
            return (event,)
        self._put(event, "in", plmn)
        return (event, self._made(event, "roam.in", plmn, "", country_of(plmn), home))

    def _counts(self, event: Event, known: tuple[Any, ...], zone: str, doubtful: bool) -> bool:
        """Say whether a network that is new counts; if not yet, remember that it was named."""
        used, where, country, since, candidate, last, times = known
        if candidate != zone:
            if candidate:
                self.counts["suppressed"] += 1
            last, times = event.t, 1
        elif event.t >= last + self._options.apart:
            last, times = event.t, times + 1
        if not doubtful or times >= self._options.updates:
            return True
        self._memory.put(event.key, (max(used, event.t), where, country, since, zone, last, times))
        return False

    def _stay(self, event: Event, known: tuple[Any, ...]) -> None:
        used, where, country, since, candidate, last, _ = known
        if candidate and event.t > last:  # heard across the border, or for a moment
            self.counts["suppressed"] += 1
            self._memory.put(event.key, (max(used, event.t), where, country, since, "", 0, 0))
        else:
            self._memory.use(event.key, known, event.t)

    def _put(self, event: Event, zone: str, plmn: str, country: str | None = None) -> None:
        country = country or country_of(plmn) or ""
        self._memory.put(event.key, (event.t, zone, country, event.t, "", 0, 0))

    def _made(
        self, event: Event, kind: str, plmn: str, where: str, country: str | None, home: str = ""
    ) -> Event:
        self.counts[kind] += 1
        fields: dict[str, Any] = {"plmn": plmn}
        if country:
            fields["country"] = country
        if home:
            fields["home_plmn"] = home
        if flags := flags_of(event):
            fields["quality"] = flags
        return derived_of(event.key, event.source, kind, event.t, f"{where} {plmn}", fields)

    def _near(self, zone: str) -> bool:
        near = self._options.neighbours
        return zone != HOME and (near is None or zone in near or zone[:3] in near)

    def _is_guest(self, event: Event) -> bool:
        home = event.fields.get("home_plmn")
        return home is not None and home not in self._options.home

    def _zone(self, plmn: str) -> str:
        if len(self._zones) > 10_000:
            self._zones = dict.fromkeys(self._options.home, HOME)
        zone = self._zones[plmn] = plmn if is_plmn(plmn) else ""
        return zone
