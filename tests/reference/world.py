"""What all subscribers share (catalogue, policy, rules, ticks) and the raw past of one subscriber.

Sentence numbers are those of the semantics page. Times are int µs UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from . import clockface
from .intake import BUSINESS, PHASED, drop_limit
from .values import TWO_DAYS, read_time


@dataclass(frozen=True)
class Applied:
    """A signaling or business record with the clock at which it was applied."""

    record: dict[str, Any]
    seq: int  # log order
    clock: int  # of the subscriber, this record applied
    places: frozenset[str] | None  # where it was, for `where: {place}`; None = unknown

    @property
    def kind(self) -> str:
        return str(self.record["kind"])

    @property
    def t(self) -> int:
        return int(self.record["t"])

    @property
    def whole(self) -> bool:
        """1.4: not the start or an update of a call, message or session."""
        return not (self.kind.startswith(PHASED) and self.record.get("phase") in ("start", "update"))

    @property
    def silent(self) -> bool:
        """2.4: flagged `no_trigger`: fires nothing."""
        return "no_trigger" in (self.record.get("quality") or ())


@dataclass(frozen=True)
class Sighting:
    """2.1: an accepted sighting."""

    time: int
    seq: int
    cell: str
    rat: str | None
    late: int  # clock − time


@dataclass
class Visit:
    """2.3: a visit of one place; the numbers index the accepted sightings."""

    opened: int
    went_on: list[int] = field(default_factory=list)
    open_after: set[int] = field(default_factory=set)  # after which sightings it was open


@dataclass(frozen=True)
class Fence:
    """docs/decisions/0019: what a place says about leaving."""

    buffer: frozenset[str]
    after: int  # 0: not given
    sightings: int

    @property
    def patient(self) -> bool:
        return bool(self.after or self.sightings)


@dataclass(frozen=True)
class End:
    """docs/decisions/0019.4: the end of a visit by time."""

    due: int
    fires: bool
    seq: int  # log order of the sighting that began the doubt


class House:
    """Policy, catalogue and ticks."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.key: str = case["key"]
        self.salt: str = case["salt"]
        self.policy: dict[str, Any] = case.get("policy") or {}
        self.fields: dict[str, Any] = case.get("fields") or {}
        places = dict(case.get("places") or {})
        self.groups: dict[str, list[str]] = places.pop("groups", None) or {}
        self.cells = {place: frozenset(map(str, about["cells"])) for place, about in places.items()}
        self.fences = {
            place: Fence(
                frozenset(map(str, about.get("buffer") or ())) - self.cells[place],
                read_time(about["leave_after"]) if "leave_after" in about else 0,
                int(about.get("leave_sightings") or 0),
            )
            for place, about in places.items()
        }
        self.numbers: dict[str, Any] = case.get("numbers") or {}
        self.clock: int | None = None  # 1.8: of the ticks, for those whose first record comes later
        self.ticks: list[tuple[int, frozenset[str]]] = []  # the input's own, for `down`

    def members(self, place: str) -> list[str]:
        """Give the places of a group in its order, or the place itself."""
        return list(self.groups.get(place, [place]))

    def places_of(self, cell: str) -> frozenset[str]:
        """A cell may lie in several places (3)."""
        return frozenset(place for place, cells in self.cells.items() if cell in cells)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.policy.get("timezone") or "UTC")

    @cached_property
    def quiet(self) -> clockface.Intervals:
        return clockface.read_intervals(self.policy.get("quiet"))

    @cached_property
    def bridge(self) -> int:
        return read_time((self.policy.get("presence") or {}).get("bridge", "4h"))

    def lapse(self, rat: str | None) -> int:
        """2.2: 58 m by default; per RAT: by that of the last sighting, 58 m if not listed or not given."""
        given = (self.policy.get("presence") or {}).get("lapse", "58m")
        if isinstance(given, dict):
            given = given.get(rat or "", "58m")
        return self._time(given)

    def _time(self, text: str, known: dict[str, int] = {}) -> int:  # noqa: B006  (a memo of a pure function)
        if text not in known:
            known[text] = read_time(text)
        return known[text]

    def patience(self, kind: str) -> int:
        """1.5: 5 m by default; for business records both limits are 48 h."""
        if kind in BUSINESS:
            return drop_limit(kind)
        return self._time(self.policy.get("patience", "5m"))

    @cached_property
    def learn(self) -> dict[str, str]:
        """docs/decisions/0020: the hours of `home` and `work`; empty: nothing is learned."""
        return {name: str(span) for name, span in (self.policy.get("learn") or {}).items()}

    def was_down(self, kinds: set[str], after: int, until: int) -> bool:
        """1.8: was one of the kinds down at any time in (after, until]?

        Down from the `t` of a tick that names it up to the `t` of the next tick that does not.
        """
        for kind in kinds:
            since: int | None = None
            for t, down in self.ticks:
                if kind in down:
                    since = t if since is None else since
                elif since is not None:
                    if since <= until and t > after and t > since:
                        return True
                    since = None
            if since is not None and since <= until:
                return True
        return False


class Past:
    """The raw past of one subscriber and what follows from it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock: int | None = house.clock
        self.records: list[Applied] = []
        self.sightings: list[Sighting] = []
        self.offs: list[tuple[int, int]] = []  # (t, seq) of power.off
        self.ends: dict[tuple[str, int], End] = {}  # (place, last sighting before it): 0019.4
        self.settled: set[tuple[str, int]] = (
            set()
        )  # doubts (place, first sighting outside) whose time is over
        self.resident: Callable[[str], bool | None] = lambda place: None  # 0020.7
        self._visits: dict[str, tuple[tuple[int, int], list[Visit], Visit | None, int | None]] = {}

    def known_at(self, moment: int, last: int, before: int | None = None) -> bool:
        """2.2: is the state at `moment` known, the last sighting being number `last` (-1: none)?

        `before`: only records earlier in the log than this one have been applied.
        """
        if last < 0:
            return False
        seen = self.sightings[last]
        if moment > seen.time + self.house.lapse(seen.rat):
            return False
        # 2.2: an off not older than the last sighting; 7(e): same time: log order; not a later one
        return not any(
            (seen.time, seen.seq) < (t, seq) and t <= moment and (before is None or seq < before)
            for t, seq in self.offs
        )

    def state_in(self, place: str, moment: int) -> bool:
        """Is the state in a place at a moment `in`, from all that is known?"""
        last = max((i for i, seen in enumerate(self.sightings) if seen.time <= moment), default=-1)
        return self.known_at(moment, last) and self.is_open(place, last, moment)

    def lies(self, place: str, number: int) -> bool:
        """Did a sighting lie in a place?"""
        return self.sightings[number].cell in self.house.cells[place]

    def is_open(self, place: str, number: int, until: int) -> bool:
        """Was a visit open after a sighting, and did no time end it up to and with `until` (0019.5)?"""
        if number < 0 or not any(number in visit.open_after for visit in self.visits(place)):
            return False
        end = self.ends.get((place, number))
        return end is None or end.due > until

    def in_doubt(self, place: str, moment: int) -> bool:
        """0019.5: was the last sighting up to and with `moment` one outside that left a visit open?"""
        last = max((i for i, seen in enumerate(self.sightings) if seen.time <= moment), default=-1)
        return self.is_open(place, last, moment) and not self.counted_inside(place, last)

    def places_at(self, moment: int) -> frozenset[str] | None:
        """Give the places whose state is `in`, None if unknown."""
        last = max((i for i, seen in enumerate(self.sightings) if seen.time <= moment), default=-1)
        if not self.known_at(moment, last):
            return None
        return frozenset(place for place in self.house.cells if self.is_open(place, last, moment))

    def was_in(self, place: str, number: int) -> bool:
        """Was the state `in` at a sighting, before it?"""
        seen = self.sightings[number]
        if (place, number - 1) in self.ends:  # what has ended has ended, also for a sighting told late
            return False
        return self.known_at(seen.time, number - 1, seen.seq) and self.is_open(place, number - 1, seen.time)

    def visits(self, place: str) -> list[Visit]:
        """2.3, 0019: fold the sightings into visits of a place (remembered until something happens)."""
        state = (len(self.sightings), len(self.ends))
        if place in self._visits and self._visits[place][0] == state:
            return self._visits[place][1]
        visits: list[Visit] = []
        current: Visit | None = None
        doubt: list[int] = []  # sightings outside in a row
        fence = self.house.fences[place]
        for i, seen in enumerate(self.sightings):
            if (place, i - 1) in self.ends:
                current, doubt = None, []
            goes_on = current is not None and (
                self.known_at(seen.time, i - 1, seen.seq)
                or seen.time - self.sightings[i - 1].time <= self.house.bridge
            )
            if self.lies(place, i):
                doubt = []
                if not goes_on:
                    current = Visit(i)
                    visits.append(current)
                elif current is not None:
                    current.went_on.append(i)
            elif not goes_on:
                current, doubt = None, []  # 2.3: closed at its last sighting
            elif current is not None and seen.cell in fence.buffer:
                current.went_on.append(i)  # 0019.3
                doubt = []
            else:
                doubt.append(i)
                since = self.sightings[doubt[0]].time
                late_enough = fence.after and seen.time - since >= fence.after
                often_enough = fence.sightings and len(doubt) >= fence.sightings
                if not fence.patient or late_enough or often_enough:
                    current, doubt = None, []  # 0019.4
            if current is not None:
                current.open_after.add(i)
        if (place, len(self.sightings) - 1) in self.ends:
            current, doubt = None, []
        self._visits[place] = (state, visits, current, doubt[0] if doubt else None)
        return visits

    def open_visit(self, place: str) -> Visit | None:
        """Give the visit that nothing has closed."""
        self.visits(place)
        return self._visits[place][2]

    def enters(self, place: str, number: int) -> bool:
        """`enters`: a visit opens, the last sighting before it outside, or none in 48 h (7(f))."""
        if not any(visit.opened == number for visit in self.visits(place)):
            return False
        if number == 0 or not self.counted_inside(place, number - 1):
            return True
        return self.sightings[number - 1].time <= self.sightings[number].time - TWO_DAYS

    def counted_inside(self, place: str, number: int) -> bool:
        """Was a sighting one inside, or beside and counted as one (0019.3)?"""
        return self.lies(place, number) or any(number in visit.went_on for visit in self.visits(place))

    # ---- visits that end by time (0019.4) ----

    def doubts(self) -> list[tuple[str, int, int]]:
        """Give (place, first sighting outside, due) of the visits in doubt that time may end."""
        found = []
        for place, fence in self.house.fences.items():
            self.visits(place)
            first = self._visits[place][3]
            if first is not None and fence.after and (place, first) not in self.settled:
                found.append((place, first, self.sightings[first].time + fence.after))
        return found

    def end_by_time(self, now: int, patience: int, told: int | None = None) -> list[str]:
        """End what is due at `now`; or, `told` being a sighting just told late, what was due before `now`.

        Gives the places that were left.
        """
        left = []
        last = len(self.sightings) - 1
        for place, first, due in self.doubts():
            if due != now if told is None else due >= now:
                continue
            self.settled.add((place, first))
            seen = self.sightings[first]
            if not self.known_at(due, last):
                continue  # 0019.6: the doubt stays
            lost = seen.late > patience and due <= seen.time + seen.late
            self.ends[place, last] = End(due, not lost, seen.seq)
            left.append(place)
        return left
