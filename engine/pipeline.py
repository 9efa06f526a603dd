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
from typing import Any

from engine import control, ledger, switching, warm
from engine.canary import Canary, set_of
from engine.copies import LOOK, forget, is_copy, name_of, note
from engine.decision import Candidate, decision_id, early_refusal, judge
from engine.emit import Decision, record
from engine.event import Event
from engine.event_kinds import KINDS
from engine.feeds import Feeds
from engine.history import IDLE, NO_TRIGGER
from engine.matching import firings, fold, ring
from engine.patterns.base import Moment
from engine.presence import Crossing, is_known, leave_due, sight, switch_off
from engine.residence import observe
from engine.rulebook import CompiledRule, Rulebook
from engine.snapshot import NEVER, Subscriber

HOUR = 3_600_000_000
SIGNALING_LIMIT = HOUR
BUSINESS_LIMIT = 48 * HOUR
_LIMITS = {
    kind: SIGNALING_LIMIT if spec.group == "signaling" else BUSINESS_LIMIT
    for kind, spec in KINDS.items()
    if spec.group != "control"
}
"""Kind -> how late it may be (1.5) and how long its copies are known (1.6), µs. Not for control records."""

Rulebooks = Callable[[str], Rulebook]
"""Hash of a published rule set -> the set, compiled."""
Judged = Callable[[Subscriber, int, list[Candidate], list[Decision]], None]
"""Told of one judgement when it is done: whose, when (µs), its candidates by rank, their decision records."""


def may_be_sampled(reason: str | None) -> bool:
    """Say whether of the refusals of a reason only some may be kept (`keep_refusal`)."""
    return reason is not None and (reason == "valid" or reason.startswith("who."))


class Fold:
    """The state of one partition and the one way to change it: `apply`."""

    def __init__(
        self,
        book: Rulebook,
        salt: bytes,
        books: Rulebooks | None = None,
        keep_refusal: Callable[[int], bool] | None = None,
    ) -> None:
        self.base = book
        """The set of rules in force, for all but those of a canary."""
        self.canary: Canary | None = None
        self.book = book
        """The set of the subscriber being folded: the base's or the canary's."""
        self.settled = book.hash
        """`Subscriber.rules` of whoever needs no look at where they stand; with a canary all need one."""
        self.near = book.near
        """Kind that is kept only as far as rules look back -> how far, µs; as far as any set in force."""
        self.horizon = book.horizon
        self.salt = salt
        self.books = books
        self.keep_refusal = keep_refusal
        """Sampling of `valid` and `who.*` refusals: given how many of a rule and reason there were, keep the
        next? None keeps all. They are always counted."""
        self.subscribers: dict[str, Subscriber] = {}
        self.feeds = Feeds()
        """Watermark and feeds that are down, from the ticks of the log."""
        self.kept_since: dict[str, int] = {}
        """Kind that is kept only as far as rules look back -> since when it was (engine.warm.compare)."""
        self.warming: dict[str, int] = {}
        """Key of a new `when` that looks further back than was kept -> no instant before."""
        self.switched_at = NEVER
        """Watermark at the last rule switch: what a warm start must not fire before."""
        self.older: tuple[Rulebook, ...] = ()
        """The sets in force before the last switch."""
        self.due_canary: dict[str, Any] | None = None
        """A canary (packed) whose switch a rebuild has not come to yet."""
        self.wakes: list[tuple[int, str]] = []
        """Heap of (wake, subscriber key); stale entries are skipped."""
        self._moment = Moment(NEVER, 0)
        """The record being folded; nobody keeps it beyond that."""
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
        self.on_judged: Judged | None = None
        """For reports (`engine.backtest`): it looks, and changes nothing."""
        self.optouts: Counter[str] = Counter()
        """Kind of record -> how often one took a consent to marketing back, or began to suppress somebody."""
        self.presence: Counter[str] = Counter()
        """Deed (`presence.DEEDS`) -> how often a place that is left late did it."""
        self.muted = False
        """A lost store is being rebuilt: patterns see the past again, but what was decided then stands in the
        ledger already. No rule fires, none ends a hold, and switches of that time are passed over."""
        self.profiles: dict[str, int] = {}
        """Subscribers whose profile, consent or suppression changed since the last commit -> `t` of the last
        record that changed it."""
        self.releases: list[tuple[str, str, int]] = []
        """(decision id, subscriber key, `t`) of contacts that a receipt took away since the last commit."""
        self.gone: set[str] = set()
        """Subscribers forgotten since the last commit, or let go since nothing of them counts any more."""
        self.forgotten: dict[str, tuple[int, frozenset[str]]] = {}
        """Those who were to be forgotten: `t` of the record that said so, decisions in their ledger then."""
        self.last_words: dict[str, tuple[str | None, int]] = {}
        """Of those who had opted out: their MSISDN, and `t` of the record that forgot them."""

    # -- what a lane does to the state -----------------------------------------------------------------------

    def adopt(self, sub: Subscriber) -> None:
        """Take in a subscriber read from the store."""
        self.subscribers[sub.key] = sub
        if sub.bare:
            book = self.book_of(set_of(sub.rules))
            if book is not None:
                warm.derive(sub, book)
        sub.noted = 0
        self._note_wake(sub)

    def drop_cache(self) -> None:
        """Forget all subscribers: called between batches, when everything is committed."""
        self.subscribers.clear()
        self.wakes.clear()

    # -- one record ------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Fold one record of the log."""
        limit = _LIMITS.get(event.kind)
        if limit is None:
            self._control(event)
            return
        sub = self.subscribers.get(event.key)
        if sub is None or sub.rules != self.settled:
            sub = self.subscriber(event.key)
        else:
            self.touched[event.key] = sub
            if sub.clock < self.feeds.watermark:
                sub.clock = self.feeds.watermark
        if self._in_order(sub, event, limit, sub.ids if limit == SIGNALING_LIMIT else sub.business_ids):
            if limit == SIGNALING_LIMIT:
                self._signaling(sub, event)
            else:
                self._business(sub, event)

    def subscriber(self, key: str) -> Subscriber:
        """Return the state of a subscriber, armed for the rules in force and up to the last tick."""
        sub = self.subscribers.get(key)
        canary = self.canary
        if sub is None:
            sub = self.subscribers[key] = Subscriber(key, self.base.hash)
        if canary is not None and canary.has_asked(sub):
            self.book = self.side(sub)
        elif canary is not None or sub.rules != self.base.hash:
            self.book = book = self.side(sub)
            older = self.book_of(set_of(sub.rules))
            if older is not book:
                warm.arm(sub, book, older, max(sub.clock, self.switched_at))
            sub.rules = book.hash if canary is None else book.hash + canary.suffix
            sub.core_dirty = True
            if sub.wake and sub.wake < self.feeds.watermark:
                # armed long after the switch: what came due meanwhile comes before whatever touches it now
                self.touched[key] = sub
                self._advance(sub, self.feeds.watermark)
            self._note_wake(sub)
        # a tick is for every subscriber, also one whose first record comes later (1.8)
        if sub.clock < self.feeds.watermark:
            sub.clock = self.feeds.watermark
        self.touched[key] = sub
        return sub

    def side(self, sub: Subscriber) -> Rulebook:
        """Return the set of rules that is in force for a subscriber."""
        canary = self.canary
        if canary is None:
            return self.base
        if canary.has_asked(sub):
            return canary.book if sub.rules == canary.book.hash + canary.suffix else self.base
        return canary.book if canary.takes(sub, self.salt) else self.base

    def _control(self, event: Event) -> None:
        """Apply a control record: it moves no clock and fires no timer, ticks excepted (1.3)."""
        self.outcomes["applied"] += 1
        self.newest = max(self.newest, event.t)
        if event.kind == "tick":
            self.outcomes["ticks"] += 1
            self.tick(event.t, event.fields.get("down") or ())
        elif event.kind == "rules.switch":
            switching.switch(self, event)
        elif event.kind == "subscriber.forget":
            self._forget(event)
        else:
            sub = self.subscriber(event.key)
            refused = sub.consent.get("marketing") is False
            if control.apply(sub, event):
                self.releases.append((str(event.fields["decision"]), event.key, event.t))
            elif event.kind in control.PROFILE_KINDS:
                self.profiles[event.key] = event.t
                if not refused and sub.consent.get("marketing") is False:
                    self.optouts[event.kind] += 1

    def _forget(self, event: Event) -> None:
        key = event.key
        sub = self.subscribers.pop(key, None)
        if self.muted and sub is not None:
            # the ledger holds what was decided since: what was before has been left out of it
            left = self.subscriber(key)
            left.contacts, left.holds = sub.contacts, sub.holds
            left.wake = min((hold["due"] for hold in left.holds), default=0)
            self._note_wake(left)
            self.profiles[key] = event.t
            return
        if sub is not None and (sub.choice < 0 or sub.suppressed or sub.consent.get("marketing") is False):
            self.last_words[key] = sub.bound, event.t
        self.touched.pop(key, None)
        self.gone.add(key)
        ids = self.forgotten[key][1] if key in self.forgotten else frozenset[str]()
        if sub is not None:
            ids |= {contact[5] for contact in sub.contacts} | {hold["id"] for hold in sub.holds}
        self.forgotten[key] = event.t, ids
        self.profiles[key] = event.t

    def _in_order(self, sub: Subscriber, event: Event, limit: int, ids: bytearray) -> bool:
        """Drop the too late and the copies; fire what is due before; move the clock (1.3, 1.5, 1.6)."""
        time, clock, id = event.t, sub.clock, event.id
        if time < clock and clock - time > limit:
            self.outcomes["late"] += 1
            return False
        if id is not None:
            name = name_of(id)
            other = sub.business_ids if limit == SIGNALING_LIMIT else sub.ids
            if (ids.find(name) >= 0 and is_copy(ids, name, clock, limit)) or (
                other and other.find(name) >= 0 and is_copy(other, name, clock, SIGNALING_LIMIT)
            ):
                self.outcomes["duplicate"] += 1
                return False
            note(ids, name, time)
            if not len(ids) % LOOK:
                forget(ids, max(time, clock), limit)
        if time > clock:
            if sub.wake and sub.wake < time:
                self._advance(sub, time)
            sub.clock = clock = time
        elif time < clock:
            self.outcomes["applied late"] += 1
            if limit == SIGNALING_LIMIT and clock - time > self.book.policy.patience:
                self.outcomes["beyond patience"] += 1
        if time > self.newest:
            self.newest = time
        sub.seq += 1
        self.outcomes["applied"] += 1
        if clock > sub.history.far_until:
            sub.history.begin_far(clock, sub.seq, sub.visits)
        return True

    def _signaling(self, sub: Subscriber, event: Event) -> None:
        book, kind, cell, fields, clock = self.book, event.kind, event.cell, event.fields, sub.clock
        flags = 0
        crossing = None
        places: tuple[str, ...] | None
        if "quality" in fields and "no_trigger" in (fields["quality"] or ()):
            flags = NO_TRIGGER
        if kind == "power.off" and not switch_off(sub, event):
            flags |= IDLE
        if cell is None:
            # 7(h): without a cell, the state at the clock after the record's own effect
            places = sub.inside if is_known(sub, clock) else None
        else:
            places = book.places.of_cell.get(cell, ())
            # 2.1: one earlier than the last sighting is ignored, one late by more than 1 h is dropped (1.5)
            if sub.seen_at <= event.seen >= clock - SIGNALING_LIMIT and not flags and kind != "power.off":
                if book.policy.learn is not None and observe(sub, event, book.policy):
                    self.profiles[event.key] = event.t
                crossing = sight(sub, event, places, book.policy, book.places)
                if crossing is not None:
                    if places or crossing.before:
                        warm.note_crossing(sub, crossing)
                    else:
                        crossing = None
        horizon = self.near.get(kind)
        if horizon is None:
            sub.keep(event, places, flags, 0)
        elif horizon:
            sub.keep(event, places, flags, self.horizon)
            if kind == "data.session":
                sub.history.use.add(event.t, fields.get("up", 0) + fields.get("down", 0))
                sub.history.packed = None
        if kind in book.watched:
            sub.heat.count(kind, event.t, clock, sub.history)
            self._match(sub, event, places, book.policy.patience, flags, crossing)
        elif crossing is not None:
            self._match(sub, event, places, book.policy.patience, flags, crossing)
        if crossing is not None and crossing.deeds:
            self.presence.update(crossing.deeds)
            sub.seq += len(crossing.left)  # each has a place of its own in the history

    def _business(self, sub: Subscriber, event: Event) -> None:
        sub.core_dirty = True
        # 7(l): its own effect comes before the rules on it are judged
        suppressed = sub.suppressed
        if control.business(sub, event, self.book.policy):
            self.profiles[event.key] = event.t
            if sub.suppressed and not suppressed:
                self.optouts[event.kind] += 1
        if event.cell is not None:
            places: tuple[str, ...] | None = self.book.places.of_cell.get(event.cell, ())
        else:
            places = sub.inside if is_known(sub, sub.clock) else None
        flags = NO_TRIGGER if "no_trigger" in (event.fields.get("quality") or ()) else 0
        sub.keep(event, places, flags, 0)
        if event.kind in self.book.watched:
            sub.heat.count(event.kind, event.t, sub.clock, sub.history)
            self._match(sub, event, places, BUSINESS_LIMIT, flags, None)

    def _match(
        self,
        sub: Subscriber,
        event: Event,
        places: tuple[str, ...] | None,
        patience: int,
        flags: int,
        crossing: Crossing | None,
    ) -> None:
        clock = sub.clock
        moment = self._moment
        moment.now, moment.seq, moment.event = clock, sub.seq, event
        moment.timely = timely = clock - event.t <= patience
        moment.fires = timely and not flags & NO_TRIGGER
        moment.trigger = (event.source, event.id, event.position)
        moment.places, moment.crossing = places, crossing
        hits = fold(self.book, sub, moment)
        if sub.wake != sub.noted:
            self._note_wake(sub)
        if hits is None or self.muted:
            return
        fired = firings(self.book, sub, hits, clock, self.warming)
        if fired and not (len(fired) == 1 and self._refuse_early(sub, fired[0][0], clock)):
            self._judge(sub, clock, [Candidate.fired(rule, i, clock) for rule, i in fired])

    def _refuse_early(self, sub: Subscriber, rule: CompiledRule, now: int) -> bool:
        """Count a refusal by `valid` or `who` that is not to be written; False: it must be judged in full."""
        if self.keep_refusal is None or rule.feed_kinds:
            return False
        reason = early_refusal(sub, rule, now)
        if reason is None:
            return False
        fate = rule.name, f"refused:{reason}"
        count = self.counts[fate]
        if self.keep_refusal(count):
            return False
        self.counts[fate] = count + 1
        return True

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
            if sub.rules != self.settled:
                self.subscriber(key)
            if sub.wake and sub.wake < time:
                self.touched[key] = sub
                self._advance(sub, time)
            self._note_wake(sub)
        self.feeds.tick(time, down)

    def _advance(self, sub: Subscriber, time: int) -> None:
        """Fire the groups of timers due before `time`, in order, until none is left (semantics 3)."""
        sub.core_dirty = True
        while True:
            due = min(
                min(sub.timers.values(), default=time),
                min((hold["due"] for hold in sub.holds), default=time),
            )
            if due >= time:
                break
            left = leave_due(sub, due) if sub.doubts else None
            if left is not None:
                # the history has come so far, and what is applied next is not earlier
                sub.clock = max(sub.clock, due)
                self.presence.update(left.deeds)
                warm.note_end(sub, left, due)
            hits = ring(self.book, sub, due, left)
            fired = firings(self.book, sub, hits, due, self.warming) if hits else []
            candidates = [Candidate.fired(rule, instant, due) for rule, instant in fired]
            ending = [hold for hold in sub.holds if hold["due"] == due]
            if ending:
                sub.holds = [hold for hold in sub.holds if hold["due"] != due]
                compiled = self.book.compiled
                candidates += [Candidate.ending(compiled.get(hold["rule"]), hold) for hold in ending]
            if candidates and not self.muted:
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
                and may_be_sampled(reason)
                and not self.keep_refusal(self.counts[candidate.name, f"refused:{reason}"] - 1)
            ):
                return
            self.decisions.append(record(self.book, sub, candidate, outcome, reason, now))

        written = len(self.decisions)
        judge(self.book, self.salt, sub, now, candidates, settle)
        if self.on_judged is not None:
            self.on_judged(sub, now, candidates, self.decisions[written:])
        ledger.expire(sub, self.book, now)
        self._note_wake(sub)

    # -- rules -----------------------------------------------------------------------------------------------

    @property
    def in_force(self) -> tuple[Rulebook, ...]:
        """The set that all others keep, and the canary's if there is one."""
        return (self.base,) if self.canary is None else (self.base, self.canary.book)

    def book_of(self, name: str) -> Rulebook | None:
        """Return a published set; None if nobody published it."""
        for book in (*self.in_force, *self.older):
            if book.hash == name:
                return book
        try:
            return self.books(name) if self.books is not None else None
        except KeyError:
            return None
