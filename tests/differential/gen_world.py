"""The small world of a case: places that overlap, subscribers, a policy, and the deltas times are made of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from tests.differential.gen_time import (
    HOUR,
    MINUTE,
    SECOND,
    WINDOW,
    ZONES,
    clock_text,
    duration_text,
    minute_of_day,
    pick_start,
    pick_unit,
)
from tests.differential.gen_values import BUSINESS, EVENTS, FIELDS

Json = dict[str, Any]

CELLS = tuple(f"460-00-1-{n}" for n in range(1, 8))
OUTSIDE = ("460-00-9-1", "460-00-9-2")
"""Cells of no place."""

GROUPS = ("g1", "g2")
"""`only_one_of` groups of the policy."""

SIGNALING_KINDS = tuple(kind for kind in EVENTS if kind not in BUSINESS)
BUSINESS_KINDS = tuple(sorted(BUSINESS))


@dataclass(frozen=True, slots=True)
class Subscriber:
    identities: tuple[Json, ...]
    """Ways in which records name this subscriber; all lead to the same key if there is a profile."""
    text: str
    """What the subscriber key is the hash of."""
    profile: Json | None
    """Profile line; None: nothing is known."""


@dataclass(slots=True)
class World:
    rng: random.Random
    focus: str | None
    unit: int
    start: int
    policy: Json = field(default_factory=dict)
    zone: str = ZONES[0]
    places: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    subscribers: list[Subscriber] = field(default_factory=list)
    palette: list[str] = field(default_factory=list)
    """Kinds the rules of this case name: few, so that rules share records."""
    deltas: list[int] = field(default_factory=list)
    """Windows, waits, lapses, caps of the case: gaps between records are drawn from these."""
    lapse: int = 58 * MINUTE
    bridge: int = 4 * HOUR
    patience: int = 5 * MINUTE
    disorder: int = 0
    key: str = "k"
    salt: str = "s"

    def members(self, target: str) -> list[str]:
        return self.groups.get(target, [target])

    def inside(self, target: str) -> str:
        """A cell of a place or of one member of a group."""
        return self.rng.choice(self.places[self.rng.choice(self.members(target))])

    def outside(self, target: str) -> str:
        """A cell outside a place, or outside all members of a group: often one of another place."""
        own = {cell for member in self.members(target) for cell in self.places[member]}
        others = [cell for cell in CELLS if cell not in own]
        return self.rng.choice(others if others and self.rng.random() < 0.5 else OUTSIDE)

    def targets(self) -> list[str]:
        return [*self.places, *self.groups]

    def window(self, limit: int = WINDOW) -> int:
        """A small multiple of the grid, at most `limit` (whole seconds, at least one), kept as a delta."""
        rng = self.rng
        size = self.unit * rng.choice((1, 1, 2, 2, 3, 4))
        if rng.random() < 0.04:
            size = limit
        size = min(size, limit)
        self.deltas.append(size)
        return size

    def key_of(self, subscriber: Subscriber) -> str:
        """Subscriber key: 7 (u)."""
        return blake2b(subscriber.text.encode(), key=self.key.encode(), digest_size=16).hexdigest()


def decision_id(salt: str, rule: str, key: str, at: int) -> str:
    """Decision id: 7 (u)."""
    text = f"{rule}\0{key}\0{at}"
    return blake2b(text.encode(), key=salt.encode(), digest_size=16).hexdigest()


def build_world(rng: random.Random, focus: str | None) -> World:
    unit = pick_unit(rng)
    if focus == "quiet":
        unit = max(unit, MINUTE)
    start, near = pick_start(rng, unit)
    world = World(rng, focus, unit, start, key=f"k{rng.randrange(99)}", salt=f"s{rng.randrange(9999)}")
    world.zone = near if rng.random() < 0.6 else rng.choice(ZONES)
    _add_places(world)
    world.palette = rng.sample(SIGNALING_KINDS, 3)
    if rng.random() < 0.35:
        world.palette[2] = rng.choice(BUSINESS_KINDS)
    world.subscribers = [_subscriber(world, n, near) for n in range(rng.choice((1, 1, 1, 2, 2, 3)))]
    world.policy = _policy(world, near)
    if rng.random() < 0.25:
        world.disorder = rng.choice((1, SECOND, world.patience, unit, 5 * MINUTE))
    return world


def _add_places(world: World) -> None:
    rng = world.rng
    names = ["p1", "p2", "p3", "p4"][: rng.randrange(2, 5)]
    for name in names:
        first = rng.randrange(0, len(CELLS) - 3)
        world.places[name] = list(CELLS[first : first + rng.randrange(1, 4)])
    if rng.random() < 0.7:
        world.groups["ga"] = rng.sample(names, rng.randrange(1, len(names) + 1))
    if rng.random() < 0.3:
        world.groups["gb"] = rng.sample(names, 2)


def add_fences(world: World, places: Json) -> None:
    """Let some places be left late, or have cells around them (ADR 19).

    From a stream of its own: a case is what it was before there were any, but for these.
    """
    rng = random.Random(f"fences {world.salt} {world.key} {world.places}")
    if rng.random() >= (1.0 if world.focus == "leaving" else 0.2):
        return
    for name, cells in world.places.items():
        dice = rng.random()
        if dice < 0.5:
            length = min(rng.choice((*world.deltas, world.unit, 3 * world.unit)), HOUR)
            places[name]["leave_after"] = duration_text(max(length // SECOND, 1) * SECOND)
        if 0.35 < dice < 0.75:
            places[name]["leave_sightings"] = rng.choice(("2", "2", "3"))
        if dice > 0.65 or rng.random() < 0.3:
            others = [cell for cell in (*CELLS, *OUTSIDE) if cell not in cells]
            places[name]["buffer"] = rng.sample(others, rng.choice((1, 2, 3)))


SPANS = ("23:00 to 06:00", "00:00 to 24:00", "06:00 to 05:00", "10:00 to 17:00", "21:30 to 20:00")


def add_residence(world: World, rules: list[Json], records: list[Json]) -> None:
    """Let homes and places of work be learned, and asked for (ADR 20). From a stream of its own, too."""
    rng = random.Random(f"residence {world.salt} {world.key} {world.places}")
    if rng.random() >= (1.0 if world.focus == "resident" else 0.1):
        return
    world.policy["learn"] = {
        name: rng.choice(SPANS) for name in rng.choice((["home"], ["work"], ["home", "work"]))
    }
    if rng.random() < 0.6:
        lapse = rng.choice(("12h", "20h", "40h"))
        world.policy["presence"] = {**world.policy.get("presence", {}), "lapse": lapse}
    asked = [pattern for rule in rules for pattern in leaves(rule["when"])]
    for pattern in rng.sample(asked, rng.randrange(len(asked) + 1)):
        pattern["resident"] = rng.choice(("yes", "no"))
    cells = [*CELLS, *OUTSIDE]
    for subscriber in world.subscribers:
        if subscriber.profile is None:
            continue
        if rng.random() < 0.9:
            consent = {"marketing": True, "profiling": True, "location": True}
            subscriber.profile["consent"] = {**(subscriber.profile.get("consent") or {}), **consent}
        if rng.random() < 0.4:
            subscriber.profile[rng.choice(("home", "work"))] = rng.choice(cells)
    if rng.random() < 0.4:
        at = rng.randrange(len(records) + 1)
        who = rng.choice(rng.choice(world.subscribers).identities)
        taken = {"profiling": False} if rng.random() < 0.5 else {"location": False}
        records.insert(at, {"kind": "consent.change", "t": world.start, "consent": taken, **who})
        if rng.random() < 0.6:
            given = {"profiling": True, "location": True}
            at = rng.randrange(at + 1, len(records) + 1)
            records.insert(at, {"kind": "consent.change", "t": world.start, "consent": given, **who})


def leaves(pattern: Json) -> list[Json]:
    """The parts of a pattern that ask for a place and may ask who lives there."""
    if "enters" in pattern or "stays_in" in pattern:
        return [pattern]
    inner = [pattern[key] for key in ("after", "no") if key in pattern]
    for key in ("sequence", "all_of", "any_of"):
        inner += pattern.get(key, [])
    return [leaf for part in inner for leaf in leaves(part)]


def _subscriber(world: World, n: int, near: str) -> Subscriber:
    rng = world.rng
    imsi, msisdn, opaque = (
        f"46000000000000{n}",
        f"+861380013800{n}",
        rng.choice(("op-{}", "4600000000000{}", "四六-{}")).format(n),
    )
    dice = rng.random()
    if dice < 0.45:  # IMSI, and the profile binds the MSISDN to it
        profile: Json = {"subscriber": imsi, "msisdn": msisdn}
        both = {"imsi": imsi, "msisdn": msisdn}
        ids: tuple[Json, ...] = ({"imsi": imsi}, {"msisdn": msisdn}, both, {"subscriber": imsi})
        text = imsi
        if rng.random() < 0.06:
            ids = (*ids, {"imsi": imsi, "msisdn": "+8613900139000"})  # IMSI wins; nothing binds the other
    elif dice < 0.6:
        profile, ids, text = {"subscriber": imsi}, ({"imsi": imsi}, {"subscriber": imsi}), imsi
    elif dice < 0.8:
        profile, text = {"subscriber": msisdn}, msisdn
        ids = ({"msisdn": msisdn}, {"subscriber": msisdn})
    else:
        profile, ids, text = {"subscriber": opaque}, ({"subscriber": opaque},), opaque
    if rng.random() < 0.02:
        # An MSISDN that no profile binds is a subscriber of its own: keep to one identity.
        return Subscriber(ids[:1], text, None)
    if rng.random() < 0.4:
        profile["timezone"] = rng.choice((near, near, rng.choice(ZONES)))
    for name, domain in FIELDS.items():
        dice = rng.random()
        if dice < 0.75:
            profile[name] = plain(rng.choice(domain.values))
        elif dice < 0.82:
            profile[name] = None
    consent: dict[str, bool] = {}
    for purpose in ("marketing", "profiling", "location"):
        bad = 0.6 if world.focus == f"consent.{purpose}" else 0.08
        if rng.random() >= bad:
            consent[purpose] = True
        elif rng.random() < 0.5:
            consent[purpose] = False
    if consent or rng.random() < 0.5:
        profile["consent"] = consent
    return Subscriber(ids, text, profile)


def plain(value: Any) -> Any:
    """A JSON value of its own: tuples of the tables become fresh lists."""
    return list(value) if isinstance(value, tuple) else value


def _policy(world: World, near: str) -> Json:
    rng, unit = world.rng, world.unit
    policy: Json = {"window": "48h", "timezone": world.zone}
    quiet_share = {"held": 0.95, "send_within": 0.95, "quiet": 0.95}.get(world.focus or "", 0.55)
    if rng.random() < quiet_share:
        policy["quiet"] = quiet(world, near, longest=12 * 60, list_share=0.25)
    world.patience = rng.choice(
        (5 * MINUTE, min(HOUR, max(SECOND, unit // 2 // SECOND * SECOND)), min(unit, HOUR), HOUR)
    )
    policy["patience"] = duration_text(world.patience)
    world.lapse = rng.choice((unit, 2 * unit, 4 * unit, 58 * MINUTE))
    lapse: Json | str = duration_text(world.lapse)
    if rng.random() < 0.4:
        other = rng.choice((unit, 3 * unit))
        lapse = {"LTE": duration_text(world.lapse), "GSM": duration_text(other)}
        world.deltas.append(other)
    world.bridge = rng.choice((2 * unit, 4 * unit, 8 * unit, 4 * HOUR))
    if rng.random() < 0.85:
        world.bridge = max(world.lapse, world.bridge)
    policy["presence"] = {"lapse": lapse, "bridge": duration_text(world.bridge)}
    world.deltas += [world.lapse, world.bridge]
    policy["contact"] = _contact(world)
    policy["groups"] = {name: {"cooldown": duration_text(world.window(30 * WINDOW))} for name in GROUPS}
    dice = rng.random()
    if dice < 0.15 or world.focus == "control":
        policy["holdout"] = rng.choice(("0%", "2%", "50%", "50%", "100%"))
    if rng.random() < 0.9:
        policy["opt_out"] = rng.choice((["TD", "R", "退订"], ["TD", "STOP"]))
    return policy


def _contact(world: World) -> Json:
    rng = world.rng
    tight = 0.85 if world.focus == "policy.contact" else 0.45
    cap = f"{rng.choice((1, 1, 2))} in {duration_text(world.window())}" if rng.random() < tight else "9 in 1d"
    lines: str | list[str] = cap
    if rng.random() < 0.3:
        lines = [cap, f"{rng.choice((2, 3))} in {duration_text(world.window() * rng.choice((2, 3)))}"]
    contact: Json = {"at_most": lines}
    if rng.random() < 0.5:
        tier = rng.choice(("vip", "gold"))
        contact["by_tier"] = {tier: f"{rng.choice((1, 2))} in {duration_text(world.window())}"}
    return contact


def quiet(world: World, near: str, *, longest: int, list_share: float) -> str | list[str]:
    """Quiet time whose start or end lies on the grid (or in a DST gap or fold) by some zone's wall clock.

    `longest` in minutes bounds the whole of it, so that policy and rule together leave part of the day.
    """
    rng = world.rng
    name = rng.choice((near, world.zone))
    if rng.random() < 0.25:
        edge = rng.choice((60, 90, 105, 120, 150, 180, 0))
    else:
        edge = minute_of_day(world.start + rng.randrange(-1, 8) * world.unit, name)
    steps: Sequence[int] = [m for m in (world.unit // MINUTE, 3 * world.unit // MINUTE) if 0 < m <= longest]
    length = rng.choice((*steps, *steps, min(45, longest), min(180, longest), longest))
    begin = edge if rng.random() < 0.5 else edge - length
    world.deltas.append(length * MINUTE)
    if length > 2 and rng.random() < list_share:
        # Two touching intervals are one quiet time; half of the time they overlap, too.
        cut = begin + rng.randrange(1, length - 1)
        second = cut if rng.random() < 0.5 else cut - 1
        parts = [(begin, cut), (second, begin + length)]
        return [f"{clock_text(a)} to {clock_text(b)}" for a, b in parts]
    return f"{clock_text(begin)} to {clock_text(begin + length)}"
