"""R109: text that a `#` cuts off."""

from __future__ import annotations

import re
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Scalar

CHECKS: Final = (
    Check(
        code="R109",
        meaning="a text that ends at a `#`, because what follows is a comment",
        bad="""
            title: More data, campaign #5 of the autumn
            """,
        good="""
            title: "More data, campaign #5 of the autumn"
            """,
        advice="""
            A `#` after a space opens a comment, and what follows is no part of the text. Put the text in
            quotes. If a comment is meant, put a space after its `#`.
            """,
        level="warning",
    ),
)

_CUT = re.compile(r"[ \t]+#[^\s#!]")


def check_cut(report: Report, node: Scalar) -> None:
    """R109: a plain text that is followed by `#` without a space, so hardly by a comment."""
    text = report.source.text
    begin, end = node.start.index, node.end.index
    if text[begin : begin + 1] in "\"'|>" or _CUT.match(text, end) is None:
        return
    report.warn("R109", node, "this text ends before the `#`: what follows is a comment", "quote the text")
