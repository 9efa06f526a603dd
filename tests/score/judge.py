"""Conclusions against the truth.

A visit counts if at least one record was made inside, emitted or not; others are counted apart, and what was
concluded of them is neither right nor false. A hit: the same subscriber and place, at an instant between the
true entry and the true exit + one periodic timer; each visit has one at most, every further one is false.
Who is in a place as the day begins has not entered it that day: what is told of that is neither right nor
false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.score.day import END, MIDNIGHT, CityDay, Visit
from tests.score.world import PLACES, STAY_MINUTES, is_wide

T3412: Final = 54 * 60_000_000
_MINUTE: Final = 60_000_000
_OPEN: Final = 1 << 62

Instants = Mapping[tuple[str, str], Sequence[int]]
"""(subscriber, place) -> times, µs."""


@dataclass(slots=True)
class Count:
    """Hits, misses, false ones."""

    hits: int = 0
    missed: int = 0
    false: int = 0

    @property
    def precision(self) -> float:
        """Share of conclusions that are right; 1 if there are none."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else 1.0

    @property
    def recall(self) -> float:
        """Share of what happened that was concluded; 1 if nothing happened."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0

    def add(self, other: Count) -> None:
        """Add another count to this one."""
        self.hits += other.hits
        self.missed += other.missed
        self.false += other.false


@dataclass(slots=True)
class Concluded:
    """What the engine concluded of a day, by subscriber as the truth names them (IMSI)."""

    enters: Instants
    leaves: Instants
    stays: Instants
    handsets: Sequence[tuple[str, int, str]] = ()
    """IMSI, when, new TAC."""
    roamed: frozenset[str] = frozenset()
    """Ids of `roam.out` records that may trigger."""


@dataclass(slots=True)
class AtPlace:
    """One place of a score."""

    enters: Count = field(default_factory=Count)
    leaves: Count = field(default_factory=Count)
    stays: Count = field(default_factory=Count)


@dataclass(slots=True)
class Score:
    """One seed, one variant. Keys of places: `wide` and `small`."""

    seed: int
    variant: str
    visits: int = 0
    unseen: int = 0
    """Visits without any record."""
    enters: dict[str, Count] = field(default_factory=lambda: {"wide": Count(), "small": Count()})
    leaves: dict[str, Count] = field(default_factory=lambda: {"wide": Count(), "small": Count()})
    stays: dict[str, Count] = field(default_factory=lambda: {"wide": Count(), "small": Count()})
    places: dict[str, AtPlace] = field(default_factory=lambda: {place: AtPlace() for place in PLACES})
    """What `enters`, `leaves` and `stays` sum up."""
    dwell: dict[str, list[float]] = field(default_factory=lambda: {"wide": [], "small": []})
    """Errors of the time in a place, minutes, of visits whose entry and exit were both concluded."""
    handsets: Count = field(default_factory=Count)
    false_roaming: int = 0
    """Records of false roaming that may trigger; of `true_roaming` + `false_roaming`."""
    true_roaming: int = 0
    roaming: Count = field(default_factory=Count)
    dropped: Mapping[str, int] = field(default_factory=dict)
    """What the treatments did, by STEP.DEED."""
    causes: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    """Of false enters of wide places, of missed ones; only where asked for (`tests.score.why`)."""

    def dwell_at(self, share: float, kinds: Iterable[str] = ("wide", "small")) -> float:
        """Return a quantile of the error of dwell, minutes; 0 if there is none."""
        errors = sorted(error for kind in kinds for error in self.dwell[kind])
        return errors[min(int(share * len(errors)), len(errors) - 1)] if errors else 0.0


def judge(day: CityDay, concluded: Concluded, variant: str) -> Score:
    """Score what was concluded of a day."""
    score = Score(day.seed, variant)
    by: dict[tuple[str, str], list[Visit]] = {}
    for visit in day.visits:
        by.setdefault((visit.imsi, visit.place), []).append(visit)
        score.visits += visit.records > 0 and _is_entered(visit)
        score.unseen += visit.records == 0
    for place in PLACES:
        kind, at_place = "wide" if is_wide(place) else "small", score.places[place]
        people = {
            imsi for imsi, at in (*by, *concluded.enters, *concluded.leaves, *concluded.stays) if at == place
        }
        for imsi in people:
            key = imsi, place
            visits = sorted(by.get(key, ()), key=lambda visit: visit.enter)
            entered = _match(
                visits, concluded.enters.get(key, ()), lambda v: v.enter, _is_entered, at_place.enters
            )
            left = _match(
                visits,
                concluded.leaves.get(key, ()),
                lambda v: v.leave or END,
                lambda v: v.leave is not None and v.leave < END,
                at_place.leaves,
            )
            _match(
                visits,
                concluded.stays.get(key, ()),
                lambda v: v.enter + STAY_MINUTES * _MINUTE,
                lambda v: (v.leave or END) - v.enter >= STAY_MINUTES * _MINUTE,
                at_place.stays,
            )
            for k, visit in enumerate(visits):
                if k in entered and k in left and visit.leave is not None and _is_entered(visit):
                    told, true = left[k] - entered[k], visit.leave - visit.enter
                    score.dwell[kind].append(abs(told - true) / _MINUTE)
        score.enters[kind].add(at_place.enters)
        score.leaves[kind].add(at_place.leaves)
        score.stays[kind].add(at_place.stays)
    _judge_handsets(day, concluded, score.handsets)
    score.false_roaming = len(concluded.roamed & day.false_roaming)
    score.true_roaming = len(concluded.roamed & day.roaming)
    score.roaming = Count(score.true_roaming, len(day.roaming) - score.true_roaming, score.false_roaming)
    return score


def matched(visits: Sequence[Visit], told: Iterable[int]) -> tuple[list[int], list[int]]:
    """Match enters as `judge` does; return the false instants, and the numbers of the missed visits."""
    found = _match(visits, told, lambda v: v.enter, _is_entered, Count())
    right = set(found.values())
    wrong = [t for t in told if MIDNIGHT <= t < END and t not in right]
    lost = [
        k
        for k, v in enumerate(visits)
        if v.records and _is_entered(v) and k not in found and (v.leave is None or v.leave + T3412 < END)
    ]
    return wrong, lost


def _is_entered(visit: Visit) -> bool:
    """Say whether somebody came in on this day: who was there as it began did not."""
    return visit.enter > MIDNIGHT


def _match(
    visits: Sequence[Visit],
    instants: Iterable[int],
    aim: Callable[[Visit], int],
    expected: Callable[[Visit], bool],
    count: Count,
) -> dict[int, int]:
    """Give each visit the instant nearest to its aim; return visit's number -> instant.

    A visit of which none was expected, or that nobody could see, makes an instant within it neither right nor
    false. Of a visit that goes on, an instant up to the end of the day is within it.
    """
    found: dict[int, int] = {}
    free = [t for t in instants if MIDNIGHT <= t < END]
    spans = [(v.enter, (v.leave + T3412) if v.leave is not None else _OPEN) for v in visits]
    pairs = sorted(
        (abs(t - aim(visit)), k, t)
        for k, visit in enumerate(visits)
        for t in free
        if spans[k][0] <= t <= spans[k][1]
    )
    used: set[int] = set()
    for _, k, t in pairs:
        if k not in found and t not in used:
            found[k] = t
            used.add(t)
    for k, visit in enumerate(visits):
        if visit.records and expected(visit):
            if k in found:
                count.hits += 1
            else:
                # what comes after the end of the day was not looked at
                count.missed += spans[k][1] < END or visit.leave is None
    excused = {found[k] for k in found if not (visits[k].records and expected(visits[k]))}
    hit = {found[k] for k in found} - excused
    count.false += sum(t not in hit and t not in excused for t in free)
    return found


def _judge_handsets(day: CityDay, concluded: Concluded, count: Count) -> None:
    """A hit: the same subscriber and TAC, within one periodic timer after the change."""
    open_changes = [(imsi, at, tac) for imsi, at, tac in day.handsets if at + T3412 < END]
    told = list(concluded.handsets)
    for imsi, at, tac in open_changes:
        hit = next((c for c in told if c[0] == imsi and c[2] == tac and at <= c[1] <= at + T3412), None)
        if hit is None:
            count.missed += 1
        else:
            count.hits += 1
            told.remove(hit)
    late = {(imsi, tac) for imsi, at, tac in day.handsets if at + T3412 >= END}
    count.false += sum((imsi, tac) not in late for imsi, _, tac in told)
