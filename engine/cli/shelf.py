"""States of a replay that memory has no room for: packed, in a file, until they are needed again.

A fold in memory holds every subscriber it has met, about 5 KB each. Beyond `limit` of them all are packed
as a lane packs them for its store (`engine.codec`, about 1 KB) and laid into an SQLite file of the run. They
come back as a lane reads them: for a record of theirs, and for a tick that passes their wake-up.

Raises OSError if the disk does not take or give them.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.codec import decode, encode
from engine.event import Event
from engine.pipeline import Fold
from engine.snapshot import Subscriber

_NEVER = 1 << 62
_CHUNK = 1_000


class Shelf:
    """The states of one fold. `folder`: for the file, whose owner removes it; `name`: what it is called."""

    def __init__(self, fold: Fold, folder: Path, name: str, limit: int) -> None:
        self._fold = fold
        self.limit = limit
        self._path = folder / f"{name}.sqlite"
        self._base: sqlite3.Connection | None = None
        self._next = _NEVER
        """No state on the shelf wakes before."""
        self.shelved = 0
        """How many states are there now."""

    def __len__(self) -> int:
        """How many subscribers there are, here and in memory."""
        return self.shelved + len(self._fold.subscribers)

    def need(self, event: Event) -> None:
        """Have the subscriber of a record in memory."""
        if self._base is not None and event.key and event.key not in self._fold.subscribers:
            with _disk_errors():
                self._load(self._base, [event.key])

    def wake(self, time: int) -> None:
        """Have those in memory who wake before a time, µs."""
        base = self._base
        if base is None or time <= self._next:
            return
        with _disk_errors():
            due = base.execute("SELECT key FROM states WHERE wake < ? ORDER BY wake, key", (time,))
            self._load(base, [key for (key,) in due.fetchall()])
            (first,) = base.execute("SELECT min(wake) FROM states").fetchone()
        self._next = _NEVER if first is None else first

    def make_room(self) -> None:
        """Lay all states on the shelf if there are too many; to be called between records."""
        fold = self._fold
        if len(fold.subscribers) <= self.limit:
            return
        rows = [(key, sub.wake or _NEVER, encode(sub)) for key, sub in fold.subscribers.items()]
        with _disk_errors():
            if self._base is None:
                self._base = self._open()
            self._base.executemany("INSERT INTO states VALUES (?, ?, ?)", rows)
        self._next = min(self._next, *(wake for _, wake, _ in rows))
        self.shelved += len(rows)
        fold.drop_cache()
        # what a lane would commit now: it holds states, too, or grows with them
        fold.touched, fold.profiles, fold.releases, fold.last_words = {}, {}, [], {}
        fold.gone, fold.forgotten = set(), {}

    def every(self) -> Iterator[Subscriber]:
        """Yield each subscriber once, those in memory first; nothing may be folded after that."""
        fold = self._fold
        yield from list(fold.subscribers.values())
        if self._base is None:
            return
        with _disk_errors():
            rows = self._base.execute("SELECT key, state FROM states ORDER BY key")
        while True:
            with _disk_errors():
                chunk = rows.fetchmany(_CHUNK)
            if not chunk:
                break
            fold.drop_cache()
            for key, state in chunk:
                fold.adopt(decode(key, state))
                yield fold.subscribers[key]
        fold.drop_cache()

    def close(self) -> None:
        """Let go of the file."""
        if self._base is not None:
            self._base.close()

    def _load(self, base: sqlite3.Connection, keys: list[str]) -> None:
        for key in keys:
            found = base.execute("DELETE FROM states WHERE key = ? RETURNING state", (key,)).fetchone()
            if found is not None:
                self.shelved -= 1
                self._fold.adopt(decode(key, found[0]))

    def _open(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, isolation_level=None)
        for line in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA locking_mode=EXCLUSIVE",
            "CREATE TABLE states (key TEXT PRIMARY KEY, wake INTEGER, state BLOB) WITHOUT ROWID",
            "CREATE INDEX wakes ON states (wake, key)",
            "BEGIN",
        ):
            base.execute(line)
        return base


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(errno.EIO, f"states of subscribers: {error}") from error
