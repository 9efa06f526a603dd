"""Treatments one after the other: what one lets through, the next one takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from engine.event import Event
from engine.treatments.step import Parks, Remembers, Step


class Chain:
    """Steps one after the other. Itself a step."""

    name: ClassVar[str] = "chain"

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = tuple(steps)
        self._takes = tuple(step.take for step in self.steps)
        self._parks = tuple((place, step) for place, step in enumerate(self.steps) if isinstance(step, Parks))

    @property
    def counts(self) -> Counter[str]:
        """All counts of all steps, as `STEP.DEED`."""
        return Counter({f"{step.name}.{deed}": n for step in self.steps for deed, n in step.counts.items()})

    def take(self, event: Event) -> Sequence[Event]:
        """Lead an event through all steps."""
        out: Sequence[Event] = (event,)
        for number, take in enumerate(self._takes, 1):
            out = take(event)
            if len(out) != 1:
                return self._from(number, out) if out else out
            event = out[0]
        return out

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Tell all steps the time; what one sets free goes through those behind it."""
        found: list[Event] = []
        for number, step in enumerate(self.steps):
            found += self._from(number + 1, step.pass_time(watermark))
        return found

    @property
    def parked(self) -> int:
        """Events that steps keep back."""
        return sum(step.parked for _, step in self._parks)

    @property
    def parked_at_most(self) -> int:
        """Events that the step keeps back which keeps back most."""
        return max((step.parked for _, step in self._parks), default=0)

    @property
    def oldest(self) -> int | None:
        """Least `t` of them, µs; None without any."""
        least: int | None = None
        for _, step in self._parks:
            oldest = step.oldest
            if oldest is not None and (least is None or oldest < least):
                least = oldest
        return least

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return what steps keep back, all but the newest `keep` of each; it goes through those behind it."""
        found: list[Event] = []
        for place, step in self._parks:
            found += self._from(place + 1, step.let_go(keep))
        return found

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Have steps forget some subscribers; return what they kept back of them.

        It goes through those behind, which may remember it or keep it back again: so these forget afterwards.
        """
        found: list[Event] = []
        for number, step in enumerate(self.steps, 1):
            if isinstance(step, Remembers):
                found += self._from(number, step.forget(keys))
        return found

    def pack(self) -> dict[str, Any]:
        """Return what the steps must not lose, by name."""
        packed = {step.name: step.pack() for step in self.steps}
        return {name: kept for name, kept in packed.items() if kept is not None}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called; steps that were not there then begin anew."""
        for step in self.steps:
            step.restore((packed or {}).get(step.name))

    def _from(self, number: int, events: Sequence[Event]) -> Sequence[Event]:
        for take in self._takes[number:]:
            if not events:
                break
            events = take(events[0]) if len(events) == 1 else [out for each in events for out in take(each)]
        return events
