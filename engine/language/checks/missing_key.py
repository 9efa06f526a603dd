"""R102: what a rule can't do without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node
from engine.language.suggest import join

CHECKS: Final = (
    Check(
        code="R102",
        meaning="a key that has to be here is missing",
        bad="""
            goal:
              converts_when: {happens: product.bought}
            """,
        good="""
            goal:
              converts_when: {happens: product.bought}
              within: 7d
            """,
        advice="""
            Add the key. The report marks what it is missing from. Nothing that a rule needs has a silent
            default: how often, how late, how many are held out is always decided by a person.
            """,
    ),
)


def missing_keys(report: Report, owner: Node, name: str, missing: Sequence[str]) -> None:
    """R102: keys that a mapping must have; the key that holds it, or its first key, is marked."""
    listed = join(missing, "and")
    report.error("R102", owner, f"{listed} {'is' if len(missing) == 1 else 'are'} missing from {name}")
