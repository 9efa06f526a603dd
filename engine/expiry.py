"""When the state of a subscriber may be removed: once nothing in it can change a decision any more.

The clock is the log's, so that replay, a slow day and a long outage all see the same. What a profile says
lasts until it is changed or forgotten (`subscriber.forget`).
"""

from __future__ import annotations

from engine.rulebook import Rulebook
from engine.snapshot import HOURS_48, Subscriber

FAR = 1 << 53
"""Never: later than any time, and the last whole number that a score of a sorted set holds exactly."""


def expires(sub: Subscriber, book: Rulebook) -> int:
    """Return the time (µs) later than which a subscriber without a timer is no different from a stranger.

    Behaviours, ids and last instants count for 48 h; whereabouts until they lapse; a visit can be gone on
    with for `presence.bridge`; contacts count for the longest cap.
    """
    said = sub.suppressed or sub.choice or sub.bound is not None or sub.timezone is not None
    if said or sub.profile or sub.consent:
        return FAR
    ends = max(sub.clock, sub.seen_at) + HOURS_48
    ends = max(ends, sub.known_until, sub.seen_at + book.policy.bridge)
    if sub.contacts:
        ends = max(ends, max(contact[0] for contact in sub.contacts) + book.longest)
    return ends
