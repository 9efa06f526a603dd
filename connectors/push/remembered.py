"""What came through a door before: bounded, and part of the position, so that it outlives the process."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.errors import StateError

MARK: Final = 8
"""Bytes of a mark. With 100,000 remembered one of 10¹⁴ new ones is taken for an old one."""
_SLOT: Final = 10
"""Seconds that share one time stamp in the position."""


class Remembered:
    """Marks of what came, the newest `most` of the last `seconds`.

    `clock`: seconds since 1970, for the position is read by a later process.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._slots: dict[bytes, int] = {}
        """Mark -> when it came, in slots; oldest first."""

    def __len__(self) -> int:
        return len(self._slots)

    def is_new(self, mark: bytes) -> bool:
        """Remember a mark of `MARK` bytes; False if it is known."""
        slot = int(self._clock()) // _SLOT
        self._forget(slot)
        if mark in self._slots:
            return False
        if self._most:
            if len(self._slots) >= self._most:
                del self._slots[next(iter(self._slots))]
            self._slots[mark] = slot
        return True

    def pack(self) -> list[list[Any]]:
        """Return it as plain JSON: [slot, marks in base64], oldest first; 11 bytes for each mark."""
        self._forget(int(self._clock()) // _SLOT)
        packed: list[list[Any]] = []
        together: list[bytes] = []
        last = None
        for mark, slot in self._slots.items():
            if slot != last:
                together = []
                packed.append([slot, together])
                last = slot
            together.append(mark)
        return [[slot, b64encode(b"".join(marks)).decode()] for slot, marks in packed]

    def restore(self, position: Mapping[str, Any] | None, name: str) -> None:
        """Go on from a position that holds `pack` under `seen`; from nothing if there is none.

        Raises StateError if it is damaged. `name`: of the source, for the message.
        """
        self._slots.clear()
        try:
            for slot, marks in (position or {}).get("seen", ()):
                raw, when = b64decode(marks, validate=True), int(slot)
                self._slots.update((raw[at : at + MARK], when) for at in range(0, len(raw), MARK))
        except (ValueError, TypeError, AttributeError) as error:
            raise StateError(f"source {name}: expected its position, was damaged ({error})") from None
        while len(self._slots) > self._most:
            del self._slots[next(iter(self._slots))]

    def _forget(self, now: int) -> None:
        oldest = now - self._seconds / _SLOT
        while self._slots:
            mark = next(iter(self._slots))
            if self._slots[mark] >= oldest:
                return
            del self._slots[mark]
