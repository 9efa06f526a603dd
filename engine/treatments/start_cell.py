"""The cell of calls and sessions whose record arrives at their end: of the start, of the end, or of both.

The engine takes a record's cell for where the subscriber was at `t_start`, ignores it for presence if a
newer sighting is known, and lets nothing fire that is older than the policy's patience (semantics.md 2.1).
What is left for the collector:

    1. A call, message or session of more than `longest` from `t_start` to `t` loses its cell and is flagged
       `start_cell`: `where: {place}` on it then asks where the subscriber is now, not where they were when
       it began. For what the cell tells of the past a `loc.sight` at `t_start` comes right behind it, when
       the record itself has moved the clock: it is late, and fires only what patience allows. Presence
       becomes what it would have been. If the start is more than 1 h ago none is added: the engine would
       drop it (1.5).
    2. `cell_is: end`: the feed's cell is that of the end. `t_start` is taken off, so that the record is a
       sighting at `t`; 1 does not apply.
    3. `cell_end`, where a feed names it, is taken off and becomes a `loc.sight` at `t` right behind the
       record.
    4. What is added carries network, handset and source of the record, its id with `/start` or `/end`, and
       is flagged `synthetic`.

`loc.*`, `power.*` and all others are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.event_kinds import KINDS, PHASED
from engine.treatments.flags import flag, take_cell_off
from engine.treatments.where_options import StartCellOptions

FLAG: Final = "start_cell"
SYNTHETIC: Final = "synthetic"
HOUR: Final = 3_600_000_000
_LASTING: Final = frozenset(kind for kind in KINDS if kind.startswith(PHASED))
_FLAGS_CARRIED: Final = ("no_trigger", "late")
"""What is not to sight or fire must not do so by another record."""
_CARRIED: Final = ("subscriber_key", "source", "rat", "plmn", "home_plmn", "tac8")


class StartCell:
    """Step `start_cell`."""

    name: ClassVar[str] = "start_cell"

    def __init__(self, options: StartCellOptions) -> None:
        self.counts: Counter[str] = Counter()
        """`cell_taken` (long ones), `added` (sightings at a start or an end), `moved_to_end`."""
        self._longest = options.longest
        self._cell_is_of_end = options.cell_is == "end"

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it, with the sightings that follow from it."""
        fields = event.fields
        if event.kind not in _LASTING or not ("t_start" in fields or "cell_end" in fields):
            return (event,)
        found = [event]
        if event.cell is not None and event.seen < event.t:
            if self._cell_is_of_end:
                del fields["t_start"]
                event.seen = event.t
                self.counts["moved_to_end"] += 1
            elif event.t - event.seen > self._longest:
                if event.t - event.seen <= HOUR:
                    found.append(self._sighting(event, event.cell, event.seen, "/start"))
                take_cell_off(event, FLAG)
                self.counts["cell_taken"] += 1
        end = fields.pop("cell_end", None)
        if end is not None:
            found.append(self._sighting(event, end, event.t, "/end"))
        return found

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return nothing: nothing waits."""
        return ()

    def pack(self) -> None:
        """Return nothing: nothing is kept."""

    def restore(self, packed: Any) -> None:
        """Begin."""

    def _sighting(self, event: Event, cell: str, t: int, part: str) -> Event:
        fields: dict[str, Any] = {"kind": "loc.sight", "t": t, "cell": cell}
        fields.update((name, event.fields[name]) for name in _CARRIED if name in event.fields)
        flags = [name for name in event.fields.get("quality") or () if name in _FLAGS_CARRIED]
        if flags:
            fields["quality"] = flags
        id = None if event.id is None else event.id + part
        if id is not None:
            fields["id"] = id
        made = Event("loc.sight", t, event.key, fields, cell, t, id, event.source, event.position)
        flag(made, SYNTHETIC)
        self.counts["added"] += 1
        return made
