"""R306: messages that can come to be chosen."""

from __future__ import annotations

from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.model import Message, Rule
from engine.language.report import Report
from engine.language.source import Mapping, Node, Sequence
from engine.language.walk import find

CHECKS: Final = (
    Check(
        code="R306",
        meaning="a message that is never chosen",
        bad="""
            offer:
              product: data-10g
              send:
                - {channel: manual, task: call}
                - {channel: sms, text: "【移动】{product.name}。退订回R。"}
            """,
        good="""
            offer:
              product: data-10g
              send:
                - {channel: manual, if: {tier: vip}, task: call}
                - {channel: sms, text: "【移动】{product.name}。退订回R。"}
            """,
        advice="""
            The first message whose `if` holds is sent, so one without `if` stands last. An `if` that
            contradicts `who` or `except` never holds. Give the earlier one
            an `if`, change the order, or delete what is never sent.
            """,
        level="warning",
    ),
)


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


def check_conditions(report: Report, rule: Rule) -> None:
    """R306: an `if` that nobody of the audience passes."""
    audience = logic.audience(rule.who, rule.excepts)
    send = find(report.source.root, "offer", "send")
    if logic.nobody(audience) or not isinstance(send, Sequence):
        return
    for node, message in zip(send.items, rule.offer.send, strict=True):
        lines = find(node, "if")
        for test in message.condition if isinstance(lines, Mapping) else ():
            known, told = audience.get(test.field), "`who` and `except` let nobody through with this"
            if test.type in logic.ORDERED and known is None:
                known, told = logic.possible(test.type, in_record=False), "nobody has such a"
            if known is not None and logic.both(known, logic.passes(test)).empty:
                where = find(lines, test.field) or node
                said = f"never sent: {told} `{test.field}`"
                report.warn("R306", where, said)
