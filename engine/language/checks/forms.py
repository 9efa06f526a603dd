"""R108: values of the right form, within their bounds. Where it is found: all readers."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R108",
        meaning="a value of the wrong form or outside its bounds",
        bad="limits: {priority: 500, at_most: 1 in 14d, send_within: 1h, holdout: 5%}",
        good="limits: {priority: 50, at_most: 1 in 14d, send_within: 1h, holdout: 5%}",
        advice="""
            The report says what was expected and what was found: a list where one word belongs, text where a
            number belongs, a number beyond its bounds. Text that holds `{`, `[` or `: ` needs quotes, or
            YAML reads a mapping or list out of it.
            """,
    ),
)
