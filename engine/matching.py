"""From a record, or a group of timers, to the rules that fire on it.

Leaves see the record; composites are then stepped upwards, children before parents, only where something
happened below them. Most records touch no leaf and cost two dictionary look-ups.
"""

from __future__ import annotations

from engine.localtime import is_within
from engine.patterns.base import Hits, Instant, Moment, Node
from engine.presence import Crossing
from engine.rulebook import CompiledRule, Rulebook
from engine.snapshot import Subscriber

Firing = tuple[CompiledRule, Instant]


def fold(book: Rulebook, sub: Subscriber, moment: Moment) -> Hits | None:
    """Fold one record into the patterns; return the instants it made, None if there are none."""
    hits: Hits | None = None
    higher = False
    event = moment.event
    if event is not None:
        for node in book.by_kind.get(event.kind, ()):
            found = node.see(sub, moment)
            if found is not None:
                hits = {} if hits is None else hits
                hits[node.index] = found
                higher = higher or bool(node.ancestors)
    if moment.crossing is not None:
        crossed = _cross(book, sub, moment)
        if crossed:
            hits = crossed if hits is None else hits | crossed
            higher = higher or any(book.nodes[index].ancestors for index in crossed)
    if higher:
        assert hits is not None
        _climb(book, sub, moment, hits, {})
    return hits


def _cross(book: Rulebook, sub: Subscriber, moment: Moment) -> Hits:
    """Lead what changed about places into the leaves that look at them."""
    crossing = moment.crossing
    assert crossing is not None
    touched: dict[int, Node] = {}
    for place in {*crossing.before, *sub.inside}:
        for node in book.by_place.get(place, ()):
            touched[node.index] = node
    hits: Hits = {}
    for node in touched.values():
        found = node.cross(sub, moment)
        if found is not None:
            hits[node.index] = found
    return hits


def ring(book: Rulebook, sub: Subscriber, due: int, crossing: Crossing | None = None) -> Hits:
    """Fire all pattern timers of a subscriber that are due at `due`, as one group (semantics 3).

    `crossing`: visits that have just ended at that time (`presence.leave_due`).
    """
    moment = Moment(due, 0, group=True, crossing=crossing)
    hits = _cross(book, sub, moment) if crossing is not None else {}
    ringing: dict[int, list[tuple[str, str]]] = {}
    for mark, time in list(sub.timers.items()):
        if time == due:
            node = book.by_key.get(mark[0])
            if node is None:
                del sub.timers[mark]
            else:
                ringing.setdefault(node.index, []).append(mark)
    _climb(book, sub, moment, hits, ringing)
    return hits


def _climb(
    book: Rulebook, sub: Subscriber, moment: Moment, hits: Hits, ringing: dict[int, list[tuple[str, str]]]
) -> None:
    nodes = book.nodes
    touched = set(ringing)
    for index in (*hits, *ringing):
        touched.update(a.index for a in nodes[index].ancestors)
    for index in sorted(touched):
        node = nodes[index]
        found: list[Instant] = []
        if node.children and any(child.index in hits for child in node.children):
            found += node.step(sub, moment, hits) or ()
        if index in ringing:
            # what happened below at this very time may have cancelled the timer
            marks = [mark for mark in ringing[index] if sub.timers.get(mark) == moment.now]
            for mark in marks:
                del sub.timers[mark]
            if marks:
                found += node.ring(sub, moment, moment.now, [mark[1] for mark in marks]) or ()
        if found:
            hits[index] = found


def firings(book: Rulebook, sub: Subscriber, hits: Hits, stamp: int, warming: dict[str, int]) -> list[Firing]:
    """Name the rules that fire now, each with its earliest instant: at most once per stamp (semantics 3)."""
    found: list[Firing] = []
    for index, instants in hits.items():
        rules = book.nodes[index].rules
        if not rules:
            continue
        if len(instants) == 1:
            instant = instants[0]
            if not instant.fires:
                continue
        else:
            may = [instant for instant in instants if instant.fires]
            if not may:
                continue
            instant = min(may, key=_order)
        for rule in rules:
            if sub.fired_at == stamp:
                if rule.name in sub.fired:
                    continue
            else:
                sub.fired_at = stamp
                sub.fired = set()
            if sub.heat.times and any(sub.heat.is_hot(kind, stamp) for kind in rule.kinds):
                continue
            if warming and stamp < warming.get(rule.root.key, 0):
                continue
            if rule.schedule is None:
                found.append((rule, instant))
            else:
                listened = _within(rule, sub, instants)
                if listened is None:
                    continue
                found.append((rule, listened))
            sub.fired.add(rule.name)
    return found


def _within(rule: CompiledRule, sub: Subscriber, instants: list[Instant]) -> Instant | None:
    """Return the earliest instant that may fire and lies within the rule's schedule (ADR 17)."""
    schedule = rule.schedule
    assert schedule is not None
    timezone = sub.timezone or rule.timezone
    may = [
        instant
        for instant in instants
        if instant.fires and is_within(instant.time, timezone, schedule.days, schedule.hours)
    ]
    return min(may, key=_order) if may else None


def _order(instant: Instant) -> tuple[int, int]:
    return instant.order
