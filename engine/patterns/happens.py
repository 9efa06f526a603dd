"""`happens: E` (semantics.md 3, 1.4)."""

from __future__ import annotations

from engine.event_kinds import PHASED
from engine.patterns.base import Instant, Moment, Node, Predicate
from engine.snapshot import Subscriber

PARTIAL = ("start", "update")
"""Phases of a record that is not the whole (1.4)."""


class Happens(Node):
    """An instant at each record of a kind that passes every `where` and none of `unless`."""

    def __init__(
        self,
        key: str,
        event: str,
        passes: Predicate | None,
        places: tuple[str, ...],
        keep: tuple[str, ...],
    ) -> None:
        super().__init__(key)
        self.kinds = frozenset((event,))
        self.event = event
        self.whole = event.startswith(PHASED)
        """Starts and updates are not taken (1.4)."""
        self.passes = passes
        self.places = places
        """Places that `where: {place: …}` names: the match's place is the first the record is in."""
        self.keep = keep
        """Record fields that some text shows: `{event.FIELD}`."""

    def see(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one record of this kind."""
        event = moment.event
        assert event is not None
        if self.whole and event.fields.get("phase") in PARTIAL:
            return None
        if self.passes is not None and not self.passes(moment):
            return None
        return [
            Instant(
                (2 * event.t, moment.seq),
                moment.timely,
                moment.fires,
                moment.trigger,
                place_of(self.places, moment),
                kept(self.keep, moment),
            )
        ]


def place_of(places: tuple[str, ...], moment: Moment) -> str | None:
    """Name the first of `places` that the record is in."""
    if places and moment.places:
        for place in places:
            if place in moment.places:
                return place
    return None


def kept(keep: tuple[str, ...], moment: Moment) -> dict[str, object] | None:
    """Copy the record's fields that some text shows."""
    if not keep or moment.event is None:
        return None
    fields = moment.event.fields
    return {"event": {name: fields[name] for name in keep if fields.get(name) is not None}}
