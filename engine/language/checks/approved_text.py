"""R211 to R213: an approval is of what the rule says now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from engine.language.approvals import Entry, content_hash
from engine.language.checks.approval import is_same_person
from engine.language.checks.code import Check
from engine.language.model import Rule
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.walk import find

CHECKS: Final = (
    Check(
        code="R211",
        meaning="a rule that says something else than what was approved",
        bad="""
            # r.yaml
            status: live
            approved_by: retention-lead
            who: {brand: [GoTone, M-Zone, EasyOwn]}
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 0123456789abcdef0123456789abcdef}
            """,
        good="""
            # r.yaml
            status: live
            approved_by: retention-lead
            who: {brand: [GoTone, M-Zone]}
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 8563217ba484fff3d8dcd8d61d44d619}
            """,
        advice="""
            Have the rule read again: `touchpoint approve RULE --by NAME`. Or take the change back. It counts
            what the file says: comments, quotes, line breaks and the order of keys may change, and so may
            `status` and `approved_by`. It counts for a rule that is not live, too: take its line out of
            `approvals.yaml` to go on working at it without an approval.
            """,
    ),
    Check(
        code="R212",
        meaning="a live rule whose approval is not recorded, or is recorded of another person",
        bad="""
            status: live
            approved_by: retention-lead
            """,
        good="""
            # r.yaml
            status: live
            approved_by: retention-lead
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 8563217ba484fff3d8dcd8d61d44d619}
            """,
        advice="""
            `approved_by` alone does not tell what was approved. Let the approver run
            `touchpoint approve RULE --by NAME`, which records the rule's content in `approvals.yaml`.
            """,
        level="warning",
    ),
    Check(
        code="R213",
        meaning="an approval of a rule that is not there",
        bad="""
            # approvals.yaml
            evening: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 0123456789abcdef0123456789abcdef}
            """,
        good="""
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 8563217ba484fff3d8dcd8d61d44d619}
            """,
        advice="""
            The rule was renamed or deleted. Delete the line, and have a renamed rule approved under its new
            name.
            """,
        level="warning",
    ),
)


def check_recorded(report: Report, rule: Rule, entry: Entry | None, approvals: Report | None) -> None:
    """R211, and R202 for an owner's own approval. `report`: of the rule; `approvals`: of its record."""
    root = report.source.root
    if entry is None or approvals is None or not isinstance(root, MappingNode):
        return
    approval = entry.approval
    if is_same_person(approval.by, rule.owner):
        said = f"`{rule.owner}` owns `{rule.name}`, so somebody else must approve it"
        approvals.error("R202", entry.by, said)
    if approval.hash == content_hash(root):
        return
    where = find(root, "approved_by") or find(root, "status") or root
    said = f"the rule has changed since {approval.by} approved it on {approval.at[:10]}"
    hint = f"to approve what it says now: touchpoint approve {rule.name} --by NAME"
    report.error("R211", where, said, hint)


def check_all_recorded(report: Report, rule: Rule, entry: Entry | None) -> None:
    """R212: a live rule has a record, and the name in the rule is the one in the record."""
    where = find(report.source.root, "approved_by")
    if rule.status != "live" or where is None:
        return
    hint = f"touchpoint approve {rule.name} --by {rule.approved_by}"
    if entry is None:
        report.warn("R212", where, f"nothing records what {rule.approved_by} approved", hint)
    elif not is_same_person(entry.approval.by, rule.approved_by):
        report.warn("R212", where, f"the record says that {entry.approval.by} approved this rule", hint)


def check_rules_there(report: Report, entries: Mapping[str, Entry], rules: Collection[str]) -> None:
    """R213: every entry is of a rule that is there. Its readers know the whole set."""
    for name, entry in entries.items():
        if name not in rules:
            report.warn("R213", entry.key, f"there is no rule `{name}`", "delete this line")
