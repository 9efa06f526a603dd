"""R207: phone numbers, and lists of them in the catalogue."""

from __future__ import annotations

from typing import Final

from engine.language import words
from engine.language.catalog import Names
from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node
from engine.numbers import normalise

CHECKS: Final = (
    Check(
        code="R207",
        meaning="a list of numbers that is not in the catalogue",
        bad="when: {happens: call.out, where: {number: hot-line}}",
        good="when: {happens: call.out, where: {number: hotline}}",
        advice="""
            Write a number (`10086`, `+86 10086`), or the name of a list in `catalog/numbers.yaml`.
            """,
    ),
)


def phones(report: Report, node: Node, text: str, names: Names) -> tuple[str, ...]:
    """Return the numbers of a list, or one number, normalised; nothing after a report."""
    known = names.catalog.numbers.get(text)
    if known is not None:
        return known
    digits = normalise(text, names.home_cc)
    if words.is_phone(digits):
        return (digits,)
    if "numbers" not in names.unreadable:
        said = f"no list of numbers `{text}` in the catalogue"
        report.unknown("R207", node, said, text, names.catalog.numbers)
    return ()
