"""What of a source the log takes: not what commands alone write, nothing of the future."""

from __future__ import annotations

from engine.event import Event
from engine.refusals import Bad
from engine.ticks import CONTROL

AHEAD_AT_MOST = 3_600_000_000
"""µs that a record's time may be ahead of the clock: clamped up to that, refused beyond (7 r)."""
CLAMPED = "clamped"
"""Flag in `quality` of a record whose time was."""
NOT_OF_SOURCES = frozenset({"rules.switch", "subscriber.forget"})
"""Kinds that commands alone write, `rules publish` and `forget`: they ask who does it."""


def admit(event: Event, now: int) -> Event:
    """Return a record as it may go on: clamped if it is ahead of the clock; raise `Bad` for one refused.

    `now`: µs.
    """
    if event.kind in NOT_OF_SOURCES:
        raise Bad("one that sources may bring", event.kind, "kind", "kind")
    if event.t - now > AHEAD_AT_MOST:
        raise Bad("at most 1 h ahead of the clock", "later", "time", "t")
    return clamped(event, now) if event.t > now else event


def clamped(event: Event, now: int) -> Event:
    """Return a record whose times are ahead of the clock as one of now, flagged.

    Its fields are changed where they are: what was noted of them on their way (`Edge`) is found by them.
    """
    fields = event.fields
    fields["t"] = now
    if "t_start" in fields:
        fields["t_start"] = min(fields["t_start"], now)
    if event.kind not in CONTROL:
        fields["quality"] = [*fields.get("quality", ()), CLAMPED]
    return Event(
        event.kind,
        now,
        event.key,
        fields,
        event.cell,
        min(event.seen, now),
        event.id,
        event.source,
        event.position,
    )
