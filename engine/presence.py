"""Where a subscriber is: sightings, in / out / unknown, visits (semantics.md 2).

Fences themselves (cell -> places) are `engine.places`. A sighting yields a `Crossing` only if a pattern could
care; staying where one was costs three comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.event import Event
from engine.language.model import Policy
from engine.places import PlaceMap, Places
from engine.snapshot import HOURS_48, NEVER, Subscriber, Trigger

LEAVE, LEAVE_LOST = "leave", "leave\0lost"
"""In place of a pattern's key: the timer of a visit in doubt; one whose end is no instant (7 a)."""


class Crossing:
    """What one sighting changed."""

    __slots__ = (
        "before", "deeds", "entered", "known", "known_until", "left", "opened", "time", "timely", "went_on",
    )  # fmt: skip

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
        self.deeds: list[str] = []
        """What places that are left late made of it, for the counters: `DEEDS`."""
        self.left: dict[str, tuple[int, bool, Trigger]] = {}
        """Place whose visit ended by time, not at a sighting -> when, whether that may fire, and the sighting
        that began the doubt."""


DEEDS = ("doubted", "came_back", "left_by_sightings", "left_by_time", "beside")
"""A visit came in doubt; the doubt ended inside, or with the visit at a sighting, or by time; a sighting
around a place went on with a visit (ADR 19)."""


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


def sight(sub: Subscriber, event: Event, places: Places, policy: Policy, fences: PlaceMap) -> Crossing | None:
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
    if not known or gap or sub.gap or sub.overdue or places != sub.inside or sub.doubts:
        sub.core_dirty = True
        crossing = Crossing(time, clock - time <= policy.patience, known, sub.inside, until)
        if sub.inside or places:
            places = _visit(sub, event, places, crossing, policy.bridge, fences)
        sub.inside = places
    sub.rat = rat
    sub.seen_at = time
    sub.seen_pos = sub.seq
    sub.cell = event.cell
    sub.gap = gap
    sub.known_until = known_until
    if sub.doubts and crossing is not None:
        _leave_in_the_past(sub, crossing)
    return crossing


def _visit(
    sub: Subscriber, event: Event, places: Places, crossing: Crossing, bridge: int, fences: PlaceMap
) -> Places:
    """Open, continue and end visits; return the places with an open one."""
    time, last, visits = crossing.time, sub.seen_at, sub.visits
    # 7(f): a sighting exactly 48 h before is out
    first = last == NEVER or time - last >= HOURS_48
    goes_on = crossing.known or time - last <= bridge
    held: list[str] = []
    for place in sub.inside:
        if place not in places:
            if goes_on and place in fences.leaving and _holds(sub, event, place, crossing, fences):
                held.append(place)
            else:
                del visits[place]
                if _end_doubt(sub, place):
                    crossing.deeds.append("left_by_sightings")
    for place in places:
        if place in visits:
            outside = _end_doubt(sub, place)
            if outside and goes_on:
                crossing.deeds.append("came_back")
            if goes_on:
                crossing.went_on.append(place)
                continue
            entered = first or outside
        else:
            entered = True
        visits[place] = (time, sub.seq, (event.source, event.id, event.position))
        crossing.opened.append(place)
        if entered:
            crossing.entered.append(place)
    return tuple(sorted((*places, *held), key=fences.order.__getitem__)) if held else places


# -- visits that a sighting outside does not end at once (ADR 19) --------------------------------------------


def _holds(sub: Subscriber, event: Event, place: str, crossing: Crossing, fences: PlaceMap) -> bool:
    """Say whether a visit stays open at a sighting that is not inside; begin or go on doubting."""
    if place in fences.beside.get(event.cell or "", ()):
        _end_doubt(sub, place)
        crossing.went_on.append(place)
        crossing.deeds.append("beside")
        return True
    after, most = fences.leaving[place]
    if not after and not most:
        return False
    trigger = (event.source, event.id, event.position)
    since, count, trigger = sub.doubts.get(place, (crossing.time, 0, trigger))
    count += 1
    if (most and count >= most) or (after and crossing.time - since >= after):
        return False
    sub.doubts[place] = since, count, trigger
    if count == 1:
        crossing.deeds.append("doubted")
    if after and count == 1:
        due = since + after
        # 7(a): beyond patience it ends silently if it is due by now
        lost = due <= sub.clock and not crossing.timely
        sub.timers[LEAVE_LOST if lost else LEAVE, place] = due
        if due < sub.wake or not sub.wake:
            sub.wake = due
    return True


def _end_doubt(sub: Subscriber, place: str) -> bool:
    """End the doubt about a visit; False if there was none."""
    if sub.doubts.pop(place, None) is None:
        return False
    sub.timers.pop((LEAVE, place), None)
    sub.timers.pop((LEAVE_LOST, place), None)
    return True


def _leave_in_the_past(sub: Subscriber, crossing: Crossing) -> None:
    """End the visits whose doubt a sighting told late began so long ago that it is over by now (7 b)."""
    for place in list(sub.doubts):
        for name in (LEAVE, LEAVE_LOST):
            due = sub.timers.get((name, place))
            if due is None or due >= sub.clock:
                continue
            del sub.timers[name, place]
            if is_known(sub, due):
                _end(sub, place, due, crossing.timely, crossing)


def _end(sub: Subscriber, place: str, time: int, fires: bool, crossing: Crossing) -> None:
    _, _, trigger = sub.doubts.pop(place)
    del sub.visits[place]
    sub.inside = tuple(each for each in sub.inside if each != place)
    crossing.left[place] = time, fires, trigger
    crossing.deeds.append("left_by_time")


def leave_due(sub: Subscriber, due: int) -> Crossing | None:
    """End the visits whose doubt is over at `due`, as timers do; None if there is none.

    Where whereabouts are unknown then nobody has left: the doubt stays, for the next sighting to settle.
    """
    crossing = Crossing(due, True, True, sub.inside, sub.known_until)
    for place in [place for place in sub.inside if place in sub.doubts]:
        for name in (LEAVE, LEAVE_LOST):
            if sub.timers.get((name, place)) == due:
                del sub.timers[name, place]
                if is_known(sub, due):
                    _end(sub, place, due, name == LEAVE, crossing)
    if not crossing.left:
        return None
    sub.core_dirty = True
    sub.seq += 1
    return crossing


def rebase(sub: Subscriber, changed: frozenset[str], places: Places, order: Mapping[str, int]) -> None:
    """Give new or changed places their state from the last sighting; that opening fires nothing (2.4).

    `places`: those of the last sighting's cell under the new catalogue, `order`: of all places in it.
    """
    if sub.seen_at == NEVER:
        return
    held = [place for place in sub.inside if place not in changed and place not in places]
    kept = {
        place: visit
        for place, visit in sub.visits.items()
        if place not in changed and (place in places or place in held)
    }
    for place in places:
        if place not in kept:
            kept[place] = (sub.seen_at, sub.seen_pos, ("", None, ""))
    for place in [place for place in sub.doubts if place not in kept or place in changed]:
        _end_doubt(sub, place)
    sub.visits = kept
    sub.inside = tuple(sorted((*places, *held), key=order.__getitem__)) if held else places
