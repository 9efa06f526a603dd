"""A shorthand for cases: `play("0m see p1; 1h sms.out", when="{enters: p1}")` gives lines like `0m offer`.

Times count from 2026-09-05 10:00 in Shanghai (`START`): `1h30m`, `10m-1us`, `-2h`. Places: p1 (cells c1,
c12), p2 (c2, c12), group g of both; `see out` is a cell of no place.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import yaml

from .model import run

START = int(datetime(2026, 9, 5, 2, tzinfo=UTC).timestamp()) * 1_000_000
IMSI = "460000000000001"
CELLS = {"p1": "c1", "p2": "c2", "both": "c12", "out": "x"}
CONSENT = {"marketing": True, "profiling": True, "location": True}
_UNITS = {"us": 1, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
_PART = re.compile(r"([+-]?)((?:\d+(?:us|s|m|h|d))+)")


def moment(text: str) -> int:
    """Read `1h30m-1us` as µs after START."""
    total = 0
    for sign, parts in _PART.findall(text):
        size = sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)(us|s|m|h|d)", parts))
        total += -size if sign == "-" else size
    return total


def records(text: str) -> list[dict[str, Any]]:
    """Read `TIME KIND FIELD=VALUE …; …`; `who=…` names another subscriber, `start=TIME` sets `t_start`."""
    found = []
    for line in filter(None, (part.strip() for part in text.split(";"))):
        at, kind, *fields = line.split()
        record: dict[str, Any] = {"kind": kind, "t": START + moment(at), "imsi": IMSI}
        if kind == "see":
            record |= {"kind": "loc.update", "cell": CELLS[fields.pop(0)]}
        for name, _, value in (one.partition("=") for one in fields):
            if name == "start":
                record["t_start"] = START + moment(value)
            elif name == "silent":
                record["quality"] = ["no_trigger"]
            elif name == "who":
                record["imsi"] = value
            elif kind == "tick" and name == "down":
                record["down"] = value.split(",")
            else:
                record[name] = _value(value)
        found.append(record)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def flow(text: str) -> Any:
    """Read YAML as rule files are read: every scalar a string."""
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506  (builds nothing but text, lists and mappings)


def rule(when: str, name: str = "r1", **changes: str) -> dict[str, Any]:
    """Build a rule; changes are YAML, e.g. `who="{age: 20}"`, `limits="{holdout: 100%}"`."""
    body: dict[str, Any] = {"rule": name, "status": "live", "valid": "2026-01-01 to 2026-12-31"}
    body |= {"when": flow(when), "who": {}}
    body["offer"] = {"product": "x", "send": [{"channel": "sms", "text": "hello"}]}
    body["limits"] = {"priority": "50", "at_most": "9999 in 1d", "send_within": "48h", "holdout": "0%"}
    for key, value in changes.items():
        given = flow(value)
        if key == "limits":
            body["limits"] |= given
        elif key == "send":
            body["offer"]["send"] = given
        else:
            body[key.removeprefix("its_")] = given  # `its_except`: a word that Python keeps for itself
    return body


def case(text: str, *rules: dict[str, Any], policy: str = "{}", **changes: Any) -> dict[str, Any]:
    """Build a case around records in shorthand."""
    built: dict[str, Any] = {
        "rules": list(rules),
        "policy": {"timezone": "Asia/Shanghai", "groups": {"g1": {"cooldown": "1d"}}, **flow(policy)},
        "fields": {"age": {"type": "number"}, "tags": {"type": "set"}, "products": {"type": "set"}},
        "places": {
            "p1": {"name": "one", "cells": ["c1", "c12"]},
            "p2": {"name": "two", "cells": ["c2", "c12"]},
            "groups": {"g": ["p1", "p2"]},
        },
        "numbers": {"hotline": ["10086"]},
        "products": {"x": {"name": "X", "price": "1 yuan", "reply": "KT"}},
        "profiles": [{"subscriber": IMSI, "consent": CONSENT}],
        "records": records(text),
        "key": "k",
        "salt": "s",
        "disorder": 0,
        "until": None,
        "revealed": False,
    }
    return built | changes


def decisions(text: str, *rules: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """Run a case and give its decision records."""
    found: list[dict[str, Any]] = run(case(text, *rules, **changes))["decisions"]
    return found


def judged(text: str, *rules: dict[str, Any], **changes: Any) -> list[tuple[int, str, str]]:
    """Run a case and give (µs after START, rule, outcome or `refused:REASON`), sorted."""
    found = decisions(text, *rules, **changes)
    return sorted(
        (one["at"] - START, one["rule"], one["outcome"] + (f":{one['reason']}" if one["reason"] else ""))
        for one in found
    )


def told(lines: str) -> list[tuple[int, str, str]]:
    """Read what is expected: `0m offer; 5m r2 refused:arbitration` (without a name: r1)."""
    found = []
    for line in filter(None, (part.strip() for part in lines.split(";"))):
        at, *name, outcome = line.split()
        found.append((moment(at), name[0] if name else "r1", outcome))
    return sorted(found)


def play(text: str, when: str, policy: str = "{}", **changes: Any) -> list[tuple[int, str, str]]:
    """Judge records under one rule of nothing but a pattern."""
    return judged(text, rule(when), policy=policy, **changes)
