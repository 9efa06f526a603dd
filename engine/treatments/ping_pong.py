"""Ping-pong at the border of two cells: A-B-A within a few minutes is no move.

    1. A is the cell of the subscriber's last sighting, if that is at most 58 min ago; cells of one site are
       one if `same: site`. A sighting elsewhere is a change of cell.
    2. `mode: hold`: the change is kept back until it is decided, and all that comes behind it for the same
       subscriber, so that nothing is overtaken. A sighting at A at most `within` after the change decides
       that it was none: every sighting elsewhere between the two is not believed, whatever cells there
       were. A handover that has lost its own cell is as good as a return if its `cell_prev` is the cell that
       they changed to, and nothing else was seen since: wherever it led, they did not stay there. So is a
       record at A flagged `guessed_time`, whose own time could not be read, if the time it was given is at
       most `within` after the change: a return that is not taken for one is a visit that never was.
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
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.treatments.flags import GUESSED_TIME, distrust, is_sighting
from engine.treatments.kept_back import KeepsBack
from engine.treatments.recent import Recent
from engine.treatments.where_options import PingPongOptions

FLAG: Final = "ping_pong"
KNOWN_FOR: Final = 58 * 60_000_000
"""The usual periodic timer, 54 min, + 4 min (facts/signals.md): after that whereabouts are not known."""
MOST_OF_ONE: Final = 200
"""Events of one subscriber that are kept back at most."""


class _Last:
    """The last sighting of a subscriber that was believed."""

    __slots__ = ("cell", "seen")

    def __init__(self, cell: str, seen: int) -> None:
        self.cell = cell
        self.seen = seen

    def pack(self) -> list[Any]:
        """Return it as plain JSON."""
        return [self.cell, self.seen]

    @classmethod
    def restore(cls, packed: Any) -> _Last:
        """Return what `pack` was called on."""
        cell, seen = packed
        return cls(cell, seen)


class _Away:
    """A change of cell that is kept back, and the sightings behind it."""

    __slots__ = ("cell", "changed", "seen")

    def __init__(self, changed: int, cell: str) -> None:
        self.changed = changed
        """Time of the change, µs."""
        self.seen = changed
        """Of the newest sighting."""
        self.cell = cell
        """Of all sightings kept back; empty: of several sites."""


class PingPong(KeepsBack[_Away]):
    """Step `ping_pong`, mode `hold`. `sites`: cell -> what is equal for cells that count as one.

    `counts`: `collapsed` (returns), `flagged`, `cell_taken` (records between), `moved` (changes that were
    moves), `overflowed` (decided for want of room).
    """

    name: ClassVar[str] = "ping_pong"

    def __init__(self, options: PingPongOptions, sites: Mapping[str, object] | None = None) -> None:
        super().__init__(Counter(), options.most)
        self._within: int = options.within
        self._sites: Mapping[str, object] = sites or {}
        self._known: Recent[_Last] = Recent(
            options.subscribers,
            pack_value=_Last.pack,
            restore_value=_Last.restore,
            packed=options.checkpointed,
        )

    # -- as a step -------------------------------------------------------------------------------------------

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""
        key = event.key
        away = self._changes.get(key)
        if away is not None:
            return self._behind(event, away)
        if not is_sighting(event):
            if event.kind == "power.off":
                self._known.drop(key)
            return (event,)
        last = self._known.get(key)
        if last is None:
            self._believe(event)
            return (event,)
        cell, seen = event.cell, event.seen
        assert cell is not None
        since = seen - last.seen
        if since < 0:
            return (event,)
        if (
            cell != last.cell
            and since <= KNOWN_FOR
            and seen + self._within >= self._watermark
            and not are_of_one_site(last.cell, cell, self._sites)
        ):
            return self._keep(event, seen + self._within + 1, _Away(seen, cell))
        last.cell, last.seen = cell, seen
        return (event,)

    def pack(self) -> dict[str, Any]:
        """Return the events kept back, and the cells of the subscribers seen last."""
        return {"known": self._known.pack(), **super().pack()}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        self._known.restore((packed or {}).get("known"))
        super().restore(packed)

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return all that is kept back but the newest `keep`, as if their changes had lasted."""
        freed = self._lot.let_go(keep)
        for event in freed:
            last = self._known.get(event.key)
            if is_sighting(event) and (last is None or event.seen >= last.seen):
                self._believe(event)
        found = list(freed)
        for key in dict.fromkeys([event.key for event in freed]):
            found += self._anew(self._end(key))
        return found

    # -- what is kept back -----------------------------------------------------------------------------------

    def _note(self, event: Event) -> None:
        away = self._changes.get(event.key)
        if away is None:
            self._changes[event.key] = _Away(event.seen, event.cell or "")
        elif is_sighting(event) and event.seen >= away.seen:
            self._see(away, event)

    def _forget(self, key: str) -> None:
        self._known.drop(key)

    def _behind(self, event: Event, away: _Away) -> Sequence[Event]:
        """Take an event of a subscriber of whom others are kept back."""
        key, seen = event.key, event.seen
        if event.kind == "power.off":
            self._known.drop(key)
            return [*self._end(key), event]
        if is_sighting(event) and seen >= away.seen:
            if seen - away.changed > self._within:
                change, *behind = self._lot.of(key)
                return self._lasts(change, [*behind, event])
            last = self._known.get(key)
            if last is not None and self._are_one(last.cell, event.cell):
                return self._returned(event, last.cell)
            self._see(away, event)
        elif (
            GUESSED_TIME in event.fields.get("quality", ())
            and away.changed <= seen <= away.changed + self._within
            and (last := self._known.get(key)) is not None
            and self._are_one(last.cell, event.cell)
        ):
            # when they were back is not known: only that it was after all that is kept back
            return self._returned(event, last.cell, away.seen)
        elif (
            (origin := left_by(event)) is not None
            and away.seen <= seen <= away.changed + self._within
            and self._are_one(origin, away.cell)
            and (last := self._known.get(key)) is not None
        ):
            return self._returned(event, last.cell)
        if self._lot.count(key) < MOST_OF_ONE:
            return self._keep_behind(event)
        self.counts["overflowed"] += 1
        change, *behind = self._lot.of(key)
        return self._lasts(change, [*behind, event])

    def _see(self, away: _Away, sighting: Event) -> None:
        away.seen = sighting.seen
        if away.cell and not self._are_one(away.cell, sighting.cell):
            away.cell = ""

    def _returned(self, event: Event, home: str, seen: int | None = None) -> Sequence[Event]:
        """Take the return, or what says that they did not stay: what lies between was ping-pong."""
        between = self._end(event.key)
        for each in between:
            if is_sighting(each) and not self._are_one(home, each.cell):
                distrust(each, FLAG, self.counts)
        self.counts["collapsed"] += 1
        self._known.put(event.key, _Last(event.cell or home, event.seen if seen is None else seen))
        return [*between, event]

    def _lasts(self, change: Event, behind: Iterable[Event]) -> list[Event]:
        """Take a change for a move, and what was kept back behind it anew."""
        del self._changes[change.key]
        self._believe(change)
        self.counts["moved"] += 1
        return [change, *self._anew(behind)]

    def _believe(self, sighting: Event) -> None:
        assert sighting.cell is not None
        self._known.put(sighting.key, _Last(sighting.cell, sighting.seen))

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
