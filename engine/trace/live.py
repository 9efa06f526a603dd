"""A subscriber as a live engine's store holds them, told as from a file, as far as the state goes.

The state keeps behaviours of 48 hours, what patterns remember, and contacts; it keeps neither the records
that a rule was not about nor what was judged. So the past is folded again from the state's history through
the watched patterns, gates are asked as they stand, and contacts stand for decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from engine import warm
from engine.errors import StateError
from engine.history import CROSSING, MARK, read
from engine.lane_state import unpack_lane
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from engine.trace.flips import saying_no
from engine.trace.gates import Bench, Check, stopped_by, up_to_the_first
from engine.trace.live_flips import LiveFlip, live_flips
from engine.trace.story import Person, as_they_stand, idle, person, rule_lines
from engine.trace.waits import PatternLine, Seen, recent
from engine.trace.watch import Noted, WatchedFold


@dataclass(frozen=True, slots=True)
class Contact:
    """What the ledger of a state holds of a decision."""

    at: int
    what: str
    """`offer control held shadow`."""
    id: str
    due: int | None
    """End of a hold that still waits, µs."""


@dataclass(frozen=True, slots=True)
class LiveStory:
    """One rule for one subscriber, now."""

    rule: str
    status: str
    matched: int
    """Instants of the 48 h that might have fired it."""
    last: int | None
    """The latest of them, µs."""
    stopped_by: str | None
    """The gate that would refuse a match now; None: it would pass. Of a rule not asked `valid`."""
    pattern: tuple[PatternLine, ...]
    lines: tuple[Check, ...]
    contacts: tuple[Contact, ...]
    flips: tuple[LiveFlip, ...] = ()
    """Single changes after which a match now would go out."""

    @property
    def in_the_way(self) -> tuple[str, ...]:
        """If a match now would be refused, and there is no such change: the gates that say no."""
        return () if self.flips or self.stopped_by is None else saying_no(self.lines)

    def to_json(self) -> dict[str, Any]:
        """The story as plain data; times are µs UTC."""
        return {
            "rule": self.rule,
            "status": self.status,
            "matched": self.matched,
            "last": self.last,
            "stopped_by": self.stopped_by,
            "pattern": [line.to_json() for line in self.pattern],
            "lines": [line.to_json() for line in self.lines],
            "flips": [flip.to_json() for flip in self.flips],
            "in_the_way": list(self.in_the_way),
            "contacts": [
                {"at": one.at, "what": one.what, "id": one.id, "due": one.due} for one in self.contacts
            ],
        }


class LiveState:
    """A state and its lane's part, under a set of rules: the lane's own, or another to look at them by.

    `older`: the set for which the state was armed, if it is known; without it all patterns of another set are
    seen as new. Raise `StateError` if the lane's part can't be read. The store is not asked again.
    """

    def __init__(
        self, book: Rulebook, salt: bytes, sub: Subscriber, lane: bytes, older: Rulebook | None = None
    ) -> None:
        known = {book.hash: book} if older is None else {book.hash: book, older.hash: older}
        self.fold = WatchedFold(book, salt)
        self.fold.books = known.__getitem__
        # nothing is decided here: what is overdue is the live engine's to judge
        self.fold.muted = True
        try:
            # `book` is the subscriber's own side of a canary, if there is one
            parts = {name: part for name, part in orjson.loads(lane).items() if "canary" not in name}
            unpack_lane(self.fold, parts)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise StateError(f"the lane's state: expected what this version writes, was {error}") from None
        self.key = sub.key
        self.fold.adopt(sub)
        sub = self.fold.subscriber(sub.key)
        self.now = max(sub.clock, self.fold.feeds.watermark)
        # only now: reading a state folds a part of it, too
        self.fold.watch([sub.key])
        entries = [past for past in read(sub.history) if past.kind not in (CROSSING, MARK)]
        self.fold.records += [Noted(past.event(), past.places) for past in entries]
        warm.refold(sub, book, self.now)

    def person(self) -> Person:
        """Say what is known of the subscriber."""
        return person(self.fold, self.key, self.now)

    def stories(self) -> Iterator[LiveStory]:
        """Tell each rule of the set, in the order of names."""
        fold, sub = self.fold, self.fold.subscriber(self.key)
        bench = Bench(fold.book, fold.salt, fold.feeds, sub, self.now, fold.warming)
        seen = Seen(bench, fold, recent(fold.records, self.now))
        for name, rule in sorted(fold.book.rules.rules.items()):
            contacts = tuple(_contacts(sub, name))
            compiled = fold.book.compiled.get(name)
            if compiled is None:
                lines: tuple[Check, ...] = (idle(rule),)
                yield LiveStory(name, rule.status, 0, None, "valid", (), lines, contacts)
                continue
            lines = tuple(up_to_the_first(as_they_stand(bench, compiled)))
            tally, unheard = fold.tallies[compiled.root.index], fold.unheard[name]
            yield LiveStory(
                name,
                rule.status,
                tally.count - tally.late - (unheard.count - unheard.late),
                tally.last,
                stopped_by(lines),
                rule_lines(seen, compiled),
                lines,
                contacts,
                live_flips(bench, compiled, lines),
            )


def _contacts(sub: Subscriber, rule: str) -> Iterator[Contact]:
    dues = {hold["id"]: hold["due"] for hold in sub.holds}
    for time, name, _, what, _, id in sorted(sub.contacts, key=lambda contact: contact[0]):
        if name == rule:
            yield Contact(time, what, id, dues.get(id))
