"""Random rules around a pattern: validity, audience, messages, limits; most take the first subscriber."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

from tests.differential.gen_patterns import build_pattern, names_place, verb
from tests.differential.gen_time import DAY, WINDOW, duration, duration_text, local
from tests.differential.gen_values import FIELDS, Text
from tests.differential.gen_world import GROUPS, Json, World, quiet

PRODUCTS: Json = {
    "x1": {"name": "包一", "price": "20 yuan", "reply": "KT1"},
    "x2": {"name": "Pack 2", "price": "5 yuan", "reply": "KT2"},
    "x3": {"name": "包三", "price": "0 yuan", "reply": "KT3"},
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("r1", "r2", "r10", "ra")
"""As text `r10` comes before `r2`: ties of priority go by name."""


def build_rules(world: World) -> list[Json]:
    rng = world.rng
    count = rng.choice((1, 2, 2, 2, 3))
    if world.focus in ("arbitration", "only_one_of", "policy.contact", "shadow"):
        count = max(count, 2)
    names = rng.sample(_NAMES, count)
    whens = [build_pattern(world)]
    twin = 0.8 if world.focus == "arbitration" else 0.35
    for _ in names[1:]:
        # Rules of the same pattern fire together: that is where arbitration happens.
        whens.append(deepcopy(whens[0]) if rng.random() < twin else build_pattern(world))
    priorities = [rng.choice(("10", "50", "50", "90", "100", "0")) for _ in names]
    rules = []
    for n, (name, when) in enumerate(zip(names, whens, strict=True)):
        rules.append(_rule(world, name, when, priorities[n]))
    return rules


def _rule(world: World, name: str, when: Json, priority: str) -> Json:
    rng, focus = world.rng, world.focus
    status = rng.choices(("live", "shadow", "draft", "paused"), (80, 14, 3, 3))[0]
    if focus == "shadow" and rng.random() < 0.6:
        status = "shadow"
    rule: Json = {"rule": name, "title": "A rule of a random case", "owner": "tests", "status": status}
    rule["approved_by"] = "somebody-else"
    rule["valid"] = _valid(world)
    schedule = _schedule(world)
    if schedule:
        rule["schedule"] = schedule
    rule["when"] = when
    rule["who"] = _tests(world, 2, passing=0.35 if focus == "who" else 0.88)
    if rng.random() < 0.5 or focus == "except":
        lines = _tests(world, 2, passing=0.35 if focus == "except" else 0.88, fails=True)
        if lines:
            rule["except"] = lines
    rule["offer"] = _offer(world, when)
    rule["limits"] = _limits(world, priority)
    rule["goal"] = {"converts_when": {"happens": "product.bought"}, "within": "1d"}
    return rule


def _schedule(world: World) -> Json:
    """Days and hours whose ends lie on the grid by the wall clock, mostly of the whole case."""
    rng = world.rng
    if rng.random() >= (0.95 if world.focus == "schedule" else 0.12):
        return {}
    schedule: Json = {}
    if rng.random() < 0.6:
        first, last = rng.choice(_DAYS), rng.choice(_DAYS)
        lines = [f"{first} to {last}" if rng.random() < 0.7 else first]
        if rng.random() < 0.4:
            lines.append(rng.choice(_DAYS))
        schedule["days"] = lines[0] if len(lines) == 1 and rng.random() < 0.5 else lines
    if not schedule or rng.random() < 0.7:
        schedule["hours"] = quiet(world, world.zone, longest=14 * 60, list_share=0.3)
    return schedule


def _valid(world: World) -> str:
    """Wide, or starting or ending on the (policy's) date of a moment of the case."""
    rng = world.rng
    day = local(world.start, world.zone).date()
    first, last = day - timedelta(days=40), day + timedelta(days=200)
    if rng.random() < (0.8 if world.focus == "valid" else 0.2):
        edge = local(world.start + rng.randrange(0, 10) * world.unit, world.zone).date()
        shape = rng.random()
        if shape < 0.4:
            first = edge
        elif shape < 0.8:
            last = edge
        else:
            first, last = edge, edge
        if rng.random() < 0.2:
            first, last = edge + timedelta(days=1), edge + timedelta(days=2)
    return f"{first} to {last}"


def _tests(world: World, most: int, *, passing: float, fails: bool = False) -> dict[str, Text]:
    """Lines of `who` (`fails`: of `except`); with chance `passing` a line lets the first subscriber by."""
    rng = world.rng
    profile = world.subscribers[0].profile or {}
    lines: dict[str, Text] = {}
    for name in rng.sample(list(FIELDS), rng.randrange(most + 1)):
        tests = FIELDS[name].tests
        if rng.random() < passing:
            value = profile.get(name)
            if value is None:
                continue  # unknown never lets anybody by
            held = tuple(value) if isinstance(value, list) else value
            tests = tuple(test for test in tests if (held in test[1]) is not fails)
            if not tests:
                continue
        test = rng.choice(tests)[0]
        lines[name] = list(test) if isinstance(test, list) else test
    if fails and rng.random() < 0.3:
        lines["products"] = rng.choice(("x1", "x2"))
    return lines


def _offer(world: World, when: Json) -> Json:
    rng = world.rng
    product = rng.choice(list(PRODUCTS))
    send: list[Json] = []
    bare_end = rng.random() < (0.25 if world.focus == "channel" else 0.85)
    if rng.random() < 0.25:
        tier = rng.choice(("vip", "gold"))
        send.append({"channel": "manual", "if": {"tier": tier}, "task": "Call about {product.name}"})
    if rng.random() < 0.2:
        text = f"{_words(world, when)}。退订回R"
        condition = {"handset.mms": "yes"}
        send.append({"channel": "mms", "if": condition, "subject": "{product.name}", "text": text})
    conditions = _tests(world, 1, passing=0.4 if bare_end else 0.15)
    if conditions:
        send.append({"channel": "sms", "if": conditions, "text": "【移动】{product.name}。退订回R"})
    if bare_end or not send:
        if rng.random() < 0.15:
            send.append({"channel": "manual", "task": "Call about {product.name}"})
        elif rng.random() < 0.08:
            send.append({"channel": "mms", "subject": "Hi", "text": "{product.price}。退订回R"})
        else:
            send.append({"channel": "sms", "text": f"【移动】{_words(world, when)}。退订回R"})
    return {"product": product, "send": send}


def _words(world: World, when: Json) -> str:
    """A text with placeholders that are known for certain where it is used."""
    text = world.rng.choice(("{product.name}{product.price}", "回复{product.reply}"))
    name = verb(when)
    if name in ("enters", "stays_in") and names_place(when):
        return "{place.name}" + text
    if name == "count":
        return "{match.count}" + text
    if name == "total":
        return "{match.total}" + text
    return text


def _limits(world: World, priority: str) -> Json:
    rng, focus = world.rng, world.focus
    limits: Json = {"priority": priority}
    if rng.random() < (0.9 if focus == "only_one_of" else 0.4):
        limits["only_one_of"] = GROUPS[0] if rng.random() < 0.8 else GROUPS[1]
    dice = rng.random()
    loose = focus in ("policy.contact", "only_one_of", "arbitration")
    if dice < 0.25 or loose:
        limits["at_most"] = _cap(world, 9, DAY)
    else:
        span = world.window(rng.choice((WINDOW, 30 * DAY)))
        limits["at_most"] = _cap(world, rng.choice((1, 1, 1, 2)), span)
    if rng.random() < 0.2:
        limits["quiet"] = quiet(world, world.zone, longest=6 * 60, list_share=0.1)
    limits["send_within"] = _send_within(world)
    shares: list[Any] = ["0%"] * 6 + ["50%", "100%", "10%"]
    limits["holdout"] = rng.choice(("50%", "100%")) if focus == "control" else rng.choice(shares)
    return limits


def _cap(world: World, count: int, span: int) -> str:
    """`N in T`, not looser than a line of the policy for a time as long or longer (check R402)."""
    lines = world.policy["contact"]["at_most"]
    for line in [lines] if isinstance(lines, str) else lines:
        number, _, house = line.partition(" in ")
        if duration(house) >= span:
            count = min(count, int(number))
    return f"{count} in {duration_text(span)}"


def _send_within(world: World) -> str:
    """Any multiple of the grid up to 48 h: ends of quiet time lie on the grid, too."""
    rng = world.rng
    if rng.random() < (0.1 if world.focus == "send_within" else 0.6):
        return "48h"
    return duration_text(min(WINDOW, world.unit * rng.choice((1, 2, 3, 4, 6))))
