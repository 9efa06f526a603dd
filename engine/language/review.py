"""Review a set of good rules before it is sent: each with its tests, approval and dates, then all together.

What is found are warnings: rules that mean what they say, and perhaps not what was meant. An engine that only
loads a set does not ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.language import ranks
from engine.language.approvals import Approvals
from engine.language.checks.approved_text import check_all_recorded
from engine.language.checks.dates_over import check_dates
from engine.language.checks.proof import check_proof
from engine.language.logic import closed_fields
from engine.language.model import FieldSpec, Policy, Rule
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.testing import TestFile


@dataclass(frozen=True, slots=True)
class Written:
    """A rule without errors, and the file it was read from."""

    rule: Rule
    report: Report
    root: MappingNode


@dataclass(frozen=True, slots=True)
class Tested:
    """A test file: the rule that it names, and what was read; None if it has errors."""

    rule: str
    tests: TestFile | None


def review_set(
    rules: Sequence[Written],
    policy: Policy,
    now: datetime,
    approvals: Approvals,
    tested: Sequence[Tested],
    fields: Mapping[str, FieldSpec],
) -> None:
    """Report what is found into the reports of the rules. `now` has a timezone; `fields`: of subscribers."""
    today = now.astimezone(ZoneInfo(policy.timezone)).date()
    by_rule: dict[str, list[TestFile | None]] = {}
    for one in tested:
        by_rule.setdefault(one.rule, []).append(one.tests)
    for each in rules:
        if each.rule.name not in approvals.broken:
            check_all_recorded(each.report, each.rule, approvals.entries.get(each.rule.name))
        check_dates(each.report, each.rule, today)
        check_proof(each.report, each.rule, by_rule.get(each.rule.name, []))
    closed = closed_fields(fields)
    ranks.compare([ranks.Ranked(each.rule, each.report, closed) for each in rules], policy)
