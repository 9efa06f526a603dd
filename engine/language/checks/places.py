"""R204: places and groups of places of the catalogue."""

from __future__ import annotations

from typing import Final

from engine.language.catalog import Names
from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Scalar

CHECKS: Final = (
    Check(
        code="R204",
        meaning="a place or group of places that is not in the catalogue",
        bad="when: {enters: campus}",
        good="when: {enters: campuses}",
        advice="""
            Take a name from `catalog/places.yaml`, or add the place there: its `name`, and the cells that
            cover it. The name in the rule is the key, not what customers read.
            """,
    ),
)


def place_members(report: Report, node: Scalar, text: str, names: Names) -> tuple[str, ...]:
    """Return a place itself or the members of a group, in its order; nothing after a report."""
    catalog = names.catalog
    if text in catalog.places:
        return (text,)
    if text in catalog.groups:
        return catalog.groups[text]
    if "places" not in names.unreadable:
        options = (*catalog.places, *catalog.groups)
        report.unknown("R204", node, f"no place `{text}` in the catalogue", text, options)
    return ()
