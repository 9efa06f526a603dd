"""Records that follow from others: a changed handset, a border crossed, a number learned."""

from __future__ import annotations

from typing import Any

from engine.event import Event
from engine.numbers import keyed_hash

FLAGS_KEPT = frozenset({"no_trigger", "synthetic", "late"})
"""Flags of the record from which another follows that hold for that one, too."""


def flags_of(cause: Event) -> list[str]:
    """Return the flags of a record that hold for what follows from it."""
    return [flag for flag in cause.fields.get("quality", ()) if flag in FLAGS_KEPT]


def derived_of(key: str, source: str, kind: str, t: int, what: str, fields: dict[str, Any]) -> Event:
    """Return the record that follows: of a subscriber, at `t` (µs).

    Its id is a keyed hash of subscriber, kind, `what` (what has changed) and time, so that one that is
    derived again after a crash is a duplicate. It has no cell: it is no sighting.
    """
    # the subscriber key is a keyed hash itself: who does not know it can't tell the id
    id = keyed_hash(key.encode(), f"{kind}\0{what}\0{t}")
    whole = {"kind": kind, "t": t, "id": id, "source": source, "subscriber_key": key, **fields}
    if not source:
        del whole["source"]
    return Event(kind, t, key, whole, id=id, source=source)


def unflag(event: Event, name: str) -> None:
    """Take a flag off a record."""
    quality = [each for each in event.fields.get("quality", ()) if each != name]
    if quality:
        event.fields["quality"] = quality
    else:
        event.fields.pop("quality", None)
