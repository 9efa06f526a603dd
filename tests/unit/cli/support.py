"""What the tests of the commands share: how to call one, and a small world to replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
from typer.testing import Result

from engine.candidate import examine
from engine.language.model import RuleSet
from engine.published import pack

Touchpoint = Callable[..., Result]
T = 1_788_746_400_000_000
"""2026-09-07 10:00 in Shanghai, µs UTC."""
SECOND = 1_000_000

POLICY = """
window: 48h
timezone: Asia/Shanghai
quiet: 22:00 to 08:00
opt_out: [R]
contact: {at_most: 2 in 1d}
groups: {packs: {cooldown: 2h}}
"""
RULE = """
rule: hall-visit
title: Someone comes to the hall
owner: team
status: live
approved_by: lead
valid: 2026-09-01 to 2026-09-30
when: {enters: hall}
who: {tier: [gold, vip]}
offer:
  product: gift
  send:
    - {channel: sms, text: "【移动】欢迎来到{place.name},回复{product.reply}领取。退订回R。"}
limits: {priority: 50, only_one_of: packs, at_most: 1 in 1d, send_within: 2h, holdout: 0%}
goal: {converts_when: {happens: product.bought}, within: 1d}
"""
FILES = {
    "policy.yaml": POLICY,
    "catalog/fields.yaml": "tier: {values: [ordinary, gold, vip], say: t}\narpu: {type: money, say: a}\n",
    "catalog/places.yaml": "hall: {name: 营业厅, cells: [460-00-1-1]}\n",
    "catalog/numbers.yaml": "hotline: [10086]\n",
    "catalog/products.yaml": "gift: {name: 礼包, price: 0 yuan, reply: KT1}\n",
    "team/hall-visit.yaml": RULE,
}
CONSENT = {"marketing": True, "profiling": True, "location": True}


def packed(folder: Path) -> tuple[RuleSet, bytes]:
    """Take a folder the whole way, and write it as it is published."""
    candidate = examine(folder, "ann", T, "86")
    return candidate.ruleset, pack(candidate.published)


def write_lines(path: Path, lines: Iterable[Any]) -> Path:
    """Write JSON lines; a line given as bytes is written as it is."""
    raw = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in raw))
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def sight(subscriber: str, seconds: float, cell: str = "460-00-1-1", **fields: Any) -> dict[str, Any]:
    """Return a sighting of a subscriber, so many seconds after T."""
    t = T + round(seconds * SECOND)
    return {"kind": "loc.update", "t": t, "subscriber": subscriber, "cell": cell, **fields}


def profile(subscriber: str, tier: str = "gold", **fields: Any) -> dict[str, Any]:
    """Return a profile line of somebody who agreed to everything."""
    return {"subscriber": subscriber, "tier": tier, "consent": CONSENT, **fields}
