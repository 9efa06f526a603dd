"""R208: values of a field that has a closed list of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node
from engine.language.suggest import did_you_mean

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
    several = [part for part in _BETWEEN.split(value) if part]
    hint = did_you_mean(value, values)
    if len(several) > 1 and set(several) <= set(values):
        hint = f"write several as a list: `[{', '.join(several)}]`"
    report.error("R208", node, f"`{field}` is never `{value}`", hint)


_BETWEEN: Final = re.compile(r" (?:or|and) |[\s,，、;；/|]+")
