"""Ping-pong at the border of two cells: A-B-A within a few minutes is no move.

    1. A is the cell of the subscriber's last sighting, if that is at most 58 min ago; cells of one site are
       one if `same: site`. A sighting elsewhere is a change of cell.
    2. `mode: hold`: the change is kept back until it is decided, and all that comes behind it for the same
       subscriber, so that nothing is overtaken. A sighting at A at most `within` after the change decides
       that it was none: every sighting elsewhere between the two is not believed, whatever cells there
       were. A handover that has lost its own cell is as good as a return if its `cell_prev` is the cell that
       they changed to, and nothing else was seen since: wherever it led, they did not stay there.
    3. Else, when the watermark has passed the change by more than `within`, or a later sighting or
       `power.off` shows it, the change was a move: it goes on as it came, and what is kept back behind it
       is taken anew.
    4. `mode: repeat` (`engine.treatments.ping_pong_repeat`): nothing is kept back, and the first A-B-A of a
       series passes.
    5. What is not believed: `loc.*` are flagged `no_trigger`, other records lose their cell (see *What is
       not believed*); both are flagged `ping_pong`.
    6. A sighting earlier than the last one changes nothing here, as it changes nothing in presence.

`hold` costs time: ticks do not run ahead of what is kept back, so with many subscribers everything that
waits for time happens `within` later. A subscriber with more than 200 records behind one change, and the
oldest of more than `most` in all, are decided as moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from engine.event import Event
from engine.options import Duration, option
from engine.treatments.flags import distrust, is_sighting
from engine.treatments.lot import EVENTS, Lot
from engine.treatments.recent import Recent, Remembering

FLAG: Final = "ping_pong"
MINUTE: Final = 60_000_000
KNOWN_FOR: Final = 58 * MINUTE
"""The usual periodic timer, 54 min, + 4 min (facts/signals.md): after that whereabouts are not known."""
MOST_OF_ONE: Final = 200
"""Events of one subscriber that are kept back at most."""
_COUNT: Final = 3
_BEHIND: Final = 1 << 62
"""Time at which an event behind a change is due by itself: never."""


class PingPongOptions(Remembering):
    """Settings of `ping_pong`."""

    within: Duration = option(
        2 * MINUTE,
        "a length of time from 60s to 5m",
        "a return after at most so long makes the records between ping-pong",
        ge=MINUTE,
        le=5 * MINUTE,
    )
    mode: Literal["hold", "repeat"] = option(
        "hold", "hold or repeat",
        "hold: a change of cell waits until it is decided; repeat: no delay, flag from the second flip on",
    )  # fmt: skip
    same: Literal["cell", "site"] = option(
        "cell", "cell or site", "what counts as one: a cell, or all cells of a site of the cells table"
    )
    most: int = option(
        2_000,
        "a whole number from 1 to 100,000",
        "records kept back at most, all in all (mode hold); each is about 300 bytes of every checkpoint",
        ge=1,
        le=100_000,
    )


class PingPong:
    """Step `ping_pong`, mode `hold`. `sites`: cell -> what is equal for cells that count as one."""

    name = "ping_pong"

    def __init__(self, options: PingPongOptions, sites: Mapping[str, object] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        """`collapsed` (returns), `flagged`, `cell_taken` (records between), `moved` (changes that were
        moves), `overflowed` (decided for want of room)."""
        self._within = options.within
        self._most = options.most
        self._sites = sites or {}
        self._known: Recent[list[Any]] = Recent(
            options.subscribers, pack_value=list, restore_value=list, packed=options.checkpointed
        )
        """Subscriber -> cell and time of the last sighting that was believed."""
        self._lot = Lot()
        self._away: dict[str, list[Any]] = {}
        """Subscriber of whom events are kept back -> time of the change, of the newest sighting, the cell
        of all sightings kept back (empty: of several sites), how many events."""
        self._watermark = -1

    # -- as a step -------------------------------------------------------------------------------------------

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""
        if event.key in self._away:
            return self._behind(event, self._away[event.key])
        if not is_sighting(event):
            if event.kind == "power.off":
                self._known.drop(event.key)
            return (event,)
        last = self._known.get(event.key)
        if last is None:
            self._believe(event)
            return (event,)
        cell, seen = event.cell, event.seen
        assert cell is not None
        if seen < last[1]:
            return (event,)
        if (
            cell != last[0]
            and seen - last[1] <= KNOWN_FOR
            and seen + self._within >= self._watermark
            and not are_of_one_site(last[0], cell, self._sites)
        ):
            self._away[event.key] = [seen, seen, cell, 0]
            return self._park(event, seen + self._within + 1)
        last[:] = cell, seen
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Let go of the changes that lasted."""
        self._watermark = watermark
        found: list[Event] = []
        for change in self._lot.due(watermark):
            found += self._moved(change, self._lot.of(change.key))
        return found

    def pack(self) -> dict[str, Any]:
        """Return the events kept back, and the cells of the subscribers seen last."""
        return {"known": self._known.pack(), "watermark": self._watermark, EVENTS: self._lot.pack()}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        packed = packed or {}
        self._known.restore(packed.get("known"))
        self._watermark = packed.get("watermark", -1)
        self._away.clear()
        self._lot.restore(packed.get(EVENTS))
        for event in self._lot.let_go():  # to count them, by subscriber
            away = self._away.get(event.key)
            if away is None:
                away = self._away[event.key] = [event.seen, event.seen, event.cell, 0]
            elif is_sighting(event) and event.seen >= away[1]:
                self._see(away, event)
            away[_COUNT] += 1
        self._lot.restore(packed.get(EVENTS))

    # -- what is kept back -----------------------------------------------------------------------------------

    @property
    def parked(self) -> int:
        """Events kept back now."""
        return len(self._lot)

    @property
    def oldest(self) -> int | None:
        """Least `t` of them, µs; None without any."""
        return self._lot.oldest

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return all that is kept back but the newest `keep`, as if their changes had lasted."""
        freed = self._lot.let_go(keep)
        for event in freed:
            away = self._away[event.key]
            away[_COUNT] -= 1
            last = self._known.get(event.key)
            if is_sighting(event) and (last is None or event.seen >= last[1]):
                self._believe(event)
        found = list(freed)
        for key in dict.fromkeys(event.key for event in freed):
            left = self._away.pop(key)[_COUNT]
            for event in self._lot.of(key) if left else ():
                found += self.take(event)
        return found

    def _behind(self, event: Event, away: list[Any]) -> Sequence[Event]:
        """Take an event of a subscriber of whom others are kept back."""
        key = event.key
        if event.kind == "power.off":
            del self._away[key]
            self._known.drop(key)
            return [*self._lot.of(key), event]
        if is_sighting(event) and event.seen >= away[1]:
            if event.seen - away[0] > self._within:
                change, *rest = self._lot.of(key)
                return self._moved(change, [*rest, event])
            last = self._known.get(key)
            if last is not None and self._are_one(last[0], event.cell):
                return self._returned(event, last[0])
            self._see(away, event)
        elif (
            (origin := left_by(event)) is not None
            and away[1] <= event.seen <= away[0] + self._within
            and self._are_one(origin, away[2])
            and (last := self._known.get(key)) is not None
        ):
            return self._returned(event, last[0])
        return self._park(event, _BEHIND)

    def _see(self, away: list[Any], sighting: Event) -> None:
        away[1] = sighting.seen
        if away[2] and not self._are_one(away[2], sighting.cell):
            away[2] = ""

    def _returned(self, event: Event, home: str) -> Sequence[Event]:
        """Take the return, or what says that they did not stay: what lies between was ping-pong."""
        del self._away[event.key]
        between = self._lot.of(event.key)
        for each in between:
            if is_sighting(each) and not self._are_one(home, each.cell):
                distrust(each, FLAG, self.counts)
        self.counts["collapsed"] += 1
        self._known.put(event.key, [event.cell or home, event.seen])
        return [*between, event]

    def _moved(self, change: Event, rest: Sequence[Event]) -> list[Event]:
        """Take a change for a move, and what was kept back behind it anew."""
        del self._away[change.key]
        self._believe(change)
        self.counts["moved"] += 1
        found = [change]
        for event in rest:
            found += self.take(event)
        return found

    def _park(self, event: Event, until: int) -> Sequence[Event]:
        away = self._away[event.key]
        away[_COUNT] += 1
        self._lot.park(event, until)
        if away[_COUNT] > MOST_OF_ONE:
            self.counts["overflowed"] += 1
            change, *rest = self._lot.of(event.key)
            return self._moved(change, rest)
        if len(self._lot) > self._most:
            self.counts["overflowed"] += 1
            return self.let_go(self._most * 9 // 10)
        return ()

    def _believe(self, sighting: Event) -> None:
        self._known.put(sighting.key, [sighting.cell, sighting.seen])

    def _are_one(self, cell: str, other: str | None) -> bool:
        return cell == other or are_of_one_site(cell, other, self._sites)


def left_by(event: Event) -> str | None:
    """Return the cell that a handover led away from; None: the record is none, or does not say so."""
    origin = event.fields.get("cell_prev") if event.kind == "loc.handover" else None
    return origin if isinstance(origin, str) and origin else None


def are_of_one_site(cell: str, other: str | None, sites: Mapping[str, object]) -> bool:
    """Say whether two cells are known to be of one site."""
    site = sites.get(cell)
    return site is not None and other is not None and site == sites.get(other)
