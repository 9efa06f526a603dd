"""Decisions sorted by `at`, then id, in bounded memory: sorted runs on disk, merged at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from heapq import merge
from pathlib import Path

import orjson

from engine.emit import Decision
from engine.replay import order_of

HELD = 100_000
"""Decisions held in memory, about 1 KB each; beyond that they go to disk."""

_KEY = 20 + 1 + 32 + 1
"""Bytes of the sort key before each line: `at` in 20 digits and the id, a blank after each."""


class Spool:
    """Takes decisions in any order, writes them in theirs. `folder`: for the runs; its owner removes it."""

    def __init__(self, folder: Path, names: Mapping[str, str] | None = None, held: int = HELD) -> None:
        self._folder = folder
        self._names = names
        """Subscriber key -> identity to reveal; None: reveal nobody."""
        self._held = held
        self._lines: list[bytes] = []
        self._runs: list[Path] = []

    def add(self, decisions: Iterable[Decision]) -> None:
        """Take decisions."""
        for decision in decisions:
            at, id = order_of(decision)
            # the key is part of the line, so that a plain sort of bytes is the order
            self._lines.append(b"%020d %s " % (at, id.encode()) + self._line(decision))
        if len(self._lines) >= self._held:
            self._spill()

    def write(self, path: Path) -> None:
        """Write all of them, one JSON object per line."""
        self._lines.sort()
        with ExitStack() as stack, path.open("wb") as out:
            runs = [stack.enter_context(run.open("rb")) for run in self._runs]
            out.writelines(line[_KEY:] for line in merge(*runs, self._lines))

    def _line(self, decision: Decision) -> bytes:
        if self._names is not None:
            key = decision["subscriber_key"]
            decision = {**decision, "subscriber": self._names.get(key)}
        return orjson.dumps(decision, option=orjson.OPT_APPEND_NEWLINE)

    def _spill(self) -> None:
        self._lines.sort()
        run = self._folder / f"run-{len(self._runs):06}"
        with run.open("wb") as file:
            file.writelines(self._lines)
        self._runs.append(run)
        self._lines.clear()
