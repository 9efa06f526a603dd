"""R201, R202: the rule's name, and who answers for it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from engine.language.report import Report
from engine.language.source import Node

CODES: Final = {
    "R201": "a rule, or its tests, in a file of another name",
    "R202": "a live rule that nobody, or only its owner, has approved",
}


def check_file_name(
    report: Report, node: Node | None, name: str, suffixes: tuple[str, ...], what: str
) -> None:
    """R201: people look for a rule in the file of its name."""
    file = PurePosixPath(report.source.path).name
    if node is not None and name and file not in [name + suffix for suffix in suffixes]:
        report.error("R201", node, f"{what} called `{name}` but its file is `{file}`", "rename one of them")


def check_approval(
    report: Report, status: tuple[str | None, Node | None], approver: tuple[str, Node | None], owner: str
) -> None:
    """R202: a live rule is approved, not by its owner. `status`, `approver`: what was read, and where."""
    if status[0] == "live" and status[1] is not None and approver[1] is None:
        hint = "add `approved_by: NAME`, or let it run as `shadow` first"
        report.error("R202", status[1], "a live rule needs somebody who approved it", hint)
    if approver[1] is not None and approver[0] and approver[0] == owner:
        report.error("R202", approver[1], f"`{owner}` owns this rule, so somebody else must approve it")
