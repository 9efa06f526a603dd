"""What is known of a subscriber now: from the state that the store holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from engine.snapshot import NEVER, Subscriber


@dataclass(frozen=True, slots=True)
class Standing:
    """A summary of one state. Times are µs UTC."""

    subscriber_key: str
    bound: bool
    """A profile binds a number; the number itself is never shown."""
    consent: dict[str, bool]
    suppressed: bool
    """Opted out by a reply, or complained."""
    seen_at: int | None
    """Last sighting."""
    inside: tuple[str, ...]
    """Places of that sighting."""
    known: bool
    """They still count as there, by the clock of the subscriber's records."""
    holds: tuple[tuple[str, int], ...]
    """(rule, end of the hold), the next first."""
    contacts: dict[str, int]
    """What caps count: `offer control held shadow` -> how many."""
    last_contact: int | None

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        return asdict(self)


def standing(sub: Subscriber) -> Standing:
    """Summarise a state."""
    return Standing(
        subscriber_key=sub.key,
        bound=sub.bound is not None,
        consent=dict(sorted(sub.consent.items())),
        suppressed=sub.suppressed,
        seen_at=sub.seen_at if sub.seen_at != NEVER else None,
        inside=sub.inside,
        known=sub.seen_at != NEVER and sub.clock <= sub.known_until,
        holds=tuple(sorted(((hold["rule"], hold["due"]) for hold in sub.holds), key=lambda hold: hold[1])),
        contacts=dict(Counter(contact[3] for contact in sub.contacts)),
        last_contact=max((contact[0] for contact in sub.contacts), default=None),
    )
