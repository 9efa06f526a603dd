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

    `clock`: seconds since 1970, for the position is read by a later process.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._known: set[bytes] = set()
        self._slots: dict[int, dict[bytes, None]] = {}
        """When they came, in slots -> marks; oldest first. No slot is empty."""
        self._packed: dict[int, str] = {}
        """Slots as they stand in the position: most do not change from one step to the next."""
        self._now = 0

    def __len__(self) -> int:
        return len(self._known)

    def is_new(self, mark: bytes) -> bool:
        """Remember a mark of `MARK` bytes; False if it is known."""
        slot = int(self._clock()) // _SLOT
        if slot != self._now:
            self._enter(slot)
        if mark in self._known:
            return False
        if self._most:
            if len(self._known) >= self._most:
                self._forget_oldest(max(1, self._most // 16))
            self._add(slot, mark)
        return True

    def pack(self) -> list[list[Any]]:
        """Return it as plain JSON: [slot, marks in base64], oldest first; 11 bytes for each mark."""
        self._enter(int(self._clock()) // _SLOT)
        for slot, marks in self._slots.items():
            if slot not in self._packed:
                self._packed[slot] = b64encode(b"".join(marks)).decode()
        return [[slot, self._packed[slot]] for slot in self._slots]

    def restore(self, position: Mapping[str, Any] | None, name: str) -> None:
        """Go on from a position that holds `pack` under `seen`; from nothing if there is none.

        Raises StateError if it is damaged. `name`: of the source, for the message.
        """
        self._known.clear()
        self._slots.clear()
        self._packed.clear()
        try:
            for slot, marks in (position or {}).get("seen", ()):
                raw, when = b64decode(marks, validate=True), int(slot)
                for at in range(0, len(raw), MARK):
                    self._add(when, raw[at : at + MARK])
        except (ValueError, TypeError, AttributeError) as error:
            raise StateError(f"source {name}: expected its position, was damaged ({error})") from None
        self._forget_oldest(len(self._known) - self._most)

    def _add(self, slot: int, mark: bytes) -> None:
        self._known.add(mark)
        self._slots.setdefault(slot, {})[mark] = None
        self._packed.pop(slot, None)

    def _forget_oldest(self, count: int) -> None:
        """Forget the oldest: some at once, for to find the first of a dict walks over those taken out."""
        while count > 0 and self._slots:
            slot = next(iter(self._slots))
            marks = self._slots[slot]
            if len(marks) <= count:
                del self._slots[slot]
                gone: Collection[bytes] = marks
            else:
                gone = list(islice(marks, count))
                for mark in gone:
                    del marks[mark]
            count -= len(gone)
            self._known.difference_update(gone)
            self._packed.pop(slot, None)

    def _enter(self, now: int) -> None:
        """Forget the slots that are too old as of another one."""
        self._now = now
        oldest = now - self._seconds / _SLOT
        while self._slots:
            slot = next(iter(self._slots))
            if slot >= oldest:
                return
            self._known.difference_update(self._slots.pop(slot))
            self._packed.pop(slot, None)
