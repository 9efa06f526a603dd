"""`count:` and `total:`: crossing a mark within a window (semantics.md 3).

State: [times] or [times, amounts], packed, sorted by time; a late record enters the window at its own time,
and the window is the one at the clock.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from math import fsum
from typing import Any

from engine.event_kinds import PHASED
from engine.patterns.base import LONGEST, Instant, Moment, Node, Predicate
from engine.patterns.happens import PARTIAL, kept, place_of
from engine.snapshot import Subscriber


class Count(Node):
    """An instant at the record with which the number in the window reaches N."""

    def __init__(
        self,
        key: str,
        event: str,
        passes: Predicate | None,
        at_least: int,
        within: int,
        places: tuple[str, ...],
        keep: tuple[str, ...],
    ) -> None:
        super().__init__(key)
        self.kinds = frozenset((event,))
        self.event = event
        self.whole = event.startswith(PHASED)
        self.passes = passes
        self.at_least = at_least
        self.within = within
        self.places = places
        self.keep = keep

    def see(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Count one record of this kind."""
        event = moment.event
        assert event is not None
        if self.whole and event.fields.get("phase") in PARTIAL:
            return None
        if self.passes is not None and not self.passes(moment):
            return None
        limit = moment.now - self.within
        if event.t <= limit:
            return None
        if not self.derived:
            sub.core_dirty = True
        state = self.recall(sub)
        if state is None:
            state = [array("q")]
            self.remember(sub, state)
        times = state[0]
        if times and times[0] <= limit:
            _forget(state, bisect_right(times, limit))
        times.insert(bisect_right(times, event.t), event.t)
        count = len(times)
        if count > LONGEST:
            del times[0]
        if count != self.at_least:
            return None
        data = kept(self.keep, moment) or {}
        data["count"] = count
        return [
            Instant(
                (2 * event.t, moment.seq),
                moment.timely,
                moment.fires,
                moment.trigger,
                place_of(self.places, moment),
                data,
            )
        ]


class Total(Node):
    """An instant at the record with which the sum in the window reaches the amount."""

    def __init__(
        self,
        key: str,
        event: str,
        field: str,
        passes: Predicate | None,
        at_least: float,
        within: int,
        places: tuple[str, ...],
        keep: tuple[str, ...],
    ) -> None:
        super().__init__(key)
        self.kinds = frozenset((event,))
        self.event = event
        self.whole = event.startswith(PHASED)
        self.field = field
        self.passes = passes
        self.at_least = at_least
        self.within = within
        self.places = places
        self.keep = keep

    def see(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Add up one record of this kind; one without the field adds nothing and is no instant."""
        event = moment.event
        assert event is not None
        if self.whole and event.fields.get("phase") in PARTIAL:
            return None
        amount = all_bytes(event.fields) if self.field == "bytes" else measure(event.fields, self.field)
        if amount is None or (self.passes is not None and not self.passes(moment)):
            return None
        limit = moment.now - self.within
        if event.t <= limit:
            return None
        if not self.derived:
            sub.core_dirty = True
        state = self.recall(sub)
        if state is None:
            state = [array("q"), array("q")]
            self.remember(sub, state)
        times, amounts = state
        if times and times[0] <= limit:
            _forget(state, bisect_right(times, limit))
        at = len(times) if not times or times[-1] <= event.t else bisect_right(times, event.t)
        times.insert(at, event.t)
        if amount.__class__ is float and amounts.__class__ is array:
            amounts = state[1] = amounts.tolist()
        amounts.insert(at, amount)
        total = sum(amounts)
        if total.__class__ is float:
            total = fsum(amounts)
        without = amounts[:at] + amounts[at + 1 :] if total >= self.at_least else None
        if len(times) > LONGEST:
            del times[0], amounts[0]
        if without is None or add_up(without) >= self.at_least:
            return None
        data = kept(self.keep, moment) or {}
        data["total"] = total
        return [
            Instant(
                (2 * event.t, moment.seq),
                moment.timely,
                moment.fires,
                moment.trigger,
                place_of(self.places, moment),
                data,
            )
        ]


def _forget(state: list[Any], upto: int) -> None:
    for column in state:
        del column[:upto]


def add_up(amounts: Sequence[int | float]) -> int | float:
    """Sum exactly: ten times 0.1 yuan is 1 yuan."""
    total = sum(amounts)
    return fsum(amounts) if isinstance(total, float) else total


def all_bytes(fields: dict[str, Any]) -> int | None:
    """Return up + down, or the one that is given (7 k)."""
    up: int | None = fields.get("up")
    down: int | None = fields.get("down")
    if up is None or down is None:
        return down if up is None else up
    return up + down


def measure(fields: dict[str, Any], field: str) -> int | float | None:
    """Read a numeric field."""
    value = fields.get(field)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
