"""A city of subscribers whose phones make records: feed, profiles and what really happened."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from engine.errors import InputError
from engine.language.model import Catalog

from .feed import Mark
from .figures import HOUR, MINUTE
from .geography import Town
from .life import Life
from .options import CityOptions
from .people import Person
from .planner import Planner
from .profiles import profile_of
from .truth import truth_of

_SLICE: Final = 30 * MINUTE
"""People live this long before their records are merged: bounds memory to one slice of rows and what lags."""

_LATEST: Final = 4_102_444_800_000_000
"""2100-01-01 UTC: intake refuses times from here on (semantics.md 7 r)."""
_EARLIEST: Final = 946_684_800_000_000


class City:
    """Deterministic by `seed`: subscriber i does the same in a city of any size.

    `start`: µs UTC. Each call of `events`, `profiles` or `truth` begins anew.
    """

    def __init__(
        self, seed: int, subscribers: int, catalog: Catalog, *, start: int, options: CityOptions | None = None
    ) -> None:
        if not 0 <= subscribers <= 100_000_000:
            raise InputError("subscribers", "a number from 0 to 100,000,000", subscribers)
        if not _EARLIEST <= start < _LATEST:
            raise InputError("start", "a time from 2000 to 2099, µs UTC", start)
        self.seed = seed
        self.subscribers = subscribers
        self.catalog = catalog
        self.start = start
        self.options = options or CityOptions()
        self.town = Town(catalog, seed, self.options.sites)

    def events(self, hours: float, mark: Mark | None = None) -> Iterator[dict[str, Any]]:
        """Yield the records that arrive within `hours` of the start, in the order of arrival (see `feed`).

        A longer run begins with the records of a shorter one. `mark` is told, as rows of the truth, what was
        done to which record, and how many records a visit has made (see `truth`).
        """
        planner = Planner(self.town, self.seed, self.options, self.start)
        calendar, life = planner.calendar, Life(self.town, self.seed, self.options, mark)
        people = [self.person(index) for index in range(self.subscribers)]
        rows = life.feed.rows
        now, end = self.start, self.start + _span(hours)
        while now < end:
            day = calendar.day_of(now)
            until = min(now - now % _SLICE + _SLICE, calendar.midnight(day + timedelta(days=1)))
            life.clock(now, calendar.hour(now), day.weekday() >= 5)
            for person in people:
                if now >= person.day:
                    planner.plan(person, day)
                    if now == self.start:
                        life.begin(person, now)
                life.live(person, now, until)
            rows.sort()
            ready = bisect_left(rows, (min(until, end),))
            for row in rows[:ready]:
                yield row[3]
            del rows[:ready]
            now = until
        for person in people:
            life.feed.left(person, None)

    def profiles(self) -> Iterator[dict[str, Any]]:
        """Yield the profile lines (semantics.md 6) of the operator's own customers.

        Guests have none, nor have a few whose profile was never loaded.
        """
        for index in range(self.subscribers):
            line = profile_of(self.person(index), self.seed, self.catalog)
            if line is not None:
                yield line

    def truth(self, hours: float) -> Iterator[dict[str, Any]]:
        """Yield what really happened within `hours`, person by person (see `truth`)."""
        planner = Planner(self.town, self.seed, self.options, self.start)
        end = self.start + _span(hours)
        for index in range(self.subscribers):
            yield from truth_of(self.person(index), planner, self.start, end)

    def person(self, index: int) -> Person:
        """Return a subscriber as they are born, at home."""
        return Person(index, self.seed, self.town, self.options)


def _span(hours: float) -> int:
    if not 0.0 <= hours <= 24.0 * 366:
        raise InputError("hours", "a number from 0 to 8784", hours)
    return int(hours * HOUR)
