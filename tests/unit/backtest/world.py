"""A small world whose replay has something of everything a report tells: shared by its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.cli.support import FILES, T, profile, sight

MINUTE = 60_000_000
RULE = """
rule: {name}
title: {title}
owner: team
status: {status}
approved_by: lead
valid: 2026-09-01 to 2026-09-30
when: {when}
who: {who}
offer:
  product: gift
  send:
    - {{channel: {channel}, text: "{text}"}}
limits: {{priority: {priority}, {more}at_most: 1 in 1d, send_within: 12h, holdout: {holdout}}}
goal: {{converts_when: {{happens: product.bought}}, within: 1d}}
"""
SHORT = "【移动】{product.name}等您来领。退订回R。"
LONG = "【移动】" + "感谢您一直以来的支持," * 8 + "{product.name}等您来领。退订回R。"


def rule(name: str, when: str, **more: Any) -> str:
    """Write a rule; what is not given is plain."""
    given = {
        "title": f"The rule {name}",
        "status": "live",
        "who": "{tier: [gold, vip]}",
        "channel": "sms",
        "text": SHORT,
        "priority": 50,
        "more": "",
        "holdout": "0%",
    }
    return RULE.format(name=name, when=when, **{**given, **more})


RULES = {
    "team/hall-visit.yaml": rule("hall-visit", "{enters: hall}", more="only_one_of: packs, "),
    "team/hall-hello.yaml": rule("hall-hello", "{enters: hall}", priority=40, text=LONG),
    "team/hall-stay.yaml": rule(
        "hall-stay", "{stays_in: hall, for: 30m}", more="only_one_of: packs, ", title="Half an hour <in> it"
    ),
    "team/callers.yaml": rule(
        "callers", "{count: call.out, at_least: 3, within: 2h}", holdout="50%", priority=30, channel="manual",
        text="Call them back",
    ).replace("text: ", "task: "),
    "team/heavy.yaml": rule(
        "heavy", "{total: data.session.bytes, at_least: 100 MB, within: 4h}", status="shadow"
    ),
    "team/silent.yaml": rule("silent", "{after: {happens: call.in}, no: {happens: call.out}, for: 1h}"),
    "team/plan.yaml": rule(
        "plan", "{sequence: [{happens: call.out}, {enters: hall}], within: 3h}", priority=20
    ),
    "team/idea.yaml": rule("idea", "{leaves: hall}", status="draft"),
}  # fmt: skip
PEOPLE = [f"p{number:02}" for number in range(24)]


def write_rules(folder: Path, changes: dict[str, tuple[str, str]] | None = None) -> Path:
    """Write the rules; `changes`: file -> (text, what stands there instead)."""
    files = {**FILES, **RULES}
    for name, (old, new) in (changes or {}).items():
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def profiles() -> list[dict[str, Any]]:
    """Everybody is gold but every fifth."""
    return [profile(name, "ordinary" if n % 5 == 4 else "gold") for n, name in enumerate(PEOPLE)]


def events(days: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the same day again and again, in the order of time."""
    day = sorted(_day(), key=lambda event: (event["t"], event["subscriber"]))
    for number in range(days):
        for event in day:
            yield {**event, "t": event["t"] + number * 86_400_000_000}


def _day() -> Iterator[dict[str, Any]]:
    """Person n is in the hall for 2n minutes, calls n % 4 times before, uses 10n MB; two come late."""
    for n, name in enumerate(PEOPLE):
        come = n * 60 + (39_600 if n in (20, 21) else 0)  # 21:00: quiet time begins an hour later
        for call in range(n % 4):
            yield _record("call.out", name, come - 900 + call * 120)
        yield sight(name, come)
        yield sight(name, come + 60 * n)
        yield sight(name, come + 120 * n, cell="460-00-9-9")
        yield _record("data.session", name, come + 30, up=0, down=n * 10 << 20)
        if n % 3 == 0:
            yield _record("call.in", name, come + 4_000)
            yield _record("call.out", name, come + 4_000 + 300 * n)


def _record(kind: str, subscriber: str, seconds: float, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "t": T + round(seconds * 1_000_000), "subscriber": subscriber, **fields}
