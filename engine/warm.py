"""Warm start: a pattern that is new sees the past 48 hours as if it had been there (semantics.md 3).

What is kept of the past (`engine.history`) is folded again, in log order and with the clock of then, through
the same functions that fold live records, into a scratch subscriber. Only what new patterns remember is taken
over; nothing fires. Patterns that stay keep their state: a node's key is the hash of its content.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import orjson

from engine import ledger
from engine.event_kinds import KINDS
from engine.history import (
    CROSSING,
    IDLE,
    MARK,
    NO_TRIGGER,
    Past,
    append_crossing,
    append_mark,
    read,
    read_near,
)
from engine.matching import fold, ring
from engine.patterns.base import Moment
from engine.presence import LEAVE, LEAVE_LOST, Crossing, lapse_of, rebase, switch_off
from engine.residence import pause
from engine.rulebook import Rulebook, reach_of
from engine.snapshot import HOURS_48, Subscriber


def arm(sub: Subscriber, book: Rulebook, older: Rulebook | None, now: int) -> None:
    """Arm a subscriber for another rule set at log time `now`.

    `older`: the set it was armed for, None if that set is not known any more (then all patterns are new).
    """
    known = set(older.by_key) if older is not None else set()
    fresh = {key for key in book.by_key if key not in known}
    stay = known & set(book.by_key)
    # the ticks up to the switch were for the silent, too: nothing may come due before it any more
    sub.clock = max(sub.clock, now)
    changed = book.places.changed_since(older.places) if older is not None else frozenset()
    if changed:
        _move_fences(sub, book, changed)
    sub.nodes = {key: state for key, state in sub.nodes.items() if key in stay}
    sub.derived = {key: state for key, state in sub.derived.items() if key in stay}
    sub.bare = False
    stay_timers = stay | {LEAVE, LEAVE_LOST}
    sub.timers = {mark: due for mark, due in sub.timers.items() if mark[0] in stay_timers}
    sub.overdue = {mark for mark in sub.overdue if mark[0] in stay}
    _count_again(sub, book.watched - (older.watched if older is not None else frozenset()))
    if fresh:
        scratch = refold(sub, book, now)
        for key in fresh:
            if key in scratch.nodes:
                sub.nodes[key] = scratch.nodes[key]
            if key in scratch.derived:
                sub.derived[key] = scratch.derived[key]
        sub.timers.update((mark, due) for mark, due in scratch.timers.items() if mark[0] in fresh)
        sub.overdue |= {mark for mark in scratch.overdue if mark[0] in fresh}
    ledger.end_shadow(sub, {rule.name for rule in book.compiled.values() if not rule.shadow})
    if book.policy.learn is None:
        pause(sub)
    sub.rules = book.hash
    sub.core_dirty = True
    set_wake(sub)


def derive(sub: Subscriber, book: Rulebook) -> None:
    """Find again what the store does not hold, for it stands in the near part of the history (ADR 4)."""
    sub.bare = False
    moment = Moment(sub.clock, 0)
    for past in read_near(sub.history):
        nodes = book.derived.get(past.kind)
        if nodes:
            moment.event, moment.now, moment.seq, moment.places = (
                past.event(),
                past.clock,
                past.seq,
                past.places,
            )
            for node in nodes:
                node.note(sub, moment)


def set_wake(sub: Subscriber) -> None:
    """Find the earliest timer or hold end; 0 if there is none."""
    dues = [*sub.timers.values(), *(hold["due"] for hold in sub.holds)]
    sub.wake = min(dues) if dues else 0


def _count_again(sub: Subscriber, kinds: frozenset[str]) -> None:
    """Count the records of kinds that no rule looked at so far: is the subscriber hot for them?"""
    if kinds:
        for past in read(sub.history):
            if past.kind in kinds:
                sub.heat.count(past.kind, past.clock - past.late, past.clock, sub.history)


def _move_fences(sub: Subscriber, book: Rulebook, changed: frozenset[str]) -> None:
    """Give new and changed places their state from the last sighting: visits open, nothing fires (2.4)."""
    places = book.places.of_cell.get(sub.cell, ()) if sub.cell is not None else ()
    history = sub.history
    if history.far:  # else there was no record yet, and nothing to tell apart
        if sub.clock > history.far_until:
            history.begin_far(sub.clock, sub.seq, sub.visits)
        # the last sighting goes with it: one outside of all places was not kept
        seen = (sub.seen_at, sub.seen_pos)
        append_mark(history, places, tuple(sorted(changed)), sub.seq, sub.clock, seen)
    _reopen(sub, book, changed, places)


def _reopen(sub: Subscriber, book: Rulebook, changed: frozenset[str], places: tuple[str, ...]) -> None:
    opened = [p for p in places if p in changed or p not in sub.visits]
    rebase(sub, changed, places, book.places.order)
    nodes = {node.index: node for place in sorted(changed) for node in book.by_place.get(place, ())}
    for node in nodes.values():
        node.reopen(sub, changed, opened)


# -- folding again -------------------------------------------------------------------------------------------


ENDED, LOST, TOLD, TOLD_LOST = "ended", "ended, lost", "told", "told, lost"
"""In place of `known`: no sighting, but visits that ended when a timer was due; behind a sighting that was
told so late that they had ended by then. Lost: that is no instant (7 a)."""
ENDS = (ENDED, LOST, TOLD, TOLD_LOST)
SILENT = (LOST, TOLD_LOST)


def note_crossing(sub: Subscriber, crossing: Crossing) -> None:
    """Keep what a sighting changed about places: all that patterns over places look at."""
    if sub.history.is_full(sub.history.far[-1]):
        return
    words = (
        crossing.known,
        tuple(crossing.opened),
        tuple(crossing.entered),
        tuple(crossing.went_on),
        sub.rat,
    )
    late = sub.clock - crossing.time
    # visits that ended by time did so behind the sighting, in this order
    ended = sorted(crossing.left, key=lambda place: crossing.left[place][0])
    inside = sub.inside
    if ended:
        inside = (*inside, *ended)
    append_crossing(sub.history, inside, words, sub.seq, sub.clock, late, crossing.known_until)
    for number, place in enumerate(ended, 1):
        inside = tuple(each for each in inside if each != place)
        end, fires, _ = crossing.left[place]
        word = TOLD if fires else TOLD_LOST
        _note_ended(sub, inside, word, sub.seq + number, sub.clock, sub.clock - end)


def note_end(sub: Subscriber, crossing: Crossing, due: int) -> None:
    """Keep that visits ended at `due`, without a sighting (`presence.leave_due`)."""
    if not sub.history.far or sub.history.is_full(sub.history.far[-1]):
        return
    fires = any(fires for _, fires, _ in crossing.left.values())
    # armed for other rules long after a switch, the history may already have come beyond it
    clock = max(due, sub.history.far[-1].clock)
    _note_ended(sub, sub.inside, ENDED if fires else LOST, sub.seq, clock, clock - due)


def _note_ended(sub: Subscriber, inside: tuple[str, ...], word: str, seq: int, clock: int, late: int) -> None:
    append_crossing(sub.history, inside, (word, (), (), (), sub.rat), seq, clock, late, sub.known_until)


def refold(sub: Subscriber, book: Rulebook, now: int) -> Subscriber:
    """Fold what is kept of a subscriber through all patterns of `book`, silently, up to `now`."""
    scratch = Subscriber(sub.key, book.hash)
    history = sub.history
    scratch.seen_at = 0
    if history.far:
        _restore(scratch, history.far[0].base)
    groups = [list(group) for _, group in groupby(read(history), key=_place_in_log)]
    for group, known_until in zip(groups, _known_before(groups, sub.known_until), strict=True):
        scratch.known_until = known_until
        clock = _clock_of(group[0])
        _silent(book, scratch, clock)
        scratch.clock = clock
        scratch.seq = group[0].seq
        _fold_past(book, scratch, group)
    scratch.known_until, scratch.offs, scratch.seen_at = sub.known_until, list(sub.offs), sub.seen_at
    _silent(book, scratch, now)
    return scratch


def _clock_of(past: Past) -> int:
    return past.clock - past.late if _is_timer(past) else past.clock


def _is_timer(past: Past) -> bool:
    return past.kind == CROSSING and past.words[0] in (ENDED, LOST)


def _place_in_log(past: Past) -> tuple[int, bool]:
    return past.seq, past.kind == MARK


def _known_before(groups: list[list[Past]], current: int) -> list[int]:
    """Say for each group until when whereabouts were known just before it: the next crossing has noted it.

    Sightings that changed nothing are not kept, but they only ever lengthened what the next crossing noted.
    """
    found = []
    for group in reversed(groups):
        for past in group:
            if past.kind == CROSSING:
                current = past.pair[1]
        found.append(current)
    return found[::-1]


def _fold_past(book: Rulebook, scratch: Subscriber, group: list[Past]) -> None:
    moment = Moment(scratch.clock, scratch.seq)
    moment.group = any(_is_timer(past) for past in group)
    for past in group:
        if past.kind == MARK:
            scratch.seen_at, scratch.seen_pos = past.pair
            _reopen(scratch, book, frozenset(past.words[0]), past.places or ())
        elif past.kind == CROSSING:
            moment.crossing = _again(book, scratch, past)
            moment.timely = moment.crossing.timely if moment.event is None else moment.timely
        else:
            event = moment.event = past.event()
            signaling = KINDS[event.kind].group == "signaling"
            patience = book.policy.patience if signaling else HOURS_48
            moment.places = past.places
            moment.timely = past.clock - event.t <= patience
            moment.fires = moment.timely and not past.flags & NO_TRIGGER
            if event.kind == "power.off" and not past.flags & IDLE:
                switch_off(scratch, event)
    if moment.event is not None or moment.crossing is not None:
        fold(book, scratch, moment)


def _again(book: Rulebook, scratch: Subscriber, past: Past) -> Crossing:
    known, opened, entered, went_on, rat = past.words
    time = past.clock - past.pair[0]
    timely = past.clock - time <= book.policy.patience
    crossing = Crossing(time, timely, bool(known), scratch.inside, past.pair[1])
    if known in ENDS:
        inside = scratch.inside = past.places or ()
        crossing.left = {
            place: (time, known not in SILENT, ("", None, ""))
            for place in crossing.before
            if place not in inside
        }
        for place in crossing.left:
            scratch.visits.pop(place, None)
            scratch.doubts.pop(place, None)
        return crossing
    crossing.opened, crossing.entered, crossing.went_on = list(opened), list(entered), list(went_on)
    places = past.places or ()
    scratch.visits = {place: visit for place, visit in scratch.visits.items() if place in places}
    for place in crossing.opened:
        scratch.visits[place] = (time, past.seq, ("", None, ""))
    scratch.inside = places
    # neither opened nor gone on with: a sighting outside has put it in doubt, or left it there (ADR 19)
    seen = {*opened, *went_on}
    scratch.doubts = {place: (time, 1, ("", None, "")) for place in places if place not in seen}
    scratch.offs = [off for off in scratch.offs if off[0] > time]
    scratch.seen_at = time
    scratch.known_until = time + lapse_of(book.policy, rat)
    return crossing


def _silent(book: Rulebook, scratch: Subscriber, time: int) -> None:
    """Let timers due before `time` make their instants; no rule fires."""
    while scratch.timers:
        due = min(scratch.timers.values())
        if due >= time:
            break
        ring(book, scratch, due)


def _restore(sub: Subscriber, base: bytes) -> None:
    visits: dict[str, Any] = orjson.loads(base) if base else {}
    sub.visits = {place: (opened, seq, ("", None, "")) for place, (opened, seq) in visits.items()}
    sub.inside = tuple(visits)


# -- warming (semantics 3) -----------------------------------------------------------------------------------


def near_of(books: Sequence[Rulebook]) -> dict[str, int]:
    """Return how far the kinds are kept that are kept only as far as some rule looks back, µs."""
    return {kind: max(book.near[kind] for book in books) for kind in books[0].near}


def compare(
    olders: Sequence[Rulebook],
    newers: Sequence[Rulebook],
    switched_at: int,
    kept_since: dict[str, int],
    warming: dict[str, int],
) -> dict[str, int]:
    """Find the new patterns that look further back at data or location records than these were kept.

    Such a pattern has no instant before its window has passed since the switch. A pattern's parts are new
    with it, so that only a whole `when` is asked. `olders`, `newers`: the sets in force before and from then
    on, two where one is a canary's. `kept_since` (kind -> time) is brought up to the switch; `warming` says
    what still was. Returns pattern key -> time.
    """
    for kind, horizon in near_of(olders).items():
        kept_since[kind] = max(kept_since.get(kind, 0), switched_at - horizon)
    found: dict[str, int] = {}
    for rule in (rule for newer in newers for rule in newer.compiled.values()):
        key = rule.root.key
        if any(key in older.by_key for older in olders):
            until = warming.get(key)
            if until is not None and until > switched_at:
                found[key] = until
            continue
        reach = reach_of([rule.rule.when])
        kept = {kind: max(switched_at - since, 0) for kind, since in kept_since.items()}
        short = [reach[kind] for kind, far in kept.items() if reach.get(kind, 0) > far]
        if short:
            found[key] = switched_at + max(short)
    return found
