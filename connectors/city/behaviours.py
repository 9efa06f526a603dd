"""Behaviours that rules look for, planted at a known moment: which there are, and how often.

`daily`: share of the people it fits that do it on an ordinary day (assumed, save for handset changes);
`weight`: how often a lively city picks it. In a lively city trips are short: somebody flies out and is back
within the hour, so that a demonstration sees both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from . import deeds, trips
from .days import Day
from .people import Person


class Behaviour(NamedTuple):
    """See the head of this file. `fits`: whose behaviour it can be."""

    name: str
    plan: Callable[[Day, int], None]
    daily: float
    weight: float
    fits: Callable[[Person], bool]


def _anybody(_: Person) -> bool:
    return True


def _student(person: Person) -> bool:
    return person.traits.job == "student"


def _offline(person: Person) -> bool:
    return person.traits.data == "never" and person.model.network != "2G"


def _online(person: Person) -> bool:
    return person.data > 0.0


BEHAVIOURS: Final = (
    Behaviour("hotline-hall", trips.hotline_hall, 0.004, 10, _anybody),
    Behaviour("competitor", deeds.competitor, 0.004, 9, _anybody),
    Behaviour("listed-call", trips.other_number, 0.002, 4, _anybody),
    Behaviour("campus", trips.campus, 0.02, 55, _student),
    Behaviour("mall", trips.mall, 0.02, 14, _anybody),
    Behaviour("somewhere", trips.somewhere, 0.01, 12, _anybody),
    Behaviour("first-data", deeds.first_data, 0.02, 120, _offline),
    Behaviour("heavy-data", deeds.heavy_data, 0.01, 10, _online),
    Behaviour("heavy-texts", deeds.heavy_texts, 0.002, 7, _anybody),
    Behaviour("pictures", deeds.pictures, 0.005, 7, _anybody),
    Behaviour("handset", deeds.handset, 0.001, 7, _anybody),
    Behaviour("sim", deeds.sim, 0.0003, 2, _anybody),
    Behaviour("roam-out", trips.roam_out, 0.0, 7, _anybody),
    Behaviour("roam-home", trips.roam_home, 0.0, 6, _anybody),
    Behaviour("restart", trips.restart, 0.01, 6, _anybody),
    Behaviour("flight", trips.flight, 0.003, 3, _anybody),
    Behaviour("complaint", deeds.complaint, 0.0008, 2, _anybody),
    Behaviour("opt-out", deeds.opt_out, 0.0005, 2, _anybody),
    Behaviour("purchase", deeds.purchase, 0.012, 3, _anybody),
    Behaviour("recharge", deeds.recharge, 0.03, 2, _anybody),
    Behaviour("bill", deeds.bill, 0.033, 2, _anybody),
)
