"""R107: lengths of time, dates, times of day and limits. What reads them: `engine.language.words`."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R107",
        meaning="a length of time, date, time of day or limit that can't be read",
        bad="limits: {priority: 5, at_most: 1 in 14 days, send_within: 1h, holdout: 5%}",
        good="limits: {priority: 5, at_most: 1 in 14d, send_within: 1h, holdout: 5%}",
        advice="""
            | what | is written |
            |---|---|
            | a length of time | `30s`, `45m`, `12h`, `7d`, `1h30m`, without spaces |
            | a date, a span of dates | `2026-09-01`, `2026-09-01 to 2026-09-30` |
            | a time of day, a span | `09:00`, `21:00 to 09:00` |
            | a limit | `1 in 30d` |
            """,
    ),
)
