"""R106: words of a closed list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Scalar
from engine.language.suggest import did_you_mean

CHECKS: Final = (
    Check(
        code="R106",
        meaning="a word outside the choice there is",
        bad="status: Live",
        good="status: shadow",
        advice="""
            Take one of the words that the hint names. Capital letters count: `live`, not `Live`.
            """,
    ),
)


def not_allowed(report: Report, node: Scalar, options: Collection[str], code: str = "R106") -> None:
    """R106: a word that is none of the options."""
    report.error(code, node, f"`{node.text}` is not allowed here", did_you_mean(node.text, options))
