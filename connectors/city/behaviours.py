"""Behaviours that rules look for, planted at a known moment and noted for scoring.

Each function lays one behaviour into a `Day`, beginning at `t`. `daily`: share of the people it fits that do
it on an ordinary day (assumed, save for handset changes); `weight`: how often a lively city picks it. In a
lively city trips are short: somebody flies out and is back within the hour, so that a demonstration sees both
ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engine.language.model import Product

from .days import Day
from .figures import MINUTE, SECOND
from .people import Person
from .traits import HANDSETS

COUNTRIES: Final = (
    ("44010", "JP"), ("45005", "KR"), ("45412", "HK"), ("52501", "SG"), ("52001", "TH"), ("26201", "DE"),
)  # fmt: skip
"""Networks that subscribers roam in (MCC and MNC, ISO 3166)."""

_COMPETITORS: Final = ("10010", "10000")
_HOTLINE: Final = ("10086",)


class Behaviour(NamedTuple):
    """See the head of this file. `fits`: whose behaviour it can be."""

    name: str
    plan: Callable[[Day, int], None]
    daily: float
    weight: float
    fits: Callable[[Person], bool]


def calls(day: Day, t: int, numbers: tuple[str, ...], count: int, shortest: int) -> int:
    """Make calls of `shortest` seconds or more, minutes apart; returns the end of the last."""
    end = t
    for _ in range(count):
        seconds = day.rng.randint(shortest, shortest + 150)
        end = t + seconds * SECOND
        fields = {"number": day.rng.choice(numbers), "duration": seconds, "t_start": t}
        day.record(end, "call.out", fields)
        t = end + day.minutes(2, 9)
    return end


def session(day: Day, t: int, seconds: int, size: int) -> int:
    """Hold one data session of `size` bytes; returns its end."""
    end = t + seconds * SECOND
    up = size // 12
    fields = {"apn": "cmnet", "up": up, "down": size - up, "duration": seconds, "app": "video", "t_start": t}
    day.record(end, "data.session", fields)
    return end


def _hotline_hall(day: Day, t: int) -> None:
    end = calls(day, t, _numbers(day, "hotline", _HOTLINE), day.rng.randint(1, 2), 40)
    hall = day.town.choose("hall", day.rng)
    if hall is None:
        day.fact("hotline", t)
        return
    enter = end + day.minutes(6, 20)
    day.visit(hall, enter, enter + day.minutes(12, 45))
    day.fact("hotline-then-hall", t, place=hall.key, enter=enter)


def _competitor(day: Day, t: int) -> None:
    calls(day, t, _numbers(day, "competitor", _COMPETITORS), day.rng.randint(3, 4), 31)
    day.fact("competitor-calls", t)


def _other_number(day: Day, t: int) -> None:
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


def _campus(day: Day, t: int) -> None:
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


def _mall(day: Day, t: int) -> None:
    mall = day.town.choose("mall", day.rng)
    if mall is None:
        return
    leave = t + day.minutes(15, 100)
    if day.rng.random() < 0.3:
        day.act(t - MINUTE, "hush", leave)
    day.visit(mall, t, leave)
    day.fact("mall-dwell", t, place=mall.key, leave=leave)


def _somewhere(day: Day, t: int) -> None:
    roles = [
        role for role in ("station", "hospital", "stadium", "sight", "airport") if day.town.roles.get(role)
    ]
    if not roles:
        return
    site = day.town.choose(day.rng.choice(roles), day.rng)
    if site is not None:
        leave = t + day.minutes(20, 120)
        day.visit(site, t, leave)
        day.fact("outing", t, place=site.key, leave=leave)
        if site in day.town.roles.get("stadium", ()):
            _pictures(day, t + day.minutes(2, 10))


def _first_data(day: Day, t: int) -> None:
    day.act(t - SECOND, "online")
    session(day, t + 5 * SECOND, day.rng.randint(5, 60), day.rng.randint(100_000, 5_000_000))
    day.fact("first-data", t)


def _heavy_data(day: Day, t: int) -> None:
    start = t
    for _ in range(day.rng.randint(4, 7)):
        t = session(day, t, day.rng.randint(120, 420), day.rng.randint(60 << 20, 160 << 20)) + day.minutes(
            0, 2
        )
    day.fact("heavy-data", start)


def _heavy_texts(day: Day, t: int) -> None:
    start, count = t, day.rng.randint(21, 30)
    for _ in range(count):
        t += day.rng.randint(15, 75) * SECOND
        day.record(
            t, "sms.out", {"number": day.rng.choice(day.person.contacts), "length": day.rng.randint(5, 70)}
        )
    day.fact("heavy-texts", start, count=count)


def _pictures(day: Day, t: int) -> None:
    day.fact("pictures", t)
    for _ in range(day.rng.randint(2, 5)):
        fields = {"number": day.rng.choice(day.person.contacts), "length": day.rng.randint(20_000, 280_000)}
        day.record(t, "mms.out", fields)
        t += day.minutes(1, 6)


def _handset(day: Day, t: int) -> None:
    new = day.rng.choice(HANDSETS[3:])
    if new is day.person.model:
        new = HANDSETS[-1] if new is not HANDSETS[-1] else HANDSETS[-2]
    day.act(t - 3 * MINUTE, "off")
    day.act(t, "handset", new)
    day.fact("handset-change", t, model=new.model)


def _sim(day: Day, t: int) -> None:
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "sim")
    day.fact("sim-change", t)


def _roam_out(day: Day, t: int) -> None:
    abroad = day.rng.choice(COUNTRIES)
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "roam", abroad)
    if day.rng.random() < 0.3:
        day.act(t + day.minutes(15, 40), "country", day.rng.choice(COUNTRIES))
    day.fact("roam-out", t, country=abroad[1])


def _roam_home(day: Day, t: int) -> None:
    abroad = day.rng.choice(COUNTRIES)
    airport = day.town.choose("airport", day.rng)
    landed = t + day.minutes(12, 30)
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "roam", abroad)
    if airport is not None:
        day.visit(airport, landed - MINUTE, landed + day.minutes(20, 50))
    day.act(landed, "back")
    day.fact("roam-home", landed, country=abroad[1])


def _restart(day: Day, t: int) -> None:
    role = day.rng.choice(("hall", "airport", "station", ""))
    site = day.town.choose(role, day.rng) if role else None
    if site is not None:
        day.visit(site, t - 4 * MINUTE, t + day.minutes(10, 50))
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "on")
    if day.rng.random() < 0.4:
        day.act(t, "hush", t + 80 * MINUTE)
    day.fact("restart", t, **({"place": site.key} if site else {}))


def _flight(day: Day, t: int) -> None:
    """Come in on a domestic flight: the phone was off for two hours and is switched on at the airport."""
    airport = day.town.choose("airport", day.rng)
    if airport is None:
        return
    landed = t + day.minutes(95, 170)
    day.act(t, "off")
    day.visit(airport, landed - MINUTE, landed + day.minutes(20, 50))
    day.act(landed, "on")
    day.fact("flight", landed, place=airport.key)


def _complaint(day: Day, t: int) -> None:
    day.record(t, "complaint", {"about": day.rng.choice(("coverage", "bill", "unwanted message"))})
    day.fact("complaint", t)


def _opt_out(day: Day, t: int) -> None:
    day.record(t, "sms.reply", {"number": "10086", "text": day.rng.choice(("TD", "R", "退订"))})
    day.fact("opt-out", t)


def _purchase(day: Day, t: int) -> None:
    products = tuple(day.town.catalog.products.values())
    if not products:
        return
    product: Product = day.rng.choice(products)
    bought: dict[str, Any] = {"product": product.key, "amount": product.price}
    if product.reply and day.rng.random() < 0.5:
        day.record(t - 20 * SECOND, "sms.reply", {"number": "10086", "text": product.reply})
    day.record(t, "product.bought", bought)
    day.fact("purchase", t, product=product.key)


def _recharge(day: Day, t: int) -> None:
    day.record(t, "recharge", {"amount": day.rng.choice((30, 50, 100, 200))})


def _bill(day: Day, t: int) -> None:
    day.record(t, "bill", {"amount": round(45.0 * day.person.traits.wealth, 2)})


def _numbers(day: Day, word: str, fallback: tuple[str, ...]) -> tuple[str, ...]:
    """Find the catalogue's list for a purpose by its name; a competitor's hotline is not our hotline."""
    for name, numbers in day.town.catalog.numbers.items():
        if numbers and word in name and (word != "hotline" or "competitor" not in name):
            return numbers
    return fallback


def _anybody(_: Person) -> bool:
    return True


def _student(person: Person) -> bool:
    return person.traits.job == "student"


def _offline(person: Person) -> bool:
    return person.traits.data == "never" and person.model.network != "2G"


def _online(person: Person) -> bool:
    return person.data > 0.0


BEHAVIOURS: Final = (
    Behaviour("hotline-hall", _hotline_hall, 0.004, 10, _anybody),
    Behaviour("competitor", _competitor, 0.004, 9, _anybody),
    Behaviour("listed-call", _other_number, 0.002, 4, _anybody),
    Behaviour("campus", _campus, 0.02, 55, _student),
    Behaviour("mall", _mall, 0.02, 14, _anybody),
    Behaviour("somewhere", _somewhere, 0.01, 12, _anybody),
    Behaviour("first-data", _first_data, 0.02, 120, _offline),
    Behaviour("heavy-data", _heavy_data, 0.01, 10, _online),
    Behaviour("heavy-texts", _heavy_texts, 0.002, 7, _anybody),
    Behaviour("pictures", _pictures, 0.005, 7, _anybody),
    Behaviour("handset", _handset, 0.001, 7, _anybody),
    Behaviour("sim", _sim, 0.0003, 2, _anybody),
    Behaviour("roam-out", _roam_out, 0.0, 7, _anybody),
    Behaviour("roam-home", _roam_home, 0.0, 6, _anybody),
    Behaviour("restart", _restart, 0.01, 6, _anybody),
    Behaviour("flight", _flight, 0.003, 3, _anybody),
    Behaviour("complaint", _complaint, 0.0008, 2, _anybody),
    Behaviour("opt-out", _opt_out, 0.0005, 2, _anybody),
    Behaviour("purchase", _purchase, 0.012, 3, _anybody),
    Behaviour("recharge", _recharge, 0.03, 2, _anybody),
    Behaviour("bill", _bill, 0.033, 2, _anybody),
)
