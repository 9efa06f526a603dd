"""What the checks of R5xx share: a rule as it is compared with others, and how the other is named."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property

from engine.language import logic, moments
from engine.language.hours import schedule_within
from engine.language.model import Rule
from engine.language.report import Report
from engine.language.source import Mapping, Node
from engine.language.walk import find


class Ranked:
    """A rule among others. What comparing needs of it is worked out once."""

    def __init__(self, rule: Rule, report: Report, closed: logic.Closed = logic.OPEN) -> None:
        self.rule = rule
        self.report = report
        self._closed = closed

    @property
    def order(self) -> tuple[int, str]:
        """Sort key: who is judged first."""
        return (-self.rule.limits.priority, self.rule.name)

    @cached_property
    def audience(self) -> dict[str, logic.Values]:
        """Who passes `who` and `except`."""
        return logic.audience(self.rule.who, self.rule.excepts, self._closed)

    @cached_property
    def keys(self) -> frozenset[Hashable]:
        """Keys of the pattern: two patterns without a common one are never compared."""
        return frozenset(moments.keys(self.rule.when))

    def meets(self, other: Ranked) -> bool:
        """Tell whether there is a day on which both are valid."""
        return max(self.rule.valid[0], other.rule.valid[0]) <= min(self.rule.valid[1], other.rule.valid[1])

    def fires_within(self, other: Ranked) -> bool:
        """Tell whether the other rule fires, provably, at every moment and on every day this one does."""
        return (
            other.rule.valid[0] <= self.rule.valid[0]
            and self.rule.valid[1] <= other.rule.valid[1]
            and schedule_within(self.rule.schedule, other.rule.schedule)
            and moments.inside(self.rule.when, other.rule.when)
        )

    def node(self, *path: str) -> Node:
        """Return the value at a path of keys in the file, or the file's first key."""
        root = self.report.source.root
        assert root is not None
        return find(root, *path) or root

    def at(self, *path: str) -> str:
        """Name the rule and the place of a value: `` `evening` (data/evening.yaml:12) ``."""
        node = self.node(*path)
        line = next(iter(node.entries.values()))[0] if isinstance(node, Mapping) and node.entries else node
        return f"`{self.rule.name}` ({self.report.source.path}:{line.start.line + 1})"


def before(upper: Ranked, lower: Ranked) -> str:
    """Say why the upper one is judged first."""
    ours, theirs = lower.rule.limits.priority, upper.rule.limits.priority
    if theirs > ours:
        return f"priority {theirs} goes before {ours}"
    return f"both have priority {ours}, so the name decides"


def once_live(upper: Ranked, lower: Ranked) -> str:
    """Return the condition to open a sentence with, if one of the two is not live yet."""
    return "" if upper.rule.status == lower.rule.status == "live" else "once both are live, "


def and_more(uppers: Sequence[Ranked]) -> str:
    """Say how many more there are than the first, which is named."""
    return f", and {len(uppers) - 1} more like it" if len(uppers) > 1 else ""
