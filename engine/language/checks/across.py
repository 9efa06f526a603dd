"""R5xx: rules against each other."""

from __future__ import annotations

from typing import Final

from engine.language.report import Report
from engine.language.source import Mapping, Node, Scalar

CODES: Final = {"R501": "a rule of the same name is there already"}


def refuse_second(report: Report, name: str, first: str) -> None:
    """R501: the name is that of the file `first` already. Names tell rules apart in decisions and reports."""
    node = _name_node(report)
    if node is not None:
        report.error("R501", node, f"`{name}` is the name of `{first}` already", "rename one of them")


def declared_name(report: Report) -> str:
    """Return the name a rule file gives itself, also where the rest of it is broken."""
    node = _name_node(report)
    return node.text if isinstance(node, Scalar) else ""


def _name_node(report: Report) -> Node | None:
    root = report.source.root
    return root.get("rule") if isinstance(root, Mapping) else None
