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
            contradicts `who` or `except` never holds, and one that an earlier message says already comes too
            late. Give the earlier one an `if`, change the order, or delete what is never sent.
            """,
        level="warning",
    ),
)


def check_reachable(report: Report, nodes: list[Node], messages: list[Message]) -> None:
    """R306: behind a message without `if` no other is ever chosen."""
    for number, message in enumerate(messages[:-1]):
        lines = find(nodes[number], "if")
        if not message.condition and not (isinstance(lines, Mapping) and lines.entries):
            report.warn(
                "R306",
                nodes[number + 1],
                "never sent: the message before it has no `if`, so it always comes first",
            )
            return


def check_conditions(report: Report, rule: Rule) -> None:
    """R306: an `if` that nobody of the audience passes, or nobody whom an earlier message does not fit."""
    audience = logic.audience(rule.who, rule.excepts)
    send = find(report.source.root, "offer", "send")
    if logic.nobody(audience) or not isinstance(send, Sequence):
        return
    before: list[tuple[Message, Node]] = []
    open_ended = False  # what stands behind a message without `if` is told already
    for node, message in zip(send.items, rule.offer.send, strict=True):
        if _fits_nobody(report, audience, node, message):
            continue
        fitting = logic.audience((*rule.who, *message.condition), rule.excepts)
        first = next((at for one, at in before if logic.narrower(fitting, _wanted(one))), None)
        if first is not None and not open_ended:
            line = first.start.line + 1
            said = f"never sent: the message at line {line} fits whoever this one fits, and comes first"
            report.warn("R306", find(node, "if") or node, said, "put it before the other, or delete it")
        open_ended = open_ended or not message.condition
        before.append((message, node))


def _fits_nobody(report: Report, audience: logic.Audience, node: Node, message: Message) -> bool:
    lines = find(node, "if")
    told = False
    for test in message.condition if isinstance(lines, Mapping) else ():
        known, why = audience.get(test.field), "`who` and `except` let nobody through with this"
        if test.type in logic.ORDERED and known is None:
            known, why = logic.possible(test.type, in_record=False), "nobody has such a"
        if known is not None and logic.both(known, logic.passes(test)).empty:
            where = find(lines, test.field) or node
            report.warn("R306", where, f"never sent: {why} `{test.field}`")
            told = True
    return told


def _wanted(message: Message) -> logic.Audience:
    return logic.audience(message.condition, ())
