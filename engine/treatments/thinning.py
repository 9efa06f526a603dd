"""Thinning: sightings that say nothing new, and procedures that say nothing, need not go into the log.

    1. A `loc.sight` whose `cause` is listed in `drop` is dropped: paging and context release are the
       network's own doing. Where a column map can skip them it is cheaper to skip them there.
    2. A `loc.sight` without `phase` in the cell of the subscriber's last sighting, over the same radio
       access, at most `every` after the last sighting that went on, is dropped. Any sighting that goes on
       counts as the last one, of any kind.
    3. After a `power.off` the next sighting goes on: it makes whereabouts known again. One earlier than the
       last sighting goes on: it is not known what it tells. Flagged `no_trigger` it goes on and is no
       sighting.
    4. `every` is at most `lapse` - `periodic`: a handset at rest is heard of after at most `periodic`, so
       two sightings that go on are at most `periodic` + `every` apart, and presence does not lapse between
       them. For an operator whose periodic timer is 54 min, with the usual lapse of 58 min, that is 4 min.

Rules that count `loc.sight` see fewer. A sighting of another feed elsewhere is not seen here: back in the
first cell, presence may learn of it up to `every` later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.treatments.flags import is_sighting
from engine.treatments.recent import Recent
from engine.treatments.where_options import ThinningOptions

THINNED: Final = "loc.sight"


class _Last:
    """The last sighting of a subscriber that went on."""

    __slots__ = ("cell", "rat", "seen")

    def __init__(self, cell: str, rat: Any, seen: int) -> None:
        self.cell = cell
        self.rat = rat
        self.seen = seen

    def pack(self) -> list[Any]:
        """Return it as plain JSON."""
        return [self.cell, self.rat, self.seen]

    @classmethod
    def restore(cls, packed: Any) -> _Last:
        """Return what `pack` was called on."""
        cell, rat, seen = packed
        return cls(cell, rat, seen)


class Thinning:
    """Step `thinning`."""

    name: ClassVar[str] = "thinning"

    def __init__(self, options: ThinningOptions) -> None:
        self.counts: Counter[str] = Counter()
        """`dropped_cause`, `dropped_same`."""
        self._every = options.every
        self._drop = frozenset(options.drop)
        self._recent: Recent[_Last] = Recent(
            options.subscribers,
            pack_value=_Last.pack,
            restore_value=_Last.restore,
            packed=options.checkpointed,
        )

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it, or nothing."""
        kind, cell, fields = event.kind, event.cell, event.fields
        if kind == THINNED and fields.get("cause") in self._drop:
            self.counts["dropped_cause"] += 1
            return ()
        if cell is None or not is_sighting(event):
            if kind == "power.off":
                self._recent.drop(event.key)
            return (event,)
        rat, seen = fields.get("rat"), event.seen
        last = self._recent.get(event.key)
        if last is None:
            self._recent.put(event.key, _Last(cell, rat, seen))
            return (event,)
        since = seen - last.seen
        if since < 0:
            return (event,)
        if (
            since <= self._every
            and kind == THINNED
            and cell == last.cell
            and rat == last.rat
            and "phase" not in fields
        ):
            self.counts["dropped_same"] += 1
            return ()
        last.cell, last.rat, last.seen = cell, rat, seen
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return nothing: nothing waits."""
        return ()

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Forget some subscribers."""
        for key in keys:
            self._recent.drop(key)
        return ()

    def pack(self) -> Any:
        """Return the last sightings of the subscribers seen last."""
        return self._recent.pack()

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called."""
        self._recent.restore(packed)
