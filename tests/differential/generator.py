"""Random cases for differential testing: small worlds in which everything collides.

`generate` builds one case in the format of `tests/reference/model.py` from a `random.Random` alone: the same
seed gives the same case on every machine. `cases` is the same as a Hypothesis strategy.

Use `random.Random(seed)` for plain loops::

    for seed in range(20_000):
        case = generate(random.Random(seed))

`focus` leans a case towards one thing: a verb (`after`), a pair of nested verbs (`sequence>stays_in`,
`after.no>count`), an outcome, a reason, or one of `late`, `duplicate`, `quiet`, `refused`.
"""

from __future__ import annotations

import random
from copy import deepcopy
from hashlib import blake2b
from typing import Any

from hypothesis import strategies as st

from tests.differential.gen_faults import CONTROL
from tests.differential.gen_patterns import OUTERS, VERBS
from tests.differential.gen_rules import PRODUCTS, build_rules
from tests.differential.gen_stream import build_stream
from tests.differential.gen_time import SECOND
from tests.differential.gen_values import EVENTS, FIELDS, NUMBERS
from tests.differential.gen_world import Json, World, add_fences, add_residence, build_world

OUTCOMES = ("offer", "held", "control", "shadow", "refused")
REASONS = (
    "feed",
    "valid",
    "who",
    "except",
    "consent.marketing",
    "consent.profiling",
    "consent.location",
    "suppressed",
    "channel",
    "limits.at_most",
    "policy.contact",
    "only_one_of",
    "send_within",
    "arbitration",
)
FOCI = frozenset(
    (*VERBS, *OUTCOMES, *REASONS, "late", "duplicate", "quiet", "schedule", "confirm", "leaving", "resident")
)
FOCI |= {f"{outer}>{inner}" for outer in OUTERS for inner in VERBS}


def generate(rng: random.Random, *, focus: str | None = None) -> Json:
    """Build one valid case; about a millisecond.

    Raises ValueError for a `focus` that is none of `FOCI`.
    """
    if focus is not None and focus not in FOCI:
        raise ValueError(f"expected a focus out of verbs, pairs, outcomes and reasons, was {focus!r}")
    world = build_world(rng, focus)
    rules = build_rules(world)
    records = build_stream(world, rules)
    places: Json = {
        name: {"name": f"地点{name}", "cells": list(cells)} for name, cells in world.places.items()
    }
    add_fences(world, places)
    add_residence(world, rules, records)
    if world.groups:
        places["groups"] = {name: list(members) for name, members in world.groups.items()}
    return {
        "rules": rules,
        "policy": world.policy,
        "fields": {name: deepcopy(dict(domain.spec or {})) for name, domain in FIELDS.items()},
        "places": places,
        "numbers": deepcopy(NUMBERS),
        "products": deepcopy(PRODUCTS),
        "profiles": [s.profile for s in world.subscribers if s.profile is not None],
        "records": records,
        "key": world.key,
        "salt": world.salt,
        "disorder": world.disorder,
        "until": _until(world, records),
        "revealed": False,
    }


def _until(world: World, records: list[Json]) -> int | None:
    rng = world.rng
    if rng.random() < 0.8:
        return None
    last = max(record["t"] for record in records if is_sound(record))
    if rng.random() < 0.6:
        return int(last + rng.choice((0, 1, world.unit, rng.choice(world.deltas))))
    return int(rng.choice(records[len(records) // 2 :])["t"] + rng.choice((-1, 0, 1)))


def is_sound(record: Json) -> bool:
    """Whether intake takes a record and the collector's watermark counts it (1.8)."""
    known = record["kind"] in EVENTS or record["kind"] == "loc.sight"
    named = any(name in record for name in ("imsi", "msisdn", "subscriber"))
    return known and named and record["t"] < 4_102_444_800 * SECOND


def cases(focus: str | None = None) -> st.SearchStrategy[Json]:
    """Cases as a Hypothesis strategy.

    Built from one integer: a thousand small draws would cost more than the case and shrink no better; use
    `gen_shrink.shrink` to reduce a failing case.
    """
    return st.integers(0, 2**48 - 1).map(lambda seed: generate(random.Random(seed), focus=focus))


def with_receipts(case: Json, decisions: list[dict[str, Any]], rng: random.Random) -> Json:
    """A copy of `case` in which receipts (many of them rejections) follow some of the offers it led to.

    `decisions` are those of `case` itself. A receipt stands where its decision has surely been made: behind
    the first record whose tick is past the offer.
    """
    named = identities(case)
    records = list(case["records"])
    inserts: list[tuple[int, Json]] = []
    for decision in decisions:
        if decision["outcome"] != "offer" or rng.random() < 0.4 or decision["subscriber_key"] not in named:
            continue
        passed = decision["at"] + case["disorder"] + SECOND
        behind = (n + 1 for n, r in enumerate(records) if is_sound(r) and r["t"] > passed)
        position = next(behind, len(records))
        for status in rng.choice((("rejected",), ("rejected",), ("failed",), ("delivered", "rejected"))):
            receipt = {"kind": "offer.receipt", "t": passed, "decision": decision["id"], "status": status}
            inserts.append((position, {**receipt, **named[decision["subscriber_key"]]}))
    for position, receipt in sorted(inserts, key=lambda pair: -pair[0]):
        records.insert(position, receipt)
    return {**case, "records": records}


def identities(case: Json) -> dict[str, Json]:
    """Subscriber key (7 u) -> an identity that leads to it, for everybody in the case."""
    texts: dict[str, Json] = {}
    for line in case["profiles"]:
        texts[line["subscriber"]] = {"subscriber": line["subscriber"]}
    for record in case["records"]:
        if record["kind"] in CONTROL or not is_sound(record):
            continue
        for name in ("imsi", "msisdn", "subscriber"):
            if name in record:
                texts.setdefault(record[name], {name: record[name]})
                break
    size, key = 16, case["key"].encode()
    return {
        blake2b(text.encode(), key=key, digest_size=size).hexdigest(): identity
        for text, identity in texts.items()
    }
