"""`stays_in: P, for: D`: dwell, once per visit (semantics.md 3, 7 a, b, g); `enters: P, confirm: D`.

Confirmed entries are dwells of visits whose opening is an instant of `enters`: of others they arm nothing.

Due is opened + D. A timer waits for it; if whereabouts are unknown then, the dwell is overdue and made up by
the first later sighting that goes on with the visit. So it is if the visit is in doubt then (ADR 19.5).
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.patterns.base import Instant, Moment, arm
from engine.patterns.crossing import Residents, at_sighting
from engine.presence import is_known
from engine.snapshot import Subscriber

LOST = "\0lost"
"""Marks the timer of a dwell that is no instant if its place is `in` when it is due."""


class StaysIn(Residents):
    """Timers and overdue marks per member place; the visit itself stands in the snapshot.

    Who lives there is asked when the dwell is complete.
    """

    def __init__(
        self,
        key: str,
        members: tuple[str, ...],
        duration: int,
        entered_only: bool = False,
        resident: bool | None = None,
        cells: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        super().__init__(key, members, resident, cells)
        self.duration = duration
        self.entered_only = entered_only
        """It is `enters … confirm`."""

    def cross(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Follow one sighting: close, make up, open."""
        crossing = moment.crossing
        assert crossing is not None
        sub.core_dirty = True
        found: list[Instant] = []
        for place in self.members:
            if place in crossing.opened:
                self._forget(sub, place)
                if self.entered_only and place not in crossing.entered:
                    continue
                instant = self._open(sub, moment, place)
            elif place in crossing.went_on:
                instant = self._make_up(sub, moment, place)
            else:
                if place in crossing.before and place not in sub.inside:
                    self._forget(sub, place)
                continue
            if instant is not None and all(instant.order != other.order for other in found):
                found.append(instant)
        return found or None

    def _open(self, sub: Subscriber, moment: Moment, place: str) -> Instant | None:
        crossing = moment.crossing
        assert crossing is not None
        due = crossing.time + self.duration
        if due >= moment.now:
            # 7(a), (b): at the clock it is an ordinary timer, but beyond patience no instant
            arm(sub, self.key, place if due > moment.now or crossing.timely else place + LOST, due)
            return None
        if not is_known(sub, due):
            sub.overdue.add((self.key, place))
            return None
        # 7(a): beyond patience a dwell that was due by now is lost; 7(b): within it, it fires at once
        return self._at(sub, place, due) if crossing.timely and self.takes(sub, place) else None

    def _make_up(self, sub: Subscriber, moment: Moment, place: str) -> Instant | None:
        crossing = moment.crossing
        assert crossing is not None
        mark = (self.key, place)
        if mark not in sub.overdue or crossing.time <= sub.visits[place][0] + self.duration:
            return None
        sub.overdue.discard(mark)
        return at_sighting(moment, place) if self.takes(sub, place) else None

    def _at(self, sub: Subscriber, place: str, due: int) -> Instant:
        return Instant((2 * due + 1, 0), True, True, sub.visits[place][2], place)

    def reopen(self, sub: Subscriber, changed: frozenset[str], opened: list[str]) -> None:
        """Start anew where the fence moved: the visit began at the last sighting (2.4)."""
        for place in self.members:
            if place not in changed:
                continue
            self._forget(sub, place)
            if place in opened and not self.entered_only:
                due = sub.visits[place][0] + self.duration
                if due >= sub.clock:
                    arm(sub, self.key, place, due)
                elif not is_known(sub, due):
                    sub.overdue.add((self.key, place))

    def _forget(self, sub: Subscriber, place: str) -> None:
        sub.overdue.discard((self.key, place))
        sub.timers.pop((self.key, place), None)
        sub.timers.pop((self.key, place + LOST), None)

    def ring(self, sub: Subscriber, moment: Moment, due: int, arguments: list[str]) -> list[Instant] | None:
        """Fire the dwells due now that are still `in`, and not in doubt; several members are one instant."""
        first = None
        known = is_known(sub, due)
        for place in self.members:
            if place not in arguments and place + LOST not in arguments:
                continue
            if not known or place in sub.doubts:
                sub.overdue.add((self.key, place))
            elif first is None and place in arguments and self.takes(sub, place):
                first = self._at(sub, place, due)
        return [first] if first is not None else None
