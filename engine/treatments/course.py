"""The events of one source through its steps, and the time of that source.

1. Control records (consents, profiles, ticks) pass by the steps: no treatment may lose or delay one.
2. The watermark of the source is the greatest `t` that it has brought so far - its disorder. Whenever it
   enters a new whole second the steps are told, before they take the record that brought it.
3. Time of the log does not run ahead of what is kept back: ticks go no further than the least of the
   watermark and the oldest `t` that steps keep back, so no record is late only because it was parked.
4. A source that is down, or at its end, keeps nothing back.
5. Who is forgotten is forgotten by all steps. What these keep back of them goes on at once, as if its time
   were up: it is in the log then, as what came before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.event import Event
from engine.ticks import CONTROL, SECOND
from engine.treatments.chain import Chain
from engine.treatments.lot import orphans
from engine.treatments.room import written
from engine.treatments.step import Parks

_NEVER = -1


class Course:
    """Leads the events of a source through a chain. Order of calls: `restore` perhaps, then the others."""

    def __init__(self, chain: Chain, disorder: int = 0) -> None:
        self.chain = chain
        self.disorder = disorder
        self._greatest = _NEVER
        self._second = _NEVER

    @property
    def oldest(self) -> int | None:
        """Least `t` of what is kept back, µs; None: nothing is."""
        return self.chain.oldest

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on: first what waits no longer."""
        if event.kind in CONTROL:
            return (event,)
        if event.t > self._greatest:
            self._greatest = event.t
            watermark = event.t - self.disorder
            if watermark // SECOND > self._second:
                self._second = watermark // SECOND
                freed = self.chain.pass_time(watermark)
                if freed:
                    return [*freed, *self.chain.take(event)]
        return self.chain.take(event)

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return what is kept back, all but the newest `keep` of each step."""
        return self.chain.let_go(keep)

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Forget some subscribers; return what was kept back of them."""
        return self.chain.forget(keys)

    def pack(self) -> dict[str, Any]:
        """Return what must not be lost in a crash; empty: nothing."""
        kept = self.chain.pack()
        return {"greatest": self._greatest, "steps": kept} if kept else {}

    def written(self, most: int) -> bytes:
        """Return the same as JSON; in at most so many bytes as far as leaving out what steps remember helps.

        Empty: nothing must not be lost.
        """
        kept = self.chain.pack()
        return written(kept, {"greatest": self._greatest}, most) if kept else b""

    def restore(self, packed: Mapping[str, Any] | None) -> list[Event]:
        """Go on where `pack` was called; return what was kept back by steps that are there no longer."""
        steps = (packed or {}).get("steps", {})
        self._greatest = (packed or {}).get("greatest", _NEVER)
        self._second = _NEVER if self._greatest == _NEVER else (self._greatest - self.disorder) // SECOND
        self.chain.restore(steps)
        return orphans(steps, [step.name for step in self.chain.steps if isinstance(step, Parks)])


def treated(events: Iterable[Event], chain: Chain, disorder: int = 0) -> Iterator[Event]:
    """Yield what a source's steps make of its events, as the collector would write it; `disorder`: µs.

    The source ends with the last event: nothing is kept back then.
    """
    course = Course(chain, disorder)
    for event in events:
        yield from course.take(event)
    yield from course.let_go()
