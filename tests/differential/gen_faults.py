"""What a bad network does to good records: a microsecond off, late, twice, never, flagged, malformed."""

from __future__ import annotations

from copy import deepcopy

from tests.differential.gen_plant import NOBODY, STRANGER, Item
from tests.differential.gen_time import HOUR, SECOND, WINDOW, micros
from tests.differential.gen_values import BUSINESS, PHASED
from tests.differential.gen_world import Json, World

CONTROL = frozenset({"profile.update", "consent.change", "offer.receipt", "tick"})


_PLAIN: dict[str, Json] = {"recharge": {"amount": 10}}


def perturb(world: World, items: list[Item]) -> None:
    """Change some of the items in place; most cases stay clean or nearly so."""
    rng = world.rng
    level = rng.choice((0.0, 0.0, 0.04, 0.1, 0.1, 0.25))
    if world.focus in ("late", "duplicate"):
        level = 0.3
    for item in items:
        if item.record["kind"] not in CONTROL and rng.random() < 0.6:
            item.record["id"] = f"e{rng.randrange(1 << 30)}"
    for item in list(items):
        if rng.random() >= level or item.record["kind"] in CONTROL:
            continue
        dice = rng.random()
        if dice < 0.2:
            item.t += rng.choice((1, -1))
        elif dice < 0.5:
            _delay(world, items, item)
        elif dice < 0.7:
            _copy(world, items, item)
        elif dice < 0.78:
            items.remove(item)
        elif dice < 0.84:
            item.record["quality"] = rng.choice((["no_trigger"], ["late"], ["bad_imei", "no_trigger"]))
        elif dice < 0.9:
            item.t = rng.choice(items).t
        elif dice < 0.95:
            item.record.setdefault("t_start", item.t - rng.choice((1, world.unit, world.lapse, HOUR + 1)))
        elif item.record["kind"] in PHASED:
            item.record["phase"] = rng.choice(("start", "update", "stop"))


def _lateness(world: World, item: Item) -> int:
    """By how much a record is late: around patience and the limits of an hour and of 48 h."""
    rng = world.rng
    edges = [1, world.patience - 1, world.patience, world.patience + 1, HOUR - 1, HOUR, HOUR + 1]
    edges += [world.unit, rng.choice(world.deltas)]
    if item.record["kind"] in BUSINESS:
        edges += [WINDOW, WINDOW + 1, WINDOW - 1, world.unit * 2]
    return max(1, rng.choice(edges))


def _delay(world: World, items: list[Item], item: Item) -> None:
    """Let it arrive late; mostly behind a record that puts the clock at exactly that distance."""
    rng = world.rng
    item.delay = _lateness(world, item)
    if rng.random() < 0.6:
        kind = rng.choice(("sms.in", "loc.sight", "recharge"))
        who = item.who
        if rng.random() < 0.3:
            # Another subscriber's record makes it late by a tick only, and that only in a new second.
            who = STRANGER if len(world.subscribers) == 1 else rng.randrange(len(world.subscribers))
            item.delay = rng.choice((1, SECOND // 2, SECOND - 1, SECOND, item.delay))
            if rng.random() < 0.6:
                items.insert(items.index(item), Item(item.t, who, {"kind": kind, **_PLAIN.get(kind, {})}))
        witness = Item(item.t + item.delay, who, {"kind": kind, **_PLAIN.get(kind, {})})
        # In front of the late one: `deliver` keeps the order of items that arrive at one time.
        items.insert(items.index(item), witness)


def _copy(world: World, items: list[Item], item: Item) -> None:
    """The same record again: at once, or late around the limits within which copies are known."""
    rng = world.rng
    item.record.setdefault("id", f"c{len(items)}")
    copy = Item(item.t, item.who, deepcopy(item.record), item.delay)
    dice = rng.random()
    if dice < 0.5:
        copy.delay += _lateness(world, item)
    elif dice < 0.6:
        copy.t += rng.choice((1, SECOND, world.unit))
    items.append(copy)


def deliver(world: World, items: list[Item]) -> list[Json]:
    """Records in order of arrival, with times and identities."""
    rng = world.rng
    if rng.random() < 0.3:
        rng.shuffle(items)
    records = []
    for item in sorted(items, key=lambda i: i.t + i.delay):
        record = dict(item.record)
        record["t"] = item.t
        if record.get("t_start", 0) > item.t:
            record["t_start"] = item.t
        if item.who == STRANGER:
            record["msisdn"] = "+8613900139000"
        elif item.who != NOBODY:
            record.update(rng.choice(world.subscribers[item.who].identities))
            if record["kind"] in CONTROL and rng.random() < 0.2:
                record["t"] -= rng.choice((1, world.unit, 3 * HOUR))
        records.append(record)
    return records


_Y2000 = micros("2000-01-01T00:00:00+00:00")
_Y2100 = micros("2100-01-01T00:00:00+00:00")


def break_records(world: World, records: list[Json]) -> None:
    """Add records that intake refuses (and one at the edge that it takes)."""
    rng = world.rng
    who = world.subscribers[0].identities[0]
    for _ in range(rng.choice((1, 2))):
        at = rng.choice(records)["t"]
        bad: Json = rng.choice(
            (
                {"kind": "no.such", "t": at, **who},
                {"kind": "sms.in", "t": at},
                {"kind": "sms.in", "t": _Y2000 - 1, **who},
                {"kind": "sms.in", "t": _Y2000, **who},
                {"kind": "sms.in", "t": _Y2100, **who},
            )
        )
        records.insert(rng.randrange(len(records) + 1), bad)
