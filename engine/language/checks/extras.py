"""R003: YAML's ways to say more than it seems. Where they are found: the reader of YAML."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R003",
        meaning="aliases, anchors and tags are not part of the language",
        bad="""
            owner: &me data-team
            approved_by: *me
            """,
        good="""
            owner: data-team
            approved_by: retention-lead
            """,
        advice="""
            Write the value out at each place. A rule is read by people, and a small file with aliases of
            aliases can stand for a huge one. Text that has to start with `&`, `*` or `!` is put in quotes.
            """,
    ),
)
