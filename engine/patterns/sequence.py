"""`sequence: [p1 … pn], within: W` (semantics.md 3, 7 c, j).

State: [last, step 1, …, step n-1]; `last` = order of the last instant or [0, 0]; a step is a sorted list of
[order, order, place, data]. All chains count, so the instants of every step are kept for the window.
"""

from __future__ import annotations

from typing import Any

from engine.patterns.base import Hits, Instant, Moment, Node, drop_until, insert
from engine.snapshot import Subscriber


class Sequence(Node):
    """An instant of the last step, if the others lie before it in order, each by another record or timer."""

    def __init__(self, key: str, steps: tuple[Node, ...], within: int) -> None:
        super().__init__(key, steps)
        self.within = within

    def step(self, sub: Subscriber, moment: Moment, hits: Hits) -> list[Instant] | None:
        """Take in the steps' instants of this moment, then complete what can be completed."""
        state = sub.nodes.get(self.key)
        earlier = self.children[:-1]
        for position, child in enumerate(earlier, 1):
            for instant in hits.get(child.index, ()):
                if state is None:
                    state = sub.nodes[self.key] = [[0, 0], *([] for _ in earlier)]
                insert(state[position], [*instant.order, instant.place, instant.data])
        if state is None:
            return None
        sub.core_dirty = True
        for items in state[1:]:
            drop_until(items, moment.now - self.within)
        finals = hits.get(self.children[-1].index)
        if not finals:
            return None
        # each is judged by what was before this moment: one that may not fire takes nothing from one that may
        found = []
        for instant in sorted(finals, key=_order):
            chain = self.chain(state, instant)
            if chain is not None:
                found.append(_completed(instant, chain))
        if found:
            state[0] = list(moment.stamp)
            last = tuple(state[0])
            for items in state[1:]:
                items[:] = [item for item in items if (item[0], item[1]) > last]
        return found or None

    def chain(self, state: list[Any], final: Instant) -> list[Any] | None:
        """Find the chain with the latest start: from the end, always the latest step that still fits."""
        last = tuple(state[0])
        steps: list[Any] = state[1:]
        chain: list[Any] = []
        before = final.order
        records = set() if final.order[0] & 1 else {final.order[1]}
        clash = False
        for items in steps[::-1]:
            item = _latest(items, before)
            if item is None or (item[0], item[1]) <= last:
                return None
            if not item[0] & 1:
                clash = clash or item[1] in records
                records.add(item[1])
            chain.append(item)
            before = (item[0], item[1])
        # a record may give instants at two times (t_start, t): only then can the greedy chain use it twice
        return self._search(steps, final.order, last, frozenset(), final) if clash else chain

    def _search(
        self,
        steps: list[Any],
        before: tuple[int, int],
        last: tuple[int, ...],
        used: frozenset[int],
        final: Instant | None,
    ) -> list[Any] | None:
        """Find the best chain by trying all, no record twice; returned from the last step to the first."""
        if final is not None and not final.order[0] & 1:
            used = used | {final.order[1]}
        if not steps:
            return []
        best: list[Any] | None = None
        items: list[Any] = steps[-1]
        for item in items[::-1]:
            order = (item[0], item[1])
            if order >= before or order <= last or (not item[0] & 1 and item[1] in used):
                continue
            taken = used if item[0] & 1 else used | {item[1]}
            rest = self._search(steps[:-1], order, last, taken, None)
            if rest is not None:
                chain = [item, *rest]
                if best is None or chain[-1][:2] > best[-1][:2]:
                    best = chain
        return best


def _order(instant: Instant) -> tuple[int, int]:
    return instant.order


def _latest(items: list[Any], before: tuple[int, int]) -> Any:
    for item in items[::-1]:
        if (item[0], item[1]) < before:
            return item
    return None


def _completed(final: Instant, chain: list[Any]) -> Instant:
    """Make the sequence's instant: the last step's; place and values of earlier steps where it has none."""
    place = final.place
    data = final.data
    for item in chain:
        place = place if place is not None else item[2]
        if item[3]:
            data = {**item[3], **(data or {})}
    start = chain[-1][0] >> 1
    return Instant(final.order, final.timely, final.fires, final.trigger, place, data, start)
