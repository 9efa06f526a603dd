"""The records of a case: planted runs, noise, business and control records, ticks; then faults and order."""

from __future__ import annotations

from tests.differential.gen_faults import break_records, deliver, perturb
from tests.differential.gen_patterns import length, longest_path
from tests.differential.gen_plant import NOBODY, STRANGER, Planter, kinds_within, make_record
from tests.differential.gen_time import SECOND, ZONES
from tests.differential.gen_values import FIELDS
from tests.differential.gen_world import OUTSIDE, Json, World, decision_id, plain

MOST = 60
"""Records of a case."""


def build_stream(world: World, rules: list[Json]) -> list[Json]:
    """Records in their total order, 5 to 60 of them."""
    rng = world.rng
    planter = Planter(world)
    moments = _plant_runs(world, rules, planter)
    _noise(world, planter, moments)
    _control(world, rules, planter, moments)
    _tail(world, planter)
    perturb(world, planter.items)
    items = planter.items
    while len(items) > MOST - 2:
        items.pop(rng.randrange(len(items)))
    while len(items) < 5:
        planter.see(rng.choice(moments), 0, rng.choice(OUTSIDE))
    records = deliver(world, items)
    if rng.random() < (1.0 if world.focus == "refused" else 0.02):
        break_records(world, records)
    return records


def _plant_runs(world: World, rules: list[Json], planter: Planter) -> list[int]:
    """Plant runs of the rules' patterns one gap after the other; answers the moments they should match at."""
    rng = world.rng
    target = rng.randrange(8, 60)
    start = max(longest_path(rule["when"]) for rule in rules)
    at = world.start + (start // world.unit * world.unit if start < 4 * world.unit else 0)
    moments: list[int] = []
    others = list(range(len(world.subscribers)))
    for run in range(rng.choice((2, 3, 4, 6, 9))):
        if run and len(planter.items) >= target:
            break
        who = 0 if rng.random() < 0.75 else rng.choice(others)
        rule = rng.choice(rules)
        planter.plant(rule["when"], at, who)
        moments.append(at)
        _feed(world, rule["when"], at, planter)
        _receipt(world, rules, rule, at, who, planter)
        share = 0.8 if world.focus in ("arbitration", "only_one_of", "policy.contact") else 0.3
        if len(rules) > 1 and rng.random() < share:
            other = rng.choice(rules)
            if other is not rule:
                planter.plant(other["when"], at + rng.choice((0, 0, 0, 1, -1)), who)
        gap = rng.choice((world.unit, rng.choice(world.deltas), rng.choice(world.deltas)))
        at += max(1, gap + rng.choice((0, 0, 0, 1, -1, SECOND)))
    return moments


def _feed(world: World, when: Json, at: int, planter: Planter) -> None:
    """Ticks that name a kind of `no:` as down around the wait (gate `feed`), ends on its edges."""
    rng = world.rng
    kinds = kinds_within(when["no"]) if "after" in when else []
    share = 0.5 if kinds else 0.15 if world.disorder else 0.03
    if world.focus == "feed":
        share = 0.9
    if rng.random() >= share:
        return
    wait = length(when)
    start = at - wait
    down = start + rng.choice((-world.unit, 0, 1, wait // 2, wait - 1, wait, wait + 1))
    up = down + rng.choice((1, wait // 2, wait, world.unit))
    if rng.random() < 0.25:
        up = start + rng.choice((0, 1))
    if up <= down:
        down = up - 1
    if rng.random() < 0.1:
        down, up = at + 1, at + 2  # too late to matter, but before a late start arrives
    if rng.random() < 0.08:
        up = down  # down for no time at all
    named = [rng.choice(kinds)] if kinds else [rng.choice(world.palette)]
    if rng.random() < 0.2:
        named.append(rng.choice(world.palette))
    planter.add(down, NOBODY, {"kind": "tick", "down": named})
    if rng.random() < 0.85:
        last: Json = {"kind": "tick"}
        if rng.random() < 0.6:
            others = [kind for kind in world.palette if kind not in named]
            last["down"] = others[:1] if rng.random() < 0.3 else []
        planter.add(up, NOBODY, last)


def _receipt(world: World, rules: list[Json], rule: Json, at: int, who: int, planter: Planter) -> None:
    """A receipt for the decision that this run should lead to, where an offer is what it must be."""
    rng = world.rng
    quiet = "quiet" in world.policy or any("quiet" in r["limits"] for r in rules)
    sure = rule["status"] == "live" and rule["limits"]["holdout"] == "0%" and "holdout" not in world.policy
    if quiet or not sure or rng.random() >= 0.15:
        return
    key = world.key_of(world.subscribers[who])
    record = {
        "kind": "offer.receipt",
        "decision": decision_id(world.salt, rule["rule"], key, at),
        "status": rng.choice(("rejected", "rejected", "delivered", "failed")),
    }
    planter.add(at + rng.choice((2 * SECOND, world.unit + 2 * SECOND)), who, record)


def _noise(world: World, planter: Planter, moments: list[int]) -> None:
    """Records nobody asked for: of the kinds of the rules, sightings, power switched off and on."""
    rng = world.rng
    targets = world.targets()
    for _ in range(rng.choice((0, 0, 1, 2, 4, 8))):
        gap = rng.choice((0, 1, world.unit, rng.choice(world.deltas)))
        at = rng.choice(moments) + rng.choice((-1, 1, 1)) * gap
        who = rng.randrange(len(world.subscribers))
        dice = rng.random()
        if dice < 0.45:
            person = STRANGER if rng.random() < 0.05 else who
            planter.add(at, person, make_record(world, rng.choice(world.palette)))
        elif dice < 0.6:
            planter.see(at, who, rng.choice((world.inside, world.outside))(rng.choice(targets)))
        elif dice < 0.8:
            off = planter.add(at, who, {"kind": "power.off"})
            if rng.random() < 0.2:
                off.delay = rng.choice((world.unit, world.lapse, world.bridge))
            if rng.random() < 0.5:
                back = at + rng.choice((0, 1, world.unit, world.bridge, world.bridge + 1))
                planter.add(back, who, make_record(world, "power.on"))
        else:
            planter.add(at, who, {"kind": rng.choice(("loc.update", "sms.in", "loc.sight"))})


def _control(world: World, rules: list[Json], planter: Planter, moments: list[int]) -> None:
    """Profile and consent changes, opt-outs, complaints, purchases: before, between and within the holds."""
    rng, focus = world.rng, world.focus
    share = 0.9 if focus in ("suppressed", "held", "except", "who") else 0.4
    while rng.random() < share:
        share *= 0.7
        at = rng.choice(moments) + rng.choice(
            (-1, 0, 1, 1, world.unit // 2, rng.choice(world.deltas), -world.unit)
        )
        who = 0 if rng.random() < 0.75 else rng.randrange(len(world.subscribers))
        dice = 0.35 if focus == "suppressed" else rng.random()
        if dice < 0.22:
            name, domain = rng.choice(list(FIELDS.items()))
            value = None if rng.random() < 0.2 else plain(rng.choice(domain.values))
            profile = {name: value}
            if rng.random() < 0.3:
                profile["timezone"] = rng.choice((*ZONES, None))
            planter.add(at, who, {"kind": "profile.update", "profile": profile})
        elif dice < 0.4:
            words = world.policy.get("opt_out", ["TD", "R", "退订"])
            text = rng.choice(words) if rng.random() < 0.8 else "KT1"
            reply = {"kind": "sms.reply", "number": "10086", "text": text}
            planter.add(at, who, reply if rng.random() < 0.6 else {"kind": "complaint"})
            if rng.random() < 0.35:
                planter.add(at + world.unit, who, {"kind": "consent.change", "consent": {"marketing": True}})
        elif dice < 0.65:
            purpose = rng.choice(("marketing", "profiling", "location"))
            planter.add(at, who, {"kind": "consent.change", "consent": {purpose: rng.random() < 0.5}})
        else:
            product = rng.choice([rule["offer"]["product"] for rule in rules])
            item = planter.add(at, who, {"kind": "product.bought", "product": product})
            item.delay = rng.choice((0, 0, 0, world.unit))


def _tail(world: World, planter: Planter) -> None:
    """Something later, so that timers and holds come to their end."""
    rng = world.rng
    end = max(item.t for item in planter.items)
    for _ in range(rng.choice((0, 1, 1, 2))):
        gap = rng.choice((1, world.unit, rng.choice(world.deltas), max(world.deltas)))
        if gap > 1 and rng.random() < 0.3:
            gap += rng.choice((1, -1))
        end += gap
        who = rng.randrange(len(world.subscribers))
        planter.add(end, who, make_record(world, rng.choice(("sms.in", "call.in", "power.on", "loc.update"))))
