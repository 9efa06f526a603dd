"""R101: keys are those of the language."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Scalar

CHECKS: Final = (
    Check(
        code="R101",
        meaning="a key that is not known here",
        bad="""
            limits:
              prioritty: 5
              at_most: 1 in 14d
              send_within: 1h
              holdout: 5%
            """,
        good="""
            limits:
              priority: 5
              at_most: 1 in 14d
              send_within: 1h
              holdout: 5%
            """,
        advice="""
            Take the key that the hint proposes. If the word is right, look at its indent: a key belongs to
            the line above it that is indented less. What each place takes stands in the
            [reference](../reference.md).
            """,
    ),
)


def unknown_key(report: Report, key: Scalar, hint: str) -> None:
    """R101: a key that its mapping does not have."""
    report.error("R101", key, f"unknown key `{key.text}`", hint)
