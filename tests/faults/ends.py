"""How offers ended, held against what the harness knows: its faults, rules, evidence, states.

A dispatcher that sends nothing ends every offer, too. So no end is taken at its word: for each status there
is something outside the dispatcher that has to be so, and an offer that ended without it is lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from engine.language.model import RuleSet
from engine.last_gates import ENDS
from engine.snapshot import Subscriber
from tests.faults.limits import is_quiet

Json = dict[str, Any]
SENT: Final = frozenset({"delivered", "failed"})
NEVER_OVER: Final = 1 << 62
"""End of a fault that lasts as long as the run, µs."""


class Hits(StrEnum):
    """What a fault takes from dispatchers: whether it may leave claims that nobody can settle."""

    NOTHING = "nothing"
    """Claims are given back or settled as on any day: no end may be unknown."""
    DISPATCHER = "dispatcher"
    """A dispatcher dies or stops in the midst of a pass: what it has claimed and not sent stays so."""
    LEDGER = "ledger"
    """Claims are forgotten, can't be given back, or are overdue by another's clock: all that is under way."""


@dataclass(slots=True)
class Fault:
    """One fault: a moment, or a while."""

    at: int
    """Wall clock µs."""
    what: str
    hits: Hits = Hits.NOTHING
    until: int = 0
    """When it was over; never before `at`."""

    def __post_init__(self) -> None:
        self.until = max(self.at, self.until)

    def over(self) -> None:
        """Note that it is over now."""
        self.until = time.time_ns() // 1_000


class Told(NamedTuple):
    """One receipt as it stands in the log."""

    appended: int
    """By the broker's clock, µs."""
    status: str
    at: int
    """By the clock of the dispatcher, µs."""


@dataclass(slots=True)
class Known:
    """What is known apart from what the dispatcher says. Times in µs."""

    rules: RuleSet
    made_at: Mapping[str, int]
    """Decision -> when the record that brought it up was appended."""
    subscribers: Mapping[str, Subscriber]
    """Key -> state at the end; who opted out does not come back in these loads."""
    optouts: Mapping[str, int]
    """Number -> when the command acknowledged its opt-out."""
    faults: list[Fault]
    batch: int
    """Most offers that one dispatcher has claimed and not sent at a moment."""
    rebuilt: bool
    """The store was lost."""
    answers: dict[str, set[str]] = field(default_factory=dict)
    """Decision -> what the SMS centre answered to its submits, as it says itself."""

    def under_way(self, id: str, end: Told, hits: Hits) -> bool:
        """Say whether an offer was made, and had not ended, at some moment of a fault of a kind."""
        return any(
            fault.hits == hits and self.made_at[id] <= fault.until and fault.at <= end.appended
            for fault in self.faults
        )


def first_end(told: Iterable[Told]) -> Told | None:
    """Return the end that holds: the first in the log."""
    return next((one for one in told if one.status in ENDS), None)


def unexplained(offers: Mapping[str, Json], ends: Mapping[str, Told], known: Known) -> list[str]:
    """Name the offers whose end nothing explains, each with its status.

    `offers`: decision -> its line; `ends`: how they ended first.
    """
    found: list[str] = []
    claimed: list[str] = []
    for id, end in ends.items():
        if end.status == "indeterminate" and _was_claimed(id, end, known):
            claimed.append(id)
        elif not _is_explained(offers[id], end, known):
            found.append(id)
    # what a dead one had claimed and not sent is one pass at most
    deaths = sum(fault.hits == Hits.DISPATCHER for fault in known.faults)
    found += claimed[deaths * known.batch :]
    return [f"{id} {ends[id].status} ({offers[id]['rule']})" for id in found]


def _was_claimed(id: str, end: Told, known: Known) -> bool:
    """Say whether one thing alone explains it: a dispatcher died and had not sent what it had claimed."""
    if id in known.answers or known.under_way(id, end, Hits.LEDGER):
        return False
    return known.under_way(id, end, Hits.DISPATCHER)


def _is_explained(offer: Json, end: Told, known: Known) -> bool:
    id, rule = offer["id"], known.rules.rules[offer["rule"]]
    sub = known.subscribers[offer["subscriber_key"]]
    status = end.status
    if status in SENT:
        return id in known.answers
    if status == "rejected":
        return "rejected" in known.answers.get(id, ())
    if status == "indeterminate":
        swallowed = "lost" in known.answers.get(id, ())
        return swallowed or any(known.under_way(id, end, hits) for hits in (Hits.LEDGER, Hits.DISPATCHER))
    if status == "expired":
        # by its own clock: one that a fault has put ahead is right to think so
        return end.at - int(offer["at"]) >= rule.limits.send_within
    if status == "suppressed":
        return sub.suppressed or sub.bound in known.optouts
    if status.startswith("consent."):
        return not sub.consent.get(status.removeprefix("consent."))
    if status == "quiet":
        return is_quiet(end.at, sub.timezone, rule, known.rules)
    if status == "rebuild":
        return known.rebuilt and known.under_way(id, end, Hits.LEDGER)
    return False
