"""Carries out the steps of a plan (see `days`): moves, switching off and on, roaming, a new handset."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from .feed import Feed
from .figures import SECOND, T3412
from .geography import Site
from .options import CityOptions
from .people import Person
from .traits import Handset

_BUSINESS: Final = frozenset(
    {"product.bought", "sms.reply", "complaint", "recharge", "bill", "profile.update", "consent.change"}
)
_HOMES: Final = {"440": "JP", "450": "KR", "525": "SG", "310": "US", "454": "HK"}
"""Country code of a guest's network (MCC) -> country."""


class Steps:
    """Changes how a person stands, with the records this leaves. `rng`: the stream of the person at work."""

    def __init__(self, rng: Random, feed: Feed, options: CityOptions) -> None:
        self.rng = rng
        self.feed = feed
        self.unseen_off = options.unseen_off
        self.handset_records = options.handset_records
        self.silent = False
        """Bring people to where they stand without a record."""
        self.do: dict[str, Callable[[Person, int, Any], None]] = {
            "move": self._move, "record": self._record, "off": self._off, "dark": self._dark, "on": self._on,
            "roam": self._roam, "country": self._country, "away": self._away, "back": self._back,
            "arrive": self._arrive, "handset": self._handset, "sim": self._sim, "hush": self._hush,
            "online": self._online, "stray": self._stray,
        }  # fmt: skip
        """What to do -> how: called with person, time and what the step names."""

    def _sign(self, person: Person, kind: str, t: int, fields: dict[str, Any], site: Site | None) -> None:
        """Put a record of a step, unless the person is only being brought to where they stand."""
        if not self.silent:
            person.last = max(person.last, t)
            self.feed.sign(person, kind, t, fields, site)

    def _move(self, person: Person, t: int, site: Site) -> None:
        before = person.site
        if site is before:
            return
        cell = person.cell
        if not self.silent:
            self.feed.left(person, t)
        person.site, person.cell = site, int(self.rng.random() * len(site.cells))
        person.hopped = t
        if not person.on or person.abroad or not site.cells:
            return
        u = self.rng.random()
        if u < 0.4 and before.cells:
            self._sign(person, "loc.handover", t, {"cell_prev": before.cells[cell]}, site)
        elif u < 0.9 or t - person.last > T3412:
            self._sign(person, "loc.update", t, {"cause": "normal"}, site)

    def _record(self, person: Person, t: int, what: tuple[str, dict[str, Any]]) -> None:
        kind, fields = what
        if kind in _BUSINESS:
            if not self.silent:
                self.feed.business(person, kind, t, fields)
        elif person.on and not person.abroad:
            self._sign(person, kind, t, fields, person.site)

    def _off(self, person: Person, t: int, _: None) -> None:
        if person.on and not person.abroad:
            if self.rng.random() >= self.unseen_off:
                self._sign(person, "power.off", t, {"switch_off": True}, person.site)
            elif not self.silent:
                self.feed.lose(person, "power.off", t)
        person.on = False

    def _dark(self, person: Person, _t: int, _: None) -> None:
        person.on = False

    def _on(self, person: Person, t: int, _: None) -> None:
        if person.abroad:
            return
        person.on = True
        self._sign(person, "power.on", t, {"result": "ok"}, person.site)
        self._sign(person, "loc.update", t + SECOND // 4, {"cause": "attach"}, person.site)

    def _roam(self, person: Person, t: int, network: tuple[str, str]) -> None:
        person.on, person.abroad = True, network[1]
        self._sign(person, "roam.out", t, {"plmn": network[0], "country": network[1]}, None)

    def _country(self, person: Person, t: int, network: tuple[str, str]) -> None:
        if person.abroad and person.abroad != network[1]:
            person.abroad = network[1]
            self._sign(person, "roam.country", t, {"plmn": network[0], "country": network[1]}, None)

    def _away(self, person: Person, _t: int, network: tuple[str, str]) -> None:
        person.on, person.abroad = True, person.abroad or network[1]

    def _back(self, person: Person, t: int, _: None) -> None:
        person.abroad = ""
        self._on(person, t, None)
        self._sign(person, "roam.home", t + SECOND // 2, {"plmn": "46000", "country": "CN"}, None)

    def _arrive(self, person: Person, t: int, _: None) -> None:
        country = _HOMES.get(person.guest[:3], "HK")
        self._sign(person, "roam.in", t, {"plmn": "46000", "country": country}, person.site)
        self._on(person, t + SECOND, None)

    def _handset(self, person: Person, t: int, new: Handset) -> None:
        old = person.model
        person.carry(new, person.imei[8:])
        fields = {"from.tac": old.tac, "to.tac": new.tac, "to.model": new.model, "to.network": new.network}
        self._on(person, t, None)
        if not person.abroad and self.handset_records:
            self._sign(person, "handset.change", t + SECOND, fields, person.site)

    def _sim(self, person: Person, t: int, _: None) -> None:
        """Swap the card: the subscription keeps IMSI and number here, as with a replaced eSIM profile."""
        self._sign(person, "sim.change", t, {"from.tac": person.model.tac, "to.tac": person.model.tac}, None)
        self._on(person, t + 2 * SECOND, None)

    def _hush(self, person: Person, _t: int, until: int) -> None:
        person.hushed = until

    def _stray(self, person: Person, t: int, what: tuple[str, str, int]) -> None:
        """Be registered by a network across the border, without having left, until it is taken back."""
        plmn, country, until = what
        if person.on and not person.abroad and not self.silent:
            there, home = {"plmn": plmn, "country": country}, {"plmn": "46000", "country": "CN"}
            self.feed.sign(person, "roam.out", t, there, None, "false-roaming")
            self.feed.sign(person, "roam.home", until, home, None, "false-roaming")

    def _online(self, person: Person, _t: int, _: None) -> None:
        person.data = max(person.data, 0.5)
