"""How often one thing may be logged: a few times at once, then once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final

AT_ONCE: Final = 4
"""Lines about one thing before it has to wait: it failed, came back, failed, came back."""
EVERY: Final = 30.0
"""Seconds in which it gets one line more. What never rests has 2,880 lines a day, 1 MB."""
THINGS: Final = 1_000
"""Things that are remembered at most; then all start anew."""


class LogPace:
    """Counts what was logged about each thing. `clock`: seconds that only go up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[Hashable, tuple[float, float]] = {}
        """Thing -> (lines that it has left, as of when)."""

    def allows(self, thing: Hashable) -> bool:
        """Say whether a line about a thing may be written now, and take it as written."""
        now = self._clock()
        if len(self._left) >= THINGS:
            self._left.clear()
        left, then = self._left.get(thing, (float(AT_ONCE), now))
        left = min(left + (now - then) / EVERY, AT_ONCE)
        may = left >= 1
        self._left[thing] = (left - may, now)
        return may
