"""`enters: P` and `leaves: P`: crossing a fence (semantics.md 2.3, 3)."""

from __future__ import annotations

from engine.patterns.base import Instant, Moment, Node
from engine.snapshot import Subscriber


class Enters(Node):
    """A visit opens, and the last sighting before it was outside or there was none in 48 h."""

    def __init__(self, key: str, members: tuple[str, ...]) -> None:
        super().__init__(key)
        self.members = members

    def cross(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one sighting; of several members entered at once the first in the group's list counts."""
        crossing = moment.crossing
        assert crossing is not None
        if crossing.entered:
            for place in self.members:
                if place in crossing.entered:
                    return [at_sighting(moment, place)]
        return None


class Leaves(Node):
    """A sighting outside all members when the state in any was `in`."""

    def __init__(self, key: str, members: tuple[str, ...]) -> None:
        super().__init__(key)
        self.members = members

    def cross(self, sub: Subscriber, moment: Moment) -> list[Instant] | None:
        """Judge one sighting; the place reported is the first member that was left."""
        crossing = moment.crossing
        assert crossing is not None
        if not crossing.known:
            return None
        left = None
        for place in self.members:
            if place in sub.inside:
                return None
            if left is None and place in crossing.before:
                left = place
        return [at_sighting(moment, left)] if left is not None else None


def at_sighting(moment: Moment, place: str) -> Instant:
    """Make the instant of the sighting being folded: its own time, its own lateness (7 d)."""
    crossing = moment.crossing
    assert crossing is not None
    timely = crossing.timely
    return Instant((2 * crossing.time, moment.seq), timely, timely and moment.fires, moment.trigger, place)
