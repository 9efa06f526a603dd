"""R210: counts that a subscriber can reach."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R210",
        meaning="a count that nobody can reach",
        bad="""
            when:
              count: data.session
              at_least: 5000
              within: 48h
            """,
        good="""
            when:
              total: data.session.bytes
              at_least: 20 GB
              within: 48h
            """,
        advice="""
            A subscriber with more than 2,000 records of a kind in 48 hours is *hot*: something is wrong with
            the device or the feed, and no pattern over this kind fires. So a count above 2,000 never
            matches. Ask for fewer, or sum up a measure with `total`.
            """,
    ),
)

HOT: Final = 2_000
"""More records of a kind in 48 hours than this, and no pattern over it fires (semantics.md 3)."""


def check_count(report: Report, node: Node | None, at_least: int) -> None:
    """R210: whoever had so many records would be hot."""
    if node is not None and at_least > HOT:
        said = f"nobody reaches this: patterns fire nothing for more than {HOT:,} records of a kind in 48h"
        report.error("R210", node, said, f"ask for at most {HOT}")
