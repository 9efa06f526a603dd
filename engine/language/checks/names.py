"""R203, R204, R206 to R208, R301, R401: names that must be known, and values that must be in a list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.event_kinds import KINDS, FieldDef
from engine.language.report import Report
from engine.language.source import Node, Scalar
from engine.language.suggest import did_you_mean, one_of

CODES: Final = {
    "R203": "an event, or a measure of an event, that is not known",
    "R204": "a place or group of places that is not in the catalogue",
    "R206": "a field that subscribers or events do not have",
    "R207": "a list of numbers that is not in the catalogue",
    "R208": "a value that its field never has",
    "R301": "a product that is not in the catalogue",
    "R401": "a group that is not in policy.yaml",
}

EVENTS: Final = tuple(name for name, spec in KINDS.items() if spec.group != "control")
"""What a pattern may be about."""

MEASURE_TYPES: Final = ("number", "money", "bytes", "duration")
_NO_MEASURE: Final = ("lac", "tac")
"""Numbers that name something: their sum means nothing."""


def event_fields(event: str) -> dict[str, FieldDef]:
    """Return the fields `where` may test on an event, the derived ones included."""
    spec = KINDS[event]
    return {**spec.fields, **spec.derived}


def measures(event: str) -> dict[str, FieldDef]:
    """Return the fields of an event that can be summed."""
    return {
        name: spec
        for name, spec in event_fields(event).items()
        if spec.type in MEASURE_TYPES and name not in _NO_MEASURE
    }


def unknown(
    report: Report, code: str, where: Node, message: str, word: str, options: Collection[str]
) -> None:
    """Report a word that is not among its options, with the nearest of them."""
    report.error(code, where, message, did_you_mean(word, options))


def event(report: Report, node: Node | None) -> str | None:
    """Read the name of an event; None after a report."""
    if node is None:
        return None
    if not isinstance(node, Scalar):
        report.error("R108", node, "expected the name of an event, such as `call.out`")
        return None
    if node.text in EVENTS:
        return node.text
    if node.text in KINDS:
        report.error("R203", node, f"`{node.text}` is a record of our own, not an event of a subscriber")
    else:
        unknown(report, "R203", node, f"no event `{node.text}`", node.text, EVENTS)
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
    unknown(report, "R203", node, f"no event and measure `{node.text}`", node.text, every)
    return None


def measure_parts(text: str) -> tuple[str, str]:
    """Split `data.session.bytes` into event and field; the event is empty if none is known."""
    parts = text.split(".")
    for cut in range(len(parts), 0, -1):
        name = ".".join(parts[:cut])
        if name in EVENTS:
            return name, ".".join(parts[cut:])
    return "", text
