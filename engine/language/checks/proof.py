"""R603: a live rule is shown to send, and to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.language.checks.code import Check
from engine.language.model import Rule
from engine.language.report import Report
from engine.language.testing import TestFile, hint_of_idle
from engine.language.walk import find

CHECKS: Final = (
    Check(
        code="R603",
        meaning="a live rule without a case that is sent, or without one that is refused",
        bad="""
            # r.yaml
            status: live
            approved_by: retention-lead
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 8563217ba484fff3d8dcd8d61d44d619}
            # r.test.yaml
            cases:
              - {case: comes, events: [{at: +0m, enters: campus-north}], expect: [{at: +0m, offer: data-10g}]}
            """,
        good="""
            # r.yaml
            status: live
            approved_by: retention-lead
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 8563217ba484fff3d8dcd8d61d44d619}
            # r.test.yaml
            cases:
              - {case: comes, events: [{at: +0m, enters: campus-north}], expect: [{at: +0m, offer: data-10g}]}
              - case: has another brand
                given: {brand: EasyOwn}
                events: [{at: +0m, enters: campus-north}]
                expect: nothing
                because: who.brand
            """,
        advice="""
            Add what is missing to `RULE.test.yaml` beside the rule: a case that expects an offer, one with
            `expect: nothing` and the reason in `because` (or an offer, and in `then` what stopped the next).
            A case held out in the control arm counts as neither. Nor does one that can't fail, for nothing
            happens in it: `because: when` without events, `then: when` without one after the last offer.
            """,
        level="warning",
    ),
)


def check_proof(report: Report, rule: Rule, files: Sequence[TestFile | None]) -> None:
    """R603: `files`: the tests of the rule; None for one with errors, of which nothing can be said."""
    where = find(report.source.root, "status")
    if rule.status != "live" or where is None or None in files:
        return
    cases = [case for file in files if file is not None for case in file.cases]
    if not cases:
        report.warn("R603", where, "a live rule has no tests", f"write them to `{rule.name}.test.yaml`")
        return
    sends = any(case.offers for case in cases)
    refuses = any(case.refuses for case in cases)
    if not sends or not refuses:
        what = "an offer" if refuses else "a refusal" if sends else "an offer or a refusal"
        hint = "" if refuses else hint_of_idle(cases)
        report.warn("R603", where, f"no test of this live rule shows {what}", hint)
