"""`any_of:` and `all_of:` (semantics.md 3, 7 c)."""

from __future__ import annotations

from engine.patterns.base import Hits, Instant, Moment, Node
from engine.snapshot import Subscriber


class AnyOf(Node):
    """Each instant of any part; of equal ones that of the part written first."""

    def step(self, sub: Subscriber, moment: Moment, hits: Hits) -> list[Instant] | None:
        """Unite the parts' instants of this moment."""
        found: dict[tuple[int, int], Instant] = {}
        for child in self.children:
            for instant in hits.get(child.index, ()):
                held = found.get(instant.order)
                # 7(d): each instant has its own lateness; the one that may fire stands for both
                if held is None or (instant.fires and not held.fires):
                    found[instant.order] = instant
        return list(found.values()) or None


class AllOf(Node):
    """An instant of one part, if each other has one in the window, all later than the last instant.

    State: [last, latest of part 1, …]; a part is None or [order, order, place, data]. The latest of a part
    tells whether it has any in the window.
    """

    def __init__(self, key: str, parts: tuple[Node, ...], within: int) -> None:
        super().__init__(key, parts)
        self.within = within

    def step(self, sub: Subscriber, moment: Moment, hits: Hits) -> list[Instant] | None:
        """Take in the parts' instants of this moment, then complete what can be completed."""
        state = sub.nodes.get(self.key)
        if state is None:
            state = sub.nodes[self.key] = [[0, 0], *(None for _ in self.children)]
        sub.core_dirty = True
        fresh: list[tuple[Instant, int]] = []
        for position, child in enumerate(self.children, 1):
            for instant in hits.get(child.index, ()):
                fresh.append((instant, position))
                held = state[position]
                if held is None or (held[0], held[1]) < instant.order:
                    state[position] = [*instant.order, instant.place, instant.data]
        found: list[Instant] = []
        limit = moment.now - self.within
        # each is judged by what was before this moment: one that may not fire takes nothing from one that may
        last = (state[0][0], state[0][1])
        for instant, position in sorted(fresh, key=lambda pair: (pair[0].order, pair[1])):
            if instant.order <= last or (found and found[-1].order == instant.order):
                continue  # two parts at one time are one instant, that of the part written first
            others = [state[p] for p in range(1, len(state)) if p != position]
            if all(o is not None and (o[0] >> 1) > limit and (o[0], o[1]) > last for o in others):
                found.append(self._completed(instant, others))
        if found:
            state[0] = list(moment.stamp)
        return found or None

    def _completed(self, instant: Instant, others: list[list[object]]) -> Instant:
        place, data = instant.place, instant.data
        for other in sorted(others, key=lambda o: (o[0], o[1]), reverse=True):
            place = place if place is not None else other[2]  # type: ignore[assignment]
            if other[3]:
                data = {**other[3], **(data or {})}  # type: ignore[dict-item]
        return Instant(instant.order, instant.timely, instant.fires, instant.trigger, place, data)
