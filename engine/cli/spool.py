"""Lines sorted in bounded memory: sorted runs on disk, merged at the end. Decisions in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from heapq import merge
from pathlib import Path

import orjson

from engine.emit import Decision
from engine.replay import order_of

HELD = 100_000
"""Lines held in memory, decisions of about 1 KB each; beyond that they go to disk."""

_KEY = 20 + 1 + 32 + 1
"""Bytes of the sort key before each line: `at` in 20 digits and the id, a blank after each."""


class Runs:
    """Takes lines in any order, gives them sorted by their bytes.

    `folder`: for the runs, whose owner removes it; `name`: what their files begin with.
    """

    def __init__(self, folder: Path, name: str, held: int) -> None:
        self._folder = folder
        self._name = name
        self._held = held
        self._lines: list[bytes] = []
        self._runs: list[Path] = []

    def add(self, line: bytes) -> None:
        """Take a line, its end included."""
        self._lines.append(line)
        if len(self._lines) >= self._held:
            self._spill()

    @contextmanager
    def sorted(self) -> Iterator[Iterable[bytes]]:
        """Give all lines in order while the block runs."""
        self._lines.sort()
        with ExitStack() as stack:
            runs = [stack.enter_context(run.open("rb")) for run in self._runs]
            yield merge(*runs, self._lines)

    def _spill(self) -> None:
        self._lines.sort()
        run = self._folder / f"{self._name}-{len(self._runs):06}"
        with run.open("wb") as file:
            file.writelines(self._lines)
        self._runs.append(run)
        self._lines.clear()


class Spool:
    """Takes decisions in any order, writes them by `at`, then id. `folder`: for the runs."""

    def __init__(self, folder: Path, names: Mapping[str, str] | None = None, held: int = HELD) -> None:
        self._names = names
        """Subscriber key -> identity to reveal; None: reveal nobody."""
        self._runs = Runs(folder, "run", held)

    def add(self, decisions: Iterable[Decision]) -> None:
        """Take decisions."""
        for decision in decisions:
            at, id = order_of(decision)
            # the key is part of the line, so that a plain sort of bytes is the order
            self._runs.add(b"%020d %s " % (at, id.encode()) + self._line(decision))

    def write(self, path: Path) -> None:
        """Write all of them, one JSON object per line."""
        with self._runs.sorted() as lines, path.open("wb") as out:
            out.writelines(line[_KEY:] for line in lines)

    def _line(self, decision: Decision) -> bytes:
        if self._names is not None:
            key = decision["subscriber_key"]
            decision = {**decision, "subscriber": self._names.get(key)}
        return orjson.dumps(decision, option=orjson.OPT_APPEND_NEWLINE)
