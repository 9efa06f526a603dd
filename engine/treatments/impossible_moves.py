"""Impossible moves: nobody is 10 km away after a minute.

    1. A sighting `distance` or further from the last believed one, at `speed` or faster between the times
       of the two, is impossible: the cell is wrong, or the identity. Both have to be reached; no time at
       all is infinitely fast.
    2. What is impossible is not believed: `loc.*` are flagged `no_trigger`, other records lose their cell
       (see *What is not believed*); both are flagged `impossible_move`. What was believed stays so: of two
       records that contradict each other it is the later that is the wrong one, at first.
    3. Which of them was wrong shows by what follows. A sighting possible from the believed one is believed,
       and the outlier is forgotten. One that is impossible again, but possible from the outlier, speaks for
       that: the `confirm`-th of such a row, the first outlier included, is believed. One that is possible
       from neither begins a new row.
    4. After a long silence a wrong cell is a possible move. If the believed sighting is the only one since
       such a jump of `distance` or further, and the next is impossible from it but possible from the one
       before it, then it is two against one: the next is believed at once (`returned`).
    5. Sightings in cells that the table does not place, and those earlier than the last believed one, pass
       and change nothing here. One earlier than the outlier is judged by 1 and says nothing about the
       outlier.

A wrong first record of a subscriber costs the next `confirm` - 1 records. Trains run at up to 97 m/s (350
km/h): with 55 m/s a passenger is believed at every `confirm`-th cell, or give `speed` 110 where such a line
runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from engine.cells import METRES_OF_DEGREE, distance
from engine.event import Event
from engine.treatments.flags import distrust, is_sighting
from engine.treatments.recent import Recent
from engine.treatments.where_options import ImpossibleMovesOptions

FLAG: Final = "impossible_move"
_SECOND: Final = 1_000_000

Position = tuple[float, float]
"""Latitude and longitude, degrees."""


class _Track:
    """Where a subscriber is believed to be, and where the last outliers were."""

    __slots__ = ("before", "before_seen", "count", "outlier", "outlier_seen", "seen", "where")

    def __init__(self, where: Position, seen: int) -> None:
        self.where = where
        self.seen = seen
        self.outlier = where
        self.outlier_seen = seen
        self.count = 0
        """Outliers in a row that agree with each other."""
        self.before: Position | None = None
        """Where they were before `where`, if that is one sighting after a jump."""
        self.before_seen = 0

    def pack(self) -> list[Any]:
        """Return it as plain JSON."""
        kept = [*self.where, self.seen, *self.outlier, self.outlier_seen, self.count]
        return kept if self.before is None else [*kept, *self.before, self.before_seen]

    @classmethod
    def restore(cls, packed: Any) -> _Track:
        """Return what `pack` was called on."""
        lat, lon, seen, outlier_lat, outlier_lon, outlier_seen, count, *before = packed
        track = cls((lat, lon), seen)
        track.outlier, track.outlier_seen, track.count = (outlier_lat, outlier_lon), outlier_seen, count
        if before:
            track.before, track.before_seen = (before[0], before[1]), before[2]
        return track


class ImpossibleMoves:
    """Step `impossible_moves`. `positions`: cell -> latitude and longitude of its site, degrees."""

    name: ClassVar[str] = "impossible_moves"

    def __init__(self, options: ImpossibleMovesOptions, positions: Mapping[str, Position]) -> None:
        self.counts: Counter[str] = Counter()
        """`flagged`, `cell_taken` (not believed), `confirmed` (outliers that turned out to be true),
        `returned` (back from a jump that was none)."""
        self._distance = options.distance
        self._near = options.distance / METRES_OF_DEGREE / 2
        """Degrees of latitude and longitude below which no two points are so far apart."""
        self._speed = options.speed / _SECOND
        self._confirm = options.confirm
        self._positions = positions
        self._tracks: Recent[_Track] = Recent(
            options.subscribers,
            pack_value=_Track.pack,
            restore_value=_Track.restore,
            packed=options.checkpointed,
        )

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it."""
        if event.cell is None or not is_sighting(event):
            return (event,)
        where = self._positions.get(event.cell)
        if where is None:
            return (event,)
        track, seen = self._tracks.get(event.key), event.seen
        if track is None:
            self._tracks.put(event.key, _Track(where, seen))
        elif seen < track.seen:
            return (event,)
        elif track.count:
            self._doubt(track, where, event)
        elif where == track.where or self._is_possible(track.where, track.seen, where, seen):
            self._believe(track, where, seen)
        elif track.before is not None and self._is_possible(track.before, track.before_seen, where, seen):
            self.counts["returned"] += 1
            track.where, track.seen, track.before = where, seen, None
        else:
            track.outlier, track.outlier_seen, track.count = where, seen, 1
            distrust(event, FLAG, self.counts)
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
        """Return the positions of the subscribers seen last."""
        return self._tracks.pack()

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called."""
        self._tracks.restore(packed)

    def _doubt(self, track: _Track, where: Position, event: Event) -> None:
        """Take a sighting after an outlier: which of the two does it speak for?"""
        seen = event.seen
        overtaken = seen < track.outlier_seen
        if self._is_possible(track.where, track.seen, where, seen):
            self._believe(track, where, seen)
            if not overtaken:
                track.count = 0
            return
        if overtaken:
            distrust(event, FLAG, self.counts)
            return
        agrees = self._is_possible(track.outlier, track.outlier_seen, where, seen)
        track.count = track.count + 1 if agrees else 1
        track.outlier, track.outlier_seen = where, seen
        if track.count >= self._confirm:
            self.counts["confirmed"] += 1
            track.where, track.seen, track.count, track.before = where, seen, 0, None
        else:
            distrust(event, FLAG, self.counts)

    def _believe(self, track: _Track, where: Position, seen: int) -> None:
        if self._is_near(track.where, where) or distance(*track.where, *where) < self._distance:
            track.before = None
        else:
            track.before, track.before_seen = track.where, track.seen
        track.where, track.seen = where, seen

    def _is_possible(self, where: Position, seen: int, there: Position, then: int) -> bool:
        if self._is_near(where, there):
            return True
        metres = distance(*where, *there)
        return metres < self._distance or metres < self._speed * (then - seen)

    def _is_near(self, where: Position, there: Position) -> bool:
        """Say whether a move is shorter than `distance` for sure: most are, and this saves the arc."""
        near = self._near
        return -near < where[0] - there[0] < near and -near < where[1] - there[1] < near
