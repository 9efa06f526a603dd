"""From instant to decision: gates 1 to 10, arbitration, holds, holdout, shadow, contacts.

Sentence numbers are those of the semantics page. Times are int µs UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from . import clockface
from .intake import keyed_hash
from .lines import judge_profile
from .values import read_cap, read_share, read_time
from .world import House


class Rule:
    """A rule file, read."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.name: str = body["rule"]
        self.status: str = body["status"]
        self.shadow = self.status == "shadow"
        self.valid: str | None = body.get("valid")
        self.schedule: dict[str, Any] | None = body.get("schedule")
        self.when: dict[str, Any] = body["when"]
        self.who: dict[str, Any] = body.get("who") or {}
        self.unless: dict[str, Any] = body.get("except") or {}
        offer = body.get("offer") or {}
        self.product: str | None = offer.get("product")
        self.send: list[dict[str, Any]] = offer.get("send") or []
        limits: dict[str, Any] = body.get("limits") or {}
        self.priority = int(limits.get("priority", 0))
        self.group: str | None = limits.get("only_one_of")
        self.cap = read_cap(limits["at_most"]) if "at_most" in limits else None
        self.quiet = clockface.read_intervals(limits.get("quiet"))
        self.send_within = read_time(limits["send_within"]) if "send_within" in limits else None
        self.holdout = read_share(limits.get("holdout", "0%"))


@dataclass
class Contact:
    """4.4: what the caps and cooldowns count."""

    id: str
    rule: str
    group: str | None
    at: int
    outcome: str  # offer control held shadow
    manual: bool


@dataclass
class Candidate:
    """An instant of a rule, or the end of a hold, to be judged now."""

    rule: Rule
    stamp: int  # of the instant; for a hold's end the original one
    place: str | None
    names_place: bool
    feed_down: bool = False
    held: bool = False  # this is a hold's end
    due: int | None = None


@dataclass
class Ledger:
    """What outlives the 48 h: profile, consent, suppression, contacts, holds, decisions."""

    house: House
    key: str
    profile: dict[str, Any] = field(default_factory=dict)
    consent: dict[str, Any] = field(default_factory=dict)
    suppressed: bool = False
    contacts: list[Contact] = field(default_factory=list)
    holds: list[Candidate] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """4.10: the subscriber's timezone if known, else the policy's."""
        name = self.profile.get("timezone")
        return ZoneInfo(name) if name else self.house.zone

    @cached_property
    def general_caps(self) -> list[tuple[int, int]]:
        lines = (self.house.policy.get("contact") or {}).get("at_most") or []
        return [read_cap(line) for line in ([lines] if isinstance(lines, str) else lines)]

    def tier_caps(self) -> list[tuple[int, int]]:
        """Give the `by_tier` lines of a known equal tier."""
        by_tier = (self.house.policy.get("contact") or {}).get("by_tier") or {}
        tier = self.profile.get("tier")
        lines = by_tier.get(str(tier), []) if tier is not None else []
        return [read_cap(line) for line in ([lines] if isinstance(lines, str) else lines)]

    def decision_id(self, candidate: Candidate) -> str:
        """5, 7(u): the keyed hash of rule, subscriber key and the instant's stamp."""
        return keyed_hash(self.house.salt, candidate.rule.name, self.key, str(candidate.stamp)).hex()

    def held_out(self, rule: str) -> bool:
        """4.9, 7(u): the universal holdout (`*`), then the rule's."""
        universal = read_share(str(self.house.policy.get("holdout", "0%")))
        return self._hashed_under("*", universal)

    def _hashed_under(self, rule: str, share: Any) -> bool:
        first = int.from_bytes(keyed_hash(self.house.salt, rule, self.key)[:8], "big")
        return bool(first < share * 2**64)

    def is_control(self, rule: Rule) -> bool:
        """Is the subscriber held out, universally or from this rule?"""
        return self.held_out("*") or self._hashed_under(rule.name, rule.holdout)

    def quiet_end(self, rule: Rule, message: dict[str, Any], now: int) -> tuple[bool, int | None]:
        """Say whether now is quiet for a message (never for `manual`), and when it ends (None: never)."""
        intervals = self.house.quiet + rule.quiet
        if message["channel"] == "manual" or not clockface.is_quiet(now, self.zone, intervals):
            return False, now
        return True, clockface.hold_end(now, self.zone, intervals)

    # ---- gates ----

    def gates(self, one: Candidate, now: int) -> tuple[str | None, dict[str, Any] | None]:
        """4.2: give the reason of the first gate that refuses (None: passed) and the message chosen."""
        rule = one.rule
        if one.feed_down:  # 3: before gate 1
            return "feed", None
        live = rule.status in ("live", "shadow")
        if not live or (rule.valid and not clockface.within_dates(now, self.house.zone, rule.valid)):
            return "valid", None  # 1
        for name, test in rule.who.items():  # 2; unknown refuses
            if judge_profile(self.house, self.profile, name, test) is not True:
                return f"who.{name}", None
        for name, test in rule.unless.items():  # 3; unknown refuses
            if judge_profile(self.house, self.profile, name, test) is not False:
                return f"except.{name}", None
        for purpose in ("marketing", "profiling", *(["location"] if one.names_place else [])):  # 4
            if self.consent.get(purpose) is not True:
                return f"consent.{purpose}", None
        if self.suppressed:
            return "suppressed", None  # 5
        message = self.message(rule)
        if message is None:
            return "channel", None  # 6
        return self.caps(one, message, now), message

    def message(self, rule: Rule) -> dict[str, Any] | None:
        """Give the first message whose `if` holds; here every channel is usable (7(o))."""
        for message in rule.send:
            lines = (message.get("if") or {}).items()
            if all(judge_profile(self.house, self.profile, name, test) is True for name, test in lines):
                return message
        return None

    def caps(self, one: Candidate, message: dict[str, Any], now: int) -> str | None:
        """Gates 7 to 10 over the ledger as it was before, without a hold's own contact (4.5)."""
        rule = one.rule
        own = self.decision_id(one) if one.held else None
        contacts = [contact for contact in self.contacts if contact.id != own]

        def fewer(number: int, span: int, among: list[Contact]) -> bool:
            return sum(now - span < contact.at <= now for contact in among) < number

        if rule.cap and not fewer(*rule.cap, [one for one in contacts if one.rule == rule.name]):
            return "limits.at_most"  # 7; offers, controls, held, of a shadow rule its shadow ones (7(m))
        # 4.4, 4.6, 7(m): real offers, and a shadow rule's own shadow ones
        offers = [one for one in contacts if one.outcome == "offer"]
        if rule.shadow:
            offers += [one for one in contacts if one.outcome == "shadow" and one.rule == rule.name]
        if message["channel"] != "manual":
            automatic = [one for one in offers if not one.manual]
            if not all(fewer(*cap, automatic) for cap in self.general_caps + self.tier_caps()):
                return "policy.contact"  # 8
        if rule.group:
            cooldown = read_time(self.house.policy["groups"][rule.group]["cooldown"])
            if not fewer(1, cooldown, [one for one in offers if one.group == rule.group]):
                return "only_one_of"  # 9
        if not one.held and rule.send_within is not None:  # 10; not judged again at a hold's end (4.5)
            _, first = self.quiet_end(rule, message, now)
            if first is None or first > one.stamp + rule.send_within:
                return "send_within"
        return None

    # ---- arbitration ----

    def judge(self, candidates: list[Candidate], now: int) -> None:
        """4.1, 4.3: judge all that fires on one record or in one group of timers together.

        "Earlier instant": a rule has one instant per stamp, so the stamps decide.
        """
        ranked = sorted(candidates, key=lambda one: (-one.rule.priority, one.rule.name, one.stamp))
        verdicts = [(one, *self.gates(one, now)) for one in ranked]  # all on the ledger as it was before
        for one in ranked:
            if one.held:
                self.contacts = [contact for contact in self.contacts if contact.id != self.decision_id(one)]
        taken = False
        ended: set[str] = set()  # shadow rules of which a hold ended here
        for one, reason, message in verdicts:
            rule = one.rule
            if reason is None and (taken or (one.held and rule.name in ended)):
                reason = "arbitration"  # 4.3, 4.6, 7(p)
            if reason is not None or message is None:
                self.write(one, now, "refused", message, reason)
                continue
            if one.held:
                ended.add(rule.name)
            taken = taken or not rule.shadow  # 4.6: a shadow rule blocks nothing
            self.treat(one, message, now)

    def treat(self, one: Candidate, message: dict[str, Any], now: int) -> None:
        """4.3: `held` if now is quiet time, else `control` if held out, else `offer`; 4.6: `shadow`."""
        rule = one.rule
        quiet, end = self.quiet_end(rule, message, now)
        outcome = "shadow" if rule.shadow else "control" if self.is_control(rule) else "offer"
        due = None
        if quiet:
            outcome, due = "held", end
            self.holds.append(Candidate(rule, one.stamp, one.place, one.names_place, held=True, due=end))
        manual = message["channel"] == "manual"
        self.contacts.append(Contact(self.decision_id(one), rule.name, rule.group, now, outcome, manual))
        self.write(one, now, outcome, message, due=due)

    def write(
        self,
        one: Candidate,
        now: int,
        outcome: str,
        message: dict[str, Any] | None,
        reason: str | None = None,
        due: int | None = None,
    ) -> None:
        """5: leave a decision record."""
        arm = None
        if outcome != "refused":
            arm = "shadow" if one.rule.shadow else "control" if self.is_control(one.rule) else "treatment"
        self.decisions.append(
            {
                "id": self.decision_id(one),
                "rule": one.rule.name,
                "subscriber_key": self.key,
                "at": now,
                "outcome": outcome,
                "reason": reason,
                "arm": arm,
                "channel": message["channel"] if message else None,
                "product": one.rule.product,
                "place": one.place,
                "due": due,
            }
        )
