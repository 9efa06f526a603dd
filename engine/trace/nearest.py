"""How near a pattern came to an instant it had not: notes taken beside the engine's own nodes, as it folds.

A note-taker stands beside one node for one subscriber. It is told of every call of the node's doors, looks at
the state that the node left, and keeps the best it saw in the last 48 hours; it judges nothing itself. What
is read off in the end is a `Miss`: `engine.trace.misses`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from engine.patterns.absence import After, Cancels
from engine.patterns.base import Hits, Instant, Moment, Node, drop_until, insert
from engine.patterns.combine import AllOf
from engine.patterns.counting import Count, Total, add_up
from engine.patterns.crossing import Enters, Leaves
from engine.patterns.dwell import StaysIn
from engine.patterns.sequence import Sequence
from engine.snapshot import HOURS_48, Subscriber

Found = TypeVar("Found")


class Best(Generic[Found]):
    """The greatest of what was seen in the last 48 hours, however far time goes on.

    Kept are only those that no later one has reached: as many as there are different sizes, at most.
    """

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: list[tuple[int, float, Found]] = []

    def add(self, now: int, size: float, found: Found) -> None:
        """Note one, at the clock `now` (µs)."""
        kept = self._kept
        while kept and kept[-1][1] <= size:
            kept.pop()
        kept.append((now, size, found))
        while kept[0][0] <= now - HOURS_48:
            del kept[0]

    def at(self, now: int) -> Found | None:
        """Return the best of (now - 48 h, now]; None if there is none."""
        return next((found for clock, _, found in self._kept if clock > now - HOURS_48), None)


class Near:
    """A note-taker. `before` and `after` stand around each call of a door of its node."""

    def before(self, sub: Subscriber, door: str, rest: tuple[Any, ...]) -> None:
        """Look at what is there before the node is called."""

    def after(self, sub: Subscriber, door: str, rest: tuple[Any, ...], found: list[Instant] | None) -> None:
        """Look at what the node has left, and handed out."""

    def passed_over(self, sub: Subscriber, place: str, resident: bool | None) -> None:
        """Look at an instant that was none, for `resident` asks for others (ADR 20).

        `resident`: whether they live or work there; None: not known.
        """


@dataclass(frozen=True, slots=True)
class Amount:
    """How many, or how much, stood in a window."""

    reached: float
    at: int
    """Own time of the record with which it was so, µs."""


class NearAmount(Near):
    """Beside `count` and `total`: the most that any window held."""

    def __init__(self, node: Count | Total) -> None:
        self.node = node
        self.best: Best[Amount] = Best()

    def after(self, sub: Subscriber, door: str, rest: tuple[Any, ...], found: list[Instant] | None) -> None:
        """Measure the window as it stands; a record that was not taken leaves it as it was."""
        moment: Moment = rest[0]
        columns = self.node.recall(sub)
        time = moment.record.t
        # the window is cut to the clock when a record is taken, so only then it is one
        if columns and time in columns[0]:
            reached = add_up(columns[1]) if isinstance(self.node, Total) else len(columns[0])
            self.best.add(moment.now, reached, Amount(reached, time))


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit that is over."""

    place: str
    opened: int
    last_known: int
    """Until then whereabouts were known, µs, but for a `power.off`."""
    closed: int
    """The sighting that ended it."""
    heard: int
    """The clock when that was told, or that it was in doubt (ADR 19): what was due before had fired."""
    told: int
    """The clock when it was told that it began, if that was beyond patience: what is due by then is lost."""

    @property
    def stayed(self) -> int:
        """How long they were known to stay, µs."""
        return min(self.last_known, self.heard) - self.opened


@dataclass(frozen=True, slots=True)
class NotMeant:
    """An entry, or a visit that was long enough, of somebody whom `resident` does not mean."""

    place: str
    opened: int
    resident: bool | None
    """Whether they lived or worked there; None: not known."""


class NearStay(Near):
    """Beside `stays_in`, and `enters` with `confirm`: the visits that are over, of 48 hours.

    All of them, since how long one lasted is only known with the `power.off`s, which no pattern is told of.
    """

    def __init__(self, node: StaysIn) -> None:
        self.node = node
        self.over: list[tuple[int, Stay]] = []
        """With the clock at their ends, oldest first."""
        self.others: Best[NotMeant] = Best()
        """The last dwell that was complete, of somebody who is not meant."""
        self._open: dict[str, tuple[int, int]] = {}
        self._doubted: dict[str, int] = {}
        """Place whose visit is in doubt -> the clock when it came to be."""

    def after(self, sub: Subscriber, door: str, rest: tuple[Any, ...], found: list[Instant] | None) -> None:
        """Follow the visits."""
        crossing = rest[0].crossing
        if door != "cross" or crossing is None:
            return
        for place in self.node.members:
            opened, told = self._open.pop(place, (None, 0))
            doubted = self._doubted.pop(place, sub.clock)
            visit = sub.visits.get(place)
            if visit is not None and place in sub.doubts:
                self._doubted[place] = doubted
            if visit is not None and visit[0] == opened:
                self._open[place] = (visit[0], told)
                continue
            if visit is not None and (place in crossing.entered or not self.node.entered_only):
                self._open[place] = (visit[0], 0 if crossing.timely else sub.clock)
            if opened is not None:
                stay = Stay(place, opened, crossing.known_until, crossing.time, doubted, told)
                self.over.append((sub.clock, stay))
        while self.over and self.over[0][0] <= sub.clock - HOURS_48:
            del self.over[0]

    def passed_over(self, sub: Subscriber, place: str, resident: bool | None) -> None:
        """Note a dwell that was complete."""
        self.others.add(sub.clock, 0, NotMeant(place, sub.visits[place][0], resident))

    def going_on(self, place: str) -> tuple[int, int] | None:
        """Return when the open visit began, and what `Stay.told` says of it; None if there is none."""
        return self._open.get(place)

    def doubted(self, place: str) -> int | None:
        """Return the clock when the open visit came in doubt (ADR 19); None if it is in none."""
        return self._doubted.get(place)


@dataclass(frozen=True, slots=True)
class Unseen:
    """A sighting that was no crossing, and why."""

    place: str
    at: int
    known_until: int
    """Until then whereabouts had been known."""


class NearCrossing(Near):
    """Beside `enters` and `leaves`: the last sighting that would have been one, had more been known."""

    def __init__(self, node: Enters | Leaves) -> None:
        self.node = node
        self.best: Best[Unseen] = Best()
        self.others: Best[NotMeant] = Best()
        """The last entry of somebody who is not meant."""

    def passed_over(self, sub: Subscriber, place: str, resident: bool | None) -> None:
        """Note an entry."""
        self.others.add(sub.clock, 0, NotMeant(place, sub.visits[place][0], resident))

    def after(self, sub: Subscriber, door: str, rest: tuple[Any, ...], found: list[Instant] | None) -> None:
        """Note a visit that opened without an entry, or a sighting outside that was no leaving."""
        crossing = rest[0].crossing
        if crossing is None or found:
            return
        if isinstance(self.node, Enters):
            new = set(crossing.opened) - set(crossing.entered)
            there = [place for place in self.node.members if place in new]
        else:
            left = not crossing.known and not any(place in sub.inside for place in self.node.members)
            there = [place for place in self.node.members if left and place in crossing.before]
        if there:
            self.best.add(sub.clock, 0, Unseen(there[0], crossing.time, crossing.known_until))


@dataclass(frozen=True, slots=True)
class Steps:
    """A chain of the first steps of a sequence."""

    reached: int
    start: int
    end: int
    """The clock at the last of them: what windows reach back from, also if it was told late."""


class NearSequence(Near):
    """Beside `sequence`: most steps within the window, and all of them in the shortest time beyond it.

    Chains are found by the node itself, over the instants of 48 hours in place of those of the window.
    """

    def __init__(self, node: Sequence) -> None:
        self.node = node
        self.within: Best[Steps] = Best()
        self.whole: Best[Steps] = Best()
        self._wide: list[Any] = [[0, 0], *([] for _ in node.children[:-1])]

    def before(self, sub: Subscriber, door: str, rest: tuple[Any, ...]) -> None:
        """Take in the steps of this moment, and see how far they reach."""
        if door != "step":
            return
        moment: Moment = rest[0]
        hits: Hits = rest[1]
        state = sub.nodes.get(self.node.key)
        wide = self._wide
        if state is not None:
            wide[0] = list(state[0])
        for position, child in enumerate(self.node.children[:-1], 1):
            for instant in hits.get(child.index, ()):
                insert(wide[position], [*instant.order, instant.place, instant.data])
        for items in wide[1:]:
            drop_until(items, moment.now - HOURS_48)
        last = len(self.node.children)
        for number, child in enumerate(self.node.children, 1):
            for instant in hits.get(child.index, ()):
                chain = self.node.chain(wide[:number], instant)
                if chain is None:
                    continue
                start = chain[-1][0] >> 1 if chain else instant.time
                steps = Steps(number, start, moment.now)
                if start > moment.now - self.node.within:
                    self.within.add(moment.now, number, steps)
                elif number == last:
                    self.whole.add(moment.now, start - moment.now, steps)


@dataclass(frozen=True, slots=True)
class Ended:
    """A wait that something ended."""

    start: int
    due: int
    at: int
    armed: int
    """The clock when it began: later than `start` if that was told late."""
    again: bool
    """By another start; else by what was not to come."""


class NearAbsence(Near):
    """Beside `after … no`: the wait that came nearest to its end."""

    def __init__(self, node: After) -> None:
        self.node = node
        self.best: Best[Ended] = Best()
        self._wait: list[Any] | None = None
        self._armed = 0

    def before(self, sub: Subscriber, door: str, rest: tuple[Any, ...]) -> None:
        """Remember what waits."""
        state = sub.nodes.get(self.node.key)
        self._wait = list(state[2]) if state is not None and state[2] is not None else None

    def after(self, sub: Subscriber, door: str, rest: tuple[Any, ...], found: list[Instant] | None) -> None:
        """Note a wait that is over without an instant."""
        wait, armed = self._wait, self._armed
        state = sub.nodes.get(self.node.key)
        now = state[2] if state is not None else None
        if now is not None and wait is not None and now[:2] == wait[:2]:
            return
        if now is not None:
            self._armed = rest[0].now
        if wait is None or door == "ring":
            return
        again = False
        if door == "stop":
            at: int = rest[0] >> 1
        else:
            hits: Hits = rest[1]
            first, no = self.node.children
            again = not hits.get(no.index)
            at = min(instant.time for instant in hits[(first if again else no).index])
        start = wait[0] >> 1
        ended = Ended(start, start + self.node.wait, at, armed, again)
        self.best.add(max(sub.clock, at), at - ended.due, ended)


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of an `all_of` that were there together."""

    there: tuple[int, ...]
    """Numbers of the parts, from 1."""
    start: int
    """The earliest of them."""
    at: int


class NearAllOf(Near):
    """Beside `all_of`: most parts within the window, and all of them in the shortest time beyond it."""

    def __init__(self, node: AllOf) -> None:
        self.node = node
        self.within: Best[Parts] = Best()
        self.whole: Best[Parts] = Best()

    def after(self, sub: Subscriber, door: str, rest: tuple[Any, ...], found: list[Instant] | None) -> None:
        """Look at which parts stand."""
        state = sub.nodes.get(self.node.key)
        if state is None or found:
            return
        now = rest[0].now
        last = (state[0][0], state[0][1])
        standing = {
            number: item[0] >> 1
            for number, item in enumerate(state[1:], 1)
            if item is not None and (item[0], item[1]) > last
        }
        inside = {number: time for number, time in standing.items() if time > now - self.node.within}
        if inside:
            parts = Parts(tuple(inside), min(inside.values()), now)
            self.within.add(now, len(inside), parts)
        if len(standing) == len(self.node.children) > len(inside):
            start = min(standing.values())
            self.whole.add(now, start - now, Parts(tuple(standing), start, now))


_TAKERS: tuple[tuple[type[Node], Callable[[Any], Near]], ...] = (
    (Count, NearAmount),
    (Total, NearAmount),
    (StaysIn, NearStay),
    (Enters, NearCrossing),
    (Leaves, NearCrossing),
    (Sequence, NearSequence),
    (After, NearAbsence),
    (AllOf, NearAllOf),
)


def near_of(node: Node) -> Near:
    """Return a new note-taker for a node; of `happens` and `any_of` there is nothing to note."""
    if isinstance(node, Cancels):
        return Near()
    return next((make(node) for kind, make in _TAKERS if isinstance(node, kind)), Near())
