"""Where a subscriber is: sightings, in / out / unknown, visits (semantics.md 2).

Fences themselves (cell -> places) are `engine.places`. A sighting yields a `Crossing` only if a pattern could
care; staying where one was costs three comparisons.
"""

from __future__ import annotations

from engine.event import Event
from engine.language.model import Policy
from engine.places import Places
from engine.snapshot import HOURS_48, NEVER, Subscriber


class Crossing:
    """What one sighting changed."""

    __slots__ = ("before", "entered", "known", "known_until", "opened", "time", "timely", "went_on")

    def __init__(self, time: int, timely: bool, known: bool, before: Places, known_until: int) -> None:
        self.time = time
        """The sighting's own time, µs."""
        self.timely = timely
        """Late by at most `patience`: its instants may fire (semantics 1.5, 2.1)."""
        self.known = known
        """The state just before was `in` or `out`, not unknown."""
        self.known_until = known_until
        """How long whereabouts were known before this sighting."""
        self.before = before
        """Places of the sighting before."""
        self.opened: list[str] = []
        self.entered: list[str] = []
        """Those of `opened` that are an instant of `enters`."""
        self.went_on: list[str] = []
        """Places whose open visit this sighting continues."""


def is_known(sub: Subscriber, time: int) -> bool:
    """Say whether the state at `time`, not before the last sighting, is `in` or `out` (semantics 2.2)."""
    if time > sub.known_until or sub.seen_at == NEVER:
        return False
    # 7(e): an off later than `time` does not make the state at `time` unknown
    return not sub.offs or sub.offs[0][0] > time


def switch_off(sub: Subscriber, event: Event) -> bool:
    """Apply a `power.off`: unknown from it on; False if a later sighting is known (2.2, 7 e)."""
    if event.t < sub.seen_at:
        return False
    sub.core_dirty = True
    sub.offs.append((event.t, sub.seq))
    sub.offs.sort()
    del sub.offs[8:]
    return True


def lapse_of(policy: Policy, rat: str | None) -> int:
    """Return how long a sighting over this radio access stays good, µs (2.2)."""
    by_rat = policy.lapse_by_rat
    return by_rat.get(rat, policy.lapse) if by_rat and rat is not None else policy.lapse


def sight(sub: Subscriber, event: Event, places: Places, policy: Policy) -> Crossing | None:
    """Apply a sighting at `places`; the subscriber's clock already is the one after this record.

    Only for a record with a cell that is not earlier than the last sighting, not flagged `no_trigger` and no
    `power.off` (2.1, 2.4). Returns what changed, or None if no pattern could care.
    """
    time, clock, rat = event.seen, sub.clock, event.fields.get("rat")
    until, known_until = sub.known_until, time + lapse_of(policy, rat)
    known = time <= until and sub.seen_at != NEVER
    # a sighting told late may heal a gap that timers have already seen: patterns hear of it, until it is
    # closed
    gap = time < clock and (clock > until or clock > known_until or sub.gap or bool(sub.offs))
    crossing = None
    if sub.offs:
        known = known and sub.offs[0][0] > time
        sub.offs = [off for off in sub.offs if off[0] > time]
        sub.core_dirty = True
    if not known or gap or sub.gap or sub.overdue or places != sub.inside:
        sub.core_dirty = True
        crossing = Crossing(time, clock - time <= policy.patience, known, sub.inside, until)
        if sub.inside or places:
            _visit(sub, event, places, crossing, policy.bridge)
        sub.inside = places
    sub.rat = rat
    sub.seen_at = time
    sub.seen_pos = sub.seq
    sub.cell = event.cell
    sub.gap = gap
    sub.known_until = known_until
    return crossing


def _visit(sub: Subscriber, event: Event, places: Places, crossing: Crossing, bridge: int) -> None:
    time, last, visits = crossing.time, sub.seen_at, sub.visits
    # 7(f): a sighting exactly 48 h before is out
    first = last == NEVER or time - last >= HOURS_48
    for place in sub.inside:
        if place not in places:
            del visits[place]
    for place in places:
        if place in visits:
            if crossing.known or time - last <= bridge:
                crossing.went_on.append(place)
                continue
            entered = first
        else:
            entered = True
        visits[place] = (time, sub.seq, (event.source, event.id, event.position))
        crossing.opened.append(place)
        if entered:
            crossing.entered.append(place)


def rebase(sub: Subscriber, changed: frozenset[str], places: Places) -> None:
    """Give new or changed places their state from the last sighting; that opening fires nothing (2.4).

    `places`: those of the last sighting's cell under the new catalogue.
    """
    if sub.seen_at == NEVER:
        return
    kept = {place: visit for place, visit in sub.visits.items() if place in places and place not in changed}
    for place in places:
        if place not in kept:
            kept[place] = (sub.seen_at, sub.seen_pos, ("", None, ""))
    sub.visits = kept
    sub.inside = places
