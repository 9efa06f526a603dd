"""How people use the network: carries out their plans and fills the time between with ordinary records.

Ordinary use is a Poisson process per person: gaps are exponential, each hit is one procedure, drawn by its
rate. A phone that is idle for T3412 reports itself.
"""

from __future__ import annotations

from math import log
from random import Random
from typing import Final

from .feed import Feed, Mark
from .figures import (
    ABOUT,
    BUSY,
    CALLS_WEEKDAY,
    CALLS_WEEKEND,
    DATA,
    DAY,
    HOUR,
    RESTLESS,
    SECOND,
    T3412,
    TEXTS_WEEKDAY,
    TEXTS_WEEKEND,
    mean_rest,
)
from .geography import Town
from .options import CityOptions
from .people import Person
from .steps import Steps
from .usage import Usage

_NEVER: Final = 1 << 62
_REST: Final = mean_rest(RESTLESS)
_READIEST: Final = max(ready for _, ready in RESTLESS)

_DATA_USERS: Final = 0.95
"""Mean of `Person.data` over everybody."""
_SESSION_RECORDS: Final = 1.15
"""Records per session: some have a start and updates before their end."""


class Life:
    """Lets people live slice by slice. Owns the stream, which is re-seeded per person and slice."""

    def __init__(self, town: Town, seed: int, options: CityOptions, mark: Mark | None = None) -> None:
        self.options = options
        self.rng = Random()
        self.feed = Feed(town, seed, options, expected_finished(options), mark)
        self._seed = (abs(seed) * 2 + (seed < 0)) << 96
        self._slice = 0
        # Hits per µs and average person, set by `clock`: location, data, calls, messages.
        self._location = self._data = self._calls = self._texts = 0.0
        self._restless = 0.0
        """Of handovers: readiness 1, per µs."""
        self._usage = Usage(town, self.rng, self.feed, options, seed)
        self._steps = Steps(self.rng, self.feed, options)

    def clock(self, start: int, hour: int, weekend: bool) -> None:
        """Set the rates for the slice that begins at `start`, in local hour `hour`."""
        options = self.options
        self._slice = start // (60 * SECOND)
        shape = DATA[hour] / BUSY / HOUR
        self._location = (options.updates + options.sights) * shape
        self._restless = options.handovers * ABOUT[hour] / HOUR * _REST
        self._data = (options.sessions + options.pages) * shape
        calls, texts = (CALLS_WEEKEND, TEXTS_WEEKEND) if weekend else (CALLS_WEEKDAY, TEXTS_WEEKDAY)
        self._calls = options.calls * calls[hour] / 100.0 / HOUR
        self._texts = (options.texts + options.pictures) * texts[hour] / 100.0 / HOUR

    def begin(self, person: Person, start: int) -> None:
        """Bring a person whose day is planned to where they stand at `start`, without a record."""
        self._reseed(person)
        self._steps.silent = True
        while person.position < len(person.steps) and person.steps[person.position][0] < start:
            t, _, do, what = person.steps[person.position]
            person.position += 1
            self._steps.do[do](person, t, what)
        self._steps.silent = False
        person.last = start - int(self.rng.random() * T3412)
        person.hopped = start - HOUR

    def live(self, person: Person, start: int, end: int) -> None:
        """Live from `start` to `end` (µs, half-open); rows go to `feed`."""
        self._reseed(person)
        random = self.rng.random
        steps, position = person.steps, person.position
        due = steps[position][0] if position < len(steps) else _NEVER
        located, browsed = self._location, self._data * person.data
        talked, written = self._calls * person.talk, self._texts * person.text
        known = located + browsed + talked + written
        # handovers are drawn at the rate of those who are readiest, and left out where somebody is less
        total = known + self._restless * _READIEST
        gap = 1.0 / total if total else float(DAY)
        t = start
        while True:
            t += int(-log(1.0 - random()) * gap) + 1
            stop = t if t < end else end
            while due < stop:
                if due - person.last > T3412:
                    self._idle(person, due)
                _, _, do, what = steps[position]
                self._steps.do[do](person, due, what)
                position += 1
                due = steps[position][0] if position < len(steps) else _NEVER
            if stop - person.last > T3412:
                self._idle(person, stop)
            if t >= end:
                break
            if not person.on or person.abroad or not person.site.cells:
                continue
            u = random() * total
            if u >= known:
                if random() * _READIEST < self._readiness(t - person.hopped):
                    person.last = t
                    self._usage.hop(person, t)
                continue
            person.last = t
            if u < located:
                self._usage.locate(person, t, u / located)
            elif u < located + browsed:
                self._usage.browse(person, t)
            elif u < located + browsed + talked:
                self._usage.talk(person, t)
            else:
                self._usage.write(person, t)
        person.position = position

    def _readiness(self, rest: int) -> float:
        """Tell how ready a phone is to change its cell that did so `rest` µs ago."""
        long = rest * self._restless
        return next(ready for until, ready in RESTLESS if long < until)

    def _reseed(self, person: Person) -> None:
        """Take up the person's own stream at this slice: no generator is kept per subscriber."""
        self.rng.seed(self._seed | person.index << 48 | self._slice)

    def _idle(self, person: Person, until: int) -> None:
        """Send the periodic updates that fell due before `until`; on the road they wait for the arrival."""
        if not person.site.cells and not person.abroad:
            return
        while until - person.last > T3412:
            person.last += T3412
            if person.on and not person.abroad:
                self.feed.sign(person, "loc.update", person.last, {"cause": "periodic"}, person.site)


def expected_finished(options: CityOptions) -> float:
    """Estimate which share of all records are data records at their end, over a day."""
    average = sum(DATA) / len(DATA) / BUSY
    finished = (options.sessions + options.pages) * _DATA_USERS * average
    starts = options.sessions * (_SESSION_RECORDS - 1.0) * _DATA_USERS * average
    located = (options.updates + options.sights) * average + options.handovers * sum(ABOUT) / len(ABOUT)
    located *= 1.0 + 2.0 * options.flips
    rest = (options.calls * 1.2 + options.texts + options.pictures + 5.0) / 24.0 + 0.3
    return finished / (finished + starts + located + rest)
