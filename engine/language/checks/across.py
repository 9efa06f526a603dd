"""R5xx: rules against each other."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Mapping, Node, Scalar

CHECKS: Final = (
    Check(
        code="R501",
        meaning="a rule of the same name is there already",
        bad="""
            # data/evening.yaml
            rule: evening
            # old/evening.yaml
            rule: evening
            """,
        good="""
            # data/evening.yaml
            rule: evening
            # old/evening-2025.yaml
            rule: evening-2025
            when: {enters: mall}
            who: {brand: EasyOwn}
            limits: {priority: 6, at_most: 1 in 14d, send_within: 1h, holdout: 5%}
            """,
        advice="""
            Names tell rules apart in decisions and reports, so folders do not. Rename one, or delete it.
            """,
    ),
)


def refuse_second(report: Report, name: str, first: str) -> None:
    """R501: the name is that of the file `first` already. Names tell rules apart in decisions and reports."""
    node = _name_node(report)
    if node is not None:
        report.error("R501", node, f"`{name}` is the name of `{first}` already", "rename one of them")


def declared_name(report: Report, key: str = "rule") -> str:
    """Return the name a file gives itself, also where the rest is broken. `key`: `tests` of a test file."""
    node = _name_node(report, key)
    return node.text if isinstance(node, Scalar) else ""


def _name_node(report: Report, key: str = "rule") -> Node | None:
    root = report.source.root
    return root.get(key) if isinstance(root, Mapping) else None
