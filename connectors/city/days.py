"""One day of one person as a list of steps: where they go, when, and what they do beside the ordinary.

A step is `(t, order, do, what)`. `do`:
- `move` (a `Site`), `record` (kind, fields), `off`, `on`, `hush` (no data until µs), `online` (starts to use
  data), `handset` (a `Handset`), `sim`;
- `roam` (plmn, country), `country` (plmn, country), `back`, and of a guest `arrive`;
- `stray` (plmn, country, until µs): registered by a network across the border, a fault of the feed;
- without a record, to bring somebody to where they stand: `dark` (off since last night), `away`
  (abroad already).
`steps` carries them out, `truth` reads them.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from random import Random
from typing import Any, Final

from .figures import DAY, HOUR, MINUTE, STAY_MINUTES, pick
from .geography import Site, Town, distance, travel_minutes
from .people import Person, Step


class Day:
    """A day being planned. Times are µs UTC; `start` is local midnight."""

    __slots__ = ("acts", "facts", "moves", "person", "rng", "start", "town", "weekend")

    def __init__(self, person: Person, town: Town, rng: Random, start: int, weekend: bool) -> None:
        self.person = person
        self.town = town
        self.rng = rng
        self.start = start
        self.weekend = weekend
        self.moves: list[tuple[int, Site]] = [(start, person.home)]
        self.acts: list[tuple[int, str, Any]] = []
        self.facts: list[dict[str, Any]] = []
        """Truth rows: behaviours planted this day."""

    def hour(self, mean: float, deviation: float = 0.0) -> int:
        """Draw a moment of this day around an hour such as 8.5; kept between 00:10 and 23:40."""
        hour = self.rng.gauss(mean, deviation) if deviation else mean
        return self.start + int(min(max(hour, 0.17), 23.67) * HOUR)

    def between(self, low: float, high: float) -> int:
        """Draw a moment between two hours."""
        return self.start + int(self.rng.uniform(low, high) * HOUR)

    def minutes(self, low: float, high: float) -> int:
        """Draw a duration in minutes."""
        return int(self.rng.uniform(low, high) * MINUTE)

    def at(self, t: int) -> Site:
        """Look up where the person is at t, as planned so far."""
        i = bisect_right(self.moves, t, key=lambda move: move[0])
        return self.moves[max(i - 1, 0)][1]

    def go(self, site: Site, arrive: int) -> None:
        """Travel so as to arrive at this time, seen on the way; later moves are dropped."""
        origin = self.at(arrive)
        self.moves = [move for move in self.moves if move[0] < arrive]
        if site is origin:
            return
        passed = self.town.way(origin, site)
        last = self.moves[-1][0] if self.moves else self.start
        lap = int((3.0 + distance(origin, site) * 1.6 / (len(passed) + 1)) * MINUTE)
        for k, halt in enumerate(passed):
            t = arrive - (len(passed) - k) * lap
            if t > last:
                self.moves.append((t, halt))
        self.moves.append((arrive, site))

    def visit(self, site: Site, enter: int, leave: int) -> None:
        """Be at a site from `enter` until `leave`, then take up the plan where it stands by then."""
        after = self.at(leave)
        later = [move for move in self.moves if move[0] > leave]
        self.go(site, enter)
        self.moves = [move for move in self.moves if move[0] <= leave]
        if after is not self.moves[-1][1]:
            back = leave + int(travel_minutes(self.moves[-1][1], after) * MINUTE)
            if not later or back < later[0][0]:
                self.moves.append((back, after))
        self.moves.extend(later)

    def act(self, t: int, do: str, what: Any = None) -> None:
        """Do something at t."""
        self.acts.append((t, do, what))

    def record(self, t: int, kind: str, fields: dict[str, Any] | None = None) -> None:
        """Leave one record of `kind` at t, beside those of ordinary use."""
        self.acts.append((t, "record", (kind, fields or {})))

    def fact(self, what: str, at: int, **more: Any) -> None:
        """Note for scoring that a behaviour was planted."""
        self.facts.append({"what": what, "at": at, **more})

    def steps(self) -> list[Step]:
        """All moves and acts in the order of time."""
        rows: list[tuple[int, str, Any]] = [(t, "move", site) for t, site in self.moves]
        away, road = self.town.away, self.town.road
        for (since, site), (arrive, target) in pairwise(self.moves):
            if site is not target and site is not away and target is not away:
                depart = max(since + MINUTE, arrive - int(travel_minutes(site, target) * MINUTE))
                if depart < arrive:
                    rows.append((depart, "move", road))
        rows += self.acts
        rows.sort(key=lambda row: row[0])
        return [(t, order, do, what) for order, (t, do, what) in enumerate(rows)]


_HOPS: Final = ((0.87, 0), (0.91, 3), (0.95, 4), (1.0, 6))
"""Errands near to where they are, beside all else: (share of days up to here, how many). Assumed, so that the
sites and changes of a day are as measured."""


_TRIES: Final = 6
"""So often a time is drawn for such an errand, that long ones find room as well."""


def plan_journeys(day: Day) -> None:
    """Lay out where an ordinary day leads: work, campus, errands, an evening out; home before midnight."""
    _lay_out(day)
    u = day.rng.random()
    for _ in range(next(count for share, count in _HOPS if u < share)):
        stay = _stay(day)
        for _ in range(_TRIES):
            enter = day.between(8.0, 21.0)
            if day.at(enter + stay) is day.at(enter) and day.at(enter).cells:
                day.visit(day.town.step(day.at(enter), day.rng), enter, enter + stay)
                break


def _stay(day: Day) -> int:
    """Draw how long somebody stays on an errand, µs: as measured."""
    return int(pick(STAY_MINUTES, day.rng.random()) * MINUTE)


def _lay_out(day: Day) -> None:
    if day.weekend and day.person.traits.job not in ("staff", "driver"):
        if day.rng.random() < 0.6:
            _outing(day, day.between(10.0, 17.0))
    else:
        _JOURNEYS[day.person.traits.job](day)


def _worker(day: Day) -> None:
    rng, person = day.rng, day.person
    arrive = day.hour(8.4, 0.6)
    leave = max(day.hour(17.8, 0.8), arrive + HOUR)
    day.go(person.work, arrive)
    day.go(person.home, leave + day.minutes(15, 50))
    if rng.random() < 0.2:
        lunch = day.hour(12.1, 0.3)
        if arrive < lunch < leave - HOUR:
            mall = day.town.choose("mall", rng, person.work) if rng.random() < 0.1 else None
            site = mall or day.town.step(person.work, rng)
            day.visit(site, lunch, min(lunch + _stay(day), leave - MINUTE))
    if rng.random() < 0.2:
        _outing(day, leave + day.minutes(10, 30), latest=day.hour(23.0))


def _student(day: Day) -> None:
    person = day.person
    if person.home is person.work:
        if day.rng.random() < 0.5:
            _outing(day, day.between(11.5, 19.0))
        return
    arrive = day.hour(8.8, 0.9)
    day.go(person.work, arrive)
    day.go(person.home, max(day.hour(18.5, 1.6), arrive + HOUR))
    if day.rng.random() < 0.2:
        _outing(day, day.between(12.0, 16.0))


def _staff(day: Day) -> None:
    arrive = day.hour(9.0, 0.5) if day.rng.random() < 0.6 else day.hour(13.0, 0.5)
    day.go(day.person.work, arrive)
    day.go(day.person.home, min(arrive + 8 * HOUR + day.minutes(0, 60), day.hour(23.3)))


def _home(day: Day) -> None:
    if day.rng.random() < 0.65:
        _outing(day, day.between(8.5, 16.0))


def _driver(day: Day) -> None:
    t = day.hour(7.5, 0.7)
    place = day.person.work
    for _ in range(day.rng.randint(5, 7)):
        day.go(place, t)
        stop = day.town.step(place, day.rng)
        t += _stay(day) + int(travel_minutes(place, stop) * MINUTE)
        place = stop
    day.go(day.person.home, min(t, day.hour(22.0)))


_ERRANDS: Final = (
    ("mall", 0.22), ("hospital", 0.04), ("sight", 0.035), ("stadium", 0.03), ("station", 0.02),
    ("hall", 0.02), ("airport", 0.005),
)  # fmt: skip
"""Shares of outings (assumed) that lead to a place of this kind; all others to an ordinary site."""


def pick_role(u: float) -> str:
    """Say what kind of place an outing leads to, by a draw `u` from 0 to 1; empty: an ordinary site."""
    for role, share in _ERRANDS:
        u -= share
        if u < 0.0:
            return role
    return ""


_JOURNEYS = {"worker": _worker, "student": _student, "staff": _staff, "home": _home, "driver": _driver}


def _outing(day: Day, enter: int, latest: int | None = None) -> None:
    """Go somewhere for a while: mostly an ordinary site, sometimes a place of the catalogue."""
    rng = day.rng
    role = pick_role(rng.random())
    site = day.town.choose(role, rng, day.at(enter)) if role else None
    if site is None:
        site, stay = rng.choice(day.person.spots), _stay(day)
    else:
        stay = int(max(10.0, pick(STAY_MINUTES, 0.3 + 0.65 * rng.random())) * MINUTE)
    leave = min(enter + stay, latest or day.start + DAY - HOUR // 2)
    if leave > enter:
        day.visit(site, enter, leave)
