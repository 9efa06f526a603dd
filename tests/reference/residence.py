"""Where a subscriber lives and works: docs/decisions/0020, sentence by sentence.

Every stay between two sightings is cut against the nights and working days of each date it touches.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .values import SECOND
from .world import House, Past, Sighting

FIELDS = {"home": range(7), "work": range(5)}
LEAST = 18 * 3600
MOST_CELLS = 8


class Residence:
    """What is learned of one subscriber; the profile is changed in place."""

    def __init__(self, house: House, profile: dict[str, Any], consent: dict[str, Any]) -> None:
        self.house = house
        self.profile = profile
        self.consent = consent
        self.before: Sighting | None = None  # 1: the last sighting at which it was allowed to learn
        self.running: dict[str, tuple[int, dict[str, int]]] = {}  # field -> (end, cell -> µs)
        self.sums: dict[str, dict[str, int]] = {"home": {}, "work": {}}  # field -> cell -> seconds
        self.begun = False

    def allowed(self) -> bool:
        return self.consent.get("profiling") is True and self.consent.get("location") is True

    def consent_changed(self) -> None:
        """6: without both consents all of it is erased."""
        if self.begun and not self.allowed():
            self.begun, self.before, self.running = False, None, {}
            self.sums = {"home": {}, "work": {}}
            self.profile.pop("home", None)
            self.profile.pop("work", None)

    def see(self, past: Past, zone: ZoneInfo) -> None:
        """Take in the newest accepted sighting; what was known just before it is asked of `past`."""
        seen = past.sightings[-1]
        if not self.house.learn or not self.allowed():
            return
        before, self.before = self.before, seen
        if not self.begun:
            self.begun = True
            return
        for field, days in FIELDS.items():
            if field not in self.house.learn:
                continue
            if before is not None:
                self.stay(field, before, seen.time, past, zone, days)
            if field in self.running and self.running[field][0] <= seen.time:
                self.add_up(field)

    def stay(self, field: str, before: Sighting, until: int, past: Past, zone: ZoneInfo, days: range) -> None:
        """1, 2: the time from one sighting to the next, as far as whereabouts were known."""
        end = min(until, before.time + self.house.lapse(before.rat))
        for t, seq in past.offs:
            if (t, seq) > (before.time, before.seq) and seq < past.sightings[-1].seq:
                end = min(end, t)
        day = datetime.fromtimestamp(before.time / SECOND, zone).date() - timedelta(days=2)
        while day <= datetime.fromtimestamp(end / SECOND, zone).date() + timedelta(days=1):
            if day.weekday() in days:
                begins, stops = self.span(field, day, zone)
                length = min(stops, end) - max(begins, before.time)
                if length > 0:
                    self.count(field, stops, before.cell, length)
            day += timedelta(days=1)

    def span(self, field: str, day: date, zone: ZoneInfo) -> tuple[int, int]:
        """2: one night or working day."""
        first, _, last = self.house.learn[field].partition(" to ")
        over_midnight = last != "24:00" and last <= first
        begins = local(day, first, zone)
        if last == "24:00":
            # 24:00 is 00:00 and one day of 86,400 s
            return begins, local(day, "00:00", zone) + 86_400 * SECOND
        return begins, local(day + timedelta(days=1) if over_midnight else day, last, zone)

    def count(self, field: str, end: int, cell: str, length: int) -> None:
        """3: of the night or day that runs; another one adds the one before up first."""
        if field in self.running and self.running[field][0] != end:
            self.add_up(field)
        _, cells = self.running.setdefault(field, (end, {}))
        cells[cell] = cells.get(cell, 0) + length
        while len(cells) > MOST_CELLS:
            del cells[sorted(cells, key=lambda name: (-cells[name], name))[-1]]

    def add_up(self, field: str) -> None:
        """4, 5: earlier ones fade by a sixteenth; the cell with most is home (or work)."""
        _, cells = self.running.pop(field)
        sums = self.sums[field]
        for cell in sums:
            sums[cell] = sums[cell] * 15 // 16
        for cell, length in cells.items():
            sums[cell] = sums.get(cell, 0) + length // SECOND
        names = sorted(set(self.sums["home"]) | set(self.sums["work"]))
        total = {name: self.sums["home"].get(name, 0) + self.sums["work"].get(name, 0) for name in names}
        kept = sorted((name for name in names if total[name]), key=lambda name: (-total[name], name))
        for each in self.sums.values():
            for name in names:
                if name not in kept[:MOST_CELLS]:
                    each.pop(name, None)
        enough = [cell for cell in sums if sums[cell] >= LEAST]
        if enough:
            most = max(sums[cell] for cell in enough)
            best = sorted(cell for cell in enough if sums[cell] == most)
            if self.profile.get(field) not in best:
                self.profile[field] = best[0]

    def resident(self, place: str) -> bool | None:
        """7: does the place hold the cell of home or work? None: neither is known."""
        known = [self.profile[field] for field in FIELDS if isinstance(self.profile.get(field), str)]
        return any(cell in self.house.cells[place] for cell in known) if known else None


def local(day: date, clock: str, zone: ZoneInfo) -> int:
    hours, minutes = map(int, clock.split(":"))
    moment = datetime.combine(day, time(hours, minutes), zone).astimezone(UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND
