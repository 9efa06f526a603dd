"""Enough of PromQL to say which metrics an expression asks for, and by which labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<text>"(?:[^"\\]|\\.)*"|'[^']*') | (?P<span>\[[^\]]*\])
    | (?P<name>[a-zA-Z_:][\w:]*) | (?P<number>\d[\w.]*) | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},@])""",
    re.VERBOSE,
)
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
TARGET_LABELS = frozenset({"job", "instance", "role"})
"""Put to every series by Prometheus, as `deploy/prometheus/prometheus.yml` says."""
OTHERS: Mapping[str, frozenset[str]] = {
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
}
"""Series that Prometheus makes itself."""


@dataclass(slots=True)
class Asked:
    """What an expression asks for."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    """Name -> labels of its selectors."""
    values: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(name, label) -> values and patterns it is compared with."""
    groups: set[str] = field(default_factory=set)
    """Labels of `by (…)` and the like."""


def asked(expression: str) -> Asked:
    """Take an expression apart. Raise ValueError for a character that PromQL does not have."""
    found = Asked()
    tokens = _tokens(expression)
    at = 0
    while at < len(tokens):
        kind, token = tokens[at]
        follows = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind == "name" and token in _GROUPING:
            end = tokens.index(("sign", ")"), at)
            found.groups |= {name for one, name in tokens[at:end] if one == "name"} - _GROUPING
            at = end
        elif kind == "name" and token.lower() not in _WORDS and follows not in ("(", *_GROUPING):
            labels = found.metrics.setdefault(token, set())
            if follows == "{":
                end = tokens.index(("sign", "}"), at)
                for place in range(at, end):
                    if tokens[place][0] == "name" and tokens[place + 1][1] in ("=", "!=", "=~", "!~"):
                        label = tokens[place][1]
                        labels.add(label)
                        found.values.setdefault((token, label), set()).add(tokens[place + 2][1][1:-1])
                at = end
        at += 1
    return found


def problems(expression: str, known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Name the metrics and labels of an expression that there are not. `known`: metric -> its labels."""
    found = asked(expression)
    wrong = [f"metric {name}" for name in found.metrics if name not in known and name not in OTHERS]
    there: set[str] = set(TARGET_LABELS)
    for name, labels in found.metrics.items():
        own = {*known.get(name, ()), *OTHERS.get(name, ()), *TARGET_LABELS}
        wrong += [f"label {label} of {name}" for label in sorted(labels - own)]
        there |= own
    return wrong + [f"label {label}" for label in sorted(found.groups - there)]


def _tokens(expression: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise ValueError(f"{expression}: expected PromQL, was {expression[at:]!r}")
        if match.lastgroup not in ("space", None):
            found.append((str(match.lastgroup), match[0]))
        at = match.end()
    return found
