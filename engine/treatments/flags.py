"""What steps write on records: flags in `quality`, and that a cell is not to be believed.

A cell that is not to be believed must not move presence, whatever brought it. Two cases:

    1. A record that only says where the subscriber is (`loc.*`) is flagged `no_trigger`: it neither sights
       nor fires (semantics.md 2.4), and keeps its cell, so that explain can show it.
    2. Any other record (a call, a message, data, attach) has a meaning of its own, which it must not lose:
       only its cell is taken off. Rules on it fire as ever; `where: {place}` then asks where the subscriber
       is (semantics.md 3), which is the place that is believed.

Either way the flag of the step says why.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from engine.event import Event
from engine.event_kinds import KINDS

NO_TRIGGER: Final = "no_trigger"
GUESSED_TIME: Final = "guessed_time"
"""Its time could not be read and is that of another record: see `connectors.xdr_times`."""
SIGNALING: Final = frozenset(kind for kind, spec in KINDS.items() if spec.group == "signaling")
SIGHTING: Final = SIGNALING - {"power.off"}
"""Kinds whose records are sightings if they name a cell (semantics.md 2.1)."""
WHERE_ONLY: Final = frozenset(kind for kind in KINDS if kind.startswith("loc."))
"""Kinds that say where the subscriber is and nothing else."""


def is_sighting(event: Event) -> bool:
    """Say whether presence would follow this record: a signaling record with a cell, not `power.off`."""
    if event.cell is None or event.kind not in SIGHTING:
        return False
    quality = event.fields.get("quality")
    return not quality or NO_TRIGGER not in quality


def flag(event: Event, *names: str) -> None:
    """Add flags to `quality`, each once."""
    fields = event.fields
    given = fields.get("quality") or ()
    fields["quality"] = [*given, *(name for name in names if name not in given)]


def take_cell_off(event: Event, why: str) -> None:
    """Take the cell off a record, and flag why."""
    event.fields.pop("cell", None)
    event.cell = None
    flag(event, why)


def distrust(event: Event, why: str, counts: Counter[str]) -> None:
    """Keep a record's cell from moving presence, as above; counts `flagged` or `cell_taken`."""
    if event.kind in WHERE_ONLY:
        flag(event, NO_TRIGGER, why)
        counts["flagged"] += 1
    else:
        take_cell_off(event, why)
        counts["cell_taken"] += 1
