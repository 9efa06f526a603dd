"""How near something came to a mark: steps below the mark, and what was seen at each of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

from engine.backtest.seats import Marks
from engine.language import model
from engine.language.words import SECOND, write_duration
from engine.trace.words import say

Kind = Literal["stays", "waits", "count", "total", "sequence", "all_of"]
EACH_UP_TO: Final = 20
"""Counts up to this have a step for each number, others for each tenth of the mark."""
_TENTHS: Final = range(1, 10)

What = dict[Kind, str]
EPISODES: Final[What] = {
    "stays": "visits",
    "waits": "waits",
    "count": "times",
    "total": "times",
    "sequence": "",
    "all_of": "",
}
"""What is counted beside subscribers."""


class Scale:
    """The steps of one pattern. Step n holds what reached `edges[n - 1]` and not `edges[n]`."""

    def __init__(
        self, kind: Kind, line: str, mark: float, edges: Sequence[float], write: Callable[[float], str]
    ) -> None:
        self.kind: Kind = kind
        self.line = line
        """Key that the mark stands under: `for`, `confirm`, `at_least`; empty: it can't be lowered."""
        self.mark = mark
        self.edges = tuple(edges)
        self.write = write
        self.best = Marks()
        """By seat: 1 + the highest step reached; with the mark reached, 2 + the number of edges."""
        self.episodes = [0] * (len(self.edges) + 2)
        """`stays`, `waits`: ended below the mark, by step. `count`, `total`: how often each edge was crossed
        (from 1 on), the mark at the end."""

    @property
    def full(self) -> int:
        """The step of the mark itself."""
        return len(self.edges) + 1

    def step(self, reached: float) -> int:
        """Return the step of a measure."""
        return self.full if reached >= self.mark else bisect_right(self.edges, reached)

    def note(self, seat: int, step: int) -> None:
        """Remember the highest step of a subscriber."""
        self.best.raise_to(seat, step + 1)

    def ended(self, seat: int, reached: float) -> None:
        """Note something that ended below the mark."""
        step = min(self.step(reached), self.full - 1)
        self.episodes[step] += 1
        self.note(seat, step)

    def rose(self, seat: int, before: float, now: float, fires: bool) -> None:
        """Note a number that rose from `before` to `now`; `fires`: the record may fire a rule."""
        step = self.step(now)
        self.note(seat, step)
        if fires:
            for edge in range(self.step(before) + 1, step + 1):
                self.episodes[edge] += 1

    def near(self) -> list[dict[str, Any]]:
        """Return who stayed below the mark, nearest first: {from, to, text, subscribers, times}."""
        people = self.best.counts()
        found = []
        for step in range(self.full - 1, -1, -1):
            subscribers = people.get(step + 1, 0)
            times = self.episodes[step] if self.kind in ("stays", "waits") else None
            if subscribers or times:
                low = self.edges[step - 1] if step else 0
                high = self.edges[step] if step < len(self.edges) else self.mark
                row = {"from": low, "to": high, "text": self._say(low, high), "subscribers": subscribers}
                found.append(row if times is None else {**row, "times": times})
        return found

    def reached(self) -> int:
        """Return how many subscribers reached the mark."""
        return self.best.counts().get(self.full + 1, 0)

    def what_if(self) -> list[dict[str, Any]]:
        """Return what lower marks would match more, the highest first: {line, value, text, more}."""
        if not self.line:
            return []
        found = []
        more = 0
        for step in range(self.full - 1, 0, -1):
            if self.kind in ("stays", "waits"):
                more += self.episodes[step]
            else:
                more = self.episodes[step] - self.episodes[self.full]
            if more:
                edge = self.edges[step - 1]
                found.append(
                    {
                        "line": self.line,
                        "value": edge,
                        "text": f"{self.line}: {self.write(edge)}",
                        "more": more,
                    }
                )
        return found

    def _say(self, low: float, high: float) -> str:
        mark = self.write(self.mark)
        if self.kind in ("sequence", "all_of"):
            return f"{low:g} of {mark}"
        if self.kind == "count" and high - low <= 1:
            return f"{low:g} of {mark}"
        return f"{self.write(low)} to {self.write(high)} of {mark}"


def lasting(kind: Kind, duration: int, line: str = "for") -> Scale:
    """Return the scale of a dwell or a wait, µs; `line`: the key that its length stands under."""
    tenths = {duration * tenth // 10 // SECOND * SECOND for tenth in _TENTHS}
    edges = sorted(edge for edge in tenths if 0 < edge < duration)
    return Scale(kind, line, duration, edges, lambda length: write_duration(int(length)))


def counting(at_least: int) -> Scale:
    """Return the scale of a count."""
    edges = range(1, at_least) if at_least <= EACH_UP_TO else [at_least * tenth // 10 for tenth in _TENTHS]
    return Scale("count", "at_least", at_least, edges, lambda number: f"{number:g}")


def adding(at_least: float, type: model.FieldType) -> Scale:
    """Return the scale of a total."""
    whole = isinstance(at_least, int)
    tenths = {at_least * tenth // 10 if whole else at_least * tenth / 10 for tenth in _TENTHS}
    edges = sorted(edge for edge in tenths if 0 < edge < at_least)
    return Scale("total", "at_least", at_least, edges, lambda amount: say(amount, type))


def parts(kind: Kind, number: int) -> Scale:
    """Return the scale of a sequence's steps or an `all_of`'s parts."""
    return Scale(kind, "", number, range(1, number), lambda count: f"{count:g}")
