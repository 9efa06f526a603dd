"""R601, R602: what a rule test says about the reason."""

from __future__ import annotations

from typing import Final

from engine.language.checks import shape
from engine.language.checks.code import Check
from engine.language.model import Rule
from engine.language.moments import kinds_awaited
from engine.language.report import Report
from engine.language.source import Node
from engine.language.suggest import did_you_mean

CHECKS: Final = (
    Check(
        code="R601",
        meaning="a test of `nothing` that does not say why, or says it in a word that is no reason",
        bad="""
            # r.test.yaml
            cases:
              - case: another brand
                given: {brand: EasyOwn}
                events: [{at: +0m, enters: campus-north}]
                expect: nothing
            """,
        good="""
            # r.test.yaml
            cases:
              - case: another brand
                given: {brand: EasyOwn}
                events: [{at: +0m, enters: campus-north}]
                expect: nothing
                because: who.brand
            """,
        advice="""
            A test that expects nothing passes with every broken rule, so it says what stops the offer:
            `because: who.brand`. The words are those of the [gates](../reference.md#gates-and-reasons),
            `when` if the pattern does not match, `holdout`, and `who.FIELD` or `except.FIELD` of a line that
            the rule has. `feed` is for a rule that waits for records not to come. `then` says what stopped
            the next match; so it goes with offers, or with `because: holdout`.
            """,
    ),
)

REASONS: Final = (
    "when", "feed", "valid", "consent.marketing", "consent.profiling", "consent.location", "suppressed",
    "channel", "limits.at_most", "policy.contact", "only_one_of", "send_within", "arbitration", "holdout",
)  # fmt: skip
"""Beside these: `who.FIELD`, `except.FIELD`. `when`: no instant; `holdout`: the control arm; others: the
gates of semantics.md 4.2."""


def check_reason(report: Report, node: Node | None, rule: Rule | None) -> str | None:
    """R601: read a reason; None after a report. `rule` None: its fields can't be asked."""
    reason = shape.text(report, node, "a reason") if node is not None else ""
    if node is None or not reason:
        return None
    if reason == "feed" and rule is not None and not kinds_awaited(rule.when):
        hint = "it stops an `after` whose `no` is a record, and that is all of the `when`"
        report.error("R601", node, "`feed` stops nothing in this rule", hint)
        return None
    if reason in REASONS:
        return reason
    section, _, field = reason.partition(".")
    if rule is None and section in ("who", "except") and field:
        return reason
    fields = [] if rule is None else [
        *(f"who.{test.field}" for test in rule.who), *(f"except.{test.field}" for test in rule.excepts)
    ]  # fmt: skip
    if reason in fields:
        return reason
    report.error(
        "R601", node, f"`{reason}` stops nothing in this rule", did_you_mean(reason, [*fields, *REASONS])
    )
    return None
