"""The gates, arbitration, holds, holdout: from rules that fire to decisions (semantics.md 4).

All candidates of one record, or of one group of timers, are judged together, and gates 1 to 10 see the ledger
as it was before. The first gate that refuses names the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from engine import ledger
from engine.audience import all_hold
from engine.localtime import quiet_end
from engine.patterns.base import Instant
from engine.rulebook import CompiledMessage, CompiledRule, Rulebook
from engine.snapshot import Subscriber, Trigger

Settle = Callable[["Candidate", str, str | None], None]
"""Called once per judged candidate, in order: (candidate, outcome, reason)."""


class Candidate:
    """A rule up for judgement: it has just fired, or its hold ends."""

    __slots__ = (
        "arm",
        "at",
        "data",
        "due",
        "feed",
        "held",
        "id",
        "message",
        "name",
        "place",
        "reason",
        "rule",
        "start",
        "time",
        "trigger",
        "values",
    )

    def __init__(
        self,
        rule: CompiledRule | None,
        name: str,
        at: int,
        time: int,
        place: str | None,
        data: dict[str, Any] | None,
        trigger: Trigger,
        start: int | None,
    ) -> None:
        self.rule = rule
        """None: the rule of a hold that is gone."""
        self.name = name
        self.at = at
        """Stamp of the instant."""
        self.time = time
        """Own time of the instant."""
        self.place = place
        self.data = data
        self.trigger = trigger
        self.start = start
        self.held: dict[str, Any] | None = None
        """The hold that ends, if it is one."""
        self.id = ""
        self.feed = False
        """A feed it depends on was down."""
        self.reason: str | None = None
        self.message: CompiledMessage | None = None
        self.arm = ""
        """`treatment control shadow`, once the gates are passed."""
        self.due: int | None = None
        """End of the hold, if it is held now."""
        self.values: dict[str, Any] = {}
        """Values seen, by condition, as far as the gates went."""

    @classmethod
    def fired(cls, rule: CompiledRule, instant: Instant, stamp: int) -> Candidate:
        """Make the candidate of a rule that fires."""
        return cls(
            rule,
            rule.name,
            stamp,
            instant.time,
            instant.place,
            instant.data,
            instant.trigger,
            instant.start,
        )

    @classmethod
    def ending(cls, rule: CompiledRule | None, hold: dict[str, Any]) -> Candidate:
        """Make the candidate of a hold that ends."""
        trigger = (hold["trigger"][0], hold["trigger"][1], hold["trigger"][2])
        candidate = cls(
            rule,
            hold["rule"],
            hold["at"],
            hold["time"],
            hold["place"],
            hold["data"],
            trigger,
            hold["start"],
        )
        candidate.held = hold
        candidate.id = hold["id"]
        return candidate


def decision_id(salt: bytes, rule: str, key: str, at: int) -> str:
    """Return the id of a decision: hex(BLAKE2b-128(salt, RULE \\0 KEY \\0 INSTANT)) (semantics 7 u)."""
    return blake2b(f"{rule}\0{key}\0{at}".encode(), digest_size=16, key=salt).hexdigest()


def share(salt: bytes, rule: str, key: str) -> float:
    """Return where in [0, 1) the holdout hash puts a subscriber for a rule, or for `*` (4.9, 7 u)."""
    digest = blake2b(f"{rule}\0{key}".encode(), digest_size=16, key=salt).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def judge(
    book: Rulebook, salt: bytes, sub: Subscriber, now: int, candidates: list[Candidate], settle: Settle
) -> None:
    """Judge all candidates of one moment, then settle each: `offer held control shadow refused`."""
    if len(candidates) > 1:
        candidates.sort(key=_rank)
    for candidate in candidates:
        candidate.reason = refuse(book, sub, candidate, now)
    taken = False
    passed: set[str] = set()
    verdicts: list[tuple[Candidate, str]] = []
    for candidate in candidates:
        rule = candidate.rule
        # 7(p): of two holds of one rule that end together the second loses, also in shadow
        second = candidate.held is not None and candidate.name in passed
        if candidate.reason is None and (taken or second):
            candidate.reason = "arbitration"
        if candidate.reason is not None or rule is None:
            verdicts.append((candidate, "refused"))
            continue
        if candidate.held is not None:
            passed.add(candidate.name)
        taken = taken or not rule.shadow
        verdicts.append((candidate, _outcome(book, salt, sub, candidate, now)))
    for candidate, outcome in verdicts:
        _enter(sub, candidate, outcome, now, salt)
        settle(candidate, outcome, candidate.reason)


def _rank(candidate: Candidate) -> tuple[int, str, int, int]:
    priority = candidate.rule.priority if candidate.rule is not None else -1
    return -priority, candidate.name, candidate.at, candidate.time


def _outcome(book: Rulebook, salt: bytes, sub: Subscriber, candidate: Candidate, now: int) -> str:
    """4.3: held in quiet time (not `manual`), else control if held out, else the offer."""
    rule, message = candidate.rule, candidate.message
    assert rule is not None
    assert message is not None
    candidate.arm = arm_of(book, salt, rule, sub.key)
    if message.channel != "manual":
        end = quiet_end(now, sub.timezone or book.policy.timezone, rule.quiet)
        if end > now:
            candidate.due = end
            return "held"
    return ledger.OFFER if candidate.arm == "treatment" else candidate.arm


def arm_of(book: Rulebook, salt: bytes, rule: CompiledRule, key: str) -> str:
    """Return `treatment`, `control` (held out: universal, then the rule's) or `shadow` (4.3, 4.6, 4.9)."""
    if rule.shadow:
        return "shadow"
    universal, own = book.policy.holdout, rule.rule.limits.holdout
    if universal and share(salt, "*", key) < universal:
        return "control"
    return "control" if own and share(salt, rule.name, key) < own else "treatment"


def _enter(sub: Subscriber, candidate: Candidate, outcome: str, now: int, salt: bytes) -> None:
    """Write a verdict to the ledger; a hold's own contact becomes one at this time, or is removed (4.5)."""
    if candidate.held is not None:
        ledger.remove(sub, candidate.id)
    if outcome == "refused":
        return
    rule, message = candidate.rule, candidate.message
    assert rule is not None
    assert message is not None
    if not candidate.id:
        candidate.id = decision_id(salt, rule.name, sub.key, candidate.at)
    ledger.add(sub, now, rule, outcome, message.channel == "manual", candidate.id)
    if outcome == "held":
        assert candidate.due is not None
        sub.holds.append(
            {
                "id": candidate.id,
                "rule": candidate.name,
                "at": candidate.at,
                "time": candidate.time,
                "due": candidate.due,
                "place": candidate.place,
                "data": candidate.data,
                "trigger": list(candidate.trigger),
                "start": candidate.start,
            }
        )
        if candidate.due < sub.wake or not sub.wake:
            sub.wake = candidate.due


# -- the gates, in their fixed order -------------------------------------------------------------------------


def refuse(book: Rulebook, sub: Subscriber, candidate: Candidate, now: int) -> str | None:
    """Run the gates; return the name of the first that refuses, None if all pass."""
    rule = candidate.rule
    if candidate.feed:
        return "feed"
    # 1
    if rule is None or not rule.span[0] <= now < rule.span[1]:
        return "valid"
    profile, values = sub.profile, candidate.values
    # 2
    for line in rule.who:
        value = values["who." + line.field] = profile.get(line.field)
        if value is None or not line.holds(value):
            return "who." + line.field
    # 3: an unknown value refuses here too
    for line in rule.excepts:
        value = values["except." + line.field] = profile.get(line.field)
        if value is None or line.holds(value) is not False:
            return "except." + line.field
    # 4
    for purpose in rule.consents:
        consent = values["consent." + purpose] = sub.consent.get(purpose)
        if not consent:
            return "consent." + purpose
    # 5
    if sub.suppressed:
        return "suppressed"
    # 6
    candidate.message = next((m for m in rule.messages if all_hold(m.condition, profile)), None)
    if candidate.message is None:
        return "channel"
    return _limits(book, sub, candidate, rule, now)


def early_refusal(sub: Subscriber, rule: CompiledRule, now: int) -> str | None:
    """Return what gates 1 and 2 refuse by, noting no values: most instants end here."""
    if not rule.span[0] <= now < rule.span[1]:
        return "valid"
    profile = sub.profile
    for line in rule.who:
        value = profile.get(line.field)
        if value is None or not line.holds(value):
            return "who." + line.field
    return None


def _limits(
    book: Rulebook, sub: Subscriber, candidate: Candidate, rule: CompiledRule, now: int
) -> str | None:
    limits, policy = rule.rule.limits, book.policy
    message = candidate.message
    assert message is not None
    own = candidate.id if candidate.held is not None else None
    # 7
    if sub.contacts:
        if ledger.of_rule(sub, rule, now - limits.at_most.window, own) >= limits.at_most.count:
            return "limits.at_most"
        # 8
        if message.channel != "manual":
            for cap in policy.contact:
                if ledger.of_policy(sub, rule, now - cap.window) >= cap.count:
                    return "policy.contact"
            tier = sub.profile.get("tier")
            by_tier = policy.contact_by_tier.get(tier) if isinstance(tier, str) else None
            if by_tier is not None and ledger.of_policy(sub, rule, now - by_tier.window) >= by_tier.count:
                return "policy.contact"
        # 9
        group: str | None = limits.only_one_of
        if group is not None and ledger.of_group(sub, rule, group, now - rule.cooldown):
            return "only_one_of"
    # 10, asked once: at the instant, not at a hold's end
    if candidate.held is None and message.channel != "manual":
        end = quiet_end(now, sub.timezone or policy.timezone, rule.quiet)
        if end > candidate.at + limits.send_within:
            return "send_within"
    return None
