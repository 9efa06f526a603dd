"""A table whose entries are in the order of their last use: the one used longest ago is found at once.

A plain dict, from which an entry that is used is taken out and put in again at the end: that costs half of
what an `OrderedDict` does. But a dict looks for its first entry past all that were taken out in front of it.
So the oldest are looked up some hundreds at a time.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, Generic, TypeVar

V = TypeVar("V")

AT_ONCE: Final = 500
"""Entries looked up at a time."""


class ByAge(Generic[V]):
    """By key what is remembered. Values are never None."""

    __slots__ = ("_held", "_oldest")

    def __init__(self) -> None:
        self._held: dict[str, V] = {}
        """Longest unused first."""
        self._oldest: dict[str, None] = {}
        """The first keys of it, in its order; empty: not looked up."""

    def __len__(self) -> int:
        return len(self._held)

    def _use(self, key: str, value: V) -> None:
        """Put an entry, new or not, at the end."""
        held, oldest = self._held, self._oldest
        if key in held:
            del held[key]
            if oldest and key in oldest:
                del oldest[key]
        held[key] = value

    def _remove(self, key: str) -> bool:
        """Take an entry out; say whether there was one."""
        if key not in self._held:
            return False
        del self._held[key]
        if self._oldest and key in self._oldest:
            del self._oldest[key]
        return True

    def _first(self) -> str:
        """Return the key used longest ago; there has to be one."""
        if not self._oldest:
            self._oldest = dict.fromkeys(islice(self._held, AT_ONCE))
        return next(iter(self._oldest))

    def _clear(self) -> None:
        self._held.clear()
        self._oldest.clear()
