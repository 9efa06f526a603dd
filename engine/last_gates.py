"""The last gates: may this offer be sent now? Asked right before the write, by the wall clock (protocol.md).

Pure, as the gates of `engine.decision` are: offer, state, rules and time in; a reason out. What needs
I/O (claims, opt-outs, readiness) is asked by `engine.dispatch`.
"""

from __future__ import annotations

from typing import Any, Final

from engine.localtime import quiet_end, quiet_start
from engine.rulebook import CompiledRule, Rulebook
from engine.snapshot import Subscriber

REASONS: Final = {
    "delivered": "the handset has it",
    "failed": "the network could not deliver it",
    "rejected": "the network did not take it, for good: it is no contact",
    "expired": "not sent or not delivered in time",
    "indeterminate": "it may have been sent, or not: never sent again",
    "suppressed": "an opt-out or a complaint stands",
    "consent.marketing": "no consent to marketing",
    "consent.profiling": "no consent to profiling",
    "consent.location": "no consent to location, and the rule names a place",
    "valid": "the rule is no longer live",
    "quiet": "quiet time began between the claim and the write",
    "unbound": "no profile binds a number",
    "channel": "no such channel here",
    "rebuild": "published before the store was lost: it may have been sent before",
    "broken": "the offer can't be read",
    "elsewhere": "another dispatcher, or an earlier life of this one, ended it and counted it",
}
"""Every way a taken offer ends, and what it means."""
ENDS: Final = frozenset(REASONS)
"""Statuses after which nothing more is expected."""

LONGEST: Final = 48 * 3_600_000_000
"""µs from `at` within which every offer has ended."""
RECEIPTS: Final = 600_000_000
"""µs that receipts get after a message's validity is over; taken off from the 48 hours."""
ON_THE_WAY: Final = 60_000_000
"""µs that an offer may be on the way to here: `send_within` of less does not end it."""
LEAST_VALIDITY: Final = 1_000_000
"""µs: networks take validity in whole seconds. What has less before quiet time waits until that is over."""


class Offer:
    """An offer taken from the queue, on its way to a channel."""

    __slots__ = (
        "at",
        "channel",
        "claimer",
        "deadline",
        "id",
        "key",
        "offset",
        "partition",
        "rule",
        "subject",
        "term",
        "text",
        "tries",
        "turn",
        "untouched",
    )

    def __init__(self, partition: int, offset: int, term: int, line: dict[str, Any], claimer: str) -> None:
        """Read a decision line; raise `KeyError`, `TypeError` or `ValueError` if it is none."""
        self.partition = partition
        self.offset = offset
        self.term = term
        self.id = _text(line["id"])
        self.key = _text(line["subscriber_key"])
        self.rule = _text(line["rule"])
        self.channel = _text(line["channel"])
        self.text = _text(line["text"])
        self.subject: str | None = line.get("subject")
        self.at = int(line["at"])
        """Stamp of the instant, or of the hold's end; µs."""
        self.claimer = claimer
        """Random: of this one attempt (see `Deliveries.claim`)."""
        self.deadline = 0
        """When its claim ends as `indeterminate`, µs."""
        self.tries = 0
        """How often it was put off by an error."""
        self.turn = 0
        """How often it was claimed (see `Deliveries.claim`)."""
        self.untouched = False
        """Seen without a claim since its partition was assigned: nobody else sends it now."""


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("expected text")
    return value


def expiry(offer: Offer, rule: CompiledRule | None) -> int:
    """Return from when on an offer is too old to be sent, or to be delivered; µs."""
    longest = LONGEST - RECEIPTS
    if rule is None or offer.channel == "manual":
        return offer.at + longest
    return offer.at + min(longest, max(rule.rule.limits.send_within, ON_THE_WAY))


def waits_until(offer: Offer, sub: Subscriber, book: Rulebook, now: int) -> int:
    """Return when to look at an offer again that must wait for the end of quiet time; `now` = go on."""
    rule = book.compiled.get(offer.rule)
    if rule is None or offer.channel == "manual":
        return now
    zone, last = sub.timezone or book.policy.timezone, expiry(offer, rule)
    begins = quiet_start(now, zone, rule.quiet, min(last, now + LEAST_VALIDITY))
    if begins >= min(last, now + LEAST_VALIDITY):
        return now
    return min(quiet_end(begins, zone, rule.quiet), last)


def valid_until(offer: Offer, sub: Subscriber, book: Rulebook, now: int) -> int:
    """Return when a message sent now must stop being delivered: before quiet time starts; µs."""
    rule = book.compiled.get(offer.rule)
    last = expiry(offer, rule)
    if rule is None or offer.channel == "manual":
        return last
    return quiet_start(now, sub.timezone or book.policy.timezone, rule.quiet, last)


def refuse(offer: Offer, sub: Subscriber, book: Rulebook, now: int) -> str | None:
    """Run the last gates over one offer; return the name of the first that refuses, None if all pass."""
    rule = book.compiled.get(offer.rule)
    if rule is None or rule.shadow or not rule.span[0] <= now < rule.span[1]:
        return "valid"
    if now >= expiry(offer, rule):
        return "expired"
    for purpose in rule.consents:
        if not sub.consent.get(purpose):
            return "consent." + purpose
    if sub.suppressed:
        return "suppressed"
    if offer.channel != "manual":
        if sub.bound is None:
            return "unbound"
        if quiet_end(now, sub.timezone or book.policy.timezone, rule.quiet) > now:
            return "quiet"
    return None
