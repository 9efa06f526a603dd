"""R307: texts hold nothing that their author can't see."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Scalar
from engine.language.unseen import name_of, unseen

CHECKS: Final = (
    Check(
        code="R307",
        meaning="a text with a character that nobody sees",
        bad="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}\\u202e每月{product.price}。退订回R。"}
            """,
        good="""
            offer:
              product: data-10g
              send:
                - {channel: sms, text: "【移动】{product.name}每月{product.price}。退订回R。"}
            """,
        advice="""
            Delete the character; the report names it by its number. Such characters come along when text is
            copied from a web page or a word processor. Some turn the direction of a text around, so that
            who approves it reads something else than what is sent, and each may turn a cheap SMS into a dear
            one. What emoji and the scripts of Arabic, Indic and Mongolian are written with may stay.
            """,
    ),
)


def check_hidden(report: Report, node: Scalar) -> None:
    """R307: each such character of a text, at its first place."""
    places: dict[str, list[int]] = {}
    for at, char in unseen(node.text):
        places.setdefault(char, []).append(at)
    for char, found in places.items():
        hint = "delete it" if len(found) == 1 else f"delete it; there are {len(found)} of them"
        nth = node.text.count(char, 0, found[0])  # one before it may belong to an emoji
        report.error_inside("R307", node, char, nth, f"this text holds {name_of(char)}", hint)
