"""R208: values of a field that has a closed list of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R208",
        meaning="a value that its field never has",
        bad="who: {brand: MZone}",
        good="who: {brand: M-Zone}",
        advice="""
            Take a value that the hint proposes, or add it to the field in `catalog/fields.yaml` if profiles
            really bring it. Text is compared exactly: `Gold` is never `gold`.
            """,
    ),
)


def never(report: Report, node: Node, field: str, value: str, values: Collection[str]) -> None:
    """R208: a test that no value of the field can pass."""
    report.unknown("R208", node, f"`{field}` is never `{value}`", value, values)
