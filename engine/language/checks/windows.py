"""R205: nothing older than the behaviour window counts."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node, Scalar
from engine.language.words import write_duration

CHECKS: Final = (
    Check(
        code="R205",
        meaning="a window, or the windows along a nesting together, beyond the behaviour window",
        bad="""
            when:
              sequence:
                - {count: call.out, at_least: 3, within: 24h}
                - {enters: campus-north}
              within: 36h
            """,
        good="""
            when:
              sequence:
                - {count: call.out, at_least: 3, within: 12h}
                - {enters: campus-north}
              within: 36h
            """,
        advice="""
            Behaviour older than 48 hours (`window` of `policy.yaml`) is forgotten. The windows inside each
            other reach back together, so along every path of a pattern their sum has to stay within it.
            Shorten one of them.
            """,
    ),
)


def add_window(report: Report, node: Node | None, length: int, spent: int, window: int) -> int:
    """Return the sum of the windows along a path with this one, if it is not too long."""
    if node is None:
        return spent
    if length > window:
        written = node.text if isinstance(node, Scalar) else write_duration(length)
        said = f"`{written}` is longer than the {write_duration(window)} behaviour window"
        report.error("R205", node, said)
        return spent
    if spent + length > window:
        both = f"with the windows around it this adds up to {write_duration(spent + length)}"
        report.error("R205", node, f"{both}, longer than the {write_duration(window)} behaviour window")
        return spent
    return spent + length
