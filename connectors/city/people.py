"""Who lives in the city: one person per subscriber, the same person however many others there are."""

from __future__ import annotations

from hashlib import blake2b
from math import exp
from random import Random
from typing import Any, Final

from .geography import Site, Town
from .options import CityOptions
from .traits import HANDSETS, RAT, Handset, Traits, draw_traits

Step = tuple[int, int, str, Any]
"""(t, order within the day, what to do, with what): see `days` and `life`."""

_FOREIGN: Final = (
    ("44010", "+8190", 8), ("45005", "+8210", 8), ("52501", "+65", 8), ("31026", "+1206", 7),
    ("45412", "+852", 8),
)  # fmt: skip
"""Home networks of guests, their numbers' prefix and how many digits follow."""
_DATA: Final = {"never": 0.0, "none": 0.0, "light": 0.45, "normal": 1.1, "heavy": 2.6}
_VOLUME: Final = {"never": 1.0, "none": 1.0, "light": 0.3, "normal": 1.0, "heavy": 3.0}
_WORKPLACES: Final = ("mall", "hall", "hospital", "station")
CLONES: Final = ("000000", "123456", "111111")
"""Serial numbers that test and copied handsets share, all of one model."""
_TEXTER: Final = 8.0
_TEXTERS: Final = 0.04


class Person:
    """One subscriber: who they are (fixed) and how they stand right now (changes as they live)."""

    __slots__ = (
        "abroad", "carried", "cell", "contacts", "count", "data", "day", "flip", "flip_site", "guest", "home",
        "hopped", "hushed", "imei", "imsi", "index", "inside", "last", "life", "model", "msisdn", "on",
        "position", "rat", "signs", "site", "spots", "steps", "talk", "text", "traits", "twin", "volume",
        "work",
    )  # fmt: skip

    def __init__(self, index: int, seed: int, town: Town, options: CityOptions) -> None:
        self.index = index
        self.life = self._whose(index, seed, options.dual_sims)
        """Index of the subscriber whose life this is: another one's if it is a second SIM of their phone."""
        rng = Random(f"{seed}:{self.life}")
        self.traits: Traits = draw_traits(rng)
        self.imsi, self.msisdn = numbers_of(index)
        self.guest = ""
        if rng.random() < options.inbound:
            plmn, prefix, digits = rng.choice(_FOREIGN)
            self.guest = plmn
            self.imsi = plmn + self.imsi[5:]
            self.msisdn = prefix + self.msisdn[-digits:]
        self.model = self.traits.handset
        self.imei = ""
        self.signs: dict[str, Any] = {}
        """Identity fields of a network record."""
        self.rat = "LTE"
        self.twin = ""
        """IMEI of the phone's first slot, of a second SIM."""
        serial = f"{self.life % 1_000_000:06d}"
        if chance(seed, self.life, "clone", 0) < options.cloned_imeis:
            serial, self.model = CLONES[self.life % len(CLONES)], HANDSETS[-2]
        self.carry(self.model, serial)

        self.home: Site = town.grid[int(rng.random() * len(town.grid))]
        self.work: Site = self.home
        self._find_work(rng, town)
        self.flip = options.flips
        """Share of location records at home around which the phone flips."""
        self.flip_site: Site | None = None
        """Where to, of those who live at the edge of a place: into it, or out of it."""
        if self.home.place is not None or self.home.key in town.near:
            where = Random(f"{seed}:{self.life}:where")
            self.flip_site = town.lives_beside(self.home, where)
            if self.flip_site is not None:
                self.flip = options.border_flips * where.uniform(2 / 3, 4 / 3)
        self.spots = tuple(town.step(self.home, rng) for _ in range(2))
        """Ordinary sites they like to go to."""
        self.contacts = tuple(f"13{rng.randint(0, 999_999_999):09d}" for _ in range(6))

        # Multipliers of the average rates; a log-normal factor of mean 1 between people.
        self.data = _DATA[self.traits.data] * exp(rng.gauss(-0.08, 0.4))
        self.volume = _VOLUME[self.traits.data]
        self.talk = exp(rng.gauss(-0.32, 0.8))
        self.text = exp(rng.gauss(-0.32, 0.8)) / (1.0 + _TEXTERS * (_TEXTER - 1.0))
        if self.traits.texter:
            self.text *= _TEXTER

        # How they stand; `Life.begin` sets the clock.
        self.site: Site = self.home
        self.cell = 0
        """Index of the cell within the site."""
        self.inside = 0
        """Records made at this site since they came."""
        self.on = True
        self.abroad = ""
        """Country they roam in, empty at home."""
        self.last = 0
        """Last contact with the network: the periodic update counts from here."""
        self.hopped = 0
        """When they changed their cell last."""
        self.hushed = 0
        """No data before this time."""
        self.day = 0
        """Local midnight that ends the planned day."""
        self.steps: list[Step] = []
        self.position = 0
        self.carried: list[Step] = []
        """Steps of behaviour that ran over midnight."""
        self.count = 0
        """Records made: breaks ties between records of one arrival."""

    def carry(self, handset: Handset, serial: str) -> None:
        """Put the SIM into a handset: new IMEI and radio access."""
        self.model = handset
        self.imei = handset.tac + serial
        if self.life != self.index:
            self.twin, self.imei = self.imei, f"{handset.tac}{(int(serial) + 500_000) % 1_000_000:06d}"
        self.rat = RAT[handset.network]
        self.signs = {"imsi": self.imsi, "msisdn": self.msisdn, "imei": self.imei}
        if self.guest:
            self.signs["home_plmn"] = self.guest

    @staticmethod
    def _whose(index: int, seed: int, share: float) -> int:
        """Tell whose life a subscriber shares: their own, or that of the one before, who shares nobody's."""
        second = index > 0 and chance(seed, index, "dual", 0) < share
        return index - 1 if second and chance(seed, index - 1, "dual", 0) >= share else index

    def _find_work(self, rng: Random, town: Town) -> None:
        job = self.traits.job
        if job == "student":
            campus = town.choose("campus", rng)
            self.work = campus or town.step(self.home, rng)
            if campus is not None:
                self.home = campus if rng.random() < 0.3 else town.step(campus, rng)
        elif job == "staff":
            shops = [site for role in _WORKPLACES for site in town.roles.get(role, ())]
            self.work = rng.choice(shops) if shops else town.step(self.home, rng)
            if shops and rng.random() < 0.7:
                self.home = town.step(self.work, rng)
        elif job in ("worker", "driver"):
            self.work = town.step(self.home, rng)


def numbers_of(index: int) -> tuple[str, str]:
    """Write IMSI and MSISDN of the index-th subscriber: scattered, no two alike (below 10^8 subscribers)."""
    scattered = (index * 48_271_613 + 17_320_508) % 100_000_000
    return f"4600007{scattered:08d}", f"+86139{scattered:08d}"


def chance(seed: int, index: int, what: str, day: int) -> float:
    """Draw a number in [0, 1) that is the same whenever it is asked for again."""
    text = f"{seed}:{index}:{what}:{day}".encode()
    return int.from_bytes(blake2b(text, digest_size=7).digest(), "big") / 2.0**56
