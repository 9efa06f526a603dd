"""What ticks tell a partition: how far time has come, and which feeds are down (semantics.md 1.8)."""

from __future__ import annotations

from collections.abc import Iterable

from engine.snapshot import HOURS_48, NEVER

_OPEN = 1 << 62


class Feeds:
    """Watermark and down times of one partition, from the ticks of its log."""

    __slots__ = ("_spans", "watermark")

    def __init__(self) -> None:
        self.watermark = NEVER
        """Greatest `t` of the ticks so far."""
        self._spans: dict[str, list[list[int]]] = {}
        """Kind -> [from, to) while its feed was down, oldest first; an open end is far in the future."""

    def tick(self, time: int, down: Iterable[str]) -> None:
        """Take in one tick: a kind is down from the first tick that names it to the next that does not."""
        named = set(down)
        for kind, spans in self._spans.items():
            if spans and spans[-1][1] == _OPEN and kind not in named:
                spans[-1][1] = time
        for kind in named:
            spans = self._spans.setdefault(kind, [])
            if not spans or spans[-1][1] != _OPEN:
                spans.append([time, _OPEN])
            while spans[0][1] <= time - 2 * HOURS_48:
                del spans[0]
        self.watermark = max(self.watermark, time)

    def was_down(self, kinds: Iterable[str], after: int, until: int) -> bool:
        """Say whether a feed of `kinds` was down at any time in (after, until]."""
        return any(
            start <= until and end > max(start, after)
            for kind in kinds
            for start, end in self._spans.get(kind, ())
        )

    def pack(self) -> list[object]:
        """Return the state as plain JSON."""
        return [self.watermark, self._spans]

    @classmethod
    def unpack(cls, packed: list[object]) -> Feeds:
        """Restore what `pack` returned."""
        feeds = cls()
        feeds.watermark, feeds._spans = packed  # type: ignore[assignment]
        return feeds
