"""R304: nobody is written to without a way to stop it."""

from __future__ import annotations

import re
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R304",
        meaning="a message without a way to opt out",
        bad="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}每月{product.price}。"}
            """,
        good="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}每月{product.price}。退订回R。"}
            """,
        advice="""
            Say how to stop such messages, with the word 退订 or 拒收: `退订回R`. The law wants it in every
            SMS and MMS that advertises. What subscribers may answer stands in `opt_out` of `policy.yaml`. A
            `manual` task needs none, it is read by a colleague.
            """,
    ),
)

OPT_OUT = re.compile("退订|拒收")


def check_opt_out(report: Report, node: Node, text: str) -> None:
    """R304: a text that goes to a subscriber says how to stop such texts."""
    if OPT_OUT.search(text) is None:
        report.error("R304", node, "no way to opt out in this text", "add `退订回R`")
