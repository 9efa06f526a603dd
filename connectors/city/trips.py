"""Planted behaviours that lead somewhere: service halls, campuses, malls, airports, abroad.

Each function lays one behaviour into a `Day`, beginning at `t` (µs UTC), and notes it for scoring. Where the
catalogue has no place of the kind, what is left of the behaviour is done wherever they are.
"""

from __future__ import annotations

from typing import Final

from .days import Day
from .deeds import HOTLINE, calls, listed, pictures
from .figures import MINUTE

COUNTRIES: Final = (
    ("44010", "JP"), ("45005", "KR"), ("45412", "HK"), ("52501", "SG"), ("52001", "TH"), ("26201", "DE"),
)  # fmt: skip
"""Networks that subscribers roam in (MCC and MNC, ISO 3166)."""

ACROSS: Final = ("45412", "HK")
"""The network that reaches over the border."""

SIGHTS: Final = ("station", "hospital", "stadium", "sight", "airport")
"""Kinds of places people go to without an errand of their own."""


def hotline_hall(day: Day, t: int) -> None:
    """Ring the hotline, then go to a service hall."""
    end = calls(day, t, listed(day, "hotline", HOTLINE), day.rng.randint(1, 2), 40)
    hall = day.town.choose("hall", day.rng)
    if hall is None:
        day.fact("hotline", t)
        return
    enter = end + day.minutes(6, 20)
    day.visit(hall, enter, enter + day.minutes(12, 45))
    day.fact("hotline-then-hall", t, place=hall.key, enter=enter)


def other_number(day: Day, t: int) -> None:
    """Ring a number of another list of the catalogue; after an airline's, go to the airport."""
    lists = {
        name: numbers
        for name, numbers in day.town.catalog.numbers.items()
        if numbers and "hotline" not in name and "competitor" not in name
    }
    if not lists:
        return
    name = day.rng.choice(sorted(lists))
    end = calls(day, t, lists[name], day.rng.randint(1, 3), 45)
    day.fact("listed-call", t, numbers=name)
    airport = day.town.choose("airport", day.rng) if "air" in name else None
    if airport is not None:
        enter = end + day.minutes(8, 20)
        day.visit(airport, enter, enter + day.minutes(30, 80))


def campus(day: Day, t: int) -> None:
    """Come onto a campus; some stay offline there."""
    campus = day.person.work if day.person.work.place else day.town.choose("campus", day.rng)
    if campus is None:
        return
    if day.at(t) is campus:
        day.visit(day.person.spots[0], t - 30 * MINUTE, t)
    day.visit(campus, t, t + day.minutes(90, 300))
    quiet = day.rng.random() < 0.3
    if quiet:
        day.act(t - MINUTE, "hush", t + 150 * MINUTE)
    day.fact("silent-on-campus" if quiet else "campus-arrival", t, place=campus.key)


def mall(day: Day, t: int) -> None:
    """Spend a while in a mall, some of them offline."""
    mall = day.town.choose("mall", day.rng)
    if mall is None:
        return
    leave = t + day.minutes(15, 100)
    if day.rng.random() < 0.3:
        day.act(t - MINUTE, "hush", leave)
    day.visit(mall, t, leave)
    day.fact("mall-dwell", t, place=mall.key, leave=leave)


def somewhere(day: Day, t: int) -> None:
    """Go to a station, a hospital, a stadium, another place or the airport."""
    roles = [role for role in SIGHTS if day.town.roles.get(role)]
    if not roles:
        return
    site = day.town.choose(day.rng.choice(roles), day.rng)
    if site is not None:
        leave = t + day.minutes(20, 120)
        day.visit(site, t, leave)
        day.fact("outing", t, place=site.key, leave=leave)
        if site in day.town.roles.get("stadium", ()):
            pictures(day, t + day.minutes(2, 10))


def roam_out(day: Day, t: int) -> None:
    """Register abroad, sometimes in a second country."""
    abroad = day.rng.choice(COUNTRIES)
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "roam", abroad)
    if day.rng.random() < 0.3:
        day.act(t + day.minutes(15, 40), "country", day.rng.choice(COUNTRIES))
    day.fact("roam-out", t, country=abroad[1])


def roam_home(day: Day, t: int) -> None:
    """Register abroad and be back at the airport within the hour."""
    abroad = day.rng.choice(COUNTRIES)
    airport = day.town.choose("airport", day.rng)
    landed = t + day.minutes(12, 30)
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "roam", abroad)
    if airport is not None:
        day.visit(airport, landed - MINUTE, landed + day.minutes(20, 50))
    day.act(landed, "back")
    day.fact("roam-home", landed, country=abroad[1])


def flight(day: Day, t: int) -> None:
    """Come in on a domestic flight: the phone was off for two hours and is switched on at the airport."""
    airport = day.town.choose("airport", day.rng)
    if airport is None:
        return
    landed = t + day.minutes(95, 170)
    day.act(t, "off")
    day.visit(airport, landed - MINUTE, landed + day.minutes(20, 50))
    day.act(landed, "on")
    day.fact("flight", landed, place=airport.key)


def restart(day: Day, t: int) -> None:
    """Switch the phone off and on, often at a place; some stay offline."""
    role = day.rng.choice(("hall", "airport", "station", ""))
    site = day.town.choose(role, day.rng) if role else None
    if site is not None:
        day.visit(site, t - 4 * MINUTE, t + day.minutes(10, 50))
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "on")
    if day.rng.random() < 0.4:
        day.act(t, "hush", t + 80 * MINUTE)
    day.fact("restart", t, **({"place": site.key} if site else {}))
