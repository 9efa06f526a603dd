"""What kind of customer somebody is: drawn once, so that behaviour and profile agree.

Shares are assumed. Handset models and their TACs are invented (no real handset is meant).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from random import Random
from typing import Final, Literal, NamedTuple, TypeVar

Job = Literal["worker", "student", "staff", "home", "driver"]
DataUse = Literal["never", "none", "light", "normal", "heavy"]


T = TypeVar("T")


class Handset(NamedTuple):
    """`tac`: the IMEI's first 8 digits; `network`: the best it supports; `price` in yuan when new."""

    tac: str
    model: str
    network: str
    mms: bool
    price: int


HANDSETS: Final = (
    Handset("86990101", "Qingniao C1", "2G", False, 199),
    Handset("86990102", "Qingniao C2", "2G", False, 239),
    Handset("86990211", "Shanhe 3", "3G", True, 599),
    Handset("86990321", "Shanhe 5", "4G", True, 999),
    Handset("86990322", "Shanhe 6 Plus", "4G", True, 1499),
    Handset("86990323", "Yunque A8", "4G", True, 1999),
    Handset("86990324", "Yunque A9", "4G", False, 2299),
    Handset("86990431", "Yunque X1 5G", "5G", True, 2799),
    Handset("86990432", "Shanhe 9 5G", "5G", True, 1899),
    Handset("86990433", "Lanjing 12 Pro", "5G", True, 5299),
)
_SHARES: Final = (3, 2, 3, 12, 14, 16, 8, 18, 16, 8)

RAT: Final = {"2G": "GSM", "3G": "UMTS", "4G": "LTE", "5G": "NR"}


@dataclass(frozen=True, slots=True)
class Traits:
    """One customer. `wealth`: 1 is the average spender; `months`: on our network."""

    job: Job
    data: DataUse
    texter: bool
    """Writes eight times as many messages as others."""
    wealth: float
    months: int
    age: int
    handset: Handset


def draw_traits(rng: Random) -> Traits:
    """Draw a customer from a subscriber's stream."""
    job: Job = _share(
        rng, (("worker", 0.52), ("student", 0.16), ("staff", 0.05), ("home", 0.2), ("driver", 0.07))
    )
    if job == "student":
        age = rng.randint(17, 25)
    elif job == "home":
        age = rng.randint(30, 85)
    else:
        age = rng.randint(20, 60)
    wealth = exp(rng.gauss(-0.15, 0.55)) * (0.6 if job == "student" else 1.0)
    handset = rng.choices(HANDSETS, _SHARES)[0]
    if handset.network == "2G" and job == "student":
        handset = HANDSETS[5]
    data = _data_use(rng, handset, age)
    return Traits(
        job=job,
        data=data,
        texter=rng.random() < 0.04,
        wealth=wealth,
        months=min(240, int(rng.expovariate(1 / 48)) + (0 if rng.random() < 0.2 else 6)),
        age=age,
        handset=handset,
    )


def _data_use(rng: Random, handset: Handset, age: int) -> DataUse:
    if handset.network == "2G":
        return "never" if rng.random() < 0.7 else "none"
    if age > 60 and rng.random() < 0.25:
        return "never"
    use: DataUse = _share(
        rng, (("never", 0.03), ("none", 0.06), ("light", 0.26), ("normal", 0.55), ("heavy", 0.1))
    )
    return use


def _share(rng: Random, table: tuple[tuple[T, float], ...]) -> T:
    """Draw from a table of (value, share); the last row takes the rest."""
    u = rng.random()
    for value, share in table:
        u -= share
        if u < 0.0:
            return value
    return table[-1][0]
