"""Step `ping_pong` without delay: flag from the second flip on.

    1. A-B-A, the return at most `within` after the first sighting at B, is a flip, and passes as it came:
       at the time of B nobody could know. B is then the other cell of A.
    2. A sighting at the other cell at most `within` after the last sighting at A is not believed, nor are
       those that follow it, until the subscriber is seen at A again: the flag comes without waiting.
    3. A sighting at the other cell more than `within` after the first of those that were not believed is
       believed: the subscriber has moved. So is any sighting at a third cell.
    4. What is not believed, cells of one site, and sightings out of order: as in
       `engine.treatments.ping_pong`.

It costs one false visit per series, and a true move from A to B right after a flip is seen `within` later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.treatments.flags import distrust, is_sighting
from engine.treatments.ping_pong import FLAG, are_of_one_site
from engine.treatments.recent import Recent
from engine.treatments.where_options import PingPongOptions

_NEVER: Final = -1


class _Track:
    """Where a subscriber was: the cell now, the one before it, and whether they flip."""

    __slots__ = ("away", "changed", "flips", "home", "other", "seen")

    def __init__(self, home: str, seen: int, other: str = "", changed: int = _NEVER) -> None:
        self.home = home
        self.seen = seen
        """Of the last sighting, believed or not, µs."""
        self.other = other
        """The cell before; empty: none."""
        self.changed = changed
        """Of the first sighting at `home` after `other`; once they flip, of the last one at `home`."""
        self.flips = False
        self.away = _NEVER
        """Of the first sighting at `other` that was not believed, since `home` was seen; -1: none."""

    def pack(self) -> list[Any]:
        """Return it as plain JSON."""
        return [self.home, self.seen, self.other, self.changed, self.flips, self.away]

    @classmethod
    def restore(cls, packed: Any) -> _Track:
        """Return what `pack` was called on."""
        track = cls(*packed[:4])
        track.flips, track.away = packed[4:]
        return track


class PingPongRepeat:
    """Step `ping_pong`, mode `repeat`. `sites`: cell -> what is equal for cells that count as one."""

    name: ClassVar[str] = "ping_pong"

    def __init__(self, options: PingPongOptions, sites: Mapping[str, object] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        """`flipped` (first flips, passed), `flagged`, `cell_taken` (not believed), `moved` (flipped, then
        stayed)."""
        self._within = options.within
        self._sites = sites or {}
        self._tracks: Recent[_Track] = Recent(
            options.subscribers,
            pack_value=_Track.pack,
            restore_value=_Track.restore,
            packed=options.checkpointed,
        )

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it."""
        if not is_sighting(event):
            if event.kind == "power.off":
                track = self._tracks.get(event.key)
                if track is not None and event.t >= track.seen:
                    self._tracks.drop(event.key)
            return (event,)
        cell, seen = event.cell, event.seen
        assert cell is not None
        track = self._tracks.get(event.key)
        if track is None:
            self._tracks.put(event.key, _Track(cell, seen))
        elif seen >= track.seen:
            track.seen = seen
            if self._are_one(track.home, cell):
                track.home = cell
                track.away = _NEVER
                if track.flips:
                    track.changed = seen
            elif not (track.other and self._are_one(track.other, cell)):
                self._tracks.put(event.key, _Track(cell, seen, track.home, seen))
            elif track.flips:
                self._at_the_other(track, event)
            else:
                flips = seen - track.changed <= self._within
                track.home, track.other, track.changed, track.flips = cell, track.home, seen, flips
                self.counts["flipped"] += flips
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return nothing: nothing waits."""
        return ()

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Forget some subscribers."""
        for key in keys:
            self._tracks.drop(key)
        return ()

    def pack(self) -> Any:
        """Return the cells of the subscribers seen last."""
        return self._tracks.pack()

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called; what mode `hold` remembered is no use here."""
        self._tracks.restore(packed if isinstance(packed, list) else None)

    def _at_the_other(self, track: _Track, event: Event) -> None:
        """Take a sighting at the other cell of two that flip."""
        seen, within = event.seen, self._within
        since = track.changed if track.away == _NEVER else track.away
        if seen - since <= within:
            if track.away == _NEVER:
                track.away = seen
            distrust(event, FLAG, self.counts)
            return
        self.counts["moved"] += 1
        assert event.cell is not None
        track.home, track.other, track.changed = event.cell, track.home, seen
        track.flips, track.away = False, _NEVER

    def _are_one(self, cell: str, other: str) -> bool:
        return cell == other or are_of_one_site(cell, other, self._sites)
