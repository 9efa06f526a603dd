"""R206: fields of a subscriber or of an event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.language.checks.code import Check
from engine.language.checks.unknown_key import odd_key
from engine.language.report import Report
from engine.language.source import Scalar
from engine.language.suggest import did_you_mean

CHECKS: Final = (
    Check(
        code="R206",
        meaning="a field that subscribers or events do not have",
        bad="who: {arppu: at least 20 yuan}",
        good="who: {arpu: at least 20 yuan}",
        advice="""
            The fields of a subscriber stand in `catalog/fields.yaml`; add one there if the profiles bring
            it. The fields of an event are fixed: see the [reference](../reference.md#kinds-of-records).
            `where` and `unless` test the event, `who`, `except` and `if` the subscriber.
            """,
    ),
)


def unknown_field(report: Report, key: Scalar, owner: str, fields: Collection[str]) -> None:
    """R206: a test of a field that is not there. `owner` opens the sentence: `subscribers have`."""
    hint = odd_key(key.text) or did_you_mean(key.text, fields)
    report.error("R206", key, f"{owner} no field `{key.text}`", hint)
