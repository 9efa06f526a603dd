"""The naive reference model: `run(case)` gives the decisions that the semantics page demands.

Every raw record of a subscriber is kept; presence, windows and waits are worked out anew at every moment.
Sentence numbers are those of the semantics page. Times are int µs UTC.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from . import clockface
from .decide import Candidate, Ledger, Rule
from .intake import BUSINESS, CONTROL, SIGNALING, Identities, drop_limit, refusal
from .patterns import After, Moment, Node, build
from .residence import Residence
from .values import HOUR, SECOND, TWO_DAYS
from .world import Applied, House, Past, Sighting

HOT = 2_000  # 3: records of a kind in 48 h


class Subscriber:
    """One subscriber: the past, the ledger, and a tree of nodes per rule."""

    def __init__(self, house: House, rules: list[Rule], key: str) -> None:
        self.house = house
        self.past = Past(house)
        self.ledger = Ledger(house, key)
        count = [0]
        self.residence = Residence(house, self.ledger.profile, self.ledger.consent)
        self.past.resident = self.residence.resident
        self.trees: list[tuple[Rule, Node]] = [(rule, build(self.past, rule.when, count)) for rule in rules]
        self.ids: list[tuple[str, int, int]] = []  # id, t, how long it is remembered
        self.fired: set[tuple[str, int]] = set()  # (rule, stamp): 3, at most once
        self.log_order = 0

    # ---- records ----

    def take(self, record: dict[str, Any]) -> str:
        """Apply a signaling or business record: `applied`, `late` (dropped) or `duplicate`."""
        past, t, limit = self.past, int(record["t"]), drop_limit(record["kind"])
        if past.clock is not None:
            if past.clock - t > limit:
                return "late"  # 1.5
            # docs/decisions/0003: ids of signaling records are remembered for an hour
            known = {i for i, then, kept in self.ids if then >= past.clock - min(limit, kept)}
            if (record.get("id") or "") in known:
                return "duplicate"  # 1.6, 7(q)
        self.advance(t)
        if record.get("id"):
            self.ids.append((record["id"], t, limit))
        self.log_order += 1
        past.clock = t if past.clock is None else max(past.clock, t)  # 1.3
        self.take_effect(record)  # 7(l): before the rules on the record are judged
        sighting = self.see(record)
        applied = Applied(record, self.log_order, past.clock, self.whereabouts(record))
        past.records.append(applied)
        ended: list[str] = []
        if sighting is not None:  # 7(b)
            ended = past.end_by_time(past.clock, self.house.patience("loc.sight"), told=sighting)
        self.meet(Moment(past.clock, applied, sighting, tuple(ended)))
        return "applied"

    def take_effect(self, record: dict[str, Any]) -> None:
        """4.8: what a business record does to the profile and the suppression."""
        ledger = self.ledger
        if record["kind"] == "product.bought" and record.get("product") is not None:
            held = ledger.profile.get("products") or []
            if record["product"] not in held:
                ledger.profile["products"] = [*held, record["product"]]  # 7(l): unknown becomes known
        opt_out = self.house.policy.get("opt_out", ["TD", "R", "退订"])
        if record["kind"] == "complaint" or (record["kind"] == "sms.reply" and record.get("text") in opt_out):
            ledger.suppressed = True

    def see(self, record: dict[str, Any]) -> int | None:
        """2: take the record's effect on presence; give the number of its sighting if it is one."""
        past, kind = self.past, record["kind"]
        assert past.clock is not None
        if kind == "power.off":
            past.offs.append((int(record["t"]), self.log_order))  # 2.2
            return None
        if kind not in SIGNALING or not record.get("cell") or "no_trigger" in (record.get("quality") or ()):
            return None  # 2.1, 2.4
        start = record.get("t_start")
        time = int(record["t"]) if start is None else int(start)
        if past.sightings and time < past.sightings[-1].time:
            return None  # 2.1: ignored for presence
        if past.clock - time > HOUR:
            return None  # 2.1: late in the sense of 1.5, so dropped as a sighting
        past.sightings.append(
            Sighting(time, self.log_order, record["cell"], record.get("rat"), past.clock - time)
        )
        self.residence.see(past, self.ledger.zone)
        return len(past.sightings) - 1

    def whereabouts(self, record: dict[str, Any]) -> frozenset[str] | None:
        """3, 7(h): the record's own cell, or without one the state at the clock after its own effect."""
        if record.get("cell"):
            return self.house.places_of(record["cell"])
        assert self.past.clock is not None
        return self.past.places_at(self.past.clock)

    def control(self, record: dict[str, Any]) -> None:
        """1.3: apply a control record in log order; it moves no clock and fires no timer."""
        ledger = self.ledger
        if record["kind"] == "profile.update":
            ledger.profile.update(record.get("profile") or {})  # 4.8: null = unknown
            if "timezone" in record:
                ledger.profile["timezone"] = record["timezone"]
            ledger.consent.update(record.get("consent") or {})
        elif record["kind"] == "consent.change":
            consent = record.get("consent") or {}
            ledger.consent.update(consent)
            if consent.get("marketing") is True:
                ledger.suppressed = False
        if record["kind"] in ("profile.update", "consent.change"):
            self.residence.consent_changed()
        elif record["kind"] == "offer.receipt" and record.get("status") == "rejected":
            # 4.4: a receipt that rejects for good removes the contact
            ledger.contacts = [one for one in ledger.contacts if one.id != record.get("decision")]

    # ---- time ----

    def tick(self, t: int) -> None:
        """1.8: fire what is due before the tick and move the clock."""
        self.advance(t)
        self.past.clock = t if self.past.clock is None else max(self.past.clock, t)

    def advance(self, t: int) -> None:
        """3: fire the groups of timers due before the record, in the order of their due times."""
        if self.past.clock is None:
            return
        since = self.past.clock  # what was due before the clock has been settled; due = clock has not
        while True:
            waiting = {due for _, tree in self.trees for due in tree.dues()}
            waiting |= {hold.due for hold in self.ledger.holds if hold.due is not None}
            waiting |= {over for _, _, over in self.past.doubts()}
            due = min((due for due in waiting if since <= due < t), default=None)
            if due is None:
                return
            self.meet(Moment(due, None))
            since = due + 1

    # ---- rules ----

    def meet(self, moment: Moment) -> None:
        """Let every rule match at this moment, and judge together what fires (4.1)."""
        candidates = []
        if moment.record is None:
            left = self.past.end_by_time(moment.now, self.house.patience("loc.sight"))
            moment = replace(moment, ended=tuple(left))
        for rule, tree in self.trees:
            tree.step(moment)
            candidate = self.candidate(rule, tree, moment)
            if candidate:
                candidates.append(candidate)
        if moment.record is None:  # hold ends are timers of the same group
            ending = [hold for hold in self.ledger.holds if hold.due == moment.now]
            self.ledger.holds = [hold for hold in self.ledger.holds if hold.due != moment.now]
            candidates += ending
        if candidates:
            self.ledger.judge(candidates, moment.now)

    def candidate(self, rule: Rule, tree: Node, moment: Moment) -> Candidate | None:
        """Give the instant with which a rule fires at this moment, if it does (7(d): if any of them may)."""
        firing = [one for one in tree.fresh if one.fire]
        if rule.schedule is not None:  # docs/decisions/0017: instants outside it are no instants
            zone = self.ledger.zone
            firing = [one for one in firing if clockface.is_scheduled(one.time, zone, rule.schedule)]
        if not firing or self.hot(tree, moment.now) or (rule.name, moment.now) in self.fired:
            return None
        self.fired.add((rule.name, moment.now))
        first = min(firing, key=lambda one: one.position)
        down = False
        if isinstance(tree, After) and first.base is not None:
            down = self.house.was_down(tree.absent.kinds(), first.base, first.base + tree.span)
        return Candidate(rule, moment.now, first.place, tree.names_place(), feed_down=down)

    def hot(self, tree: Node, now: int) -> bool:
        """3: more than 2,000 records of a kind in 48 h: the patterns over it fire nothing."""
        if len(self.past.records) <= HOT:
            return False
        recent = Counter(one.kind for one in self.past.records if now - TWO_DAYS < one.t <= now)
        return any(recent[kind] > HOT for kind in tree.kinds())


class Model:
    """The whole input: intake, ticks, subscribers, summary."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.house = House(case)
        rules = [Rule(body) for body in case["rules"]]
        # 4.6: draft and paused leave no record
        self.rules = [rule for rule in rules if rule.status in ("live", "shadow")]
        self.identities = Identities(case["key"])
        self.subscribers: dict[str, Subscriber] = {}
        self.disorder = int(case.get("disorder") or 0)
        self.until: int | None = case.get("until")
        self.counts: Counter[str] = Counter()
        self.refused_by: Counter[str] = Counter()
        self.greatest: int | None = None  # t of the input's records other than control
        self.second: int | None = None  # of the last derived tick
        self.newest: int | None = None  # greatest applied t

    def subscriber(self, record: dict[str, Any]) -> Subscriber:
        key = self.identities.subscriber_key(record)
        assert key is not None
        if key not in self.subscribers:
            self.subscribers[key] = Subscriber(self.house, self.rules, key)
        return self.subscribers[key]

    def profile_line(self, line: dict[str, Any]) -> None:
        """6: a profile line binds IMSI and MSISDN; the rest are fields and consent."""
        self.identities.bind(line)
        ledger = self.subscriber(line).ledger
        names = ("subscriber", "imsi", "msisdn", "consent")
        ledger.profile.update({name: value for name, value in line.items() if name not in names})
        ledger.consent.update(line.get("consent") or {})

    def take(self, record: dict[str, Any]) -> None:
        """Take one record of the input."""
        t = record.get("t")
        if self.until is not None and isinstance(t, int) and t > self.until:
            return  # 6; dropped records are not `read`
        self.counts["read"] += 1
        reason = refusal(record, self.identities)
        if reason:
            self.counts["refused"] += 1
            self.refused_by[reason] += 1
            return
        outcome = "applied"
        if record["kind"] == "tick":
            self.house.ticks.append((record["t"], frozenset(record.get("down") or ())))
            self.tick(record["t"])
        elif record["kind"] in CONTROL:
            self.control(record)
        else:
            outcome = self.subscriber(record).take(record)
        self.counts[outcome] += 1
        if outcome == "applied":
            self.newest = max(record["t"], self.newest or 0)
        if record["kind"] in SIGNALING | BUSINESS:  # 1.8: control records do not move the watermark
            self.derive_tick(record["t"])

    def control(self, record: dict[str, Any]) -> None:
        if record["kind"] == "rules.switch":
            return
        if record["kind"] == "profile.update":
            self.identities.bind(record)
        self.subscriber(record).control(record)

    def derive_tick(self, t: int) -> None:
        """1.8: after a record with which the watermark enters a new second, a tick with that watermark."""
        self.greatest = t if self.greatest is None else max(self.greatest, t)
        watermark = self.greatest - self.disorder
        if self.second is None or watermark // SECOND > self.second:
            self.second = watermark // SECOND
            self.tick(watermark)

    def tick(self, t: int) -> None:
        for subscriber in self.subscribers.values():
            subscriber.tick(t)
        self.house.clock = t if self.house.clock is None else max(self.house.clock, t)

    def close(self) -> None:
        """6, 7(s): the closing tick, one µs after the greatest applied `t`, or after `--until`."""
        if self.until is not None:
            self.tick(self.until + 1)
        elif self.newest is not None:
            self.tick(self.newest + 1)

    def result(self) -> dict[str, Any]:
        """Give the decisions sorted by `at`, then id, and the summary (7)."""
        decisions = [one for subscriber in self.subscribers.values() for one in subscriber.ledger.decisions]
        decisions.sort(key=lambda one: (one["at"], one["id"]))
        by_rule: dict[str, dict[str, int]] = {}
        for one in decisions:
            name = f"refused:{one['reason']}" if one["outcome"] == "refused" else one["outcome"]
            outcomes = by_rule.setdefault(one["rule"], {})
            outcomes[name] = outcomes.get(name, 0) + 1
        counts = {name: self.counts[name] for name in ("read", "applied", "duplicate", "late", "refused")}
        summary = {**counts, "refused_by": dict(self.refused_by), "decisions": by_rule}
        return {"decisions": decisions, "summary": summary}


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Decide a case; shapes as in the differential case format."""
    model = Model(case)
    for line in case.get("profiles") or []:
        model.profile_line(line)
    for record in case["records"]:
        model.take(record)
    model.close()
    return model.result()
