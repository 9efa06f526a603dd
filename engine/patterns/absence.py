"""`after: A, no: B, for: D`: absence (semantics.md 3, 7 a, b, i).

State: [A orders, B orders, wait]; `wait` = None or [order, order, place, data, trigger] of the one instant of
A that may still fire. At most one can wait: a later A within D ends the wait of the one before. Both order
lists are thinned to what the question "is there one in (a, a + D]?" can still tell apart.
"""

from __future__ import annotations

from typing import Any

from engine.event_kinds import KINDS
from engine.patterns.base import LONGEST, Hits, Instant, Moment, Node, Order, arm, drop_until
from engine.snapshot import HOURS_48, Subscriber

LATEST = 3_600_000_000
"""A signaling record later than this starts no wait that is over by now (patience is at most 1 h)."""


class After(Node):
    """An instant at a + D if nothing stopped it; `no` is the second child."""

    def __init__(self, key: str, first: Node, no: Node, wait: int) -> None:
        super().__init__(key, (first, no))
        self.wait = wait
        business = any(KINDS[kind].group == "business" for kind in first.kinds)
        self.memory = HOURS_48 if business else max(wait, LATEST)
        """How old what stops a wait can be and still matter: a start may come late, and stop none older."""

    def step(self, sub: Subscriber, moment: Moment, hits: Hits) -> list[Instant] | None:
        """Take in what stops waits, then the instants that start them."""
        first, no = self.children
        starts = hits.get(first.index)
        stops = hits.get(no.index)
        state = sub.nodes.get(self.key)
        if state is None:
            state = sub.nodes[self.key] = [[], [], None]
        a_orders, b_orders, _ = state
        drop_until(a_orders, moment.now - self.memory)
        drop_until(b_orders, moment.now - self.memory)
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

    def stop(self, sub: Subscriber, order: int, seq: int, now: int) -> None:
        """Take in a record of a bare `no:` at once: it is always at hand before what starts a wait."""
        state = sub.nodes.get(self.key)
        if state is None:
            sub.nodes[self.key] = [[], [[order, seq]], None]
            return
        orders = state[1]
        if orders and orders[0][0] <= 2 * (now - self.memory) + 1:
            drop_until(orders, now - self.memory)
        if not orders or orders[-1][0] < order:
            if len(orders) > 1 and order - orders[-2][0] <= 2 * self.wait:
                orders[-1] = [order, seq]
            else:
                orders.append([order, seq])
        else:
            _insort(orders, (order, seq))
        if state[2] is not None:
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

    def _start(self, sub: Subscriber, state: list[Any], moment: Moment, start: Instant) -> Instant | None:
        due = start.time + self.wait
        if due < moment.now or (due == moment.now and not start.timely):
            # 1.5, 7(a), 7(b): due in the past fires at once if the record is within patience, else never
            if not start.timely or not self._alive(state, start.order, due):
                return None
            return Instant((2 * due + 1, 0), True, True, start.trigger, start.place, start.data, start.time)
        if self._alive(state, start.order, due):
            state[2] = [*start.order, start.place, start.data, list(start.trigger)]
            arm(sub, self.key, "", due)
        return None

    def _alive(self, state: list[Any], order: Order, due: int) -> bool:
        last = 2 * due + 1
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
