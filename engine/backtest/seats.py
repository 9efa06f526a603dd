"""One byte per rule and subscriber: what is counted by subscriber stays small over any number of days."""

from __future__ import annotations


class Seats:
    """Gives each subscriber a number, in the order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, key: str) -> int:
        """Return the number of a subscriber."""
        return self._numbers.setdefault(key, len(self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)


class Marks:
    """A byte for each seat, 0 at first."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray()

    def get(self, seat: int) -> int:
        """Return the byte of a seat."""
        return self._bytes[seat] if seat < len(self._bytes) else 0

    def add(self, seat: int, bits: int) -> None:
        """Set bits."""
        self._reach(seat)
        self._bytes[seat] |= bits

    def raise_to(self, seat: int, value: int) -> None:
        """Keep the greater of the byte and `value`."""
        self._reach(seat)
        if self._bytes[seat] < value:
            self._bytes[seat] = value

    def having(self, bits: int) -> int:
        """Count the seats that have all of these bits."""
        return sum(byte & bits == bits for byte in self._bytes)

    def counts(self) -> dict[int, int]:
        """Return byte -> how many seats have it, those that were never written left out."""
        return {byte: count for byte in range(1, 256) if (count := self._bytes.count(byte))}

    def _reach(self, seat: int) -> None:
        if seat >= len(self._bytes):
            self._bytes.extend(bytes(max(seat + 1 - len(self._bytes), len(self._bytes) // 8)))
