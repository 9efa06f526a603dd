"""Who has left the home network, is back, or is a guest: `roam.out`, `roam.country`, `roam.home`, `roam.in`.

1. Where somebody is says the record's `plmn`, else its cell; whose subscriber they are `home_plmn`
   (`identity` puts it into records of guests), else they are ours. Test networks (MCC 001, 999) and what is
   no PLMN are not looked at.
2. One of ours in another network, abroad or at home: `roam.out`; from there in another country:
   `roam.country`; back in one of `home`: `roam.home`. A change of network within a country is none. The
   first record of somebody only says where they are.
3. A guest in one of `home`: `roam.in`, with `home_plmn`; and again once they were gone for `guest_gone`.
4. Networks in no country (MCC 901: planes, ships, satellites) are entered without `country`; who was in a
   country before and comes back to it from one has not changed country.
5. False roaming: close to a border phones register in the network of the other side for a moment. A
   network of `neighbours`, for guests their home network, counts with the `updates`-th record that names
   it, each `apart` after the one before; so does coming home from one. Another record in between takes it
   back (`suppressed`). Other networks count at once; without `neighbours` all may be.
6. The record is of the time of the record that settled it, behind it, with `plmn` and `country`. It has no
   cell, and keeps `no_trigger`, `late` and `synthetic`.
7. A record not later than the last change changes nothing. What a feed says itself by `roam.*` is taken
   over, and nothing is derived from it. With `hold` it is believed only when it is settled
   (`engine.treatments.roaming_held`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from engine.event import Event
from engine.plmn import country_of, is_plmn, of_cell
from engine.ticks import CONTROL
from engine.treatments.derived import derived_of, flags_of
from engine.treatments.memory import USED_EVERY, Memories
from engine.treatments.who_options import RoamingOptions

HOME = "home"
CELLS_KEPT = 100_000
"""Cells whose network is kept: 10 MB. A feed of garbage has more."""
TOLD = frozenset({"roam.out", "roam.home", "roam.country", "roam.in"})
"""Kinds by which a feed says itself what has changed: nothing is derived from them."""


class Roaming:
    """Step `roaming`. Value in memory: used, where, country, since, candidate, its last time, its times.

    `where` is `home`, a PLMN, or of a guest `in`; the country is the last one known.
    """

    name: ClassVar[str] = "roaming"

    def __init__(self, memories: Memories, options: RoamingOptions) -> None:
        self.counts: Counter[str] = Counter()
        """`first`, `roam.out`, ..., `suppressed` (networks that did not come again), `network` (another one
        of the same country), `late`, `odd_plmn` (test networks, and what is none)."""
        self._home = options.home
        self._neighbours = options.neighbours
        self._updates, self._apart, self._gone = options.updates, options.apart, options.guest_gone
        self._memory = memories.memory("roaming", options.ttl, options.remembered)
        self._zones: dict[str, str] = dict.fromkeys(options.home, HOME)
        """PLMN -> zone; empty: it is none."""
        self._plmns: dict[str, str] = {}
        """Cell -> PLMN; empty: it names none."""

    def take(self, event: Event) -> Sequence[Event]:
        """Look at the network of a record; return it, and the change that it completes behind it."""
        plmn = event.fields.get("plmn") or self._of_cell(event.cell)
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
        where: str = known[1]
        if zone == where:
            self._stay(event, known)
            return (event,)
        country, since = known[2], known[3]
        if event.t <= since:
            self.counts["late"] += 1
            return (event,)
        if not self._counts(event, known, zone, self.near(where if zone == HOME else zone)):
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
        gone = self._gone
        if known is None or (known[1] == "in" and event.t - known[0] > gone):
            known = (event.t, "", "", 0, "", 0, 0)
        if known[1] == "in":
            if event.t - known[0] > gone // USED_EVERY:
                self._memory.put(event.key, (event.t, *known[1:]))
            return (event,)
        home = event.fields["home_plmn"]
        if not self._counts(event, known, "in", self.near(home)):
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
        elif event.t >= last + self._apart:
            last, times = event.t, times + 1
        if not doubtful or times >= self._updates:
            return True
        self._memory.put(event.key, (max(used, event.t), where, country, since, zone, last, times))
        return False

    def _stay(self, event: Event, known: tuple[Any, ...]) -> None:
        if known[4] and event.t > known[5]:  # heard across the border, or for a moment
            used, where, country, since, *_ = known
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

    def near(self, zone: str) -> bool:
        """Say whether a network may be heard from across the border."""
        near = self._neighbours
        return zone != HOME and (near is None or zone in near or zone[:3] in near)

    def _is_guest(self, event: Event) -> bool:
        home = event.fields.get("home_plmn")
        return home is not None and home not in self._home

    def _of_cell(self, cell: str | None) -> str:
        if not cell:
            return ""
        plmn = self._plmns.get(cell)
        if plmn is None:
            if len(self._plmns) >= CELLS_KEPT:
                self._plmns.clear()
            plmn = self._plmns[cell] = of_cell(cell) or ""
        return plmn

    def _zone(self, plmn: str) -> str:
        if len(self._zones) > 10_000:
            self._zones = dict.fromkeys(self._home, HOME)
        zone = self._zones[plmn] = plmn if is_plmn(plmn) else ""
        return zone
