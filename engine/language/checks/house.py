"""R401 to R403: the rule within the house rules of policy.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.language.model import Cap, Interval, Policy
from engine.language.report import Report
from engine.language.source import Node
from engine.language.words import write_duration

CODES: Final = {
    "R402": "a limit that asks for more than the house allows",
    "R403": "quiet time that leaves no moment to send",
}

_DAY: Final = 1_440


def check_cap(report: Report, node: Node | None, cap: Cap, policy: Policy) -> None:
    """R402: more messages in no more time than policy.yaml lets through for all rules together."""
    for house in policy.contact:
        if node is not None and cap.count > house.count and cap.window <= house.window:
            span = write_duration(house.window)
            message = f"the house sends a subscriber at most {house.count} in {span}, all rules together"
            report.error("R402", node, message, "a rule may tighten the policy, never loosen it")
            return


def check_quiet(report: Report, node: Node | None, quiet: Iterable[Interval], policy: Policy) -> None:
    """R403: the policy's and the rule's quiet time together cover the day."""
    own = tuple(quiet)
    if node is not None and own and covers_the_day((*own, *policy.quiet)):
        report.error("R403", node, "with the quiet time of policy.yaml this leaves no moment to send")


def covers_the_day(intervals: Iterable[Interval]) -> bool:
    """Tell whether half-open intervals of minutes cover 00:00 to 24:00."""
    pieces = []
    for start, end in intervals:
        pieces += [(start, end)] if start < end else [(start, _DAY), (0, end)]
    reached = 0
    for start, end in sorted(pieces):
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= _DAY
