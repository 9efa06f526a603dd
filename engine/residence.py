"""Where a subscriber lives and works, learned from sightings (docs/decisions/0020).

Off unless the policy says `learn`, and only with the consents `profiling` and `location`. Hours of nights and
of working days are summed per cell; the cell with most of them becomes `home`, or `work`, of the profile.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from engine.event import Event
from engine.language.model import HOME, WORK, Learn, Policy
from engine.localtime import Interval, daily_spans
from engine.snapshot import SECOND, Subscriber

KINDS = (HOME, WORK)
"""In the sums of a cell the first and the second."""
CONSENTS = ("profiling", "location")
CELLS = 8
"""Cells that are remembered: the hours of all others are few."""
LEAST = 18 * 3_600
"""Seconds that a cell must have to be anybody's home or work: three nights, or three working days."""
FADE, OF = 15, 16
"""With each night (or working day) that is added, those before count this share of what they did."""
PAUSED = -1
"""In place of `since`: nothing was learned for a while, and time begins to count with the next sighting."""
_DAY = 86_400 * SECOND


class Habits:
    """What is remembered of nights and working days."""

    __slots__ = ("now", "since", "sums", "until")

    def __init__(self, since: int) -> None:
        self.since = since
        """Time at the cell of the last sighting is counted up to here, µs."""
        self.until = since
        """A sighting from here on is looked at even if it changes nothing: a night or day is over."""
        self.now: dict[str, tuple[int, dict[str, int]]] = {}
        """Kind -> end of the night or day being counted, µs of it by cell."""
        self.sums: dict[str, list[int]] = {}
        """Cell -> seconds of nights, of working days."""

    def __eq__(self, other: object) -> bool:
        """Hold all of it against another's."""
        return isinstance(other, Habits) and self.pack() == other.pack()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def pack(self) -> list[Any]:
        """Return all of it as plain JSON."""
        return [self.since, self.until, self.now, self.sums]

    @classmethod
    def unpack(cls, packed: list[Any]) -> Habits:
        """Read what `pack` wrote."""
        habits = cls(packed[0])
        habits.until = packed[1]
        habits.now = {kind: (end, dict(cells)) for kind, (end, cells) in packed[2].items()}
        habits.sums = {cell: list(seconds) for cell, seconds in packed[3].items()}
        return habits


def may_learn(sub: Subscriber) -> bool:
    """Say whether the consents for it are known and yes."""
    return all(sub.consent.get(purpose) is True for purpose in CONSENTS)


def erase(sub: Subscriber) -> None:
    """Forget what was learned if a consent for it is missing."""
    if sub.habits is not None and not may_learn(sub):
        sub.habits = None
        for kind in KINDS:
            sub.profile.pop(kind, None)


def pause(sub: Subscriber) -> None:
    """Take in that from here on nothing is learned, until it is again: time between does not count."""
    if sub.habits is not None and sub.habits.since != PAUSED:
        sub.habits.since = PAUSED
        sub.gates_dirty = True


def observe(sub: Subscriber, event: Event, policy: Policy) -> bool:
    """Take in a sighting, before it is applied; True if a night or working day was added up.

    `event` is one that `presence.sight` takes; the subscriber is as it was before.
    """
    learn = policy.learn
    if learn is None or not may_learn(sub):
        return False
    time, habits = event.seen, sub.habits
    if habits is None:
        sub.habits = Habits(time)
        sub.gates_dirty = True
        return False
    if time < habits.since:
        return False  # a lost store is being rebuilt: this was counted before
    if habits.since == PAUSED:
        habits.since = habits.until = time
        sub.gates_dirty = True
        return False
    left = min(time, sub.known_until, *(off for off, _ in sub.offs[:1]))
    if left == time < habits.until and event.cell == sub.cell:
        return False
    sub.gates_dirty = True
    zone = sub.timezone or policy.timezone
    added = False
    for kind, interval, days in _spans(learn):
        if sub.cell is not None and habits.since < left:
            added |= _count(sub, habits, kind, left, daily_spans(habits.since, left, zone, interval, days))
        running = habits.now.get(kind)
        if running is not None and running[0] <= time:
            _add_up(sub, habits, kind)
            added = True
    habits.since = time
    ends = [
        end
        for _, interval, days in _spans(learn)
        for _, end in daily_spans(time, time + _DAY, zone, interval, days)
        if end > time
    ]
    habits.until = min(ends, default=time + _DAY)
    return added


def is_resident(sub: Subscriber, cells: Container[str]) -> bool | None:
    """Say whether a place of these cells is where somebody lives or works; None: not known of them."""
    known = [cell for kind in KINDS if isinstance(cell := sub.profile.get(kind), str)]
    return any(cell in cells for cell in known) if known else None


def _spans(learn: Learn) -> Iterator[tuple[str, Interval, tuple[int, ...]]]:
    if learn.home is not None:
        yield HOME, learn.home, tuple(range(7))
    if learn.work is not None:
        yield WORK, learn.work, tuple(range(5))


def _count(sub: Subscriber, habits: Habits, kind: str, left: int, spans: Iterator[tuple[int, int]]) -> bool:
    """Count the time in the last cell, up to `left`, that lies in nights or working days."""
    assert sub.cell is not None
    added = False
    for start, end in spans:
        length = min(end, left) - max(start, habits.since)
        if length <= 0:
            continue
        running = habits.now.get(kind)
        if running is not None and running[0] != end:
            _add_up(sub, habits, kind)
            added = True
        _, cells = habits.now.setdefault(kind, (end, {}))
        cells[sub.cell] = cells.get(sub.cell, 0) + length
        if len(cells) > CELLS:
            del cells[max(cells, key=lambda cell: (-cells[cell], cell))]
    return added


def _add_up(sub: Subscriber, habits: Habits, kind: str) -> None:
    """Add a night or working day that is over to the sums, and see who lives or works where."""
    sums, column = habits.sums, KINDS.index(kind)
    _, cells = habits.now.pop(kind)
    for seconds in sums.values():
        seconds[column] = seconds[column] * FADE // OF
    for cell, length in cells.items():
        sums.setdefault(cell, [0, 0])[column] += length // SECOND
    for cell in [cell for cell, seconds in sums.items() if not any(seconds)]:
        del sums[cell]
    while len(sums) > CELLS:
        del sums[max(sums, key=lambda cell: (-sum(sums[cell]), cell))]
    enough = {cell: seconds[column] for cell, seconds in sums.items() if seconds[column] >= LEAST}
    if enough:
        most = max(enough.values())
        holder = sub.profile.get(kind)
        if enough.get(str(holder)) != most:
            sub.profile[kind] = min(cell for cell, seconds in enough.items() if seconds == most)
