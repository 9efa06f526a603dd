"""Near-satisfying runs of records for a pattern: planted backwards from the moment at which it should match.

Without them nested patterns would hardly ever match. Offsets are drawn from the exact edges of windows: the
last microsecond inside, the first outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.differential.gen_patterns import length, verb, walk
from tests.differential.gen_time import SECOND
from tests.differential.gen_values import BUSINESS, EVENTS, PHASED, RAT, REQUIRED, TOTALS, Domain, Text
from tests.differential.gen_world import Json, World, plain

_SIGHTINGS = ("loc.update", "loc.sight", "loc.handover", "loc.update")


NOBODY = -1
"""Of ticks."""

STRANGER = -2
"""A subscriber without a profile line."""


@dataclass(slots=True)
class Item:
    """A record to be: its time, who it is about (index; `NOBODY`, `STRANGER`) and how late it arrives, µs."""

    t: int
    who: int
    record: Json
    delay: int = 0


def kinds_within(pattern: Json) -> list[str]:
    """Kinds of the `happens`, `count` and `total` of a pattern at any depth."""
    kinds = []
    for part in walk(pattern):
        kind = part.get("happens") or part.get("count") or part.get("total", "").rpartition(".")[0]
        if kind:
            kinds.append(kind)
    return kinds


def draw(world: World, domain: Domain, test: Text | None = None, *, passes: bool = True) -> Any:
    """A value of a field: any, or one that passes (or, known, fails) a test of the domain."""
    values = domain.values
    if test is not None:
        good = next((good for text, good in domain.tests if text == test), values)
        values = good if passes else tuple(v for v in domain.values if v not in good)
    return plain(world.rng.choice(values))


def make_record(world: World, kind: str, where: Json | None = None, unless: Json | None = None) -> Json:
    """A record of `kind` that passes `where` and none of `unless`, without time and identity.

    A place it should be at may be left to the subscriber's presence: then `cell` is missing.
    """
    rng = world.rng
    record: Json = {"kind": kind}
    own = EVENTS.get(kind, {})
    values: Json = {
        name: draw(world, domain)
        for name, domain in own.items()
        if (kind, name) in REQUIRED or rng.random() < 0.6
    }
    domains = {**own, "rat": RAT}
    for lines, passes in ((where or {}, True), (unless or {}, False)):
        for name, test in lines.items():
            if name == "place":
                cell = _cell_for(world, test, passes)
                if cell is not None:
                    record["cell"] = cell
            elif name == "cell":
                record["cell"] = test if passes else world.outside(rng.choice(world.targets()))
            else:
                values[name] = draw(world, domains[name], test, passes=passes)
    _set_volume(world, values)
    if kind in PHASED and rng.random() < 0.06:
        record["phase"] = rng.choice(("stop", "stop", "start", "update"))
    record.update(values)
    if kind not in BUSINESS:
        if "cell" not in record and "place" not in (where or {}) and rng.random() < 0.25:
            record["cell"] = rng.choice((world.inside, world.outside))(rng.choice(world.targets()))
        if "rat" not in record and rng.random() < 0.4:
            record["rat"] = rng.choice(("LTE", "GSM", "NR"))
    return record


def _cell_for(world: World, test: Text, passes: bool) -> str | None:
    rng = world.rng
    if rng.random() < 0.2:
        return None
    wanted = rng.choice(test) if isinstance(test, list) else test
    name = wanted.removeprefix("not ")
    return world.inside(name) if passes is (name == wanted) else world.outside(name)


def _set_volume(world: World, values: Json) -> None:
    """Split `bytes` into `up` and `down`; one of them alone is the whole (7 k)."""
    if "bytes" in values:
        rng = world.rng
        size = values.pop("bytes")
        up = rng.choice((0, size, size // 3))
        dice = rng.random()
        if dice < 0.2:
            values["up"] = size
        elif dice < 0.4:
            values["down"] = size
        else:
            values["up"], values["down"] = up, size - up


class Planter:
    """Collects the items of one case."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.items: list[Item] = []
        self._plans = {
            "happens": self._happens,
            "enters": self._enters,
            "leaves": self._leaves,
            "stays_in": self._stays_in,
            "count": self._count,
            "total": self._total,
            "sequence": self._sequence,
            "after": self._after,
            "any_of": self._any_of,
            "all_of": self._all_of,
        }

    def plant(self, pattern: Json, at: int, who: int) -> None:
        """Add records after which `pattern` should have an instant at (or very near) `at`."""
        if len(self.items) < 60:
            self._plans[verb(pattern)](pattern, at, who)

    def add(self, t: int, who: int, record: Json) -> Item:
        item = Item(t, who, record)
        self.items.append(item)
        return item

    def see(self, t: int, who: int, cell: str) -> None:
        """A sighting at `t`: of a location record, or of the start of a call or session that ends later."""
        rng = self.world.rng
        if rng.random() < 0.15:
            kind = rng.choice(
                [k for k in self.world.palette if k not in BUSINESS and k != "power.off"] or ["call.in"]
            )
            other = {**make_record(self.world, kind), "cell": cell}
            end = t
            if rng.random() < 0.5:
                end += rng.choice((0, 1, self.world.unit, self.world.patience, self.world.patience + 1))
                other["t_start"] = t
            self.add(end, who, other)
            return
        record: Json = {"kind": rng.choice(_SIGHTINGS), "cell": cell}
        if rng.random() < 0.5:
            record["rat"] = rng.choice(("LTE", "LTE", "GSM", "NR"))
        self.add(t, who, record)

    def _back(self, window: int) -> int:
        """How long before now an earlier part lies: inside the window, mostly at an edge of it."""
        rng = self.world.rng
        dice = rng.random()
        if dice < 0.3:
            return window - 1
        if dice < 0.4:
            return window
        if dice < 0.44:
            return window + 1
        if dice < 0.5:
            return rng.choice((0, 1))
        return max(1, window * rng.randrange(1, 8) // 8)

    def _between(self, first: int, count: int) -> Iterator[int]:
        """`count` offsets from `first` down to 0, later ones nearer to now."""
        rng = self.world.rng
        for n in range(count):
            if n == 0:
                yield first
            else:
                step = first * (count - n) // (count + 0)
                yield max(1, step) if rng.random() < 0.9 else rng.choice((1, first, max(0, first - 1)))

    def _happens(self, pattern: Json, at: int, who: int) -> None:
        world, rng = self.world, self.world.rng
        kind = pattern["happens"]
        record = make_record(world, kind, pattern.get("where"), pattern.get("unless"))
        self._presence(pattern.get("where"), record, at, who)
        if kind in PHASED and rng.random() < 0.12:
            record["t_start"] = at - rng.choice((SECOND, world.unit, rng.choice(world.deltas)))
        self.add(at, who, record)

    def _presence(self, where: Json | None, record: Json, at: int, who: int) -> None:
        """Without a cell of its own the record is where the subscriber was last seen."""
        test = (where or {}).get("place")
        if isinstance(test, str) and "cell" not in record:
            name = test.removeprefix("not ")
            cell = self.world.inside(name) if name == test else self.world.outside(name)
            self.see(at - self._back(self.world.lapse), who, cell)

    def _enters(self, pattern: Json, at: int, who: int) -> None:
        world, rng = self.world, self.world.rng
        if "confirm" in pattern:
            self._stays_in({"stays_in": pattern["enters"], "for": pattern["confirm"]}, at, who)
            return
        dice = rng.random()
        if dice < 0.75:
            before = rng.choice((1, SECOND, world.unit // 2, rng.choice(world.deltas)))
            self.see(at - before, who, world.outside(pattern["enters"]))
        self.see(at, who, world.inside(pattern["enters"]))

    def _leaves(self, pattern: Json, at: int, who: int) -> None:
        world = self.world
        self.see(at - self._back(world.lapse), who, world.inside(pattern["leaves"]))
        self.see(at, who, world.outside(pattern["leaves"]))

    def _stays_in(self, pattern: Json, at: int, who: int) -> None:
        world, rng = self.world, self.world.rng
        wait = length(pattern)
        cell = world.inside(pattern["stays_in"])
        if rng.random() < 0.6:
            self.see(at - wait - rng.choice((1, world.unit // 2)), who, world.outside(pattern["stays_in"]))
        if rng.random() < 0.12:
            self._late_dwell(at - wait, wait, who, cell)
            return
        self.see(at - wait, who, cell)
        gap = rng.choice((world.lapse, world.lapse, world.lapse + 1, world.bridge, world.bridge + 1))
        seen = at - wait
        for _ in range(3):
            if seen + world.lapse >= at:
                break
            seen = max(seen + gap, at - world.lapse) if gap >= world.bridge else seen + gap
            self.see(seen, who, cell if rng.random() < 0.7 else world.inside(pattern["stays_in"]))
        if rng.random() < 0.12:
            off = rng.choice((seen, seen + 1, at - 1, at, at, at + 1))
            self.add(off, who, {"kind": "power.off"})
        if rng.random() < 0.4:
            self.see(at + rng.choice((0, 1, world.unit // 2)), who, cell)

    def _late_dwell(self, opening: int, wait: int, who: int, cell: str) -> None:
        """Open the visit late, about by patience or by the dwell itself: the timer lies in the past (7 b)."""
        rng = self.world.rng
        self.see(opening, who, cell)
        late = rng.choice((self.world.patience, wait, wait + 2)) + rng.choice((0, 0, 1, -1))
        self.delay_last(late)
        if late == wait and rng.random() < 0.5:
            # Due = clock is an ordinary timer: this record of the same time still comes before it.
            self.add(opening + wait, who, {"kind": "power.off"})
        elif rng.random() < 0.4:
            self.add(opening + wait + rng.choice((-1, 0, 1, 1)), who, {"kind": "power.off"})
        if rng.random() < 0.5:
            self.see(opening + wait + rng.choice((0, 1, self.world.unit)), who, cell)

    def delay_last(self, delay: int) -> None:
        """Let the last item arrive late, right behind a record that puts the clock exactly so far ahead."""
        item = self.items[-1]
        item.delay = max(1, delay)
        self.items.insert(-1, Item(item.t + item.delay, item.who, {"kind": "sms.in"}))

    def _many(self, pattern: Json, kind: str, number: int, at: int, who: int, extra: Json) -> None:
        back = self._back(length(pattern)) if number > 1 else 0
        for offset in [*self._between(back, number - 1), 0] if number > 1 else [0]:
            record = make_record(self.world, kind, pattern.get("where"))
            for name in ("up", "down") if extra else ():
                record.pop(name, None)
            record.update(extra)
            self._presence(pattern.get("where"), record, at - offset, who)
            self.add(at - offset, who, record)

    def _count(self, pattern: Json, at: int, who: int) -> None:
        self._many(pattern, pattern["count"], int(pattern["at_least"]), at, who, {})

    def _total(self, pattern: Json, at: int, who: int) -> None:
        rng = self.world.rng
        kind, _, name = pattern["total"].rpartition(".")
        shape, step, stored = TOTALS[kind, name]
        number = next(n for n in (1, 2, 3) if shape.format(step * n) == pattern["at_least"])
        value = stored + rng.choice((0, 0, 0, 0, 1, -1))
        if name == "bytes":
            half = value // 2
            extra: Json = rng.choice(({"up": value}, {"down": value}, {"up": half, "down": value - half}))
        else:
            extra = {name: value}
        self._many(pattern, kind, number, at, who, extra)

    def _sequence(self, pattern: Json, at: int, who: int) -> None:
        steps = pattern["sequence"]
        offsets = self._between(self._back(length(pattern)), len(steps) - 1)
        for step, offset in zip(steps, [*offsets, 0], strict=True):
            self.plant(step, at - offset, who)

    def _after(self, pattern: Json, at: int, who: int) -> None:
        world, rng = self.world, self.world.rng
        wait = length(pattern)
        start = at - wait
        self.plant(pattern["after"], start, who)
        if rng.random() < 0.15:
            # The wait is over, or ends, at the clock at which its start arrives (7 b).
            late = rng.choice((wait, wait + 2, world.patience)) + rng.choice((0, 0, 1, -1))
            self.delay_last(late)
            if late == wait and rng.random() < 0.5:
                self._cancel(pattern["no"], at, who)  # comes after, but before the timer
            elif rng.random() < 0.3:
                self._cancel(pattern["no"], at + rng.choice((-1, 0, 1, 1)), who)
        dice = rng.random()
        if dice < 0.22:
            edge = rng.choice((start, start + 1, start + wait // 2, at - 1, at, at + 1))
            self._cancel(pattern["no"], edge, who)
        elif dice < 0.3:
            self.plant(pattern["after"], start + rng.choice((1, wait // 2, wait, wait + 1)), who)
        elif dice < 0.5:
            self.plant(pattern["no"], start - rng.choice((0, 1, world.unit)), who)

    def _cancel(self, pattern: Json, at: int, who: int) -> None:
        """Plant what must not come; of a bare `happens` a start or an update cancels, too (1.4)."""
        first = len(self.items)
        self.plant(pattern, at, who)
        if (
            len(self.items) > first
            and self.items[-1].record["kind"] in PHASED
            and self.world.rng.random() < 0.4
        ):
            self.items[-1].record["phase"] = self.world.rng.choice(("start", "update"))

    def _any_of(self, pattern: Json, at: int, who: int) -> None:
        for part in self.world.rng.sample(pattern["any_of"], self.world.rng.choice((1, 1, 1, 2))):
            self.plant(part, at, who)

    def _all_of(self, pattern: Json, at: int, who: int) -> None:
        parts = self.world.rng.sample(pattern["all_of"], len(pattern["all_of"]))
        self.plant(parts[0], at, who)
        for part in parts[1:]:
            self.plant(part, at - self._back(length(pattern)), who)
