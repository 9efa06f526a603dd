"""What the collector's steps remember, in a file beside it (`engine.treatments.memory`).

An SQLite file, for it is written a little at a time, whole or not at all, and read by the next process. Each
`save` is one transaction and keeps what it replaces, so that a step that was never committed to the log can
be taken back. Killing the process loses nothing. If the machine dies, the last moments of the memory may be
missing: changes that it had taken in may then be derived once more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from engine.errors import LogError, SettingsError, StateError
from engine.treatments.memory import IN_A_MARK, MARKS_KEPT, Changes, Value

_VERSION = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (memory TEXT, key TEXT, used INTEGER NOT NULL, value BLOB NOT NULL,
                                 PRIMARY KEY (memory, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS undo (mark INTEGER, memory TEXT, key TEXT, was INTEGER, value BLOB,
                                 PRIMARY KEY (mark, memory, key)) WITHOUT ROWID;
"""


class MemoryFile:
    """A shelf in an SQLite file. `key_check`: a hash from which the key of the keyed hashes can't be told.

    Raises SettingsError if the file can't be used or belongs to another key, StateError if it is damaged or
    of another version; later, while it can't be written, LogError: the collector waits and tries again.
    """

    def __init__(self, path: Path, key_check: str) -> None:
        self.path = path
        try:
            self._file = sqlite3.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            raise SettingsError([f"{path}: expected a file that can be written, was not ({error})"]) from None
        try:
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.executescript(_SCHEMA)
            about = dict(self._file.execute("SELECT name, value FROM about"))
            for name, value in (("version", _VERSION), ("key", key_check)):
                self._file.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
        except sqlite3.OperationalError as error:
            self._file.close()
            raise SettingsError([f"{path}: expected a file that can be written, was not ({error})"]) from None
        except sqlite3.DatabaseError as error:
            self._file.close()
            advice = "move it away to begin with an empty memory"
            raise StateError(
                f"{path}: expected a memory of the collector, was damaged ({error}); {advice}"
            ) from None
        if about.get("version", _VERSION) != _VERSION:
            self._file.close()
            raise StateError(f"{path}: expected a memory of version {_VERSION}, was {about['version']}")
        if about.get("key", key_check) != key_check:
            self._file.close()
            raise SettingsError([f"{path}: expected a memory of this TOUCHPOINT_KEY, was of another"])

    def go_back(self, mark: int) -> Iterator[tuple[str, str, Value]]:
        """Undo what was saved after a mark; yield what there is, used longest ago first."""
        with self._transaction():
            if mark == 0:
                self._file.execute("DELETE FROM kept")
                self._file.execute("DELETE FROM undo")
            else:
                # the oldest of several values that were replaced after the mark is the one of the mark
                back = list(
                    self._file.execute(
                        "SELECT memory, key, was, value, min(mark) FROM undo WHERE mark > ?"
                        " GROUP BY memory, key",
                        (mark,),
                    )
                )
                for memory, key, was, value, _ in back:
                    if value is None:
                        self._file.execute("DELETE FROM kept WHERE memory = ? AND key = ?", (memory, key))
                    else:
                        self._file.execute("REPLACE INTO kept VALUES (?, ?, ?, ?)", (memory, key, was, value))
                self._file.execute("DELETE FROM undo WHERE mark > ?", (mark,))
        for memory, key, value in self._file.execute("SELECT memory, key, value FROM kept ORDER BY used"):
            yield memory, key, tuple(orjson.loads(value))

    def save(self, mark: int, changes: Changes) -> None:
        """Keep changes in one transaction."""
        places = [(memory, key) for memory, entries in changes.items() for key in entries]
        put = [
            (memory, key, mark * IN_A_MARK + number, orjson.dumps(value))
            for memory, entries in changes.items()
            for number, (key, value) in enumerate(entries.items())
            if value is not None
        ]
        gone = [(m, key) for m, entries in changes.items() for key, value in entries.items() if value is None]
        with self._transaction():
            self._file.executemany(
                "INSERT INTO undo SELECT ?1, ?2, ?3, kept.used, kept.value FROM (SELECT 1)"
                " LEFT JOIN kept ON kept.memory = ?2 AND kept.key = ?3",
                [(mark, *place) for place in places],
            )
            self._file.executemany("REPLACE INTO kept VALUES (?, ?, ?, ?)", put)
            self._file.executemany("DELETE FROM kept WHERE memory = ? AND key = ?", gone)
            self._file.execute("DELETE FROM undo WHERE mark <= ?", (mark - MARKS_KEPT,))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            raise LogError(f"{self.path}: expected a file that can be written, was not ({error})") from None
