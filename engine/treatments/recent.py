"""What a step remembers of subscribers, bounded, in memory and in the checkpoint.

A step can't remember every subscriber for ever: `Recent` holds a bounded number of them and lets go of
those longest without a record. What it gives a checkpoint is bounded, too, and more tightly: a checkpoint
is written with every commit of the collector. What that leaves out is lost in a restart, as if those
subscribers had not been seen before; events that are kept back (`engine.treatments.parking`) never are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from engine.treatments.by_age import ByAge

SUBSCRIBERS = 200_000
"""Subscribers that a step remembers unless told otherwise: 40 to 120 MB, by what it remembers of each."""
PACKED = 200
"""Subscribers in a checkpoint unless told otherwise: about 20 KB of the 1 MB that brokers take."""

V = TypeVar("V")


class Recent(ByAge[V]):
    """By subscriber key what was seen last, at most `at_most` subscribers; those longest untouched go first.

    `pack_value` and `restore_value` turn what is remembered of one into plain JSON and back; `packed`: how
    many subscribers, the last touched, `pack` gives. Which ones are held follows from the calls alone.
    """

    __slots__ = ("_at_most", "_pack_value", "_packed", "_restore_value", "forgotten")

    def __init__(
        self,
        at_most: int = SUBSCRIBERS,
        *,
        pack_value: Callable[[V], Any],
        restore_value: Callable[[Any], V],
        packed: int = PACKED,
    ) -> None:
        if at_most < 1:
            raise ValueError(f"expected room for 1 subscriber or more, was {at_most}")
        super().__init__()
        self.forgotten = 0
        """Subscribers let go for want of room."""
        self._at_most = at_most
        self._packed = packed
        self._pack_value = pack_value
        self._restore_value = restore_value

    def __iter__(self) -> Iterator[str]:
        """Yield the keys, longest untouched first."""
        return iter(self._held)

    def get(self, key: str) -> V | None:
        """Return what is remembered of a subscriber, who counts as touched by it."""
        held = self._held
        value = held.get(key)
        if value is not None:
            del held[key]
            held[key] = value
            if self._oldest and key in self._oldest:
                del self._oldest[key]
        return value

    def put(self, key: str, value: V) -> None:
        """Remember; lets go of the one longest untouched if there is no room."""
        self._use(key, value)
        if len(self._held) > self._at_most:
            self._remove(self._first())
            self.forgotten += 1

    def drop(self, key: str) -> None:
        """Forget a subscriber."""
        self._remove(key)

    def forget_while(self, is_over: Callable[[V], bool]) -> None:
        """Forget those longest untouched as long as `is_over` says so of them.

        One touched later is not looked at before those ahead of it are gone, so a step must give the same
        with what is over as without it.
        """
        while self._held and is_over(self._held[first := self._first()]):
            self._remove(first)

    def pack(self) -> list[list[Any]]:
        """Return `[key, value]` of those touched last, longest untouched first."""
        newest = list(islice(reversed(self._held.items()), self._packed))
        return [[key, self._pack_value(value)] for key, value in reversed(newest)]

    def restore(self, packed: Iterable[Any] | None) -> None:
        """Hold what `pack` gave and nothing else; None: nothing."""
        self._clear()
        for key, value in packed or ():
            self.put(key, self._restore_value(value))
