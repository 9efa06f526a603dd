"""R602: tests of rules that are there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R602",
        meaning="a test of a rule that is not there",
        bad="""
            # evening.test.yaml
            tests: evening
            starts: 2026-09-05 10:00
            given: {brand: GoTone}
            cases:
              - {case: comes, events: [{at: +0m, enters: mall}], expect: [{at: +0m, offer: data-10g}]}
            """,
        good="""
            # r.test.yaml
            tests: r
            starts: 2026-09-05 10:00
            given: {brand: GoTone}
            cases:
              - {case: comes, events: [{at: +0m, enters: campus-north}], expect: [{at: +0m, offer: data-10g}]}
            """,
        advice="""
            Write the name of a rule that stands beside the test file, in `tests` and in the name of the
            file.
            """,
    ),
)


def check_rule_there(report: Report, node: Node | None, name: str, rules: Collection[str]) -> None:
    """R602: the rule that a file tests. `name`: empty if it could not be read."""
    if node is not None and name and name not in rules:
        report.unknown("R602", node, f"no rule `{name}`", name, rules)
