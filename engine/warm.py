"""Warm start: a pattern that is new sees the past 48 hours as if it had been there (semantics.md 3).

The packed history is folded again, in log order and with the clock of then, through the same functions that
fold live records, into a scratch subscriber. Only what new patterns remember is taken over; nothing fires.
Patterns that stay keep their state: a node's key is the hash of its content.
"""

from __future__ import annotations

from typing import Any

from engine import ledger
from engine.event_kinds import KINDS
from engine.history import Past
from engine.language import model
from engine.matching import fold, ring
from engine.patterns.base import Moment
from engine.presence import counts, rebase, sight, switch_off
from engine.rulebook import Rulebook
from engine.snapshot import HOURS_48, Subscriber

DATA_LEAST = 2 * model.HOUR
"""Data sessions are kept exactly for at least this long, whatever the rules look back."""


def arm(sub: Subscriber, book: Rulebook, older: Rulebook | None, now: int) -> None:
    """Arm a subscriber for another rule set at log time `now`.

    `older`: the set it was armed for, None if that set is not known any more (then all patterns are new).
    """
    known = set(older.by_key) if older is not None else set()
    fresh = {key for key in book.by_key if key not in known}
    stay = known & set(book.by_key)
    sub.nodes = {key: state for key, state in sub.nodes.items() if key in stay}
    sub.timers = {mark: due for mark, due in sub.timers.items() if mark[0] in stay}
    sub.overdue = {mark for mark in sub.overdue if mark[0] in stay}
    changed = book.places.changed_since(older.places) if older is not None else frozenset()
    if fresh:
        scratch = refold(sub, book, now if not changed else sub.clock)
        for key in fresh:
            if key in scratch.nodes:
                sub.nodes[key] = scratch.nodes[key]
        sub.timers.update((mark, due) for mark, due in scratch.timers.items() if mark[0] in fresh)
        sub.overdue |= {mark for mark in scratch.overdue if mark[0] in fresh}
    if changed:
        _move_fences(sub, book, changed)
    if sub.seen_at >= 0:
        sub.known_until = sub.seen_at + book.lapse(sub.rat)
    ledger.end_shadow(sub, {rule.name for rule in book.compiled.values() if not rule.shadow})
    sub.rules = book.hash
    set_wake(sub)


def set_wake(sub: Subscriber) -> None:
    """Find the earliest timer or hold end; 0 if there is none."""
    dues = [*sub.timers.values(), *(hold["due"] for hold in sub.holds)]
    sub.wake = min(dues) if dues else 0


def _move_fences(sub: Subscriber, book: Rulebook, changed: frozenset[str]) -> None:
    """Give new and changed places their state from the last sighting: visits open, nothing fires (2.4)."""
    places = book.places.of_cell.get(sub.cell, ()) if sub.cell is not None else ()
    opened = [p for p in places if p in changed or p not in sub.visits]
    rebase(sub, changed, places)
    sub.history.mark(sub.clock, places, changed)
    for node in {node for place in changed for node in book.by_place.get(place, ())}:
        node.reopen(sub, changed, opened)


def refold(sub: Subscriber, book: Rulebook, now: int) -> Subscriber:
    """Fold a subscriber's packed history through all patterns of `book`, silently, up to `now`."""
    scratch = Subscriber(sub.key, book.hash)
    segments = sub.history.segments
    if segments and segments[0].base:
        _restore(scratch, segments[0].base)
    entries = list(sub.history.read())
    scratch.seq = sub.seq - sum(1 for past in entries if past.event is not None)
    for past in entries:
        _silent(book, scratch, past.clock)
        scratch.clock = past.clock
        if past.event is None:
            _again(scratch, book, past)
            continue
        scratch.seq += 1
        _fold_past(book, scratch, past)
    _silent(book, scratch, now)
    return scratch


def _fold_past(book: Rulebook, scratch: Subscriber, past: Past) -> None:
    event = past.event
    assert event is not None
    policy = book.policy
    signaling = KINDS[event.kind].group == "signaling"
    patience = policy.patience if signaling else HOURS_48
    moment = Moment(past.clock, scratch.seq)
    moment.event = event
    moment.places = past.places
    moment.timely = past.clock - event.t <= patience
    moment.fires = moment.timely and not past.no_trigger
    if event.kind == "power.off":
        switch_off(scratch, event)
    elif signaling and event.cell is not None and not past.no_trigger and counts(scratch, event):
        lapse = book.lapse(event.fields.get("rat"))
        moment.crossing = sight(scratch, event, past.places or (), lapse, policy.bridge, patience)
    fold(book, scratch, moment)


def _again(scratch: Subscriber, book: Rulebook, past: Past) -> None:
    changed, places = frozenset(past.changed), past.places or ()
    opened = [p for p in places if p in changed or p not in scratch.visits]
    rebase(scratch, changed, places)
    for node in {node for place in changed for node in book.by_place.get(place, ())}:
        node.reopen(scratch, changed, opened)


def _silent(book: Rulebook, scratch: Subscriber, time: int) -> None:
    """Let timers due before `time` make their instants; no rule fires."""
    while scratch.timers:
        due = min(scratch.timers.values())
        if due >= time:
            break
        ring(book, scratch, due)


def base_of(sub: Subscriber) -> list[Any]:
    """Return presence as plain JSON: where a history segment starts from."""
    return [
        sub.seen_at,
        sub.seen_pos,
        sub.cell,
        sub.seen_late,
        sub.rat,
        sub.known_until,
        sub.offs,
        sub.inside,
        {place: [opened, seq, ["", None, ""]] for place, (opened, seq, _) in sub.visits.items()},
        sub.clock,
    ]


def _restore(sub: Subscriber, base: Any) -> None:
    sub.seen_at, sub.seen_pos, sub.cell, sub.seen_late, sub.rat, sub.known_until = base[:6]
    sub.offs = [(time, seq) for time, seq in base[6]]
    sub.inside = tuple(base[7])
    sub.visits = {place: (v[0], v[1], ("", None, "")) for place, v in base[8].items()}
    sub.clock = base[9]


# -- warming (semantics 3) -----------------------------------------------------------------------------------


def data_reach(pattern: model.Pattern, outer: int = 0) -> int:
    """Return how far back a pattern looks at `data.*` records, windows added up along the nesting, µs."""
    match pattern:
        case model.Count() | model.Total():
            return outer + pattern.within if pattern.event.startswith("data.") else 0
        case model.Happens():
            return outer if pattern.event.startswith("data.") else 0
        case model.Sequence():
            return max(data_reach(p, outer + pattern.within) for p in pattern.steps)
        case model.AllOf():
            return max(data_reach(p, outer + pattern.within) for p in pattern.parts)
        case model.AnyOf():
            return max(data_reach(p, outer) for p in pattern.parts)
        case model.After():
            return max(data_reach(p, outer + pattern.wait) for p in (pattern.first, pattern.no))
        case _:
            return 0


def compare(older: Rulebook, newer: Rulebook, switched_at: int) -> dict[str, int]:
    """Find the new patterns that look further back at `data.*` than any loaded rule did.

    Returns pattern key -> time before which it has no instant, and sets it in `newer`. Its parts
    are new with it: only a whole `when` is asked.
    """
    kept = max([DATA_LEAST, *(data_reach(c.rule.when) for c in older.compiled.values())])
    warming: dict[str, int] = {}
    for rule in newer.compiled.values():
        reach = data_reach(rule.rule.when)
        if rule.root.key in older.by_key:
            until = older.by_key[rule.root.key].warm_at
        else:
            until = switched_at + reach if reach > kept else 0
        if until:
            rule.root.warm_at = warming[rule.root.key] = until
    return warming
