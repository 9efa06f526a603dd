"""What came through a door before: bounded, and part of the position, so that it outlives the process."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Any, Final

from engine.errors import StateError

MARK: Final = 8
"""Bytes of a mark. With 100,000 remembered one of 10¹⁴ new ones is taken for an old one."""
_SLOT: Final = 10
"""Seconds that share one time stamp in the position."""


class Remembered:
    """Marks of what came, of the last `seconds`: the newest, `most` of them or up to a 16th less.

    `clock`: seconds since 1970, for the position is read by a later process. `values`: with each mark another
    one is kept, the last that came with it.
    """

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float], *, values: bool = False
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._value = MARK if values else 0
        self._known: dict[bytes, int] = {}
        """Mark -> its slot."""
        self._slots: dict[int, dict[bytes, bytes]] = {}
        """When they came, in slots -> marks with their values; oldest first. No slot is empty."""
        self._packed: dict[int, str] = {}
        """Slots as they stand in the position: most do not change from one step to the next."""
        self._now = 0

    def __len__(self) -> int:
        return len(self._known)

    def is_new(self, mark: bytes, value: bytes = b"") -> bool:
        """Remember a mark of `MARK` bytes with its value; False if it is known with this one.

        When it came counts from the first of those with the same value.
        """
        slot = int(self._clock()) // _SLOT
        if slot != self._now:
            self._enter(slot)
        known = self._known.get(mark)
        if known is not None:
            if self._slots[known][mark] == value:
                return False
            self._forget(known, (mark,))
        if self._most:
            if len(self._known) >= self._most:
                self._forget_oldest(max(1, self._most // 16))
            self._add(slot, mark, value)
        return True

    def forget(self, mark: bytes) -> None:
        """Forget a mark, known or not."""
        slot = self._known.get(mark)
        if slot is not None:
            self._forget(slot, (mark,))

    def pack(self) -> list[list[Any]]:
        """Return it as plain JSON: [slot, marks and values in base64], oldest first; 11 bytes for each."""
        self._enter(int(self._clock()) // _SLOT)
        for slot, marks in self._slots.items():
            if slot not in self._packed:
                self._packed[slot] = b64encode(b"".join([m + value for m, value in marks.items()])).decode()
        return [[slot, self._packed[slot]] for slot in self._slots]

    def restore(self, position: Mapping[str, Any] | None, name: str, key: str = "seen") -> None:
        """Go on from a position that holds `pack` under a key; from nothing if there is none.

        Raises StateError if it is damaged. `name`: of the source, for the message.
        """
        self._known.clear()
        self._slots.clear()
        self._packed.clear()
        try:
            for slot, marks in (position or {}).get(key, ()):
                raw, when = b64decode(marks, validate=True), int(slot)
                for at in range(0, len(raw), MARK + self._value):
                    end = at + MARK
                    self._add(when, raw[at:end], raw[end : end + self._value])
        except (ValueError, TypeError, AttributeError) as error:
            was = (
                f"was damaged, or that of another door ({error}; a feed with another door needs another name)"
            )
            raise StateError(f"source {name}: expected its position, {was}") from None
        self._forget_oldest(len(self._known) - self._most)

    def _add(self, slot: int, mark: bytes, value: bytes) -> None:
        self._known[mark] = slot
        self._slots.setdefault(slot, {})[mark] = value
        self._packed.pop(slot, None)

    def _forget(self, slot: int, gone: Collection[bytes]) -> None:
        marks = self._slots[slot]
        if len(gone) == len(marks):
            del self._slots[slot]
        else:
            for mark in gone:
                del marks[mark]
        for mark in gone:
            del self._known[mark]
        self._packed.pop(slot, None)

    def _forget_oldest(self, count: int) -> None:
        """Forget the oldest: some at once, for to find the first of a dict walks over those taken out."""
        while count > 0 and self._slots:
            slot = next(iter(self._slots))
            gone = list(islice(self._slots[slot], count))
            count -= len(gone)
            self._forget(slot, gone)

    def _enter(self, now: int) -> None:
        """Forget the slots that are too old as of another one."""
        self._now = now
        oldest = now - self._seconds / _SLOT
        while self._slots:
            slot = next(iter(self._slots))
            if slot >= oldest:
                return
            self._forget(slot, list(self._slots[slot]))
