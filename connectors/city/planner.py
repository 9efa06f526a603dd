"""Plans each person's days: journeys, trips abroad, nights with the phone off, planted behaviours.

Plans need no simulation: the truth is read from them alone. What a day brings is drawn from the subscriber's
stream of that day; only the handset, the use of data and what ran over midnight come from the days before.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from .behaviours import BEHAVIOURS, Behaviour
from .days import Day, plan_journeys
from .figures import HOUR, MINUTE, SECOND
from .geography import Town
from .options import CityOptions
from .people import Person, chance
from .trips import ACROSS, COUNTRIES

_TRIP_DAYS: Final = 3
ADMINISTRATION: Final = (("consent.change", 0.002), ("profile.update", 0.02))
"""Control records of the business systems: share of people they come for on a day (assumed)."""


class Calendar:
    """Local days of the city. Times are µs UTC; a day starts at local midnight."""

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)

    def day_of(self, t: int) -> date:
        """Tell the local date at t."""
        return datetime.fromtimestamp(t // SECOND, self.zone).date()

    def midnight(self, day: date) -> int:
        """Tell when a local date starts."""
        return int(datetime.combine(day, time(), self.zone).timestamp()) * SECOND

    def hour(self, t: int) -> int:
        """Tell the local hour at t, 0 to 23."""
        return datetime.fromtimestamp(t // SECOND, self.zone).hour


class Planner:
    """Makes the plans of one city. `start`: when it begins; a lively one plants its behaviours there."""

    def __init__(self, town: Town, seed: int, options: CityOptions, start: int) -> None:
        self.town = town
        self.seed = seed
        self.options = options
        self.calendar = Calendar(options.timezone)
        self.start = start
        self.first = self.calendar.day_of(start)
        own = {"handset": options.handset_changes, "sim": options.sim_changes}
        self.daily = tuple((behaviour, own.get(behaviour.name, behaviour.daily)) for behaviour in BEHAVIOURS)

    def plan(self, person: Person, day: date) -> list[dict[str, Any]]:
        """Set `steps`, `position` and `day` of the person for this local date; returns the truth rows
        planted.

        Call for one day after the other: steps that run over midnight are carried.
        """
        number = day.toordinal()
        midnight, end = self.calendar.midnight(day), self.calendar.midnight(day + timedelta(days=1))
        rng = Random(f"{self.seed}:{person.life}:{number}")
        plan = Day(person, self.town, rng, midnight, weekend=day.weekday() >= 5)
        trip = self._trip_day(person, number)
        if trip is None:
            self._stay(plan, number)
        else:
            _travel(plan, trip)
        lively = self.options.lively and day == self.first
        if person.guest:
            if rng.random() < 0.4:
                plan.act(self.start + plan.minutes(2, 50) if lively else plan.between(8.0, 22.0), "arrive")
        elif trip is None:
            if chance(self.seed, person.life, "border", 0) < self.options.false_roaming:
                self._stray(plan, number)
            self._plant(plan, lively)
            self._administer(plan, number)
        steps = [step for step in person.carried if step[0] < end] + plan.steps()
        steps.sort(key=lambda step: step[0])
        steps = [(t, order, do, what) for order, (t, _, do, what) in enumerate(steps)]
        person.carried = [step for step in steps if step[0] >= end]
        person.steps = [step for step in steps if step[0] < end]
        person.position = 0
        person.day = end
        return plan.facts

    def _trip_day(self, person: Person, number: int) -> int | None:
        """Which day of a trip abroad this is, 0 the first; None at home."""
        starting = self.options.outbound / _TRIP_DAYS
        if starting == 0.0 or person.guest:
            return None
        for k in range(_TRIP_DAYS):
            if chance(self.seed, person.life, "trip", number - k) < starting:
                return k
        return None

    def _stay(self, plan: Day, number: int) -> None:
        person, share = plan.person, self.options.night_off
        if chance(self.seed, person.life, "night", number - 1) < share:
            plan.act(plan.start, "dark")
            plan.act(plan.between(5.8, 7.5), "on")
        plan_journeys(plan)
        if chance(self.seed, person.life, "night", number) < share:
            plan.act(plan.between(22.5, 23.9), "off")

    def _plant(self, plan: Day, lively: bool) -> None:
        rng, person = plan.rng, plan.person
        for behaviour, share in self.daily:
            if rng.random() < share and behaviour.fits(person):
                behaviour.plan(plan, plan.between(9.5, 20.5))
        if lively and rng.random() < self.options.lively_share:
            fitting = [behaviour for behaviour in BEHAVIOURS if behaviour.fits(person)]
            chosen: Behaviour = rng.choices(fitting, [behaviour.weight for behaviour in fitting])[0]
            chosen.plan(plan, self.start + plan.minutes(5, 50))

    def _stray(self, plan: Day, number: int) -> None:
        """Lay into the day when a network across the border takes the phone: one to four times."""
        rng = Random(f"{self.seed}:{plan.person.life}:border:{number}")
        for _ in range(rng.randint(1, 4)):
            t = plan.start + int(rng.uniform(7.0, 23.0) * HOUR)
            plan.act(t, "stray", (*ACROSS, t + int(rng.uniform(1.0, 9.0) * MINUTE)))

    def _administer(self, plan: Day, number: int) -> None:
        """Lay what the business systems say of a person into the day, drawn beside the day's own stream."""
        for kind, share in ADMINISTRATION:
            u = chance(self.seed, plan.person.index, kind, number) / share
            if u >= 1.0:
                continue
            v = chance(self.seed, plan.person.index, f"{kind}:what", number)
            at = plan.start + int((8.5 + 12.0 * u) * HOUR)
            if kind == "consent.change":
                given = {"marketing": v < 0.6} if u < 0.5 else {"location": v < 0.5}
                plan.record(at, kind, {"consent": given})
            else:
                plan.record(at, kind, {"profile": {"data.left": round(100 * v, 1)}})


def _travel(plan: Day, k: int) -> None:
    """Plan day k of a trip: out by the airport, a day abroad, back by the airport."""
    rng, away = plan.rng, plan.town.away
    airport = plan.town.choose("airport", rng)
    if k == 0:
        plan_journeys(plan)
        leave = plan.between(9.0, 16.0)
        if airport is not None:
            plan.go(airport, leave - 2 * HOUR)
        plan.act(leave, "off")
        plan.go(away, leave + MINUTE)
        country = rng.choice(COUNTRIES)
        plan.act(leave + int(rng.uniform(2.0, 5.0) * HOUR), "roam", country)
        plan.fact("roam-out", leave, country=country[1])
        return
    plan.moves = [(plan.start, away)]
    plan.act(plan.start, "away", rng.choice(COUNTRIES))
    if k == 1:
        if rng.random() < 0.2:
            plan.act(plan.between(8.0, 20.0), "country", rng.choice(COUNTRIES))
        return
    landed = plan.between(9.0, 20.0)
    if airport is not None:
        plan.go(airport, landed - MINUTE)
    plan.act(landed, "back")
    plan.go(plan.person.home, landed + plan.minutes(50, 120))
    plan.fact("roam-home", landed)
