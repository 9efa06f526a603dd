"""R202: who answers for a rule."""

from __future__ import annotations

from typing import Final
from unicodedata import category, normalize

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Node

CHECKS: Final = (
    Check(
        code="R202",
        meaning="a live rule that nobody, or only its owner, has approved",
        bad="""
            owner: data-team
            status: live
            approved_by: data-team
            """,
        good="""
            # r.yaml
            owner: data-team
            status: live
            approved_by: retention-lead
            # approvals.yaml
            r: {at: 2026-08-28T09:30:00Z, by: retention-lead, hash: 8563217ba484fff3d8dcd8d61d44d619}
            """,
        advice="""
            Let somebody else read the rule and put their name under `approved_by`. Until then it can run as
            `shadow`: it is evaluated and counted, and nothing is sent.
            """,
    ),
)


def check_approval(
    report: Report, status: tuple[str | None, Node | None], approver: tuple[str, Node | None], owner: str
) -> None:
    """R202: a live rule is approved, not by its owner. `status`, `approver`: what was read, and where."""
    if status[0] == "live" and status[1] is not None and approver[1] is None:
        hint = "add `approved_by: NAME`, or let it run as `shadow` first"
        report.error("R202", status[1], "a live rule needs somebody who approved it", hint)
    if approver[1] is not None and approver[0] and is_same_person(approver[0], owner):
        report.error("R202", approver[1], f"`{owner}` owns this rule, so somebody else must approve it")


def is_same_person(one: str, other: str) -> bool:
    """Tell whether two names are of one person, however they are capitalised, spaced or typed.

    An input method for Chinese writes wide letters, and nobody sees some characters at all.
    """
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    shown = "".join(char for char in name if category(char) != "Cf")
    folded = normalize("NFKC", shown).casefold()
    return " ".join(normalize("NFKC", folded).split())
