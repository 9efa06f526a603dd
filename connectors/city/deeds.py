"""Planted behaviours that need no journey: calls, messages, data, purchases, a new handset.

Each function lays one behaviour into a `Day`, beginning at `t` (µs UTC), and notes it for scoring.
"""

from __future__ import annotations

from typing import Any, Final

from engine.language.model import Product

from .days import Day
from .figures import MINUTE, SECOND
from .traits import HANDSETS

_COMPETITORS: Final = ("10010", "10000")
HOTLINE: Final = ("10086",)


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


def competitor(day: Day, t: int) -> None:
    """Ring competitors' hotlines three or four times."""
    calls(day, t, listed(day, "competitor", _COMPETITORS), day.rng.randint(3, 4), 31)
    day.fact("competitor-calls", t)


def first_data(day: Day, t: int) -> None:
    """Go online for the first time."""
    day.act(t - SECOND, "online")
    session(day, t + 5 * SECOND, day.rng.randint(5, 60), day.rng.randint(100_000, 5_000_000))
    day.fact("first-data", t)


def heavy_data(day: Day, t: int) -> None:
    """Watch videos for half an hour."""
    start = t
    for _ in range(day.rng.randint(4, 7)):
        seconds, size = day.rng.randint(120, 420), day.rng.randint(60 << 20, 160 << 20)
        t = session(day, t, seconds, size) + day.minutes(0, 2)
    day.fact("heavy-data", start)


def heavy_texts(day: Day, t: int) -> None:
    """Write more than twenty messages."""
    start, count = t, day.rng.randint(21, 30)
    for _ in range(count):
        t += day.rng.randint(15, 75) * SECOND
        fields = {"number": day.rng.choice(day.person.contacts), "length": day.rng.randint(5, 70)}
        day.record(t, "sms.out", fields)
    day.fact("heavy-texts", start, count=count)


def pictures(day: Day, t: int) -> None:
    """Send two to five pictures."""
    day.fact("pictures", t)
    for _ in range(day.rng.randint(2, 5)):
        fields = {"number": day.rng.choice(day.person.contacts), "length": day.rng.randint(20_000, 280_000)}
        day.record(t, "mms.out", fields)
        t += day.minutes(1, 6)


def handset(day: Day, t: int) -> None:
    """Move the SIM into another handset."""
    new = day.rng.choice(HANDSETS[3:])
    if new is day.person.model:
        new = HANDSETS[-1] if new is not HANDSETS[-1] else HANDSETS[-2]
    day.act(t - 3 * MINUTE, "off")
    day.act(t, "handset", new)
    day.fact("handset-change", t, model=new.model)


def sim(day: Day, t: int) -> None:
    """Get another SIM."""
    day.act(t - 2 * MINUTE, "off")
    day.act(t, "sim")
    day.fact("sim-change", t)


def complaint(day: Day, t: int) -> None:
    """Complain."""
    day.record(t, "complaint", {"about": day.rng.choice(("coverage", "bill", "unwanted message"))})
    day.fact("complaint", t)


def opt_out(day: Day, t: int) -> None:
    """Answer that no more offers are wanted."""
    day.record(t, "sms.reply", {"number": "10086", "text": day.rng.choice(("TD", "R", "退订"))})
    day.fact("opt-out", t)


def purchase(day: Day, t: int) -> None:
    """Buy a product, often by answering an offer."""
    products = tuple(day.town.catalog.products.values())
    if not products:
        return
    product: Product = day.rng.choice(products)
    bought: dict[str, Any] = {"product": product.key, "amount": product.price}
    if product.reply and day.rng.random() < 0.5:
        day.record(t - 20 * SECOND, "sms.reply", {"number": "10086", "text": product.reply})
    day.record(t, "product.bought", bought)
    day.fact("purchase", t, product=product.key)


def recharge(day: Day, t: int) -> None:
    """Top up the account."""
    day.record(t, "recharge", {"amount": day.rng.choice((30, 50, 100, 200))})


def bill(day: Day, t: int) -> None:
    """Get a bill."""
    day.record(t, "bill", {"amount": round(45.0 * day.person.traits.wealth, 2)})


def listed(day: Day, word: str, fallback: tuple[str, ...]) -> tuple[str, ...]:
    """Find the catalogue's list for a purpose by its name; a competitor's hotline is not our hotline."""
    for name, numbers in day.town.catalog.numbers.items():
        if numbers and word in name and (word != "hotline" or "competitor" not in name):
            return numbers
    return fallback
