"""Use of data by 5 minutes, for 48 hours: shown to people, never decided on (design/architecture.md)."""

from __future__ import annotations

SLOT = 300_000_000
"""Length of a sum, µs."""


class DataUse:
    """Sums in the order of time, two bytes each."""

    __slots__ = ("pairs", "slot")

    def __init__(self) -> None:
        self.pairs = bytearray()
        """Of each sum: slots since the one before, level."""
        self.slot = 0
        """Slot of the last sum, counted from 1970."""

    def add(self, time: int, size: float) -> None:
        """Add a session that ended at `time` (µs) and had `size` bytes."""
        slot, pairs = time // SLOT, self.pairs
        ahead = slot - self.slot
        if not pairs or ahead > 0:
            while pairs and ahead > 255:
                pairs += b"\xff\x00"
                ahead -= 255
            pairs.append(ahead if pairs else 0)
            pairs.append(level_of(size))
            self.slot = slot
            return
        at, held = len(pairs) - 2, self.slot
        while at and held > slot:
            held -= pairs[at]
            at -= 2
        if held == slot:
            pairs[at + 1] = level_of(size_of(pairs[at + 1]) + size)
        elif held < slot:
            pairs[at + 2 : at + 3] = bytes((slot - held, level_of(size), pairs[at + 2] - (slot - held)))
        else:
            pairs[:1] = bytes((0, level_of(size), min(held - slot, 255)))

    def forget(self, before: int) -> None:
        """Drop the sums of slots that begin before `before` (µs) by more than their length."""
        pairs, oldest = self.pairs, before // SLOT
        if pairs:
            first = self.slot - sum(pairs[2::2])
            while pairs and first < oldest:
                first += pairs[2] if len(pairs) > 2 else 0
                del pairs[:2]

    def sums(self) -> dict[int, int]:
        """Return bytes by the time (µs) a slot begins."""
        found = {}
        slot = self.slot - sum(self.pairs[2::2])
        for at in range(0, len(self.pairs), 2):
            slot += self.pairs[at] if at else 0
            if self.pairs[at + 1]:
                found[slot * SLOT] = size_of(self.pairs[at + 1])
        return found


def level_of(size: float) -> int:
    """Return a size as a level: eighths of an octave over 1 KB (6 to 12 % a step), from 1; 0 for nothing."""
    if size <= 0:
        return 0
    eighths = max(int(size) >> 7, 8)
    octave = eighths.bit_length() - 4
    return min(255, 1 + 8 * octave + (eighths >> octave) - 8)


def size_of(level: int) -> int:
    """Return the bytes of a level, in its middle."""
    if not level:
        return 0
    octave, eighth = divmod(level - 1, 8)
    return ((2 * (8 + eighth) + 1) << octave) << 6
