"""What the operator's data mart says about a subscriber: one profile line (semantics.md 6).

Only fields of the catalogue are given. Well-known names follow from the person's traits, so that heavy users
have little data left and students a student's brand; any other field gets a plausible value of its type. Some
values are unknown, some people have not answered about consent, some must not be disturbed.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from engine.language.model import Catalog, FieldSpec

from .people import Person
from .traits import Traits, draw_traits

UNKNOWN: Final = 0.03
"""Share of values the data mart does not know (assumed)."""
NO_PROFILE: Final = 0.01
"""Share of subscribers without a line (assumed)."""
TIMEZONES: Final = 0.005
"""Share of subscribers whose own timezone is known to differ (assumed)."""

_GB: Final = 1 << 30
_ZONES: Final = ("Asia/Urumqi", "Asia/Tokyo", "Europe/Berlin")


def profile_of(person: Person, seed: int, catalog: Catalog) -> dict[str, Any] | None:
    """Write the line of a person of the city; None for guests and for those without one."""
    rng = Random(f"{seed}:{person.index}:profile")
    if person.guest or rng.random() < NO_PROFILE:
        return None
    line: dict[str, Any] = {"subscriber": person.imsi, "msisdn": person.msisdn}
    line.update(describe(rng, person.traits, catalog))
    return line


def profile_of_id(subscriber: str, seed: int, catalog: Catalog) -> dict[str, Any]:
    """Write a line for a subscriber of whom only the feed's id is known: the same for the same (seed, id)."""
    rng = Random(f"{seed}:{subscriber}:profile")
    return {"subscriber": subscriber, **describe(rng, draw_traits(rng), catalog)}


def describe(rng: Random, traits: Traits, catalog: Catalog) -> dict[str, Any]:
    """Write the fields of the catalogue, consent and, rarely, a timezone."""
    line: dict[str, Any] = {}
    facts = _facts(rng, traits, catalog)
    for name, spec in catalog.fields.items():
        value = facts.get(name)
        if value is None or not _fits(value, spec):
            value = _any_value(rng, spec, catalog)
        if rng.random() >= UNKNOWN and value is not None:
            line[name] = value
    if rng.random() < TIMEZONES:
        line["timezone"] = rng.choice(_ZONES)
    consent = _consent(rng)
    if consent:
        line["consent"] = consent
    return line


def _facts(rng: Random, traits: Traits, catalog: Catalog) -> dict[str, Any]:
    """Say what follows from the traits, under the names that catalogues of operators use."""
    arpu = round(max(8.0, 62.0 * traits.wealth), 2)
    tier = "vip" if arpu >= 150 else "gold" if arpu >= 100 else "silver" if arpu >= 70 else "ordinary"
    student = traits.job == "student"
    brand = "M-Zone" if student and rng.random() < 0.85 else "GoTone" if arpu >= 75 else "EasyOwn"
    used = {"never": 0, "none": 0, "light": 2, "normal": 12, "heavy": 45}[traits.data]
    month = int(used * _GB * rng.uniform(0.3, 1.7))
    left = rng.uniform(0, 25) if traits.data == "heavy" else rng.uniform(0, 100) if used else 100.0
    rfm = "".join("2" if rng.random() < min(0.9, 0.45 * traits.wealth + 0.1) else "1" for _ in range(3))
    return {
        "brand": brand,
        "tier": tier,
        "arpu": arpu,
        "age": traits.age,
        "rfm": rfm,
        "tags": _tags(rng, traits),
        "products": [key for key in catalog.products if rng.random() < 0.05],
        "group": rng.choices(("none", "A", "B", "C"), (90, 2, 3, 5))[0],
        "handset.network": traits.handset.network,
        "handset.mms": traits.handset.mms,
        "handset.price": traits.handset.price,
        "handset.model": traits.handset.model,
        "data.month": month,
        "data.left": round(left, 1),
        "data.ever": traits.data != "never",
        "sms.bundle_left": rng.randint(0, 15)
        if traits.texter or rng.random() < 0.3
        else rng.randint(10, 200),
        "network.months": traits.months,
    }


def _tags(rng: Random, traits: Traits) -> list[str]:
    tags = ["student"] if traits.job == "student" and rng.random() < 0.92 else []
    if traits.data == "heavy" or (traits.data == "normal" and rng.random() < 0.3):
        tags.append("has-data-plan")
    for tag, share in (
        ("do-not-disturb", 0.04),
        ("complained-90d", 0.03),
        ("in-contract", 0.3),
        ("family", 0.2),
    ):
        if rng.random() < share:
            tags.append(tag)
    return tags


def _consent(rng: Random) -> dict[str, bool]:
    """Most said yes; some said no to one purpose; some were never asked and have no entry."""
    if rng.random() < 0.03:
        return {}
    consent: dict[str, bool] = {}
    for purpose, yes, no in (("marketing", 0.91, 0.06), ("profiling", 0.93, 0.04), ("location", 0.86, 0.08)):
        u = rng.random()
        if u < yes + no:
            consent[purpose] = u < yes
    return consent


def _fits(value: Any, spec: FieldSpec) -> bool:
    """Tell whether a value that follows from the traits is one this catalogue allows."""
    if spec.values:
        return value in spec.values
    kinds = _JSON_TYPES[spec.type]
    return isinstance(value, kinds) and (isinstance(value, bool) == (spec.type == "yes/no"))


_JSON_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "text": str, "phone": str, "place": str, "set": list, "yes/no": bool, "number": (int, float),
    "money": (int, float), "bytes": int, "percent": (int, float), "duration": (int, float),
}  # fmt: skip


def _any_value(rng: Random, spec: FieldSpec, catalog: Catalog) -> Any:
    if spec.values:
        return rng.choice(spec.values)
    return _BY_TYPE[spec.type](rng, catalog)


def _some_place(rng: Random, catalog: Catalog) -> str | None:
    return rng.choice(sorted(catalog.places)) if catalog.places else None


_BY_TYPE: Final[dict[str, Callable[[Random, Catalog], Any]]] = {
    "text": lambda rng, _: rng.choice(("a", "b", "c")),
    "phone": lambda rng, _: f"+86137{rng.randint(0, 99_999_999):08d}",
    "place": _some_place,
    "set": lambda rng, _: [tag for tag in ("a", "b", "c") if rng.random() < 0.3],
    "yes/no": lambda rng, _: rng.random() < 0.5,
    "number": lambda rng, _: rng.randint(0, 100),
    "money": lambda rng, _: round(rng.lognormvariate(3.9, 0.7), 2),
    "bytes": lambda rng, _: int(rng.lognormvariate(20.0, 2.0)),
    "percent": lambda rng, _: round(rng.uniform(0.0, 100.0), 1),
    "duration": lambda rng, _: rng.randint(0, 3600),
}
