"""R207: phone numbers, lists of them in the catalogue, and the classes that these are."""

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
            Write a number (`10086`, `+86 10086`), or the name of a list in `catalog/numbers.yaml`. A list
            with beginnings of numbers (`955*`) is asked for by `number_class: LIST`.
            """,
    ),
)


def phones(report: Report, node: Node, text: str, names: Names) -> tuple[str, ...]:
    """Return the numbers of a list, or one number, normalised; nothing after a report."""
    known = names.catalog.numbers.get(text)
    if text in names.catalog.prefixes:
        said = f"`{text}` holds beginnings of numbers, which a number in a record can't be held against"
        report.error("R207", node, said, f"write `number_class: {text}`")
        return ()
    if known is not None:
        return known
    digits = normalise(text, names.home_cc)
    if words.is_phone(digits):
        return (digits,)
    if "numbers" not in names.unreadable:
        said = f"no list of numbers `{text}` in the catalogue"
        report.unknown("R207", node, said, text, names.catalog.numbers)
    return ()


def number_class(report: Report, node: Node, text: str, names: Names) -> tuple[str, ...]:
    """Return the name of a list; nothing after a report."""
    if text in names.catalog.numbers or "numbers" in names.unreadable:
        return (text,)
    if words.is_phone(normalise(text, names.home_cc)):
        said = f"`{text}` is a number, `number_class` takes lists of numbers"
        report.error("R207", node, said, f"write `number: {text}`")
        return ()
    said = f"no list of numbers `{text}` in the catalogue"
    report.unknown("R207", node, said, text, names.catalog.numbers)
    return ()
