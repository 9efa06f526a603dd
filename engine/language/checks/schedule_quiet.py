"""R404: a rule that listens only while nothing is sent."""

from __future__ import annotations

from typing import Final

from engine.language import hours
from engine.language.checks.code import Check
from engine.language.model import MINUTE, Policy, Rule
from engine.language.report import Report
from engine.language.walk import find
from engine.language.words import write_duration

CHECKS: Final = (
    Check(
        code="R404",
        meaning="quiet time that covers the whole schedule of a rule",
        bad="""
            schedule: {hours: 22:00 to 23:00}
            """,
        good="""
            schedule: {hours: 19:00 to 22:00}
            """,
        advice="""
            The rule listens at hours that are quiet time, of `policy.yaml` and of its own `limits` together.
            So each offer is held until quiet time ends; if `send_within` is over by then, nothing is sent.
            Move the hours, shorten the rule's own `quiet`, or lengthen `send_within` if an offer hours later
            is what you want. A rule with a message for people (`manual`) is not asked: those are not held.
            """,
        level="warning",
    ),
)


def check_schedule(report: Report, rule: Rule, policy: Policy) -> None:
    """R404: some moment of the schedule lies outside of quiet time."""
    where = find(report.source.root, "schedule", "hours")
    if where is None or any(message.channel == "manual" for message in rule.offer.send):
        return
    quiet = hours.pieces((*policy.quiet, *rule.limits.quiet))
    _, listening = hours.listens(rule.schedule)
    if not hours.inside(listening, quiet) or hours.inside([(0, hours.DAY)], quiet):
        return
    # the last moment lies before the end of its hours, so the wait is longer than this
    shortest = min(hours.wait_after(quiet, end) for _, end in listening) * MINUTE
    if rule.limits.send_within <= shortest:
        span = write_duration(rule.limits.send_within)
        said = (
            f"nothing is ever sent: all of this is quiet time, which goes on for longer than the {span} of "
        )
        report.warn("R404", where, f"{said}`send_within`", _hint(policy, rule))
    else:
        said = "no offer is sent at once: all of this is quiet time"
        report.warn("R404", where, said, _hint(policy, rule))


def _hint(policy: Policy, rule: Rule) -> str:
    own = " and of the rule itself" if rule.limits.quiet else ""
    spans = ", ".join(f"{_clock(a)} to {_clock(b)}" for a, b in (*policy.quiet, *rule.limits.quiet))
    return f"quiet time of policy.yaml{own}: {spans}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
