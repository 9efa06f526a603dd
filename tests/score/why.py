"""Why: each false and each missed enter of a scored day, by its cause (`./run score --why`).

Causes are read from what reached the engine of that subscriber around that time, and from what the city did
to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.event import Event
from tests.score.day import END, CityDay, Visit
from tests.score.judge import Concluded, matched
from tests.score.world import cells_of_place, is_wide

MINUTE: Final = 60_000_000
Causes = tuple[Counter[str], Counter[str]]
"""Causes of false enters, of missed ones -> how many."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as the engine was given it. `at`: of the sighting; `came`: the subscriber's clock then."""

    at: int
    came: int
    kind: str
    cell: str | None
    flags: tuple[str, ...]
    deeds: tuple[str, ...]
    """What the city did to it."""

    @property
    def sights(self) -> bool:
        """Whether presence follows it."""
        return self.cell is not None and "no_trigger" not in self.flags and self.kind != "power.off"


class Trace:
    """Notes what the engine is given."""

    def __init__(self, day: CityDay, people: Mapping[str, str]) -> None:
        """`people`: subscriber key -> IMSI."""
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self._day, self._people = day, people
        self._clock: dict[str, int] = {}

    def look(self, event: Event) -> None:
        """Note one event."""
        who = self._people.get(event.key)
        if who is None:
            return
        clock = self._clock[who] = max(self._clock.get(who, 0), event.t)
        deeds = self._day.deeds.get((event.id or "").partition("/")[0], ())
        flags = tuple(event.fields.get("quality", ()))
        self.seen[who].append(Seen(event.seen, clock, event.kind, event.cell, flags, deeds))


def causes(day: CityDay, concluded: Concluded, trace: Trace) -> Causes:
    """Count the causes of false and of missed enters of places wider than three cells."""
    false: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    by: dict[tuple[str, str], list[Visit]] = defaultdict(list)
    for visit in day.visits:
        by[visit.imsi, visit.place].append(visit)
    for who, place in {*by, *concluded.enters}:
        if not is_wide(place):
            continue
        cells = frozenset(cells_of_place(place))
        visits = sorted(by.get((who, place), ()), key=lambda visit: visit.enter)
        wrong, lost = matched(visits, concluded.enters.get((who, place), ()))
        seen = sorted(trace.seen.get(who, ()), key=lambda one: one.at)
        sights = [one for one in seen if one.sights]
        false.update(_why_false(t, cells, visits, sights) for t in wrong)
        missed.update(_why_missed(visits[k], visits[k - 1] if k else None, cells, sights) for k in lost)
    return false, missed


def _why_false(t: int, cells: frozenset[str], visits: Sequence[Visit], sights: Sequence[Seen]) -> str:
    i = bisect_right(sights, t, key=lambda one: one.at) - 1
    while i >= 0 and sights[i].cell not in cells:
        i -= 1
    if i < 0:
        return "no sighting inside"
    last = i
    while i > 0 and sights[i - 1].cell in cells:  # the first of the row
        i -= 1
    if any(visit.enter <= sights[i].at < (visit.leave or END + END) for visit in visits):
        if i == 0:
            return "never left: told again"
        return f"never left: outside by {_deed(sights[i - 1])} for {_span(sights[i].at - sights[i - 1].at)}"
    after = sights[last + 1] if last + 1 < len(sights) else None
    stay = "ever" if after is None else _span(after.at - sights[i].at)
    late = "" if after is None or after.came - after.at < MINUTE else ", the next sighting late"
    return f"never there: inside by {_deed(sights[i])} for {stay}{late}"


def _why_missed(visit: Visit, before: Visit | None, cells: frozenset[str], sights: Sequence[Seen]) -> str:
    leave = visit.leave or END
    inside = [one for one in sights if visit.enter <= one.at < leave and one.cell in cells]
    if not inside:
        return "not seen inside: all its records lost their cell"
    earlier = [one for one in sights if one.at < inside[0].at]
    gone = earlier[1 + max((k for k, one in enumerate(earlier) if one.cell in cells), default=-1) :]
    if before is not None and earlier and not gone:
        return "not seen outside since the visit before"
    if before is not None and gone and inside[0].at - gone[0].at < 5 * MINUTE:
        return f"seen outside for {_span(inside[0].at - gone[0].at)} since the visit before"
    out = next((one for one in sights if one.at > inside[0].at and one.cell not in cells), None)
    if out is not None and out.at - inside[0].at < 10 * MINUTE:
        return f"seen inside for {_span(out.at - inside[0].at)}"
    return "told outside of its time, or not at all"


def _span(length: int) -> str:
    for minutes in (1, 2, 3, 4, 6, 10, 20, 60):
        if length < minutes * MINUTE:
            return f"< {minutes} min"
    return "> 1 h"


def _deed(one: Seen) -> str:
    return "+".join(deed for deed in one.deeds if deed not in ("no-msisdn", "bad-imei")) or "a true record"
