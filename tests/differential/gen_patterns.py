"""Random patterns: every verb, nested up to depth 3, windows along any path at most 48 h (semantics 3)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy

from tests.differential.gen_time import SECOND, WINDOW, duration, duration_text
from tests.differential.gen_values import EVENTS, RAT, TOTALS, Domain, Text
from tests.differential.gen_world import CELLS, Json, World

SIMPLE = ("happens", "enters", "leaves", "stays_in", "count", "total")
COMPOSITE = ("sequence", "after", "any_of", "all_of")
VERBS = SIMPLE + COMPOSITE
OUTERS = ("sequence", "after", "after.no", "any_of", "all_of")
"""Positions a pattern can be nested in; `after` is what is waited after, `after.no` what must not come."""
PAIRS = tuple((outer, inner) for outer in OUTERS for inner in VERBS)

_LENGTH = {"sequence": "within", "all_of": "within", "after": "for", "stays_in": "for"}
_LENGTH |= {"enters": "confirm", "count": "within", "total": "within"}


def verb(pattern: Json) -> str:
    return next(name for name in VERBS if name in pattern)


def children(pattern: Json) -> list[tuple[str, Json]]:
    """(position as in `OUTERS`, pattern) of the patterns directly inside."""
    name = verb(pattern)
    if name == "after":
        return [("after", pattern["after"]), ("after.no", pattern["no"])]
    return [(name, part) for part in pattern[name]] if name in COMPOSITE else []


def walk(pattern: Json) -> Iterator[Json]:
    """The pattern and all patterns within, outermost first."""
    yield pattern
    for _, part in children(pattern):
        yield from walk(part)


def length(pattern: Json) -> int:
    """Own window or wait in µs, 0 if it has none."""
    key = _LENGTH.get(verb(pattern))
    return duration(pattern[key]) if key in pattern else 0


def longest_path(pattern: Json) -> int:
    """The greatest sum of windows along a path of nesting, µs."""
    return length(pattern) + max((longest_path(part) for _, part in children(pattern)), default=0)


def names_place(pattern: Json) -> bool:
    """Whether a rule of this `when` names a place (gate 4 then asks for `location`)."""
    return any(
        verb(p) in ("enters", "leaves", "stays_in")
        or "place" in p.get("where", {})
        or "place" in p.get("unless", {})
        for p in walk(pattern)
    )


def build_pattern(world: World) -> Json:
    """A `when`: half of the time a composite with a given verb inside, so that all pairs are met alike."""
    rng, focus = world.rng, world.focus or ""
    outer, _, inner = focus.partition(">")
    if focus == "confirm":
        return _of(world, "enters", WINDOW, 2)
    if focus in VERBS:
        return _of(world, focus, WINDOW, 2)
    if outer in OUTERS and inner in VERBS:
        return _pair(world, outer, inner)
    if focus == "feed":
        return _pair(world, "after.no", rng.choice(("happens", "happens", "count", "total", "any_of")))
    if rng.random() < 0.6:
        return _pair(world, *rng.choice(PAIRS))
    return _any(world, WINDOW, rng.choice((1, 1, 2, 3)))


def _pair(world: World, outer: str, inner: str) -> Json:
    depth = world.rng.choice((2, 2, 2, 3))
    name = outer.removesuffix(".no")
    return _of(world, name, WINDOW, depth, (outer, inner))


def _any(world: World, budget: int, depth: int) -> Json:
    """A pattern whose windows fit `budget`; a composite only while `depth` > 1."""
    rng = world.rng
    if depth > 1 and rng.random() < 0.5:
        name = rng.choice(COMPOSITE)
    else:
        name = rng.choice((*SIMPLE, "happens", "enters"))
    return _of(world, name, budget, depth)


def _of(world: World, name: str, budget: int, depth: int, pair: tuple[str, str] | None = None) -> Json:
    if budget < 4 * SECOND and name not in ("happens", "enters", "leaves"):
        name = "happens"
    if name in COMPOSITE:
        return _composite(world, name, budget, max(depth, 2), pair)
    return _LEAVES[name](world, budget)


def _composite(world: World, name: str, budget: int, depth: int, pair: tuple[str, str] | None) -> Json:
    rng = world.rng
    own = 0
    if name != "any_of":
        # Something is left for windows inside; the whole budget goes only to parts that may need none.
        needs_none = pair is None or pair[1] in ("happens", "enters", "leaves")
        whole = needs_none and rng.random() < 0.1
        own = world.window(budget if whole else budget // 2 // SECOND * SECOND)
    left = budget - own

    def part(position: str) -> Json:
        if pair is not None and position == pair[0]:
            return _of(world, pair[1], left, depth - 1)
        return _any(world, left, depth - 1)

    if name == "after":
        return {"after": part("after"), "no": part("after.no"), "for": duration_text(own)}
    count = rng.choice((2, 2, 2, 3)) if depth < 3 else 2
    lucky = rng.randrange(count)
    parts = [part(name if pair and n == lucky else "") for n in range(count)]
    if name != "any_of" and rng.random() < 0.25 and depth < 3:
        # The same pattern twice: each step of a sequence needs a record of its own.
        parts[rng.randrange(count)] = deepcopy(parts[0])
        if pair is not None:
            parts[-1] = _of(world, pair[1], left, depth - 1)
    if name == "any_of":
        return {"any_of": parts}
    return {name: parts, "within": duration_text(own)}


def _kind(world: World) -> str:
    return world.rng.choice(world.palette) if world.rng.random() < 0.85 else world.rng.choice(list(EVENTS))


def _happens(world: World, _: int) -> Json:
    rng = world.rng
    kind = _kind(world)
    pattern: Json = {"happens": kind}
    where = _lines(world, kind, 0.4)
    if where:
        pattern["where"] = where
    if rng.random() < 0.12:
        unless = _lines(world, kind, 1.0)
        unless = {name: test for name, test in unless.items() if name not in where}
        if unless:
            pattern["unless"] = unless
    return pattern


def _enters(world: World, budget: int) -> Json:
    pattern: Json = {"enters": world.rng.choice(world.targets())}
    if budget >= 4 * SECOND and world.rng.random() < (0.7 if world.focus == "confirm" else 0.25):
        pattern["confirm"] = duration_text(world.window(budget))
    return pattern


def _leaves(world: World, _: int) -> Json:
    return {"leaves": world.rng.choice(world.targets())}


def _stays_in(world: World, budget: int) -> Json:
    return {"stays_in": world.rng.choice(world.targets()), "for": duration_text(world.window(budget))}


def _count(world: World, budget: int) -> Json:
    kind = _kind(world)
    pattern: Json = {"count": kind}
    where = _lines(world, kind, 0.25)
    if where:
        pattern["where"] = where
    pattern["at_least"] = str(world.rng.choice((1, 2, 2, 3)))
    pattern["within"] = duration_text(world.window(budget))
    return pattern


def _total(world: World, budget: int) -> Json:
    rng = world.rng
    known = [key for key in TOTALS if key[0] in world.palette]
    kind, name = rng.choice(known or list(TOTALS))
    shape, step, _ = TOTALS[kind, name]
    pattern: Json = {"total": f"{kind}.{name}"}
    if rng.random() < 0.2 and "number" in EVENTS[kind]:
        pattern["where"] = {"number": _pick_test(rng, EVENTS[kind]["number"])}
    pattern["at_least"] = shape.format(step * rng.choice((1, 2, 3)))
    pattern["within"] = duration_text(world.window(budget))
    return pattern


_LEAVES: dict[str, Callable[[World, int], Json]] = {
    "happens": _happens,
    "enters": _enters,
    "leaves": _leaves,
    "stays_in": _stays_in,
    "count": _count,
    "total": _total,
}


def _pick_test(rng: random.Random, domain: Domain) -> Text:
    test, _ = rng.choice(domain.tests)
    return list(test) if isinstance(test, list) else test


def _lines(world: World, kind: str, share: float) -> dict[str, Text]:
    """`where` or `unless` of a kind: a field of its own, the place, the RAT or the cell."""
    rng = world.rng
    lines: dict[str, Text] = {}
    if rng.random() >= share:
        return lines
    own = EVENTS[kind]
    dice = rng.random()
    if own and dice < 0.55:
        name = rng.choice(list(own))
        lines[name] = _pick_test(rng, own[name])
    elif dice < 0.85 or kind in ("product.bought", "recharge", "bill", "complaint", "sms.reply"):
        lines["place"] = _place_test(world)
    elif dice < 0.95:
        lines["rat"] = _pick_test(rng, RAT)
    else:
        lines["cell"] = rng.choice(CELLS)
    if own and "place" in lines and rng.random() < 0.15:
        name = rng.choice(list(own))
        lines[name] = _pick_test(rng, own[name])
    return lines


def _place_test(world: World) -> Text:
    rng = world.rng
    dice = rng.random()
    if dice < 0.8:
        return rng.choice(world.targets())
    if dice < 0.9:
        return rng.sample(list(world.places), 2)
    return f"not {rng.choice(list(world.places))}"
