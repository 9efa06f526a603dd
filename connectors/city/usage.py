"""Ordinary use of the network: one procedure at a time, where the person is, as its records."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from .feed import Feed
from .figures import CALL_SECONDS, SECOND, SESSION_BYTES, SESSION_SECONDS, spread
from .geography import Town
from .options import CityOptions
from .people import Person

_SESSION_SECONDS: Final = spread(SESSION_SECONDS)
_SESSION_BYTES: Final = spread(SESSION_BYTES)
_CALL_SECONDS: Final = spread(CALL_SECONDS)
_ROWS: Final = len(_SESSION_BYTES)

_APPS: Final = ("chat", "video", "news", "music", "maps", "shop", "game", "mail")
_HOSTS: Final = tuple(f"{app}{n}.example.net" for app in _APPS for n in range(1, 4))
_SENDERS: Final = ("95588", "95533", "12306", "106550000123", "10086")

_FASTEST: Final = 12e6
"""Bytes per second that a session can carry (assumed)."""
_LONG: Final = 60
"""Seconds from which half of the sessions are reported with phases."""


class Usage:
    """Puts the records of ordinary use into a feed. `rng`: the stream of the person at work."""

    def __init__(self, town: Town, rng: Random, feed: Feed, options: CityOptions, seed: int) -> None:
        self.town = town
        self.rng = rng
        self.feed = feed
        self._seed = seed
        self._flip_share = options.flips
        self._flips = Random()
        """Of faults: what people do must not depend on it."""
        located = options.updates + options.sights
        self._update_share = options.updates / located if located else 0.0
        browsing = options.sessions + options.pages
        self._session_share = options.sessions / browsing if browsing else 0.0
        writing = options.texts + options.pictures
        self._text_share = options.texts / writing if writing else 0.0

    def locate(self, person: Person, t: int, u: float) -> None:
        """Show up at a cell: by an update or else a plain sighting, by the draw `u` (0 to 1)."""
        if u < self._update_share:
            self.feed.sign(person, "loc.update", t, {"cause": "normal"}, person.site)
        else:
            self.feed.sign(person, "loc.sight", t, {}, person.site)
        self._perhaps_flip(person, t)

    def hop(self, person: Person, t: int) -> None:
        """Change the cell within the site; where there is but one, show up at it."""
        cells = len(person.site.cells)
        person.hopped = t
        if cells > 1:
            before = person.site.cells[person.cell]
            person.cell = (person.cell + 1 + int(self.rng.random() * (cells - 1))) % cells
            self.feed.sign(person, "loc.handover", t, {"cell_prev": before}, person.site)
        else:
            self.feed.sign(person, "loc.sight", t, {}, person.site)
        self._perhaps_flip(person, t)

    def _perhaps_flip(self, person: Person, t: int) -> None:
        if self.rng.random() < (person.flip if person.site is person.home else self._flip_share):
            self._flip(person, t)

    def _flip(self, person: Person, t: int) -> None:
        """Hop to a neighbour site and back within a minute or two: the A-B-A of a phone between two masts."""
        site = person.site
        other = person.flip_site if person.flip_site and site is person.home else self.town.beside(site)
        if not site.cells or other is site:
            return
        self._flips.seed((self._seed * 1_000_003 + person.index) << 64 | t)
        random = self._flips.random
        here, there = (
            site.spots[person.rat][person.cell],
            other.spots[person.rat][int(random() * len(other.cells))],
        )
        t += int((2.0 + 40.0 * random()) * SECOND)
        self.feed.sign(person, "loc.handover", t, {**there, "cell_prev": here["cell"]}, None, "flip")
        t += int((2.0 + 60.0 * random()) * SECOND)
        self.feed.sign(person, "loc.handover", t, {**here, "cell_prev": there["cell"]}, None, "flip")

    def browse(self, person: Person, t: int) -> None:
        """Use data from t on: a session or a page; its record bears the time of its end."""
        if t < person.hushed:
            self.feed.sign(person, "loc.sight", t, {}, person.site)
            return
        random = self.rng.random
        if random() >= self._session_share:
            up = int(300 + 4000 * random())
            host = _HOSTS[int(random() * len(_HOSTS))]
            seconds = round(0.05 + 3.0 * random(), 3)
            fields = {
                "apn": "cmnet",
                "up": up,
                "down": up * 9,
                "host": host,
                "duration": seconds,
                "t_start": t,
            }
            self.feed.sign(person, "data.http", t + int(seconds * SECOND), fields, person.site)
            return
        seconds = round(_SESSION_SECONDS[int(random() * _ROWS)], 3)
        size = int(min(_SESSION_BYTES[int(random() * _ROWS)] * person.volume, _FASTEST * seconds))
        up = int(size * (0.04 + 0.1 * random()))
        app = _APPS[int(random() * len(_APPS))]
        end = t + int(seconds * SECOND)
        fields = {"apn": "cmnet", "up": up, "down": size - up, "duration": seconds, "app": app, "t_start": t}
        if seconds > _LONG and random() < 0.5:
            self.feed.sign(
                person, "data.session", t, {"apn": "cmnet", "app": app, "phase": "start"}, person.site
            )
            for k in range(1, min(6, int(seconds // 300)) + 1):
                update = {"apn": "cmnet", "app": app, "phase": "update", "t_start": t}
                self.feed.sign(person, "data.session", t + k * 300 * SECOND, update, person.site)
            fields["phase"] = "stop"
        self.feed.sign(person, "data.session", end, fields, person.site)

    def talk(self, person: Person, t: int) -> None:
        """Make or take a call at t."""
        random = self.rng.random
        kind = "call.out" if random() < 0.5 else "call.in"
        number = person.contacts[int(random() * len(person.contacts))]
        seconds = int(_CALL_SECONDS[int(random() * _ROWS)]) if random() < 0.8 else 0
        fields: dict[str, Any] = {"number": number, "duration": seconds, "t_start": t}
        if random() < 0.2:
            self.feed.sign(person, kind, t, {"number": number, "phase": "start"}, person.site)
            fields["phase"] = "stop"
        end = t + seconds * SECOND + int(8 * SECOND * random())
        self.feed.sign(person, kind, end, fields, person.site)

    def write(self, person: Person, t: int) -> None:
        """Send or receive an SMS or MMS."""
        random = self.rng.random
        out = random() < 0.45
        if random() < self._text_share:
            kind, length = "sms.out" if out else "sms.in", 1 + int(69 * random())
        else:
            kind, length = "mms.out" if out else "mms.in", 5_000 + int(250_000 * random())
        known = out or kind == "mms.in" or random() < 0.4
        numbers = person.contacts if known else _SENDERS
        number = numbers[int(random() * len(numbers))]
        self.feed.sign(person, kind, t, {"number": number, "length": length}, person.site)
