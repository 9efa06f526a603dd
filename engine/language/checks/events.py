"""R203: events, and the measures of an event that can be summed up."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.event_kinds import KINDS, FieldDef
from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node, Scalar
from engine.language.suggest import did_you_mean, one_of

CHECKS: Final = (
    Check(
        code="R203",
        meaning="an event, or a measure of an event, that is not known",
        bad="""
            when:
              total: data.session.byte
              at_least: 1 GB
              within: 6h
            """,
        good="""
            when:
              total: data.session.bytes
              at_least: 1 GB
              within: 6h
            """,
        advice="""
            Take the event that the hint proposes; all kinds of records are listed in the
            [reference](../reference.md#kinds-of-records), with their fields by `touchpoint schema intake`. A
            `total` needs a measure behind the event, a field that is an amount.
            """,
    ),
)

EVENTS: Final = tuple(name for name, spec in KINDS.items() if spec.group != "control")
"""What a pattern may be about."""

MEASURE_TYPES: Final = ("number", "money", "bytes", "duration")
_NO_MEASURE: Final = ("lac", "tac")
"""Numbers that name something: their sum means nothing."""


def event_fields(event: str) -> dict[str, FieldDef]:
    """Return the fields `where` may test on an event, the derived ones included, with what they may be."""
    spec = KINDS[event]
    return {
        name: replace(field, values=field.known) if field.known else field
        for name, field in {**spec.fields, **spec.derived}.items()
    }


def measures(event: str) -> dict[str, FieldDef]:
    """Return the fields of an event that can be summed."""
    return {
        name: spec
        for name, spec in event_fields(event).items()
        if spec.type in MEASURE_TYPES and name not in _NO_MEASURE
    }


def event(report: Report, node: Node | None) -> str | None:
    """Read the name of an event; None after a report."""
    if node is None:
        return None
    if not isinstance(node, Scalar) or not node.text.strip():
        report.error("R108", node, "expected the name of an event, such as `call.out`")
        return None
    if node.text in EVENTS:
        return node.text
    if node.text in KINDS:
        report.error("R203", node, f"`{node.text}` is a record of our own, not an event of a subscriber")
    else:
        of_group = [each for each in EVENTS if each.startswith(f"{node.text}.")]
        hint = one_of(of_group) or did_you_mean(node.text, EVENTS)
        report.error("R203", node, f"no event `{node.text}`", hint)
    return None


def measure(report: Report, node: Node | None) -> tuple[str, FieldDef] | None:
    """Read `data.session.bytes`: an event and the field to be summed; None after a report."""
    if node is None:
        return None
    if not isinstance(node, Scalar):
        report.error("R108", node, "expected an event and its measure, such as `data.session.bytes`")
        return None
    name, field = measure_parts(node.text)
    if name in EVENTS:
        known = measures(name)
        if field in known:
            return name, known[field]
        options = [f"{name}.{measure}" for measure in known]
        said = f"`{name}` has no measure `{field}`" if field else f"`{name}` needs a measure to sum up"
        report.error("R203", node, said, did_you_mean(node.text, options) if field else one_of(options))
        return None
    every = [f"{name}.{measure}" for name in EVENTS for measure in measures(name)]
    report.unknown("R203", node, f"no event and measure `{node.text}`", node.text, every)
    return None


def measure_parts(text: str) -> tuple[str, str]:
    """Split `data.session.bytes` into event and field; the event is empty if none is known."""
    parts = text.split(".")
    for cut in range(len(parts), 0, -1):
        name = ".".join(parts[:cut])
        if name in EVENTS:
            return name, ".".join(parts[cut:])
    return "", text
