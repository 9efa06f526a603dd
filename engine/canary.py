"""A canary: some subscribers on another set of rules, until the next switch (ADR 18).

`rules.switch {hash, canary: 5% | PLACE}`: whoever's holdout hash, with `canary` in place of the rule, is
below the share, or whose last sighting at that record is in the place, moves to the new set; all others keep
the old one. Where a subscriber stands is kept with the subscriber as `HASH@MARK`: nobody is asked twice at
one switch.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

from engine.decision import share as share_of
from engine.language import words
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber

WORD: Final = "canary"
"""Stands in the hash where the rule does (semantics 4.9)."""
BETWEEN: Final = "@"
MARK_AT_MOST: Final = 60
"""Characters: `PARTITION:OFFSET` of a log, `FILE:LINE` in a replay; its bytes fit the codec."""
HASH_LENGTH: Final = 32
"""Characters of a set's hash."""


class Canary:
    """A switch for some."""

    __slots__ = ("book", "cells", "mark", "share", "spec", "suffix")

    def __init__(self, book: Rulebook, spec: str, mark: str) -> None:
        """Read `spec`, a share or a place or group of the new set; raise ValueError if it is neither.

        `mark`: the place of the switch in the log, which tells it from others of the same set.
        """
        self.book = book
        self.spec = spec
        self.mark = mark if len(mark) <= MARK_AT_MOST else blake2b(mark.encode(), digest_size=16).hexdigest()
        self.suffix = BETWEEN + self.mark
        self.share: float | None = None
        self.cells: frozenset[str] = frozenset()
        """Of the place, or of the members of the group."""
        catalog = book.catalog
        members = catalog.groups.get(spec) or ((spec,) if spec in catalog.places else ())
        if members:
            self.cells = frozenset(cell for place in members for cell in catalog.places[place].cells)
        else:
            self.share = words.share(spec)

    def has_asked(self, sub: Subscriber) -> bool:
        """Say whether a subscriber was asked at this switch."""
        return sub.rules[HASH_LENGTH:] == self.suffix

    def takes(self, sub: Subscriber, salt: bytes) -> bool:
        """Say whether a subscriber, as they are at the switch, moves to the new set."""
        if self.share is not None:
            return share_of(salt, WORD, sub.key) < self.share
        return sub.cell in self.cells

    def pack(self) -> dict[str, Any]:
        """Write it down; `Canary(book of hash, spec, mark)` reads it."""
        return {"hash": self.book.hash, "canary": self.spec, "mark": self.mark}


def set_of(stand: str) -> str:
    """Return the hash of the set that a subscriber is armed for."""
    return stand.partition(BETWEEN)[0]
