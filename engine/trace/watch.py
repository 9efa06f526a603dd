"""A Fold that takes notes: every judgement of chosen subscribers, and every instant of their patterns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.decision import Candidate
from engine.event import Event
from engine.localtime import is_within
from engine.patterns.absence import Cancels
from engine.patterns.base import Instant, Moment, Node
from engine.patterns.crossing import Residents
from engine.pipeline import Fold
from engine.presence import is_known
from engine.residence import is_resident
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from engine.trace.gates import Bench, Check, checks, choose, outcome, up_to_the_first
from engine.trace.nearest import Near, near_of
from engine.trace.tape import Tape


@dataclass(frozen=True, slots=True)
class Judgement:
    """One time that a rule was judged for a subscriber."""

    id: str
    """Of the decision."""
    rule: str
    at: int
    """When, µs: the stamp, or the end of a hold."""
    ending: bool
    """A hold ended."""
    lines: tuple[Check, ...]
    """All gates in order, those after the first refusal not judged."""
    winner: str | None = None
    """The rule that was taken instead: arbitration refused this one."""


class Noted(NamedTuple):
    """A record that was applied, with the places it was seen to be in."""

    event: Event
    places: tuple[str, ...] | None


class Tally:
    """How often a pattern had an instant."""

    __slots__ = ("count", "last", "late")

    def __init__(self) -> None:
        self.count = 0
        self.late = 0
        """Of these: too late, or flagged `no_trigger`, to fire."""
        self.last: int | None = None
        """Own time of the latest."""

    def add(self, instant: Instant) -> None:
        """Note one instant."""
        self.count += 1
        self.late += not instant.fires
        self.last = instant.time if self.last is None else max(self.last, instant.time)


class WatchedFold(Fold):
    """The engine, with a look at those whose keys are in `watched`. It decides nothing differently."""

    def __init__(self, book: Rulebook, salt: bytes) -> None:
        super().__init__(book, salt)
        self.watched: set[str] = set()
        self.judgements: list[Judgement] = []
        self.records: list[Noted] = []
        """Signaling and business records of the watched, in log order: the snapshot keeps but a part."""
        self.tallies: dict[int, Tally] = {node.index: Tally() for node in book.nodes}
        """By node: instants of the watched subscribers."""
        self.unheard: dict[str, Tally] = {name: Tally() for name in book.compiled}
        """By rule: instants of its `when` outside its schedule."""
        self.tape = Tape()
        """What was folded, as far as the watched are concerned: to run it again."""
        self._nears: dict[tuple[str, int], Near] = {}
        for node in book.nodes:
            self._listen(node)

    def watch(self, keys: Iterable[str]) -> None:
        """Watch some more; what their profiles have said by now goes onto the tape."""
        for key in keys:
            if key not in self.watched:
                self.watched.add(key)
                if key in self.subscribers:
                    self.tape.begin(self.subscribers[key])

    def nearness(self, key: str, node: Node) -> Near:
        """Return the note-taker beside a node for a subscriber."""
        found = self._nears.get((key, node.index))
        if found is None:
            found = self._nears[key, node.index] = near_of(node)
        return found

    def tick(self, time: int, down: tuple[str, ...] | list[str] = ()) -> None:
        """Apply a tick, and put it onto the tape."""
        self.tape.tick(time, down)
        super().tick(time, down)

    def apply(self, event: Event) -> None:
        """Fold one record; note it if it was applied and is about somebody who is watched."""
        if event.key not in self.watched:
            super().apply(event)
            return
        self.tape.record(event)
        before = self._applied(event.key)
        super().apply(event)
        if self._applied(event.key) > before:
            self.records.append(Noted(event, self._places(event)))

    def _applied(self, key: str) -> int:
        sub = self.subscribers.get(key)
        return sub.seq if sub is not None else 0

    def _places(self, event: Event) -> tuple[str, ...] | None:
        """Where a record was, as `where: {place: …}` sees it (semantics 7 h)."""
        if event.cell is not None:
            return self.book.places.of_cell.get(event.cell, ())
        sub = self.subscribers[event.key]
        return sub.inside if is_known(sub, sub.clock) else None

    def _judge(self, sub: Subscriber, now: int, candidates: list[Candidate]) -> None:
        if sub.key not in self.watched:
            super()._judge(sub, now, candidates)
            return
        bench = Bench(self.book, self.salt, self.feeds, sub, now, self.warming)
        seen = [(c, c.rule, checks(bench, c.rule, c)) for c in candidates if c.rule is not None]
        endings = {id(c) for c in candidates if c.held is not None}
        messages = {id(c): choose(bench, c.rule) for c in candidates if c.rule is not None}
        super()._judge(sub, now, candidates)
        for candidate, rule, lines in seen:
            before = None
            if candidate.reason == "arbitration":
                # a live rule that was taken; else 7(p): another hold of the same rule, which may be shadow
                passed = [r for c, r, _ in seen if c.reason is None and (r is rule or not r.shadow)]
                before = min(passed, key=lambda r: r.shadow).name
            rest = outcome(bench, rule, before, messages[id(candidate)])
            ending = id(candidate) in endings
            judged = tuple(up_to_the_first([*lines, *rest]))
            self.judgements.append(Judgement(candidate.id, candidate.name, now, ending, judged, before))

    def _listen(self, node: Node) -> None:
        """Note what a node hands out, and how near it came, at each of its doors."""
        for door in ("see", "cross", "step", "ring", "stop"):
            setattr(node, door, self._noting(node, door, getattr(node, door)))
        if isinstance(node, Residents) and node.resident is not None:
            setattr(node, "takes", self._meaning(node))  # noqa: B010
        if isinstance(node, Cancels):
            setattr(node, "see", self._cancelling(node, self.tallies[node.index]))  # noqa: B010

    def _cancelling(self, node: Cancels, tally: Tally) -> Callable[..., Any]:
        """Note what stops waits: it tells them itself and hands nothing out."""
        inner = node.see

        def noting(sub: Subscriber, moment: Moment) -> Any:
            if sub.key in self.watched and (node.passes is None or node.passes(moment)):
                order = (2 * moment.record.t, moment.seq)
                tally.add(Instant(order, moment.timely, moment.fires, moment.trigger))
            return inner(sub, moment)

        return noting

    def _meaning(self, node: Residents) -> Callable[[Subscriber, str], bool]:
        """Note whom a node does not mean: it asks only where there would be an instant."""
        inner = node.takes

        def noting(sub: Subscriber, place: str) -> bool:
            takes = inner(sub, place)
            if not takes and sub.key in self.watched:
                resident = is_resident(sub, node.cells.get(place, ()))
                self.nearness(sub.key, node).passed_over(sub, place, resident)
            return takes

        return noting

    def _noting(self, node: Node, door: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        tally = self.tallies[node.index]

        def noting(sub: Subscriber, *rest: Any) -> Any:
            if sub.key not in self.watched:
                return inner(sub, *rest)
            near = self.nearness(sub.key, node)
            near.before(sub, door, rest)
            found = inner(sub, *rest)
            near.after(sub, door, rest, found)
            for instant in found or ():
                tally.add(instant)
                self._listened(sub, node, instant)
            return found

        return noting

    def _listened(self, sub: Subscriber, node: Node, instant: Instant) -> None:
        """Note for which rules an instant came outside of their schedule (ADR 17)."""
        for rule in node.rules:
            times = rule.schedule
            zone = sub.timezone or rule.timezone
            if times is not None and not is_within(instant.time, zone, times.days, times.hours):
                self.unheard[rule.name].add(instant)
