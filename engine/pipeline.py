"""The whole way of a record, at a glance. Read this file first.

A lane owns one partition of the log. For each record it calls `Fold.apply`, in the order of the log:

    intake     raw bytes -> Event: refused, identified, without numbers that name a person   engine.intake
    order      late? a copy? fire what is due before it; move the clock                      here
    control    profile, consent, receipts, rules.switch, ticks: no clock, no instants        engine.control
    presence   cell -> places; sighting -> visits opened, continued, closed                  engine.presence
    snapshot   the behaviour is kept, packed, for 48 hours                                   engine.history
    patterns   which patterns have an instant now; which wait for a timer                    engine.matching
    decision   gates in one fixed order, arbitration, quiet time, holdout                    engine.decision
    emit       the message and the decision record                                           engine.emit

`Fold` knows no clock, no I/O and no randomness: the same records in the same order give the same decisions,
live, embedded, in rule tests, in replay and in explain. What it changes is owned by the lane and thrown away
when a commit is refused (`engine.lane`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush

from engine import control, ledger, warm
from engine.decision import Candidate, decision_id, judge
from engine.emit import Decision, record
from engine.event import Event
from engine.event_kinds import KINDS
from engine.feeds import Feeds
from engine.history import IDLE, NO_TRIGGER
from engine.matching import firings, fold, ring
from engine.patterns.base import Moment
from engine.presence import Crossing, is_known, sight, switch_off
from engine.rulebook import Rulebook
from engine.snapshot import NEVER, Subscriber

HOUR = 3_600_000_000
SIGNALING_LIMIT = HOUR
BUSINESS_LIMIT = 48 * HOUR
_SIGNALING = frozenset(kind for kind, spec in KINDS.items() if spec.group == "signaling")
_BUSINESS = frozenset(kind for kind, spec in KINDS.items() if spec.group == "business")

Rulebooks = Callable[[str], Rulebook]
"""Hash of a published rule set -> the set, compiled."""


class Fold:
    """The state of one partition and the one way to change it: `apply`."""

    def __init__(
        self,
        book: Rulebook,
        salt: bytes,
        books: Rulebooks | None = None,
        keep_refusal: Callable[[str], bool] | None = None,
    ) -> None:
        self.book = book
        self.salt = salt
        self.books = books
        self.keep_refusal = keep_refusal
        """Sampling of `valid` and `who.*` refusals by decision id; None keeps all. They are always counted."""
        self.subscribers: dict[str, Subscriber] = {}
        self.feeds = Feeds()
        """Watermark and feeds that are down, from the ticks of the log."""
        self.switched_at = NEVER
        """Watermark at the last rule switch: what a warm start must not fire before."""
        self._older: Rulebook | None = None
        self.wakes: list[tuple[int, str]] = []
        """Heap of (wake, subscriber key); stale entries are skipped."""
        self.newest = NEVER
        """Greatest `t` applied, of any record (7 s)."""
        self.touched: dict[str, Subscriber] = {}
        """Subscribers changed since the last commit."""
        self.decisions: list[Decision] = []
        self.outcomes: Counter[str] = Counter()
        """Records by fate: `applied`, `duplicate`, `late` (dropped); of the applied those `applied late`
        (t < clock), and of these those `beyond patience` (fired nothing, semantics 1.5)."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """(rule, outcome or refused:REASON) -> decisions."""

    # -- what a lane does to the state -----------------------------------------------------------------------

    def adopt(self, sub: Subscriber) -> None:
        """Take in a subscriber read from the store."""
        self.subscribers[sub.key] = sub
        sub.noted = 0
        self._note_wake(sub)

    def drop_cache(self) -> None:
        """Forget all subscribers: called between batches, when everything is committed."""
        self.subscribers.clear()
        self.wakes.clear()

    def warming(self, until: dict[str, int]) -> None:
        """Restore how long new patterns wait for their window (semantics 3)."""
        for key, time in until.items():
            if key in self.book.by_key:
                self.book.by_key[key].warm_at = time

    # -- one record ------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Fold one record of the log."""
        kind = event.kind
        if kind in _SIGNALING:
            sub = self.subscriber(event.key)
            if self._in_order(sub, event, SIGNALING_LIMIT, sub.ids):
                self._signaling(sub, event)
        elif kind in _BUSINESS:
            sub = self.subscriber(event.key)
            if self._in_order(sub, event, BUSINESS_LIMIT, sub.business_ids):
                self._business(sub, event)
        else:
            self.outcomes["applied"] += 1
            self.newest = max(self.newest, event.t)
            if kind == "tick":
                self.outcomes["ticks"] += 1
                self.tick(event.t, event.fields.get("down") or ())
            elif kind == "rules.switch":
                self.switch(event)
            else:
                control.apply(self.subscriber(event.key), event)

    def subscriber(self, key: str) -> Subscriber:
        """Return the state of a subscriber, armed for the current rules and up to the last tick."""
        sub = self.subscribers.get(key)
        if sub is None:
            sub = self.subscribers[key] = Subscriber(key, self.book.hash)
        elif sub.rules != self.book.hash:
            warm.arm(sub, self.book, self._book_of(sub.rules), max(sub.clock, self.switched_at))
            self._note_wake(sub)
        # a tick is for every subscriber, also one whose first record comes later (1.8)
        if sub.clock < self.feeds.watermark:
            sub.clock = self.feeds.watermark
        self.touched[key] = sub
        return sub

    def _in_order(self, sub: Subscriber, event: Event, limit: int, ids: dict[str, int]) -> bool:
        """Drop the too late and the copies; fire what is due before; move the clock (1.3, 1.5, 1.6)."""
        time, clock, id = event.t, sub.clock, event.id
        if time < clock and clock - time > limit:
            self.outcomes["late"] += 1
            return False
        if id is not None:
            if id in ids and ids[id] >= clock - limit:
                self.outcomes["duplicate"] += 1
                return False
            if id in ids:
                del ids[id]
                sub.packed_ids = bytearray(b"\x01")
            ids[id] = time
            if len(ids) > 64 and not len(ids) & 63:
                _forget_ids(ids, max(time, clock) - limit)
                sub.packed_ids = bytearray(b"\x01")
        if time > clock:
            if sub.wake and sub.wake < time:
                self._advance(sub, time)
            sub.clock = time
        elif time < clock:
            self.outcomes["applied late"] += 1
            if limit == SIGNALING_LIMIT and clock - time > self.book.policy.patience:
                self.outcomes["beyond patience"] += 1
        if time > self.newest:
            self.newest = time
        sub.seq += 1
        self.outcomes["applied"] += 1
        if sub.clock > sub.history.far_until:
            sub.history.begin_far(sub.clock, sub.seq, sub.visits)
        return True

    def _signaling(self, sub: Subscriber, event: Event) -> None:
        book, policy, cell, kind = self.book, self.book.policy, event.cell, event.kind
        quality = event.fields.get("quality")
        no_trigger = quality is not None and "no_trigger" in quality
        flags = NO_TRIGGER if no_trigger else 0
        crossing = None
        places: tuple[str, ...] | None
        if kind == "power.off" and not switch_off(sub, event):
            flags |= IDLE
        if cell is None:
            # 7(h): without a cell, the state at the clock after the record's own effect
            places = sub.inside if is_known(sub, sub.clock) else None
        else:
            places = book.places.of_cell.get(cell, ())
            if not no_trigger and kind != "power.off" and event.seen >= sub.seen_at:
                rat = event.fields.get("rat")
                crossing = sight(sub, event, places, book.lapse(rat), policy.bridge, policy.patience)
                if crossing is not None:
                    if places or crossing.before:
                        warm.note_crossing(sub, crossing, rat)
                    else:
                        crossing = None
        horizon = book.near.get(kind)
        if horizon is None:
            sub.keep(event, places, flags, 0)
        elif horizon:
            sub.keep(event, places, flags, book.horizon)
        sub.heat.count(kind, event.t, sub.clock)
        if crossing is not None or kind in book.by_kind:
            self._match(sub, event, places, policy.patience, no_trigger, crossing)

    def _business(self, sub: Subscriber, event: Event) -> None:
        # 7(l): its own effect comes before the rules on it are judged
        control.business(sub, event, self.book.policy)
        if event.cell is not None:
            places: tuple[str, ...] | None = self.book.places.of_cell.get(event.cell, ())
        else:
            places = sub.inside if is_known(sub, sub.clock) else None
        quality = event.fields.get("quality")
        no_trigger = quality is not None and "no_trigger" in quality
        sub.keep(event, places, NO_TRIGGER if no_trigger else 0, 0)
        sub.heat.count(event.kind, event.t, sub.clock)
        if event.kind in self.book.by_kind:
            self._match(sub, event, places, BUSINESS_LIMIT, no_trigger, None)

    def _match(
        self,
        sub: Subscriber,
        event: Event,
        places: tuple[str, ...] | None,
        patience: int,
        no_trigger: bool,
        crossing: Crossing | None,
    ) -> None:
        book = self.book
        moment = Moment(sub.clock, sub.seq)
        moment.event = event
        moment.places = places
        moment.timely = sub.clock - event.t <= patience
        moment.fires = moment.timely and not no_trigger
        moment.trigger = (event.source, event.id, event.position)
        moment.crossing = crossing
        hits = fold(book, sub, moment)
        if sub.wake != sub.noted:
            self._note_wake(sub)
        if hits is None:
            return
        fired = firings(book, sub, hits, sub.clock)
        if fired:
            self._judge(sub, sub.clock, [Candidate.fired(rule, i, sub.clock) for rule, i in fired])

    # -- time ------------------------------------------------------------------------------------------------

    def tick(self, time: int, down: tuple[str, ...] | list[str] = ()) -> None:
        """Apply a tick: fire every subscriber's timers due before it (semantics 3), then move all clocks."""
        wakes = self.wakes
        while wakes and wakes[0][0] < time:
            wake, key = heappop(wakes)
            sub = self.subscribers.get(key)
            if sub is None:
                continue
            if sub.noted == wake:
                sub.noted = 0
            if sub.rules != self.book.hash:
                self.subscriber(key)
            if sub.wake and sub.wake < time:
                self.touched[key] = sub
                self._advance(sub, time)
            self._note_wake(sub)
        self.feeds.tick(time, down)

    def _advance(self, sub: Subscriber, time: int) -> None:
        """Fire the groups of timers due before `time`, in order, until none is left (semantics 3)."""
        while True:
            due = min(
                min(sub.timers.values(), default=time),
                min((hold["due"] for hold in sub.holds), default=time),
            )
            if due >= time:
                break
            hits = ring(self.book, sub, due)
            fired = firings(self.book, sub, hits, due) if hits else []
            candidates = [Candidate.fired(rule, instant, due) for rule, instant in fired]
            ending = [hold for hold in sub.holds if hold["due"] == due]
            if ending:
                sub.holds = [hold for hold in sub.holds if hold["due"] != due]
                compiled = self.book.compiled
                candidates += [Candidate.ending(compiled.get(hold["rule"]), hold) for hold in ending]
            if candidates:
                self._judge(sub, due, candidates)
        warm.set_wake(sub)

    def _note_wake(self, sub: Subscriber) -> None:
        if sub.wake and sub.wake != sub.noted:
            sub.noted = sub.wake
            heappush(self.wakes, (sub.wake, sub.key))

    # -- decisions -------------------------------------------------------------------------------------------

    def _judge(self, sub: Subscriber, now: int, candidates: list[Candidate]) -> None:
        for candidate in candidates:
            rule = candidate.rule
            if rule is not None and rule.feed_kinds and candidate.held is None:
                start = candidate.start if candidate.start is not None else candidate.time
                candidate.feed = self.feeds.was_down(rule.feed_kinds, start, candidate.time)

        def settle(candidate: Candidate, outcome: str, reason: str | None) -> None:
            self.counts[candidate.name, f"refused:{reason}" if reason else outcome] += 1
            if not candidate.id:
                candidate.id = decision_id(self.salt, candidate.name, sub.key, candidate.at)
            if (
                reason is not None
                and self.keep_refusal is not None
                and candidate.held is None
                and (reason == "valid" or reason.startswith("who."))
                and not self.keep_refusal(candidate.id)
            ):
                return
            self.decisions.append(record(self.book, sub, candidate, outcome, reason, now))

        judge(self.book, self.salt, sub, now, candidates, settle)
        ledger.expire(sub, self.book, now)
        self._note_wake(sub)

    # -- rules -----------------------------------------------------------------------------------------------

    def switch(self, event: Event) -> None:
        """Change the rules at this place of the log; subscribers are re-armed when they are next touched."""
        name = event.fields.get("hash")
        if self.books is None or not isinstance(name, str) or name == self.book.hash:
            return
        older = self.book
        self.book = self.books(name)
        self.switched_at = self.feeds.watermark
        self._older = older
        warm.compare(older, self.book, self.switched_at)
        for key in list(self.subscribers):
            self.subscriber(key)

    def _book_of(self, name: str) -> Rulebook | None:
        if self._older is not None and self._older.hash == name:
            return self._older
        try:
            return self.books(name) if self.books is not None else None
        except KeyError:
            return None


def _forget_ids(ids: dict[str, int], limit: int) -> None:
    for id in [id for id, time in ids.items() if time < limit]:
        del ids[id]
