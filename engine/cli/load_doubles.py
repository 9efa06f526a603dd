"""Subscribers and numbers that a load names twice: told in bounded memory, sorted on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from engine.cli.spool import Runs
from engine.event import Event
from engine.identity import Identity

HELD = 200_000
"""Short lines held in memory."""
SHOWN = 3
_KEY = 33
"""Bytes of what lines are grouped by: a keyed hash, and a letter before it."""


class Doubles:
    """Counts subscribers with more than one row, and numbers that rows give to more than one subscriber.

    `folder`: for what is sorted; holds keyed hashes only. `known`: bindings of before, None = not asked.
    """

    def __init__(self, folder: Path, identity: Identity, known: Identity | None = None) -> None:
        self._runs = Runs(folder, "doubles", HELD)
        self._identity = identity
        self._known = known
        self.subscribers = 0
        self.again = 0
        """Subscribers with two rows or more."""
        self.again_at: list[tuple[int, int]] = []
        """Rows of the first of them: its first two."""
        self.numbers = 0
        """Numbers of two subscribers: the last row would hold."""
        self.numbers_at: list[tuple[int, int]] = []
        self.moved = 0
        """Rows whose number is bound to another subscriber in the deployment now."""

    @property
    def is_compared(self) -> bool:
        """Whether bindings of before were asked."""
        return self._known is not None

    def take(self, number: int, event: Event) -> None:
        """Take the record of a row."""
        self._runs.add(b"s%s %012d\n" % (event.key.encode(), number))
        msisdn = event.fields.get("msisdn")
        if msisdn is not None and event.kind == "profile.update":
            own = self._identity.hash_number(msisdn)
            self._runs.add(b"n%s %012d %s\n" % (own.encode(), number, event.key.encode()))
            if self._known is not None and self._known.bound(msisdn) not in (None, event.key):
                self.moved += 1

    def count(self) -> None:
        """Add all up; once, at the end."""
        with self._runs.sorted() as lines:
            for key, group in groupby(lines, key=lambda line: line[:_KEY]):
                if key.startswith(b"s"):
                    self._subscriber(group)
                else:
                    self._number(group)

    def _subscriber(self, lines: Iterable[bytes]) -> None:
        rows = _first_two(line[_KEY + 1 : _KEY + 13] for line in lines)
        self.subscribers += 1
        if len(rows) > 1:
            self.again += 1
            if len(self.again_at) < SHOWN:
                self.again_at.append((rows[0], rows[1]))

    def _number(self, lines: Iterable[bytes]) -> None:
        first: tuple[bytes, bytes] | None = None
        moved: tuple[bytes, bytes] | None = None
        for line in lines:
            row, owner = line[_KEY + 1 : _KEY + 13], line[_KEY + 14 :]
            if first is None:
                first = (row, owner)
            elif moved is None and owner != first[1]:
                moved = (first[0], row)
        if moved is not None:
            self.numbers += 1
            if len(self.numbers_at) < SHOWN:
                self.numbers_at.append((int(moved[0]), int(moved[1])))


def _first_two(rows: Iterator[bytes]) -> list[int]:
    found: list[int] = []
    for row in rows:
        if len(found) < 2:
            found.append(int(row))
    return found
