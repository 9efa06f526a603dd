"""`schedule`: when a rule listens.

    schedule: {days: [mon to fri], hours: 18:00 to 22:00}

Days run from 00:00 to 24:00 of the subscriber's wall clock. Without `days` it is every day, without `hours`
the whole day. Hours are half-open, may be a list, may run over midnight: what lies behind midnight is then of
the next day.
"""

from __future__ import annotations

from typing import Final

from engine.language import words
from engine.language.checks import shape
from engine.language.checks.duplicates import check_members
from engine.language.model import Interval, Schedule
from engine.language.policy import intervals
from engine.language.report import Report
from engine.language.source import Node

KEYS: Final = ("days", "hours")
EVERY_DAY: Final = tuple(range(len(words.DAYS)))


def read_schedule(report: Report, node: Node | None, owner: Node | None) -> Schedule | None:
    """Read the schedule of a rule; None if it has none. `owner`: the key that holds it."""
    if node is None:
        return None
    body = shape.mapping(report, node, "`{days: [mon to fri], hours: 18:00 to 22:00}`")
    if body is None:
        return None
    shape.keys(report, body, owner or body, "`schedule`", (), KEYS)
    if not any(key in body.entries for key in KEYS):
        if body.entries:  # told as unknown
            return None
        hint = "give `days`, `hours` or both, or leave `schedule` out"
        report.error("R102", owner or body, "this schedule says nothing", hint)
        return None
    for key in KEYS:
        if key in body.entries and not shape.one_or_more(body.get(key)):
            report.error("R108", body.entries[key][1], f"a schedule without {key} leaves no moment")
        check_members(report, shape.one_or_more(body.get(key)))
    hours: list[Interval] = []
    for item in shape.one_or_more(body.get("hours")):
        for start, end in intervals(report, item):
            hours.append((start, end))
            if start == end:
                report.error(
                    "R108", item, "these hours end as they begin", "leave `hours` out for the whole day"
                )
    return Schedule(_days(report, body.get("days")), tuple(hours))


def _days(report: Report, node: Node | None) -> tuple[int, ...]:
    if node is None:
        return EVERY_DAY
    found: set[int] = set()
    for item in shape.one_or_more(node):
        found.update(
            shape.value(report, item, "a day such as `mon`, or `mon to fri`", words.days_of_week, (), "R106")
        )
    return tuple(sorted(found)) or EVERY_DAY
