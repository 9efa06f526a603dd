"""R209: amounts with their units, comparisons that fit the field. What reads them: `words`."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R209",
        meaning="a test that can't be read: a unit is missing, or the comparison does not fit the field",
        bad="who: {arpu: at least 20}",
        good="who: {arpu: at least 20 yuan}",
        advice="""
            Write the unit: `yuan` or `fen` for money, `%` for percent, `KB`, `MB` or `GB` for data, `30m` or
            `1h` for durations. Comparisons are words: `at least A`, `at most A`, `over A`, `under A`,
            `A to B`, `not VALUE`. Text, sets, places and phone numbers have no order: they are equal or not.
            """,
    ),
)
