"""R205: nothing older than the behaviour window counts."""

from __future__ import annotations

from typing import Final

from engine.language.report import Report
from engine.language.source import Node, Scalar
from engine.language.words import write_duration

CODES: Final = {"R205": "a window, or the windows along a nesting together, beyond the behaviour window"}


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
