"""R002: everything is said once. Where it is found: the reader of YAML, the catalogue, the tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node, Scalar

CHECKS: Final = (
    Check(
        code="R002",
        meaning="a key, name or list member is given twice",
        bad="""
            who:
              brand: GoTone
              brand: M-Zone
            """,
        good="""
            who:
              brand: [GoTone, M-Zone]
            """,
        advice="""
            YAML would quietly keep one of the two. Delete the one that is not meant; where any of several
            values will do, write them as a list.
            """,
    ),
)


def listed_twice(report: Report, node: Node, text: str) -> None:
    """R002: a member of a list that stands in it already."""
    report.error("R002", node, f"`{text}` is listed twice", "delete one of them")


def check_members(report: Report, items: Iterable[Node]) -> None:
    """R002: the members of a list of values that are written alike: a warning, for they mean the same."""
    seen: set[str] = set()
    for item in items:
        if isinstance(item, Scalar) and item.text:
            if item.text in seen:
                report.warn("R002", item, f"`{item.text}` is listed twice", "delete one of them")
            seen.add(item.text)
