"""R006: files are UTF-8. Where it is found: the reader of folders."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check

CHECKS: Final = (
    Check(
        code="R006",
        meaning="the file can't be read as text",
        bad="""
            # r.yaml as gbk
            rule: r
            title: 校园流量
            """,
        good="""
            # r.yaml as utf-8
            rule: r
            title: 校园流量
            """,
        advice="""
            Save the file as UTF-8; editors on Chinese Windows may save GBK (ANSI) or UTF-16. If the report
            says that the file can't be opened, look at its permissions; a pipe, a
            device or a link to one is no file of rules.
            """,
    ),
)
