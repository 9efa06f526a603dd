"""How near patterns came to matching, read off the engine's own state around each record.

`before` and `after` are called around `Fold.apply`. They look at what the engine keeps anyway: open visits,
armed timers, the windows of counts and totals, steps of sequences. Nothing is put into the engine, so a run
without a report pays nothing, and the compiled core can be looked at too. A look costs a few dictionary
look-ups per record; what is kept is a byte per pattern and subscriber.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from engine.backtest.scale import Scale, adding, counting, lasting, parts
from engine.backtest.seats import Seats
from engine.event import Event
from engine.event_kinds import KINDS
from engine.language import model
from engine.patterns.absence import After
from engine.patterns.base import Node
from engine.patterns.counting import add_up
from engine.patterns.dwell import StaysIn
from engine.pipeline import BUSINESS_LIMIT, Fold
from engine.snapshot import Subscriber
from engine.trace.words import say_pattern


class Watch(NamedTuple):
    """A pattern that is looked at, under every rule that has it."""

    node: Node
    scale: Scale
    places: list[tuple[str, str]]
    """(rule, where in it: `when`, `when.step 1`)."""
    pattern: str
    """The pattern's own line."""


class Visit(NamedTuple):
    """An open visit in a place where a dwell waits."""

    watch: Watch
    place: str
    opened: int
    due: int | None
    """Of the timer that waits; None: none does."""
    overdue: bool
    known_until: int
    """Last µs at which the state is `in` by what is known so far."""


class Misses:
    """Watches the patterns of a fold's rules."""

    def __init__(self, fold: Fold, seats: Seats) -> None:
        self._fold = fold
        self._subscribers = fold.subscribers
        self._seats = seats
        self._places = fold.book.places.of_cell
        self._patience = fold.book.policy.patience
        self.watches: dict[int, Watch] = {}
        """By node, in the order of the rules."""
        self._stays: dict[str, tuple[Watch, ...]] = {}
        """By place."""
        self._numbers: dict[str, tuple[Watch, ...]] = {}
        """Counts and totals by kind."""
        self._composites: dict[str, tuple[Watch, ...]] = {}
        """Sequences, `all_of`, and the waits that are a rule's `when`, by the kinds that can change them."""
        self._placed: tuple[Watch, ...] = ()
        """Those of them that a sighting can change."""
        for name, rule in sorted(fold.book.compiled.items()):
            for where, pattern, node in inside(rule.rule.when, rule.root):
                self._watch(name, where, pattern, node)
        self._moved = {
            kind: tuple({watch.node.index: watch for watch in (*watches, *self._placed)}.values())
            for kind, watches in self._composites.items()
        }
        """By kind, those that a record of it changes if it is a sighting that moves."""
        self._clock = 0
        """The subscriber's, before the record."""
        self._visits: list[Visit] = []
        self._windows: list[tuple[Watch, tuple[int, int]]] = []
        self._starts: list[tuple[Watch, tuple[int, int]]] = []

    def _watch(self, rule: str, where: str, pattern: model.Pattern, node: Node) -> None:
        if node.index in self.watches:
            self.watches[node.index].places.append((rule, where))
            return
        keys: tuple[str, ...]
        match pattern:
            case model.StaysIn():
                scale, index, keys = lasting("stays", pattern.duration), self._stays, pattern.members
            case model.Enters() if pattern.confirm:
                scale = lasting("stays", pattern.confirm, "confirm")
                index, keys = self._stays, pattern.members
            case model.Count():
                scale, index, keys = counting(pattern.at_least), self._numbers, (pattern.event,)
            case model.Total():
                scale = adding(pattern.at_least, pattern.type)
                index, keys = self._numbers, (pattern.event,)
            case model.After() if where == "when" and not _has_timers(node):
                scale, index, keys = lasting("waits", pattern.wait), self._composites, tuple(node.kinds)
            case model.Sequence():
                scale = parts("sequence", len(pattern.steps))
                index, keys = self._composites, tuple(node.kinds)
            case model.AllOf():
                scale = parts("all_of", len(pattern.parts))
                index, keys = self._composites, tuple(node.kinds)
            case _:
                return
        watch = Watch(node, scale, [(rule, where)], say_pattern(pattern))
        self.watches[node.index] = watch
        for key in keys:
            index[key] = (*index.get(key, ()), watch)
        if index is self._composites and _has_places(node):
            self._placed = (*self._placed, watch)

    # -- around one record -----------------------------------------------------------------------------------

    def before(self, event: Event) -> bool:
        """Look at the subscriber of a record that is about to be folded; say whether to look again."""
        again = False
        sub = self._subscribers.get(event.key)
        numbers = self._numbers.get(event.kind)
        if numbers is not None:
            again = True
            for watch in numbers:
                self._windows.append((watch, _window(watch.node.recall(sub)) if sub is not None else (0, 0)))
        if sub is None:
            return again
        nodes = sub.nodes
        composites = self._composites.get(event.kind) if nodes else None
        if event.cell is not None:
            places = self._places.get(event.cell, ())
            if places != sub.inside or event.seen > sub.known_until or sub.offs:
                # only such a record can open or close a visit
                if sub.inside:
                    self._visits = list(self._open(sub))
                    again = again or bool(self._visits)
                if nodes:
                    composites = self._moved.get(event.kind, self._placed)
        for watch in composites or ():
            state = nodes.get(watch.node.key)
            if state is None:
                continue
            if watch.scale.kind != "waits":
                self._chain(sub, watch)
            elif state[2] is not None:
                self._starts.append((watch, (state[2][0], state[2][1])))
                again = True
        if again:
            self._clock = max(sub.clock, self._fold.feeds.watermark)
        return again

    def after(self, event: Event) -> None:
        """Look again, now that it was folded."""
        sub = self._subscribers.get(event.key)
        if sub is not None:
            for watch, window in self._windows:
                state = watch.node.recall(sub)
                if state is not None and _window(state) != window:
                    self._rose(sub, watch.scale, state, event)
            for visit in self._visits:
                now = sub.visits.get(visit.place)
                if now is None or now[0] != visit.opened:
                    self._closed(sub, visit, event)
            for watch, start in self._starts:
                wait = sub.nodes[watch.node.key][2]
                if wait is None or (wait[0], wait[1]) != start:
                    self._stopped(sub, watch.scale, start[0] >> 1, event)
        self._windows.clear()
        self._visits.clear()
        self._starts.clear()

    def finish(self, everybody: Iterable[Subscriber] | None = None) -> None:
        """Take in what is still open when the recording ends: it has come so far, and no further.

        `everybody`: all subscribers, if the fold does not hold them.
        """
        end = self._fold.newest
        for sub in self._subscribers.values() if everybody is None else everybody:
            seat = self._seats.of(sub.key)
            for visit in self._open(sub):
                if visit.due is not None or visit.overdue:
                    visit.watch.scale.ended(seat, min(visit.known_until, end) - visit.opened)
                else:
                    visit.watch.scale.note(seat, visit.watch.scale.full)
            for watch in self.watches.values():
                if watch.scale.kind in ("sequence", "all_of"):
                    self._chain(sub, watch)
                elif watch.scale.kind == "waits":
                    state = sub.nodes.get(watch.node.key)
                    if state is not None and state[2] is not None:
                        watch.scale.ended(seat, end - (state[2][0] >> 1))

    # -- dwells and waits ------------------------------------------------------------------------------------

    def _open(self, sub: Subscriber) -> Iterator[Visit]:
        known = sub.known_until
        if sub.offs and sub.offs[0][0] <= known:
            known = sub.offs[0][0] - 1
        for place in sub.inside:
            # a dwell that comes due in doubt is no instant (ADR 19)
            until = min(known, sub.doubts[place][0] - 1) if place in sub.doubts else known
            for watch in self._stays.get(place, ()):
                assert isinstance(watch.node, StaysIn)
                if not watch.node.takes(sub, place):  # lives elsewhere, or there (ADR 20): no mark is missed
                    continue
                mark = (watch.node.key, place)
                due, overdue = sub.timers.get(mark), mark in sub.overdue
                yield Visit(watch, place, sub.visits[place][0], due, overdue, until)

    def _closed(self, sub: Subscriber, visit: Visit, event: Event) -> None:
        """Note a visit that this record closed. Timers due before the record fired before it closed."""
        seat, scale = self._seats.of(sub.key), visit.watch.scale
        fired = visit.due is None or (visit.due < event.t and visit.due <= visit.known_until)
        if visit.overdue or not fired:
            # a late sighting closes the visit in the past; a shorter dwell had fired by the clock
            last = max(event.seen, self._clock) - 1
            scale.ended(seat, min(visit.known_until, last) - visit.opened)
        elif visit.due is not None or visit.known_until - visit.opened >= scale.mark:
            scale.note(seat, scale.full)

    def _stopped(self, sub: Subscriber, scale: Scale, start: int, event: Event) -> None:
        seat = self._seats.of(sub.key)
        if start + scale.mark < event.t:  # it was over before this record
            scale.note(seat, scale.full)
        else:
            # the same: what is told late stops no wait that was over by the clock
            scale.ended(seat, max(event.t, self._clock) - 1 - start)

    # -- counts, totals, chains ------------------------------------------------------------------------------

    def _rose(self, sub: Subscriber, scale: Scale, state: list[Any], event: Event) -> None:
        late = sub.clock - event.t
        patience = BUSINESS_LIMIT if KINDS[event.kind].group == "business" else self._patience
        fires = late <= patience and "no_trigger" not in (event.fields.get("quality") or ())
        times = state[0]
        before: float
        if scale.kind == "count":
            now: float = len(times)
            before = now - 1
        else:
            amounts = state[1]
            at = len(times) - 1
            while at and times[at] > event.t:
                at -= 1
            now = add_up(amounts)
            # whole numbers may be taken off again; fractions are added up as the engine does
            before = now - amounts[at] if isinstance(now, int) else add_up(amounts[:at] + amounts[at + 1 :])
        scale.rose(self._seats.of(sub.key), before, now, fires)

    def _chain(self, sub: Subscriber, watch: Watch) -> None:
        state = sub.nodes.get(watch.node.key)
        if state is None:
            return
        scale = watch.scale
        if state[0] != [0, 0]:
            step = scale.full
        elif scale.kind == "sequence":
            step = _steps(state[1:])
        else:
            newest = max((part[0] >> 1 for part in state[1:] if part is not None), default=0)
            within = getattr(watch.node, "within", 0)
            step = sum(part is not None and part[0] >> 1 > newest - within for part in state[1:])
        if step:
            scale.note(self._seats.of(sub.key), step)


def inside(
    pattern: model.Pattern, node: Node, where: str = "when"
) -> Iterator[tuple[str, model.Pattern, Node]]:
    """Yield a pattern and all inside it but what stands under `no:`: (where, pattern, node)."""
    yield where, pattern, node
    match pattern:
        case model.Sequence():
            inner, label = pattern.steps, "step "
        case model.AnyOf() | model.AllOf():
            inner, label = pattern.parts, "part "
        case model.After():
            yield from inside(pattern.first, node.children[0], f"{where}.after")
            return
        case _:
            return
    for number, (part, child) in enumerate(zip(inner, node.children, strict=True), 1):
        yield from inside(part, child, f"{where}.{label}{number}")


def _window(state: list[Any] | None) -> tuple[int, int]:
    """Tell one content of a window from the next: a record that enters changes its length or its start."""
    times = state[0] if state is not None else ()
    return (len(times), times[0]) if times else (0, 0)


def _steps(steps: list[list[Any]]) -> int:
    """Count the steps that lie one after the other, from the first."""
    before, found = (0, -1), 0
    for items in steps:
        item = next((item for item in items if (item[0], item[1]) > before), None)
        if item is None:
            break
        before, found = (item[0], item[1]), found + 1
    return found


def _has_timers(node: Node) -> bool:
    """Say whether something inside fires by a timer of its own."""
    return any(isinstance(child, StaysIn | After) or _has_timers(child) for child in node.children)


def _has_places(node: Node) -> bool:
    """Say whether something inside is about a place: such leaves look at no kind of record."""
    return any(_has_places(child) for child in node.children) if node.children else not node.kinds
