"""R404: a schedule within the quiet time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language.checks.code import Check
from engine.language.model import MINUTE, Interval, Rule
from engine.language.report import Report
from engine.language.source import Node
from engine.language.words import write_duration

CHECKS: Final = (
    Check(
        code="R404",
        meaning="a schedule that lies in the quiet time",
        bad="""
            schedule: {hours: 22:00 to 24:00}
            """,
        good="""
            schedule: {hours: 18:00 to 20:00}
            """,
        advice="""
            The rule listens only while nothing may be sent. If `send_within` is shorter than the wait for
            the end of the quiet time, it never sends, which is an error; else every message waits, which is
            a warning. Move the schedule, or make `send_within` as long as the wait if messages are meant to
            come later.
            """,
    ),
)

_DAY: Final = 1_440


def check_schedule(report: Report, node: Node | None, rule: Rule, house: Iterable[Interval]) -> None:
    """R404: every moment of the schedule is quiet. `house`: the quiet time of policy.yaml."""
    hours = rule.schedule.hours if rule.schedule is not None else ()
    if node is None or not hours or any(message.channel == "manual" for message in rule.offer.send):
        return
    quiet = _minutes((*house, *rule.limits.quiet))
    listens = _minutes(hours)
    if not listens <= quiet or len(quiet) == _DAY:
        return
    shortest = min(_wait(minute, quiet) for minute in listens) * MINUTE
    if rule.limits.send_within > shortest:
        report.warn("R404", node, "all of this is quiet time: every message waits for its end")
        return
    within = write_duration(rule.limits.send_within)
    said = f"all of this is quiet time, and its end comes later than `send_within` ({within})"
    report.error("R404", node, f"{said}: nothing is sent", "move the schedule out of the quiet time")


def _minutes(intervals: Iterable[Interval]) -> set[int]:
    """The minutes of the day that half-open intervals cover."""
    found: set[int] = set()
    for start, end in intervals:
        found.update(range(start, end) if start < end else (*range(start, _DAY), *range(end)))
    return found


def _wait(minute: int, quiet: set[int]) -> int:
    """Minutes from the end of a minute to the end of the quiet time, shorter than any wait from within it."""
    return next(steps for steps in range(_DAY) if (minute + 1 + steps) % _DAY not in quiet)
