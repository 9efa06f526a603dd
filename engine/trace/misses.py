"""The nearest miss of a pattern, in words: 26m of 30m, 2 of 3 in 2h, and the mark that would have met it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.language import model
from engine.language.words import write_duration
from engine.patterns.base import Node
from engine.presence import is_known
from engine.residence import is_resident
from engine.snapshot import HOURS_48, NEVER
from engine.trace.asked import ask, looser, rounded
from engine.trace.gates import Bench
from engine.trace.nearest import (
    NearAbsence,
    NearAllOf,
    NearAmount,
    NearCrossing,
    NearSequence,
    NearStay,
    NotMeant,
    Stay,
)
from engine.trace.watch import Noted, WatchedFold
from engine.trace.words import say

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Miss:
    """How near a pattern came in the last 48 hours to an instant it had not."""

    text: str
    at: int | None
    """When, µs."""
    change: str | None = None
    """The mark to try: `` `at_least` were 2 (is 3)``; None if there is no one mark. `flips` runs it."""
    nearer: model.Pattern | None = None
    """The pattern, so changed."""

    def to_json(self) -> dict[str, Any]:
        """The miss as plain data."""
        return {"text": self.text, "at": self.at}


def nearest_miss(
    bench: Bench, fold: WatchedFold, pattern: model.Pattern, node: Node, past: Sequence[Noted]
) -> Miss | None:
    """Say how near a pattern came; None if there was nothing. `past`: records it may look at."""
    near = fold.nearness(bench.sub.key, node)
    match pattern:
        case model.Happens():
            return _happens(bench, pattern, past)
        case model.Count() | model.Total():
            assert isinstance(near, NearAmount)
            return _amount(bench, pattern, near)
        case model.StaysIn():
            assert isinstance(near, NearStay)
            return _stay(bench, pattern, "for", pattern.duration, near, past)
        case model.Enters() if pattern.confirm:
            assert isinstance(near, NearStay)
            return _stay(bench, pattern, "confirm", pattern.confirm, near, past)
        case model.Enters() | model.Leaves():
            assert isinstance(near, NearCrossing)
            return _crossing(bench, pattern, near)
        case model.Sequence():
            assert isinstance(near, NearSequence)
            return _sequence(bench, pattern, near)
        case model.After():
            assert isinstance(near, NearAbsence)
            return _absence(bench, pattern, near)
        case model.AllOf():
            assert isinstance(near, NearAllOf)
            return _all_of(bench, pattern, near)
        case model.AnyOf():
            return None


# -- records -------------------------------------------------------------------------------------------------


def _happens(bench: Bench, pattern: model.Happens, past: Sequence[Noted]) -> Miss | None:
    found = ask(bench, pattern, past)
    if found is None:
        return None
    noted, asked = found
    at = noted.event.t
    failing = [one for one in asked if one.passes is not True]
    if not failing:
        return None
    names = ", ".join(f"{one.block}.{one.test.field}" for one in failing)
    text = f"{len(asked) - len(failing)} of {len(asked)} lines hold, not {names}, at {bench.time(at)}"
    loose = looser(failing[0])
    # without its only line it would be another pattern, not a nearer one
    if len(failing) > 1 or (loose is None and len(asked) == 1):
        return Miss(text, at)
    [one] = failing
    tests = tuple(new for test in getattr(pattern, one.block) if (new := loose if test is one.test else test))
    was = say(one.value, one.test.type)
    change = f"`{one.block}.{one.test.field}` were not asked (is {one.test.text}, was {was})"
    if loose is not None:
        change = f"`{one.block}.{one.test.field}` were {loose.text} (is {one.test.text})"
    if one.block == "where":
        return Miss(text, at, change, replace(pattern, where=tests))
    return Miss(text, at, change, replace(pattern, unless=tests))


# -- windows -------------------------------------------------------------------------------------------------


def _amount(bench: Bench, pattern: model.Count | model.Total, near: NearAmount) -> Miss | None:
    best = near.best.at(bench.now)
    if best is None:
        return None
    type = pattern.type if isinstance(pattern, model.Total) else "number"
    reached, needed = say(best.reached, type), say(pattern.at_least, type)
    window = f"in {write_duration(pattern.within)}, at {bench.time(best.at)}"
    if best.reached >= pattern.at_least:
        return Miss(f"{reached} {window}: it only matches as it comes to {needed}", best.at)
    text = f"{reached} of {needed} {window}"
    if isinstance(pattern, model.Count):
        mark: float = int(best.reached)
        return Miss(text, best.at, _were("at_least", reached, needed), replace(pattern, at_least=int(mark)))
    mark = rounded(best.reached, pattern.type, up=False)
    if mark <= 0:
        return Miss(text, best.at)
    change = _were("at_least", say(mark, type), needed)
    return Miss(text, best.at, change, replace(pattern, at_least=mark))


def _stay(
    bench: Bench,
    pattern: model.StaysIn | model.Enters,
    key: str,
    needed: int,
    near: NearStay,
    past: Sequence[Noted],
) -> Miss | None:
    other = near.others.at(bench.now)
    if other is not None:
        length = write_duration(needed)
        text = f"{length} of {length} in {other.place}, since {bench.time(other.opened)}"
        return _not_meant(pattern, text, other, other.opened + needed)
    best = _longest(bench, pattern.members, near, past)
    if best is None:
        return None
    place, opened, until, told, is_open = best
    stayed = until - opened
    length = write_duration(max(stayed, 0) // SECOND * SECOND)
    still = "so far, since" if is_open else "from"
    to = "" if is_open else f" to {bench.time(until)}"
    text = f"{length} of {write_duration(needed)} in {place}, {still} {bench.time(opened)}{to}"
    resident = is_resident(bench.sub, near.node.cells.get(place, ()))
    if pattern.resident is not None and resident is not pattern.resident:
        return Miss(f"{text}; {_LIVES[resident]}", until)
    mark = below(stayed)
    if mark <= 0 or mark >= needed or opened + mark <= told:
        return Miss(text, until)
    change = _were(key, write_duration(mark), write_duration(needed))
    if isinstance(pattern, model.Enters):
        return Miss(text, until, change, replace(pattern, confirm=mark))
    return Miss(text, until, change, replace(pattern, duration=mark))


def _longest(
    bench: Bench, members: Sequence[str], near: NearStay, past: Sequence[Noted]
) -> tuple[str, int, int, int, bool] | None:
    """Find the longest visit: place, opened, known until, `Stay.told`, still open."""
    sub, now = bench.sub, bench.now
    found = [
        (stay.place, stay.opened, _known_until(stay, past), stay.told, False)
        for clock, stay in near.over
        if clock > now - HOURS_48
    ]
    known = now if is_known(sub, now) else min([sub.known_until, *(off[0] for off in sub.offs), now])
    for place in members:
        visit = near.going_on(place)
        if visit is not None and place in sub.visits:
            found.append((place, visit[0], min(known, near.doubted(place) or known), visit[1], True))
    return max(found, key=lambda visit: visit[2] - visit[1], default=None)


def _known_until(stay: Stay, past: Sequence[Noted]) -> int:
    """Find the end of a visit, which may be a `power.off`: of these no pattern is told (2.2, 7 e)."""
    last, offs = NEVER, []
    for noted in past:
        event = noted.event
        if event.kind == "power.off":
            if event.t >= last:
                offs.append(event.t)
        elif event.cell is not None and event.seen >= last:
            if event.seen == stay.closed and (last >= stay.opened or stay.place not in (noted.places or ())):
                break  # the sighting that ended it
            last = event.seen
            offs = [off for off in offs if off > last]
    return min([stay.opened + stay.stayed, *(off for off in offs if off >= stay.opened)])


def _sequence(bench: Bench, pattern: model.Sequence, near: NearSequence) -> Miss | None:
    whole, total, within = near.whole.at(bench.now), len(pattern.steps), pattern.within
    if whole is not None:
        between = f"{bench.time(whole.start)} to {bench.time(whole.end)}"
        return _too_slow(f"all {total} steps", whole.end - whole.start, within, between, whole.end, pattern)
    steps = near.within.at(bench.now)
    if steps is None:
        return None
    there = f"{steps.reached} of {total} steps in {write_duration(within)}"
    return Miss(f"{there}, step {steps.reached} at {bench.time(steps.end)}", steps.end)


def _all_of(bench: Bench, pattern: model.AllOf, near: NearAllOf) -> Miss | None:
    whole, total, within = near.whole.at(bench.now), len(pattern.parts), pattern.within
    if whole is not None:
        between = f"{bench.time(whole.start)} to {bench.time(whole.at)}"
        return _too_slow(f"all {total} parts", whole.at - whole.start, within, between, whole.at, pattern)
    parts = near.within.at(bench.now)
    if parts is None:
        return None
    missing = ", ".join(str(n) for n in range(1, total + 1) if n not in parts.there)
    there = f"{len(parts.there)} of {total} parts in {write_duration(within)}"
    return Miss(f"{there}, at {bench.time(parts.at)}; part {missing} is missing", parts.at)


def _too_slow(
    what: str, span: int, within: int, between: str, at: int, pattern: model.Sequence | model.AllOf
) -> Miss:
    mark = above(span)
    over = write_duration(max(-(-(span - within) // SECOND), 1) * SECOND)
    took = write_duration(span // SECOND * SECOND)
    text = f"{what} in {took}, {between}: {over} too long for {write_duration(within)}"
    change = _were("within", write_duration(mark), write_duration(within))
    return Miss(text, at, change, replace(pattern, within=mark))


# -- places and absence --------------------------------------------------------------------------------------


def _crossing(bench: Bench, pattern: model.Enters | model.Leaves, near: NearCrossing) -> Miss | None:
    other = near.others.at(bench.now)
    if other is not None:
        assert isinstance(pattern, model.Enters)
        text = f"entered {other.place} at {bench.time(other.opened)}"
        return _not_meant(pattern, text, other, other.opened)
    best = near.best.at(bench.now)
    if best is None:
        return None
    at = bench.time(best.at)
    if isinstance(pattern, model.Enters):
        text = f"seen in {best.place} again at {at}, but the sighting before was there, too"
    else:
        since = bench.time(best.known_until)
        text = (
            f"seen outside {best.place} at {at}, but whereabouts were unknown by then ({since} at the latest)"
        )
        if best.known_until >= best.at:
            text = f"seen outside {best.place} at {at}, but the power was off before"
    return Miss(text, best.at)


_LIVES: Final = {
    True: "lives or works there",
    False: "lives and works elsewhere",
    None: "where they live or work was not known",
}


def _not_meant(pattern: model.Enters | model.StaysIn, text: str, other: NotMeant, at: int) -> Miss:
    """Say that all was there but for whom `resident` asks."""
    change = f"`resident` were not asked (is {say(pattern.resident)})"
    return Miss(f"{text}, but {_LIVES[other.resident]}", at, change, replace(pattern, resident=None))


def _absence(bench: Bench, pattern: model.After, near: NearAbsence) -> Miss | None:
    best = near.best.at(bench.now)
    if best is None:
        return None
    if best.again:
        what = "`after` again"
    else:
        what = pattern.no.event if isinstance(pattern.no, model.Happens) else "`no`"
    waited, whole = best.at - best.start, write_duration(pattern.wait)
    passed = write_duration(max(waited, 0) // SECOND * SECOND)
    text = f"{passed} of {whole} since {bench.time(best.start)}, then {what} at {bench.time(best.at)}"
    mark = below(waited)
    if mark <= 0 or best.start + mark <= best.armed:
        return Miss(text, best.at)
    return Miss(text, best.at, _were("for", write_duration(mark), whole), replace(pattern, wait=mark))


def below(length: int) -> int:
    """Return the greatest round length under `length`: whole minutes, else whole seconds; µs."""
    unit = model.MINUTE if length > model.MINUTE else SECOND
    return (length - 1) // unit * unit


def above(length: int) -> int:
    """Return the least length in whole minutes over `length`, µs."""
    return (length // model.MINUTE + 1) * model.MINUTE


def _were(key: str, mark: str, now: str) -> str:
    return f"`{key}` were {mark} (is {now})"
