"""Ticks: time as records of the log (semantics.md 1.8), for the collector, the embedded run and replay.

The source's watermark is its greatest `t` so far - its allowed disorder; after a record with which it enters
a new whole second of UTC, a tick with `t` = that watermark follows. Control records, and ticks that the input
brings itself, do not move the watermark.
"""

from __future__ import annotations

from engine.event import Event
from engine.event_kinds import KINDS

SECOND = 1_000_000
CONTROL = frozenset(kind for kind, spec in KINDS.items() if spec.group == "control")
"""Kinds whose records move no watermark."""


class TickMaker:
    """Derives the ticks of one source; `disorder` in µs."""

    __slots__ = ("_second", "disorder", "down", "greatest")

    def __init__(self, disorder: int = 0) -> None:
        self.disorder = disorder
        self.greatest = -1
        self.down: list[str] = []
        """Kinds named by the last tick of the input: derived ticks carry them on."""
        self._second = -1

    def after(self, event: Event) -> Event | None:
        """Return the tick that follows a record, if one does."""
        kind = event.kind
        if kind in CONTROL:
            if kind == "tick":
                self.down = list(event.fields.get("down") or ())
            return None
        if event.t <= self.greatest:
            return None
        self.greatest = event.t
        return self.enter(event.t - self.disorder)

    def enter(self, watermark: int) -> Event | None:
        """Return the tick of a watermark (µs) if it enters a new whole second."""
        second = watermark // SECOND
        if second <= self._second:
            return None
        self._second = second
        return tick(watermark, self.down)


def tick(time: int, down: list[str]) -> Event:
    """Make a tick record."""
    fields: dict[str, object] = {"kind": "tick", "t": time}
    if down:
        fields["down"] = list(down)
    return Event("tick", time, "", fields)
