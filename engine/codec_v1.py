"""Version 1 of stored state, as far as it differs from the newest: the history in the open.

Entries are [clock, kind, t, seen, cell, places, no_trigger, fields], oldest first, one per applied record.
Version 1 kept no crossings, so a place pattern that is new at the migration sees only what comes after it.
"""

from __future__ import annotations

from typing import Any

from engine.event import Event
from engine.history import NO_TRIGGER, History, append
from engine.snapshot import Subscriber


def plain_history(entries: list[list[Any]], sub: Subscriber) -> History:
    """Build a history from the plain entries of version 1; they are the subscriber's last records."""
    history = History()
    first = sub.seq - len(entries) + 1
    for seq, (clock, kind, time, seen, cell, places, no_trigger, fields) in enumerate(entries, first):
        if clock > history.far_until:
            history.begin_far(clock, seq, {})
        event = Event(kind, time, "", fields, cell, seen)
        inside = tuple(places) if places is not None else None
        append(history, history.far[-1], event, seq, clock, inside, NO_TRIGGER if no_trigger else 0)
        sub.heat.count(kind, time, clock, history)
    return history
