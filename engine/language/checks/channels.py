"""R105: the ways a message can go."""

from __future__ import annotations

from typing import Final, get_args

from engine.language.checks import shape
from engine.language.checks.code import Check
from engine.language.model import Channel
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R105",
        meaning="a channel that is not known",
        bad="offer: {product: data-10g, send: [{channel: wechat, task: call}]}",
        good="offer: {product: data-10g, send: [{channel: manual, task: call}]}",
        advice="""
            There are `sms` (`text`), `mms` (`subject`, `text`) and `manual` (`task`, for a colleague). Other
            ways to reach people are built as a [dispatcher](../../architecture.md) of one of these.
            """,
    ),
)

CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "sms": ("text",), "mms": ("subject", "text"), "manual": ("task",)
}  # fmt: skip
"""Channel -> the keys its messages must have beside `channel`."""


def channel(report: Report, node: Node) -> Channel | None:
    """Read the name of a channel; None after a report."""
    name = shape.text(report, node, "a channel: `sms`, `mms` or `manual`")
    for known in get_args(Channel):
        if known == name:
            found: Channel = known
            return found
    if name:
        report.unknown("R105", node, f"unknown channel `{name}`", name, get_args(Channel))
    return None
