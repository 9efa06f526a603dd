"""The ten patterns: which instants does a moment bring?

Each node keeps the list of its instants, and else only what the page itself demands: the last instant of
`sequence` and `all_of`, the dwells that are settled.
Sentence numbers are those of the semantics page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from .intake import BUSINESS, CONTROL, SIGNALING
from .lines import event_value, judge_event
from .values import read_amount, read_time
from .world import Applied, House, Past

Position: TypeAlias = tuple[int, int, int]  # (time, 0 record | 1 timer, log order of a record): 1.7 "later"


@dataclass(frozen=True)
class Instant:
    """A moment at which a pattern matched."""

    time: int  # its own: of the record, the sighting, the due
    rank: int  # 0: at a record, 1: at a timer (they come after all records of their time)
    seq: int  # log order of the record; 0 for timers
    stamp: int  # the clock at which it was judged
    within: bool  # not late beyond patience
    fire: bool  # may fire (within, and not `no_trigger`)
    source: tuple[str, int, int]  # the record or timer, for "another record or timer"
    place: str | None = None
    base: int | None = None  # of `after`: the a of a + D

    @property
    def position(self) -> Position:
        return (self.time, self.rank, self.seq)


@dataclass(frozen=True)
class Moment:
    """A record applied, or a group of timers of one due time."""

    now: int  # the clock after the record; the due time
    record: Applied | None  # None: timers
    sighting: int | None = None  # the accepted sighting this record made
    ended: tuple[str, ...] = ()  # places whose visit ended by time (docs/decisions/0019)

    @property
    def order(self) -> Position:
        """7(c): the last instant is (clock, log order), also when completed late."""
        return (self.now, 0, self.record.seq) if self.record else (self.now, 1, 0)


class Node:
    """A pattern over one subscriber."""

    def __init__(self, past: Past, children: list[Node], ident: int) -> None:
        self.past = past
        self.house: House = past.house
        self.children = children
        self.ident = ident
        self.instants: list[Instant] = []
        self.fresh: list[Instant] = []

    def step(self, moment: Moment) -> None:
        """Let the parts match first, then this pattern."""
        for child in self.children:
            child.step(moment)
        self.fresh = self.match(moment)
        self.instants.extend(self.fresh)

    def match(self, moment: Moment) -> list[Instant]:
        raise NotImplementedError

    def own_dues(self) -> Iterator[int]:
        """Yield the due times this node itself waits for, fired or not."""
        return iter(())

    def dues(self) -> Iterator[int]:
        """Yield the due times of the whole tree."""
        yield from self.own_dues()
        for child in self.children:
            yield from child.dues()

    def kinds(self) -> set[str]:
        """Give the kinds of the events of the whole tree."""
        return set().union(*(child.kinds() for child in self.children))

    def names_place(self) -> bool:
        """7(n): does the pattern name a place?"""
        return any(child.names_place() for child in self.children)

    def at_record(self, record: Applied, place: str | None) -> Instant:
        """Make an instant of a record at its own `t` (1.5)."""
        within = record.clock - record.t <= self.house.patience(record.kind)
        source = ("record", record.seq, 0)
        fire = within and not record.silent
        return Instant(record.t, 0, record.seq, record.clock, within, fire, source, place)

    def at_sighting(self, moment: Moment, place: str) -> Instant:
        """Make an instant of a sighting at its own time; it is late by clock − its time (2.1)."""
        assert moment.record is not None
        assert moment.sighting is not None
        seen = self.past.sightings[moment.sighting]
        within = seen.late <= self.house.patience(moment.record.kind)
        source = ("record", moment.record.seq, 0)
        return Instant(seen.time, 0, seen.seq, moment.now, within, within, source, place)

    def at_timer(self, due: int, moment: Moment, place: str | None, base: int | None = None) -> Instant:
        """Make an instant of a timer: its time is the due time, its stamp the moment's (7(b))."""
        source = ("timer", self.ident, due)
        return Instant(due, 1, 0, moment.now, True, True, source, place, base)


class OfEvents(Node):
    """`happens`, `count` and `total`: the records of a kind that pass the lines."""

    def __init__(self, past: Past, ident: int, event: str, body: dict[str, Any]) -> None:
        super().__init__(past, [], ident)
        self.kind = event
        self.where: dict[str, Any] = body.get("where") or {}
        self.unless: dict[str, Any] = body.get("unless") or {}
        self.starts_too = False  # 7(i): the `no:` itself is a bare `happens`
        self.passed: list[Applied] = []

    def kinds(self) -> set[str]:
        return {self.kind}

    def names_place(self) -> bool:
        return "place" in self.where or "place" in self.unless

    def passing(self, moment: Moment) -> tuple[Applied, str | None] | None:
        """Give the moment's record and its place if it is of the kind and passes `where` and `unless`."""
        record = moment.record
        if record is None or record.kind != self.kind or not (record.whole or self.starts_too):
            return None
        passes, place = judge_event(self.house, record, self.where, self.unless)
        if not passes:
            return None
        self.passed.append(record)
        return record, place


class Happens(OfEvents):
    """`happens: E, where, unless`"""

    def match(self, moment: Moment) -> list[Instant]:
        found = self.passing(moment)
        return [self.at_record(*found)] if found else []


class Amount(OfEvents):
    """`count` and `total`: the window's sum with the record reaches the mark, and without it does not."""

    def __init__(self, past: Past, ident: int, event: str, measure: str | None, body: dict[str, Any]) -> None:
        super().__init__(past, ident, event, body)
        self.measure = measure  # None: count
        mark = read_amount(str(body["at_least"]))
        assert mark is not None, body["at_least"]
        self.mark = mark
        self.window = read_time(body["within"])

    def match(self, moment: Moment) -> list[Instant]:
        found = self.passing(moment)
        if not found or self.worth(found[0]) is None:  # a record without F is no instant
            return []
        in_window = [one for one in self.passed if moment.now - self.window < one.t <= moment.now]  # 1.7
        with_it = sum(self.worth(one) or 0 for one in in_window)
        without = sum(self.worth(one) or 0 for one in in_window if one is not found[0])
        return [self.at_record(*found)] if with_it >= self.mark > without else []

    def worth(self, record: Applied) -> Any:
        """Give what a record adds, None if it has no F."""
        return 1 if self.measure is None else event_value(record.record, self.measure, number=True)


class Enters(Node):
    """`enters: P`: of any member; several at one time are one, with the member first in the group's list."""

    def __init__(self, past: Past, ident: int, place: str, resident: Any = None) -> None:
        super().__init__(past, [], ident)
        self.members = self.house.members(place)
        self.wanted = None if resident is None else resident in (True, "yes")

    def takes(self, place: str) -> bool:
        """docs/decisions/0020.7: asked when the instant is made; who is not known is not taken."""
        return self.wanted is None or self.past.resident(place) is self.wanted

    def names_place(self) -> bool:
        return True

    def match(self, moment: Moment) -> list[Instant]:
        if moment.sighting is None:
            return []
        entered = [
            place for place in self.members if self.past.enters(place, moment.sighting) and self.takes(place)
        ]
        return [self.at_sighting(moment, entered[0])] if entered else []


class Leaves(Enters):
    """`leaves: P`: a sighting outside (all members) when the state (in any) was `in`."""

    def match(self, moment: Moment) -> list[Instant]:
        number = moment.sighting
        if number is None and not moment.ended:
            return []
        if any(self.past.open_visit(place) for place in self.members):
            return []
        ended = [place for place in self.members if place in moment.ended]
        if ended:
            return [self.at_end(moment, ended)]
        if number is None:
            return []
        left = [place for place in self.members if self.past.was_in(place, number)]
        return [self.at_sighting(moment, left[0])] if left else []

    def at_end(self, moment: Moment, ended: list[str]) -> Instant:
        """Make the instant of the last of the visits that ended by time (0019.7)."""
        last = len(self.past.sightings) - 1
        ends = {place: self.past.ends[place, last] for place in ended}
        due = max(end.due for end in ends.values())
        place = next(place for place in ended if ends[place].due == due)
        instant = self.at_timer(due, moment, place)
        return replace(instant, within=ends[place].fires, fire=ends[place].fires)


class StaysIn(Enters):
    """`stays_in: P, for: D`, and `enters: P, confirm: D` (openings that `enters` takes)."""

    def __init__(
        self, past: Past, ident: int, place: str, span: int, confirm: bool = False, resident: Any = None
    ) -> None:
        super().__init__(past, ident, place, resident)
        self.span = span
        self.confirm = confirm
        self.settled: set[tuple[str, int]] = set()  # once per visit (place, opening sighting)

    def waiting(self, place: str) -> int | None:
        """Give the opening sighting of the open visit if its dwell is not settled."""
        visit = self.past.open_visit(place)
        if visit is None or (place, visit.opened) in self.settled:
            return None
        if self.confirm and not self.past.enters(place, visit.opened):
            return None
        return visit.opened

    def own_dues(self) -> Iterator[int]:
        for place in self.members:
            opened = self.waiting(place)
            if opened is not None:
                yield self.past.sightings[opened].time + self.span

    def match(self, moment: Moment) -> list[Instant]:
        found: dict[tuple[int, int], Instant] = {}  # several members at one time are one instant
        for place in self.members:
            one = self.match_place(moment, place)
            if one and self.takes(place):
                found.setdefault((one.time, one.rank), one)
        return list(found.values())

    def match_place(self, moment: Moment, place: str) -> Instant | None:
        opened = self.waiting(place)
        if opened is None:
            return None
        opening = self.past.sightings[opened]
        due = opening.time + self.span
        patient = opening.late <= self.house.patience("loc.sight")
        if moment.record is None:
            if due != moment.now or not self.past.state_in(place, due) or self.past.in_doubt(place, due):
                return None
            self.settled.add((place, opened))
            # 7(a): a timer armed beyond patience at (or before) the clock is no instant
            lost = not patient and due == opening.time + opening.late
            return None if lost else self.at_timer(due, moment, place)
        number = moment.sighting
        if number is None:
            return None
        if number == opened:
            if due >= moment.now or not self.past.state_in(place, due):
                return None
            self.settled.add((place, opened))  # armed in the past: 7(b)
            return self.at_timer(due, moment, place) if patient else None
        visit = self.past.open_visit(place)
        assert visit is not None
        # 7(g): the first sighting strictly later than due that goes on with this visit
        if number in visit.went_on and self.past.sightings[number].time > due:
            self.settled.add((place, opened))
            return self.at_sighting(moment, place)
        return None


class Sequence(Node):
    """`sequence: [p1 … pn], within: W`"""

    def __init__(self, past: Past, ident: int, children: list[Node], window: int) -> None:
        super().__init__(past, children, ident)
        self.window = window
        self.last: Position | None = None

    def match(self, moment: Moment) -> list[Instant]:
        found = []
        # docs/decisions/0003: instants of one moment are judged by the last instant before that moment
        for end in sorted(self.children[-1].fresh, key=lambda one: one.position):
            if self.last is not None and end.position <= self.last:
                continue
            chain = self.chain([end], moment.now)
            if chain:
                found.append(replace(end, place=place_of(end, chain[1:]), base=None))
        if found:
            self.last = moment.order
        return found

    def chain(self, later: list[Instant], now: int) -> list[Instant] | None:
        """Find the steps before those already chosen (latest first); None if there are none."""
        if len(later) == len(self.children):
            return later if later[-1].time > now - self.window else None  # the first in (now − W, now]
        steps = self.children[-1 - len(later)].instants
        for step in sorted(steps, key=lambda one: one.position, reverse=True):
            if step.time <= now - self.window or (self.last is not None and step.position <= self.last):
                break  # earlier ones are too old as well
            if step.position >= later[-1].position or step.source in [one.source for one in later]:
                continue  # 7(j): a record serves one step
            chain = self.chain([*later, step], now)
            if chain:
                return chain
        return None


class AllOf(Node):
    """`all_of: [p …], within: W`"""

    def __init__(self, past: Past, ident: int, children: list[Node], window: int) -> None:
        super().__init__(past, children, ident)
        self.window = window
        self.last: Position | None = None

    def match(self, moment: Moment) -> list[Instant]:
        found: list[Instant] = []
        # docs/decisions/0003: instants of one moment are judged by the last instant before that moment
        ends = [(end, child) for child in self.children for end in child.fresh]
        for end, child in sorted(ends, key=lambda pair: pair[0].position):
            others = [self.latest(other, moment.now) for other in self.children if other is not child]
            if found and found[-1].position == end.position:
                continue  # two parts at one time are one instant, that of the part written first
            if self.is_new(end) and all(others):
                earlier = sorted(filter(None, others), key=lambda one: one.position, reverse=True)
                found.append(replace(end, place=place_of(end, earlier), base=None))
        if found:
            self.last = moment.order
        return found

    def is_new(self, one: Instant) -> bool:
        return self.last is None or one.position > self.last

    def latest(self, part: Node, now: int) -> Instant | None:
        """Give the latest instant of a part in (now − W, now], later than the last instant."""
        fits = [one for one in part.instants if now - self.window < one.time <= now and self.is_new(one)]
        return max(fits, key=lambda one: one.position, default=None)


class AnyOf(Node):
    """`any_of: [p …]`: each instant of any of them."""

    def match(self, moment: Moment) -> list[Instant]:
        return [replace(one, base=None) for child in self.children for one in child.fresh]


class After(Node):
    """`after: A, no: B, for: D`"""

    def __init__(self, past: Past, ident: int, start: Node, absent: Node, span: int) -> None:
        super().__init__(past, [start, absent], ident)
        self.start, self.absent, self.span = start, absent, span

    def own_dues(self) -> Iterator[int]:
        for a in self.start.instants:
            yield a.time + self.span

    def match(self, moment: Moment) -> list[Instant]:
        if moment.record is None:
            due_now = [
                a
                for a in self.start.instants
                if a.time + self.span == moment.now
                and (a.stamp < moment.now or a.within)  # 7(a): beyond patience, due at the clock: no instant
            ]
        else:  # 7(b): armed in the past by a record within patience
            due_now = [a for a in self.start.fresh if a.time + self.span < moment.now and a.within]
        found: dict[int, Instant] = {}
        for a in due_now:
            if self.undisturbed(a):
                due = a.time + self.span
                found.setdefault(due, self.at_timer(due, moment, a.place, a.time))
        return list(found.values())

    def undisturbed(self, a: Instant) -> bool:
        """No instant of A later than a, and no B later than a, is ≤ a + D."""
        due = a.time + self.span
        if any(a.position < other.position and other.time <= due for other in self.start.instants):
            return False
        return not any(
            a.position < b.position and b.time <= due and b.source != a.source for b in self.absent.instants
        )


def place_of(end: Instant, earlier: list[Instant]) -> str | None:
    """The completing part's place, else that of the latest earlier step that has one."""
    return next((one.place for one in [end, *earlier] if one.place is not None), None)


def build(past: Past, body: dict[str, Any], count: list[int], as_no: bool = False) -> Node:
    """Build the tree of a pattern. `count` hands out the numbers of the nodes."""
    count[0] += 1
    ident = count[0]

    def part(inner: dict[str, Any], no: bool = False) -> Node:
        return build(past, inner, count, no)

    if "happens" in body:
        happens = Happens(past, ident, body["happens"], body)
        happens.starts_too = as_no
        return happens
    if "count" in body:
        return Amount(past, ident, body["count"], None, body)
    if "total" in body:
        event, measure = split_measure(body["total"])
        return Amount(past, ident, event, measure, body)
    if "enters" in body:
        if "confirm" in body:
            span = read_time(body["confirm"])
            return StaysIn(past, ident, body["enters"], span, confirm=True, resident=body.get("resident"))
        return Enters(past, ident, body["enters"], body.get("resident"))
    if "leaves" in body:
        return Leaves(past, ident, body["leaves"])
    if "stays_in" in body:
        return StaysIn(past, ident, body["stays_in"], read_time(body["for"]), resident=body.get("resident"))
    if "sequence" in body:
        return Sequence(past, ident, [part(one) for one in body["sequence"]], read_time(body["within"]))
    if "all_of" in body:
        return AllOf(past, ident, [part(one) for one in body["all_of"]], read_time(body["within"]))
    if "any_of" in body:
        return AnyOf(past, [part(one) for one in body["any_of"]], ident)
    if "after" in body:
        return After(past, ident, part(body["after"]), part(body["no"], True), read_time(body["for"]))
    raise ValueError(f"expected a pattern, was {body!r}")


def split_measure(text: str) -> tuple[str, str]:
    """Split `data.session.bytes` into the event and its field."""
    for kind in sorted(SIGNALING | BUSINESS | CONTROL, key=len, reverse=True):
        if text.startswith(kind + "."):
            return kind, text[len(kind) + 1 :]
    raise ValueError(f"expected EVENT.FIELD, was {text!r}")
