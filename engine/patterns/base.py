"""What every pattern shares: instants, the moment they are judged in, the node of a compiled pattern.

A compiled rule set is a graph of nodes, children before parents, equal patterns shared. For one record (or
one group of timers) each node that is touched turns its children's instants into its own. Order of instants
(semantics 1.7): greater time; at equal time later in the log; timers after all records of their time; two
timers of one time are not later than each other. `order` = (2 * time + is_timer, seq of the record or 0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.event import Event
from engine.presence import Crossing
from engine.snapshot import Subscriber, Trigger

if TYPE_CHECKING:
    from engine.rulebook import CompiledRule

Order = tuple[int, int]
Hits = dict[int, list["Instant"]]
"""Node index -> its instants of this moment."""

LONGEST = 2001
"""Instants a list keeps: with more records of a kind its patterns are `hot` and fire nothing."""


class Instant:
    """A moment (µs) at which a pattern matches."""

    __slots__ = ("data", "fires", "order", "place", "start", "time", "timely", "trigger")

    def __init__(
        self,
        order: Order,
        timely: bool,
        fires: bool,
        trigger: Trigger,
        place: str | None = None,
        data: dict[str, Any] | None = None,
        start: int | None = None,
    ) -> None:
        self.order = order
        self.time = order[0] >> 1
        """Own time; a late instant is stamped at the clock, not here."""
        self.timely = timely
        """Late by at most patience: a timer it arms in the past may fire (semantics 1.5)."""
        self.fires = fires
        """May fire a rule: timely, and not of a record flagged no_trigger."""
        self.trigger = trigger
        self.place = place
        self.data = data
        """Match values for placeholders: count, total, event fields."""
        self.start = start
        """Where the match begins: first step of a sequence, the `after` of an absence."""


class Moment:
    """One record being folded, or one group of timers firing: what nodes may look at."""

    __slots__ = ("crossing", "event", "fires", "group", "now", "places", "seq", "timely", "trigger")

    def __init__(
        self,
        now: int,
        seq: int,
        group: bool = False,
        event: Event | None = None,
        timely: bool = True,
        fires: bool = True,
        trigger: Trigger = ("", None, ""),
        places: tuple[str, ...] | None = (),
        crossing: Crossing | None = None,
    ) -> None:
        self.now = now
        """The stamp: the clock with this record applied, or the due time of the group."""
        self.seq = seq
        self.group = group
        """A group of timers that are due, not a record."""
        self.event = event
        self.timely = timely
        self.fires = fires
        self.trigger = trigger
        self.places = places
        """Places of the record's own cell, or of the subscriber; None = unknown (semantics 3, 7 h)."""
        self.crossing = crossing

    @property
    def record(self) -> Event:
        """The record being folded; only leaves over records ask."""
        event = self.event
        assert event is not None
        return event

    @property
    def stamp(self) -> Order:
        """Order of a `last instant` completed now: (clock, log order); its own if it is not late (7 c)."""
        return (2 * self.now + 1, 0) if self.group else (2 * self.now, self.seq)


Predicate = Callable[[Moment], bool]
"""The lines of `where` and `unless`, compiled."""


class Node:
    """A compiled pattern. Leaves are called with the record, composites with their children's instants."""

    kinds: frozenset[str]
    """Record kinds this pattern looks at, at any depth; presence looks at none."""

    def __init__(self, key: str, children: tuple[Node, ...] = ()) -> None:
        self.key = key
        """Hash of the pattern's content: equal patterns of any rule and any rule set share their state."""
        self.index = -1
        """Place in the matcher's order, children before parents."""
        self.children = children
        self.parents: list[Node] = []
        self.ancestors: tuple[Node, ...] = ()
        self.rules: list[CompiledRule] = []
        """Rules whose `when` is this very pattern."""
        self.derived = False
        """What it remembers is found again in the packed history, so it is not stored
        (`engine.warm.derive`)."""
        self.kinds = frozenset().union(*(child.kinds for child in children))

    def recall(self, sub: Subscriber) -> list[Any] | None:
        """Return what this pattern remembers of a subscriber."""
        return (sub.derived if self.derived else sub.nodes).get(self.key)

    def remember(self, sub: Subscriber, state: list[Any]) -> None:
        """Begin to remember."""
        (sub.derived if self.derived else sub.nodes)[self.key] = state

    def note(self, sub: Subscriber, moment: Moment) -> bool:
        """Remember one record of this leaf's kind that was judged before."""
        self.see(sub, moment)
        return True

    def see(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one record of this leaf's kind."""
        raise AssertionError("expected a leaf over records")  # pragma: no cover

    def cross(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one sighting that changed something."""
        raise AssertionError("expected a leaf over places")  # pragma: no cover

    def step(self, sub: Subscriber, moment: Moment, hits: Hits) -> list[Instant] | None:
        """Turn the children's instants of this moment into this node's."""
        raise AssertionError("expected a composite pattern, was a leaf")  # pragma: no cover

    def ring(self, sub: Subscriber, moment: Moment, due: int, arguments: list[str]) -> list[Instant] | None:
        """Fire the timers of this node that are due now."""
        raise AssertionError("expected a pattern with timers")  # pragma: no cover

    def stop(self, sub: Subscriber, order: int, seq: int) -> None:
        """Take in a record that stops waits: `order` and `seq` are its place in time and in the log."""
        raise AssertionError("expected an absence")  # pragma: no cover

    def reopen(self, sub: Subscriber, changed: frozenset[str], opened: list[str]) -> None:
        """Follow a change of the catalogue: `changed` places, of which `opened` have a new visit (2.4)."""


def arm(sub: Subscriber, node: str, argument: str, due: int) -> None:
    """Set a timer; an earlier one of the same node and argument is replaced."""
    sub.core_dirty = True
    sub.timers[node, argument] = due
    if due < sub.wake or not sub.wake:
        sub.wake = due


def insert(items: list[Any], item: Any) -> None:
    """Insert into a list sorted by its first two columns, mostly at the end."""
    order = (item[0], item[1])
    at = len(items)
    while at and (items[at - 1][0], items[at - 1][1]) > order:
        at -= 1
    items.insert(at, item)
    if len(items) > LONGEST:
        del items[0]


def drop_until(items: list[Any], limit: int) -> None:
    """Drop entries whose time is at or before `limit`; the first column is 2 * time + is_timer, sorted."""
    if items and items[0][0] < 2 * limit + 2:
        at = 0
        while at < len(items) and items[at][0] < 2 * limit + 2:
            at += 1
        del items[:at]
