"""R201: people look for a rule in the file of its name."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R201",
        meaning="a rule, or its tests, in a file of another name",
        bad="""
            # data/evening.yaml
            rule: evening-data
            """,
        good="""
            # data/evening-data.yaml
            rule: evening-data
            """,
        advice="""
            Rename the file or the rule. The name of the rule stands in decisions and reports, so of a rule
            that has run rename the file.
            """,
    ),
)


def check_file_name(
    report: Report, node: Node | None, name: str, suffixes: tuple[str, ...], what: str
) -> None:
    """R201: the name and that of the file. `what` opens the sentence: `this rule is`."""
    file = PurePosixPath(report.source.path).name
    if node is not None and name and file not in [name + suffix for suffix in suffixes]:
        report.error("R201", node, f"{what} called `{name}` but its file is `{file}`", "rename one of them")
