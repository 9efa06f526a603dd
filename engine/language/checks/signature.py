"""R305: an SMS says who sent it."""

from __future__ import annotations

import re
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R305",
        meaning="an SMS without the sender's signature",
        bad="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "{product.name}每月{product.price}。退订回R。"}
            """,
        good="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}每月{product.price}。退订回R。"}
            """,
        advice="""
            Start or end the text with the signature in wide brackets, such as `【移动】`. Without one the
            gateway refuses the message. Nothing stands outside of it, not even a full stop, and a placeholder
            is no name of a sender.
            """,
    ),
)

SIGNATURE = re.compile(r"【[^【】{}\S]*[^【】{}\s][^【】{}]*】")
"""Who sends is no matter of the subscriber: a placeholder is no name."""
_BRACKETED: Final = re.compile(r"【[^【】]+】")


def check_signature(report: Report, node: Node, text: str) -> None:
    """R305: a signature at one end of an SMS."""
    text = text.strip()
    last = text[max(text.rfind("【"), 0) :]
    if SIGNATURE.match(text) is not None or SIGNATURE.fullmatch(last) is not None:
        return
    said = "no signature of the sender in this text"
    hint = "start it with `【移动】` or the like"
    inside = SIGNATURE.search(text)
    filled = next((found[0] for found in _BRACKETED.finditer(text) if "{" in found[0]), None)
    if inside is not None:
        said = f"the signature `{inside[0]}` stands in the middle of this text"
        hint = "put it at the start or at the very end"
    elif filled is not None:
        said = f"`{filled}` is no signature of the sender: it holds a placeholder"
        hint = "start the text with `【移动】` or the like"
    report.error("R305", node, said, hint)
