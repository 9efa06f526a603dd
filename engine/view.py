"""What the dispatcher sees of a partition in one pass."""

from __future__ import annotations

from engine.codec import decode
from engine.ports import Ground
from engine.snapshot import Subscriber


class View:
    """A partition as one pass sees it: where it stands, and some states."""

    def __init__(self, at: int, ground: Ground, blobs: dict[str, bytes | None]) -> None:
        self.at = at
        """When it was asked for, µs."""
        self.ground = ground
        self._blobs = blobs
        self._read: dict[str, Subscriber] = {}

    def subscriber(self, key: str) -> Subscriber:
        """Return a state; of whom nothing is known an empty one. Raise `StateError` if it can't be read."""
        found = self._read.get(key)
        if found is None:
            blob = self._blobs[key]
            found = self._read[key] = Subscriber(key) if blob is None else decode(key, blob)
        return found
