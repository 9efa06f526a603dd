"""`after: A, no: B, for: D`: absence (semantics.md 3, 7 a, b, i).

State: [A orders, B orders, wait], the B orders of a bare `no:` apart (`Cancels`); `wait` = None or [order,
order, place, data, trigger] of the one instant of A that may still fire. At most one can wait: a later A
within D ends the wait of the one before. Both order lists are thinned to what the question "is there one in
(a, a + D]?" can still tell apart.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple

from engine.event_kinds import KINDS
from engine.patterns.base import LONGEST, Hits, Instant, Moment, Node, Order, Predicate, arm, drop_until
from engine.snapshot import HOURS_48, Subscriber

LATEST = 3_600_000_000
"""A signaling record later than this starts no wait that is over by now (patience is at most 1 h)."""
MINUTE = 60_000_000


def memory_of(kinds: Iterable[str], wait: int) -> int:
    """Return how old what stops a wait can be and still matter: none older can follow a late start."""
    business = any(KINDS[kind].group == "business" for kind in kinds)
    return HOURS_48 if business else max(wait, LATEST)


class Cancels(Node):
    """A bare `no: {happens: E}`: starts and updates count too (1.4). It tells the waits and has no instants.

    State: [orders], whole numbers in pairs. Waits that differ a little share one: `span` at most the shortest
    of them, `memory` at least the longest.
    """

    def __init__(self, key: str, event: str, passes: Predicate | None, span: int, memory: int) -> None:
        super().__init__(key)
        self.kinds = frozenset((event,))
        self.event = event
        self.passes = passes
        self.span = 2 * span
        self.memory = memory

    def see(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one record of this kind."""
        if self.note(sub, moment):
            order, seq = 2 * moment.record.t, moment.seq
            for parent in self.parents:
                parent.stop(sub, order, seq)
        return None

    def note(self, sub: Subscriber, moment: Moment) -> bool:
        """Remember the record if it passes; tell nobody."""
        if self.passes is not None and not self.passes(moment):
            return False
        order, seq = 2 * moment.record.t, moment.seq
        if not self.derived:
            sub.core_dirty = True
        state = self.recall(sub)
        if state is None:
            self.remember(sub, [array("q", (order, seq))])
        else:
            self._note(state[0], order, seq, 2 * (moment.now - self.memory) + 2)
        return True

    def _note(self, orders: Any, order: int, seq: int, oldest: int) -> None:
        while orders and orders[0] < oldest:
            del orders[:2]
        # Of three neighbours that span no wait the middle one goes: whoever it would stop, the third stops
        # too, unless that is the very record that starts the wait; so the newest never makes one go.
        if len(orders) >= 6 and orders[-2] - orders[-6] <= self.span:
            del orders[-4:-2]
        at = len(orders)
        while at and (orders[at - 2], orders[at - 1]) > (order, seq):
            at -= 2
        orders.insert(at, order)
        orders.insert(at + 1, seq)
        if len(orders) > 2 * LONGEST:
            del orders[:2]

    def stops(self, sub: Subscriber, start: Order, last: int) -> bool:
        """Say whether a record lies later than `start` and not after `last`, one of another record."""
        state = self.recall(sub)
        if state is None:
            return False
        orders = state[0]
        at = len(orders) - 2
        while at >= 0:
            order = (orders[at], orders[at + 1])
            if order <= start:
                return False
            if order[0] <= last and not _same_record(order, start):
                return True
            at -= 2
        return False


class Shared(NamedTuple):
    """What waits that differ a little ask of the `Cancels` that they share."""

    span: int
    memory: int
    near: bool
    """What may start a wait is late by an hour at most: the near part of the history reaches that far."""


def shared_by(kinds: Iterable[str], wait: int) -> Shared:
    """Return round figures for a wait that records of `kinds` start: alike waits share one `Cancels`."""
    span = wait
    if wait >= MINUTE:
        span = MINUTE << ((wait // MINUTE).bit_length() - 1)
    memory, longer = memory_of(kinds, wait), LATEST
    while longer < memory:
        longer *= 2
    return Shared(span, longer, memory <= wait + LATEST)


class After(Node):
    """An instant at a + D if nothing stopped it; `no` is the second child."""

    def __init__(self, key: str, first: Node, no: Node, wait: int) -> None:
        super().__init__(key, (first, no))
        self.wait = wait
        self.memory = memory_of(first.kinds, wait)
        self.cancels = no if isinstance(no, Cancels) else None

    def step(self, sub: Subscriber, moment: Moment, hits: Hits) -> list[Instant] | None:
        """Take in what stops waits, then the instants that start them."""
        first, no = self.children
        sub.core_dirty = True
        starts = hits.get(first.index)
        stops = hits.get(no.index)
        state = sub.nodes.get(self.key)
        if state is None:
            state = sub.nodes[self.key] = [[], [], None]
        a_orders, b_orders, _ = state
        # what stands at the very end of it may be a timer, later than a record of the same time
        oldest = moment.now - self.memory - 1
        drop_until(a_orders, oldest)
        drop_until(b_orders, oldest)
        for stop in stops or ():
            _insort(b_orders, stop.order)
            self._stop(sub, state, stop.order, own=True)
        found: list[Instant] = []
        for start in starts or ():
            _insort(a_orders, start.order)
            self._stop(sub, state, start.order, own=False)
        for start in starts or ():
            instant = self._start(sub, state, moment, start)
            if instant is not None:
                found.append(instant)
        _thin(a_orders, self.wait)
        _thin(b_orders, self.wait)
        return found or None

    def stop(self, sub: Subscriber, order: int, seq: int) -> None:
        """Take in a record of a bare `no:` at once: it is always at hand before what starts a wait."""
        state = sub.nodes.get(self.key)
        if state is not None and state[2] is not None:
            self._stop(sub, state, (order, seq), own=True)

    def _stop(self, sub: Subscriber, state: list[Any], order: Order, own: bool) -> None:
        """End the wait if `order` lies later than its start and at or before its end."""
        wait = state[2]
        if wait is None or order <= (wait[0], wait[1]) or order[0] >> 1 > (wait[0] >> 1) + self.wait:
            return
        # a record that is both A and B does not cancel itself
        if own and _same_record(order, wait):
            return
        state[2] = None
        sub.timers.pop((self.key, ""), None)
        sub.core_dirty = True

    def _start(self, sub: Subscriber, state: list[Any], moment: Moment, start: Instant) -> Instant | None:
        due = start.time + self.wait
        if due < moment.now or (due == moment.now and not start.timely):
            # 1.5, 7(a), 7(b): due in the past fires at once if the record is within patience, else never
            if not start.timely or not self._alive(sub, state, start.order, due):
                return None
            return Instant((2 * due + 1, 0), True, True, start.trigger, start.place, start.data, start.time)
        if self._alive(sub, state, start.order, due):
            state[2] = [*start.order, start.place, start.data, list(start.trigger)]
            arm(sub, self.key, "", due)
        return None

    def _alive(self, sub: Subscriber, state: list[Any], order: Order, due: int) -> bool:
        last = 2 * due + 1
        if self.cancels is not None and self.cancels.stops(sub, order, last):
            return False
        for other in state[0]:
            if order < tuple(other) and other[0] <= last:
                return False
        for other in state[1]:
            if order < tuple(other) and other[0] <= last and not _same_record(other, order):
                return False
        return True

    def ring(self, sub: Subscriber, moment: Moment, due: int, arguments: list[str]) -> list[Instant] | None:
        """Fire the wait that is due: whatever could stop it has been folded."""
        state = sub.nodes[self.key]
        wait = state[2]
        state[2] = None
        if wait is None:
            return None
        trigger = (wait[4][0], wait[4][1], wait[4][2])
        return [Instant((2 * due + 1, 0), True, True, trigger, wait[2], wait[3], wait[0] >> 1)]


def _same_record(order: Any, other: Any) -> bool:
    return bool(order[1] == other[1] and not order[0] & 1 and not other[0] & 1)


def _insort(orders: list[Any], order: Order) -> None:
    at = len(orders)
    while at and tuple(orders[at - 1]) > order:
        at -= 1
    orders.insert(at, list(order))
    if len(orders) > LONGEST:
        del orders[0]


def _thin(orders: list[Any], wait: int) -> None:
    """Drop the middle of three neighbours that span at most D: whoever it would stop, the third stops too."""
    while len(orders) > 2 and orders[-1][0] - orders[-3][0] <= 2 * wait:
        del orders[-2]
