"""Reduce a failing case: drop records, rules, lines and nesting as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

from tests.differential.gen_patterns import children
from tests.differential.gen_world import Json

_KEPT = frozenset({"kind", "t", "imsi", "msisdn", "subscriber", "product", "text", "decision", "status"})
"""Fields of records that are never dropped: without them a record means something else or is refused."""


def shrink(case: Json, fails: Callable[[Json], bool], *, tries: int = 2000) -> Json:
    """The smallest case found by greedy steps for which `fails` still holds; `case` itself is not changed.

    Costs one call of `fails` per attempt, at most `tries`.
    """
    best = deepcopy(case)
    changed = True
    while changed and tries > 0:
        changed = False
        for candidate in _smaller(best):
            tries -= 1
            if fails(candidate):
                best, changed = candidate, True
                break
            if tries <= 0:
                break
    return best


def _smaller(case: Json) -> Iterator[Json]:
    """Cases one step smaller, the big steps first."""
    records = case["records"]
    size = len(records) // 2
    while size >= 1:
        for first in range(0, len(records), size):
            yield {**case, "records": records[:first] + records[first + size :]}
        size //= 2
    for part in ("rules", "profiles"):
        for n in range(len(case[part])):
            yield {**case, part: case[part][:n] + case[part][n + 1 :]}
    for name, plain in (("until", None), ("disorder", 0)):
        if case[name] != plain:
            yield {**case, name: plain}
    yield from _smaller_rules(case)
    for name in ("quiet", "holdout", "opt_out"):
        if name in case["policy"]:
            yield {**case, "policy": _without(case["policy"], name)}
    for n, record in enumerate(records):
        for name in record:
            if name not in _KEPT:
                yield {**case, "records": [*records[:n], _without(record, name), *records[n + 1 :]]}
    for n, profile in enumerate(case["profiles"]):
        for name in profile:
            if name not in ("subscriber", "msisdn", "consent"):
                lines = [*case["profiles"][:n], _without(profile, name), *case["profiles"][n + 1 :]]
                yield {**case, "profiles": lines}


def _smaller_rules(case: Json) -> Iterator[Json]:
    rules = case["rules"]
    for n, rule in enumerate(rules):
        for smaller in _smaller_rule(rule):
            yield {**case, "rules": [*rules[:n], smaller, *rules[n + 1 :]]}


def _smaller_rule(rule: Json) -> Iterator[Json]:
    for pattern in _smaller_patterns(rule["when"]):
        yield {**rule, "when": pattern}
    for name in rule["who"]:
        yield {**rule, "who": _without(rule["who"], name)}
    if "except" in rule:
        yield _without(rule, "except")
    for name in ("quiet", "only_one_of"):
        if name in rule["limits"]:
            yield {**rule, "limits": _without(rule["limits"], name)}
    if rule["limits"].get("holdout", "0%") != "0%":
        yield {**rule, "limits": {**rule["limits"], "holdout": "0%"}}
    send = rule["offer"]["send"]
    for n in range(len(send) if len(send) > 1 else 0):
        yield {**rule, "offer": {**rule["offer"], "send": send[:n] + send[n + 1 :]}}


def _smaller_patterns(pattern: Json) -> Iterator[Json]:
    """The parts instead of the whole; a part less; a part made smaller; without `where` or `unless`."""
    for _, part in children(pattern):
        yield part
    for name in ("where", "unless"):
        if name in pattern:
            yield _without(pattern, name)
    for name, least in (("sequence", 3), ("any_of", 2), ("all_of", 2)):
        parts = pattern.get(name, [])
        for n, part in enumerate(parts):
            if len(parts) >= least:
                yield {**pattern, name: parts[:n] + parts[n + 1 :]}
            for smaller in _smaller_patterns(part):
                yield {**pattern, name: [*parts[:n], smaller, *parts[n + 1 :]]}
    for name in ("after", "no"):
        for smaller in _smaller_patterns(pattern[name]) if name in pattern else ():
            yield {**pattern, name: smaller}


def _without(thing: Json, name: str) -> Json:
    return {key: value for key, value in thing.items() if key != name}
