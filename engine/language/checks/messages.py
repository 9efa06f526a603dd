"""R105, R303 to R306: the messages of an offer."""

from __future__ import annotations

import re
from typing import Final

from engine.language.checks.placeholders import Scope
from engine.language.model import Message, Product
from engine.language.report import Report
from engine.language.source import Node
from engine.sms import segments
from engine.text import VALUE_LIMIT, Template, format_value

CODES: Final = {
    "R105": "a channel that is not known",
    "R303": "an SMS that may take many parts",
    "R304": "a message without a way to opt out",
    "R305": "an SMS without the sender's signature",
    "R306": "a message that is never chosen",
}

CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "sms": ("text",), "mms": ("subject", "text"), "manual": ("task",)
}  # fmt: skip
"""Channel -> the keys its messages must have beside `channel`."""

PARTS: Final = 3
"""An SMS that may take more parts than this is warned about."""

SIGNATURE = re.compile(r"【[^【】]+】")
OPT_OUT = re.compile("退订|拒收")


def check_message(
    report: Report,
    node: Node | None,
    message: Message,
    scope: Scope,
    product: Product | None,
    places: tuple[str, ...],
) -> None:
    """R303 to R305 on one text. `places`: the names `{place.name}` can stand for."""
    if node is None or not message.text or message.channel == "manual":
        return
    if OPT_OUT.search(message.text) is None:
        report.error("R304", node, "no way to opt out in this text", "add `退订回R`")
    if message.channel != "sms":
        return
    text = message.text.strip()
    if SIGNATURE.match(text) is None and SIGNATURE.match(text, text.rfind("【")) is None:
        report.error(
            "R305", node, "no signature of the sender in this text", "start it with `【移动】` or the like"
        )
    longest = fill_longest(message.text, scope, product, places)
    parts = segments(longest).parts
    if parts > PARTS:
        report.warn("R303", node, f"this may take {parts} SMS parts ({len(longest)} characters)")


def fill_longest(text: str, scope: Scope, product: Product | None, places: tuple[str, ...]) -> str:
    """Put the longest value that each placeholder can take into a text."""
    values = {
        "match.count": "9999",
        "match.total": "1023.9MB",
        "place.name": max(places, key=len, default=""),
    }
    if product is not None:
        values["product.name"] = product.name
        values["product.price"] = format_value(product.price, "money")
        values["product.reply"] = product.reply
    for name, spec in (scope.fields or {}).items():
        values[f"event.{name}"] = max(spec.values, key=len, default="8" * _longest(spec.type))
    return Template.parse(text).render(values)


def _longest(type: str) -> int:
    """Characters a value of a field type takes at most, about."""
    return VALUE_LIMIT if type == "text" else 12


def check_reachable(report: Report, nodes: list[Node], messages: list[Message]) -> None:
    """R306: behind a message without `if` no other is ever chosen."""
    for number, message in enumerate(messages[:-1]):
        if not message.condition:
            report.warn(
                "R306",
                nodes[number + 1],
                "never sent: the message before it has no `if`, so it always comes first",
            )
            return
