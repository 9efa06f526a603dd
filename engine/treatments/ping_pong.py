"""Ping-pong at the border of two cells: A-B-A within a few minutes is no move.

    1. A is the cell of the subscriber's last sighting, if that is at most 58 min ago. Cells of one site are
       one if `same: site`. A sighting elsewhere is a change of cell.
    2. `mode: hold`: the change is kept back until it is decided, and all that comes behind it for the same
       subscriber, so that nothing is overtaken. A sighting at A in time (at most `within` after the change)
       decides that it was none: no sighting elsewhere between the two is believed, whatever cells there were.
    3. A flip is all that was seen elsewhere if that is of the first 90 s and no registration (`loc.update`,
       `power.on`): a phone between two masts is back in a minute, and did not register. After a flip a return
       is in time until `alone` after the change: one return in ten reaches us after 5 min. It may as well be
       to the cell that the change itself says it left (`cell_prev` of a handover).
    4. As good as a return is a handover that says it left A, wherever it led: they had been back, and it is a
       change anew; one that has lost its own cell, and left the cell of the change within 90 s after it, in
       time; and a record at A, or a handover that says it left A, flagged `guessed_time`, whose own time
       could not be read, if that which it was given is in time. What others have flagged is no return.
    5. Else, when the watermark has passed the change by more than that, or a later sighting or a `power.off`
       not older than the newest one shows it, the change was a move: it goes on as it came, and what is kept
       back behind it is taken anew.
    6. `mode: repeat` (`engine.treatments.ping_pong_repeat`): nothing is kept back, and the first A-B-A of a
       series passes.
    7. What is not believed: `loc.*` are flagged `no_trigger`, other records lose their cell (see *What is
       not believed*); both are flagged `ping_pong`.
    8. A sighting earlier than the last one changes nothing here, as it changes nothing in presence, and stays
       as it is.

`hold` costs time: ticks do not run ahead of what is kept back, so with many subscribers everything that
waits for time happens `within` or `alone` later. Without service requests in the feed a short true visit is
often one sighting: leave `alone` out there. A subscriber with 200 records behind one change, and the oldest
of more than `most` in all, are decided as moves.
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
HANDOVER: Final = "loc.handover"
REGISTRATIONS: Final = frozenset({"loc.update", "power.on"})
"""Kinds by which a phone itself says that it is there."""
FLIP: Final = 90_000_000
"""A phone that flips to another cell is back in so long, µs; when we hear of it is another matter."""


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

    __slots__ = ("cell", "changed", "origin", "registered", "seen")

    def __init__(self, change: Event) -> None:
        self.changed = change.seen
        """Time of the change, µs."""
        self.origin = left_by(change)
        """The cell that the change says it left; None: it does not say."""
        self.seen = change.seen
        """Of the newest sighting."""
        self.cell = change.cell or ""
        """Of all sightings kept back; empty: of several sites."""
        self.registered = change.kind in REGISTRATIONS
        """Whether one of them is a registration."""

    @property
    def is_flip(self) -> bool:
        """Whether all that was seen elsewhere may be one flip."""
        return not self.registered and self.seen - self.changed <= FLIP


class PingPong(KeepsBack[_Away]):
    """Step `ping_pong`, mode `hold`. `sites`: cell -> what is equal for cells that count as one.

    `counts`: `collapsed` (returns), `flagged`, `cell_taken` (records between), `moved` (changes that were
    moves), `overflowed` (decided for want of room).
    """

    name: ClassVar[str] = "ping_pong"

    def __init__(self, options: PingPongOptions, sites: Mapping[str, object] | None = None) -> None:
        super().__init__(Counter(), options.most)
        self._within: int = options.within
        self._alone: int = max(options.alone, options.within)
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
                last = self._known.get(key)
                if last is not None and event.t >= last.seen:
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
        if cell != last.cell and since <= KNOWN_FOR and not are_of_one_site(last.cell, cell, self._sites):
            away = _Away(event)
            until = seen + (self._alone if away.is_flip else self._within)
            # what is taken anew may have its return behind it, however late it is by now
            if until >= self._watermark or self._retaken is not None:
                return self._keep(event, until + 1, away)
        last.cell, last.seen = cell, seen
        return (event,)

    def pack(self) -> dict[str, Any]:
        """Return the events kept back, and the cells of the subscribers seen last."""
        return {"known": self._known.pack(), **super().pack()}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called; what mode `repeat` remembered is no use here."""
        packed = packed if isinstance(packed, Mapping) else {}
        self._known.restore(packed.get("known"))
        super().restore(packed)

    def _let_oldest_go(self, keep: int) -> Sequence[Event]:
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
            self._changes[event.key] = _Away(event)
        elif is_sighting(event) and event.seen >= away.seen:
            self._see(away, event)

    def _forget(self, key: str) -> None:
        self._known.drop(key)

    def _behind(self, event: Event, away: _Away) -> Sequence[Event]:
        """Take an event of a subscriber of whom others are kept back."""
        key = event.key
        if event.kind == "power.off" and event.t >= away.seen:
            return self._settle(event)
        last = self._known.get(key)
        if is_sighting(event) and event.seen >= away.seen:
            if last is not None and self._is_in_time(away, event.seen):
                if self._is_home(last, away, event.cell):
                    return [*self._returned(last, away, event.cell, event), event]
                if event.seen > away.seen and self._is_home(last, away, origin := left_by(event)):
                    return [*self._returned(last, away, origin, event), *self.take(event)]
            if event.seen - away.changed > self._within:
                return self._settle(event)
            self._see(away, event)
        elif last is not None and (home := self._says_back(last, away, event)) is not None:
            return [*self._returned(last, away, home, event), event]
        return self._keep_behind(event)

    def _see(self, away: _Away, sighting: Event) -> None:
        away.seen = sighting.seen
        away.registered = away.registered or sighting.kind in REGISTRATIONS
        if away.cell and not self._are_one(away.cell, sighting.cell):
            away.cell = ""
        if not away.is_flip:
            self._lot.hasten(sighting.key, away.changed + self._within + 1)

    def _says_back(self, last: _Last, away: _Away, event: Event) -> str | None:
        """Return the cell at which they had been back, if what is no sighting shows that they had."""
        if event.seen < away.changed or not self._is_in_time(away, event.seen):
            return None
        origin = left_by(event)
        if GUESSED_TIME in event.fields.get("quality", ()):
            return next((cell for cell in (event.cell, origin) if self._is_home(last, away, cell)), None)
        lost = event.cell is None and away.seen <= event.seen <= away.changed + FLIP
        return last.cell if lost and origin is not None and self._are_one(origin, away.cell) else None

    def _is_in_time(self, away: _Away, seen: int) -> bool:
        """Say whether who is back at a time has not stayed elsewhere."""
        return seen - away.changed <= (self._alone if away.is_flip else self._within)

    def _is_home(self, last: _Last, away: _Away, cell: str | None) -> bool:
        """Say whether a cell is one that the change led away from."""
        if cell is None:
            return False
        return self._are_one(last.cell, cell) or (
            away.is_flip and away.origin is not None and self._are_one(away.origin, cell)
        )

    def _returned(self, last: _Last, away: _Away, home: str | None, event: Event) -> list[Event]:
        """Return what was kept back: sightings elsewhere, since the last one at home, were ping-pong, for
        they were at home again at the time of an event that is behind it.
        """
        assert home is not None
        between = self._end(event.key)
        for each in between:
            if (
                is_sighting(each)
                and each.seen >= last.seen
                and not self._are_one(last.cell, each.cell)
                and not self._are_one(home, each.cell)
            ):
                distrust(each, FLAG, self.counts)
        self.counts["collapsed"] += 1
        # a guessed time may be too late: all that is known is that they were back after all that is kept back
        is_guess = GUESSED_TIME in event.fields.get("quality", ())
        self._known.put(event.key, _Last(home, away.seen if is_guess else event.seen))
        return between

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
    origin = event.fields.get("cell_prev") if event.kind == HANDOVER else None
    return origin if isinstance(origin, str) and origin else None


def are_of_one_site(cell: str, other: str | None, sites: Mapping[str, object]) -> bool:
    """Say whether two cells are known to be of one site."""
    site = sites.get(cell)
    return site is not None and other is not None and site == sites.get(other)
