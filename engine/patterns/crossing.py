"""`enters: P` and `leaves: P`: crossing a fence (semantics.md 2.3, 3)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.patterns.base import Instant, Moment, Node
from engine.presence import Crossing
from engine.residence import is_resident
from engine.snapshot import Subscriber


class Residents(Node):
    """A pattern over visits that may ask who lives or works at the place (ADR 20)."""

    def __init__(
        self,
        key: str,
        members: tuple[str, ...],
        resident: bool | None = None,
        cells: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        super().__init__(key)
        self.members = members
        self.resident = resident
        """Only who lives or works there, or only who does not; None: everybody."""
        self.cells = cells or {}
        """Of the members."""

    def takes(self, sub: Subscriber, place: str) -> bool:
        """Say whether the subscriber is one of those meant; who is unknown is none (ADR 20)."""
        return self.resident is None or is_resident(sub, self.cells.get(place, ())) is self.resident


class Enters(Residents):
    """A visit opens, and the last sighting before it was outside or there was none in 48 h."""

    def cross(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one sighting; of several members entered at once the first in the group's list counts."""
        crossing = moment.crossing
        assert crossing is not None
        if crossing.entered:
            for place in self.members:
                if place in crossing.entered and self.takes(sub, place):
                    return [at_sighting(moment, place)]
        return None


class Leaves(Node):
    """A sighting outside all members when the state in any was `in`, or the end of a doubt (ADR 19)."""

    def __init__(self, key: str, members: tuple[str, ...]) -> None:
        super().__init__(key)
        self.members = members

    def cross(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one sighting; the place reported is the first member that was left."""
        crossing = moment.crossing
        assert crossing is not None
        if not crossing.known and not crossing.left:
            return None
        left = None
        for place in self.members:
            if place in sub.inside:
                return None
            if left is None and place in crossing.before:
                left = place
        if crossing.left:
            by_time = [place for place in self.members if place in crossing.left]
            if by_time:
                return [_at_end(crossing, by_time)]
            if not crossing.known:
                return None
        return [at_sighting(moment, left)] if left is not None else None


def _at_end(crossing: Crossing, places: list[str]) -> Instant:
    """Make the instant of visits that ended by time: the last of them is when all were left (ADR 19)."""
    end = max(crossing.left[place][0] for place in places)
    place = next(place for place in places if crossing.left[place][0] == end)
    _, fires, trigger = crossing.left[place]
    return Instant((2 * end + 1, 0), fires, fires, trigger, place)


def at_sighting(moment: Moment, place: str) -> Instant:
    """Make the instant of the sighting being folded: its own time, its own lateness (7 d)."""
    crossing = moment.crossing
    assert crossing is not None
    timely = crossing.timely
    return Instant((2 * crossing.time, moment.seq), timely, timely and moment.fires, moment.trigger, place)
