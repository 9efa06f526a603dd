"""What every treatment offers, and several of them one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from engine.event import Event


class Step(Protocol):
    """One treatment of one source. Order of calls: `restore` perhaps, then `take` and `pass_time` as often as
    wanted, `pack` at any time between them.

    Events belong to the step that has them: it may change `event.fields` in place (a flag in `quality`), pass
    them on, keep them back, drop them (counted), or give others of its own besides. What it returns is in the
    order in which it goes into the log. The same calls give the same events, whatever the machine.
    """

    name: str
    """Its name in settings, metrics and `docs/signals.md`: `impossible_moves`."""
    counts: Counter[str]
    """What was done, by name of the deed: `flagged`, `dropped`, `parked`, `released`, ..."""

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""
        ...

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Take in that the source's watermark (µs) has come so far; return what waits no longer."""
        ...

    def pack(self) -> Any:
        """Return what must not be lost in a crash (events kept back) as plain JSON; None: nothing."""
        ...

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called; None: from the beginning."""
        ...


@runtime_checkable
class Parks(Protocol):
    """What a step has besides if it keeps events back; see `engine.treatments.lot`, which offers it."""

    parked: int
    """Events kept back now."""
    oldest: int | None
    """Least `t` (µs) of them, None without any: time of the log does not run ahead of it."""

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return all that is kept back, oldest first, as if its time were up; all but the newest `keep`."""
        ...


class Chain:
    """Steps one after the other: what one lets through, the next one takes. Itself a step."""

    name = "chain"

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = tuple(steps)
        self._parks = tuple((place, step) for place, step in enumerate(self.steps) if isinstance(step, Parks))

    @property
    def counts(self) -> Counter[str]:
        """All counts of all steps, as `STEP.DEED`."""
        return Counter({f"{step.name}.{deed}": n for step in self.steps for deed, n in step.counts.items()})

    def take(self, event: Event) -> Sequence[Event]:
        """Lead an event through all steps."""
        return self._from(0, (event,))

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

    def pack(self) -> dict[str, Any]:
        """Return what the steps must not lose, by name."""
        packed = {step.name: step.pack() for step in self.steps}
        return {name: kept for name, kept in packed.items() if kept is not None}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called; steps that were not there then begin anew."""
        for step in self.steps:
            step.restore((packed or {}).get(step.name))

    def _from(self, number: int, events: Sequence[Event]) -> Sequence[Event]:
        for step in self.steps[number:]:
            if not events:
                break
            if len(events) == 1:
                events = step.take(events[0])
            else:
                events = [out for event in events for out in step.take(event)]
        return events
