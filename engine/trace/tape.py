"""What was folded about one subscriber, kept to be folded again: the same records, with one thing changed.

Of the ticks only those are kept that a subscriber can tell apart: the last before each of their records, and
those with which a feed goes down or comes back. A timer fires as of its own time at whatever tick comes next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.decision import Candidate
from engine.emit import Decision
from engine.event import Event
from engine.pipeline import Fold
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber

Tick = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Given:
    """What a run takes for granted of a subscriber whenever a rule is judged, whatever records said."""

    profile: Mapping[str, Any] = field(default_factory=dict)
    """Field -> value."""
    consent: Mapping[str, bool] = field(default_factory=dict)
    welcome: bool = False
    """They never opted out, nor complained."""
    feeds_up: bool = False
    """No feed was ever down."""


class Tape:
    """Records and ticks in the order in which they were folded."""

    def __init__(self) -> None:
        self._items: list[Event | Tick] = []
        self._pending: Tick | None = None
        self._down: tuple[str, ...] = ()
        self._known: dict[str, Subscriber] = {}
        self.records = 0
        self.partial: set[str] = set()
        """Subscribers of whom there were records before the tape began."""

    def begin(self, sub: Subscriber) -> None:
        """Take in who a subscriber is before their first record here."""
        self._known[sub.key] = _who(sub, sub.key, "")
        if sub.seq:
            self.partial.add(sub.key)

    def record(self, event: Event) -> None:
        """Take in a record of a subscriber."""
        self._flush()
        self._items.append(event)
        self.records += 1

    def tick(self, time: int, down: tuple[str, ...] | list[str]) -> None:
        """Take in a tick."""
        new = (time, tuple(down))
        if new[1] != self._down:
            # a feed is down from the first tick that names it
            self._flush()
            self._items.append(new)
            self._down = new[1]
            return
        if self._pending is not None and self._pending[0] > time:
            self._flush()
        self._pending = new

    def run(self, key: str, book: Rulebook, salt: bytes, given: Given) -> list[Decision]:
        """Fold it all again for one subscriber; return the decisions in the order they were made."""
        fold = _FoldWith(book, salt, given)
        if key in self._known:
            fold.adopt(_who(self._known[key], key, book.hash))
        for item in self._played():
            if not isinstance(item, Event):
                fold.tick(item[0], () if given.feeds_up else item[1])
            elif item.key == key:
                fold.apply(item)
        return fold.decisions

    def _played(self) -> Iterator[Event | Tick]:
        yield from self._items
        if self._pending is not None:
            yield self._pending

    def _flush(self) -> None:
        if self._pending is not None:
            self._items.append(self._pending)
            self._pending = None


class _FoldWith(Fold):
    """The engine, which finds `given` of its subscribers whenever it judges."""

    def __init__(self, book: Rulebook, salt: bytes, given: Given) -> None:
        super().__init__(book, salt)
        self._given = given

    def _judge(self, sub: Subscriber, now: int, candidates: list[Candidate]) -> None:
        given = self._given
        kept = sub.profile, sub.consent, sub.suppressed
        sub.profile = {**sub.profile, **given.profile}
        sub.consent = {**sub.consent, **given.consent}
        sub.suppressed = sub.suppressed and not given.welcome
        super()._judge(sub, now, candidates)
        sub.profile, sub.consent, sub.suppressed = kept


def _who(sub: Subscriber, key: str, rules: str) -> Subscriber:
    """Copy what profiles say of a subscriber, and nothing that records did."""
    copy = Subscriber(key, rules)
    copy.profile, copy.consent = dict(sub.profile), dict(sub.consent)
    copy.suppressed, copy.choice = sub.suppressed, sub.choice
    copy.timezone, copy.bound, copy.bound_at = sub.timezone, sub.bound, sub.bound_at
    return copy
