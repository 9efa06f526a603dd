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
            gateway refuses the message.
            """,
    ),
)

SIGNATURE = re.compile(r"【[^【】]+】")


def check_signature(report: Report, node: Node, text: str) -> None:
    """R305: a signature at one end of an SMS."""
    text = text.strip()
    if SIGNATURE.match(text) is None and SIGNATURE.match(text, text.rfind("【")) is None:
        said = "no signature of the sender in this text"
        report.error("R305", node, said, "start it with `【移动】` or the like")
